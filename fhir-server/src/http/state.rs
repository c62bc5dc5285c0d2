//! What all requests of one server share.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::budget::BodyBudget;
use super::metrics::Metrics;
use super::strangers::Strangers;
use super::throttle::Throttle;
#[cfg(feature = "authority")]
use crate::authority::Authority;
use crate::config::Config;
use crate::context::Clock;
use crate::engine::Engine;
use crate::sandbox::Samples;
use crate::token::Verifier;

/// What all requests of one server share.
pub(crate) struct State {
    pub(crate) config: Config,
    pub(crate) engine: Engine,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) metrics: Metrics,
    pub(crate) bodies: BodyBudget,
    pub(crate) verifier: Verifier,
    pub(crate) throttle: Throttle,
    /// What a sandbox begins with.
    pub(crate) samples: Samples,
    pub(crate) strangers: Strangers,
    #[cfg(feature = "authority")]
    pub(crate) authority: Option<Authority>,
    /// Set once the server is about to end: `/readyz` then says no.
    pub(crate) draining: AtomicBool,
    /// The OpenAPI document, once somebody asked for it.
    #[cfg(feature = "docs")]
    pub(crate) openapi: super::openapi::Cache,
}

impl State {
    pub(crate) fn new(config: Config, engine: Engine, clock: Arc<dyn Clock>, verifier: Verifier) -> Self {
        State {
            bodies: BodyBudget::new(config.limits.bodies_in_flight_bytes),
            verifier,
            throttle: Throttle::new(&config.throttle),
            samples: Samples::default(),
            strangers: Strangers::default(),
            #[cfg(feature = "authority")]
            authority: None,
            config,
            engine,
            clock,
            metrics: Metrics::default(),
            draining: AtomicBool::new(false),
            #[cfg(feature = "docs")]
            openapi: super::openapi::Cache::default(),
        }
    }

    /// The same, with what its sandbox begins with.
    pub(crate) fn with_samples(mut self, samples: Samples) -> Self {
        self.samples = samples;
        self
    }

    /// The same, with that development authority.
    #[cfg(feature = "authority")]
    pub(crate) fn with_authority(mut self, authority: Option<Authority>) -> Self {
        self.authority = authority;
        self
    }
}
