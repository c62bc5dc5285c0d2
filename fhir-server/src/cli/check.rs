//! `check`: validates files against R4, UK Core, packages and profiles; writes nothing, needs no database.

mod report;
#[cfg(test)]
mod tests;

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use fhir_model::read::{ReadOptions, UnknownElements};
use fhir_model::{Resource, json, xml};
use fhir_server::error::{Error, ErrorCode, Result};
use fhir_server::interaction::Format;
use fhir_validate::package::{Limits, Package};
use fhir_validate::{Options, Severity, Validator, position};

use self::report::{Problem, Report};
use super::input::{self, Unit, Units};
use super::progress::Progress;

/// The largest resource that is read.
const MAX_BYTES: usize = 48 << 20;
/// Unknown elements told of one resource.
const MAX_UNKNOWN: usize = 100;
/// Where the profiles of UK Core stand: one of them may be named without it.
const UK_CORE: &str = "https://fhir.hl7.org.uk/StructureDefinition/";

/// Check files against R4, UK Core and the profiles that they claim, without a server or a database.
///
/// Reads resources and Bundles in JSON, XML (*.xml) or NDJSON (*.ndjson, *.jsonl), each also gzipped. Each problem is told
/// with its file, line and column, the place in the resource, and the rule. Ends with 1 where there is an error.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  fhir-server check patient.json bundle.xml
  fhir-server check --profile UKCore-Patient patients/*.json
  fhir-server check --package our-profiles-1.0.0.tgz --strict --format json out/*.json > problems.json
  fhir-server check --lenient --max 1000 export/*.ndjson.gz")]
pub(super) struct Args {
    /// The files.
    #[arg(required = true, value_name = "FILES")]
    files: Vec<PathBuf>,
    /// A profile that every resource of its type is held against, besides those that it claims: a canonical URL, or the name of
    /// one of UK Core. May be given several times.
    #[arg(long = "profile", value_name = "URL")]
    profiles: Vec<String>,
    /// A FHIR package (a .tgz as npm makes them) whose definitions are known too. May be given several times.
    #[arg(long = "package", value_name = "TGZ")]
    packages: Vec<PathBuf>,
    /// Take for errors what is a warning otherwise: unknown codes and extensions, and NHS numbers with a wrong check digit.
    #[arg(long)]
    strict: bool,
    /// Report elements that FHIR does not have as warnings, not as errors.
    #[arg(long, conflicts_with = "strict")]
    lenient: bool,
    /// Problems that are told in all; the rest is only counted.
    #[arg(long, value_name = "COUNT", default_value_t = 100)]
    max: u64,
    /// How the problems are told: a line each, or as one JSON document.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Form,
}

/// How the problems are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    Text,
    Json,
}

struct Checker<'a> {
    args: &'a Args,
    options: ReadOptions,
    validator: Validator,
    /// Those asked for, each with the type that it is about.
    profiles: Vec<(String, String)>,
    report: Report<'a>,
}

pub(super) fn run(args: &Args) -> Result<()> {
    check(args, &mut std::io::stdout().lock())
}

fn check(args: &Args, out: &mut dyn Write) -> Result<()> {
    let mut options = input::read_options(MAX_BYTES);
    if args.lenient {
        options.unknown = UnknownElements::Report;
    }
    let validator = validator(args)?;
    let profiles = profiles(args, &validator)?;
    let checker = Checker {
        args,
        options,
        validator,
        profiles,
        report: Report::new(args.format == Form::Json, args.max, out),
    };
    match checker.files().map_err(Error::internal)? {
        0 => Ok(()),
        _ => Err(Error::new(ErrorCode::Unprocessable, "Not all of this is valid.")),
    }
}

/// What knows R4, UK Core and the packages.
fn validator(args: &Args) -> Result<Validator> {
    let mut builder = Validator::builder().uk_core();
    for path in &args.packages {
        builder = builder.package(package(path)?);
    }
    let mut options = Options::default();
    if args.strict {
        options.unknown_codes = Severity::Error;
        options.unknown_extensions = Severity::Error;
        options.nhs_numbers = Severity::Error;
    }
    Ok(builder.options(options).build())
}

fn package(path: &Path) -> Result<Package> {
    let refused = |reason: String| {
        let text = format!("The package {} cannot be used: {reason}.", path.display());
        Error::new(ErrorCode::Invalid, text)
    };
    let bytes = std::fs::read(path).map_err(|error| refused(error.to_string()))?;
    let package = Package::read(&bytes, &Limits::default()).map_err(|error| refused(error.to_string()))?;
    match package.skipped.first() {
        Some((member, reason)) => Err(refused(format!("its member {member} cannot be read: {reason}"))),
        None => Ok(package),
    }
}

/// The canonical of each profile that is asked for, and the type that it is about.
fn profiles(args: &Args, validator: &Validator) -> Result<Vec<(String, String)>> {
    let one = |name: &String| {
        let url = match name.contains(':') {
            true => name.clone(),
            false => format!("{UK_CORE}{name}"),
        };
        match validator.type_of(&url) {
            Some(kind) => Ok((url, kind)),
            None => {
                let text =
                    format!("The profile {url} is not known: give the package that has it with --package.");
                Err(Error::new(ErrorCode::Invalid, text))
            }
        }
    };
    args.profiles.iter().map(one).collect()
}

impl Checker<'_> {
    /// Checks all files; gives the number of errors.
    fn files(mut self) -> std::io::Result<u64> {
        let mut progress = Progress::new(&self.args.files);
        for file in &self.args.files {
            self.report.begin(file);
            self.file(file, &mut progress)?;
            progress.clear();
            self.report.end()?;
        }
        self.report.finish()
    }

    fn file(&mut self, path: &Path, progress: &mut Progress) -> std::io::Result<()> {
        let units = match Units::open(path, MAX_BYTES, progress.read.clone()) {
            Ok(units) => units,
            Err(error) => return self.report.tell(Problem::of_file(None, error.to_string())),
        };
        for unit in units {
            match unit {
                Ok(unit) => self.unit(&unit)?,
                Err(unread) => self.report.tell(Problem::of_file(unread.line, unread.reason))?,
            }
            progress.show(self.report.resources());
        }
        Ok(())
    }

    fn unit(&mut self, unit: &Unit) -> std::io::Result<()> {
        self.report.count_resource();
        let read = match unit.format {
            Format::Json => json::read_partial(&unit.text, &self.options),
            Format::Xml => xml::read_partial(&unit.text, &self.options),
        };
        let kind = read.value.as_ref().map(Resource::type_name);
        let asked = self
            .profiles
            .iter()
            .filter(|(_, about)| Some(about.as_str()) == kind);
        let asked: Vec<String> = asked.map(|(url, _)| url.clone()).collect();
        let mut findings = self.validator.validate_partial(&read, &asked);
        position::find(&unit.text, "", &mut findings);
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        for finding in findings {
            self.report.tell(Problem::found(finding, unit.line))?;
        }
        for unknown in read.unknown.iter().take(MAX_UNKNOWN) {
            self.report
                .tell(Problem::unknown(unknown.path.clone(), unit.line))?;
        }
        Ok(())
    }
}
