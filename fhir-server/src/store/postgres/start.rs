//! What happens between naming a database and serving it: schema, durability, the server's own facts.

use diesel::sql_types::{BigInt, Binary, Text};

use super::failure;
use super::link::Link;
use super::migrate;
use crate::error::{Error, ErrorCode, Result};
use crate::store::sql::{Bind, Statement};

/// The oldest release of PostgreSQL that the tests run on.
const OLDEST: i64 = 15;

/// Makes the database ready to be served; its own secret.
pub(super) async fn start(link: &Link) -> Result<[u8; 32]> {
    check_settings(link).await?;
    migrate::migrate(link).await?;
    secret(link).await
}

/// Refuses a database that would lose what was acknowledged.
async fn check_settings(link: &Link) -> Result<()> {
    let version = setting(link, "SELECT current_setting('server_version_num')").await?;
    let version = version.parse::<i64>().map_err(Error::internal)? / 10_000;
    if version < OLDEST {
        let what = format!("The database is PostgreSQL {version}; at least {OLDEST} is needed.");
        return Err(Error::new(ErrorCode::Value, what));
    }
    for (sql, name) in [
        ("SELECT current_setting('fsync')", "fsync"),
        ("SELECT current_setting('full_page_writes')", "full_page_writes"),
        (
            "SELECT current_setting('synchronous_commit')",
            "synchronous_commit",
        ),
    ] {
        if setting(link, sql).await? == "off" {
            let what =
                format!("The database works with {name}=off: acknowledged writes may be lost. Switch it on.");
            return Err(Error::new(ErrorCode::Value, what));
        }
    }
    let language = setting(link, "SELECT current_setting('lc_messages')").await?;
    if !(language.is_empty()
        || language == "POSIX"
        || language.starts_with('C')
        || language.starts_with("en"))
    {
        tracing::warn!(
            language,
            "the database tells its errors in another language: set lc_messages to C, so that they are told apart"
        );
    }
    Ok(())
}

async fn setting(link: &Link, sql: &'static str) -> Result<String> {
    let value: Option<String> = link
        .first(Statement::<Text>::new(sql, []))
        .await
        .map_err(failure::error)?;
    value.ok_or_else(|| Error::internal("a setting without a value"))
}

/// The database's own secret, made once.
async fn secret(link: &Link) -> Result<[u8; 32]> {
    let mut fresh = [0; 32];
    getrandom::fill(&mut fresh).map_err(|e| Error::internal(e.to_string()))?;
    let sql = "INSERT INTO server (name, value) VALUES ('secret', ?) ON CONFLICT (name) DO NOTHING";
    link.run(Statement::new(sql, [Bind::Bytes(&fresh)]))
        .await
        .map_err(failure::error)?;
    let sql = "SELECT value FROM server WHERE name = 'secret'";
    let stored: Option<Vec<u8>> = link
        .first(Statement::<Binary>::new(sql, []))
        .await
        .map_err(failure::error)?;
    let stored = stored.ok_or_else(|| Error::internal("the database's secret is missing"))?;
    stored
        .try_into()
        .map_err(|_| Error::internal("the database's secret is damaged"))
}

/// A sign of life.
pub(super) async fn ping(link: &Link) -> Result<()> {
    let one: Option<i64> = link
        .first(Statement::<BigInt>::new("SELECT 1::bigint", []))
        .await
        .map_err(failure::error)?;
    one.map(|_| ())
        .ok_or_else(|| Error::internal("no answer to SELECT 1"))
}
