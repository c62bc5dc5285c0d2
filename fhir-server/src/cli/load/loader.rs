//! [`Loader`]: several units on their way to the database at once, told of in the order of the files.
//!
//! Invariant: the entry in the ledger is in the same commit as what it stands for.
//! Invariant: two units that name the same resource, or are the same, are never on their way together.

use std::collections::HashSet;
use std::io::Write;
use std::path::Path;

use fhir_server::FhirServer;
use fhir_server::context::{Context, Principal};
use fhir_server::error::{Error, ErrorCode, Issue, Result};
use fhir_server::interaction::dispatch;
use fhir_server::store::Claim;
use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::FuturesOrdered;

use super::unit::{self, Step};
use super::{MAX_BYTES, Summary};
use crate::cli::input::{Unit, Units};
use crate::cli::progress::Progress;

/// Units on their way at once: enough to fill a group commit.
const IN_FLIGHT: usize = 16;
/// Refused units that are named unless all are asked for.
const NAMED: u64 = 20;
/// Problems told of one unit.
const ISSUES: usize = 3;

/// Loads files.
pub(super) struct Loader<'a> {
    server: &'a FhirServer,
    again: bool,
    name_all: bool,
    out: &'a mut dyn Write,
    progress: Progress,
    on_their_way: FuturesOrdered<LocalBoxFuture<'a, Done>>,
    busy: HashSet<String>,
    bytes: usize,
    summary: Summary,
}

/// What became of a unit.
struct Done {
    place: String,
    line: Option<u64>,
    bytes: usize,
    busy: Vec<String>,
    steps: Vec<(Option<usize>, Result<Option<u64>>)>,
}

impl<'a> Loader<'a> {
    pub(super) fn new(
        server: &'a FhirServer,
        again: bool,
        name_all: bool,
        progress: Progress,
        out: &'a mut dyn Write,
    ) -> Self {
        Loader {
            server,
            again,
            name_all,
            out,
            progress,
            on_their_way: FuturesOrdered::new(),
            busy: HashSet::new(),
            bytes: 0,
            summary: Summary::default(),
        }
    }

    /// Loads those files, as far as the database takes them.
    pub(super) async fn files(mut self, files: &[std::path::PathBuf]) -> Result<Summary> {
        for file in files {
            if self.summary.stopped.is_none() {
                self.file(file).await?;
            }
        }
        while self.settle().await? {}
        self.progress.clear();
        self.summary.elapsed = self.progress.elapsed();
        Ok(self.summary)
    }

    async fn file(&mut self, path: &Path) -> Result<()> {
        let units = match Units::open(path, MAX_BYTES, self.progress.read.clone()) {
            Ok(units) => units,
            Err(error) => {
                while self.settle().await? {}
                return self.refuse(&path.display().to_string(), &error.to_string());
            }
        };
        for unit in units {
            match unit {
                Ok(unit) => self.begin(path, unit).await?,
                Err(unread) => {
                    while self.settle().await? {}
                    let place = place(path, unread.line);
                    self.refuse(&place, &unread.reason)?;
                }
            }
            if self.summary.stopped.is_some() {
                break;
            }
        }
        Ok(())
    }

    /// Sends a unit on its way, once there is room and nothing on its way touches what it touches.
    async fn begin(&mut self, path: &Path, unit: Unit) -> Result<()> {
        let mut done = Done {
            place: place(path, unit.line),
            line: unit.line,
            bytes: unit.text.len(),
            busy: Vec::new(),
            steps: Vec::new(),
        };
        let steps = match unit::steps(&unit, MAX_BYTES) {
            Ok(steps) => steps,
            Err(error) => {
                done.steps.push((None, Err(error)));
                Vec::new()
            }
        };
        drop(unit);
        let keys = steps.iter().map(|step| hex(&step.key));
        let names = steps.iter().flat_map(|step| step.targets.iter().cloned());
        done.busy = keys.chain(names).collect();
        while !self.has_room(&done) && self.settle().await? {}
        self.busy.extend(done.busy.iter().cloned());
        self.bytes += done.bytes;
        let (server, again) = (self.server, self.again);
        self.on_their_way
            .push_back(Box::pin(run(server, again, steps, done)));
        Ok(())
    }

    fn has_room(&self, next: &Done) -> bool {
        self.on_their_way.len() < IN_FLIGHT
            && self.bytes.saturating_add(next.bytes) <= MAX_BYTES
            && !next.busy.iter().any(|name| self.busy.contains(name))
    }

    /// Waits for the unit that began first, and counts it. False where nothing is on its way.
    async fn settle(&mut self) -> Result<bool> {
        let Some(done) = self.on_their_way.next().await else {
            return Ok(false);
        };
        self.bytes = self.bytes.saturating_sub(done.bytes);
        for name in &done.busy {
            self.busy.remove(name);
        }
        for (entry, result) in done.steps {
            match result {
                Ok(Some(resources)) => {
                    self.summary.units += 1;
                    self.summary.resources += resources;
                }
                Ok(None) => self.summary.skipped += 1,
                Err(error) if is_ours(&error) => {
                    self.summary.stopped.get_or_insert((done.place.clone(), error));
                }
                Err(error) => {
                    let (position, reason) = told(error, entry, done.line.is_none());
                    self.refuse(&format!("{}{position}", done.place), &reason)?;
                }
            }
        }
        self.progress.show(self.summary.resources);
        Ok(true)
    }

    fn refuse(&mut self, place: &str, reason: &str) -> Result<()> {
        self.summary.refused += 1;
        if !self.name_all && self.summary.refused > NAMED {
            return Ok(());
        }
        self.progress.clear();
        writeln!(self.out, "refused  {place}: {reason}").map_err(Error::internal)
    }
}

/// The steps of a unit, one after the other. A failure of the database ends them.
async fn run(server: &FhirServer, again: bool, steps: Vec<Step>, mut done: Done) -> Done {
    for step in steps {
        let result = load(server, again, &step).await;
        let ends = result.as_ref().is_err_and(is_ours);
        done.steps.push((step.entry, result));
        if ends {
            break;
        }
    }
    done
}

/// One transaction; nothing where the ledger has it already.
async fn load(server: &FhirServer, again: bool, step: &Step) -> Result<Option<u64>> {
    let id = format!("load-{}", hex(&step.key));
    let mut session = server.session(Context::new(Principal::system("load"), id));
    let is_in = session.claim("load", &step.key).await?.is_some();
    if is_in && !again {
        return Ok(None);
    }
    if !is_in {
        session.stage_claim(Claim::new("load", step.key, Vec::new()));
    }
    dispatch(&mut session, &step.request).await?;
    Ok(Some(step.resources))
}

/// Whether the fault is the database's and not the unit's.
fn is_ours(error: &Error) -> bool {
    error.code.facts().status >= 500 && error.code != ErrorCode::NotSupported
}

/// Where in the file, and why.
fn told(error: Error, entry: Option<usize>, is_whole: bool) -> (String, String) {
    let position = error.issues.first().and_then(|issue| issue.position);
    let position = match position {
        Some((line, column)) if is_whole && entry.is_none() => format!(":{line}:{column}"),
        _ => String::new(),
    };
    let more = error.issues.len().saturating_sub(ISSUES);
    let mut reasons: Vec<String> = error
        .issues
        .into_iter()
        .take(ISSUES)
        .map(|issue| told_issue(issue, entry))
        .collect();
    if more > 0 {
        reasons.push(format!("and {more} more"));
    }
    (position, reasons.join("; "))
}

fn told_issue(issue: Issue, entry: Option<usize>) -> String {
    // Each entry of a batch goes as a Bundle of its own, in which it is the first.
    let path = match (issue.expression, entry) {
        (Some(path), Some(index)) => path.replacen("Bundle.entry[0]", &format!("Bundle.entry[{index}]"), 1),
        (Some(path), None) => path,
        (None, Some(index)) => format!("Bundle.entry[{index}]"),
        (None, None) => return issue.diagnostics,
    };
    format!("{path}: {}", issue.diagnostics)
}

fn place(path: &Path, line: Option<u64>) -> String {
    match line {
        Some(line) => format!("{}:{line}", path.display()),
        None => path.display().to_string(),
    }
}

fn hex(key: &[u8; 32]) -> String {
    key.iter().map(|byte| format!("{byte:02x}")).collect()
}
