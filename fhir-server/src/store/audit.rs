//! The audit trail in the store: rows that are only ever added, and the seals over them.
//!
//! A row is written in the transaction of the commit that carries it ([`Write::Audit`](super::Write::Audit)), so that nothing is
//! done that is not told. Its stamp is the store's to give and rises in the order of commits.
//! <https://hl7.org/fhir/R4/auditevent.html> is made of a row when it is read, outside the store.
//!
//! Invariant: no row is ever changed or removed.

use super::ResourceType;
use crate::context::Millis;

/// A row that has not all its places in the lists of its patients yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditWaiting {
    /// The row.
    pub stamp: i64,
    /// The ids of the patients whom it is about.
    pub patients: Vec<String>,
}

/// Places of rows in the lists of their patients: see [`Write::List`](super::Write::List).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditLists {
    /// Stamps of rows, and the ids of patients whom they are about.
    pub places: Vec<(i64, String)>,
    /// The stamps of rows all of whose places there are with these.
    pub listed: Vec<i64>,
}

#[cfg(any(feature = "postgres", feature = "sqlite"))]
impl AuditLists {
    /// About how much memory it holds.
    pub(crate) fn weight(&self) -> usize {
        let ids: usize = self.places.iter().map(|(_, id)| id.len() + 32).sum();
        ids + 8 * self.listed.len()
    }
}

/// What was done, as `AuditEvent.action` tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i16)]
pub enum AuditAction {
    /// `C`
    Create = 1,
    /// `R`
    Read = 2,
    /// `U`
    Update = 3,
    /// `D`
    Delete = 4,
    /// `E`
    Execute = 5,
}

impl AuditAction {
    /// All of them.
    pub const ALL: [AuditAction; 5] = [
        Self::Create,
        Self::Read,
        Self::Update,
        Self::Delete,
        Self::Execute,
    ];

    /// The code of `AuditEvent.action`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Create => "C",
            Self::Read => "R",
            Self::Update => "U",
            Self::Delete => "D",
            Self::Execute => "E",
        }
    }

    /// The action with that number in rows.
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub(crate) fn from_number(number: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|action| *action as i16 == number)
    }
}

/// What is to be kept of one interaction.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuditEntry {
    /// What was done.
    pub action: AuditAction,
    /// The number of `AuditEvent.outcome`: 0, 4, 8 or 12.
    pub outcome: i16,
    /// The number of the interaction.
    pub interaction: i16,
    /// The type, where there is one.
    pub resource_type: Option<ResourceType>,
    /// The resource's id, where it is about one alone.
    pub id: Option<String>,
    /// Who did it, by a stable name.
    pub actor: String,
    /// The ids of the patients it is about; at most one row each.
    pub patients: Vec<String>,
    /// All else, patients included; the store does not look into it.
    pub record: Vec<u8>,
}

impl AuditEntry {
    /// An entry about no resource and no patient.
    pub fn new(action: AuditAction, actor: impl Into<String>, record: Vec<u8>) -> Self {
        AuditEntry {
            action,
            outcome: 0,
            interaction: 0,
            resource_type: None,
            id: None,
            actor: actor.into(),
            patients: Vec::new(),
            record,
        }
    }
}

/// A row of the trail.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuditRow {
    /// Its place in the trail.
    pub stamp: i64,
    /// When it was written.
    pub at: Millis,
    /// What is kept. `patients` is empty: they are in the record.
    pub entry: AuditEntry,
}

impl AuditRow {
    /// For back ends.
    pub fn new(stamp: i64, at: Millis, entry: AuditEntry) -> Self {
        AuditRow { stamp, at, entry }
    }
}

/// A seal over a batch of rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditSeal {
    /// Counts from 1.
    pub number: i64,
    /// The stamp of the first row.
    pub first: i64,
    /// The stamp of the last row.
    pub last: i64,
    /// How many rows.
    pub count: i64,
    /// The root over the rows.
    pub root: [u8; 32],
    /// The hash over this seal and the head before it.
    pub head: [u8; 32],
}

/// A condition on rows.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuditTest {
    /// About one of those patients.
    Patient(Vec<String>),
    /// Done by one of those.
    Actor(Vec<String>),
    /// About one of those resources alone, or about a type.
    Resource(Vec<(ResourceType, Option<String>)>),
    /// One of those actions.
    Action(Vec<AuditAction>),
    /// One of those outcomes.
    Outcome(Vec<i16>),
    /// One of those interactions.
    Interaction(Vec<i16>),
    /// One of those rows.
    Stamp(Vec<i64>),
    /// Between two stamps, both included.
    Between(i64, i64),
    /// Written between two times, both included.
    Written(Millis, Millis),
}

impl AuditTest {
    /// Whether it holds for a row whose patients are in its entry: what a back end answers by that looks at every row.
    pub fn holds(&self, row: &AuditRow) -> bool {
        let entry = &row.entry;
        match self {
            AuditTest::Patient(ids) => ids.iter().any(|id| entry.patients.contains(id)),
            AuditTest::Actor(actors) => actors.contains(&entry.actor),
            AuditTest::Resource(all) => all
                .iter()
                .any(|(of, id)| entry.resource_type == Some(*of) && (id.is_none() || *id == entry.id)),
            AuditTest::Action(actions) => actions.contains(&entry.action),
            AuditTest::Outcome(numbers) => numbers.contains(&entry.outcome),
            AuditTest::Interaction(numbers) => numbers.contains(&entry.interaction),
            AuditTest::Stamp(stamps) => stamps.contains(&row.stamp),
            AuditTest::Between(first, last) => (*first..=*last).contains(&row.stamp),
            AuditTest::Written(from, to) => (*from..=*to).contains(&row.at),
        }
    }
}

/// Which rows.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuditQuery {
    /// All must hold.
    pub tests: Vec<AuditTest>,
    /// From the first row on, not from the newest back.
    pub oldest_first: bool,
    /// At most so many.
    pub count: usize,
}

impl AuditQuery {
    /// The newest rows for which all tests hold.
    pub fn new(tests: Vec<AuditTest>, count: usize) -> Self {
        AuditQuery {
            tests,
            oldest_first: false,
            count,
        }
    }
}
