//! `load`: puts the content of files into a database, through the engine, as the principal `system:load`.

mod loader;
#[cfg(test)]
mod tests;
mod unit;

use std::fmt;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use fhir_server::config::Config;
use fhir_server::error::{Error, ErrorCode, Result};
use fhir_server::policy::PermitAll;
use fhir_server::store::DatabaseUrl;
use fhir_server::{FhirServer, server};

use super::database::Database;
use super::logging;
use super::progress::{Progress, per_second};
use super::validation::ValidationArgs;
use loader::Loader;

/// The largest unit, and all units on their way together.
const MAX_BYTES: usize = 48 << 20;

/// Load Bundles, resources and NDJSON, gzipped or not, into a database. An SQLite file that a server has open is
/// refused.
///
/// A transaction Bundle is written whole or not at all, and so is a collection; each entry of a batch, each line of
/// NDJSON and each single resource stands alone. A resource with an id keeps it; one without gets a new one. Any other
/// Bundle (document, message, searchset, history) is kept as a Bundle.
///
/// What was written is noted in the database itself, in the same transaction: run the same command again after a crash,
/// or after mending what was refused, and what is in already is skipped. What has the same bytes as something loaded
/// before counts as in already, whatever its file is called.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  fhir-server load --database sqlite:./fhir.sqlite patient.json bundles/*.json
  fhir-server load --database sqlite:./fhir.sqlite --report export/*.ndjson.gz > refused.txt")]
pub(super) struct Args {
    /// The files: JSON, XML (*.xml) or NDJSON (*.ndjson, *.jsonl), each also gzipped.
    #[arg(required = true, value_name = "FILES")]
    files: Vec<PathBuf>,
    /// Where the resources go: sqlite:PATH, a file that is made where it is not there, or
    /// postgres://USER:PASSWORD@HOST/DATABASE.
    #[arg(long, value_name = "URL", env = "FHIR_SERVER_DATABASE")]
    database: DatabaseUrl,
    /// Load what is in already once more: updates make no version where nothing changed, creates make new resources.
    #[arg(long)]
    again: bool,
    /// Name everything that was refused, not only the first 20.
    #[arg(long)]
    report: bool,
    #[command(flatten)]
    validation: ValidationArgs,
}

/// What became of the files.
#[derive(Default)]
struct Summary {
    units: u64,
    resources: u64,
    skipped: u64,
    refused: u64,
    elapsed: Duration,
    /// Where the database failed, and how.
    stopped: Option<(String, Error)>,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "loaded   {} units with {} resources",
            self.units, self.resources
        )?;
        writeln!(f, "skipped  {} units that were in already", self.skipped)?;
        writeln!(f, "refused  {} units", self.refused)?;
        let rate = per_second(self.resources, self.elapsed);
        let seconds = self.elapsed.as_secs_f64();
        write!(f, "time     {seconds:.1} s, {rate} resources a second")
    }
}

pub(super) fn run(args: &Args) -> Result<()> {
    let mut config = Config::default();
    config.log.level = "warn".into();
    logging::start(&config.log)?;
    load(args, &mut std::io::stdout())
}

fn load(args: &Args, out: &mut dyn Write) -> Result<()> {
    let database = Database::open(Some(&args.database), false)?;
    let summary = server::run(async {
        let loaded = files(&database, args, out).await;
        database.store.close().await;
        loaded
    })?;
    writeln!(out, "{summary}").map_err(Error::internal)?;
    summary.into_result()
}

async fn files(database: &Database, args: &Args, out: &mut dyn Write) -> Result<Summary> {
    let mut config = Config::default();
    config.limits.body_bytes = MAX_BYTES;
    config.interactions.update_as_create = Some(true);
    config.interactions.bundle_entries = 1_000_000;
    args.validation.set(&mut config.validation);
    let builder = FhirServer::builder().config(config).store(database.store.clone());
    let server = builder.policy(PermitAll).build().await?;
    let progress = Progress::new(&args.files);
    Loader::new(&server, args.again, args.report, progress, out)
        .files(&args.files)
        .await
}

impl Summary {
    fn into_result(self) -> Result<()> {
        match (self.stopped, self.refused) {
            (Some((place, mut error)), _) => {
                let text = format!(
                    "The database failed at {place}; what is counted as loaded is in. Run the same command again to go on."
                );
                error.issues.insert(0, fhir_server::error::Issue::new(text));
                Err(error)
            }
            (None, 0) => Ok(()),
            (None, _) => Err(Error::new(
                ErrorCode::Unprocessable,
                "Not everything was loaded. Mend what was refused and run the same command again: what is in is skipped.",
            )),
        }
    }
}
