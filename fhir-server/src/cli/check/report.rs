//! What is told of the files: a line for each problem, or one JSON document.
//!
//! Invariant: no more problems are held or told than were asked for; all are counted.

use std::io::{Result, Write};
use std::path::Path;

use fhir_validate::{Finding, Severity};
use serde_json::{Value, json};

/// One thing that is wrong, or worth knowing.
pub(super) struct Problem {
    severity: Severity,
    /// The layer of the validation, or `text` where it cannot be read.
    layer: &'static str,
    line: Option<u64>,
    column: Option<u64>,
    expression: String,
    message: String,
    rule: Option<String>,
    near: Option<String>,
}

impl Problem {
    /// A file, or a line of it, that cannot be taken in.
    pub(super) fn of_file(line: Option<u64>, message: String) -> Problem {
        Problem {
            severity: Severity::Error,
            layer: "file",
            line,
            column: line.map(|_| 1),
            expression: String::new(),
            message,
            rule: None,
            near: None,
        }
    }

    /// What the validation found.
    pub(super) fn found(finding: Finding, line: Option<u64>) -> Problem {
        let (own, column) = finding.position.unzip();
        Problem {
            severity: finding.severity,
            layer: finding.layer,
            line: line.or(own.map(u64::from)),
            column: column.map(u64::from),
            expression: finding.expression,
            message: finding.message,
            rule: finding.rule,
            near: finding.near,
        }
    }

    /// An element that FHIR does not have, where that is no error.
    pub(super) fn unknown(path: String, line: Option<u64>) -> Problem {
        Problem {
            severity: Severity::Warning,
            layer: "text",
            expression: path,
            column: line.map(|_| 1),
            ..Problem::of_file(line, "FHIR R4 has no such element; it is left aside.".into())
        }
    }

    fn text(&self) -> String {
        let place = match self.expression.as_str() {
            "" => String::new(),
            expression => format!("{expression}: "),
        };
        let rule = self.rule.as_deref().filter(|rule| !self.message.contains(rule));
        let rule = rule.map(|rule| format!(" [{rule}]")).unwrap_or_default();
        format!("{}: {place}{}{rule}", self.severity.code(), self.message)
    }

    fn json(&self) -> Value {
        json!({
            "severity": self.severity.code(),
            "layer": self.layer,
            "line": self.line,
            "column": self.column,
            "expression": self.expression,
            "message": self.message,
            "rule": self.rule,
            "near": self.near,
        })
    }
}

/// How much there was of each.
#[derive(Clone, Copy, Default)]
struct Counts {
    resources: u64,
    errors: u64,
    warnings: u64,
    information: u64,
}

impl Counts {
    fn add(&mut self, other: Counts) {
        self.resources += other.resources;
        self.errors += other.errors;
        self.warnings += other.warnings;
        self.information += other.information;
    }

    fn tail(self) -> String {
        format!(
            "{} resources, {} errors, {} warnings",
            self.resources, self.errors, self.warnings
        )
    }

    fn json(self) -> Value {
        json!({
            "resources": self.resources,
            "errors": self.errors,
            "warnings": self.warnings,
            "information": self.information,
        })
    }
}

/// Tells problems, file by file.
pub(super) struct Report<'a> {
    is_json: bool,
    out: &'a mut dyn Write,
    /// Problems that may still be told.
    left: u64,
    hidden: u64,
    file: String,
    own: Counts,
    all: Counts,
    /// The problems of the file, for JSON.
    problems: Vec<Value>,
    files: Vec<Value>,
}

impl<'a> Report<'a> {
    pub(super) fn new(is_json: bool, max: u64, out: &'a mut dyn Write) -> Self {
        Report {
            is_json,
            out,
            left: max,
            hidden: 0,
            file: String::new(),
            own: Counts::default(),
            all: Counts::default(),
            problems: Vec::new(),
            files: Vec::new(),
        }
    }

    /// Begins a file.
    pub(super) fn begin(&mut self, file: &Path) {
        self.file = file.display().to_string();
        self.own = Counts::default();
    }

    /// How many resources were read so far.
    pub(super) fn resources(&self) -> u64 {
        self.all.resources + self.own.resources
    }

    pub(super) fn count_resource(&mut self) {
        self.own.resources += 1;
    }

    /// Counts a problem, and tells it. What only informs is told in JSON alone.
    pub(super) fn tell(&mut self, problem: Problem) -> Result<()> {
        match problem.severity {
            Severity::Error => self.own.errors += 1,
            Severity::Warning => self.own.warnings += 1,
            Severity::Information => self.own.information += 1,
        }
        if problem.severity == Severity::Information && !self.is_json {
            return Ok(());
        }
        if self.left == 0 {
            self.hidden += 1;
            return Ok(());
        }
        self.left -= 1;
        if self.is_json {
            self.problems.push(problem.json());
            return Ok(());
        }
        let (file, text) = (&self.file, problem.text());
        match (problem.line, problem.column) {
            (Some(line), column) => writeln!(self.out, "{file}:{line}:{}: {text}", column.unwrap_or(1)),
            (None, _) => writeln!(self.out, "{file}: {text}"),
        }
    }

    /// Ends a file.
    pub(super) fn end(&mut self) -> Result<()> {
        self.all.add(self.own);
        if self.is_json {
            self.files.push(json!({
                "file": self.file,
                "counts": self.own.json(),
                "issues": std::mem::take(&mut self.problems),
            }));
            return Ok(());
        }
        let word = if self.own.errors == 0 { "good" } else { "bad " };
        writeln!(self.out, "{word}  {}: {}", self.file, self.own.tail())
    }

    /// Ends all; gives the number of errors.
    pub(super) fn finish(self) -> Result<u64> {
        if self.is_json {
            let document = json!({
                "files": self.files,
                "counts": self.all.json(),
                "notShown": self.hidden,
            });
            serde_json::to_writer_pretty(&mut *self.out, &document)?;
            writeln!(self.out)?;
            return Ok(self.all.errors);
        }
        if self.hidden > 0 {
            writeln!(self.out, "{} problems more are not shown: see --max", self.hidden)?;
        }
        writeln!(self.out, "in all: {}", self.all.tail())?;
        Ok(self.all.errors)
    }
}
