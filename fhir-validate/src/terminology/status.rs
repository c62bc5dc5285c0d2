//! What is to be said about definitions that are not, not yet, or no longer to be relied on
//! (<https://hl7.org/fhir/R4/valueset-publication-status.html>, and the extension for the status of a standard).

use super::code_system::CodeSystem;
use super::issue::Issue;
use super::set::{Compiled, Status};

/// A warning about a code system or a value set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Warning {
    /// The parameter of an expansion that carries it.
    pub(super) parameter: &'static str,
    /// The key of the message that carries it.
    id: &'static str,
    word: &'static str,
    /// `CodeSystem` or `ValueSet`.
    kind: &'static str,
    pub(super) canonical: String,
}

impl Warning {
    /// The warning as an issue of an answer.
    pub(super) fn issue(&self) -> Issue {
        let text = format!("Reference to {} {} {}", self.word, self.kind, self.canonical);
        Issue::information("business-rule", "status-check", self.id, text).quiet()
    }
}

/// All warnings about a value set, what it imports, and the code systems that they use.
pub(super) fn warnings(compiled: &Compiled) -> Vec<Warning> {
    let mut found = of_value_sets(compiled);
    let all = compiled.with_imports();
    let systems = all.iter().flat_map(|c| &c.systems);
    found.extend(systems.filter_map(|s| of_code_system(s, Some(compiled))));
    found
}

/// The warnings about a value set and what it imports.
pub(super) fn of_value_sets(compiled: &Compiled) -> Vec<Warning> {
    let all = compiled.with_imports();
    let found = all.iter().filter(|c| !c.contained);
    found
        .filter_map(|c| warning(&c.status, Some(&compiled.status), "ValueSet"))
        .collect()
}

/// The warning about a code system that is used by a value set, or by itself.
pub(super) fn of_code_system(system: &CodeSystem, by: Option<&Compiled>) -> Option<Warning> {
    let head = &system.head;
    let status = Status {
        canonical: system.canonical(),
        status: head.status.clone(),
        experimental: head.experimental,
        standards_status: head.standards_status.clone(),
    };
    warning(&status, by.map(|c| &c.status), "CodeSystem")
}

/// A draft may use drafts, and an experiment experiments, without a word; nothing should use what is withdrawn.
fn warning(of: &Status, by: Option<&Status>, kind: &'static str) -> Option<Warning> {
    let is_draft =
        |s: &Status| s.status.as_deref() == Some("draft") || s.standards_status.as_deref() == Some("draft");
    let standard = of.standards_status.as_deref();
    let (parameter, id, word) = if standard == Some("deprecated") {
        ("warning-deprecated", "MSG_DEPRECATED", "deprecated")
    } else if standard == Some("withdrawn") {
        ("warning-withdrawn", "MSG_WITHDRAWN", "withdrawn")
    } else if of.status.as_deref() == Some("retired") {
        ("warning-retired", "MSG_RETIRED", "retired")
    } else if of.experimental && by.is_some_and(|by| !by.experimental) {
        ("warning-experimental", "MSG_EXPERIMENTAL", "experimental")
    } else if is_draft(of) && by.is_some_and(|by| !is_draft(by)) {
        ("warning-draft", "MSG_DRAFT", "draft")
    } else {
        return None;
    };
    Some(Warning {
        parameter,
        id,
        word,
        kind,
        canonical: of.canonical.clone(),
    })
}
