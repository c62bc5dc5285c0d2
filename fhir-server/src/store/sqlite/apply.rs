//! One commit inside the writer's transaction: its conditions, then its writes.
//!
//! Invariant: conditions are read in the transaction that writes; no other writer comes between.
//! Invariant: the versions of a resource count 1, 2, 3, … without a gap, and their stamps rise.

mod kept;

use diesel::result::Error as Diesel;

use super::epochs::KnownEpochs;
use super::failure::{self, Class};
use super::link::Link;
use super::snapshot::lists;
use super::task::{Condition, Step, Task};
use super::terms::Terms;
use super::{rows, search};
use crate::context::{Clock, Millis, TenantId};
use crate::error::Error;
use crate::store::sql::{self, CurrentRow, DELETED, Draft, Row, RowKey, Rows};
use crate::store::stamp::{Generator, time_of};
use crate::store::{Change, Filter, Outcome, Refusal, SearchQuery, moves};

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
        if failure::class(&error).loses_transaction() {
            return Stop::Broken(error);
        }
        Stop::Refused(Refusal::Failed(failure::error(error)))
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Stop::Refused(Refusal::Failed(error))
    }
}

impl Stop {
    /// The same, where nothing of the commit can be undone alone.
    fn of_all(self) -> Self {
        match self {
            Stop::Refused(_) => Stop::Broken(Diesel::RollbackTransaction),
            broken => broken,
        }
    }
}

type Applied<T> = Result<T, Stop>;

/// The state of the writer that a commit needs.
pub(super) struct Desk<'a> {
    /// The connection, with the transaction begun.
    pub(super) link: &'a mut Link,
    /// The numbers of terms.
    pub(super) terms: &'a mut Terms,
    /// When definitions last changed.
    pub(super) epochs: &'a mut KnownEpochs,
    /// Makes stamps.
    pub(super) stamps: &'a mut Generator,
    /// Tells the time.
    pub(super) clock: &'a dyn Clock,
}

impl Desk<'_> {
    /// Carries the commit out, or undoes all of it.
    pub(super) fn apply(&mut self, task: &Task) -> Applied<Vec<Outcome>> {
        if task.only_tells() {
            return self.carry_out(task).map_err(Stop::of_all);
        }
        self.link.run(sql::Statement::new("SAVEPOINT task", []))?;
        let result = self.carry_out(task);
        if result.is_err() {
            self.terms.undo();
            self.epochs.undo();
            self.link
                .run(sql::Statement::new("ROLLBACK TO task", []))
                .map_err(Stop::Broken)?;
        }
        self.link
            .run(sql::Statement::new("RELEASE task", []))
            .map_err(Stop::Broken)?;
        result
    }

    fn carry_out(&mut self, task: &Task) -> Applied<Vec<Outcome>> {
        for (index, expect) in task.expects.iter().enumerate() {
            self.check(task.tenant, expect, index)?;
        }
        let mut outcomes = Vec::with_capacity(task.writes.len());
        for (index, step) in task.writes.iter().enumerate() {
            let outcome = self.write(task.tenant, step, (index, &outcomes))?;
            if let Some(resource_type) = step.defines().filter(|_| moves(&outcome)) {
                let stamp = self.stamps.last();
                self.epochs.moved(self.link, task.tenant, resource_type, stamp)?;
            }
            outcomes.push(outcome);
        }
        Ok(outcomes)
    }

    fn check(&mut self, tenant: TenantId, expect: &Condition, index: usize) -> Applied<()> {
        let (holds, current) = match expect {
            Condition::Version(key, version) => {
                let current = self.visible(tenant, key, &Filter::All)?;
                (current == Some(*version), current)
            }
            Condition::Absent(key) => {
                let current = self.visible(tenant, key, &Filter::All)?;
                (current.is_none(), current)
            }
            Condition::Visible(key, filter) => {
                let current = self.visible(tenant, key, filter)?;
                (current.is_some(), current)
            }
            Condition::Matches {
                resource_type,
                filter,
                ids,
            } => {
                let most = ids.len().saturating_add(1);
                let query = SearchQuery::new(Some(*resource_type), filter.clone(), most);
                let found = search::matches(self.link, lists(tenant), &query)?;
                (sql::same_ids(&found, ids), None)
            }
            Condition::Newest(resource_type, stamp) => {
                let newest: Option<i64> = self.link.first(sql::newest(tenant, *resource_type))?;
                (newest.unwrap_or_default() == *stamp, None)
            }
            Condition::Unclaimed(kind, key) => {
                let now = self.clock.now();
                let row: Option<i64> = self.link.first(sql::claimed(tenant, kind, key, now))?;
                (row.is_none(), None)
            }
            Condition::Epoch(resource_type, stamp) => {
                let epochs = self.epochs.of(self.link, tenant)?;
                (epochs.of(*resource_type) == *stamp, None)
            }
            Condition::Note(resource_type, note) => {
                let noted: Option<Option<Vec<u8>>> = self.link.first(sql::note(tenant, *resource_type))?;
                (noted.flatten() == *note, None)
            }
        };
        if holds {
            Ok(())
        } else {
            Err(Stop::Refused(Refusal::Expectation { index, current }))
        }
    }

    fn visible(&mut self, tenant: TenantId, key: &RowKey, filter: &Filter) -> Applied<Option<i64>> {
        Ok(self.link.first(sql::visible(lists(tenant), key, filter)?)?)
    }

    /// `before` are the outcomes of the writes before it.
    fn write(
        &mut self,
        tenant: TenantId,
        step: &Step,
        (index, before): (usize, &[Outcome]),
    ) -> Applied<Outcome> {
        let refused = || Stop::Refused(Refusal::Write { index });
        match step {
            Step::Empty(keep) => self.empty(tenant, keep),
            Step::Create(key, row, draft) => self.create(tenant, key, (row, draft))?.ok_or_else(refused),
            Step::Update {
                key,
                row,
                draft,
                create,
            } => {
                let current: Option<CurrentRow> = self.link.first(sql::current(tenant, key))?;
                match current {
                    Some(current) => self.update(tenant, current, (row, draft)),
                    None if *create => self.create(tenant, key, (row, draft))?.ok_or_else(refused),
                    None => Err(refused()),
                }
            }
            Step::Purge(key, earlier) => self.purge(tenant, key, earlier),
            Step::Delete(key) => self.delete(tenant, key),
            Step::Index(key, stamp, draft) => self.index(tenant, key, *stamp, draft),
            Step::IndexedTo(stamp) => {
                self.link.run(sql::indexed_to(tenant, *stamp))?;
                Ok(Outcome::Indexed)
            }
            Step::FullText(kept) => {
                for statement in sql::keep_full_text(sql::Dialect::Sqlite, *kept) {
                    self.link.run(statement)?;
                }
                Ok(Outcome::Indexed)
            }
            Step::Claim(claim) => self.claim(tenant, claim, before)?.ok_or_else(refused),
            Step::Audit(entry) => self.audit(tenant, entry),
            Step::Seal(seal) => self.seal(tenant, seal)?.ok_or_else(refused),
            Step::List(lists) => self.list(tenant, lists),
            Step::Note(of, note, moves) => {
                self.link.run(sql::set_note(tenant, *of, note))?;
                if *moves {
                    let stamp = self.stamps.next(self.clock);
                    self.epochs.moved(self.link, tenant, *of, stamp)?;
                }
                Ok(Outcome::Noted)
            }
        }
    }

    /// `None` where the id is in use.
    fn create(
        &mut self,
        tenant: TenantId,
        key: &RowKey,
        (row, draft): (&Row, &Draft),
    ) -> Applied<Option<Outcome>> {
        let stamp = self.stamps.next(self.clock);
        match self.link.run(sql::insert(tenant, key, stamp, row)) {
            Ok(_) => {
                self.rows(tenant, |writer| writer.change(stamp, &Rows::default(), draft))?;
                Ok(Some(Outcome::Created {
                    version: 1,
                    last_updated: time_of(stamp),
                }))
            }
            Err(e) if failure::class(&e) == Class::Unique => Ok(None),
            Err(e) => Err(e.into()),
        }
    }

    fn update(
        &mut self,
        tenant: TenantId,
        current: CurrentRow,
        (row, draft): (&Row, &Draft),
    ) -> Applied<Outcome> {
        let (surrogate, version, stamp, change, ..) = current;
        if sql::same_content(current, row) {
            return Ok(Outcome::Unchanged {
                version,
                last_updated: time_of(stamp),
            });
        }
        let (version, last_updated) =
            self.next_version(tenant, surrogate, version, Change::Update, Some(row))?;
        let before = match change {
            DELETED => {
                self.rows(tenant, |writer| writer.unearth(surrogate))?;
                Rows::default()
            }
            _ => rows::of(self.link, tenant, surrogate)?,
        };
        self.rows(tenant, |writer| writer.change(surrogate, &before, draft))?;
        Ok(match change {
            DELETED => Outcome::Created {
                version,
                last_updated,
            },
            _ => Outcome::Updated {
                version,
                last_updated,
            },
        })
    }

    fn delete(&mut self, tenant: TenantId, key: &RowKey) -> Applied<Outcome> {
        let current: Option<CurrentRow> = self.link.first(sql::current(tenant, key))?;
        match current {
            Some((surrogate, version, _, change, ..)) if change != DELETED => {
                let (version, last_updated) =
                    self.next_version(tenant, surrogate, version, Change::Delete, None)?;
                self.rows(tenant, |writer| writer.bury(surrogate))?;
                Ok(Outcome::Deleted {
                    version,
                    last_updated,
                })
            }
            _ => Ok(Outcome::Absent),
        }
    }

    fn index(&mut self, tenant: TenantId, key: &RowKey, of: i64, draft: &Draft) -> Applied<Outcome> {
        let current: Option<CurrentRow> = self.link.first(sql::current(tenant, key))?;
        if let Some((surrogate, _, stamp, change, ..)) = current
            && stamp == of
            && change != DELETED
        {
            let before = rows::of(self.link, tenant, surrogate)?;
            self.rows(tenant, |writer| writer.change(surrogate, &before, draft))?;
        }
        Ok(Outcome::Indexed)
    }

    /// Writes rows, under stamps as surrogates where any are made.
    fn rows(
        &mut self,
        tenant: TenantId,
        write: impl FnOnce(&mut rows::Writer<'_>) -> diesel::QueryResult<()>,
    ) -> Applied<()> {
        let (stamps, clock) = (&mut *self.stamps, self.clock);
        let mut writer = rows::Writer {
            link: self.link,
            terms: self.terms,
            tenant,
            surrogates: &mut || stamps.next(clock),
        };
        Ok(write(&mut writer)?)
    }

    fn next_version(
        &mut self,
        tenant: TenantId,
        surrogate: i64,
        version: i64,
        change: Change,
        row: Option<&Row>,
    ) -> Applied<(i64, Millis)> {
        let stamp = self.stamps.next(self.clock);
        self.link.run(sql::keep(tenant, surrogate, stamp))?;
        self.link
            .run(sql::replace(tenant, surrogate, (version + 1, stamp, change), row))?;
        Ok((version + 1, time_of(stamp)))
    }
}
