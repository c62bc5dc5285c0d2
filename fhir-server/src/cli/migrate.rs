//! `migrate`: brings the schema of a database up to date.

use fhir_server::error::Result;
use fhir_server::store::{self, DatabaseUrl};

/// Bring the schema of a database up to date, or make an empty one. No server may have an SQLite file open.
///
/// A server does the same when it starts; this is for doing it before, and after a backup.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Example:
  fhir-server backup --database sqlite:./fhir.sqlite before.backup
  fhir-server migrate --database sqlite:./fhir.sqlite")]
pub(super) struct Args {
    /// The database: sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE.
    #[arg(long, value_name = "URL", env = "FHIR_SERVER_DATABASE")]
    database: DatabaseUrl,
}

pub(super) fn run(args: &Args) -> Result<()> {
    println!("{}", migrate(&args.database)?);
    Ok(())
}

fn migrate(database: &DatabaseUrl) -> Result<String> {
    let steps = store::migrate(database)?;
    let version = store::schema_version(database)?;
    Ok(match steps {
        0 => format!("{database:?} has schema {version} already"),
        1 => format!("{database:?} has schema {version} now, after 1 step"),
        _ => format!("{database:?} has schema {version} now, after {steps} steps"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_migration_has_nothing_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let database = DatabaseUrl::Sqlite(folder.path().join("a"));
        assert!(migrate(&database).unwrap().contains("now, after"));
        assert!(migrate(&database).unwrap().ends_with("already"));
    }
}
