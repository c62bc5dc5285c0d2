//! [`Session`]: one request's way to the data. Reads go through policy, whose filter is part of the query; writes go
//! through policy, validation and stamping into one atomic commit (in `write.rs`).
//!
//! Invariant: no query leaves this file without the filter of the policy's decision for its interaction and type.
//! Invariant: the answer for what the caller may not see is the answer for what does not exist.

use std::collections::HashMap;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, PoisonError};

use super::facts::undecided;
use super::known::KnownHere;
use super::parameters::Working;
use super::provenance::Carried;
use super::renew::Renewal;
use super::replay::Remembered;
use super::trail::Trail;
use super::veil::{absent, mask, masked};
use super::write::Staged;
use super::{Engine, Settings, binary};
use crate::context::{Context, Millis};
use crate::error::{Error, ErrorCode, Result};
use crate::interaction::{Interaction, Request};
use crate::operation::Operations;
use crate::policy::{Access, Decision, Facts, Mask};
use crate::store::{
    Change, Explanation, Filter, Found, HistoryQuery, HistoryScope, Key, Marks, ResourceType, SearchQuery,
    Snapshot, Version,
};

/// Interaction, type, operation, whether it is about the content of a write, and about what another resource carries.
type Question = (
    Interaction,
    Option<ResourceType>,
    Option<&'static str>,
    bool,
    bool,
);
type Decisions = HashMap<Question, Arc<Permitted>>;

/// What the policy permits of an access.
#[derive(Clone, Debug)]
pub(crate) struct Permitted {
    /// which resources
    pub(crate) filter: Filter,
    /// what of them is absent
    pub(crate) masks: Vec<Mask>,
}

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
    pub(super) decisions: Mutex<Decisions>,
    /// What the policy has gathered; `None` until it has.
    pub(super) facts: Mutex<Option<Arc<Facts>>>,
    pub(super) staged: Vec<Staged>,
    /// What the audit trail is to be told.
    pub(super) trail: Mutex<Trail>,
    /// The addresses of this server, below which references are to its own resources.
    pub(super) bases: Vec<String>,
    /// What the next commit is to be remembered by.
    pub(super) remembered: Option<Remembered>,
    /// The Provenance that comes with what is written.
    pub(super) provenance: Option<Carried>,
    /// Bytes of text that were validated since others had their turn.
    pub(super) validated: AtomicUsize,
    /// What the tenant knows, once it was asked for.
    pub(super) here: KnownHere,
    /// Its next commit empties the tenant first.
    pub(super) renewal: Option<Renewal>,
    /// How many resources an emptying took away.
    pub(super) took_away: Option<i64>,
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
            facts: Mutex::default(),
            staged: Vec::new(),
            trail: Mutex::default(),
            bases,
            remembered: None,
            provenance: None,
            validated: AtomicUsize::new(0),
            here: KnownHere::default(),
            renewal: None,
            took_away: None,
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
    pub(crate) fn access(&self, request: &Request) -> Result<Access<'static>> {
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
    pub(crate) fn permit_access(&self, access: &Access<'_>) -> Result<Filter> {
        Ok(self.decide(access)?.filter.clone())
    }

    /// What the policy permits of what is asked.
    ///
    /// # Errors
    /// The policy denies it, or cannot decide.
    pub(super) fn decide(&self, access: &Access<'_>) -> Result<Arc<Permitted>> {
        match binary::is_read(access) {
            true => self.decide_binary(access),
            false => self.decide_alone(access),
        }
    }

    /// The same, of the resource by itself.
    pub(super) fn decide_alone(&self, access: &Access<'_>) -> Result<Arc<Permitted>> {
        self.check_trail(access)?;
        let question = (
            access.interaction,
            access.resource_type,
            access.operation,
            access.content,
            access.carried,
        );
        let Some(facts) = self.facts() else {
            return Err(undecided("the policy has not gathered its facts"));
        };
        let mut decisions = self.decisions.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(permitted) = decisions.get(&question) {
            return Ok(permitted.clone());
        }
        let access = access.with_facts(&facts);
        match self.engine.policy.decide(&self.context, &access) {
            Ok(Decision::Permit { filter, masks, .. }) => {
                let permitted = Arc::new(Permitted { filter, masks });
                decisions.insert(question, permitted.clone());
                Ok(permitted)
            }
            Ok(Decision::Deny { reason }) => Err(Error::new(ErrorCode::Forbidden, reason)),
            Ok(Decision::InsufficientScope { needed }) => {
                let text = format!("The access token does not allow this: a scope such as `{needed}` would.");
                Err(Error::new(ErrorCode::InsufficientScope, text))
            }
            Err(cause) => Err(undecided(cause)),
        }
    }

    /// Where there is an audit trail, AuditEvent is its alone.
    fn check_trail(&self, access: &Access<'_>) -> Result<()> {
        let reads = matches!(
            access.interaction,
            Interaction::Read | Interaction::Vread | Interaction::SearchType | Interaction::Operation
        );
        let is_trail = access.resource_type.is_some_and(|t| t.name() == "AuditEvent");
        match is_trail && !reads && self.is_audited() {
            true => Err(Error::new(
                ErrorCode::MethodNotAllowed,
                "The audit trail is written by the server alone: AuditEvent can be read and searched for.",
            )),
            false => Ok(()),
        }
    }

    /// The same of an interaction on a type.
    pub(super) fn permitted(
        &self,
        interaction: Interaction,
        resource_type: Option<ResourceType>,
    ) -> Result<Arc<Permitted>> {
        self.decide(&Access::new(interaction, resource_type))
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
        let snapshot: Arc<dyn Snapshot> = Arc::from(self.engine.store.snapshot(self.sees()).await?);
        *self.snapshot.lock().unwrap_or_else(PoisonError::into_inner) = Some(snapshot.clone());
        Ok(snapshot)
    }

    /// Lets the view go: the next read sees the data, and decides by it, as it is then.
    pub(super) fn drop_snapshot(&self) {
        *self.snapshot.lock().unwrap_or_else(PoisonError::into_inner) = None;
        *self.marks.lock().unwrap_or_else(PoisonError::into_inner) = None;
        *self.working.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.forget_facts();
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
        self.prepare().await?;
        let seen = self.permitted(Interaction::Read, Some(key.resource_type))?;
        let stored = self.snapshot().await?.read(key, &seen.filter).await?;
        self.has_seen(&stored);
        let version = match self.staged_for(key) {
            Some(staged) => staged.expected(stored, self.now()),
            None => stored,
        };
        let mut version = version.map(|version| masked(version, &seen.masks)).transpose()?;
        self.hush(version.as_mut()).await?;
        Ok(version)
    }

    /// That version.
    ///
    /// # Errors
    /// The policy denies it, or the store failed.
    pub async fn vread(&self, key: &Key, version: i64) -> Result<Option<Version>> {
        self.prepare().await?;
        let seen = self.permitted(Interaction::Vread, Some(key.resource_type))?;
        let snapshot = self.snapshot().await?;
        let version = snapshot.vread(key, version, &seen.filter).await?;
        self.has_seen(&version);
        let versions = version.into_iter().collect();
        let mut versions = self.mask_history(versions, &seen.masks).await?;
        self.hush(&mut versions).await?;
        Ok(versions.pop())
    }

    /// Versions, newest first. The query's own filter is ANDed with what the caller may see.
    ///
    /// # Errors
    /// The policy denies it, writes are staged and not committed, or the store failed.
    pub async fn history(&self, query: HistoryQuery) -> Result<Vec<Version>> {
        let (query, seen) = self.filtered_history(query).await?;
        let versions = self.snapshot().await?.history(&query).await?;
        self.has_seen(&versions);
        let mut versions = self.mask_history(versions, &seen.masks).await?;
        self.hush(&mut versions).await?;
        Ok(versions)
    }

    /// How many versions the history has in all, at most `limit`.
    ///
    /// # Errors
    /// As [`Session::history`].
    pub async fn history_total(&self, query: HistoryQuery, limit: u64) -> Result<u64> {
        let (query, _) = self.filtered_history(query).await?;
        self.snapshot().await?.history_total(&query, limit).await
    }

    /// Whether there is or was a resource of which the caller may see the history.
    ///
    /// # Errors
    /// As [`Session::history`].
    pub(crate) async fn has_history(&self, key: &Key) -> Result<bool> {
        self.prepare().await?;
        let filter = self.permit(Interaction::HistoryInstance, Some(key.resource_type))?;
        Ok(self.snapshot().await?.read(key, &filter).await?.is_some())
    }

    /// Current resources. The query's own filter is ANDed with what the caller may see.
    ///
    /// # Errors
    /// The policy denies it, writes are staged and not committed, or the store failed.
    pub async fn search(&self, query: SearchQuery) -> Result<Vec<Found>> {
        let (query, seen) = self.filtered_search(query).await?;
        let mut found = self.snapshot().await?.search(&query).await?;
        self.has_seen(found.iter().map(|one| &one.version));
        for one in &mut found {
            mask(&mut one.version, &seen.masks)?;
        }
        self.hush(found.iter_mut().map(|one| &mut one.version)).await?;
        Ok(found)
    }

    /// How many current resources match, at most `limit`.
    ///
    /// # Errors
    /// As [`Session::search`].
    pub async fn search_total(&self, query: SearchQuery, limit: u64) -> Result<u64> {
        let (query, _) = self.filtered_search(query).await?;
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
        let (query, seen) = self.filtered_search(query).await?;
        // What the policy adds names patients, and counts are of rows whoever may see them.
        if seen.filter != Filter::All || !seen.masks.is_empty() {
            let text = "How a search is answered is told only to callers from whom nothing is hidden.";
            return Err(Error::new(ErrorCode::Forbidden, text).at("http._explain"));
        }
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

    async fn filtered_history(&self, mut query: HistoryQuery) -> Result<(HistoryQuery, Arc<Permitted>)> {
        self.nothing_staged()?;
        self.prepare().await?;
        let (interaction, resource_type) = match &query.scope {
            HistoryScope::Instance(key) => (Interaction::HistoryInstance, Some(key.resource_type)),
            HistoryScope::Type(resource_type) => (Interaction::HistoryType, Some(*resource_type)),
            HistoryScope::System => (Interaction::HistorySystem, None),
        };
        let seen = self.permitted(interaction, resource_type)?;
        query.filter = self.guard(query.filter, &seen.masks).and(seen.filter.clone());
        Ok((query, seen))
    }

    async fn filtered_search(&self, mut query: SearchQuery) -> Result<(SearchQuery, Arc<Permitted>)> {
        self.nothing_staged()?;
        self.prepare().await?;
        let interaction = match query.resource_type {
            Some(_) => Interaction::SearchType,
            None => Interaction::SearchSystem,
        };
        let seen = self.permitted(interaction, query.resource_type)?;
        query.absent = absent(&query.sort, &seen.masks);
        query.filter = self.guard(query.filter, &seen.masks).and(seen.filter.clone());
        Ok((query, seen))
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
