//! [`Session`]: one request's way to the data. Reads go through policy, whose filter is part of the query; writes go
//! through policy, validation and stamping into one atomic commit (in `write.rs`).
//!
//! Invariant: no query leaves this file without the filter of the policy's decision for its interaction and type.
//! Invariant: the answer for what the caller may not see is the answer for what does not exist.

use std::collections::HashMap;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, PoisonError};

use super::known::KnownHere;
use super::parameters::Working;
use super::write::Staged;
use super::{Engine, Settings};
use crate::context::{Context, Millis};
use crate::error::{Error, ErrorCode, Result};
use crate::interaction::{Interaction, Request};
use crate::operation::Operations;
use crate::policy::{Access, Decision};
use crate::store::{
    Change, Explanation, Filter, Found, HistoryQuery, HistoryScope, Key, Marks, ResourceType, SearchQuery,
    Snapshot, Version,
};

type Decisions = HashMap<(Interaction, Option<ResourceType>, Option<&'static str>), Filter>;

/// One request's way to the data.
pub struct Session {
    pub(super) engine: Engine,
    pub(super) context: Context,
    /// Opened by the first read and let go by a commit: policy facts and queries see one state of the data.
    snapshot: Mutex<Option<Arc<dyn Snapshot>>>,
    /// What that view knows of its moment, once asked for.
    marks: Mutex<Option<Marks>>,
    /// The search parameters that it works with.
    pub(super) working: Mutex<Option<Working>>,
    /// Each (interaction, type) is decided once a request.
    decisions: Mutex<Decisions>,
    pub(super) staged: Vec<Staged>,
    /// The addresses of this server, below which references are to its own resources.
    pub(super) bases: Vec<String>,
    /// Bytes of text that were validated since others had their turn.
    pub(super) validated: AtomicUsize,
    /// What the tenant knows, once it was asked for.
    pub(super) here: KnownHere,
}

impl Session {
    pub(super) fn new(engine: Engine, context: Context) -> Self {
        let bases = engine.settings.bases.clone();
        Session {
            engine,
            context,
            snapshot: Mutex::default(),
            marks: Mutex::default(),
            working: Mutex::default(),
            decisions: Mutex::default(),
            staged: Vec::new(),
            bases,
            validated: AtomicUsize::new(0),
            here: KnownHere::default(),
        }
    }

    /// The addresses of this server, without a slash at the end.
    pub(crate) fn bases(&self) -> &[String] {
        &self.bases
    }

    /// The request came to that address of the server: it is one of its own.
    pub(crate) fn reached_at(&mut self, base: &str) {
        if !base.is_empty() && !self.bases.iter().any(|known| known == base) {
            self.bases.push(base.to_owned());
        }
    }

    /// Who asks, for whom, when.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// How the server behaves where the specification leaves a choice.
    pub fn settings(&self) -> &Settings {
        &self.engine.settings
    }

    /// The time now, by the request's clock.
    pub fn now(&self) -> Millis {
        self.context.clock.now()
    }

    /// An id never given before.
    pub(crate) fn new_id(&self) -> String {
        self.engine.ids.new_id()
    }

    /// The key of page links, different for each database.
    pub(crate) fn page_secret(&self) -> [u8; 32] {
        self.engine.store.secret()
    }

    /// Fails once the request's deadline is over.
    pub(crate) fn check_deadline(&self) -> Result<()> {
        match self.context.deadline {
            Some(deadline) if deadline <= std::time::Instant::now() => Err(Error::new(
                ErrorCode::Timeout,
                "The request was not done in time: nothing of what was left was begun. Send less at once.",
            )),
            _ => Ok(()),
        }
    }

    /// What has been said of what the server offers.
    pub(crate) fn statements(&self) -> &super::Kept {
        &self.engine.statements
    }

    /// The operations that the server offers.
    pub(crate) fn operations(&self) -> &Operations {
        &self.engine.operations
    }

    /// What a request asks the policy for.
    ///
    /// # Errors
    /// It calls an operation that the server does not offer.
    pub(crate) fn access(&self, request: &Request) -> Result<Access> {
        let (interaction, resource_type) = (request.interaction, request.resource_type);
        if interaction != Interaction::Operation {
            return Ok(Access::new(interaction, resource_type));
        }
        let code = request.operation.as_deref().unwrap_or_default();
        match self.operations().find(code) {
            Some(offered) => Ok(Access::of_operation(offered.operation.code(), resource_type)
                .that_changes(offered.affects_state())),
            None => Err(Error::internal("access to an operation that is not offered")),
        }
    }

    /// What the policy lets through for that interaction on that type.
    ///
    /// # Errors
    /// The policy denies it, or cannot decide.
    pub(crate) fn permit(
        &self,
        interaction: Interaction,
        resource_type: Option<ResourceType>,
    ) -> Result<Filter> {
        self.permit_access(&Access::new(interaction, resource_type))
    }

    /// What the policy lets through of what is asked.
    ///
    /// # Errors
    /// The policy denies it, or cannot decide.
    pub(crate) fn permit_access(&self, access: &Access) -> Result<Filter> {
        let question = (access.interaction, access.resource_type, access.operation);
        let mut decisions = self.decisions.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(filter) = decisions.get(&question) {
            return Ok(filter.clone());
        }
        match self.engine.policy.decide(&self.context, access) {
            Ok(Decision::Permit { filter }) => {
                decisions.insert(question, filter.clone());
                Ok(filter)
            }
            Ok(Decision::Deny { reason }) => Err(Error::new(ErrorCode::Forbidden, reason)),
            Ok(Decision::InsufficientScope { needed }) => {
                let text = format!("The access token does not allow this: a scope such as `{needed}` would.");
                Err(Error::new(ErrorCode::InsufficientScope, text))
            }
            Err(cause) => {
                let reason = "Whether you may do this cannot be decided now, so it is refused.";
                Err(Error::new(ErrorCode::Forbidden, reason).with_cause(cause))
            }
        }
    }

    /// The view that all reads of the request share until it commits.
    pub(super) async fn snapshot(&self) -> Result<Arc<dyn Snapshot>> {
        let open = self
            .snapshot
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some(snapshot) = open {
            return Ok(snapshot);
        }
        let snapshot: Arc<dyn Snapshot> = Arc::from(self.engine.store.snapshot(self.context.tenant).await?);
        *self.snapshot.lock().unwrap_or_else(PoisonError::into_inner) = Some(snapshot.clone());
        Ok(snapshot)
    }

    /// Lets the view go: the next read sees the data as it is then.
    pub(super) fn drop_snapshot(&self) {
        *self.snapshot.lock().unwrap_or_else(PoisonError::into_inner) = None;
        *self.marks.lock().unwrap_or_else(PoisonError::into_inner) = None;
        *self.working.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// What the view knows of its moment: asked for once.
    pub(super) async fn marks(&self) -> Result<Marks> {
        let known = *self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(marks) = known {
            return Ok(marks);
        }
        let marks = self.snapshot().await?.marks().await?;
        *self.marks.lock().unwrap_or_else(PoisonError::into_inner) = Some(marks);
        Ok(marks)
    }

    /// The current version, a deletion included; what is staged counts, with the version and time that the commit is
    /// expected to give.
    ///
    /// # Errors
    /// The policy denies reading, or the store failed.
    pub async fn read(&self, key: &Key) -> Result<Option<Version>> {
        let filter = self.permit(Interaction::Read, Some(key.resource_type))?;
        let stored = self.snapshot().await?.read(key, &filter).await?;
        Ok(match self.staged_for(key) {
            Some(staged) => staged.expected(stored, self.now()),
            None => stored,
        })
    }

    /// That version.
    ///
    /// # Errors
    /// The policy denies it, or the store failed.
    pub async fn vread(&self, key: &Key, version: i64) -> Result<Option<Version>> {
        let filter = self.permit(Interaction::Vread, Some(key.resource_type))?;
        self.snapshot().await?.vread(key, version, &filter).await
    }

    /// Versions, newest first. The query's own filter is ANDed with what the caller may see.
    ///
    /// # Errors
    /// The policy denies it, writes are staged and not committed, or the store failed.
    pub async fn history(&self, query: HistoryQuery) -> Result<Vec<Version>> {
        let query = self.filtered_history(query)?;
        self.snapshot().await?.history(&query).await
    }

    /// How many versions the history has in all, at most `limit`.
    ///
    /// # Errors
    /// As [`Session::history`].
    pub async fn history_total(&self, query: HistoryQuery, limit: u64) -> Result<u64> {
        let query = self.filtered_history(query)?;
        self.snapshot().await?.history_total(&query, limit).await
    }

    /// Whether there is or was a resource of which the caller may see the history.
    ///
    /// # Errors
    /// As [`Session::history`].
    pub(crate) async fn has_history(&self, key: &Key) -> Result<bool> {
        let filter = self.permit(Interaction::HistoryInstance, Some(key.resource_type))?;
        Ok(self.snapshot().await?.read(key, &filter).await?.is_some())
    }

    /// Current resources. The query's own filter is ANDed with what the caller may see.
    ///
    /// # Errors
    /// The policy denies it, writes are staged and not committed, or the store failed.
    pub async fn search(&self, query: SearchQuery) -> Result<Vec<Found>> {
        let query = self.filtered_search(query)?;
        self.snapshot().await?.search(&query).await
    }

    /// How many current resources match, at most `limit`.
    ///
    /// # Errors
    /// As [`Session::search`].
    pub async fn search_total(&self, query: SearchQuery, limit: u64) -> Result<u64> {
        let query = self.filtered_search(query)?;
        self.snapshot().await?.search_total(&query, limit).await
    }

    /// What the caller is searching for, with what the policy adds, and how the store answers it.
    ///
    /// # Errors
    /// As [`Session::search`].
    pub(crate) async fn explain(
        &self,
        query: SearchQuery,
        limit: Option<u64>,
    ) -> Result<(Filter, Explanation)> {
        let query = self.filtered_search(query)?;
        let explanation = self.snapshot().await?.explain(&query, limit).await?;
        Ok((query.filter, explanation))
    }

    /// The stamp of the newest change that the session's reads can see.
    ///
    /// # Errors
    /// The store failed.
    pub(crate) async fn high_water_mark(&self) -> Result<i64> {
        Ok(self.marks().await?.newest)
    }

    /// The payload of a claim, if it is held.
    ///
    /// # Errors
    /// The store failed.
    pub async fn claim(&self, kind: &'static str, key: &[u8; 32]) -> Result<Option<Vec<u8>>> {
        self.snapshot().await?.claim(kind, key).await
    }

    fn filtered_history(&self, mut query: HistoryQuery) -> Result<HistoryQuery> {
        self.nothing_staged()?;
        let (interaction, resource_type) = match &query.scope {
            HistoryScope::Instance(key) => (Interaction::HistoryInstance, Some(key.resource_type)),
            HistoryScope::Type(resource_type) => (Interaction::HistoryType, Some(*resource_type)),
            HistoryScope::System => (Interaction::HistorySystem, None),
        };
        query.filter = query.filter.and(self.permit(interaction, resource_type)?);
        Ok(query)
    }

    fn filtered_search(&self, mut query: SearchQuery) -> Result<SearchQuery> {
        self.nothing_staged()?;
        let interaction = match query.resource_type {
            Some(_) => Interaction::SearchType,
            None => Interaction::SearchSystem,
        };
        let seen = self.permit(interaction, query.resource_type)?;
        query.filter = self.guard(query.filter).and(seen);
        Ok(query)
    }

    /// Searches and histories run in the database, which does not know what is staged; so they come after the commit.
    pub(super) fn nothing_staged(&self) -> Result<()> {
        match self.staged.is_empty() {
            true => Ok(()),
            false => Err(Error::internal("a search or history while writes are staged")),
        }
    }

    fn staged_for(&self, key: &Key) -> Option<&Staged> {
        self.staged.iter().find(|s| s.key.as_ref() == Some(key))
    }
}

impl Staged {
    /// The version that the commit is expected to make.
    fn expected(&self, stored: Option<Version>, now: Millis) -> Option<Version> {
        let before = stored.as_ref().map_or(0, |v| v.version);
        let key = self.key.clone()?;
        match (&self.body, stored) {
            (Some(body), stored) => {
                let change = if before == 0 {
                    Change::Create
                } else {
                    Change::Update
                };
                if let Some(same) = stored.filter(|v| v.body.as_ref() == Some(body)) {
                    return Some(same);
                }
                Some(Version::new(
                    key,
                    before + 1,
                    change,
                    i64::MAX,
                    now,
                    Some(body.clone()),
                ))
            }
            (None, Some(v)) if v.change != Change::Delete => {
                Some(Version::new(key, before + 1, Change::Delete, i64::MAX, now, None))
            }
            (None, stored) => stored,
        }
    }
}
