//! [`Pool`]: the connections that read. Made when first needed, kept, and no more than a fixed number of them.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use diesel::sql_types::BigInt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::failure;
use super::link::Link;
use crate::error::{Error, ErrorCode, Result};
use crate::store::sql::Statement;

/// How long a request waits for a connection.
const PATIENCE: Duration = Duration::from_secs(2);

/// The connections that read.
pub(super) struct Pool {
    path: PathBuf,
    free: Mutex<Vec<Link>>,
    permits: Arc<Semaphore>,
}

impl Pool {
    /// A pool of at most that many connections. The first is made now and stays: as long as one is open, SQLite keeps
    /// its index of the log in memory that all share, and reads go on when the writer's connection has failed and
    /// nothing can be written to the disk.
    pub(super) fn open(path: &Path, most: usize) -> Result<Arc<Self>> {
        let mut first = Link::reader(path)?;
        first.number("SELECT count(*) FROM server")?;
        Ok(Arc::new(Pool {
            path: path.to_path_buf(),
            free: Mutex::new(vec![first]),
            permits: Arc::new(Semaphore::new(most.max(1))),
        }))
    }

    /// A connection with a read transaction begun on it. Waits a little where all are in use.
    pub(super) async fn reader(self: &Arc<Self>) -> Result<Reader> {
        let permit = match self.permits.clone().try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => tokio::time::timeout(PATIENCE, self.permits.clone().acquire_owned())
                .await
                .ok()
                .and_then(|permit| permit.ok())
                .ok_or_else(|| Error::new(ErrorCode::Unavailable, "The server is busy; try again later."))?,
        };
        let kept = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut link = match kept {
            Some(link) => link,
            None => Link::reader(&self.path)?,
        };
        link.begin().map_err(failure::error)?;
        Ok(Reader {
            link: Some(link),
            pool: self.clone(),
            _permit: permit,
        })
    }

    /// Whether the database answers.
    pub(super) async fn ping(self: &Arc<Self>) -> Result<()> {
        let mut reader = self.reader().await?;
        let one = Statement::<BigInt>::new("SELECT count(*) FROM server", []);
        let _: Option<i64> = reader.link()?.first(one).map_err(failure::error)?;
        Ok(())
    }

    /// Gives out no more connections and lets go of those that are free.
    pub(super) fn close(&self) {
        self.permits.close();
        self.free.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn give_back(&self, mut link: Link) {
        // A connection whose transaction does not end is not used again.
        if link.end().is_ok() && !self.permits.is_closed() {
            self.free
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(link);
        }
    }
}

/// A connection lent by the pool, inside one read transaction; goes back when dropped.
pub(super) struct Reader {
    link: Option<Link>,
    pool: Arc<Pool>,
    _permit: OwnedSemaphorePermit,
}

impl Reader {
    /// The connection.
    pub(super) fn link(&mut self) -> Result<&mut Link> {
        self.link
            .as_mut()
            .ok_or_else(|| Error::internal("a connection was used after it was given back"))
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Some(link) = self.link.take() {
            self.pool.give_back(link);
        }
    }
}
