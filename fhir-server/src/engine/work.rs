//! Work that takes long is done apart from the threads that answer, only so much of it at the same time.
//!
//! Invariant: no more threads work than there are turns, also where nobody waits for the work any more.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::Session;
use crate::error::{Error, Result};

/// One turn for each processor.
pub(super) fn turns() -> Arc<Semaphore> {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    Arc::new(Semaphore::new(processors))
}

/// Entries of a Bundle that are written where they are asked for.
const FEW_ENTRIES: usize = 50;

impl Session {
    /// A Bundle of so many entries, written apart where they are many.
    ///
    /// # Errors
    /// As [`Session::apart`], and those of the work.
    pub(crate) async fn written(
        &self,
        entries: usize,
        write: impl FnOnce() -> Result<Vec<u8>> + Send + 'static,
    ) -> Result<Vec<u8>> {
        match entries <= FEW_ENTRIES {
            true => write(),
            false => self.apart(write).await?,
        }
    }

    /// What the work gives, done on another thread when it is its turn.
    ///
    /// # Errors
    /// The request's deadline was over before its turn came, or the work broke off.
    pub(crate) async fn apart<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let turn = Arc::clone(&self.engine.turns).acquire_owned();
        let turn = turn.await.map_err(Error::internal)?;
        self.check_deadline()?;
        let work = move || {
            let done = work();
            drop(turn);
            done
        };
        tokio::task::spawn_blocking(work).await.map_err(Error::internal)
    }
}
