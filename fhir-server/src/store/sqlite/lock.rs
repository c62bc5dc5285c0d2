//! The lock that lets only one server process work on a database file.
//!
//! Invariant: the process that holds the lock is the only one whose writer, stamps and node number are in use. The
//! system lets go of the lock when the process ends, however it ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorCode, Result};

/// The lock, held as long as this lives.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of that database file, or says who holds it.
    pub(super) fn take(database: &Path) -> Result<Self> {
        let path = beside(database);
        let failed = |e: std::io::Error| {
            Error::new(
                ErrorCode::Unavailable,
                "The lock file beside the database cannot be opened.",
            )
            .with_cause(e)
        };
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(in_use(&mut file)),
            Err(TryLockError::Error(e)) => return Err(failed(e)),
        }
        file.set_len(0)
            .and_then(|()| write!(file, "{}", std::process::id()))
            .map_err(failed)?;
        Ok(Lock { _file: file })
    }
}

fn in_use(file: &mut File) -> Error {
    let mut holder = String::new();
    // The number is only for the message.
    let _ = file.take(20).read_to_string(&mut holder);
    let by = if holder.trim().is_empty() {
        String::new()
    } else {
        format!(" (process {})", holder.trim())
    };
    Error::new(
        ErrorCode::Unavailable,
        format!(
            "Another server{by} works on this database; only one may. Stop it first, or use another file."
        ),
    )
}

fn beside(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push("-lock");
    PathBuf::from(name)
}
