//! The commits that wait, by tenant, and who carries them out.
//!
//! Each tenant with waiting commits has one task that takes all of them into one transaction (`batch`), then those that came
//! meanwhile, until none is left: many clients share one sync (group commit).
//!
//! Invariant: the queue is bounded in commits and in bytes; what does not fit is refused at once.

use std::collections::{HashMap, VecDeque};
use std::panic::AssertUnwindSafe;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use tokio::sync::{Notify, oneshot};

use super::batch::{self, Answer, Job};
use super::core::Core;
use super::failure::{self, Class};
use super::task::Task;
use crate::context::TenantId;
use crate::error::{Error, ErrorCode};
use crate::store::Refusal;

/// Commits of one transaction at most.
const MOST_TASKS: usize = 256;
/// Bytes of one transaction at most, about; one commit may be larger by itself.
const MOST_BYTES: usize = 8 << 20;

/// The commits that wait.
#[derive(Default)]
struct Queues {
    /// A tenant is here as long as a task works for it.
    by_tenant: HashMap<TenantId, VecDeque<Job>>,
    waiting: usize,
    bytes: usize,
    is_closed: bool,
}

/// The way to the tasks that write.
pub(super) struct Writer {
    core: Arc<Core>,
    queues: Arc<Mutex<Queues>>,
    idle: Arc<Notify>,
    most_tasks: usize,
    most_bytes: usize,
}

impl Writer {
    /// Nothing waits; so many commits and bytes may.
    pub(super) fn new(core: Arc<Core>, most_tasks: usize, most_bytes: usize) -> Self {
        Writer {
            core,
            queues: Arc::default(),
            idle: Arc::default(),
            most_tasks: most_tasks.max(1),
            most_bytes,
        }
    }

    /// Puts the task in line and waits for its answer.
    pub(super) async fn commit(&self, task: Task) -> Answer {
        let tenant = task.tenant;
        let (reply, answer) = oneshot::channel();
        let weight = task.weight();
        let is_first = self.put(tenant, Job { task, weight, reply })?;
        if is_first {
            self.start(tenant);
        }
        answer
            .await
            .unwrap_or_else(|_| Err(Refusal::Failed(failure::unknown())))
    }

    /// Whether nobody works for the tenant yet.
    fn put(&self, tenant: TenantId, job: Job) -> Result<bool, Refusal> {
        if !self.core.is_up() {
            return Err(Refusal::Failed(failure::error_of_class(Class::Gone)));
        }
        let mut queues = lock(&self.queues);
        if queues.is_closed {
            return Err(Refusal::Failed(ended()));
        }
        // One large commit is let in when nothing else waits.
        let fits = queues.waiting == 0
            || (queues.waiting < self.most_tasks
                && queues.bytes.saturating_add(job.weight) <= self.most_bytes);
        if !fits {
            return Err(Refusal::Failed(busy()));
        }
        queues.waiting += 1;
        queues.bytes += job.weight;
        let is_first = !queues.by_tenant.contains_key(&tenant);
        queues.by_tenant.entry(tenant).or_default().push_back(job);
        Ok(is_first)
    }

    fn start(&self, tenant: TenantId) {
        let (core, queues, idle) = (self.core.clone(), self.queues.clone(), self.idle.clone());
        self.core.runtime.spawn(async move {
            while let Some(jobs) = take(&queues, tenant) {
                let (count, bytes) = (jobs.len(), jobs.iter().map(|job| job.weight).sum::<usize>());
                let served = AssertUnwindSafe(batch::serve(&core, tenant, jobs))
                    .catch_unwind()
                    .await;
                if served.is_err() {
                    tracing::error!(
                        commits = count,
                        "a panic in the writer; its transaction is undone"
                    );
                }
                core.batches.fetch_add(1, Ordering::Relaxed);
                let mut queues = lock(&queues);
                queues.waiting -= count;
                queues.bytes -= bytes;
            }
            idle.notify_waiters();
        });
    }

    /// Takes no more commits and waits for those that were taken.
    pub(super) async fn close(&self) {
        lock(&self.queues).is_closed = true;
        loop {
            let idle = self.idle.notified();
            let mut idle = std::pin::pin!(idle);
            idle.as_mut().enable();
            if lock(&self.queues).by_tenant.is_empty() {
                return;
            }
            idle.await;
        }
    }
}

/// The tenant's next batch; none, and nobody works for the tenant any more, where nothing waits.
fn take(queues: &Mutex<Queues>, tenant: TenantId) -> Option<Vec<Job>> {
    let mut queues = lock(queues);
    let queue = queues.by_tenant.get_mut(&tenant)?;
    let mut jobs = Vec::new();
    let mut weight = 0;
    while jobs.len() < MOST_TASKS && weight < MOST_BYTES {
        let Some(alone) = queue.front().map(|job| job.task.stands_alone()) else {
            break;
        };
        if alone && !jobs.is_empty() {
            break;
        }
        let Some(job) = queue.pop_front() else { break };
        weight += job.weight;
        jobs.push(job);
        if alone {
            break;
        }
    }
    if jobs.is_empty() {
        queues.by_tenant.remove(&tenant);
        return None;
    }
    Some(jobs)
}

fn lock(queues: &Mutex<Queues>) -> MutexGuard<'_, Queues> {
    queues.lock().unwrap_or_else(PoisonError::into_inner)
}

fn busy() -> Error {
    Error::new(
        ErrorCode::Unavailable,
        "Too many writes are waiting; nothing was changed. Try again later.",
    )
}

fn ended() -> Error {
    Error::new(
        ErrorCode::Unavailable,
        "The server is shutting down; nothing was changed.",
    )
}
