//! The writer: one thread with the one connection that writes.
//!
//! It takes all waiting commits, carries them out in one transaction, each in a savepoint of its own, and answers them
//! once that transaction is on the disk: many clients share one sync (group commit).
//!
//! This file is the way to it, `work` what it does.
//!
//! Invariant: the queue is bounded in commits and in bytes; what does not fit is refused at once.

use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use super::task::Task;
use super::work::{Tools, Work};
use crate::error::{Error, ErrorCode, Result};
use crate::store::{Outcome, Refusal};

/// What became of a commit.
pub(super) type Answer = std::result::Result<Vec<Outcome>, Refusal>;

/// A commit that waits.
pub(super) struct Job {
    /// What to do.
    pub(super) task: Task,
    /// About how much memory it holds.
    pub(super) weight: usize,
    /// Who waits.
    pub(super) reply: oneshot::Sender<Answer>,
}

/// What the queue holds.
pub(super) enum Message {
    /// Work.
    Job(Job),
    /// The end.
    Close,
}

/// How the writer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Health {
    /// Writes.
    Good = 0,
    /// The last commit met a full disk.
    Full = 1,
    /// The last commit met an I/O error; nothing is written until it has recovered.
    Broken = 2,
    /// The thread has ended.
    Ended = 3,
}

/// What the thread and those who wait for it both see.
#[derive(Default)]
pub(super) struct Shared {
    health: AtomicU8,
    waiting_bytes: AtomicUsize,
}

impl Shared {
    /// How the writer is.
    pub(super) fn health(&self) -> Health {
        match self.health.load(Ordering::Acquire) {
            0 => Health::Good,
            1 => Health::Full,
            2 => Health::Broken,
            _ => Health::Ended,
        }
    }

    /// Says how the writer is.
    pub(super) fn set_health(&self, health: Health) {
        self.health.store(health as u8, Ordering::Release);
    }

    /// Counts that many bytes as waiting, unless others wait and it is too much. One large commit is let in when
    /// nothing else waits.
    fn take_in(&self, weight: usize, most: usize) -> bool {
        let waiting = self.waiting_bytes.fetch_add(weight, Ordering::AcqRel);
        let fits = waiting == 0 || waiting.saturating_add(weight) <= most;
        if !fits {
            self.let_go(weight);
        }
        fits
    }

    /// Counts that many bytes as waiting no more.
    pub(super) fn let_go(&self, weight: usize) {
        self.waiting_bytes.fetch_sub(weight, Ordering::AcqRel);
    }
}

/// The way to the writer's thread.
pub(super) struct Writer {
    queue: SyncSender<Message>,
    most_bytes: usize,
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Starts the thread, with a queue of so many commits and bytes.
    pub(super) fn start(tools: Tools, most_tasks: usize, most_bytes: usize) -> Result<Self> {
        let (queue, receiver) = sync_channel(most_tasks.max(1));
        let shared = Arc::new(Shared::default());
        let mut work = Work::new(tools, shared.clone());
        let thread = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || work.run(&receiver))
            .map_err(Error::internal)?;
        Ok(Writer {
            queue,
            most_bytes,
            shared,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// How the writer is.
    pub(super) fn health(&self) -> Health {
        self.shared.health()
    }

    /// Hands the task over and waits for its answer.
    pub(super) async fn commit(&self, task: Task) -> Answer {
        let weight = task.weight();
        if !self.shared.take_in(weight, self.most_bytes) {
            return Err(Refusal::Failed(busy()));
        }
        let (reply, answer) = oneshot::channel();
        if let Err(refused) = self.queue.try_send(Message::Job(Job { task, weight, reply })) {
            self.shared.let_go(weight);
            return Err(Refusal::Failed(match refused {
                TrySendError::Full(_) => busy(),
                TrySendError::Disconnected(_) => ended(),
            }));
        }
        answer.await.unwrap_or_else(|_| Err(Refusal::Failed(ended())))
    }

    /// Lets the thread end its work and waits until it has let go of the database.
    pub(super) fn close(&self) {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // A full queue empties, so this does not wait for ever; a thread that has ended refuses, which is as good.
            let _ = self.queue.send(Message::Close);
            if thread.join().is_err() {
                tracing::error!("the writer's thread ended by a panic");
            }
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.close();
    }
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
        "The server is shutting down; the change was not acknowledged.",
    )
}
