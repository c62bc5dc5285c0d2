//! What happens between naming a file and serving it: lock, connection, migrations, the server's own facts.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use diesel::sql_types::{BigInt, Binary, Nullable};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::failure;
use super::link::Link;
use super::lock::Lock;
use crate::error::{Error, ErrorCode, Result};
use crate::store::StoreOptions;
use crate::store::sql::{Bind, Statement};
use crate::store::stamp::Generator;

/// The schema's steps, oldest first.
pub(super) const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
/// `application_id` of a file of ours.
const OURS: i64 = 1_178_093_906;
/// Only one process works on a file, so its node number is always the same.
const NODE: u16 = 1;

/// A database that is ready to be served.
pub(super) struct Started {
    /// The file, without links or `..` in its name.
    pub(super) path: PathBuf,
    /// Keeps other servers away.
    pub(super) lock: Lock,
    /// The connection that writes.
    pub(super) link: Link,
    /// Makes stamps above all that are stored.
    pub(super) stamps: Generator,
    /// The database's own secret.
    pub(super) secret: [u8; 32],
}

/// Opens the file for serving.
pub(super) fn start(path: &Path, options: &StoreOptions) -> Result<Started> {
    let path = plain_path(path)?;
    let lock = Lock::take(&path)?;
    let (mut link, _) = open_ours(&path)?;
    let secret = secret(&mut link)?;
    lease_node(&mut link, options)?;
    let stamps = Generator::new(NODE, greatest_stamp(&mut link)?);
    Ok(Started {
        path,
        lock,
        link,
        stamps,
        secret,
    })
}

/// The path with its folder's links resolved, so that one file has one lock.
pub(super) fn plain_path(path: &Path) -> Result<PathBuf> {
    let unusable = |e: std::io::Error| {
        let what = format!(
            "The folder of the database {} cannot be used: {e}",
            path.display()
        );
        Error::new(ErrorCode::Unavailable, what)
    };
    if path.exists() {
        return path.canonicalize().map_err(unusable);
    }
    let absolute = std::path::absolute(path).map_err(unusable)?;
    match (absolute.parent(), absolute.file_name()) {
        (Some(folder), Some(name)) => Ok(folder.canonicalize().map_err(unusable)?.join(name)),
        _ => Err(Error::new(
            ErrorCode::Value,
            format!("{} is not the name of a file", path.display()),
        )),
    }
}

/// Opens the file for writing and runs the migrations that it has not had; how many. A file of something else, or of
/// a later release, is not touched.
pub(super) fn open_ours(path: &Path) -> Result<(Link, usize)> {
    if !path.exists() {
        create_private(path)?;
    }
    let mut link = Link::bare(path)?;
    if link.number("SELECT count(*) FROM sqlite_schema")? > 0 {
        check_ours(&mut link)?;
    }
    let mut link = link.into_writer()?;
    let migrated = link
        .connection()
        .run_pending_migrations(MIGRATIONS)
        .map(|versions| versions.len());
    let steps =
        migrated.map_err(|e| Error::internal(format!("the schema cannot be brought up to date: {e}")))?;
    Ok((link, steps))
}

/// Makes an empty file that only its owner may read, durably: patients' records go into it. SQLite gives the files beside
/// it the same rights.
pub(super) fn create_private(path: &Path) -> Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let made = options.open(path).and_then(|file| {
        file.sync_all()?;
        path.parent()
            .map_or(Ok(()), |folder| File::open(folder)?.sync_all())
    });
    made.map_err(|e| {
        let what = format!("The database file {} cannot be made: {e}", path.display());
        Error::new(ErrorCode::Unavailable, what).with_cause(e)
    })
}

/// Refuses a file that is not ours or that a later release has changed.
pub(super) fn check_ours(link: &mut Link) -> Result<()> {
    let refuse = |why: &str| Err(Error::new(ErrorCode::Value, why));
    if link.number("PRAGMA application_id")? != OURS {
        return refuse("This SQLite file is not a database of this server; name another, or a new one.");
    }
    let applied = link
        .connection()
        .applied_migrations()
        .map_err(|e| Error::internal(e.to_string()))?;
    let known = diesel::migration::MigrationSource::<diesel::sqlite::Sqlite>::migrations(&MIGRATIONS)
        .map_err(|e| Error::internal(e.to_string()))?;
    if applied
        .iter()
        .any(|version| known.iter().all(|m| m.name().version() != *version))
    {
        return refuse("This database was written by a later release of the server; use that release.");
    }
    Ok(())
}

/// The database's own secret, made once.
fn secret(link: &mut Link) -> Result<[u8; 32]> {
    let mut fresh = [0; 32];
    getrandom::fill(&mut fresh).map_err(|e| Error::internal(e.to_string()))?;
    for (name, value) in [("secret", fresh.as_slice()), ("probe", &[])] {
        let sql = "INSERT INTO server (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING";
        link.run(Statement::new(sql, [Bind::Text(name), Bind::Bytes(value)]))
            .map_err(failure::error)?;
    }
    let stored: Option<Vec<u8>> = link
        .first(Statement::<Binary>::new(
            "SELECT value FROM server WHERE name = 'secret'",
            [],
        ))
        .map_err(failure::error)?;
    let stored = stored.ok_or_else(|| Error::internal("the database's secret is missing"))?;
    stored
        .try_into()
        .map_err(|_| Error::internal("the database's secret is damaged"))
}

fn lease_node(link: &mut Link, options: &StoreOptions) -> Result<()> {
    let holder = format!("process {}", std::process::id());
    let lease = Statement::new(
        "INSERT INTO node (number, holder, leased_at) VALUES (?, ?, ?)\
         \x20ON CONFLICT (number) DO UPDATE SET holder = excluded.holder, leased_at = excluded.leased_at",
        [
            Bind::Big(NODE.into()),
            Bind::Text(&holder),
            Bind::Big(options.clock.now().0),
        ],
    );
    link.run(lease).map_err(failure::error)?;
    Ok(())
}

/// The greatest stamp of all tenants, of changes or of the audit trail: one look at the end of each tenant's index.
fn greatest_stamp(link: &mut Link) -> Result<Option<i64>> {
    let statement = Statement::<Nullable<BigInt>>::new(
        "WITH RECURSIVE tenants (tenant) AS (\
         \x20SELECT min(tenant) FROM resource UNION ALL\
         \x20SELECT (SELECT min(r.tenant) FROM resource r WHERE r.tenant > t.tenant) FROM tenants t\
         \x20WHERE t.tenant IS NOT NULL)\
         \x20SELECT max((SELECT max(r.stamp) FROM resource r WHERE r.tenant = t.tenant)) FROM tenants t",
        [],
    );
    let of_changes: Option<Option<i64>> = link.first(statement).map_err(failure::error)?;
    let statement = Statement::<Nullable<BigInt>>::new("SELECT max(a.stamp) FROM audit a", []);
    let of_trail: Option<Option<i64>> = link.first(statement).map_err(failure::error)?;
    Ok(of_changes.flatten().max(of_trail.flatten()))
}
