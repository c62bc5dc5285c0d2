//! `backup`: a copy of a database that may be in use.

use std::path::PathBuf;

use fhir_server::error::Result;
use fhir_server::store::{self, DatabaseUrl};

/// Write a consistent copy of an SQLite database to a new file, while a server goes on serving and writing it.
///
/// A PostgreSQL database is backed up with PostgreSQL's own tools: pg_dump, or pg_basebackup with an archive of the log.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Example:
  fhir-server backup --database sqlite:./fhir.sqlite fhir-monday.backup")]
pub(super) struct Args {
    /// The file to write; it must not exist.
    file: PathBuf,
    /// The database: sqlite:PATH.
    #[arg(long, value_name = "URL", env = "FHIR_SERVER_DATABASE")]
    database: DatabaseUrl,
}

pub(super) fn run(args: &Args) -> Result<()> {
    store::backup(&args.database, &args.file)?;
    println!("{:?} is backed up to {}", args.database, args.file.display());
    Ok(())
}

#[cfg(test)]
impl Args {
    pub(super) fn of(file: PathBuf, database: DatabaseUrl) -> Self {
        Args { file, database }
    }
}
