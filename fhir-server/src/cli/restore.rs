//! `restore`: a database from a backup.

use std::path::PathBuf;

use fhir_server::error::{ErrorCode, Result};
use fhir_server::store::{self, DatabaseUrl};

/// Make an SQLite database from a backup, after checking that the backup is whole. No server may have the database open.
///
/// A PostgreSQL database is restored with PostgreSQL's own tools.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  fhir-server restore --database sqlite:./copy.sqlite fhir-monday.backup
  fhir-server restore --database sqlite:./fhir.sqlite fhir-monday.backup --force
                                                 in the place of what is there")]
pub(super) struct Args {
    /// The backup to read.
    file: PathBuf,
    /// The database to make: sqlite:PATH.
    #[arg(long, value_name = "URL", env = "FHIR_SERVER_DATABASE")]
    database: DatabaseUrl,
    /// Replace the database that is there. What was written to it since the backup is lost.
    #[arg(long)]
    force: bool,
}

pub(super) fn run(args: &Args) -> Result<()> {
    store::restore(&args.file, &args.database, args.force).map_err(|mut error| {
        if let (false, ErrorCode::Value, Some(issue)) = (args.force, error.code, error.issues.last_mut()) {
            issue.diagnostics.push_str(" To replace it, add --force.");
        }
        error
    })?;
    println!("{:?} is restored from {}", args.database, args.file.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_gives_way_only_to_force() {
        let folder = tempfile::tempdir().unwrap();
        let database = |name: &str| DatabaseUrl::Sqlite(folder.path().join(name));
        store::migrate(&database("a")).unwrap();
        let file = folder.path().join("a.backup");
        let backup = super::super::backup::Args::of(file.clone(), database("a"));
        super::super::backup::run(&backup).unwrap();
        super::super::backup::run(&backup).unwrap_err();
        let restore = |name: &str, force| {
            run(&Args {
                file: file.clone(),
                database: database(name),
                force,
            })
        };
        restore("b", false).unwrap();
        let refused = restore("b", false).unwrap_err();
        assert!(refused.to_string().contains("--force"), "{refused}");
        restore("b", true).unwrap();
    }
}
