//! Backup, restore and migration of a database file.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use super::checkpoint;
use super::failure;
use super::link::Link;
use super::lock::Lock;
use super::start;
use crate::error::{Error, ErrorCode, Result};
use crate::store::sql::{Bind, Statement};

/// Writes a consistent, compact copy of the database, while a server may be serving and writing it.
pub(in crate::store) fn backup(database: &Path, to: &Path) -> Result<()> {
    let database = existing(database)?;
    let to = vacant(to)?;
    let part = suffixed(&to, "-part");
    remove(&part)?;
    let mut link = Link::visitor(&database)?;
    start::check_ours(&mut link)?;
    let name = part
        .to_str()
        .ok_or_else(|| Error::internal("the backup's path is not UTF-8"))?;
    start::create_private(&part)?;
    link.run(Statement::new("VACUUM INTO ?", [Bind::Text(name)]))
        .map_err(failure::error)?;
    drop(link);
    publish(&part, &to)
}

/// Puts a backup in the place of a database that no server works on. With `replace`, an existing one gives way.
pub(in crate::store) fn restore(from: &Path, database: &Path, replace: bool) -> Result<()> {
    let from = existing(from)?;
    let database = start::plain_path(database)?;
    let _lock = Lock::take(&database)?;
    if database.exists() && !replace {
        return Err(taken(&database));
    }
    sound(&from)?;
    let part = suffixed(&database, "-part");
    remove(&part)?;
    start::create_private(&part)?;
    copy(&from, &part).map_err(|e| io(e, &part))?;
    if database.exists() {
        retire(&database);
    }
    // The old log must not be read into the new file.
    remove(&suffixed(&database, "-wal"))?;
    remove(&suffixed(&database, "-shm"))?;
    publish(&part, &database)
}

fn copy(from: &Path, to: &Path) -> std::io::Result<u64> {
    std::io::copy(
        &mut File::open(from)?,
        &mut OpenOptions::new().write(true).open(to)?,
    )
}

/// Carries the log of a database that gives way over into it, so that it is whole until it is replaced. A damaged one
/// may not allow that, and may be the reason for the restore.
fn retire(database: &Path) {
    let closed = Link::bare(database)
        .and_then(Link::into_writer)
        .and_then(|mut link| checkpoint::truncate(&mut link));
    if let Err(error) = closed {
        tracing::warn!(%error, "the database that is replaced could not be closed in order");
    }
}

/// Brings the schema up to date; how many steps that took.
pub(in crate::store) fn migrate(database: &Path) -> Result<usize> {
    let database = start::plain_path(database)?;
    let _lock = Lock::take(&database)?;
    start::open_ours(&database).map(|(_, steps)| steps)
}

/// The version of the newest migration.
pub(in crate::store) fn schema_version() -> Result<String> {
    let known = diesel::migration::MigrationSource::<diesel::sqlite::Sqlite>::migrations(&start::MIGRATIONS)
        .map_err(|e| Error::internal(format!("the migrations cannot be listed: {e}")))?;
    let newest = known.iter().map(|m| m.name().version().to_string()).max();
    Ok(newest.unwrap_or_default())
}

fn sound(file: &Path) -> Result<()> {
    let mut link = Link::visitor(file)?;
    let damaged = |what: &str| Error::new(ErrorCode::Value, format!("The backup is damaged: {what}"));
    let found = link.text("PRAGMA integrity_check(1)");
    match found
        .map_err(|error| damaged("it cannot be read whole").with_cause(error))?
        .as_str()
    {
        "ok" => start::check_ours(&mut link),
        found => Err(damaged(found)),
    }
}

fn existing(path: &Path) -> Result<PathBuf> {
    path.canonicalize().map_err(|e| io(e, path))
}

fn vacant(path: &Path) -> Result<PathBuf> {
    let path = start::plain_path(path)?;
    if path.exists() {
        Err(taken(&path))
    } else {
        Ok(path)
    }
}

fn taken(path: &Path) -> Error {
    Error::new(
        ErrorCode::Value,
        format!(
            "{} exists already; name another file, or ask to replace it.",
            path.display()
        ),
    )
}

fn suffixed(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(io(e, path)),
        _ => Ok(()),
    }
}

/// Makes the finished file durable under its own name.
fn publish(part: &Path, to: &Path) -> Result<()> {
    let sync = |path: &Path| {
        File::open(path)
            .and_then(|f| f.sync_all())
            .map_err(|e| io(e, path))
    };
    sync(part)?;
    std::fs::rename(part, to).map_err(|e| io(e, to))?;
    to.parent().map_or(Ok(()), sync)
}

fn io(error: std::io::Error, path: &Path) -> Error {
    let class = failure::class_of_io(&error);
    let code = if class == failure::Class::Full {
        ErrorCode::StorageFull
    } else {
        ErrorCode::Unavailable
    };
    Error::new(code, format!("{}: {error}", path.display())).with_cause(error)
}
