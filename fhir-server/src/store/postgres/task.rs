//! [`Task`]: a commit with its bodies packed, as it waits for its turn.

use std::time::Instant;

use crate::context::TenantId;
use crate::store::encoding;
use crate::store::sql::{Draft, Row, RowKey, Term};
use crate::store::{
    AuditEntry, AuditLists, AuditSeal, Claim, Commit, Expect, Filter, Key, ResourceType, StoredBody, Write,
};

/// A commit with its bodies packed.
#[derive(Debug)]
pub(super) struct Task {
    /// Whose.
    pub(super) tenant: TenantId,
    /// Checked first, in order.
    pub(super) expects: Vec<Condition>,
    /// Then written, in order.
    pub(super) writes: Vec<Step>,
    deadline: Option<Instant>,
}

/// An [`Expect`].
#[derive(Debug)]
pub(super) enum Condition {
    /// The current version is that.
    Version(RowKey, i64),
    /// There is no current version.
    Absent(RowKey),
    /// There is one that the filter lets through.
    Visible(RowKey, Filter),
    /// A search finds exactly those.
    Matches {
        resource_type: ResourceType,
        filter: Filter,
        ids: Vec<String>,
    },
    /// The newest change of a type has that stamp.
    Newest(ResourceType, i64),
    /// There is no such claim.
    Unclaimed(&'static str, [u8; 32]),
    /// The newest change of a definition of that type has that stamp.
    Epoch(ResourceType, i64),
    /// That is noted about the definitions of that type.
    Note(ResourceType, Option<Vec<u8>>),
}

/// A [`Write`].
#[derive(Debug)]
pub(super) enum Step {
    /// Nothing is there any more, but claims of those kinds.
    Empty(&'static [&'static str]),
    /// Nothing of a resource is there any more.
    Purge(RowKey, Draft),
    /// A first version.
    Create(RowKey, Row, Draft),
    /// A next version, or a first one where `create` allows it.
    Update {
        /// of what
        key: RowKey,
        /// the content
        row: Row,
        /// what it can be found by
        draft: Draft,
        /// whether it may be the first
        create: bool,
    },
    /// A deletion.
    Delete(RowKey),
    /// The rows of a version with that stamp.
    Index(RowKey, i64, Draft),
    /// Up to which stamp there are rows.
    IndexedTo(Option<i64>),
    /// Whether full text is kept.
    FullText(bool),
    /// A claim.
    Claim(Claim),
    /// A row of the audit trail.
    Audit(AuditEntry),
    /// A seal over such rows.
    Seal(AuditSeal),
    /// see [`Write::List`]
    List(AuditLists),
    /// What is noted about the definitions of a type, and whether its epoch moves.
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
        Task {
            tenant,
            expects: commit.expects.into_iter().map(condition).collect(),
            writes: commit.writes.into_iter().map(step).collect(),
            deadline: commit.deadline,
        }
    }

    /// Whether it has a transaction of its own: terms that others in it would refer to may go with what it purges.
    pub(super) fn stands_alone(&self) -> bool {
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

    /// Whether it depends on when definitions last changed, or moves that.
    pub(super) fn asks_for_epochs(&self) -> bool {
        let moves =
            |step: &Step| step.defines().is_some() || matches!(step, Step::Note(_, _, true) | Step::Empty(_));
        let mut expects = self.expects.iter();
        expects.any(|expect| matches!(expect, Condition::Epoch(..))) || self.writes.iter().any(moves)
    }

    /// The resources that it reads or writes.
    pub(super) fn keys(&self) -> impl Iterator<Item = &RowKey> {
        let expected = self.expects.iter().filter_map(|expect| match expect {
            Condition::Version(key, _) | Condition::Absent(key) | Condition::Visible(key, _) => Some(key),
            Condition::Matches { .. }
            | Condition::Newest(..)
            | Condition::Unclaimed(..)
            | Condition::Epoch(..)
            | Condition::Note(..) => None,
        });
        let written = self.writes.iter().filter_map(|step| match step {
            Step::Create(key, ..)
            | Step::Update { key, .. }
            | Step::Delete(key)
            | Step::Purge(key, _)
            | Step::Index(key, ..) => Some(key),
            Step::Empty(_)
            | Step::Claim(_)
            | Step::IndexedTo(_)
            | Step::FullText(_)
            | Step::Audit(_)
            | Step::Seal(_)
            | Step::List(_)
            | Step::Note(..) => None,
        });
        expected.chain(written)
    }

    /// The resources whose rows it may change.
    pub(super) fn changed(&self) -> impl Iterator<Item = &RowKey> {
        self.writes.iter().filter_map(|step| match step {
            Step::Update { key, .. } | Step::Delete(key) | Step::Index(key, ..) => Some(key),
            Step::Empty(_)
            | Step::Purge(..)
            | Step::Create(..)
            | Step::Claim(_)
            | Step::IndexedTo(_)
            | Step::FullText(_)
            | Step::Audit(_)
            | Step::Seal(_)
            | Step::List(_)
            | Step::Note(..) => None,
        })
    }

    /// The terms of what it writes.
    pub(super) fn terms(&self) -> impl Iterator<Item = &Term> {
        let drafts = self.writes.iter().filter_map(|step| match step {
            Step::Create(_, _, draft)
            | Step::Update { draft, .. }
            | Step::Index(_, _, draft)
            | Step::Purge(_, draft) => Some(draft),
            Step::Empty(_)
            | Step::Delete(_)
            | Step::Claim(_)
            | Step::IndexedTo(_)
            | Step::FullText(_)
            | Step::Audit(_)
            | Step::Seal(_)
            | Step::List(_)
            | Step::Note(..) => None,
        });
        drafts.flat_map(Draft::all_terms)
    }

    /// The claims that it reads or writes.
    pub(super) fn claims(&self) -> impl Iterator<Item = (&'static str, &[u8; 32])> {
        let expected = self.expects.iter().filter_map(|expect| match expect {
            Condition::Unclaimed(kind, key) => Some((*kind, key)),
            _ => None,
        });
        let written = self.writes.iter().filter_map(|step| match step {
            Step::Claim(claim) => Some((claim.kind, &claim.key)),
            _ => None,
        });
        expected.chain(written)
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
        Write::Purge { key, earlier } => Step::Purge(place(key), Draft::new(&earlier)),
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
