//! The PostgreSQL back end: no libpq, any number of server processes on one database.
//!
//! - Connections belong to a runtime of the store's own (`core`), are lent a transaction at a time (`pool`) and keep no
//!   state between transactions, so that a pooler that works by transaction may stand between.
//! - Writes of one tenant come one transaction at a time, over all processes, each with all commits that wait (`batch`,
//!   `tenant`): stamps rise in the order of commits. The database need not be asked to serialise anything.
//! - Reads are read-only transactions at REPEATABLE READ (`snapshot`).
//! - `watch` finds out when the database does not answer; then nobody waits for it.

mod arrays;
mod batch;
mod changes;
mod connect;
mod core;
mod desk;
mod failure;
mod fetch;
mod head;
mod link;
mod migrate;
mod node;
mod pool;
mod rows;
mod search;
mod snapshot;
mod start;
mod statistics;
mod task;
mod tenant;
mod trail;
mod url;
mod watch;
mod writer;

#[cfg(test)]
pub(crate) mod cluster;
#[cfg(test)]
mod tests;

pub(super) use migrate::schema_version;

use std::future::Future;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use self::connect::Connector;
use self::core::Core;
use self::node::Lease;
use self::pool::Pool;
use self::snapshot::PostgresSnapshot;
use self::task::Task;
use self::url::Target;
use self::writer::Writer;
use super::encoding::MAX_BODY;
use super::{Commit, Outcome, Refusal, ResourceType, Snapshot, Store, StoreOptions};
use crate::context::TenantId;
use crate::error::{Error, ErrorCode, Result};

/// Bodies above this are packed on the blocking pool.
const LARGE: usize = 256 << 10;
/// Connections that write: as many tenants are written to at once.
const WRITERS: usize = 4;

/// A database of a PostgreSQL server.
pub(super) struct PostgresStore {
    core: Arc<Core>,
    writer: Writer,
    secret: [u8; 32],
    watch: Mutex<Option<Watch>>,
    // Last: what runs on it ends with it.
    _threads: Threads,
}

impl PostgresStore {
    /// Opens the database and brings its schema up to date.
    pub(super) fn open(url: &str, options: &StoreOptions) -> Result<Self> {
        let connector = Arc::new(Connector::new(url.parse::<Target>()?)?);
        let threads = Threads::new()?;
        let first = connector.clone();
        let (link, secret, lease, node) = threads.wait(async move {
            let link = first.connect().await?;
            let secret = start::start(&link).await?;
            let mut lease = Lease::new()?;
            let node = lease.renew(&link).await?;
            Ok((link, secret, lease, node))
        })?;
        let runtime = threads.runtime()?.handle().clone();
        let pools = (
            Pool::new(connector.clone(), options.readers, runtime.clone())?,
            Pool::new(connector.clone(), WRITERS, runtime.clone())?,
        );
        let core = Core::new(
            runtime,
            connector,
            pools,
            options.clock.clone(),
            options.read_time,
        );
        core.node.store(node, Ordering::Relaxed);
        let core = Arc::new(core);
        let (end, ended) = oneshot::channel();
        let task = core.runtime.spawn(watch::watch(core.clone(), link, lease, ended));
        Ok(PostgresStore {
            writer: Writer::new(core.clone(), options.queue, options.queue_bytes),
            core,
            secret,
            watch: Mutex::new(Some(Watch { end, task })),
            _threads: threads,
        })
    }

    async fn pack(&self, tenant: TenantId, commit: Commit) -> Result<Task> {
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
        let packing = self
            .core
            .runtime
            .spawn_blocking(move || Task::new(tenant, commit));
        packing.await.map_err(Error::internal)
    }
}

/// The task that watches over the database; it ends when `end` is dropped.
struct Watch {
    end: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

/// Brings the schema of a database up to date; how many steps that took.
pub(super) fn migrate(url: &str) -> Result<usize> {
    let connector = Connector::new(url.parse::<Target>()?)?;
    Threads::new()?.wait(async move {
        let link = connector.connect().await?;
        migrate::migrate(&link).await
    })
}

impl Store for PostgresStore {
    fn snapshot(&self, tenant: TenantId) -> BoxFuture<'_, Result<Box<dyn Snapshot>>> {
        let snapshot = PostgresSnapshot::new(tenant, self.core.clone());
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
            let task = self.pack(tenant, commit).await.map_err(Refusal::Failed)?;
            self.writer.commit(task).await
        }
        .boxed()
    }

    fn unindexed(&self) -> BoxFuture<'_, Result<Vec<(TenantId, i64)>>> {
        let core = self.core.clone();
        let ask = async move {
            let lent = core.guarded(core.readers.lend()).await??;
            let rows = core.guarded(lent.link()?.rows(super::sql::unindexed())).await?;
            let rows: Vec<(i64, i64)> = rows.map_err(failure::error)?;
            lent.give_back();
            Ok(rows
                .into_iter()
                .map(|(tenant, stamp)| (TenantId(tenant), stamp))
                .collect())
        };
        async move { self.core.run(ask).await }.boxed()
    }

    fn audited(&self) -> BoxFuture<'_, Result<Vec<TenantId>>> {
        let core = self.core.clone();
        let ask = async move {
            let lent = core.guarded(core.readers.lend()).await??;
            let rows = core
                .guarded(lent.link()?.rows(super::sql::audit::tenants()))
                .await?;
            let rows: Vec<i64> = rows.map_err(failure::error)?;
            lent.give_back();
            Ok(rows.into_iter().map(TenantId).collect())
        };
        async move { self.core.run(ask).await }.boxed()
    }

    fn full_text(&self) -> BoxFuture<'_, Result<bool>> {
        let core = self.core.clone();
        let ask = async move {
            let lent = core.guarded(core.readers.lend()).await??;
            let count = core.guarded(lent.link()?.first(super::sql::full_text())).await?;
            let count: Option<i64> = count.map_err(failure::error)?;
            lent.give_back();
            Ok(count.unwrap_or_default() > 0)
        };
        async move { self.core.run(ask).await }.boxed()
    }

    fn defining(&self, of: ResourceType) -> BoxFuture<'_, Result<Vec<(TenantId, i64)>>> {
        let core = self.core.clone();
        let ask = async move {
            let lent = core.guarded(core.readers.lend()).await??;
            let rows = core.guarded(lent.link()?.rows(super::sql::defining(of))).await?;
            let rows: Vec<(i64, i64)> = rows.map_err(failure::error)?;
            lent.give_back();
            Ok(rows
                .into_iter()
                .map(|(tenant, stamp)| (TenantId(tenant), stamp))
                .collect())
        };
        async move { self.core.run(ask).await }.boxed()
    }

    fn ready(&self) -> BoxFuture<'_, Result<()>> {
        let core = self.core.clone();
        let ask = async move {
            let lent = core.guarded(core.readers.lend()).await??;
            core.guarded(start::ping(lent.link()?)).await??;
            lent.give_back();
            Ok(())
        };
        async move { self.core.run(ask).await }.boxed()
    }

    fn secret(&self) -> [u8; 32] {
        self.secret
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        async move {
            self.writer.close().await;
            let watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(Watch { end, task }) = watch {
                drop(end);
                if task.await.is_err() {
                    tracing::error!("the watch over the database ended by a panic");
                }
            }
            self.core.readers.close();
            self.core.writers.close();
        }
        .boxed()
    }
}

/// The threads on which the store works.
struct Threads(Option<Runtime>);

impl Threads {
    fn new() -> Result<Self> {
        let threads = std::thread::available_parallelism().map_or(2, |n| n.get().clamp(2, 8));
        let runtime = Builder::new_multi_thread()
            .worker_threads(threads)
            .thread_name("store")
            .enable_all()
            .build();
        Ok(Threads(Some(runtime.map_err(Error::internal)?)))
    }

    fn runtime(&self) -> Result<&Runtime> {
        self.0
            .as_ref()
            .ok_or_else(|| Error::internal("the store has ended"))
    }

    /// Runs the work; the calling thread waits, whatever it is.
    fn wait<T: Send + 'static>(&self, work: impl Future<Output = Result<T>> + Send + 'static) -> Result<T> {
        let (done, waiting) = std::sync::mpsc::channel();
        self.runtime()?.spawn(async move {
            // Whoever waits does so until the answer.
            let _ = done.send(work.await);
        });
        waiting.recv().map_err(Error::internal)?
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            // It may be dropped by a caller's runtime, which may not wait.
            runtime.shutdown_background();
        }
    }
}
