//! [`FhirServer`]: the server, to mount into a service of one's own or to run.

mod builder;
pub mod terminology;

pub use crate::http::{Ending, Running};
pub use builder::FhirServerBuilder;

use std::sync::Arc;

use actix_web::web;

use crate::config::Config;
use crate::context::{Context, TenantId};
use crate::engine::Session;
use crate::error::{Error, ErrorCode, Result};
use crate::http::{self, State, health};

/// A FHIR server over a store, under a policy. Cheap to clone; all clones are one server.
///
/// ```no_run
/// # async fn example(store: std::sync::Arc<dyn fhir_server::store::Store>) -> fhir_server::error::Result<()> {
/// use fhir_server::{FhirServer, policy::PermitAll};
///
/// let server = FhirServer::builder().store(store).policy(PermitAll).build().await?;
/// // In a service of one's own, beside its other routes:
/// let app = actix_web::App::new().configure(|app| server.configure(app));
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct FhirServer {
    pub(crate) state: Arc<State>,
}

impl FhirServer {
    /// Begins to build a server.
    pub fn builder() -> FhirServerBuilder {
        FhirServerBuilder::default()
    }

    /// Its configuration.
    pub fn config(&self) -> &Config {
        &self.state.config
    }

    /// Mounts the FHIR base, at `listen.base_path` below where `app` stands, and those of further organisations.
    ///
    /// Callers are known by a [`Principal`](crate::context::Principal) that a middleware of yours puts into the
    /// request's extensions; without one the answer is 401, except in the sandbox.
    pub fn configure(&self, app: &mut web::ServiceConfig) {
        for mount in http::Mount::all(&self.state.config) {
            let path = mount.path(&self.state.config);
            let state = self.state.clone();
            let scope = web::scope(&path).configure(|app| http::smart(&state, &mount, app));
            let handler =
                move |request, payload| http::handle(state.clone(), mount.clone(), request, payload);
            app.service(scope.default_service(web::to(handler)));
        }
    }

    /// Mounts `/.well-known/oauth-protected-resource` with the path of the FHIR base, which tells clients who gives tokens.
    pub fn configure_discovery(&self, app: &mut web::ServiceConfig) {
        http::configure_discovery(&self.state, app);
    }

    /// Mounts `/auth`, the development authority, where the configuration asks for one.
    #[cfg(feature = "authority")]
    pub fn configure_authority(&self, app: &mut web::ServiceConfig) {
        http::configure_authority(&self.state, app);
    }

    /// Mounts `/livez` and `/readyz`.
    pub fn configure_health(&self, app: &mut web::ServiceConfig) {
        health::configure(&self.state, app);
    }

    /// Mounts `/openapi.json`, the OpenAPI document, `/schemas/{Type}.json`, the JSON Schema of each type, and `/docs`, the site with guides, reference, error catalogue and record browser.
    #[cfg(feature = "docs")]
    pub fn configure_docs(&self, app: &mut web::ServiceConfig) {
        http::configure_docs(&self.state, app);
    }

    /// Mounts `/metrics`. Keep it where only your own monitoring reaches it.
    pub fn configure_metrics(&self, app: &mut web::ServiceConfig) {
        health::configure_metrics(&self.state, app);
    }

    /// Opens a session for work that does not come over HTTP, such as loading files.
    pub fn session(&self, context: Context) -> Session {
        self.state.engine.session(context)
    }

    /// Fills the sandbox with the samples that the server was built with, where nothing was ever written to it. Whether it did.
    ///
    /// # Errors
    /// It is no sandbox, the samples are refused, or the store failed.
    pub async fn fill(&self) -> Result<bool> {
        if !self.config().sandbox.enabled {
            let text = "Samples are for a sandbox: set `sandbox.enabled`.";
            return Err(Error::new(ErrorCode::Invalid, text));
        }
        self.state
            .samples
            .fill(&self.state.engine, TenantId::DEFAULT)
            .await
    }

    /// Mounts `/sandbox/$reset`, which puts a sandbox back to its samples, and `/sandbox/<name>`, the spaces of developers with a FHIR base
    /// each. Nothing is mounted where there is no sandbox.
    pub fn configure_sandbox(&self, app: &mut web::ServiceConfig) {
        http::configure_sandbox(&self.state, app);
    }

    /// Tends the audit trail as long as it is polled: seals it, and writes the counts of requests of nobody who is known. A server that
    /// [listens](FhirServer::listen) does so by itself; spawn this once where the FHIR base is mounted into a service of your own.
    pub async fn tend(&self) {
        http::tend(&self.state).await;
    }

    /// Begins to listen at the configured addresses; call it inside [`run`] or another actix runtime.
    ///
    /// # Errors
    /// An address cannot be listened at.
    pub fn listen(&self) -> Result<Running> {
        http::listen(self)
    }
}

/// Runs a future to its end on the runtime that the server needs.
pub fn run<F: Future>(future: F) -> F::Output {
    actix_web::rt::System::new().block_on(future)
}

/// Log directives that leave out what the web framework says by itself of each connection.
pub const QUIET: &str = "actix_http=off,actix_server=warn,actix_web=warn";
