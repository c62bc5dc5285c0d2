//! The storage contract: snapshots to read from, one atomic commit to write.
//!
//! Invariant: a commit carries its preconditions; they are checked inside the same database transaction.
//! Invariant: `filter` of a query is ANDed into every row set that the answer is made from.
//! Only `engine` holds a `Store`; only this folder knows the database library.

mod audit;
mod body;
mod commit;
pub mod conformance;
mod criterion;
mod cursor;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod encoding;
mod epoch;
mod explain;
mod filter;
mod id;
mod index;
mod key;
mod number;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod open;
mod passage;
#[cfg(feature = "postgres")]
mod postgres;
mod query;
mod reindex;
pub mod scan;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod sql;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod stamp;
mod version;

#[cfg(all(test, feature = "postgres"))]
pub(crate) use postgres::cluster::fresh as postgres_for_tests;

pub use audit::{
    AuditAction, AuditEntry, AuditLists, AuditQuery, AuditRow, AuditSeal, AuditTest, AuditWaiting,
};
pub use body::{StampForm, StoredBody};
pub use commit::{Claim, Commit, Expect, Outcome, Owner, Refusal, Write};
pub use criterion::{Compare, Criterion, SystemTest, Test, UnitTest, ValueKind};
pub use cursor::Cursor;
pub(crate) use cursor::Place;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) use epoch::moves;
pub use epoch::{DEFINITIONS, Epochs, Marks};
pub use explain::{Asked, Explanation};
pub use filter::Filter;
pub use index::{Aspect, Contained, Index, IndexRow, IndexValue, ParameterNumber};
pub use key::{Key, ResourceType, is_id};
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub use open::{DatabaseUrl, StoreOptions, backup, migrate, open, restore, schema_version};
pub use passage::{GAP, MAX_PHRASE, Passage, Section};
pub use query::{
    ContainedQuery, Erasable, ErasureQuery, Found, HistoryQuery, HistoryScope, Link, LinkQuery, MAX_SORTS,
    SORTED_BYTES, SearchQuery, Sort, SortKey,
};
pub use reindex::{Extract, reindex};
pub(crate) use version::tag as version_tag;
pub use version::{Change, Version};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::context::TenantId;
use crate::error::{Error, ErrorCode, Result};

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
    fn search<'a>(&'a self, query: &'a SearchQuery) -> BoxFuture<'a, Result<Vec<Found>>>;
    /// How many current resources match, `after` and `count` left aside, at most `limit`.
    fn search_total<'a>(&'a self, query: &'a SearchQuery, limit: u64) -> BoxFuture<'a, Result<u64>>;
    /// Current resources that are linked to some, each once, newest change first.
    fn linked<'a>(&'a self, query: &'a LinkQuery) -> BoxFuture<'a, Result<Vec<Version>>>;
    /// What some resources contain that passes: the place of the container in the query, and the id within it.
    fn contained<'a>(&'a self, query: &'a ContainedQuery) -> BoxFuture<'a, Result<Vec<(usize, String)>>>;
    /// Resources that may have to be taken away for good, deleted ones among them: see [`Write::Purge`]. A store that does not tell says so.
    fn erasable<'a>(&'a self, query: &'a ErasureQuery) -> BoxFuture<'a, Result<Vec<Key>>> {
        let _ = query;
        let text = "This store does not take resources away for good.";
        Box::pin(async move { Err(Error::new(ErrorCode::NotSupported, text)) })
    }
    /// How that page is answered, and its total up to `limit` where one is given. A store that does not tell says so.
    fn explain<'a>(
        &'a self,
        query: &'a SearchQuery,
        limit: Option<u64>,
    ) -> BoxFuture<'a, Result<Explanation>> {
        let _ = (query, limit);
        let text = "This store does not tell how it answers searches.";
        Box::pin(async move { Err(Error::new(ErrorCode::NotSupported, text)) })
    }
    /// The newest change in this view, and when definitions last changed: one question for both.
    fn marks(&self) -> BoxFuture<'_, Result<Marks>>;
    /// What the server has noted about the definitions of that type: see [`Write::Note`].
    fn note(&self, of: ResourceType) -> BoxFuture<'_, Result<Option<Vec<u8>>>>;
    /// The stamp of the newest change in this view.
    fn high_water_mark(&self) -> BoxFuture<'_, Result<i64>> {
        async move { Ok(self.marks().await?.newest) }.boxed()
    }
    /// Whether the claim row exists, with its payload.
    fn claim<'a>(&'a self, kind: &'static str, key: &'a [u8; 32]) -> BoxFuture<'a, Result<Option<Vec<u8>>>>;
    /// The ids of the resources of the type `to` that those resources refer to by those parameters, whether they are stored or
    /// not; none twice.
    fn referred<'a>(
        &'a self,
        from: &'a [Key],
        parameters: &'a [ParameterNumber],
        to: ResourceType,
    ) -> BoxFuture<'a, Result<Vec<String>>>;
    /// Rows of the audit trail.
    fn audit<'a>(&'a self, query: &'a AuditQuery) -> BoxFuture<'a, Result<Vec<AuditRow>>>;
    /// How many rows of the audit trail there are for which all tests hold, at most the query's count.
    fn audit_total<'a>(&'a self, query: &'a AuditQuery) -> BoxFuture<'a, Result<u64>>;
    /// Which patient has which rows between two stamps of the trail, both included: stamp and id, in order.
    fn audit_patients(&self, first: i64, last: i64) -> BoxFuture<'_, Result<Vec<(i64, String)>>>;
    /// Rows of the audit trail that a search by patient has to look through, as they are not in the lists of their patients yet: oldest
    /// first, as many as have about so many patients together. A store that lists a row when it writes it has none.
    fn audit_waiting(&self, patients: usize) -> BoxFuture<'_, Result<Vec<AuditWaiting>>> {
        let _ = patients;
        Box::pin(async { Ok(Vec::new()) })
    }
    /// The seals of the audit trail from that number on, in order, at most so many; of `None` the last one.
    fn audit_seals(&self, from: Option<i64>, count: usize) -> BoxFuture<'_, Result<Vec<AuditSeal>>>;
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
    /// The tenants with resources that cannot be found by what they hold yet, and up to which stamp theirs can: an earlier release
    /// wrote them, or what there is to be found by has changed since. See [`reindex`].
    fn unindexed(&self) -> BoxFuture<'_, Result<Vec<(TenantId, i64)>>>;
    /// The tenants that have an audit trail.
    fn audited(&self) -> BoxFuture<'_, Result<Vec<TenantId>>>;
    /// Whether full text is kept of all resources: see [`Write::FullText`].
    fn full_text(&self) -> BoxFuture<'_, Result<bool>>;
    /// The tenants that have, or had, definitions of that type, with the type's epoch.
    fn defining(&self, of: ResourceType) -> BoxFuture<'_, Result<Vec<(TenantId, i64)>>>;
    /// Whether the database answers and takes writes.
    fn ready(&self) -> BoxFuture<'_, Result<()>>;
    /// A secret of the database's own, made once, for signing page links.
    fn secret(&self) -> [u8; 32];
    /// Waits for running writes, then lets go of the database.
    fn close(&self) -> BoxFuture<'_, ()>;
}
