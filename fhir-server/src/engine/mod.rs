//! The engine: [`Engine`] opens a [`Session`] a request, and a session is the one door to the store.
//!
//! Invariant: `Engine` and `Session` are the only holders of the store. Policy, validation, indexing and audit cannot
//! be skipped.

mod admits;
mod conditions;
mod guard;
mod id;
#[expect(dead_code, reason = "the seam; definitions that are stored take effect next")]
mod knowledge;
mod links;
mod matches;
#[cfg(test)]
pub(crate) mod memory;
mod place;
mod received;
mod reindex;
mod session;
mod settings;
mod stored_form;
mod validation;
mod write;

pub use id::{IdSource, RandomIds};
pub use session::Session;
pub use settings::{OutcomeSystems, Settings};
pub use validation::{Check, OnBreach, Rules, Strictness};

pub(crate) use conditions::{Conditions, not_found};
use knowledge::Knowledge;
pub(crate) use links::{Assigned, BundleLinks, unquoted};
pub(crate) use matches::Matches;
pub(crate) use place::in_entry;
pub(crate) use received::{Part, Received};
pub(crate) use stored_form::Edit;
pub(crate) use validation::{kind, words};
pub(crate) use write::{Committed, Draft, Ticket, Written};

use std::sync::Arc;

use self::validation::{Validators, Workers};
use crate::context::Context;
use crate::operation::Operations;
use crate::policy::{Chain, Policy, ScopeRule};
use crate::search::{NoTerminology, Terminology};
use crate::store::Store;

/// What all sessions of one server share.
#[derive(Clone)]
pub struct Engine {
    store: Arc<dyn Store>,
    policy: Arc<dyn Policy>,
    settings: Arc<Settings>,
    validators: Arc<Validators>,
    workers: Arc<Workers>,
    ids: Arc<dyn IdSource>,
    terminology: Arc<dyn Terminology>,
    operations: Arc<Operations>,
    /// What is made of the definitions that tenants store.
    #[expect(dead_code, reason = "as above")]
    knowledge: Arc<Knowledge>,
}

impl Engine {
    /// An engine over that store, under that policy.
    pub fn new(store: Arc<dyn Store>, policy: Arc<dyn Policy>, settings: Settings) -> Self {
        Engine {
            store,
            policy,
            validators: Arc::new(Validators::new(settings.validation.strict)),
            workers: Arc::new(Workers::new(settings.validation.threads)),
            settings: Arc::new(settings),
            ids: Arc::new(RandomIds),
            terminology: Arc::new(NoTerminology),
            operations: Arc::new(Operations::builtin()),
            knowledge: Arc::default(),
        }
    }

    /// The same, with ids from that source.
    pub fn with_ids(mut self, ids: Arc<dyn IdSource>) -> Self {
        self.ids = ids;
        self
    }

    /// The same, with that terminology for the modifiers `:in`, `:not-in`, `:above` and `:below` of tokens.
    pub fn with_terminology(mut self, terminology: Arc<dyn Terminology>) -> Self {
        self.terminology = terminology;
        self
    }

    /// The same, with the scopes of access tokens asked before the policy.
    pub(crate) fn with_scopes(mut self) -> Self {
        let scopes = ScopeRule::new(&self.settings, self.terminology.clone());
        self.policy = Arc::new(Chain(vec![Box::new(scopes), Box::new(self.policy)]));
        self
    }

    /// The same, with those operations.
    pub fn with_operations(mut self, operations: Operations) -> Self {
        self.operations = Arc::new(operations);
        self
    }

    /// Opens a session for one request.
    pub fn session(&self, context: Context) -> Session {
        Session::new(self.clone(), context)
    }

    /// How the engine behaves where the specification leaves a choice.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Whether the store answers and takes writes.
    ///
    /// # Errors
    /// It does not.
    pub async fn ready(&self) -> crate::error::Result<()> {
        self.store.ready().await
    }

    /// Waits for running writes, then lets go of the store.
    pub async fn close(&self) {
        self.store.close().await;
    }
}
