//! [`Commit`]: one atomic unit of writing with its conditions, what came of it, or why it was refused.
//!
//! Invariant: the conditions are checked inside the transaction that writes.

use super::{AuditEntry, AuditLists, AuditSeal, Filter, Index, Key, ResourceType, StoredBody};
use crate::context::Millis;

/// One write of a commit. The store assigns version and time.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Write {
    /// Nothing that the tenant held is there any more: no resource, version, note or claim, but for claims of the kinds named. It stands
    /// first in its commit, and what follows finds an empty tenant. The audit trail stays; stamps and epochs go on rising.
    Empty {
        /// Kinds of claims that stay.
        keep: &'static [&'static str],
    },
    /// A new resource under an id that the server made; a conflict with an existing id is an error.
    Create {
        /// Type and new id.
        key: Key,
        /// The content.
        body: StoredBody,
        /// What it can be found by.
        index: Index,
    },
    /// A new version of a resource, or its first under that id where `create` allows it.
    Update {
        /// Type and id.
        key: Key,
        /// The content; equal to the current one means no new version.
        body: StoredBody,
        /// What it can be found by.
        index: Index,
        /// Whether an id never used before may be created so.
        create: bool,
    },
    /// A deletion; nothing happens where there is nothing.
    Delete {
        /// Type and id.
        key: Key,
    },
    /// Nothing of a resource is there any more: no version, nothing that it could be found by, and no text that nothing else is found by; its
    /// id is as never used. What refers to it stays. Such writes stand first in their commit, and beside them only claims and rows of the
    /// audit trail.
    Purge {
        /// Type and id.
        key: Key,
        /// What its earlier versions could be found by, as far as it is known: rows of theirs are gone already, texts of theirs may be kept.
        earlier: Index,
    },
    /// What a version can be found by that was written before, if it still is the current one; otherwise nothing.
    Index {
        /// Type and id.
        key: Key,
        /// The version's stamp.
        stamp: i64,
        /// What it can be found by.
        index: Index,
    },
    /// The tenant's resources up to that stamp can be found by what they hold; `None`: all of them. See [`reindex`](super::reindex).
    IndexedTo(Option<i64>),
    /// Full text is kept of all resources from now on, or no more. Where it was not, all resources of all tenants are to be indexed anew.
    FullText(bool),
    /// A row that only one can hold: conditional keys, token ids, replies, the load ledger.
    Claim(Claim),
    /// A row of the audit trail.
    Audit(AuditEntry),
    /// A seal over rows of the audit trail; refused where its number does not follow the last one's.
    Seal(AuditSeal),
    /// Brings rows of the audit trail that [wait](super::Snapshot::audit_waiting) into the lists of their patients. Places that there are
    /// already stay.
    List(AuditLists),
    /// What the server itself has worked out about the definitions of a type, in the place of what it noted before.
    Note {
        /// the type
        of: ResourceType,
        /// in a form of the server's own
        note: Vec<u8>,
        /// whether the type's epoch moves, so that whoever goes by the note looks at it again
        moves: bool,
    },
}

#[cfg(any(feature = "postgres", feature = "sqlite"))]
impl Write {
    /// How many bytes of content it brings.
    pub(crate) fn body_len(&self) -> usize {
        match self {
            Write::Create { body, .. } | Write::Update { body, .. } => body.json.len(),
            Write::Empty { .. }
            | Write::Delete { .. }
            | Write::Purge { .. }
            | Write::Index { .. }
            | Write::IndexedTo(_)
            | Write::FullText(_) => 0,
            Write::Claim(claim) => claim.payload.len(),
            Write::Audit(entry) => entry.record.len(),
            Write::Seal(_) | Write::List(_) => 0,
            Write::Note { note, .. } => note.len(),
        }
    }
}

/// A row that only one can hold: (tenant, kind, key).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Claim {
    /// What it is for, such as `load`.
    pub kind: &'static str,
    /// SHA-256 or other strong hash of what is claimed.
    pub key: [u8; 32],
    /// When it may be forgotten.
    pub expires: Option<Millis>,
    /// A few bytes of the claimer's own.
    pub payload: Vec<u8>,
    /// Whether what the commit's writes before it did is kept behind the payload, in the form of [`Outcome::kept`].
    pub outcomes: bool,
    /// Whose it is, where claims of one owner are bounded together.
    pub owner: Option<Owner>,
}

/// Whose a claim is. A claim is forgotten once the later claims of its kind that the same owner has count `bytes` or more, each with the
/// bytes that are stored of it and [`Owner::ROW`] more: with the commit of the one by which it comes to that, which says how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    /// SHA-256 or other strong hash of who it is.
    pub key: [u8; 32],
    /// How many bytes later claims may count, at least 1.
    pub bytes: i64,
}

impl Owner {
    /// What a claim counts beside its payload: about what a row takes.
    pub const ROW: i64 = 128;

    /// For back ends: what a claim counts of which so much is stored.
    pub fn weight(stored: &[u8]) -> i64 {
        i64::try_from(stored.len())
            .unwrap_or(i64::MAX)
            .saturating_add(Self::ROW)
    }
}

impl Claim {
    /// A claim that never expires.
    pub fn new(kind: &'static str, key: [u8; 32], payload: Vec<u8>) -> Self {
        Claim {
            kind,
            key,
            expires: None,
            payload,
            outcomes: false,
            owner: None,
        }
    }

    /// For back ends: what is stored of it, after writes with those outcomes.
    pub fn stored(&self, before: &[Outcome]) -> Vec<u8> {
        let mut payload = self.payload.clone();
        if self.outcomes {
            payload.extend(before.iter().flat_map(Outcome::kept));
        }
        payload
    }
}

/// A condition that must hold inside the transaction of a commit.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Expect {
    /// The resource's current version is this one (`If-Match`).
    Version(Key, i64),
    /// There is no current version: never created, or deleted (`If-None-Match: *`).
    Absent(Key),
    /// There is a current version that the filter lets through; otherwise the caller sees `NotFound`.
    Visible(Key, Filter),
    /// The current resources of the type that the filter lets through are exactly those: what a conditional interaction found
    /// before (<https://hl7.org/fhir/R4/http.html#cond-update>).
    Matches {
        /// their type
        resource_type: ResourceType,
        /// what they match
        filter: Filter,
        /// their ids, in any order; at most one more row than these is read
        ids: Vec<String>,
    },
    /// The newest change of a resource of the type has that stamp, or there is none and it is 0.
    Newest(ResourceType, i64),
    /// The claim row does not exist yet.
    Unclaimed(&'static str, [u8; 32]),
    /// The newest change of a definition of that type has that stamp: see [`Epochs`](super::Epochs).
    Epoch(ResourceType, i64),
    /// That is what is noted about the definitions of a type.
    Note(ResourceType, Option<Vec<u8>>),
}

/// What a write did.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// A first version, or the first after a deletion.
    Created {
        /// its version
        version: i64,
        /// its time
        last_updated: Millis,
    },
    /// A further version.
    Updated {
        /// its version
        version: i64,
        /// its time
        last_updated: Millis,
    },
    /// The content was equal to the current version's: nothing was written.
    Unchanged {
        /// the current version
        version: i64,
        /// its time
        last_updated: Millis,
    },
    /// A deletion was written.
    Deleted {
        /// the version of the deletion
        version: i64,
        /// its time
        last_updated: Millis,
    },
    /// There was nothing to delete, or it was deleted already.
    Absent,
    /// The claim row was written.
    Claimed,
    /// What was said of the index is so.
    Indexed,
    /// The row of the audit trail was written, or the seal.
    Recorded,
    /// It is noted.
    Noted,
    /// The tenant holds nothing any more.
    Emptied {
        /// how many current resources there were
        resources: i64,
    },
    /// Nothing of the resource is there any more.
    Purged {
        /// how many versions there were, deletions included; 0 where there never was such a resource
        versions: i64,
    },
}

impl Outcome {
    /// How long the kept form is.
    pub const KEPT: usize = 17;

    /// A short form to keep: what was done, version and time.
    pub fn kept(&self) -> [u8; Self::KEPT] {
        let (what, version, at) = match self {
            Outcome::Created {
                version,
                last_updated,
            } => (1, *version, last_updated.0),
            Outcome::Updated {
                version,
                last_updated,
            } => (2, *version, last_updated.0),
            Outcome::Unchanged {
                version,
                last_updated,
            } => (3, *version, last_updated.0),
            Outcome::Deleted {
                version,
                last_updated,
            } => (4, *version, last_updated.0),
            Outcome::Absent => (5, 0, 0),
            Outcome::Claimed => (6, 0, 0),
            Outcome::Indexed => (7, 0, 0),
            Outcome::Recorded => (8, 0, 0),
            Outcome::Noted => (9, 0, 0),
            Outcome::Emptied { resources } => (10, *resources, 0),
            Outcome::Purged { versions } => (11, *versions, 0),
        };
        let mut kept = [what; Self::KEPT];
        let bytes = version.to_be_bytes().into_iter().chain(at.to_be_bytes());
        for (place, byte) in kept.iter_mut().skip(1).zip(bytes) {
            *place = byte;
        }
        kept
    }

    /// What was kept; `None` where it is none of that form.
    pub fn of_kept(kept: &[u8]) -> Option<Outcome> {
        let (what, rest) = kept.split_first()?;
        let (version, at) = rest.split_at_checked(8)?;
        let version = i64::from_be_bytes(version.try_into().ok()?);
        let last_updated = Millis(i64::from_be_bytes(at.try_into().ok()?));
        Some(match what {
            1 => Outcome::Created {
                version,
                last_updated,
            },
            2 => Outcome::Updated {
                version,
                last_updated,
            },
            3 => Outcome::Unchanged {
                version,
                last_updated,
            },
            4 => Outcome::Deleted {
                version,
                last_updated,
            },
            5 => Outcome::Absent,
            6 => Outcome::Claimed,
            7 => Outcome::Indexed,
            8 => Outcome::Recorded,
            9 => Outcome::Noted,
            10 => Outcome::Emptied { resources: version },
            11 => Outcome::Purged { versions: version },
            _ => return None,
        })
    }
}

/// Why a commit wrote nothing.
#[derive(Debug)]
#[non_exhaustive]
pub enum Refusal {
    /// The condition with that index in `expects` does not hold; the current version where there is one.
    Expectation {
        /// index into the commit's `expects`
        index: usize,
        /// the version that is there now
        current: Option<i64>,
    },
    /// The write with that index in `writes` met an id in use (`Create`) or an unknown one (`Update` without `create`),
    /// or a claim held by another.
    Write {
        /// index into the commit's `writes`
        index: usize,
    },
    /// The database failed.
    Failed(crate::error::Error),
}

/// One atomic unit of writing.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Commit {
    /// Checked first, inside the transaction.
    pub expects: Vec<Expect>,
    /// Written in order; at most one a resource.
    pub writes: Vec<Write>,
    /// A commit that still waits by then is refused as busy, and writes nothing.
    pub deadline: Option<std::time::Instant>,
}

impl Commit {
    /// Those writes, if those conditions hold.
    pub fn new(expects: Vec<Expect>, writes: Vec<Write>) -> Self {
        Commit {
            expects,
            writes,
            deadline: None,
        }
    }

    /// For back ends: the refusal of a commit that empties the tenant after another write, or purges beside what it may not stand beside.
    pub fn misplaced(&self) -> Option<Refusal> {
        let is_purge = |write: &&Write| matches!(write, Write::Purge { .. });
        let purges = self.writes.iter().take_while(is_purge).count();
        let may_follow = |write: &Write| match purges {
            0 => !matches!(write, Write::Empty { .. } | Write::Purge { .. }),
            _ => matches!(write, Write::Audit(_) | Write::Claim(_)),
        };
        let mut others = self.writes.iter().enumerate().skip(purges.max(1));
        let index = others.find(|(_, write)| !may_follow(write))?.0;
        Some(Refusal::Write { index })
    }
}
