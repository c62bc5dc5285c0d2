//! Texts that could be read in part: what is wrong with the text, and with what was read of it.
//!
//! Invariant: a part that could not be read is told once, by the reader. What follows only from its absence is not told.

use fhir_model::Resource;
use fhir_model::read::{IssueKind, Partial, ReadIssue, ReadOptions};

use crate::finding::{Breach, Finding, Severity};
use crate::layer::Layer;
use crate::position;
use crate::validator::Validator;

impl Validator {
    /// Reads a text, in JSON or XML, and checks what could be read, up to the first thing that hides what follows, such as a
    /// missing bracket. What is found has its line and column.
    pub fn validate_text(&self, text: &[u8], profiles: &[String], options: &ReadOptions) -> Vec<Finding> {
        let is_xml = text.iter().find(|b| !b.is_ascii_whitespace() && **b < 0x80) == Some(&b'<');
        let partial = if is_xml {
            fhir_model::xml::read_partial(text, options)
        } else {
            fhir_model::json::read_partial(text, options)
        };
        let mut findings = self.validate_partial(&partial, profiles);
        position::find(text, "", &mut findings);
        findings
    }

    /// All that is wrong with what was read, after all that was wrong with the text. Findings of the text have their positions.
    pub fn validate_partial(&self, partial: &Partial<Resource>, profiles: &[String]) -> Vec<Finding> {
        let checked = partial
            .value
            .iter()
            .map(|value| self.validate_against(value, profiles));
        after(&partial.issues, checked.flatten().collect())
    }
}

/// All that is wrong with a text: what its reader says, then what was found in the part that was read, but for what follows from
/// the rest. The places of both are from the same root.
pub fn after(issues: &[ReadIssue], found: Vec<Finding>) -> Vec<Finding> {
    if issues.is_empty() {
        return found;
    }
    let follows = |finding: &Finding| issues.iter().any(|issue| explains(issue, finding));
    let mut findings: Vec<Finding> = issues.iter().map(unreadable).collect();
    findings.extend(found.into_iter().filter(|finding| !follows(finding)));
    findings
}

fn unreadable(issue: &ReadIssue) -> Finding {
    Finding {
        layer: "text",
        breach: Breach::Shape,
        severity: Severity::Error,
        by_profile: false,
        expression: issue.path.clone(),
        message: issue.message.clone(),
        rule: None,
        near: None,
        position: Some((issue.line, issue.column)),
    }
}

/// Whether a finding may follow from what was not read there: it is about that part, or it is a rule about what the part belongs to.
fn explains(issue: &ReadIssue, finding: &Finding) -> bool {
    if issue.kind == IssueKind::Order {
        return false;
    }
    let lies_within = |inner: &str, outer: &str| {
        inner
            .strip_prefix(outer)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    let is_left_out = issue.kind != IssueKind::Unknown;
    let is_rule = finding.layer == Layer::Invariant.name();
    lies_within(&finding.expression, &issue.path)
        || is_left_out && is_rule && lies_within(&issue.path, &finding.expression)
}
