//! OperationOutcomes (<https://hl7.org/fhir/R4/operationoutcome.html>), made in this one place from issues.

use fhir_model::{
    AnyValue, CodeableConcept, Coding, Extension, Instant, Meta, OperationOutcome, OperationOutcomeIssue,
    Resource, json,
};

use fhir_validate::Finding;

use crate::catalogue;
use crate::context::Millis;
use crate::engine::{OutcomeSystems, kind, words};
use crate::error::{Error, ErrorCode, Issue, Severity};

/// The extension with the key of a message.
const MESSAGE_ID: &str = "http://hl7.org/fhir/StructureDefinition/operationoutcome-message-id";

/// The issues as an OperationOutcome in JSON; `code` is that of a failed request, `at` when it was made, for one that
/// stands by itself.
pub fn operation_outcome(
    code: Option<ErrorCode>,
    issues: &[Issue],
    systems: &OutcomeSystems,
    at: Option<Millis>,
) -> Vec<u8> {
    let issue = issues.iter().map(|issue| one(code, issue, systems)).collect();
    let last_updated = at.and_then(|at| at.to_instant().parse::<Instant>().ok());
    let meta = last_updated.map(|at| {
        Box::new(Meta {
            last_updated: at.into(),
            ..Meta::default()
        })
    });
    json::to_vec(&Resource::from(OperationOutcome {
        meta,
        issue,
        ..OperationOutcome::default()
    }))
}

/// What a validation found as an OperationOutcome in JSON; that nothing was found is told too.
pub(crate) fn outcome_of_findings(findings: &[Finding], at: Millis) -> Vec<u8> {
    let none = || OperationOutcomeIssue {
        severity: "information".into(),
        code: "informational".into(),
        diagnostics: "Nothing was found that is wrong.".into(),
        ..OperationOutcomeIssue::default()
    };
    let mut ordered: Vec<&Finding> = findings.iter().collect();
    ordered.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    let mut issue: Vec<_> = ordered.into_iter().map(of_finding).collect();
    if issue.is_empty() {
        issue.push(none());
    }
    let last_updated = at.to_instant().parse::<Instant>().ok();
    json::to_vec(&Resource::from(OperationOutcome {
        meta: last_updated.map(|at| {
            Box::new(Meta {
                last_updated: at.into(),
                ..Meta::default()
            })
        }),
        issue,
        ..OperationOutcome::default()
    }))
}

fn of_finding(finding: &Finding) -> OperationOutcomeIssue {
    OperationOutcomeIssue {
        severity: finding.severity.code().into(),
        code: kind(finding).into(),
        diagnostics: positioned(&words(finding), finding.position).into(),
        expression: vec![text(&finding.expression).into()],
        ..OperationOutcomeIssue::default()
    }
}

/// A failed request as an OperationOutcome in JSON.
pub(super) fn of_error(error: &Error, systems: &OutcomeSystems) -> Vec<u8> {
    operation_outcome(Some(error.code), &error.issues, systems, None)
}

fn one(code: Option<ErrorCode>, issue: &Issue, systems: &OutcomeSystems) -> OperationOutcomeIssue {
    let facts = code.map(ErrorCode::facts);
    // A place may be named by what the client sent, which may be nothing.
    let place = issue.expression.as_ref();
    let place = place.filter(|place| !place.trim().is_empty());
    let failed = matches!(issue.severity, Severity::Fatal | Severity::Error);
    let kind = match (facts, issue.severity) {
        _ if issue.kind.is_some() => issue.kind.unwrap_or_default(),
        (Some(facts), _) if failed => issue.detail.as_ref().map_or(facts.issue, |d| &d.issue),
        (_, Severity::Information) => "informational",
        _ => "not-supported",
    };
    let details = code.filter(|_| failed).map(|code| {
        let mut details = details(code, systems);
        if let Some(detail) = &issue.detail {
            details.coding.splice(0..0, detail.coding.iter().map(coding));
            details.text = text(&issue.diagnostics).into();
        }
        Box::new(details)
    });
    OperationOutcomeIssue {
        extension: message_id(issue).into_iter().collect(),
        severity: issue.severity.code().into(),
        code: kind.into(),
        details,
        diagnostics: positioned(&issue.diagnostics, issue.position).into(),
        location: place
            .iter()
            .filter(|e| e.starts_with("http.") || issue.detail.is_some())
            .map(|e| text(e).into())
            .collect(),
        expression: place.iter().map(|e| text(e).into()).collect(),
        ..OperationOutcomeIssue::default()
    }
}

fn coding((system, code): &(String, String)) -> Coding {
    Coding {
        system: system.as_str().into(),
        code: code.as_str().into(),
        ..Coding::default()
    }
}

/// The key of the message, as an extension.
fn message_id(issue: &Issue) -> Option<Extension> {
    let id = issue.detail.as_ref()?.message_id.as_deref()?;
    Some(Extension {
        url: Some(MESSAGE_ID.into()),
        value: Some(AnyValue::String(id.into())),
        ..Extension::default()
    })
}

fn details(kind: ErrorCode, systems: &OutcomeSystems) -> CodeableConcept {
    let code = kind.facts().nhs;
    let coding = Coding {
        system: catalogue::system(code, systems).into(),
        code: code.into(),
        ..Coding::default()
    };
    let mut details = CodeableConcept {
        coding: vec![coding],
        ..CodeableConcept::default()
    };
    if let Some(pages) = &systems.pages {
        let words = kind.words();
        details.text = format!("{}: see {pages}{}", words.title, words.id).into();
    }
    details
}

fn positioned(words: &str, position: Option<(u32, u32)>) -> String {
    let words = text(words);
    match position {
        Some((line, column)) => format!("{words} (line {line}, column {column})"),
        None => words,
    }
}

/// FHIR strings, and XML, hold no control characters but white space; what the client sent may.
fn text(sent: &str) -> String {
    let allowed = |c: char| {
        matches!(c, '\t' | '\n' | '\r') || !(c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}'))
    };
    sent.chars()
        .map(|c| if allowed(c) { c } else { '\u{fffd}' })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(issue: Issue, at: Option<Millis>) -> String {
        let json = operation_outcome(
            Some(ErrorCode::TooManyRequests),
            &[issue],
            &OutcomeSystems::default(),
            at,
        );
        String::from_utf8(json).unwrap()
    }

    #[test]
    fn an_outcome_has_time_code_and_place() {
        let mut issue = Issue::new("Slow down.").at("http._count");
        issue.position = Some((3, 14));
        assert_eq!(
            outcome(issue, Some(Millis(0))),
            "{\"resourceType\":\"OperationOutcome\",\"meta\":{\"lastUpdated\":\"1970-01-01T00:00:00.000Z\"},\
             \"issue\":[{\"severity\":\"error\",\"code\":\"throttled\",\"details\":{\"coding\":[{\"system\":\
             \"https://fhir.nhs.uk/CodeSystem/NHSD-API-ErrorOrWarningCode\",\"code\":\"TOO_MANY_REQUESTS\"}]},\
             \"diagnostics\":\"Slow down. (line 3, column 14)\",\"location\":[\"http._count\"],\
             \"expression\":[\"http._count\"]}]}"
        );
    }

    #[test]
    fn control_characters_that_a_client_sent_do_not_go_out() {
        let json = outcome(Issue::new("a\0b\u{1b}[31m\u{7f}\u{ffff}\n"), None);
        assert!(
            json.contains("a\u{fffd}b\u{fffd}[31m\u{fffd}\u{fffd}\\n"),
            "{json}"
        );
    }
}
