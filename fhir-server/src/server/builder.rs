//! [`FhirServerBuilder`]: from configuration, store and policy to a server.

use std::sync::Arc;

use fhir_model::reflect::Complex;

use super::{FhirServer, terminology};
#[cfg(feature = "authority")]
use crate::authority::{Authority, Person};
use crate::config::Config;
use crate::context::{Clock, Context, SystemClock};
use crate::engine::{Engine, Hooks, IdSource};
use crate::error::{Error, ErrorCode, Issue, Result};
use crate::http::State;
use crate::operation::{Operation, Operations};
use crate::policy::{Chain, Policy};
use crate::sandbox::Samples;
use crate::store::Store;
use crate::token::Verifier;

/// Builds a [`FhirServer`]. A store is required; without a policy everything is denied.
#[derive(Default)]
pub struct FhirServerBuilder {
    config: Config,
    store: Option<Arc<dyn Store>>,
    policy: Option<Arc<dyn Policy>>,
    clock: Option<Arc<dyn Clock>>,
    ids: Option<Arc<dyn IdSource>>,
    operations: Vec<Arc<dyn Operation>>,
    hooks: Hooks,
    samples: Vec<&'static [u8]>,
    #[cfg(feature = "authority")]
    people: Vec<Person>,
}

impl FhirServerBuilder {
    /// The configuration. Default: [`Config::default`].
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// Where the resources are.
    pub fn store(mut self, store: Arc<dyn Store>) -> Self {
        self.store = Some(store);
        self
    }

    /// Who may do what. Default: nobody anything.
    pub fn policy(mut self, policy: impl Policy + 'static) -> Self {
        self.policy = Some(Arc::new(policy));
        self
    }

    /// Where the time comes from. Default: the machine's clock.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Where ids of new resources come from. Default: random UUIDs.
    pub fn ids(mut self, ids: Arc<dyn IdSource>) -> Self {
        self.ids = Some(ids);
        self
    }

    /// Offers one more operation, in the place of one with the same code.
    pub fn operation(mut self, operation: impl Operation + 'static) -> Self {
        self.operations.push(Arc::new(operation));
        self
    }

    /// Asks a hook about each resource of a type before it is written, in whatever way: it may refuse, or tell something to callers
    /// who prefer to read outcomes.
    ///
    /// ```
    /// # use fhir_server::{FhirServer, Error, error::ErrorCode};
    /// use fhir_model::MedicationRequest;
    ///
    /// let builder = FhirServer::builder().on_write::<MedicationRequest>(|_context, request| {
    ///     match request.dosage_instruction.is_empty() {
    ///         true => Err(Error::new(ErrorCode::Unprocessable, "Say how it is taken.")),
    ///         false => Ok(Vec::new()),
    ///     }
    /// });
    /// ```
    pub fn on_write<T: Complex>(
        mut self,
        hook: impl Fn(&Context, &T) -> Result<Vec<Issue>> + Send + Sync + 'static,
    ) -> Self {
        self.hooks = self.hooks.on_write(hook);
        self
    }

    /// What a sandbox begins with, as transaction Bundles in which every entry is a PUT; they may refer to each other. See
    /// [`FhirServer::fill`].
    pub fn samples(mut self, bundles: &[&'static [u8]]) -> Self {
        self.samples = bundles.to_vec();
        self
    }

    /// Those who can log in at the development authority.
    #[cfg(feature = "authority")]
    pub fn people(mut self, people: Vec<Person>) -> Self {
        self.people = people;
        self
    }

    /// Checks the configuration and that the store answers, and makes findable what an earlier release wrote.
    ///
    /// # Errors
    /// The configuration contradicts itself or is unsafe, there is no store, it does not answer, or what it holds cannot be read.
    pub async fn build(self) -> Result<FhirServer> {
        self.config.check()?;
        let store = self.store.ok_or_else(|| {
            Error::new(
                ErrorCode::Required,
                "The server needs a store; give it one with `.store(…)`.",
            )
        })?;
        let verifier = Verifier::open(&self.config)?;
        store.ready().await?;
        let policy = self.policy.unwrap_or_else(|| Arc::new(Chain::default()));
        #[cfg(feature = "authority")]
        let authority = match self.config.authority.enabled {
            true => Some(Authority::open(&self.config, self.people)?),
            false => None,
        };
        #[cfg_attr(
            not(feature = "authority"),
            expect(unused_mut, reason = "only an authority adds to them")
        )]
        let mut settings = self.config.settings();
        #[cfg(feature = "authority")]
        if authority.is_some() {
            settings.tokens = Some(Authority::source());
        }
        let mut engine = Engine::new(store, policy, settings);
        let operations = self.operations.into_iter();
        engine = engine.with_operations(operations.fold(Operations::builtin(), Operations::with));
        if let Some(ids) = self.ids {
            engine = engine.with_ids(ids);
        }
        engine = engine.with_hooks(self.hooks).with_scopes();
        if let Some(folder) = &self.config.terminology.folder {
            engine = engine.with_library(terminology::library(folder)?);
        }
        engine.prepare_validation();
        engine.reindex().await?;
        let clock = self.clock.unwrap_or_else(|| Arc::new(SystemClock));
        engine.begin_indexing(clock.clone());
        let samples = Samples::of(&self.samples)?;
        let state = State::new(self.config, engine, clock, verifier).with_samples(samples);
        #[cfg(feature = "authority")]
        let state = state.with_authority(authority);
        Ok(FhirServer {
            state: Arc::new(state),
        })
    }
}
