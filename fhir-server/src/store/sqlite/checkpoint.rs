//! Keeps the write-ahead log short: its pages are carried over into the database file between transactions.
//!
//! A passive checkpoint carries over what readers let it and waits for nobody; the log then starts again from its
//! beginning at the next write that meets no reader in it. Where readers always overlap, that moment never comes, so a
//! log that has become long is restarted by waiting for them, briefly.

use diesel::sql_types::BigInt;

use super::failure;
use super::link::Link;
use crate::error::{Error, ErrorCode, Result};
use crate::store::sql::Statement;

/// Pages in the log at which they are carried over: 16 MB.
const LONG: i64 = 4_000;
/// Pages in the log at which readers are waited for: 64 MB.
const TOO_LONG: i64 = 16_000;
/// Pages by which it must have grown before the next attempt.
const STEP: i64 = 1_000;
/// Transactions, and bytes in them, after which the log is looked at: looking takes as long as writing a page.
const LOOK_COMMITS: u32 = 16;
const LOOK_BYTES: usize = 1 << 20;

/// When the log was last carried over.
#[derive(Debug, Default)]
pub(super) struct Checkpoints {
    /// Pages in the log at the last attempt.
    last: i64,
    /// Transactions since the last look at the log, and bytes in them.
    commits: u32,
    bytes: usize,
}

/// What SQLite says of the log: whether somebody was in the way, its pages, and how many of them are carried over.
struct Log {
    busy: bool,
    pages: i64,
}

impl Checkpoints {
    /// Carries the log over if it has become long, after a transaction of about that many bytes. A failure is logged and
    /// tried again later: nothing is lost by it.
    pub(super) fn after_commit(&mut self, link: &mut Link, bytes: usize) {
        self.commits += 1;
        self.bytes = self.bytes.saturating_add(bytes);
        if self.commits < LOOK_COMMITS && self.bytes < LOOK_BYTES {
            return;
        }
        (self.commits, self.bytes) = (0, 0);
        if let Err(error) = self.keep_short(link) {
            tracing::warn!(%error, "the log was not carried over into the database file");
        }
    }

    fn keep_short(&mut self, link: &mut Link) -> Result<()> {
        let pages = look(link, "PRAGMA wal_checkpoint(NOOP)")?.pages;
        if pages < self.last {
            self.last = 0;
        }
        if pages < LONG || pages < self.last + STEP {
            return Ok(());
        }
        self.last = pages;
        look(link, "PRAGMA wal_checkpoint(PASSIVE)")?;
        if pages >= TOO_LONG && !restart(link)? {
            tracing::warn!(pages, "a reader keeps the log from being started again");
        }
        Ok(())
    }

    /// Carries all of the log over and cuts it to nothing, unless readers are in the way for more than a moment; whether it did.
    pub(super) fn cut(&mut self, link: &mut Link) -> Result<bool> {
        self.last = 0;
        restart(link)
    }

    /// Carries all of the log over, or fails.
    pub(super) fn all(&mut self, link: &mut Link) -> Result<()> {
        self.last = 0;
        truncate(link)
    }

    /// Carries the log over before the connection ends. Where that fails the next to open the file does it.
    pub(super) fn last(&mut self, link: &mut Link) {
        if let Err(error) = self.all(link) {
            tracing::warn!(%error, "the log was not carried over at the end");
        }
    }
}

/// Waits for readers briefly, and cuts the log where none is left in it.
fn restart(link: &mut Link) -> Result<bool> {
    link.batch("PRAGMA busy_timeout = 100").map_err(failure::error)?;
    let log = look(link, "PRAGMA wal_checkpoint(TRUNCATE)");
    link.batch("PRAGMA busy_timeout = 5000").map_err(failure::error)?;
    Ok(!log?.busy)
}

/// Carries all of the log over and cuts it to nothing, or fails.
pub(super) fn truncate(link: &mut Link) -> Result<()> {
    if look(link, "PRAGMA wal_checkpoint(TRUNCATE)")?.busy {
        return Err(Error::new(
            ErrorCode::Unavailable,
            "Readers keep the log from being carried over.",
        ));
    }
    Ok(())
}

fn look(link: &mut Link, sql: &'static str) -> Result<Log> {
    let row: Option<(i64, i64, i64)> = link
        .first(Statement::<(BigInt, BigInt, BigInt)>::new(sql, []))
        .map_err(failure::error)?;
    let (busy, pages, _) = row.ok_or_else(|| Error::internal("no answer about the log"))?;
    Ok(Log {
        busy: busy != 0,
        pages,
    })
}
