//! What the terminology operations have to say, as issues of an OperationOutcome.
//!
//! Keys, codes and texts are those of FHIR's terminology ecosystem guide, so that clients written against other
//! servers understand them (<https://build.fhir.org/ig/HL7/fhir-tx-ecosystem-ig/>, dedicated to the public domain).

use fhir_model::{AnyValue, CodeableConcept, Coding, OperationOutcome, OperationOutcomeIssue};

use super::canonical;
use super::compose::CompileError;
use super::extension;

const ISSUE_TYPE: &str = "http://hl7.org/fhir/tools/CodeSystem/tx-issue-type";

/// One issue.
#[derive(Clone, Debug)]
pub(super) struct Issue {
    severity: Severity,
    code: &'static str,
    /// Of the terminology issue types.
    kind: &'static str,
    /// The message's key.
    id: &'static str,
    text: String,
    expression: Option<String>,
    /// Whether the text is part of the `message` of an answer.
    in_message: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Severity {
    Error,
    Warning,
    Information,
}

impl Severity {
    fn code(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Information => "information",
        }
    }
}

impl Issue {
    pub(super) fn error(code: &'static str, kind: &'static str, id: &'static str, text: String) -> Self {
        Issue {
            severity: Severity::Error,
            code,
            kind,
            id,
            text,
            expression: None,
            in_message: true,
        }
    }

    pub(super) fn warning(code: &'static str, kind: &'static str, id: &'static str, text: String) -> Self {
        Issue::error(code, kind, id, text).with(Severity::Warning)
    }

    pub(super) fn information(
        code: &'static str,
        kind: &'static str,
        id: &'static str,
        text: String,
    ) -> Self {
        Issue::error(code, kind, id, text).with(Severity::Information)
    }

    pub(super) fn with(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// The issue is about that place.
    pub(super) fn at(mut self, expression: impl Into<String>) -> Self {
        self.expression = Some(expression.into());
        self
    }

    /// The text stays out of the `message` of an answer.
    pub(super) fn quiet(mut self) -> Self {
        self.in_message = false;
        self
    }

    /// Whether it says that the value set could not be asked.
    pub(super) fn is_about_value_set(&self) -> bool {
        matches!(self.id, "Unable_to_resolve_value_Set_" | "VALUESET_FILTER")
    }

    /// Whether both say the same, of whatever place.
    pub(super) fn same_text(&self, other: &Issue) -> bool {
        self.id == other.id && self.text == other.text
    }

    pub(super) fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    fn of_outcome(&self) -> OperationOutcomeIssue {
        let coding = Coding {
            system: ISSUE_TYPE.into(),
            code: self.kind.into(),
            ..Coding::default()
        };
        let coded = !self.kind.is_empty();
        let id = extension::new(extension::MESSAGE_ID, AnyValue::String(self.id.into()));
        let place: Vec<_> = self.expression.iter().map(|e| e.as_str().into()).collect();
        OperationOutcomeIssue {
            extension: if self.id.is_empty() { Vec::new() } else { vec![id] },
            severity: self.severity.code().into(),
            code: self.code.into(),
            details: CodeableConcept {
                coding: if coded { vec![coding] } else { Vec::new() },
                text: self.text.as_str().into(),
                ..CodeableConcept::default()
            }
            .into(),
            // Clients that are older than `expression` read `location`.
            location: place.clone(),
            expression: place,
            ..OperationOutcomeIssue::default()
        }
    }
}

/// All issues as one outcome.
pub(super) fn outcome(issues: &[Issue]) -> OperationOutcome {
    OperationOutcome {
        issue: issues.iter().map(Issue::of_outcome).collect(),
        ..OperationOutcome::default()
    }
}

/// The texts that a reader of an answer should see, in one; `None` where there are none.
pub(super) fn message(issues: &[Issue]) -> Option<String> {
    let mut texts: Vec<&str> = issues
        .iter()
        .filter(|i| i.in_message)
        .map(|i| i.text.as_str())
        .collect();
    texts.sort_unstable();
    texts.dedup();
    (!texts.is_empty()).then(|| texts.join("; "))
}

/// Why an operation gave no answer.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// What kind of reason.
    pub cause: Cause,
    /// The reason, for the client.
    pub outcome: Box<OperationOutcome>,
}

/// What kind of reason there is for a [`Refusal`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The request is wrong in itself: a parameter is missing or not of its form.
    Invalid,
    /// A value set, code system, code or concept map that is asked for is not held.
    NotFound,
    /// What is asked for is held, and cannot be done by its rules.
    Unprocessable,
    /// The answer would be too large; paging or a filter may help.
    TooCostly,
}

impl Refusal {
    pub(super) fn new(cause: Cause, issue: Issue) -> Self {
        Refusal {
            cause,
            outcome: Box::new(outcome(&[issue])),
        }
    }

    pub(super) fn invalid(text: impl Into<String>) -> Self {
        Refusal::new(Cause::Invalid, Issue::error("invalid", "", "", text.into()))
    }

    pub(super) fn not_found(text: impl Into<String>) -> Self {
        let issue = Issue::error("not-found", "not-found", "", text.into());
        Refusal::new(Cause::NotFound, issue)
    }
}

/// A value set that is not held.
pub(super) fn no_value_set(of: &str) -> Issue {
    Issue::error(
        "not-found",
        "not-found",
        "Unable_to_resolve_value_Set_",
        format!("A definition for the value Set '{of}' could not be found"),
    )
}

/// A code system that is not held, in any version or in that one.
pub(super) fn no_code_system(url: &str, version: Option<&str>, held: &[String]) -> Issue {
    let (id, text) = match version {
        None => (
            "UNKNOWN_CODESYSTEM",
            format!(
                "A definition for CodeSystem '{url}' could not be found, so the code cannot be validated"
            ),
        ),
        Some(version) if held.is_empty() => (
            "UNKNOWN_CODESYSTEM_VERSION_NONE",
            format!(
                "A definition for CodeSystem '{url}' version '{version}' could not be found, so the code cannot be \
                 validated. No versions of this code system are known"
            ),
        ),
        Some(version) => (
            "UNKNOWN_CODESYSTEM_VERSION",
            format!(
                "A definition for CodeSystem '{url}' version '{version}' could not be found, so the code cannot be \
                 validated. Valid versions: {}",
                held.join(", ")
            ),
        ),
    };
    Issue::error("not-found", "not-found", id, text)
}

/// Why a value set cannot be used.
pub(super) fn not_compiled(error: &CompileError) -> Refusal {
    let (cause, issue) = match error {
        CompileError::NotHeld(of) => (Cause::NotFound, no_value_set(of)),
        CompileError::NoSupplement(of) => (
            Cause::NotFound,
            Issue::error(
                "not-found",
                "not-found",
                "VALUESET_SUPPLEMENT_MISSING",
                format!("Required supplement not found: {of}"),
            ),
        ),
        CompileError::Circle(urls) => (
            Cause::Unprocessable,
            Issue::error(
                "processing",
                "vs-invalid",
                "VALUESET_CIRCULAR_REFERENCE",
                format!(
                    "Cyclic reference detected when expanding the value set: {}",
                    urls.join(" -> ")
                ),
            ),
        ),
        CompileError::TooLarge(what) => (
            Cause::TooCostly,
            Issue::error(
                "too-costly",
                "too-costly",
                "VALUESET_TOO_COSTLY",
                format!("The value set cannot be used: {what}"),
            ),
        ),
        CompileError::Version(url, held, allowed) => (
            Cause::Unprocessable,
            Issue::error(
                "exception",
                "version-error",
                "VALUESET_VERSION_CHECK",
                format!(
                    "The version '{held}' is not allowed for system '{url}': required to be '{allowed}' by a version-check parameter"
                ),
            ),
        ),
    };
    Refusal::new(cause, issue)
}

/// `system#code`, with version and display where stated, as messages name a code.
pub(super) fn code_label(
    system: Option<&str>,
    version: Option<&str>,
    code: &str,
    display: Option<&str>,
) -> String {
    let system = canonical::join(system.unwrap_or(""), version);
    match display {
        Some(display) => format!("{system}#{code} ('{display}')"),
        None => format!("{system}#{code}"),
    }
}
