//! [`Snapshot`] on SQLite: one read transaction, begun by its first statement and ended when it is dropped.
//!
//! That transaction costs less than half a microsecond of the nine that a read by key takes, so that a snapshot for a
//! single read needs no way of its own.
//!
//! Reads by key run where they are called; lists and counts run on tokio's blocking pool, so that a long one does not
//! hold up a worker.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::failure;
use super::link::Link;
use super::pool::{Pool, Reader};
use super::{search, watch};
use crate::context::{Clock, TenantId};
use crate::error::{Error, Result};
use crate::store::sql::{self, Lists, Statement, VersionRow};
use crate::store::{
    AuditQuery, AuditRow, AuditSeal, AuditWaiting, ContainedQuery, ErasureQuery, Explanation, Filter, Found,
    HistoryQuery, Key, LinkQuery, Marks, ParameterNumber, ResourceType, SearchQuery, Snapshot, Version, id,
};

/// From so many resources, what they refer to is looked up where they are called.
const FEW_KEYS: usize = 16;

/// A consistent view of one tenant's data.
pub(super) struct SqliteSnapshot {
    tenant: TenantId,
    pool: Arc<Pool>,
    clock: Arc<dyn Clock>,
    time: Duration,
    reader: Arc<Mutex<Option<Reader>>>,
}

impl SqliteSnapshot {
    /// Nothing is read yet: the view is of the moment of the first statement. A list or a count may take that time.
    pub(super) fn new(tenant: TenantId, pool: Arc<Pool>, clock: Arc<dyn Clock>, time: Duration) -> Self {
        SqliteSnapshot {
            tenant,
            pool,
            clock,
            time,
            reader: Arc::new(Mutex::new(None)),
        }
    }

    fn lists(&self) -> Lists {
        Lists {
            tenant: self.tenant,
            guard: watch::CONDITION,
            dialect: sql::Dialect::Sqlite,
        }
    }

    async fn held(&self) -> Result<OwnedMutexGuard<Option<Reader>>> {
        let mut held = self.reader.clone().lock_owned().await;
        if held.is_none() {
            *held = Some(self.pool.reader().await?);
        }
        Ok(held)
    }

    /// Runs short work on the connection, here.
    async fn here<T>(&self, work: impl FnOnce(&mut Link) -> Result<T> + Send) -> Result<T> {
        let mut held = self.held().await?;
        work(link(&mut held)?)
    }

    /// Runs long work on the connection, on the blocking pool; it ends early if the caller goes away.
    async fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Link) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let mut held = self.held().await?;
        let watch = link(&mut held)?.watch().clone();
        let leash = watch.start(self.time);
        let run = move || {
            let _rest = watch.rests();
            let result = link(&mut held).and_then(work);
            (result, held)
        };
        let (result, held) = tokio::task::spawn_blocking(run).await.map_err(Error::internal)?;
        // In this order, or the leash would end the next statement on the connection.
        drop(leash);
        drop(held);
        result
    }
}

/// Statements of that tenant that nothing ends.
pub(super) fn lists(tenant: TenantId) -> Lists {
    Lists {
        tenant,
        guard: "",
        dialect: sql::Dialect::Sqlite,
    }
}

fn link(held: &mut OwnedMutexGuard<Option<Reader>>) -> Result<&mut Link> {
    held.as_mut()
        .ok_or_else(|| Error::internal("a snapshot without its connection"))?
        .link()
}

fn first(link: &mut Link, statement: Statement<'_, sql::VersionSql>) -> Result<Option<Version>> {
    let row: Option<VersionRow> = link.first(statement).map_err(failure::error)?;
    row.map(sql::version_of).transpose()
}

fn all(link: &mut Link, statement: Statement<'_, sql::VersionSql>) -> Result<Vec<Version>> {
    let rows: Vec<VersionRow> = link.rows(statement).map_err(failure::error)?;
    rows.into_iter().map(sql::version_of).collect()
}

fn number(link: &mut Link, statement: Statement<'_, diesel::sql_types::BigInt>) -> Result<u64> {
    let row: Option<i64> = link.first(statement).map_err(failure::error)?;
    Ok(row.and_then(|n| u64::try_from(n).ok()).unwrap_or_default())
}

impl Snapshot for SqliteSnapshot {
    fn read<'a>(&'a self, key: &'a Key, filter: &'a Filter) -> BoxFuture<'a, Result<Option<Version>>> {
        self.here(|link| first(link, sql::read(lists(self.tenant), key, filter)?))
            .boxed()
    }

    fn vread<'a>(
        &'a self,
        key: &'a Key,
        version: i64,
        filter: &'a Filter,
    ) -> BoxFuture<'a, Result<Option<Version>>> {
        let work = move |link: &mut Link| {
            let current: Option<VersionRow> = link
                .first(sql::read(lists(self.tenant), key, filter)?)
                .map_err(failure::error)?;
            match current {
                Some(row) if sql::version_number(&row) == version => sql::version_of(row).map(Some),
                Some(_) => first(link, sql::vread(lists(self.tenant), key, version, filter)?),
                None => Ok(None),
            }
        };
        self.here(work).boxed()
    }

    fn history<'a>(&'a self, query: &'a HistoryQuery) -> BoxFuture<'a, Result<Vec<Version>>> {
        let (lists, query) = (self.lists(), query.clone());
        self.aside(move |link| all(link, lists.history(&query)?)).boxed()
    }

    fn history_total<'a>(&'a self, query: &'a HistoryQuery, limit: u64) -> BoxFuture<'a, Result<u64>> {
        let (lists, query) = (self.lists(), query.clone());
        self.aside(move |link| number(link, lists.history_total(&query, limit)?))
            .boxed()
    }

    fn search<'a>(&'a self, query: &'a SearchQuery) -> BoxFuture<'a, Result<Vec<Found>>> {
        let (lists, query) = (self.lists(), query.clone());
        self.aside(move |link| search::page(link, lists, &query)).boxed()
    }

    fn search_total<'a>(&'a self, query: &'a SearchQuery, limit: u64) -> BoxFuture<'a, Result<u64>> {
        let (lists, query) = (self.lists(), query.clone());
        self.aside(move |link| search::total(link, lists, &query, limit))
            .boxed()
    }

    fn linked<'a>(&'a self, query: &'a LinkQuery) -> BoxFuture<'a, Result<Vec<Version>>> {
        let (lists, query) = (self.lists(), query.clone());
        self.aside(move |link| all(link, lists.linked(&query)?)).boxed()
    }

    fn contained<'a>(&'a self, query: &'a ContainedQuery) -> BoxFuture<'a, Result<Vec<(usize, String)>>> {
        let (lists, query) = (self.lists(), query.clone());
        self.aside(move |link| {
            let rows: Vec<sql::ContainedRow> = link.rows(lists.contained(&query)?).map_err(failure::error)?;
            Ok(sql::contained_of(&query, rows))
        })
        .boxed()
    }

    fn explain<'a>(
        &'a self,
        query: &'a SearchQuery,
        limit: Option<u64>,
    ) -> BoxFuture<'a, Result<Explanation>> {
        let (lists, query) = (self.lists(), query.clone());
        self.aside(move |link| search::explain(link, lists, &query, limit))
            .boxed()
    }

    fn marks(&self) -> BoxFuture<'_, Result<Marks>> {
        let work = |link: &mut Link| {
            let rows: Vec<sql::EpochRow> = link.rows(sql::marks(self.tenant)).map_err(failure::error)?;
            Ok(sql::marks_of(rows))
        };
        self.here(work).boxed()
    }

    fn note(&self, of: ResourceType) -> BoxFuture<'_, Result<Option<Vec<u8>>>> {
        let work = move |link: &mut Link| {
            let noted: Option<Option<Vec<u8>>> =
                link.first(sql::note(self.tenant, of)).map_err(failure::error)?;
            Ok(noted.flatten())
        };
        self.here(work).boxed()
    }

    fn claim<'a>(&'a self, kind: &'static str, key: &'a [u8; 32]) -> BoxFuture<'a, Result<Option<Vec<u8>>>> {
        let now = self.clock.now();
        self.here(move |link| {
            link.first(sql::claim(self.tenant, kind, key, now))
                .map_err(failure::error)
        })
        .boxed()
    }

    fn referred<'a>(
        &'a self,
        from: &'a [Key],
        parameters: &'a [ParameterNumber],
        to: ResourceType,
    ) -> BoxFuture<'a, Result<Vec<String>>> {
        let lists = lists(self.tenant);
        let referred = move |link: &mut Link, from: &[Key], parameters: &[ParameterNumber]| {
            let rows: Vec<Vec<u8>> = link
                .rows(lists.referred(from, parameters, to))
                .map_err(failure::error)?;
            Ok(rows.into_iter().filter_map(id::unpack).collect())
        };
        if from.len() <= FEW_KEYS {
            return self.here(move |link| referred(link, from, parameters)).boxed();
        }
        let (from, parameters) = (from.to_vec(), parameters.to_vec());
        self.aside(move |link| referred(link, &from, &parameters)).boxed()
    }

    fn erasable<'a>(&'a self, query: &'a ErasureQuery) -> BoxFuture<'a, Result<Vec<Key>>> {
        let (tenant, query) = (self.tenant, query.clone());
        self.aside(move |link| {
            let rows = link
                .rows(sql::purge::erasable(tenant, &query))
                .map_err(failure::error)?;
            Ok(sql::purge::keys_of(rows))
        })
        .boxed()
    }

    fn audit<'a>(&'a self, query: &'a AuditQuery) -> BoxFuture<'a, Result<Vec<AuditRow>>> {
        let (lists, query) = (self.lists(), query.clone());
        self.aside(move |link| {
            let rows: Vec<sql::audit::Row> = link.rows(lists.audit(&query)).map_err(failure::error)?;
            rows.into_iter().map(sql::audit::row_of).collect()
        })
        .boxed()
    }

    fn audit_total<'a>(&'a self, query: &'a AuditQuery) -> BoxFuture<'a, Result<u64>> {
        let (lists, query) = (self.lists(), query.clone());
        self.aside(move |link| number(link, lists.audit_total(&query)))
            .boxed()
    }

    fn audit_patients(&self, first: i64, last: i64) -> BoxFuture<'_, Result<Vec<(i64, String)>>> {
        let tenant = self.tenant;
        self.aside(move |link| {
            let listed: Vec<(i64, Vec<u8>)> = link
                .rows(sql::audit::patients(tenant, (first, last)))
                .map_err(failure::error)?;
            let waiting: Vec<(i64, String)> = link
                .rows(sql::audit::waiting(tenant, (first, last)))
                .map_err(failure::error)?;
            Ok(sql::audit::all_patients(listed, waiting))
        })
        .boxed()
    }

    fn audit_waiting(&self, patients: usize) -> BoxFuture<'_, Result<Vec<AuditWaiting>>> {
        let tenant = self.tenant;
        self.aside(move |link| {
            let last: Option<Option<i64>> = link
                .first(sql::audit::last_waiting(tenant, patients))
                .map_err(failure::error)?;
            let Some(last) = last.flatten() else {
                return Ok(Vec::new());
            };
            let rows: Vec<(i64, String)> = link
                .rows(sql::audit::waiting(tenant, (i64::MIN, last)))
                .map_err(failure::error)?;
            Ok(sql::audit::waiting_of(rows))
        })
        .boxed()
    }

    fn audit_seals(&self, from: Option<i64>, count: usize) -> BoxFuture<'_, Result<Vec<AuditSeal>>> {
        let statement = match from {
            Some(from) => sql::audit::seals(self.tenant, from, count),
            None => sql::audit::last_seal(self.tenant),
        };
        self.here(move |link| {
            let rows: Vec<sql::audit::SealRow> = link.rows(statement).map_err(failure::error)?;
            rows.into_iter().map(sql::audit::seal_of).collect()
        })
        .boxed()
    }
}
