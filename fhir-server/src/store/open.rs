//! Opens a database by its URL, one arm a back end.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::Store;
use crate::context::{Clock, SystemClock};
use crate::error::{Error, ErrorCode, Result};

/// Which database.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DatabaseUrl {
    /// `sqlite:PATH`: one file, made where there is none.
    Sqlite(PathBuf),
    /// `postgres://…`.
    Postgres(String),
}

impl std::str::FromStr for DatabaseUrl {
    type Err = Error;

    fn from_str(url: &str) -> Result<Self> {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(DatabaseUrl::Postgres(url.into()));
        }
        match url
            .strip_prefix("sqlite:")
            .map(|path| path.strip_prefix("//").unwrap_or(path))
        {
            Some(path) if !path.is_empty() && !path.starts_with(':') => Ok(DatabaseUrl::Sqlite(path.into())),
            _ => Err(Error::new(
                ErrorCode::Value,
                "A database is named sqlite:PATH or postgres://…",
            )),
        }
    }
}

/// Without the password that a URL may hold.
impl std::fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            DatabaseUrl::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            DatabaseUrl::Postgres(_) => f.write_str("postgres://…"),
        }
    }
}

/// How a database is worked on.
#[derive(Clone)]
#[non_exhaustive]
pub struct StoreOptions {
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// Connections that read, at most (default 16). Each is made when first needed; with SQLite it takes 2 MB at most.
    /// PostgreSQL is given up to five connections more, to write and to watch.
    pub readers: usize,
    /// Commits that wait for the writer, at most (default 1,024); more are refused as busy.
    pub queue: usize,
    /// Bytes of the commits that wait for the writer, at most (default 64 MiB).
    pub queue_bytes: usize,
    /// How long a list or a count may take (default 20 s); it then ends with an error. It ends at once when its caller
    /// goes away.
    pub read_time: Duration,
}

impl Default for StoreOptions {
    fn default() -> Self {
        StoreOptions {
            clock: Arc::new(SystemClock),
            readers: 16,
            queue: 1_024,
            queue_bytes: 64 << 20,
            read_time: Duration::from_secs(20),
        }
    }
}

/// Opens a database for serving and brings its schema up to date. The calling thread waits meanwhile.
///
/// # Errors
/// The database cannot be opened, another process serves it, it is not of this server or of a later release of it, or
/// its settings would not keep acknowledged writes.
pub fn open(url: &DatabaseUrl, options: &StoreOptions) -> Result<Arc<dyn Store>> {
    match url {
        #[cfg(feature = "sqlite")]
        DatabaseUrl::Sqlite(path) => Ok(Arc::new(super::sqlite::SqliteStore::open(path, options)?)),
        #[cfg(feature = "postgres")]
        DatabaseUrl::Postgres(url) => Ok(Arc::new(super::postgres::PostgresStore::open(url, options)?)),
        #[cfg(not(all(feature = "postgres", feature = "sqlite")))]
        other => Err(not_offered(other)),
    }
}

/// Writes a consistent copy of the database to a new file, while it may be served and written.
///
/// # Errors
/// There is no such database, or the copy cannot be written, or its file exists.
#[cfg_attr(
    not(feature = "sqlite"),
    expect(unused_variables, reason = "only SQLite has a copy of its own")
)]
pub fn backup(url: &DatabaseUrl, to: &std::path::Path) -> Result<()> {
    match url {
        #[cfg(feature = "sqlite")]
        DatabaseUrl::Sqlite(path) => super::sqlite::backup(path, to),
        #[cfg(not(feature = "sqlite"))]
        DatabaseUrl::Sqlite(_) => Err(not_offered(url)),
        DatabaseUrl::Postgres(_) => Err(other_tool(
            "pg_dump, or pg_basebackup with an archive of the log,",
        )),
    }
}

/// Makes a database from a backup; an existing one gives way only with `replace`.
///
/// # Errors
/// The backup is damaged or of something else, a process serves the database, or it exists and `replace` is not given.
#[cfg_attr(
    not(feature = "sqlite"),
    expect(unused_variables, reason = "only SQLite has a copy of its own")
)]
pub fn restore(from: &std::path::Path, url: &DatabaseUrl, replace: bool) -> Result<()> {
    match url {
        #[cfg(feature = "sqlite")]
        DatabaseUrl::Sqlite(path) => super::sqlite::restore(from, path, replace),
        #[cfg(not(feature = "sqlite"))]
        DatabaseUrl::Sqlite(_) => Err(not_offered(url)),
        DatabaseUrl::Postgres(_) => Err(other_tool("pg_restore")),
    }
}

/// Brings the schema of a database that no process serves up to date; how many steps that took.
///
/// # Errors
/// As for [`open`].
pub fn migrate(url: &DatabaseUrl) -> Result<usize> {
    match url {
        #[cfg(feature = "sqlite")]
        DatabaseUrl::Sqlite(path) => super::sqlite::migrate(path),
        #[cfg(feature = "postgres")]
        DatabaseUrl::Postgres(url) => super::postgres::migrate(url),
        #[cfg(not(all(feature = "postgres", feature = "sqlite")))]
        other => Err(not_offered(other)),
    }
}

/// The version of the schema that this release gives such a database.
///
/// # Errors
/// This build does not work on such a database.
pub fn schema_version(url: &DatabaseUrl) -> Result<String> {
    match url {
        #[cfg(feature = "sqlite")]
        DatabaseUrl::Sqlite(_) => super::sqlite::schema_version(),
        #[cfg(feature = "postgres")]
        DatabaseUrl::Postgres(_) => Ok(super::postgres::schema_version()),
        #[cfg(not(all(feature = "postgres", feature = "sqlite")))]
        other => Err(not_offered(other)),
    }
}

#[cfg(not(all(feature = "postgres", feature = "sqlite")))]
fn not_offered(url: &DatabaseUrl) -> Error {
    Error::new(
        ErrorCode::NotSupported,
        format!("This build of the server does not work on {url:?}."),
    )
}

fn other_tool(tool: &str) -> Error {
    Error::new(
        ErrorCode::NotSupported,
        format!("A PostgreSQL database has tools of its own for this: use {tool} of its release."),
    )
}
