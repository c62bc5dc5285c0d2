//! The engine: [`Engine`] opens a [`Session`] a request, and a session is the one door to the store.
//!
//! Invariant: `Engine` and `Session` are the only holders of the store. Policy, validation, indexing and audit cannot
//! be skipped.

mod admits;
mod binary;
mod check;
mod conditions;
mod emergency;
mod facts;
mod guard;
mod hooks;
mod hush;
mod id;
pub(crate) mod indexing;
mod kept;
mod knowledge;
mod known;
mod links;
mod matches;
#[cfg(test)]
pub(crate) mod memory;
mod noted;
mod own;
mod parameters;
mod place;
mod provenance;
mod purge;
mod received;
mod reindex;
mod renew;
pub(crate) mod replay;
mod seal;
mod session;
mod settings;
mod spoken;
mod stored_form;
mod subscription;
mod trail;
mod validation;
mod veil;
mod work;
mod write;

pub use hooks::Hooks;
pub use id::{IdSource, RandomIds};
pub use session::Session;
pub use settings::{AuditSettings, OutcomeSystems, Settings, TokenSource};
pub use validation::{Check, OnBreach, Rules, Strictness};

pub(crate) use check::{Checked, Shown, Subject};
pub(crate) use conditions::{Conditions, not_found};
pub(crate) use kept::Kept;
use knowledge::Knowledge;
use known::BuiltIn;
pub(crate) use known::Known;
pub(crate) use links::{Assigned, BundleLinks, unquoted};
pub(crate) use matches::Matches;
pub(crate) use place::in_entry;
pub(crate) use received::{Part, Received, read_partial, unreadable};
pub(crate) use stored_form::Edit;
pub(crate) use validation::{kind, words};
pub(crate) use write::{Committed, Draft, Ticket, Written};

use std::sync::Arc;

use fhir_validate::terminology::Library;
use tokio::sync::Semaphore;

use self::validation::Validators;
use crate::context::Context;
use crate::operation::Operations;
use crate::policy::{Chain, Policy, ScopeRule};
use crate::search::Terminology;
use crate::store::Store;

/// What all sessions of one server share.
#[derive(Clone)]
pub struct Engine {
    store: Arc<dyn Store>,
    policy: Arc<dyn Policy>,
    settings: Arc<Settings>,
    validators: Arc<Validators>,
    /// Turns to work apart from the threads that answer.
    turns: Arc<Semaphore>,
    ids: Arc<dyn IdSource>,
    /// Who answers searches about codes instead of what is known.
    terminology: Option<Arc<dyn Terminology>>,
    operations: Arc<Operations>,
    hooks: Hooks,
    /// What has been said of what the server offers.
    statements: Arc<Kept>,
    /// What all tenants know, where it is more than what is built in.
    with_releases: Option<Arc<Known>>,
    /// What is made of the definitions that tenants store.
    knowledge: Arc<Knowledge>,
    /// Told when a definition was written.
    stored_definition: Arc<tokio::sync::Notify>,
    indexing: Arc<indexing::Indexing>,
}

impl Engine {
    /// An engine over that store, under that policy.
    pub fn new(store: Arc<dyn Store>, policy: Arc<dyn Policy>, settings: Settings) -> Self {
        Engine {
            store,
            policy,
            validators: Arc::new(Validators::default()),
            settings: Arc::new(settings),
            turns: work::turns(),
            ids: Arc::new(RandomIds),
            terminology: None,
            operations: Arc::new(Operations::builtin()),
            hooks: Hooks::default(),
            statements: Arc::default(),
            with_releases: None,
            knowledge: Arc::default(),
            stored_definition: Arc::default(),
            indexing: Arc::default(),
        }
    }

    /// The same, with ids from that source.
    pub fn with_ids(mut self, ids: Arc<dyn IdSource>) -> Self {
        self.ids = ids;
        self
    }

    /// The same, with that terminology for the modifiers `:in`, `:not-in`, `:above` and `:below` of tokens, instead of what
    /// the server knows and what is stored in it.
    pub fn with_terminology(mut self, terminology: Arc<dyn Terminology>) -> Self {
        self.terminology = Some(terminology);
        self
    }

    /// The same, with the scopes of access tokens asked before the policy.
    pub(crate) fn with_scopes(mut self) -> Self {
        let terminology = self.terminology.clone().unwrap_or_else(|| Arc::new(BuiltIn));
        let scopes = ScopeRule::new(&self.settings, terminology);
        self.policy = Arc::new(Chain(vec![Box::new(scopes), Box::new(self.policy)]));
        self
    }

    /// What every tenant knows: what is built in, and releases of terminologies.
    pub(crate) fn below(&self) -> Arc<Known> {
        match &self.with_releases {
            Some(known) => Arc::clone(known),
            None => Known::built_in(),
        }
    }

    /// The same, with that library of terminology for all tenants, in the place of what is built in.
    pub fn with_library(mut self, library: Arc<Library>) -> Self {
        self.with_releases = Some(Arc::new(Known::over_library(library)));
        self
    }

    /// The same, with those operations.
    pub fn with_operations(mut self, operations: Operations) -> Self {
        self.operations = Arc::new(operations);
        self.statements = Arc::default();
        self
    }

    /// The same, with those hooks.
    pub fn with_hooks(mut self, hooks: Hooks) -> Self {
        self.hooks = hooks;
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
        self.indexing.end().await;
        self.store.close().await;
    }
}
