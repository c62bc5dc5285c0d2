//! [`Task`]: a commit as the writer takes it, with its bodies packed before it waits.

use std::time::Instant;

use crate::context::TenantId;
use crate::store::encoding;
use crate::store::sql::{Draft, Row, RowKey};
use crate::store::{
    AuditEntry, AuditLists, AuditSeal, Claim, Commit, Expect, Filter, Key, ResourceType, StoredBody, Write,
};

/// A commit with its bodies packed: what the writer's queue holds.
#[derive(Debug)]
pub(super) struct Task {
    /// Whose.
    pub(super) tenant: TenantId,
    /// What must hold.
    pub(super) expects: Vec<Condition>,
    /// What to do then.
    pub(super) writes: Vec<Step>,
    deadline: Option<Instant>,
}

/// An [`Expect`].
#[derive(Debug)]
pub(super) enum Condition {
    Version(RowKey, i64),
    Absent(RowKey),
    Visible(RowKey, Filter),
    Matches {
        resource_type: ResourceType,
        filter: Filter,
        ids: Vec<String>,
    },
    Newest(ResourceType, i64),
    Unclaimed(&'static str, [u8; 32]),
    Epoch(ResourceType, i64),
    Note(ResourceType, Option<Vec<u8>>),
}

/// A [`Write`].
#[derive(Debug)]
pub(super) enum Step {
    Empty(&'static [&'static str]),
    Purge(RowKey, Draft),
    Create(RowKey, Row, Draft),
    Update {
        key: RowKey,
        row: Row,
        draft: Draft,
        create: bool,
    },
    Delete(RowKey),
    Index(RowKey, i64, Draft),
    IndexedTo(Option<i64>),
    FullText(bool),
    Claim(Claim),
    Audit(AuditEntry),
    Seal(AuditSeal),
    List(AuditLists),
    Note(ResourceType, Vec<u8>, bool),
}

impl Step {
    /// The type of the definition that it writes, if it does.
    pub(super) fn defines(&self) -> Option<ResourceType> {
        match self {
            Step::Create(key, ..) | Step::Update { key, .. } | Step::Delete(key) | Step::Purge(key, _) => {
                key.defines()
            }
            Step::Empty(_)
            | Step::Index(..)
            | Step::IndexedTo(_)
            | Step::FullText(_)
            | Step::Claim(_)
            | Step::Note(..)
            | Step::Audit(_)
            | Step::Seal(_)
            | Step::List(_) => None,
        }
    }
}

impl Task {
    /// Packs the commit's bodies.
    pub(super) fn new(tenant: TenantId, commit: Commit) -> Self {
        let expects = commit.expects.into_iter().map(condition).collect();
        let writes = commit.writes.into_iter().map(step).collect();
        Task {
            tenant,
            expects,
            writes,
            deadline: commit.deadline,
        }
    }

    /// Whether it only adds rows to the audit trail. Nothing of those can be refused, so they need no savepoint, which costs as much as
    /// the row.
    pub(super) fn only_tells(&self) -> bool {
        self.expects.is_empty() && self.writes.iter().all(|step| matches!(step, Step::Audit(_)))
    }

    /// Whether it takes something away for good.
    pub(super) fn purges(&self) -> bool {
        self.writes.iter().any(|step| matches!(step, Step::Purge(..)))
    }

    /// Whether its time has passed.
    pub(super) fn is_late(&self, now: Instant) -> bool {
        self.deadline.is_some_and(|deadline| deadline <= now)
    }

    /// About how much memory it holds.
    pub(super) fn weight(&self) -> usize {
        let bodies = self.writes.iter().map(|step| match step {
            Step::Create(_, row, draft) | Step::Update { row, draft, .. } => {
                row.packed.bytes.len() + draft.weight()
            }
            Step::Index(_, _, draft) | Step::Purge(_, draft) => draft.weight(),
            Step::Empty(_) | Step::Delete(_) | Step::IndexedTo(_) | Step::FullText(_) | Step::Seal(_) => 0,
            Step::Claim(claim) => claim.payload.len(),
            Step::List(lists) => lists.weight(),
            Step::Audit(entry) => entry.record.len(),
            Step::Note(_, note, _) => note.len(),
        });
        bodies.map(|n| n + 256).sum::<usize>() + 256 * self.expects.len() + 256
    }
}

fn condition(expect: Expect) -> Condition {
    match expect {
        Expect::Version(key, version) => Condition::Version(RowKey::from(&key), version),
        Expect::Absent(key) => Condition::Absent(RowKey::from(&key)),
        Expect::Visible(key, filter) => Condition::Visible(RowKey::from(&key), filter),
        Expect::Matches {
            resource_type,
            filter,
            ids,
        } => Condition::Matches {
            resource_type,
            filter,
            ids,
        },
        Expect::Newest(resource_type, stamp) => Condition::Newest(resource_type, stamp),
        Expect::Unclaimed(kind, key) => Condition::Unclaimed(kind, key),
        Expect::Epoch(resource_type, stamp) => Condition::Epoch(resource_type, stamp),
        Expect::Note(resource_type, note) => Condition::Note(resource_type, note),
    }
}

fn step(write: Write) -> Step {
    let row = |body: StoredBody| Row {
        packed: encoding::pack(&body.json),
        stamp_at: body.stamp_at,
        stamp_form: body.stamp_form,
    };
    let place = |key: Key| RowKey::from(&key);
    match write {
        Write::Empty { keep } => Step::Empty(keep),
        Write::Create { key, body, index } => Step::Create(place(key), row(body), Draft::new(&index)),
        Write::Update {
            key,
            body,
            index,
            create,
        } => Step::Update {
            key: place(key),
            row: row(body),
            draft: Draft::new(&index),
            create,
        },
        Write::Purge { key, earlier } => Step::Purge(place(key), Draft::new(&earlier)),
        Write::Delete { key } => Step::Delete(place(key)),
        Write::Index { key, stamp, index } => Step::Index(place(key), stamp, Draft::new(&index)),
        Write::IndexedTo(stamp) => Step::IndexedTo(stamp),
        Write::FullText(kept) => Step::FullText(kept),
        Write::Claim(claim) => Step::Claim(claim),
        Write::Audit(entry) => Step::Audit(entry),
        Write::Seal(seal) => Step::Seal(seal),
        Write::List(lists) => Step::List(lists),
        Write::Note { of, note, moves } => Step::Note(of, note, moves),
    }
}
