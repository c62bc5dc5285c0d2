//! `check`: reads files as the server would and tells what is wrong with them; writes nothing.

use std::io::Write;
use std::path::{Path, PathBuf};

use fhir_model::read::{Read, ReadError, ReadOptions, UnknownElements};
use fhir_model::{Resource, json, xml};
use fhir_server::error::{Error, ErrorCode, Result};
use fhir_server::interaction::Format;
use fhir_validate::Validator;

use super::input::{self, Unit, Units};
use super::progress::Progress;

/// The largest resource that is read.
const MAX_BYTES: usize = 48 << 20;
/// Unknown elements told of one resource.
const MAX_UNKNOWN: usize = 100;

/// Check files for what the server would refuse, without a database.
///
/// Reads resources and Bundles in JSON, XML (*.xml) or NDJSON (*.ndjson, *.jsonl), each also gzipped; each problem is told
/// with its line and its place in the resource.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Examples:
  fhir-server check patient.json bundle.xml
  fhir-server check --lenient --max 1000 export/*.ndjson.gz")]
pub(super) struct Args {
    /// The files.
    #[arg(required = true, value_name = "FILES")]
    files: Vec<PathBuf>,
    /// Report elements that FHIR does not have as warnings, not as errors.
    #[arg(long)]
    lenient: bool,
    /// Problems that are told in all; the rest is only counted.
    #[arg(long, value_name = "COUNT", default_value_t = 100)]
    max: u64,
}

/// How much there was of each.
#[derive(Clone, Copy, Default)]
struct Counts {
    resources: u64,
    errors: u64,
    warnings: u64,
}

struct Checker<'a> {
    args: &'a Args,
    options: ReadOptions,
    validator: Validator,
    out: &'a mut dyn Write,
    told: u64,
    counts: Counts,
}

pub(super) fn run(args: &Args) -> Result<()> {
    check(args, &mut std::io::stdout().lock())
}

fn check(args: &Args, out: &mut dyn Write) -> Result<()> {
    let mut options = input::read_options(MAX_BYTES);
    if args.lenient {
        options.unknown = UnknownElements::Report;
    }
    let mut checker = Checker {
        args,
        options,
        validator: Validator::new(),
        out,
        told: 0,
        counts: Counts::default(),
    };
    let counts = checker.files().map_err(Error::internal)?;
    match counts.errors {
        0 => Ok(()),
        _ => Err(Error::new(
            ErrorCode::Unprocessable,
            "The server would refuse some of this.",
        )),
    }
}

impl Checker<'_> {
    fn files(&mut self) -> std::io::Result<Counts> {
        let mut progress = Progress::new(&self.args.files);
        let mut all = Counts::default();
        for file in &self.args.files {
            self.counts = Counts::default();
            self.file(file, &mut progress, all.resources)?;
            progress.clear();
            let found = self.counts;
            let (name, tail) = (file.display(), found.tail());
            match found.errors {
                0 => writeln!(self.out, "good  {name}: {tail}")?,
                _ => writeln!(self.out, "bad   {name}: {tail}")?,
            }
            all.resources += found.resources;
            all.errors += found.errors;
            all.warnings += found.warnings;
        }
        let hidden = (all.errors + all.warnings).saturating_sub(self.told);
        if hidden > 0 {
            writeln!(self.out, "{hidden} problems more are not shown: see --max")?;
        }
        writeln!(self.out, "in all: {}", all.tail())?;
        Ok(all)
    }

    fn file(&mut self, path: &Path, progress: &mut Progress, before: u64) -> std::io::Result<()> {
        let units = match Units::open(path, MAX_BYTES, progress.read.clone()) {
            Ok(units) => units,
            Err(error) => return self.error(path, None, &error.to_string()),
        };
        for unit in units {
            match unit {
                Ok(unit) => self.unit(path, &unit)?,
                Err(unread) => self.error(path, unread.line.map(|line| (line, 1)), &unread.reason)?,
            }
            progress.show(before + self.counts.resources);
        }
        Ok(())
    }

    fn unit(&mut self, path: &Path, unit: &Unit) -> std::io::Result<()> {
        self.counts.resources += 1;
        match self.read(unit) {
            Ok(read) => self.resource(path, unit.line, &read),
            Err(error) => {
                for issue in error.issues {
                    let line = unit.line.unwrap_or_else(|| issue.line.into());
                    let text = within(&issue.path, &issue.message);
                    self.error(path, Some((line, issue.column.into())), &text)?;
                }
                Ok(())
            }
        }
    }

    fn read(&self, unit: &Unit) -> std::result::Result<Read<Resource>, ReadError> {
        match unit.format {
            Format::Json => json::read(&unit.text, &self.options),
            Format::Xml => xml::read(&unit.text, &self.options),
        }
    }

    fn resource(&mut self, path: &Path, line: Option<u64>, read: &Read<Resource>) -> std::io::Result<()> {
        let at = line.map(|line| (line, 1));
        for finding in self.validator.validate(&read.value) {
            self.error(path, at, &within(&finding.expression, &finding.message))?;
        }
        for unknown in read.unknown.iter().take(MAX_UNKNOWN) {
            self.counts.warnings += 1;
            let text = within(&unknown.path, "FHIR R4 has no such element; it is left aside.");
            self.tell("warning", path, at, &text)?;
        }
        Ok(())
    }

    fn error(&mut self, path: &Path, at: Option<(u64, u64)>, text: &str) -> std::io::Result<()> {
        self.counts.errors += 1;
        self.tell("error", path, at, text)
    }

    fn tell(&mut self, what: &str, path: &Path, at: Option<(u64, u64)>, text: &str) -> std::io::Result<()> {
        if self.told == self.args.max {
            return Ok(());
        }
        self.told += 1;
        let name = path.display();
        match at {
            Some((line, column)) => writeln!(self.out, "{name}:{line}:{column}: {what}: {text}"),
            None => writeln!(self.out, "{name}: {what}: {text}"),
        }
    }
}

impl Counts {
    fn tail(self) -> String {
        format!(
            "{} resources, {} errors, {} warnings",
            self.resources, self.errors, self.warnings
        )
    }
}

fn within(path: &str, text: &str) -> String {
    match path {
        "" => text.to_owned(),
        path => format!("{path}: {text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(files: &[(&str, &str)], lenient: bool, max: u64) -> (bool, String) {
        let folder = tempfile::tempdir().unwrap();
        let write = |(name, text): &(&str, &str)| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let args = Args {
            files: files.iter().map(write).collect(),
            lenient,
            max,
        };
        let mut out = Vec::new();
        let is_good = check(&args, &mut out).is_ok();
        (is_good, String::from_utf8(out).unwrap())
    }

    #[test]
    fn good_files_are_good_in_each_form() {
        let files = [
            ("a.json", r#"{"resourceType":"Patient","active":true}"#),
            (
                "b.xml",
                r#"<Patient xmlns="http://hl7.org/fhir"><active value="true"/></Patient>"#,
            ),
            (
                "c.ndjson",
                "{\"resourceType\":\"Patient\"}\n{\"resourceType\":\"Basic\",\"code\":{\"text\":\"x\"}}\n",
            ),
        ];
        let (is_good, out) = checked(&files, false, 100);
        assert!(
            is_good && out.ends_with("in all: 4 resources, 0 errors, 0 warnings\n"),
            "{out}"
        );
    }

    #[test]
    fn each_problem_is_told_with_its_place() {
        let lines =
            "{\"resourceType\":\"Patient\"}\n{\"resourceType\":\"Patient\",\"birthDate\":\"yesterday\"}\n{\n";
        let (is_good, out) = checked(
            &[
                ("a.ndjson", lines),
                ("b.json", r#"{"resourceType":"Observation"}"#),
            ],
            false,
            100,
        );
        assert!(!is_good);
        assert!(
            out.contains("a.ndjson:2:") && out.contains("Patient.birthDate"),
            "{out}"
        );
        assert!(
            out.contains("a.ndjson:3:") && out.contains("Observation.status"),
            "{out}"
        );
    }

    #[test]
    fn an_unknown_element_is_an_error_or_leniently_a_warning() {
        let file = [("a.json", r#"{"resourceType":"Patient","nickname":"x"}"#)];
        let (is_good, out) = checked(&file, false, 100);
        assert!(
            !is_good && out.contains("error") && out.contains("nickname"),
            "{out}"
        );
        let (is_good, out) = checked(&file, true, 100);
        assert!(is_good && out.contains("warning: Patient.nickname"), "{out}");
    }

    #[test]
    fn the_output_is_bounded() {
        let (is_good, out) = checked(&[("a.ndjson", &"{}\n".repeat(500))], false, 3);
        assert!(
            !is_good && out.lines().count() == 6 && out.contains("497 problems more"),
            "{out}"
        );
    }
}
