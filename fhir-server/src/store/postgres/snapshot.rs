//! [`Snapshot`] on PostgreSQL: one read-only transaction, begun with its first statement and ended when it is dropped.
//!
//! BEGIN goes out together with the first statement and nobody waits for COMMIT, so that a single read is one exchange with the
//! database. A statement that fails ends the transaction, as PostgreSQL has it; the view is then of a later moment.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use diesel::result::QueryResult;
use diesel::sql_types::BigInt;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join};
use tokio::sync::Mutex;

use super::core::Core;
use super::failure;
use super::link::Link;
use super::pool::Lent;
use super::search;
use crate::context::TenantId;
use crate::error::Result;
use crate::store::sql::{self, Lists, Statement, VersionRow, VersionSql};
use crate::store::{
    AuditQuery, AuditRow, AuditSeal, AuditWaiting, ContainedQuery, ErasureQuery, Explanation, Filter, Found,
    HistoryQuery, Key, LinkQuery, Marks, ParameterNumber, ResourceType, SearchQuery, Snapshot, Version, id,
};

const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
/// A plan for any value is a bad plan for most.
const PLAN_EACH: &str = "SET LOCAL plan_cache_mode = force_custom_plan";

/// A consistent view of one tenant's data.
pub(super) struct PostgresSnapshot {
    tenant: TenantId,
    core: Arc<Core>,
    held: Arc<Held>,
}

/// Statements of that tenant; the database ends them by itself.
pub(super) fn lists(tenant: TenantId) -> Lists {
    Lists {
        tenant,
        guard: "",
        dialect: sql::Dialect::Postgres,
    }
}

/// The transaction, once begun.
struct Held {
    core: Arc<Core>,
    lent: Mutex<Option<Lent>>,
    plans_each: AtomicBool,
}

impl PostgresSnapshot {
    /// Nothing is read yet: the view is of the moment of the first statement.
    pub(super) fn new(tenant: TenantId, core: Arc<Core>) -> Self {
        let held = Held {
            core: core.clone(),
            lent: Mutex::new(None),
            plans_each: AtomicBool::new(false),
        };
        PostgresSnapshot {
            tenant,
            core,
            held: Arc::new(held),
        }
    }

    fn lists(&self) -> Lists {
        lists(self.tenant)
    }

    /// Runs the work inside the transaction; it ends early if the caller goes away.
    fn read_with<'a, T, W>(&'a self, is_list: bool, work: W) -> BoxFuture<'a, Result<T>>
    where
        T: Send + 'static,
        W: for<'l> FnOnce(&'l Link) -> BoxFuture<'l, Result<T>> + Send + 'static,
    {
        let held = self.held.clone();
        self.core
            .run(async move { held.work(is_list, work).await })
            .boxed()
    }
}

impl Held {
    async fn work<T, W>(&self, is_list: bool, work: W) -> Result<T>
    where
        W: for<'l> FnOnce(&'l Link) -> BoxFuture<'l, Result<T>>,
    {
        let mut held = self.lent.lock().await;
        // Where the work fails or is given up, the connection is not put back.
        let (lent, is_new) = match held.take() {
            Some(lent) => (lent, false),
            None => (self.core.guarded(self.core.readers.lend()).await??, true),
        };
        let result = self
            .core
            .guarded(self.inside(lent.link()?, is_list, is_new, work))
            .await??;
        *held = Some(lent);
        Ok(result)
    }

    async fn inside<T, W>(&self, link: &Link, is_list: bool, is_new: bool, work: W) -> Result<T>
    where
        W: for<'l> FnOnce(&'l Link) -> BoxFuture<'l, Result<T>>,
    {
        let mut before = String::new();
        if is_new {
            self.plans_each.store(false, Ordering::Relaxed);
            before = format!(
                "{BEGIN}; SET LOCAL statement_timeout = {}",
                self.core.read_time.as_millis()
            );
        }
        if is_list && !self.plans_each.swap(true, Ordering::Relaxed) {
            before = format!("{before}; {PLAN_EACH}");
        }
        if before.is_empty() {
            return work(link).await;
        }
        // They go out together, in this order.
        let (begun, result) = join(link.batch(&before), work(link)).await;
        begun.map_err(failure::error)?;
        result
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let Some(lent) = self.lent.get_mut().take() else {
            return;
        };
        let core = self.core.clone();
        self.core.runtime.spawn(async move {
            let Ok(link) = lent.link() else { return };
            if let Ok(Ok(())) = core.guarded(link.batch("COMMIT")).await {
                lent.give_back();
            }
        });
    }
}

async fn first(link: &Link, statement: Statement<'_, VersionSql>) -> Result<Option<Version>> {
    let row: Option<VersionRow> = link.first(statement).await.map_err(failure::error)?;
    row.map(sql::version_of).transpose()
}

async fn all(link: &Link, statement: Statement<'_, VersionSql>) -> Result<Vec<Version>> {
    let rows: Vec<VersionRow> = link.rows(statement).await.map_err(failure::error)?;
    rows.into_iter().map(sql::version_of).collect()
}

async fn number(link: &Link, statement: Statement<'_, BigInt>) -> Result<u64> {
    let row: QueryResult<Option<i64>> = link.first(statement).await;
    let row = row.map_err(failure::error)?;
    Ok(row.and_then(|n| u64::try_from(n).ok()).unwrap_or_default())
}

impl Snapshot for PostgresSnapshot {
    fn read<'a>(&'a self, key: &'a Key, filter: &'a Filter) -> BoxFuture<'a, Result<Option<Version>>> {
        let (lists, key, filter) = (self.lists(), key.clone(), filter.clone());
        self.read_with(false, move |link| {
            async move { first(link, sql::read(lists, &key, &filter)?).await }.boxed()
        })
    }

    fn vread<'a>(
        &'a self,
        key: &'a Key,
        version: i64,
        filter: &'a Filter,
    ) -> BoxFuture<'a, Result<Option<Version>>> {
        let (lists, key, filter) = (self.lists(), key.clone(), filter.clone());
        self.read_with(false, move |link| {
            async move {
                let read = link.first(sql::read(lists, &key, &filter)?).await;
                let current: Option<VersionRow> = read.map_err(failure::error)?;
                match current {
                    Some(row) if sql::version_number(&row) == version => sql::version_of(row).map(Some),
                    Some(_) => first(link, sql::vread(lists, &key, version, &filter)?).await,
                    None => Ok(None),
                }
            }
            .boxed()
        })
    }

    fn history<'a>(&'a self, query: &'a HistoryQuery) -> BoxFuture<'a, Result<Vec<Version>>> {
        let (lists, query) = (self.lists(), query.clone());
        self.read_with(true, move |link| {
            async move { all(link, lists.history(&query)?).await }.boxed()
        })
    }

    fn history_total<'a>(&'a self, query: &'a HistoryQuery, limit: u64) -> BoxFuture<'a, Result<u64>> {
        let (lists, query) = (self.lists(), query.clone());
        self.read_with(true, move |link| {
            async move { number(link, lists.history_total(&query, limit)?).await }.boxed()
        })
    }

    fn search<'a>(&'a self, query: &'a SearchQuery) -> BoxFuture<'a, Result<Vec<Found>>> {
        let (lists, query) = (self.lists(), query.clone());
        self.read_with(true, move |link| {
            async move { search::page(link, lists, &query).await }.boxed()
        })
    }

    fn search_total<'a>(&'a self, query: &'a SearchQuery, limit: u64) -> BoxFuture<'a, Result<u64>> {
        let (lists, query) = (self.lists(), query.clone());
        self.read_with(true, move |link| {
            async move { search::total(link, lists, &query, limit).await }.boxed()
        })
    }

    fn linked<'a>(&'a self, query: &'a LinkQuery) -> BoxFuture<'a, Result<Vec<Version>>> {
        let (lists, query) = (self.lists(), query.clone());
        self.read_with(true, move |link| {
            async move { all(link, lists.linked(&query)?).await }.boxed()
        })
    }

    fn contained<'a>(&'a self, query: &'a ContainedQuery) -> BoxFuture<'a, Result<Vec<(usize, String)>>> {
        let (lists, query) = (self.lists(), query.clone());
        self.read_with(true, move |link| {
            async move {
                let rows = link.rows(lists.contained(&query)?).await;
                let rows: Vec<sql::ContainedRow> = rows.map_err(failure::error)?;
                Ok(sql::contained_of(&query, rows))
            }
            .boxed()
        })
    }

    fn explain<'a>(
        &'a self,
        query: &'a SearchQuery,
        limit: Option<u64>,
    ) -> BoxFuture<'a, Result<Explanation>> {
        let (lists, query) = (self.lists(), query.clone());
        self.read_with(true, move |link| {
            async move { search::explain(link, lists, &query, limit).await }.boxed()
        })
    }

    fn marks(&self) -> BoxFuture<'_, Result<Marks>> {
        let tenant = self.tenant;
        self.read_with(false, move |link| {
            async move {
                let rows: QueryResult<Vec<sql::EpochRow>> = link.rows(sql::marks(tenant)).await;
                Ok(sql::marks_of(rows.map_err(failure::error)?))
            }
            .boxed()
        })
    }

    fn note(&self, of: ResourceType) -> BoxFuture<'_, Result<Option<Vec<u8>>>> {
        let tenant = self.tenant;
        self.read_with(false, move |link| {
            async move {
                let noted: QueryResult<Option<Option<Vec<u8>>>> = link.first(sql::note(tenant, of)).await;
                Ok(noted.map_err(failure::error)?.flatten())
            }
            .boxed()
        })
    }

    fn claim<'a>(&'a self, kind: &'static str, key: &'a [u8; 32]) -> BoxFuture<'a, Result<Option<Vec<u8>>>> {
        let (tenant, key, now) = (self.tenant, *key, self.core.clock.now());
        self.read_with(false, move |link| {
            async move {
                link.first(sql::claim(tenant, kind, &key, now))
                    .await
                    .map_err(failure::error)
            }
            .boxed()
        })
    }

    fn referred<'a>(
        &'a self,
        from: &'a [Key],
        parameters: &'a [ParameterNumber],
        to: ResourceType,
    ) -> BoxFuture<'a, Result<Vec<String>>> {
        let (lists, from, parameters) = (self.lists(), from.to_vec(), parameters.to_vec());
        self.read_with(true, move |link| {
            async move {
                let rows = link.rows(lists.referred(&from, &parameters, to)).await;
                let rows: Vec<Vec<u8>> = rows.map_err(failure::error)?;
                Ok(rows.into_iter().filter_map(id::unpack).collect())
            }
            .boxed()
        })
    }

    fn erasable<'a>(&'a self, query: &'a ErasureQuery) -> BoxFuture<'a, Result<Vec<Key>>> {
        let (tenant, query) = (self.lists().tenant, query.clone());
        self.read_with(true, move |link| {
            async move {
                let rows = link.rows(sql::purge::erasable(tenant, &query)).await;
                Ok(sql::purge::keys_of(rows.map_err(failure::error)?))
            }
            .boxed()
        })
    }

    fn audit<'a>(&'a self, query: &'a AuditQuery) -> BoxFuture<'a, Result<Vec<AuditRow>>> {
        let (lists, query) = (self.lists(), query.clone());
        self.read_with(true, move |link| {
            async move {
                let rows: QueryResult<Vec<sql::audit::Row>> = link.rows(lists.audit(&query)).await;
                let rows = rows.map_err(failure::error)?;
                rows.into_iter().map(sql::audit::row_of).collect()
            }
            .boxed()
        })
    }

    fn audit_total<'a>(&'a self, query: &'a AuditQuery) -> BoxFuture<'a, Result<u64>> {
        let (lists, query) = (self.lists(), query.clone());
        self.read_with(true, move |link| {
            async move { number(link, lists.audit_total(&query)).await }.boxed()
        })
    }

    fn audit_patients(&self, first: i64, last: i64) -> BoxFuture<'_, Result<Vec<(i64, String)>>> {
        let tenant = self.tenant;
        self.read_with(true, move |link| {
            async move {
                let rows = link.rows(sql::audit::patients(tenant, (first, last))).await;
                let listed: Vec<(i64, Vec<u8>)> = rows.map_err(failure::error)?;
                let rows = link.rows(sql::audit::waiting(tenant, (first, last))).await;
                let waiting: Vec<(i64, String)> = rows.map_err(failure::error)?;
                Ok(sql::audit::all_patients(listed, waiting))
            }
            .boxed()
        })
    }

    fn audit_waiting(&self, patients: usize) -> BoxFuture<'_, Result<Vec<AuditWaiting>>> {
        let tenant = self.tenant;
        self.read_with(false, move |link| {
            async move {
                let last = link.first(sql::audit::last_waiting(tenant, patients)).await;
                let last: Option<Option<i64>> = last.map_err(failure::error)?;
                let Some(last) = last.flatten() else {
                    return Ok(Vec::new());
                };
                let rows = link.rows(sql::audit::waiting(tenant, (i64::MIN, last))).await;
                let rows: Vec<(i64, String)> = rows.map_err(failure::error)?;
                Ok(sql::audit::waiting_of(rows))
            }
            .boxed()
        })
    }

    fn audit_seals(&self, from: Option<i64>, count: usize) -> BoxFuture<'_, Result<Vec<AuditSeal>>> {
        let tenant = self.tenant;
        self.read_with(false, move |link| {
            async move {
                let statement = match from {
                    Some(from) => sql::audit::seals(tenant, from, count),
                    None => sql::audit::last_seal(tenant),
                };
                let rows: QueryResult<Vec<sql::audit::SealRow>> = link.rows(statement).await;
                let rows = rows.map_err(failure::error)?;
                rows.into_iter().map(sql::audit::seal_of).collect()
            }
            .boxed()
        })
    }
}
