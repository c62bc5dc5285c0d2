//! [`Workers`]: threads that do long work, so that no thread that answers requests is held by it.
//!
//! Invariant: what waits is bounded. Where it is full the request is refused with 503, and may come again.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tokio::sync::oneshot;

use crate::error::{Error, ErrorCode, Result};

/// Pieces of work that wait at most.
const WAITING: usize = 256;

type Job = Box<dyn FnOnce() + Send>;

/// Threads that begin with the first work and end with the engine.
pub(in crate::engine) struct Workers {
    threads: usize,
    jobs: OnceLock<SyncSender<Job>>,
}

impl Workers {
    pub(in crate::engine) fn new(threads: usize) -> Workers {
        Workers {
            threads,
            jobs: OnceLock::new(),
        }
    }

    /// Does the work on one of the threads.
    ///
    /// # Errors
    /// Too much waits already, or the work failed.
    pub(in crate::engine) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let (answer, done) = oneshot::channel();
        let job: Job = Box::new(move || {
            // Whoever asked may be gone.
            let _ = answer.send(work());
        });
        match self.jobs.get_or_init(|| start(self.threads)).try_send(job) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => {
                let text = "Too many large resources are being validated: send it again in a moment.";
                return Err(Error::new(ErrorCode::Unavailable, text));
            }
            Err(TrySendError::Disconnected(_)) => return Err(Error::internal("no thread takes work")),
        }
        done.await
            .map_err(|_| Error::internal("a thread failed amid its work"))
    }
}

fn start(threads: usize) -> SyncSender<Job> {
    let (jobs, waiting) = sync_channel::<Job>(WAITING);
    let waiting = Arc::new(Mutex::new(waiting));
    for number in 0..threads {
        let waiting = Arc::clone(&waiting);
        let named = std::thread::Builder::new().name(format!("validate-{number}"));
        if let Err(error) = named.spawn(move || work(&waiting)) {
            tracing::error!(%error, "a thread for validation could not be started");
        }
    }
    jobs
}

fn work(waiting: &Mutex<Receiver<Job>>) {
    loop {
        let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = next else { return };
        if catch_unwind(AssertUnwindSafe(job)).is_err() {
            tracing::error!("a piece of work panicked");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use futures_util::FutureExt as _;

    use super::*;

    fn wait<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
            .block_on(future)
    }

    #[test]
    fn work_is_done_on_another_thread() {
        let workers = Workers::new(1);
        let here = std::thread::current().id();
        let there = wait(workers.run(|| std::thread::current().id())).unwrap();
        assert_ne!(here, there);
    }

    #[test]
    fn work_that_panics_fails_alone() {
        let workers = Workers::new(1);
        let failed = wait(workers.run(|| -> u8 { panic!("of the test") }));
        assert_eq!(failed.unwrap_err().code, ErrorCode::Internal);
        assert_eq!(wait(workers.run(|| 7)).unwrap(), 7);
    }

    #[test]
    fn more_work_than_may_wait_is_refused() {
        let workers = Workers::new(1);
        let (go, held) = channel::<()>();
        let (begun, begins) = channel::<()>();
        let mut first = Box::pin(workers.run(move || {
            begun.send(()).unwrap();
            held.recv().unwrap();
        }));
        assert!(first.as_mut().now_or_never().is_none());
        begins.recv().unwrap();
        let mut others: Vec<_> = (0..WAITING).map(|_| Box::pin(workers.run(|| ()))).collect();
        for other in &mut others {
            assert!(other.as_mut().now_or_never().is_none());
        }
        let refused = workers.run(|| ()).now_or_never().unwrap();
        assert_eq!(refused.unwrap_err().code, ErrorCode::Unavailable);
        go.send(()).unwrap();
        wait(first).unwrap();
        for other in others {
            wait(other).unwrap();
        }
    }
}
