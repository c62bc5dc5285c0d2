//! [`Core`]: what the parts of the store share, and how work waits for the database.
//!
//! Work runs on threads of the store's own, so that connections belong to no caller's runtime and a caller may use any.
//!
//! Invariant: nobody waits for a database that does not answer: once `watch` has found that, all that waits ends.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::{Either, select};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::connect::Connector;
use super::failure::{self, Class};
use super::pool::Pool;
use super::rows::Known;
use crate::context::Clock;
use crate::error::{Error, Result};

/// What the parts of the store share.
pub(super) struct Core {
    /// Where the work runs.
    pub(super) runtime: Handle,
    /// Makes connections.
    pub(super) connector: Arc<Connector>,
    /// Connections that read.
    pub(super) readers: Pool,
    /// Connections that write.
    pub(super) writers: Pool,
    /// Tells the time.
    pub(super) clock: Arc<dyn Clock>,
    /// How long a statement that reads may take.
    pub(super) read_time: Duration,
    /// The node number that this process has leased.
    pub(super) node: AtomicU16,
    /// The numbers of terms that are known.
    pub(super) terms: Known,
    /// How many batches of commits were carried out.
    pub(super) batches: AtomicU64,
    is_up: watch::Sender<bool>,
    started: Instant,
    /// Milliseconds after `started` at which the database last answered anybody.
    answered: AtomicU64,
}

impl Core {
    /// A core of a database that has just answered.
    pub(super) fn new(
        runtime: Handle,
        connector: Arc<Connector>,
        pools: (Pool, Pool),
        clock: Arc<dyn Clock>,
        read_time: Duration,
    ) -> Self {
        let (readers, writers) = pools;
        Core {
            runtime,
            connector,
            readers,
            writers,
            clock,
            read_time,
            node: AtomicU16::new(0),
            terms: Known::default(),
            batches: AtomicU64::new(0),
            is_up: watch::Sender::new(true),
            started: Instant::now(),
            answered: AtomicU64::new(0),
        }
    }

    /// Whether the database answers.
    pub(super) fn is_up(&self) -> bool {
        *self.is_up.borrow()
    }

    /// Says whether the database answers.
    pub(super) fn set_up(&self, is_up: bool) {
        if self.is_up.send_replace(is_up) != is_up {
            match is_up {
                true => tracing::info!("the database answers again"),
                false => tracing::error!("the database does not answer"),
            }
        }
    }

    /// The work's result, unless the database is found not to answer meanwhile.
    pub(super) async fn guarded<T>(&self, work: impl Future<Output = T>) -> Result<T> {
        let mut is_up = self.is_up.subscribe();
        let lost = pin!(is_up.wait_for(|is_up| !is_up));
        match select(pin!(work), lost).await {
            Either::Left((done, _)) => {
                self.note_answer();
                Ok(done)
            }
            Either::Right(_) => Err(failure::error_of_class(Class::Gone)),
        }
    }

    fn note_answer(&self) {
        let now = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.answered.fetch_max(now, Ordering::Relaxed);
    }

    /// How long ago the database last answered somebody.
    pub(super) fn silence(&self) -> Duration {
        let answered = Duration::from_millis(self.answered.load(Ordering::Relaxed));
        self.started.elapsed().saturating_sub(answered)
    }

    /// Runs work on the store's own threads; it ends when nobody waits for it any more.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        let mut task = Leash(self.runtime.spawn(work));
        (&mut task.0).await.map_err(Error::internal)?
    }
}

/// Ends a task when dropped.
struct Leash<T>(JoinHandle<T>);

impl<T> Drop for Leash<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
