//! HTTP: the only folder that knows actix. It turns bytes into an [`interaction::Request`](crate::interaction::Request)
//! and a [`Response`](crate::interaction::Response) into bytes.
//!
//! Invariant: nothing here touches the store; every request goes through one [`Session`](crate::engine::Session).

mod auth;
#[cfg(feature = "authority")]
mod authority;
mod base_url;
mod binary;
mod body;
mod budget;
mod conditions;
mod content;
mod cors;
mod discovery;
mod exchange;
mod explain;
mod framing;
mod handle;
pub(crate) mod health;
mod ids;
mod inflate;
mod link;
mod listen;
mod locate;
mod media_type;
mod metrics;
mod mount;
mod negotiate;
#[cfg(feature = "docs")]
pub(crate) mod openapi;
mod path;
mod prefer;
pub(crate) mod provoke;
mod query;
mod receive;
mod refuse;
mod respond;
mod retention;
pub(crate) mod routes;
mod sandbox;
#[cfg(feature = "docs")]
mod schemas;
mod sealer;
#[cfg(feature = "docs")]
mod site;
mod state;
mod strangers;
mod throttle;
#[cfg(feature = "tls")]
mod tls;
mod wire;

pub(crate) use handle::{handle, lost};
pub(crate) use listen::listen;
pub use listen::{Ending, Running};
pub(crate) use mount::Mount;
pub(crate) use sandbox::configure as configure_sandbox;
pub(crate) use sealer::tend;
pub(crate) use state::State;

#[cfg(feature = "authority")]
pub(crate) use authority::configure as configure_authority;
pub(crate) use discovery::{configure as configure_discovery, smart};

/// Mounts `/openapi.json`, `/schemas/{Type}.json` and the site at `/docs`.
#[cfg(feature = "docs")]
pub(crate) fn configure_docs(state: &std::sync::Arc<State>, app: &mut actix_web::web::ServiceConfig) {
    openapi::configure(state, app);
    schemas::configure(app);
    site::configure(state, app);
}

/// Leads from `/` to the site.
#[cfg(feature = "docs")]
pub(crate) fn configure_home(app: &mut actix_web::web::ServiceConfig) {
    site::configure_home(app);
}

#[cfg(test)]
mod tests;
