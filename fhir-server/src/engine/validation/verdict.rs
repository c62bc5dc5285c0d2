//! From findings to what becomes of a write: what is refused, with which status, and what is told in warnings.
//!
//! Invariant: a system must be able to record what the clinician does. Free text, codes and extensions that are not known
//! here, and what a profile asks, refuse nothing unless the configuration says so.

use fhir_validate::{Breach, Finding, Severity};

use super::strictness::{Check, OnBreach, Rules};
use crate::error::{Error, ErrorCode, Issue, Severity as IssueSeverity};

/// Issues told of one resource at most.
const MAX_ISSUES: usize = 100;
/// The invariants of narratives: what is allowed in them.
const OF_NARRATIVES: [&str; 2] = ["txt-1", "txt-2"];

/// What became of the findings.
pub(super) struct Verdict {
    /// Why it is refused.
    pub(super) refusal: Option<Error>,
    /// What is told, the refusal's issues among it.
    pub(super) issues: Vec<Issue>,
}

/// Whether a finding is a breach of what is asked.
fn is_breach(finding: &Finding, rules: &Rules, strict: bool) -> bool {
    if finding.severity < Severity::Error || rules.breach == OnBreach::Warn {
        return false;
    }
    if finding.by_profile && finding.layer != "extension" {
        return rules.level == Check::Profile;
    }
    let is_of_narrative = finding
        .rule
        .as_deref()
        .is_some_and(|rule| OF_NARRATIVES.contains(&rule));
    match finding.layer {
        "narrative" | "identifier" => strict,
        "invariant" if is_of_narrative => strict,
        // These hold a resource against definitions that somebody else made: of an extension, a form, a terminology.
        "extension" | "questionnaire" | "conformance" => strict || rules.level == Check::Profile,
        _ => true,
    }
}

/// Weighs findings. `root` is the type of the resource, `path` its place in the body.
pub(super) fn weigh(findings: Vec<Finding>, rules: &Rules, strict: bool, root: &str, path: &str) -> Verdict {
    let (mut refused, mut told) = (Vec::new(), Vec::new());
    let mut code = ErrorCode::Unprocessable;
    let is_shape = |finding: &Finding| finding.breach == Breach::Shape && !finding.by_profile;
    let breaks_shape = |finding: &Finding| is_shape(finding) && is_breach(finding, rules, strict);
    let shape_is_broken = findings.iter().any(breaks_shape);
    if shape_is_broken {
        code = ErrorCode::Structure;
    }
    for finding in findings {
        // What a rule says of a value that is none is of no use.
        if shape_is_broken && !is_shape(&finding) {
            continue;
        }
        let breaks = is_breach(&finding, rules, strict);
        let severity = match finding.severity {
            _ if breaks => IssueSeverity::Error,
            Severity::Information => IssueSeverity::Information,
            _ => IssueSeverity::Warning,
        };
        let list = if breaks { &mut refused } else { &mut told };
        list.push(issue(finding, severity, root, path));
    }
    if refused.is_empty() {
        told.truncate(MAX_ISSUES);
        return Verdict {
            refusal: None,
            issues: told,
        };
    }
    refused.truncate(MAX_ISSUES);
    Verdict {
        refusal: Some(Error {
            code,
            issues: refused,
            cause: None,
        }),
        issues: Vec::new(),
    }
}

fn issue(finding: Finding, severity: IssueSeverity, root: &str, path: &str) -> Issue {
    let below = finding.expression.strip_prefix(root).unwrap_or_default();
    let mut issue = Issue::new(words(&finding))
        .at(format!("{path}{below}"))
        .with_severity(severity);
    issue.kind = Some(kind(&finding));
    issue.position = finding.position;
    issue
}

/// The message, and the rule that asks it.
pub(crate) fn words(finding: &Finding) -> String {
    match &finding.rule {
        Some(rule) if !finding.message.contains(rule.as_str()) => format!("{} [{rule}]", finding.message),
        _ => finding.message.clone(),
    }
}

/// The code of `http://hl7.org/fhir/issue-type` for a finding.
pub(crate) fn kind(finding: &Finding) -> &'static str {
    match finding.layer {
        _ if finding.severity == Severity::Information => "informational",
        "structure" | "text" | "schema" => "structure",
        "format" | "fixed" | "identifier" => "value",
        "binding" => "code-invalid",
        "invariant" => "invariant",
        "extension" => "extension",
        "reference" => "business-rule",
        _ => "processing",
    }
}
