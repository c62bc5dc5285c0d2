//! The SQLite back end: one file, one writer thread with group commit, readers beside it.
//!
//! Durability: WAL with `synchronous=FULL`; what was acknowledged survives a kill and a loss of power.

mod apply;
mod checkpoint;
mod epochs;
mod failure;
mod link;
mod lock;
mod maintain;
mod pool;
mod rows;
mod search;
mod snapshot;
mod start;
mod task;
mod terms;
mod turns;
mod watch;
mod work;
mod writer;

#[cfg(test)]
mod plans;
#[cfg(test)]
mod tests;

pub(super) use maintain::{backup, migrate, restore, schema_version};

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use self::failure::Class;
use self::lock::Lock;
use self::pool::Pool;
use self::snapshot::SqliteSnapshot;
use self::task::Task;
use self::writer::{Health, Writer};
use super::encoding::MAX_BODY;
use super::{Commit, Outcome, Refusal, ResourceType, Snapshot, Store, StoreOptions};
use crate::context::{Clock, TenantId};
use crate::error::{Error, ErrorCode, Result};

/// Bodies above this are packed on the blocking pool.
const LARGE: usize = 256 << 10;

/// A database in one SQLite file.
pub(super) struct SqliteStore {
    // In this order: the writer carries the log over and ends, the readers close, another process may come.
    writer: Writer,
    pool: Arc<Pool>,
    clock: Arc<dyn Clock>,
    secret: [u8; 32],
    read_time: Duration,
    lock: Mutex<Option<Lock>>,
}

impl SqliteStore {
    /// Opens the file, makes it where there is none, and brings its schema up to date.
    pub(super) fn open(path: &Path, options: &StoreOptions) -> Result<Self> {
        let start::Started {
            path,
            lock,
            link,
            stamps,
            secret,
        } = start::start(path, options)?;
        let pool = Pool::open(&path, options.readers)?;
        let clock = options.clock.clone();
        let tools = work::Tools {
            path,
            link,
            stamps,
            clock: clock.clone(),
        };
        let writer = Writer::start(tools, options.queue, options.queue_bytes)?;
        Ok(SqliteStore {
            writer,
            pool,
            clock,
            secret,
            read_time: options.read_time,
            lock: Mutex::new(Some(lock)),
        })
    }

    async fn pack(tenant: TenantId, commit: Commit) -> Result<Task> {
        let lengths = || commit.writes.iter().map(super::Write::body_len);
        if lengths().any(|len| len > MAX_BODY) {
            return Err(Error::new(
                ErrorCode::TooLarge,
                "The resource is larger than the database takes.",
            ));
        }
        if lengths().sum::<usize>() < LARGE {
            return Ok(Task::new(tenant, commit));
        }
        tokio::task::spawn_blocking(move || Task::new(tenant, commit))
            .await
            .map_err(Error::internal)
    }
}

impl Store for SqliteStore {
    fn snapshot(&self, tenant: TenantId) -> BoxFuture<'_, Result<Box<dyn Snapshot>>> {
        let snapshot = SqliteSnapshot::new(tenant, self.pool.clone(), self.clock.clone(), self.read_time);
        std::future::ready(Ok(Box::new(snapshot) as Box<dyn Snapshot>)).boxed()
    }

    fn commit(
        &self,
        tenant: TenantId,
        commit: Commit,
    ) -> BoxFuture<'_, std::result::Result<Vec<Outcome>, Refusal>> {
        async move {
            if let Some(refusal) = commit.misplaced() {
                return Err(refusal);
            }
            let task = Self::pack(tenant, commit).await.map_err(Refusal::Failed)?;
            self.writer.commit(task).await
        }
        .boxed()
    }

    fn unindexed(&self) -> BoxFuture<'_, Result<Vec<(TenantId, i64)>>> {
        async move {
            let mut reader = self.pool.reader().await?;
            let rows = reader.link()?.rows(super::sql::unindexed());
            let rows: Vec<(i64, i64)> = rows.map_err(failure::error)?;
            Ok(rows
                .into_iter()
                .map(|(tenant, stamp)| (TenantId(tenant), stamp))
                .collect())
        }
        .boxed()
    }

    fn audited(&self) -> BoxFuture<'_, Result<Vec<TenantId>>> {
        async move {
            let mut reader = self.pool.reader().await?;
            let rows: Vec<i64> = reader
                .link()?
                .rows(super::sql::audit::tenants())
                .map_err(failure::error)?;
            Ok(rows.into_iter().map(TenantId).collect())
        }
        .boxed()
    }

    fn full_text(&self) -> BoxFuture<'_, Result<bool>> {
        async move {
            let mut reader = self.pool.reader().await?;
            let count = reader.link()?.first(super::sql::full_text());
            let count: Option<i64> = count.map_err(failure::error)?;
            Ok(count.unwrap_or_default() > 0)
        }
        .boxed()
    }

    fn defining(&self, of: ResourceType) -> BoxFuture<'_, Result<Vec<(TenantId, i64)>>> {
        async move {
            let mut reader = self.pool.reader().await?;
            let rows: Vec<(i64, i64)> = reader
                .link()?
                .rows(super::sql::defining(of))
                .map_err(failure::error)?;
            Ok(rows
                .into_iter()
                .map(|(tenant, stamp)| (TenantId(tenant), stamp))
                .collect())
        }
        .boxed()
    }

    fn ready(&self) -> BoxFuture<'_, Result<()>> {
        async move {
            self.pool.ping().await?;
            match self.writer.health() {
                Health::Good => Ok(()),
                Health::Ended => Err(failure::error_of_class(Class::Io)),
                // An empty commit makes the writer try again.
                Health::Full | Health::Broken => {
                    let probe = Task::new(TenantId::DEFAULT, Commit::default());
                    match self.writer.commit(probe).await {
                        Ok(_) => Ok(()),
                        Err(Refusal::Failed(error)) => Err(error),
                        Err(_) => Err(Error::internal("an empty commit was refused")),
                    }
                }
            }
        }
        .boxed()
    }

    fn secret(&self) -> [u8; 32] {
        self.secret
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        async move {
            self.pool.close();
            // Waits for the running writes, not long.
            self.writer.close();
            self.lock.lock().unwrap_or_else(PoisonError::into_inner).take();
        }
        .boxed()
    }
}
