//! A store in memory, for tests: the contract of `store` in its plainest form.
//!
//! Size: the whole contract in its plainest form, to be read at one go.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};

use crate::context::{Clock, Millis, TenantId};
use crate::error::{Error, ErrorCode, Result};
use crate::store::scan::{self, Item, Model};
use crate::store::{
    AuditQuery, AuditRow, AuditSeal, Change, Claim, Commit, ContainedQuery, Epochs, ErasureQuery, Expect,
    Filter, Found, HistoryQuery, HistoryScope, Index, IndexValue, Key, Link, LinkQuery, Marks, Outcome,
    ParameterNumber, Refusal, ResourceType, SearchQuery, Snapshot, Store, StoredBody, Version, Write,
};

/// All versions of one tenant, in the order of their stamps, the rows of the current ones, and its claims.
#[derive(Clone, Default)]
struct Data {
    versions: Vec<Version>,
    rows: HashMap<Key, Index>,
    indexed_to: Option<i64>,
    full_text: bool,
    /// Each with what its owner's had used up with it.
    claims: HashMap<(&'static str, [u8; 32]), (Claim, i64)>,
    trail: Vec<AuditRow>,
    seals: Vec<AuditSeal>,
    epochs: Epochs,
    notes: HashMap<ResourceType, Vec<u8>>,
    /// Stamps of notes count too.
    stamp: i64,
}

/// A store in memory.
pub(crate) struct MemoryStore {
    tenants: Mutex<HashMap<TenantId, Data>>,
    clock: Arc<dyn Clock>,
    secret: [u8; 32],
}

impl MemoryStore {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        let mut secret = [0; 32];
        let (one, other) = secret.split_at_mut(16);
        one.copy_from_slice(uuid::Uuid::new_v4().as_bytes());
        other.copy_from_slice(uuid::Uuid::new_v4().as_bytes());
        MemoryStore {
            tenants: Mutex::default(),
            clock,
            secret,
        }
    }
}

impl Data {
    fn current(&self, key: &Key) -> Option<&Version> {
        self.versions.iter().rev().find(|v| v.key == *key)
    }

    fn live(&self, key: &Key) -> Option<&Version> {
        self.current(key).filter(|v| v.change != Change::Delete)
    }

    fn visible(&self, key: &Key, filter: &Filter) -> Option<&Version> {
        let model = self.model();
        self.current(key).filter(|v| model.admits(filter, &self.item(v)))
    }

    fn item(&self, version: &Version) -> Item {
        Item {
            key: version.key.clone(),
            stamp: version.stamp,
            last_updated: version.last_updated,
            index: self.rows.get(&version.key).cloned().unwrap_or_default(),
        }
    }

    /// The resources that are not deleted, as they are now.
    fn model(&self) -> Model {
        let is_live = |v: &&Version| self.live(&v.key).is_some_and(|live| live.stamp == v.stamp);
        Model(
            self.versions
                .iter()
                .filter(is_live)
                .map(|v| self.item(v))
                .collect(),
        )
    }

    fn claim(&self, kind: &'static str, key: &[u8; 32], now: Millis) -> Option<&Claim> {
        self.claims
            .get(&(kind, *key))
            .map(|(claim, _)| claim)
            .filter(|c| c.expires.is_none_or(|at| at > now))
    }

    fn check(&self, expect: &Expect, now: Millis) -> std::result::Result<(), Option<i64>> {
        let live = |key: &Key| self.live(key).map(|v| v.version);
        match expect {
            Expect::Version(key, wanted) => (live(key) == Some(*wanted)).then_some(()).ok_or(live(key)),
            Expect::Absent(key) => live(key).map_or(Ok(()), |v| Err(Some(v))),
            Expect::Visible(key, filter) => {
                let seen = self.live(key).is_some() && self.visible(key, filter).is_some();
                seen.then_some(()).ok_or(None)
            }
            Expect::Matches {
                resource_type,
                filter,
                ids,
            } => {
                let model = self.model();
                let found = model.search(Some(*resource_type), filter, &[]);
                let mut found: Vec<&String> = found.iter().map(|(item, _)| &item.key.id).collect();
                let mut wanted: Vec<&String> = ids.iter().collect();
                found.sort();
                wanted.sort();
                wanted.dedup();
                (found == wanted).then_some(()).ok_or(None)
            }
            Expect::Newest(resource_type, stamp) => {
                let of_type = self
                    .versions
                    .iter()
                    .rev()
                    .find(|v| v.key.resource_type == *resource_type);
                let newest = of_type.map_or(0, |v| v.stamp);
                (newest == *stamp).then_some(()).ok_or(None)
            }
            Expect::Unclaimed(kind, key) => self.claim(kind, key, now).is_none().then_some(()).ok_or(None),
            Expect::Epoch(resource_type, stamp) => (self.epochs.of(*resource_type) == *stamp)
                .then_some(())
                .ok_or(None),
            Expect::Note(resource_type, note) => (self.notes.get(resource_type) == note.as_ref())
                .then_some(())
                .ok_or(None),
        }
    }

    /// `None` where the write is refused.
    fn write(&mut self, write: Write, now: Millis) -> Option<Outcome> {
        match write {
            Write::Empty { keep } => Some(self.empty(keep)),
            Write::Create { key, body, index } => self
                .current(&key)
                .is_none()
                .then(|| self.push(key, Change::Create, Some((body, index)), now)),
            Write::Update {
                key,
                body,
                index,
                create,
            } => match self.current(&key) {
                None => create.then(|| self.push(key, Change::Create, Some((body, index)), now)),
                Some(v) if v.body.as_ref() == Some(&body) => Some(Outcome::Unchanged {
                    version: v.version,
                    last_updated: v.last_updated,
                }),
                Some(_) => Some(self.push(key, Change::Update, Some((body, index)), now)),
            },
            Write::Delete { key } => match self.live(&key) {
                Some(_) => Some(self.push(key, Change::Delete, None, now)),
                None => Some(Outcome::Absent),
            },
            Write::Purge { key, .. } => Some(self.purge(&key)),
            Write::Index { key, stamp, index } => {
                if self.live(&key).is_some_and(|v| v.stamp == stamp) {
                    self.rows.insert(key, index);
                }
                Some(Outcome::Indexed)
            }
            Write::IndexedTo(stamp) => {
                self.indexed_to = stamp;
                Some(Outcome::Indexed)
            }
            Write::Audit(entry) => {
                let stamp = self.trail.last().map_or(1, |row| row.stamp + 1);
                self.trail.push(AuditRow {
                    stamp,
                    at: now,
                    entry,
                });
                Some(Outcome::Recorded)
            }
            // A row is found by the patients that it tells of.
            Write::List(_) => Some(Outcome::Recorded),
            Write::Seal(seal) => {
                let follows = seal.number == self.seals.last().map_or(1, |last| last.number + 1);
                follows.then(|| self.seals.push(seal))?;
                Some(Outcome::Recorded)
            }
            Write::FullText(kept) => {
                if kept && !self.full_text {
                    self.indexed_to = Some(0);
                }
                self.full_text = kept;
                Some(Outcome::Indexed)
            }
            Write::Claim(claim) => {
                let free = self.claim(claim.kind, &claim.key, now).is_none();
                let used = self.make_room(&claim);
                self.claims.insert((claim.kind, claim.key), (claim, used));
                free.then_some(Outcome::Claimed)
            }
            Write::Note { of, note, moves } => {
                self.notes.insert(of, note);
                if moves {
                    self.stamp += 1;
                    self.epochs.set(of, self.epochs.next(of, self.stamp));
                }
                Some(Outcome::Noted)
            }
        }
    }

    /// Forgets the oldest claims of its owner; what they have used up with it.
    fn make_room(&mut self, claim: &Claim) -> i64 {
        let Some(owner) = claim.owner else { return 0 };
        let is_owners = |c: &Claim| c.kind == claim.kind && c.owner.is_some_and(|o| o.key == owner.key);
        let before = self.claims.values().filter(|(c, _)| is_owners(c));
        let before = before.map(|(_, used)| *used).max().unwrap_or_default();
        let used = before + crate::store::Owner::weight(&claim.payload);
        self.claims
            .retain(|_, (c, was)| !is_owners(c) || *was > used - owner.bytes);
        used
    }

    fn empty(&mut self, keep: &[&str]) -> Outcome {
        let resources = i64::try_from(self.model().0.len()).unwrap_or(i64::MAX);
        self.versions.clear();
        self.rows.clear();
        self.notes.clear();
        self.indexed_to = None;
        self.claims.retain(|(kind, _), _| keep.contains(kind));
        self.stamp += 1;
        self.epochs.empty(self.stamp);
        Outcome::Emptied { resources }
    }

    fn purge(&mut self, key: &Key) -> Outcome {
        let before = self.versions.len();
        self.versions.retain(|version| version.key != *key);
        self.rows.remove(key);
        let versions = before - self.versions.len();
        if versions > 0 {
            self.stamp += 1;
            let of = key.resource_type;
            self.epochs.set(of, self.epochs.next(of, self.stamp));
            if Epochs::is_kept(of) {
                self.epochs.purge(self.stamp);
            }
        }
        Outcome::Purged {
            versions: i64::try_from(versions).unwrap_or(i64::MAX),
        }
    }

    fn push(
        &mut self,
        key: Key,
        change: Change,
        content: Option<(StoredBody, Index)>,
        now: Millis,
    ) -> Outcome {
        let before = self.current(&key).map(|v| (v.version, v.change, v.last_updated));
        let version = before.map_or(1, |(v, ..)| v + 1);
        let last_updated = before.map_or(now, |(.., at)| at.max(now));
        self.stamp += 1;
        let stamp = self.stamp;
        let of = key.resource_type;
        self.epochs.set(of, self.epochs.next(of, stamp));
        let (body, index) = content.unzip();
        // Whoever may know that it was there is judged by what it was.
        if let Some(index) = index {
            self.rows.insert(key.clone(), index);
        }
        self.versions
            .push(Version::new(key, version, change, stamp, last_updated, body));
        match (change, before) {
            (Change::Delete, _) => Outcome::Deleted {
                version,
                last_updated,
            },
            (_, None | Some((_, Change::Delete, _))) => Outcome::Created {
                version,
                last_updated,
            },
            _ => Outcome::Updated {
                version,
                last_updated,
            },
        }
    }

    /// What a search lists, whatever the page.
    fn searched(&self, query: &SearchQuery) -> Vec<Found> {
        let model = self.model();
        let found = model.search_without(query.resource_type, &query.filter, &query.sort, &query.absent);
        let shown = found
            .into_iter()
            .filter(|(item, _)| query.mark.is_none_or(|mark| item.stamp <= mark));
        let found =
            shown.filter_map(|(item, cursor)| Some(Found::new(self.live(&item.key)?.clone(), cursor)));
        found.collect()
    }

    fn linked(&self, query: &LinkQuery) -> Vec<Version> {
        let model = self.model();
        let from = |item: &Item| query.from.contains(&item.key);
        let is_linked = |item: &&Item| match &query.link {
            Link::Forward {
                parameters,
                urls,
                targets,
            } => {
                targets
                    .iter()
                    .any(|(t, filter)| *t == item.key.resource_type && model.admits(filter, item))
                    && model.0.iter().filter(|source| from(source)).any(|source| {
                        let all: Vec<_> = source.index.rows().iter().map(|row| row.parameter).collect();
                        let by = if parameters.is_empty() { &all } else { parameters };
                        match urls.is_empty() {
                            true => scan::refers(source, by, &item.key),
                            false => scan::shares(source, by, item, urls),
                        }
                    })
            }
            Link::Backward {
                parameters,
                urls,
                source,
                filter,
            } => {
                item.key.resource_type == *source
                    && match urls.is_empty() {
                        true => query.from.iter().any(|to| scan::refers(item, parameters, to)),
                        false => model
                            .0
                            .iter()
                            .any(|to| from(to) && scan::shares(item, parameters, to, urls)),
                    }
                    && model.admits(filter, item)
            }
        };
        let found = model.0.iter().rev().filter(is_linked).take(query.count);
        found.filter_map(|item| self.live(&item.key).cloned()).collect()
    }

    fn historic(&self, query: &HistoryQuery) -> Vec<Version> {
        let until = |v: &Version| {
            let next = self
                .versions
                .iter()
                .find(|n| n.key == v.key && n.version == v.version + 1);
            next.map_or(Millis(i64::MAX), |n| n.last_updated)
        };
        let matches = |v: &&Version| {
            let scope = match &query.scope {
                HistoryScope::Instance(key) => v.key == *key,
                HistoryScope::Type(t) => v.key.resource_type == *t,
                HistoryScope::System => true,
            };
            scope
                && self.visible(&v.key, &query.filter).is_some()
                && query.since.is_none_or(|since| v.last_updated >= since)
                && query
                    .at
                    .is_none_or(|(from, to)| v.last_updated <= to && until(v) > from)
        };
        self.versions.iter().rev().filter(matches).cloned().collect()
    }
}

/// How many values a filter compares with.
fn values(filter: &Filter) -> usize {
    match filter {
        Filter::And(all) | Filter::Or(all) => all.iter().map(values).sum(),
        Filter::Not(one) => values(one),
        Filter::Ids(ids) => ids.len(),
        Filter::Types(types) => types.len(),
        _ => 1,
    }
}

/// The state of one tenant at one time.
struct View(Data, Arc<dyn Clock>);

fn now<'a, T: Send + 'a>(value: T) -> BoxFuture<'a, T> {
    ready(value).boxed()
}

impl Snapshot for View {
    fn read<'a>(&'a self, key: &'a Key, filter: &'a Filter) -> BoxFuture<'a, Result<Option<Version>>> {
        now(Ok(self.0.visible(key, filter).cloned()))
    }
    fn vread<'a>(
        &'a self,
        key: &'a Key,
        version: i64,
        filter: &'a Filter,
    ) -> BoxFuture<'a, Result<Option<Version>>> {
        let seen = self.0.visible(key, filter).is_some();
        let found = self
            .0
            .versions
            .iter()
            .find(|v| seen && v.key == *key && v.version == version);
        now(Ok(found.cloned()))
    }
    fn history<'a>(&'a self, query: &'a HistoryQuery) -> BoxFuture<'a, Result<Vec<Version>>> {
        let mut all = self.0.historic(query);
        all.retain(|v| query.before.is_none_or(|before| v.stamp < before));
        all.truncate(query.count);
        now(Ok(all))
    }
    fn history_total<'a>(&'a self, query: &'a HistoryQuery, limit: u64) -> BoxFuture<'a, Result<u64>> {
        now(Ok((self.0.historic(query).len() as u64).min(limit)))
    }
    fn search<'a>(&'a self, query: &'a SearchQuery) -> BoxFuture<'a, Result<Vec<Found>>> {
        if values(&query.filter) > 30_000 {
            return now(Err(Error::new(
                ErrorCode::Value,
                "The search has too many criteria.",
            )));
        }
        if let Err(error) = query.check() {
            return now(Err(error));
        }
        let mut all = self.0.searched(query);
        if let Some(after) = &query.after {
            all.retain(|found| scan::compare(&found.cursor, after, &query.sort).is_gt());
        }
        all.truncate(query.count);
        now(Ok(all))
    }
    fn search_total<'a>(&'a self, query: &'a SearchQuery, limit: u64) -> BoxFuture<'a, Result<u64>> {
        now(Ok((self.0.searched(query).len() as u64).min(limit)))
    }
    fn linked<'a>(&'a self, query: &'a LinkQuery) -> BoxFuture<'a, Result<Vec<Version>>> {
        now(Ok(self.0.linked(query)))
    }
    fn contained<'a>(&'a self, query: &'a ContainedQuery) -> BoxFuture<'a, Result<Vec<(usize, String)>>> {
        let model = self.0.model();
        let mut found = Vec::new();
        for (place, key) in query.containers.iter().enumerate() {
            let container = model.0.iter().find(|item| item.key == *key);
            let container = container.filter(|item| model.admits(&query.visible, item));
            let inside = container.map(|c| model.contained(query.resource_type, &query.filter, c));
            found.extend(inside.unwrap_or_default().into_iter().map(|id| (place, id)));
        }
        found.truncate(query.count);
        now(Ok(found))
    }
    fn explain<'a>(
        &'a self,
        _: &'a SearchQuery,
        _: Option<u64>,
    ) -> BoxFuture<'a, Result<crate::store::Explanation>> {
        let driven_by = "every resource, one after the other".to_owned();
        let explanation = crate::store::Explanation {
            driven_by,
            ..Default::default()
        };
        std::future::ready(Ok(explanation)).boxed()
    }

    fn marks(&self) -> BoxFuture<'_, Result<Marks>> {
        let newest = self.0.versions.last().map_or(0, |v| v.stamp);
        now(Ok(Marks::new(newest, self.0.epochs)))
    }
    fn note(&self, of: ResourceType) -> BoxFuture<'_, Result<Option<Vec<u8>>>> {
        now(Ok(self.0.notes.get(&of).cloned()))
    }
    fn referred<'a>(
        &'a self,
        from: &'a [Key],
        parameters: &'a [ParameterNumber],
        to: ResourceType,
    ) -> BoxFuture<'a, Result<Vec<String>>> {
        let rows = from
            .iter()
            .filter_map(|key| self.0.rows.get(key))
            .flat_map(Index::rows);
        let mut ids: Vec<String> = rows
            .filter(|row| parameters.contains(&row.parameter))
            .filter_map(|row| match &row.value {
                IndexValue::Reference {
                    resource_type, id, ..
                } if *resource_type == to => Some(id.clone()),
                _ => None,
            })
            .collect();
        ids.sort();
        ids.dedup();
        now(Ok(ids))
    }
    fn erasable<'a>(&'a self, query: &'a ErasureQuery) -> BoxFuture<'a, Result<Vec<Key>>> {
        let rows = self.0.rows.iter();
        let is_it = |(key, index): &(&Key, &Index)| {
            self.0
                .current(key)
                .is_some_and(|version| query.finds(version, index))
        };
        let keys = rows.filter(is_it).take(query.count).map(|(key, _)| key.clone());
        now(Ok(keys.collect()))
    }
    fn audit<'a>(&'a self, query: &'a AuditQuery) -> BoxFuture<'a, Result<Vec<AuditRow>>> {
        let mut rows: Vec<AuditRow> = self.0.trail.clone();
        rows.retain(|row| query.tests.iter().all(|test| test.holds(row)));
        if !query.oldest_first {
            rows.reverse();
        }
        rows.truncate(query.count);
        rows.iter_mut().for_each(|row| row.entry.patients.clear());
        now(Ok(rows))
    }
    fn audit_total<'a>(&'a self, query: &'a AuditQuery) -> BoxFuture<'a, Result<u64>> {
        let all = self
            .0
            .trail
            .iter()
            .filter(|row| query.tests.iter().all(|test| test.holds(row)));
        now(Ok(all.count().min(query.count) as u64))
    }
    fn audit_patients(&self, first: i64, last: i64) -> BoxFuture<'_, Result<Vec<(i64, String)>>> {
        let rows = self
            .0
            .trail
            .iter()
            .filter(|row| (first..=last).contains(&row.stamp));
        let mut all: Vec<(i64, String)> = rows
            .flat_map(|row| row.entry.patients.iter().map(|id| (row.stamp, id.clone())))
            .collect();
        all.sort();
        now(Ok(all))
    }
    fn audit_seals(&self, from: Option<i64>, count: usize) -> BoxFuture<'_, Result<Vec<AuditSeal>>> {
        let seals = self.0.seals.iter();
        now(Ok(match from {
            Some(from) => seals
                .filter(|seal| seal.number >= from)
                .take(count)
                .cloned()
                .collect(),
            None => seals.last().cloned().into_iter().collect(),
        }))
    }
    fn claim<'a>(&'a self, kind: &'static str, key: &'a [u8; 32]) -> BoxFuture<'a, Result<Option<Vec<u8>>>> {
        now(Ok(self
            .0
            .claim(kind, key, self.1.now())
            .map(|c| c.payload.clone())))
    }
}

impl Store for MemoryStore {
    fn snapshot(&self, tenant: TenantId) -> BoxFuture<'_, Result<Box<dyn Snapshot>>> {
        let data = self
            .tenants
            .lock()
            .unwrap()
            .get(&tenant)
            .cloned()
            .unwrap_or_default();
        now(Ok(Box::new(View(data, self.clock.clone())) as Box<dyn Snapshot>))
    }

    fn commit(
        &self,
        tenant: TenantId,
        commit: Commit,
    ) -> BoxFuture<'_, std::result::Result<Vec<Outcome>, Refusal>> {
        if commit
            .deadline
            .is_some_and(|deadline| deadline <= std::time::Instant::now())
        {
            return now(Err(Refusal::Failed(Error::new(
                ErrorCode::Unavailable,
                "The server is busy; try again later.",
            ))));
        }
        if let Some(refusal) = commit.misplaced() {
            return now(Err(refusal));
        }
        let mut tenants = self.tenants.lock().unwrap();
        let data = tenants.entry(tenant).or_default();
        for (index, expect) in commit.expects.iter().enumerate() {
            if let Err(current) = data.check(expect, self.clock.now()) {
                return now(Err(Refusal::Expectation { index, current }));
            }
        }
        let mut changed = data.clone();
        let mut outcomes = Vec::new();
        for (index, write) in commit.writes.into_iter().enumerate() {
            let write = match write {
                Write::Claim(mut claim) => {
                    claim.payload = claim.stored(&outcomes);
                    Write::Claim(claim)
                }
                other => other,
            };
            match changed.write(write, self.clock.now()) {
                Some(outcome) => outcomes.push(outcome),
                None => return now(Err(Refusal::Write { index })),
            }
        }
        *data = changed;
        now(Ok(outcomes))
    }

    fn unindexed(&self) -> BoxFuture<'_, Result<Vec<(TenantId, i64)>>> {
        let tenants = self.tenants.lock().unwrap();
        let marks = tenants
            .iter()
            .filter_map(|(tenant, data)| Some((*tenant, data.indexed_to?)));
        now(Ok(marks.collect()))
    }

    fn audited(&self) -> BoxFuture<'_, Result<Vec<TenantId>>> {
        let tenants = self.tenants.lock().unwrap();
        let with_trail = tenants.iter().filter(|(_, data)| !data.trail.is_empty());
        now(Ok(with_trail.map(|(tenant, _)| *tenant).collect()))
    }

    fn full_text(&self) -> BoxFuture<'_, Result<bool>> {
        now(Ok(self
            .tenants
            .lock()
            .unwrap()
            .values()
            .any(|data| data.full_text)))
    }

    fn defining(&self, of: ResourceType) -> BoxFuture<'_, Result<Vec<(TenantId, i64)>>> {
        let tenants = self.tenants.lock().unwrap();
        let epochs = tenants.iter().map(|(tenant, data)| (*tenant, data.epochs.of(of)));
        now(Ok(epochs.filter(|(_, epoch)| *epoch != 0).collect()))
    }

    fn ready(&self) -> BoxFuture<'_, Result<()>> {
        now(Ok::<(), Error>(()))
    }
    fn secret(&self) -> [u8; 32] {
        self.secret
    }
    fn close(&self) -> BoxFuture<'_, ()> {
        now(())
    }
}

mod tests {
    use super::*;
    use crate::store::conformance;

    #[test]
    fn the_store_in_memory_does_what_every_back_end_must() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let ran = runtime.block_on(conformance::run(|clock| {
            std::future::ready(Ok(Arc::new(MemoryStore::new(clock)) as Arc<dyn Store>))
        }));
        if let Err(failures) = ran {
            panic!("{failures}");
        }
    }
}
