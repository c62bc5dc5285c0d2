//! [`Link`]: one connection to the database file, set up so that what it commits is durable.
//!
//! Invariant: no connection works on a SQLite library or with settings that may lose an acknowledged write.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use diesel::connection::SimpleConnection;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::query_dsl::LoadQuery;
use diesel::result::QueryResult;
use diesel::sql_types::{BigInt, Text};
use diesel::sqlite::Sqlite;
use diesel::{Connection, RunQueryDsl, SqliteConnection};

use super::failure;
use super::watch::Watch;
use crate::error::{Error, Result};
use crate::store::Asked;
use crate::store::sql::Statement;

/// The first version of SQLite without the fault that could corrupt a database when its WAL is reset
/// (present from 3.7.0).
const OLDEST: [u32; 3] = [3, 51, 3];
/// How many statements of different text stay prepared on one connection.
const MOST_SHAPES: usize = 256;

const SETTINGS: &str = "\
    PRAGMA busy_timeout = 5000;\
    PRAGMA synchronous = FULL;\
    PRAGMA fullfsync = ON;\
    PRAGMA checkpoint_fullfsync = ON;\
    PRAGMA mmap_size = 0;\
    PRAGMA temp_store = MEMORY;\
    PRAGMA trusted_schema = OFF;\
    PRAGMA cell_size_check = ON;";
/// The writer checkpoints by itself: see `writer`.
const WRITER_SETTINGS: &str = "\
    PRAGMA cache_size = -8192;\
    PRAGMA secure_delete = ON;\
    PRAGMA wal_autocheckpoint = 0;\
    PRAGMA journal_size_limit = 4194304;";
const READER_SETTINGS: &str = "\
    PRAGMA cache_size = -2048;\
    PRAGMA wal_autocheckpoint = 0;\
    PRAGMA query_only = ON;";

/// One connection.
pub(super) struct Link {
    conn: SqliteConnection,
    watch: Arc<Watch>,
    shapes: HashSet<u64>,
    /// What is asked, while it is noted.
    noted: Option<Vec<Asked>>,
}

impl Link {
    /// A connection that has changed nothing of the file yet. Makes the file where there is none.
    pub(super) fn bare(path: &Path) -> Result<Self> {
        let mut link = Link::open(&absolute(path)?)?;
        link.batch(SETTINGS).map_err(failure::error)?;
        Ok(link)
    }

    /// The connection that writes.
    pub(super) fn into_writer(mut self) -> Result<Self> {
        self.batch("PRAGMA journal_mode = WAL;").map_err(failure::error)?;
        self.batch(WRITER_SETTINGS).map_err(failure::error)?;
        self.check()?;
        Ok(self)
    }

    /// A connection that only reads, beside the writer.
    pub(super) fn reader(path: &Path) -> Result<Self> {
        let mut link = Link::bare(path)?;
        link.batch(READER_SETTINGS).map_err(failure::error)?;
        link.check()?;
        Ok(link)
    }

    /// A connection to a file that another process may be serving: nothing of it is changed.
    pub(super) fn visitor(path: &Path) -> Result<Self> {
        let absolute = absolute(path)?;
        let mut name = String::from("file:");
        for c in absolute.chars() {
            match c {
                '%' => name.push_str("%25"),
                '?' => name.push_str("%3f"),
                '#' => name.push_str("%23"),
                c => name.push(c),
            }
        }
        name.push_str("?mode=ro");
        let mut link = Link::open(&name)?;
        link.batch("PRAGMA busy_timeout = 5000; PRAGMA trusted_schema = OFF;")
            .map_err(failure::error)?;
        Ok(link)
    }

    fn open(url: &str) -> Result<Self> {
        let mut conn = SqliteConnection::establish(url)
            .map_err(|e| failure::error_of_class(failure::Class::Io).with_cause(e))?;
        let watch = Watch::over(&mut conn).map_err(failure::error)?;
        Ok(Link {
            conn,
            watch,
            shapes: HashSet::new(),
            noted: None,
        })
    }

    fn check(&mut self) -> Result<()> {
        let version = self.text("SELECT sqlite_version()")?;
        if !recent_enough(&version) {
            return Err(Error::internal(format!(
                "SQLite {version} may corrupt a database; at least {}.{}.{} is needed",
                OLDEST[0], OLDEST[1], OLDEST[2]
            )));
        }
        let mode = self.text("PRAGMA journal_mode")?;
        let sync = self.number("PRAGMA synchronous")?;
        if mode != "wal" || sync < 2 {
            return Err(Error::internal(format!(
                "the database works with journal_mode={mode} and synchronous={sync}: WAL and at least FULL (2) are \
                 needed, or acknowledged writes may be lost"
            )));
        }
        Ok(())
    }

    /// What can end its lists and counts.
    pub(super) fn watch(&self) -> &Arc<Watch> {
        &self.watch
    }

    /// The connection itself, for migrations.
    pub(super) fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.conn
    }

    /// Runs text without values.
    pub(super) fn batch(&mut self, sql: &'static str) -> QueryResult<()> {
        self.conn.batch_execute(sql)
    }

    /// The one number that a fixed text gives.
    pub(super) fn number(&mut self, sql: &'static str) -> Result<i64> {
        let row: Option<i64> = self
            .first(Statement::<BigInt>::new(sql, []))
            .map_err(failure::error)?;
        row.ok_or_else(|| Error::internal(format!("no answer to {sql}")))
    }

    /// The one text that a fixed text gives.
    pub(super) fn text(&mut self, sql: &'static str) -> Result<String> {
        let row: Option<String> = self
            .first(Statement::<Text>::new(sql, []))
            .map_err(failure::error)?;
        row.ok_or_else(|| Error::internal(format!("no answer to {sql}")))
    }

    /// Runs a statement that gives no rows; how many it changed.
    pub(super) fn run(&mut self, mut statement: Statement<'_>) -> QueryResult<usize> {
        self.admit(&mut statement);
        statement.execute(&mut self.conn)
    }

    /// Begins a transaction of reads.
    pub(super) fn begin(&mut self) -> QueryResult<()> {
        Begin.execute(&mut self.conn).map(drop)
    }

    /// Ends it.
    pub(super) fn end(&mut self) -> QueryResult<()> {
        Commit.execute(&mut self.conn).map(drop)
    }

    /// The rows of a statement.
    pub(super) fn rows<'a, ST, U>(&mut self, mut statement: Statement<'a, ST>) -> QueryResult<Vec<U>>
    where
        Statement<'a, ST>: LoadQuery<'a, SqliteConnection, U>,
    {
        if self.noted.is_some() {
            return self.noting(statement);
        }
        self.admit(&mut statement);
        statement.load(&mut self.conn)
    }

    /// From now on notes what is asked for rows.
    pub(super) fn note(&mut self) {
        self.noted = Some(Vec::new());
    }

    /// What was noted; nothing more is.
    pub(super) fn noted(&mut self) -> Vec<Asked> {
        self.noted.take().unwrap_or_default()
    }

    fn noting<'a, ST, U>(&mut self, statement: Statement<'a, ST>) -> QueryResult<Vec<U>>
    where
        Statement<'a, ST>: LoadQuery<'a, SqliteConnection, U>,
    {
        let sql = statement.text();
        let steps: Vec<(i64, i64, i64, String)> = statement.explained().load(&mut self.conn)?;
        let (before, start) = (self.watch.looked_at(), Instant::now());
        let rows: Vec<U> = statement.load(&mut self.conn)?;
        let asked = Asked {
            sql,
            plan: indented(steps),
            rows: rows.len(),
            looked_at: self.watch.looked_at().wrapping_sub(before).into(),
            took: start.elapsed(),
        };
        self.noted.get_or_insert_default().push(asked);
        Ok(rows)
    }

    /// The first row of a statement.
    pub(super) fn first<'a, ST, U>(&mut self, statement: Statement<'a, ST>) -> QueryResult<Option<U>>
    where
        Statement<'a, ST>: LoadQuery<'a, SqliteConnection, U>,
    {
        Ok(self.rows(statement)?.into_iter().next())
    }

    /// diesel keeps every reusable statement prepared for good, so only so many different ones may be reusable.
    fn admit<ST>(&mut self, statement: &mut Statement<'_, ST>) {
        let shape = statement.shape();
        if !self.shapes.contains(&shape) {
            if self.shapes.len() < MOST_SHAPES {
                self.shapes.insert(shape);
            } else {
                statement.once();
            }
        }
    }
}

/// The steps of a plan, each two spaces further in than the one that it is part of.
fn indented(steps: Vec<(i64, i64, i64, String)>) -> Vec<String> {
    let mut depths: HashMap<i64, usize> = HashMap::new();
    let lines = steps.into_iter().map(|(id, parent, _, step)| {
        let depth = depths.get(&parent).map_or(0, |depth| depth + 1);
        depths.insert(id, depth);
        format!("{}{step}", "  ".repeat(depth))
    });
    lines.collect()
}

/// Statements of every snapshot, which diesel finds by their types and need not print to find.
#[derive(QueryId)]
struct Begin;
#[derive(QueryId)]
struct Commit;

impl QueryFragment<Sqlite> for Begin {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql("BEGIN");
        Ok(())
    }
}

impl QueryFragment<Sqlite> for Commit {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql("COMMIT");
        Ok(())
    }
}

impl RunQueryDsl<SqliteConnection> for Begin {}
impl RunQueryDsl<SqliteConnection> for Commit {}

fn recent_enough(version: &str) -> bool {
    let numbers: Vec<u32> = version.split('.').filter_map(|n| n.parse().ok()).collect();
    numbers.as_slice() >= OLDEST.as_slice()
}

/// The path as SQLite is given it: absolute, so that it is never taken for a URI.
fn absolute(path: &Path) -> Result<String> {
    let path: PathBuf = std::path::absolute(path).map_err(Error::internal)?;
    path.into_os_string()
        .into_string()
        .map_err(|_| Error::internal("the database's path is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sqlite_with_the_wal_reset_fault_is_refused() {
        for (version, good) in [
            ("3.40.1", false),
            ("3.51.2", false),
            ("3.51.3", true),
            ("3.53.2", true),
            ("4.0.0", true),
        ] {
            assert_eq!(recent_enough(version), good, "{version}");
        }
    }
}
