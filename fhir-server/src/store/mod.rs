//! The storage contract: snapshots to read from, one atomic commit to write.
//!
//! Invariant: a commit carries its preconditions; they are checked inside the same database transaction.
//! Invariant: `filter` of a query is ANDed into every row set that the answer is made from.
//! Only `engine` holds a `Store`; only this folder knows the database library.

mod body;
pub mod conformance;
mod criterion;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod encoding;
mod filter;
mod index;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod open;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod sql;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod stamp;

#[cfg(all(test, feature = "postgres"))]
pub(crate) use postgres::cluster::fresh as postgres_for_tests;

pub use body::{StampForm, StoredBody};
pub use criterion::{Compare, Criterion, SystemTest, Test, UnitTest, ValueKind};
pub use filter::Filter;
pub use index::{Aspect, Index, IndexRow, IndexValue, ParameterNumber};
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub use open::{DatabaseUrl, StoreOptions, backup, migrate, open, restore, schema_version};

use futures_util::future::BoxFuture;

use crate::context::{Millis, TenantId};
use crate::error::Result;

/// The name of an R4 resource type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ResourceType(&'static str);

impl ResourceType {
    /// The type of that name, exactly as the specification writes it.
    pub fn from_name(name: &str) -> Option<Self> {
        let index = fhir_model::Resource::TYPES.binary_search(&name).ok()?;
        fhir_model::Resource::TYPES.get(index).map(|n| ResourceType(n))
    }
    /// Every type of R4, by name.
    pub fn all() -> impl Iterator<Item = ResourceType> {
        fhir_model::Resource::TYPES.iter().copied().map(ResourceType)
    }
    /// The specification's name.
    pub fn name(self) -> &'static str {
        self.0
    }
    /// A small number that stands for it in index rows: its place among R4's types by name, from 1. R4 is frozen.
    pub fn number(self) -> i16 {
        let index = fhir_model::Resource::TYPES
            .binary_search(&self.0)
            .unwrap_or_default();
        i16::try_from(index + 1).unwrap_or(i16::MAX)
    }
    /// The type that number stands for.
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub(crate) fn from_number(number: i16) -> Option<Self> {
        let index = usize::try_from(number).ok()?.checked_sub(1)?;
        fhir_model::Resource::TYPES.get(index).map(|n| ResourceType(n))
    }
    /// How many types there are, which is the greatest number of one.
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub(crate) fn count() -> i16 {
        i16::try_from(fhir_model::Resource::TYPES.len()).unwrap_or(i16::MAX)
    }
}

/// Type and id of a resource.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// The type.
    pub resource_type: ResourceType,
    /// The logical id.
    pub id: String,
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.resource_type.name(), self.id)
    }
}

/// What made a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// POST, or PUT to a new id.
    Create,
    /// PUT, or a restore after deletion.
    Update,
    /// DELETE; such a version has no body.
    Delete,
}

/// One version of a resource as stored.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Version {
    /// Type and id.
    pub key: Key,
    /// Counts from 1 for each resource.
    pub version: i64,
    /// When it was written; never earlier than the version before.
    pub last_updated: Millis,
    /// What made it.
    pub change: Change,
    /// The content; `None` for a deletion.
    pub body: Option<StoredBody>,
    /// Its place in the order of all changes of the tenant: unique and rising. Opaque: for paging only.
    pub stamp: i64,
}

impl Version {
    /// For back ends.
    pub fn new(
        key: Key,
        version: i64,
        change: Change,
        stamp: i64,
        at: Millis,
        body: Option<StoredBody>,
    ) -> Self {
        Version {
            key,
            version,
            last_updated: at,
            change,
            body,
            stamp,
        }
    }
}

/// One write of a commit. The store assigns version and time.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Write {
    /// A new resource under an id that the server made; a conflict with an existing id is an error.
    Create {
        /// Type and new id.
        key: Key,
        /// The content.
        body: StoredBody,
    },
    /// A new version of a resource, or its first under that id where `create` allows it.
    Update {
        /// Type and id.
        key: Key,
        /// The content; equal to the current one means no new version.
        body: StoredBody,
        /// Whether an id never used before may be created so.
        create: bool,
    },
    /// A deletion; nothing happens where there is nothing.
    Delete {
        /// Type and id.
        key: Key,
    },
    /// A row that only one can hold: conditional keys, token ids, replies, the load ledger.
    Claim(Claim),
}

#[cfg(any(feature = "postgres", feature = "sqlite"))]
impl Write {
    /// How many bytes of content it brings.
    pub(crate) fn body_len(&self) -> usize {
        match self {
            Write::Create { body, .. } | Write::Update { body, .. } => body.json.len(),
            Write::Delete { .. } => 0,
            Write::Claim(claim) => claim.payload.len(),
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
}

impl Claim {
    /// A claim that never expires.
    pub fn new(kind: &'static str, key: [u8; 32], payload: Vec<u8>) -> Self {
        Claim {
            kind,
            key,
            expires: None,
            payload,
        }
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
    /// The claim row does not exist yet.
    Unclaimed(&'static str, [u8; 32]),
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
}

/// Which versions a history lists, newest first.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct HistoryQuery {
    /// All versions of a resource, of a type, or of the tenant.
    pub scope: HistoryScope,
    /// Only versions written at or after.
    pub since: Option<Millis>,
    /// Only versions that were current at some time of this span (first and last millisecond).
    pub at: Option<(Millis, Millis)>,
    /// Only versions with a smaller stamp (the last one of the page before).
    pub before: Option<i64>,
    /// How many at most.
    pub count: usize,
    /// What the caller may see.
    pub filter: Filter,
}

impl HistoryQuery {
    /// The newest `count` versions of the scope that the filter lets through.
    pub fn new(scope: HistoryScope, count: usize, filter: Filter) -> Self {
        HistoryQuery {
            scope,
            since: None,
            at: None,
            before: None,
            count,
            filter,
        }
    }
}

/// What a history is of.
#[derive(Clone, Debug)]
pub enum HistoryScope {
    /// One resource.
    Instance(Key),
    /// One type.
    Type(ResourceType),
    /// Everything of the tenant.
    System,
}

/// Which current resources a search lists, in the order of `(stamp)` rising or falling.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SearchQuery {
    /// The type; `None` is every type.
    pub resource_type: Option<ResourceType>,
    /// Criteria and what the caller may see, ANDed.
    pub filter: Filter,
    /// Oldest change first instead of newest first.
    pub ascending: bool,
    /// Continue after the row with that stamp.
    pub after: Option<i64>,
    /// Leave out rows changed after that stamp (the high-water mark of the first page).
    pub mark: Option<i64>,
    /// How many at most.
    pub count: usize,
}

impl SearchQuery {
    /// The newest `count` resources that the filter lets through.
    pub fn new(resource_type: Option<ResourceType>, filter: Filter, count: usize) -> Self {
        SearchQuery {
            resource_type,
            filter,
            ascending: false,
            after: None,
            mark: None,
            count,
        }
    }
}

/// A consistent view of one tenant's data.
pub trait Snapshot: Send + Sync {
    /// The current version, a deletion included; `None` where there never was one or the filter hides it.
    fn read<'a>(&'a self, key: &'a Key, filter: &'a Filter) -> BoxFuture<'a, Result<Option<Version>>>;
    /// That version; `None` where there is none or the filter hides the resource.
    fn vread<'a>(
        &'a self,
        key: &'a Key,
        version: i64,
        filter: &'a Filter,
    ) -> BoxFuture<'a, Result<Option<Version>>>;
    /// Versions, newest first.
    fn history<'a>(&'a self, query: &'a HistoryQuery) -> BoxFuture<'a, Result<Vec<Version>>>;
    /// How many versions the history has in all, `before` and `count` left aside, at most `limit`.
    fn history_total<'a>(&'a self, query: &'a HistoryQuery, limit: u64) -> BoxFuture<'a, Result<u64>>;
    /// Current resources.
    fn search<'a>(&'a self, query: &'a SearchQuery) -> BoxFuture<'a, Result<Vec<Version>>>;
    /// How many current resources match, `after` and `count` left aside, at most `limit`.
    fn search_total<'a>(&'a self, query: &'a SearchQuery, limit: u64) -> BoxFuture<'a, Result<u64>>;
    /// The stamp of the newest change in this view.
    fn high_water_mark(&self) -> BoxFuture<'_, Result<i64>>;
    /// Whether the claim row exists, with its payload.
    fn claim<'a>(&'a self, kind: &'static str, key: &'a [u8; 32]) -> BoxFuture<'a, Result<Option<Vec<u8>>>>;
}

/// A database of resources.
pub trait Store: Send + Sync {
    /// A consistent view of that tenant's data as of now.
    fn snapshot(&self, tenant: TenantId) -> BoxFuture<'_, Result<Box<dyn Snapshot>>>;
    /// Writes all or nothing; one outcome a write. Once it answers `Ok`, the writes survive a power failure.
    fn commit(
        &self,
        tenant: TenantId,
        commit: Commit,
    ) -> BoxFuture<'_, std::result::Result<Vec<Outcome>, Refusal>>;
    /// Whether the database answers and takes writes.
    fn ready(&self) -> BoxFuture<'_, Result<()>>;
    /// A secret of the database's own, made once, for signing page links.
    fn secret(&self) -> [u8; 32];
    /// Waits for running writes, then lets go of the database.
    fn close(&self) -> BoxFuture<'_, ()>;
}
