//! OperationOutcomes (<https://hl7.org/fhir/R4/operationoutcome.html>), made in this one place from issues.

use fhir_model::{CodeableConcept, Coding, OperationOutcome, OperationOutcomeIssue, Resource, json};

use crate::engine::OutcomeSystems;
use crate::error::{Error, ErrorCode, Issue, Severity};

/// The codes that the first of the two systems has; the others stand in the second.
const SPINE: &[&str] = &[
    "ACCESS_DENIED",
    "FAILURE_TO_PROCESS_MESSAGE",
    "INVALID_METHOD",
    "INVALID_VALUE",
    "MISSING_VALUE",
    "PRECONDITION_FAILED",
    "RESOURCE_NOT_FOUND",
    "RESOURCE_VERSION_MISMATCH",
    "UNABLE_TO_CALL_SERVICE",
    "UNSUPPORTED_SERVICE",
    "VALIDATION_ERROR",
];

/// The issues as an OperationOutcome in JSON; `code` is that of a failed request.
pub fn operation_outcome(code: Option<ErrorCode>, issues: &[Issue], systems: &OutcomeSystems) -> Vec<u8> {
    let issue = issues.iter().map(|issue| one(code, issue, systems)).collect();
    json::to_vec(&Resource::from(OperationOutcome {
        issue,
        ..OperationOutcome::default()
    }))
}

/// A failed request as an OperationOutcome in JSON.
pub(super) fn of_error(error: &Error, systems: &OutcomeSystems) -> Vec<u8> {
    operation_outcome(Some(error.code), &error.issues, systems)
}

fn one(code: Option<ErrorCode>, issue: &Issue, systems: &OutcomeSystems) -> OperationOutcomeIssue {
    let facts = code.map(ErrorCode::facts);
    let failed = matches!(issue.severity, Severity::Fatal | Severity::Error);
    let kind = match (facts, issue.severity) {
        (Some(facts), _) if failed => facts.issue,
        (_, Severity::Information) => "informational",
        _ => "not-supported",
    };
    OperationOutcomeIssue {
        severity: issue.severity.code().into(),
        code: kind.into(),
        details: facts
            .filter(|_| failed)
            .map(|facts| Box::new(details(facts.nhs, systems))),
        diagnostics: diagnostics(issue).into(),
        expression: issue.expression.iter().map(|e| e.as_str().into()).collect(),
        ..OperationOutcomeIssue::default()
    }
}

fn details(code: &str, systems: &OutcomeSystems) -> CodeableConcept {
    let system = if SPINE.contains(&code) {
        &systems.spine
    } else {
        &systems.api
    };
    let coding = Coding {
        system: system.as_str().into(),
        code: code.into(),
        ..Coding::default()
    };
    CodeableConcept {
        coding: vec![coding],
        ..CodeableConcept::default()
    }
}

fn diagnostics(issue: &Issue) -> String {
    match issue.position {
        Some((line, column)) => format!("{} (line {line}, column {column})", issue.diagnostics),
        None => issue.diagnostics.clone(),
    }
}
