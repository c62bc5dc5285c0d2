//! [`Desk`]: decides commits, one after the other, inside one transaction that holds the tenant's row.
//!
//! While that row is held nobody else writes for the tenant. So what the commits are about is fetched once, decided in
//! memory, and written in one go; a later commit sees what an earlier one decided. No savepoint is needed: a commit that is
//! refused has not written anything yet.
//!
//! Invariant: a decision is made on the database's state while the tenant's row is held, with the decisions before it.
//! Invariant: the versions of a resource count 1, 2, 3, … without a gap, and the tenant's stamps rise in the order of its
//! commits, whichever process makes them.

mod claims;
mod empty;
mod kept;
mod purge;

use std::collections::{HashMap, HashSet};

use diesel::result::Error as Diesel;
use futures_util::future::{OptionFuture, join, try_join, try_join_all};

use super::fetch::{Claims, Heads};
use super::head::{Content, Head};
use super::link::Link;
use super::rows::{Known, Ledger};
use super::search;
use super::snapshot::lists;
use super::task::{Condition, Step, Task};
use super::{tenant, trail};
use crate::context::{Clock, Millis, TenantId};
use crate::error::Error;
use crate::store::sql::{self, CurrentRow, DELETED, Draft, Row, RowKey, Rows, Statement, TermKey};
use crate::store::stamp::{Generator, time_of};
use crate::store::{
    AuditEntry, AuditLists, Change, Epochs, Filter, Outcome, Refusal, ResourceType, SearchQuery, moves,
};

/// Why a commit did not go through.
#[derive(Debug)]
pub(super) enum Stop {
    /// Its own fault: the caller is told, its neighbours go on.
    Refused(Refusal),
    /// The transaction is lost.
    Broken(Diesel),
}

impl From<Diesel> for Stop {
    fn from(error: Diesel) -> Self {
        Stop::Broken(error)
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Stop::Refused(Refusal::Failed(error))
    }
}

type Decided<T> = Result<T, Stop>;
type ClaimKey<'j> = (&'j str, &'j [u8; 32]);

/// One transaction's state.
pub(super) struct Desk<'j> {
    link: &'j Link,
    tenant: TenantId,
    now: Millis,
    clock: &'j dyn Clock,
    stamps: Generator,
    last_stamp: i64,
    /// When definitions last changed, with what was decided so far.
    epochs: Epochs,
    heads: HashMap<&'j RowKey, Option<Head<'j>>>,
    /// The claims that stand, and when they run out.
    claims: HashMap<ClaimKey<'j>, Option<Millis>>,
    ledger: Ledger<'j>,
    /// What a refused commit has to take back.
    undo: Undo<'j>,
    statements: Vec<Statement<'j>>,
    trail: Vec<(i64, &'j AuditEntry)>,
    lists: Vec<&'j AuditLists>,
    last_seal: Option<i64>,
    sweeps: bool,
    wrote: bool,
}

#[derive(Default)]
struct Undo<'j> {
    epochs: Epochs,
    statements: usize,
    trail: usize,
    lists: usize,
    seal: Option<i64>,
    heads: Vec<(&'j RowKey, Option<Head<'j>>)>,
    claims: Vec<(ClaimKey<'j>, Option<Option<Millis>>)>,
    rows: Vec<(i64, Option<Rows>)>,
    emptied: Option<empty::Before<'j>>,
}

impl<'j> Desk<'j> {
    /// A desk over a transaction that holds the tenant's row, with stamps above the last one.
    pub(super) fn new(
        link: &'j Link,
        tenant: TenantId,
        clock: &'j dyn Clock,
        known: &'j Known,
        (node, last_stamp): (u16, i64),
    ) -> Self {
        Desk {
            link,
            tenant,
            now: clock.now(),
            clock,
            stamps: Generator::after(node, last_stamp),
            last_stamp,
            epochs: Epochs::default(),
            heads: HashMap::new(),
            claims: HashMap::new(),
            ledger: Ledger::new(tenant, known),
            undo: Undo::default(),
            statements: Vec::new(),
            trail: Vec::new(),
            lists: Vec::new(),
            last_seal: None,
            sweeps: false,
            wrote: false,
        }
    }

    /// Fetches what the tasks are about.
    pub(super) async fn fetch(
        &mut self,
        tasks: impl Iterator<Item = &'j Task> + Clone,
    ) -> Result<(), Diesel> {
        let keys: HashSet<&RowKey> = tasks.clone().flat_map(Task::keys).collect();
        let claims: HashSet<ClaimKey<'_>> = tasks.clone().flat_map(Task::claims).collect();
        if !claims.is_empty() {
            let asked = Claims::new(self.tenant, claims.iter().copied());
            let rows: Vec<(String, Vec<u8>, Option<i64>)> = self.link.rows_of(asked).await?;
            for (kind, key, expires) in rows {
                let found = claims.iter().find(|(k, h)| *k == kind && h.as_slice() == key);
                self.claims
                    .extend(found.map(|claim| (*claim, expires.map(Millis))));
            }
        }
        // They go out together.
        let asks_for_epochs = tasks.clone().any(Task::asks_for_epochs);
        let epochs = OptionFuture::from(asks_for_epochs.then(|| self.link.rows(sql::epochs(self.tenant))));
        let heads = Heads::new(self.tenant, keys.iter().copied());
        let heads = OptionFuture::from((!keys.is_empty()).then(|| self.link.rows_of(heads)));
        let (epochs, heads) = join(epochs, heads).await;
        let epochs: Option<Vec<sql::EpochRow>> = epochs.transpose()?;
        self.epochs = epochs.map(sql::epochs_of).unwrap_or_default();
        for row in heads.transpose()?.unwrap_or_default() {
            let (key, head) = Head::of_row(row);
            self.heads.extend(keys.get(&key).map(|key| (*key, Some(head))));
        }
        let changed: HashSet<&RowKey> = tasks.clone().flat_map(Task::changed).collect();
        let changed = changed.into_iter().filter_map(|key| self.head(key));
        let changed = changed.map(|head| match head.change {
            DELETED => -head.surrogate,
            _ => head.surrogate,
        });
        let changed = changed.collect();
        let terms = tasks.flat_map(Task::terms);
        self.ledger.fetch(self.link, terms, changed).await
    }

    /// Decides a commit: its outcomes, or why it wrote nothing.
    pub(super) async fn decide(&mut self, task: &'j Task) -> Decided<Vec<Outcome>> {
        self.undo = Undo {
            epochs: self.epochs,
            statements: self.statements.len(),
            trail: self.trail.len(),
            lists: self.lists.len(),
            ..Undo::default()
        };
        for (index, expect) in task.expects.iter().enumerate() {
            self.check(expect, index).await?;
        }
        let mut outcomes = Vec::with_capacity(task.writes.len());
        for (index, step) in task.writes.iter().enumerate() {
            match self.write(step, (index, &outcomes)).await {
                Ok(outcome) => outcomes.push(outcome),
                Err(stop) => {
                    self.take_back().await?;
                    return Err(stop);
                }
            }
        }
        Ok(outcomes)
    }

    async fn take_back(&mut self) -> Result<(), Diesel> {
        let undo = std::mem::take(&mut self.undo);
        self.epochs = undo.epochs;
        self.statements.truncate(undo.statements);
        self.trail.truncate(undo.trail);
        self.lists.truncate(undo.lists);
        self.last_seal = undo.seal.or(self.last_seal);
        if let Some(before) = undo.emptied {
            return self.bring_back(before).await;
        }
        for (key, head) in undo.heads.into_iter().rev() {
            self.heads.insert(key, head);
        }
        for (key, claim) in undo.claims.into_iter().rev() {
            match claim {
                Some(claim) => self.claims.insert(key, claim),
                None => self.claims.remove(&key),
            };
        }
        for (resource, rows) in undo.rows.into_iter().rev() {
            self.ledger.reset(resource, rows);
        }
        Ok(())
    }

    /// Sends what was decided so far to the database.
    pub(super) async fn send(&mut self) -> Result<(), Diesel> {
        let statements = std::mem::take(&mut self.statements);
        self.wrote |= !statements.is_empty();
        let mut rows = self.ledger.flush();
        rows.extend(trail::insert(self.tenant, &std::mem::take(&mut self.trail)));
        for lists in std::mem::take(&mut self.lists) {
            rows.extend(trail::list(self.tenant, lists));
        }
        self.wrote |= !rows.is_empty();
        let statements = statements.into_iter().map(|s| self.link.run(s));
        let rows = rows.into_iter().map(|s| self.link.run_of(s));
        try_join(try_join_all(statements), try_join_all(rows)).await?;
        Ok(())
    }

    /// Sends the rest; whether there is anything to commit, and the terms that are made by it.
    pub(super) async fn finish(mut self) -> Result<(bool, Vec<(TermKey, i64)>), Diesel> {
        if self.sweeps {
            self.statements.push(sql::sweep_claims(self.tenant, self.now));
        }
        if self.wrote || !self.statements.is_empty() || !self.trail.is_empty() || !self.lists.is_empty() {
            self.statements
                .push(tenant::set_last_stamp(self.tenant, self.last_stamp));
        }
        self.send().await?;
        Ok((self.wrote, self.ledger.into_fresh()))
    }

    async fn check(&mut self, expect: &'j Condition, index: usize) -> Decided<()> {
        let (holds, current) = match expect {
            Condition::Version(key, version) => {
                let current = self.current(key);
                (current == Some(*version), current)
            }
            Condition::Absent(key) => {
                let current = self.current(key);
                (current.is_none(), current)
            }
            Condition::Visible(key, filter) => {
                let current = self.visible(key, filter).await?;
                (current.is_some(), current)
            }
            Condition::Matches {
                resource_type,
                filter,
                ids,
            } => (self.matches(*resource_type, filter, ids).await?, None),
            Condition::Newest(resource_type, stamp) => (self.newest(*resource_type).await? == *stamp, None),
            Condition::Unclaimed(kind, key) => (!self.is_claimed((kind, key)), None),
            Condition::Epoch(resource_type, stamp) => (self.epochs.of(*resource_type) == *stamp, None),
            Condition::Note(of, note) => (self.noted(*of).await? == *note, None),
        };
        match holds {
            true => Ok(()),
            false => Err(Stop::Refused(Refusal::Expectation { index, current })),
        }
    }

    fn head(&self, key: &RowKey) -> Option<&Head<'j>> {
        self.heads.get(key).and_then(Option::as_ref)
    }

    /// The current version that is no deletion.
    fn current(&self, key: &RowKey) -> Option<i64> {
        self.head(key)
            .filter(|head| head.change != DELETED)
            .map(|head| head.version)
    }

    async fn visible(&mut self, key: &'j RowKey, filter: &'j Filter) -> Decided<Option<i64>> {
        let current = self.current(key);
        if current.is_none() || *filter == Filter::All {
            return Ok(current);
        }
        // The filter is the database's to judge, on what was decided so far.
        let question = sql::visible(lists(self.tenant), key, filter)?;
        self.send().await?;
        self.sent();
        Ok(self.link.first(question).await?)
    }

    async fn matches(
        &mut self,
        resource_type: ResourceType,
        filter: &Filter,
        ids: &[String],
    ) -> Decided<bool> {
        let query = SearchQuery::new(Some(resource_type), filter.clone(), ids.len().saturating_add(1));
        // As above.
        self.send().await?;
        self.sent();
        let found = search::matches(self.link, lists(self.tenant), &query).await?;
        Ok(sql::same_ids(&found, ids))
    }

    /// What was sent cannot be taken back, and belongs to commits that were decided before.
    fn sent(&mut self) {
        self.undo.statements = 0;
        self.undo.trail = 0;
        self.undo.lists = 0;
    }

    /// What is noted about the definitions of a type, as of what was decided so far.
    async fn noted(&mut self, of: ResourceType) -> Decided<Option<Vec<u8>>> {
        self.send().await?;
        self.sent();
        let noted: Option<Option<Vec<u8>>> = self.link.first(sql::note(self.tenant, of)).await?;
        Ok(noted.flatten())
    }

    async fn write(&mut self, step: &'j Step, (index, before): (usize, &[Outcome])) -> Decided<Outcome> {
        let outcome = match step {
            Step::Empty(keep) => Some(self.empty(keep).await?),
            Step::Create(key, row, draft) => self.create(key, (row, draft)),
            Step::Update {
                key,
                row,
                draft,
                create,
            } => match self.head(key).is_some() {
                true => Some(self.update(key, (row, draft)).await?),
                false if *create => self.create(key, (row, draft)),
                false => None,
            },
            Step::Purge(key, earlier) => Some(self.purge(key, earlier).await?),
            Step::Delete(key) => Some(self.delete(key)),
            Step::Index(key, stamp, draft) => Some(self.index(key, *stamp, draft)),
            Step::IndexedTo(stamp) => {
                self.statements.push(sql::indexed_to(self.tenant, *stamp));
                Some(Outcome::Indexed)
            }
            Step::FullText(kept) => {
                self.statements
                    .extend(sql::keep_full_text(sql::Dialect::Postgres, *kept));
                Some(Outcome::Indexed)
            }
            Step::Claim(claim) => self.claim(claim, before),
            Step::Audit(entry) => Some(self.audit(entry)),
            Step::Seal(seal) => self.seal(seal).await?,
            Step::List(lists) => Some(self.list(lists)),
            Step::Note(of, note, moves) => Some(self.note(*of, note, *moves)),
        };
        let outcome = outcome.ok_or(Stop::Refused(Refusal::Write { index }))?;
        if let Some(resource_type) = step.defines().filter(|_| moves(&outcome)) {
            self.move_epoch(resource_type);
        }
        Ok(outcome)
    }

    fn next_stamp(&mut self) -> i64 {
        self.last_stamp = self.stamps.next(self.clock);
        self.last_stamp
    }

    fn set_head(&mut self, key: &'j RowKey, head: Head<'j>) {
        let before = self.heads.insert(key, Some(head)).flatten();
        self.undo.heads.push((key, before));
    }

    fn set_rows(&mut self, resource: i64, draft: Option<&'j Draft>) {
        let (stamps, clock, last) = (&mut self.stamps, self.clock, &mut self.last_stamp);
        let mut surrogates = || {
            *last = stamps.next(clock);
            *last
        };
        // The rows of a deleted resource are kept under its negative surrogate, where no search finds them: by these it is judged who may
        // know that it was there.
        let (rows, buried) = match draft {
            Some(draft) => (self.ledger.rows(draft, &mut surrogates), Rows::default()),
            None => (Rows::default(), self.ledger.of(resource).without_text()),
        };
        for (resource, rows) in [(resource, rows), (-resource, buried)] {
            let before = self.ledger.set(resource, rows);
            self.undo.rows.push((resource, before));
        }
    }

    /// `None` where the id is in use.
    fn create(&mut self, key: &'j RowKey, (row, draft): (&'j Row, &'j Draft)) -> Option<Outcome> {
        if self.head(key).is_some() {
            return None;
        }
        let stamp = self.next_stamp();
        self.statements.push(sql::insert(self.tenant, key, stamp, row));
        self.set_head(key, Head::first(stamp, row));
        self.set_rows(stamp, Some(draft));
        Some(Outcome::Created {
            version: 1,
            last_updated: time_of(stamp),
        })
    }

    async fn update(&mut self, key: &'j RowKey, (row, draft): (&'j Row, &'j Draft)) -> Decided<Outcome> {
        let was_deleted = self.head(key).is_some_and(|head| head.change == DELETED);
        if let Some(unchanged) = self.unchanged(key, row).await? {
            return Ok(unchanged);
        }
        let (version, last_updated) = self.next_version(key, Change::Update, Some((row, draft)));
        Ok(match was_deleted {
            true => Outcome::Created {
                version,
                last_updated,
            },
            false => Outcome::Updated {
                version,
                last_updated,
            },
        })
    }

    /// The outcome where the current content is just that.
    async fn unchanged(&mut self, key: &'j RowKey, row: &Row) -> Decided<Option<Outcome>> {
        let Some(head) = self.head(key) else {
            return Ok(None);
        };
        let unchanged = Outcome::Unchanged {
            version: head.version,
            last_updated: time_of(head.stamp),
        };
        let is_same = match head.compare(row) {
            Some(is_same) => is_same,
            None => {
                let current: Option<CurrentRow> = self.link.first(sql::current(self.tenant, key)).await?;
                current.is_some_and(|current| sql::same_content(current, row))
            }
        };
        Ok(is_same.then_some(unchanged))
    }

    fn delete(&mut self, key: &'j RowKey) -> Outcome {
        if self.current(key).is_none() {
            return Outcome::Absent;
        }
        let (version, last_updated) = self.next_version(key, Change::Delete, None);
        Outcome::Deleted {
            version,
            last_updated,
        }
    }

    fn index(&mut self, key: &RowKey, of: i64, draft: &'j Draft) -> Outcome {
        let current = self
            .head(key)
            .filter(|head| head.stamp == of && head.change != DELETED);
        if let Some(resource) = current.map(|head| head.surrogate) {
            self.set_rows(resource, Some(draft));
        }
        Outcome::Indexed
    }

    /// The next version of what has one.
    fn next_version(
        &mut self,
        key: &'j RowKey,
        change: Change,
        content: Option<(&'j Row, &'j Draft)>,
    ) -> (i64, Millis) {
        let (row, draft) = content.unzip();
        let stamp = self.next_stamp();
        let (surrogate, version) = self
            .head(key)
            .map_or((0, 0), |head| (head.surrogate, head.version));
        self.statements.push(sql::keep(self.tenant, surrogate, stamp));
        self.statements.push(sql::replace(
            self.tenant,
            surrogate,
            (version + 1, stamp, change),
            row,
        ));
        let head = Head {
            surrogate,
            version: version + 1,
            stamp,
            change: sql::change_number(change),
            content: row.map_or(Content::None, Content::Decided),
        };
        self.set_head(key, head);
        self.set_rows(surrogate, draft);
        (version + 1, time_of(stamp))
    }
}
