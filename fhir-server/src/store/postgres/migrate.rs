//! Brings the schema up to date, without libpq: each step is one transaction, so that one which is killed leaves nothing.
//!
//! Invariant: of several processes that start at once, one takes each step and the others wait for it.
//! Invariant: a database that a later release has changed is not touched.

use diesel::sql_types::{BigInt, Text};

use super::failure;
use super::link::Link;
use crate::error::{Error, ErrorCode, Result};
use crate::store::sql::{Bind, Statement};

/// A step of the schema.
pub(super) struct Step {
    /// The folder's name up to its first underscore, without dashes.
    pub(super) version: &'static str,
    /// What it does.
    pub(super) up: &'static str,
    /// What undoes it.
    #[cfg(test)]
    pub(super) down: &'static str,
}

macro_rules! steps {
    ($($version:literal $folder:literal;)*) => {
        &[$(Step {
            version: $version,
            up: include_str!(concat!("../../../migrations/postgres/", $folder, "/up.sql")),
            #[cfg(test)]
            down: include_str!(concat!("../../../migrations/postgres/", $folder, "/down.sql")),
        },)*]
    };
}

/// The schema's steps, oldest first.
pub(super) const STEPS: &[Step] = steps! {
    "20261125000001" "2026-11-25-000001_resources";
    "20261126000001" "2026-11-26-000001_index";
    "20261126000101" "2026-11-26-000101_epoch";
    "20261126000111" "2026-11-26-000111_systems";
    "20261126000112" "2026-11-26-000112_passages";
    "20261126000113" "2026-11-26-000113_contained";
    "20261126000141" "2026-11-26-000141_belongs";
    "20261126000151" "2026-11-26-000151_audit";
    "20261126000161" "2026-11-26-000161_long_spans";
    "20261126000211" "2026-11-26-000211_forms";
    "20261127000101" "2026-11-27-000101_audit_waiting";
    "20261127000601" "2026-11-27-000601_forgotten";
    "20261127000701" "2026-11-27-000701_bundles";
    "20261127000801" "2026-11-27-000801_claim_owner";
};

/// Held by whoever changes the schema, in this transaction alone. The number says nothing: "FHIR" and "step".
const LOCK: &str = "SELECT pg_advisory_xact_lock(5064095635432727920)";
const TABLE: &str = "CREATE TABLE IF NOT EXISTS schema_step (version text COLLATE \"C\" NOT NULL PRIMARY KEY, \
                     taken_at timestamptz NOT NULL DEFAULT now())";

/// The version of the newest step.
pub(in crate::store) fn schema_version() -> String {
    STEPS
        .last()
        .map(|step| step.version.to_owned())
        .unwrap_or_default()
}

/// Takes the steps that the database has not had; how many.
pub(super) async fn migrate(link: &Link) -> Result<usize> {
    if is_known(link).await? {
        let taken = taken(link).await?;
        if taken.len() == STEPS.len() {
            return Ok(0);
        }
    }
    let mut count = 0;
    for step in STEPS {
        count += usize::from(take(link, step).await?);
    }
    Ok(count)
}

/// Whether the database has steps, all of them ours. A later release's are refused.
async fn is_known(link: &Link) -> Result<bool> {
    let sql = "SELECT count(*) FROM pg_catalog.pg_class c WHERE c.oid = to_regclass('schema_step')";
    let found: Option<i64> = link
        .first(Statement::<BigInt>::new(sql, []))
        .await
        .map_err(failure::error)?;
    if found != Some(1) {
        return Ok(false);
    }
    let strange = taken(link)
        .await?
        .into_iter()
        .any(|version| STEPS.iter().all(|step| step.version != version));
    match strange {
        true => Err(Error::new(
            ErrorCode::Value,
            "This database was written by a later release of the server; use that release.",
        )),
        false => Ok(true),
    }
}

async fn taken(link: &Link) -> Result<Vec<String>> {
    link.rows(Statement::<Text>::new("SELECT s.version FROM schema_step s", []))
        .await
        .map_err(failure::error)
}

/// Takes one step, unless it was taken before.
async fn take(link: &Link, step: &Step) -> Result<bool> {
    link.batch(&format!("BEGIN; {LOCK}; {TABLE}"))
        .await
        .map_err(|e| step_failed(step, e))?;
    is_known(link).await?;
    let sql = "INSERT INTO schema_step (version) VALUES (?) ON CONFLICT (version) DO NOTHING";
    let added = link
        .run(Statement::new(sql, [Bind::Text(step.version)]))
        .await
        .map_err(|e| step_failed(step, e))?;
    if added == 1 {
        link.batch(step.up).await.map_err(|e| step_failed(step, e))?;
    }
    link.batch("COMMIT").await.map_err(|e| step_failed(step, e))?;
    Ok(added == 1)
}

fn step_failed(step: &Step, cause: diesel::result::Error) -> Error {
    let what = format!(
        "The schema cannot be brought up to date: step {} failed and was undone.",
        step.version
    );
    Error::new(ErrorCode::Unavailable, what).with_cause(cause)
}
