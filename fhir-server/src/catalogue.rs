//! The error catalogue: for each kind of failure of the table in `error.rs` its stable id, title, cause, cure and an example of
//! what it says (<https://hl7.org/fhir/R4/operationoutcome.html>). `/docs/errors.json` gives it out, the pages of errors are made of it.
//!
//! Invariant: each kind of failure has one entry here, and each entry is one that the server can give: tests hold both.

mod words;

use serde::Serialize;

use crate::engine::OutcomeSystems;
use crate::error::ErrorCode;

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
    "UNSUPPORTED_VALUE",
    "VALIDATION_ERROR",
];

/// What the catalogue says of one kind of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words {
    /// Its stable id, such as `not-found`: the anchor of its place on the page of errors.
    pub id: &'static str,
    /// A name for people.
    pub title: &'static str,
    /// Why it happens.
    pub cause: &'static str,
    /// What to do about it.
    pub cure: &'static str,
    /// A message that the server may give.
    pub message: &'static str,
    /// The place that the message is about, where there is one.
    pub place: Option<&'static str>,
}

/// One kind of failure as `/docs/errors.json` tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Its stable id, such as `not-found`.
    pub id: &'static str,
    /// HTTP status
    pub status: u16,
    /// code of `http://hl7.org/fhir/issue-type`
    pub issue: &'static str,
    /// the system of `code`, as configured
    pub system: String,
    /// the code in `issue.details.coding`
    pub code: &'static str,
    /// A name for people.
    pub title: &'static str,
    /// Why it happens.
    pub cause: &'static str,
    /// What to do about it.
    pub cure: &'static str,
    /// A message that the server may give.
    pub message: &'static str,
    /// `issue.expression` of that message, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expression: Option<&'static str>,
}

impl ErrorCode {
    /// What the catalogue says of it.
    pub const fn words(self) -> Words {
        words::of(self)
    }
}

/// The system of a code of national APIs.
pub(crate) fn system<'s>(code: &str, systems: &'s OutcomeSystems) -> &'s str {
    if SPINE.contains(&code) {
        &systems.spine
    } else {
        &systems.api
    }
}

/// The whole catalogue, in the order of the table.
pub fn entries(systems: &OutcomeSystems) -> Vec<Entry> {
    let entry = |code: &ErrorCode| {
        let (facts, words) = (code.facts(), code.words());
        Entry {
            id: words.id,
            status: facts.status,
            issue: facts.issue,
            system: system(facts.nhs, systems).to_owned(),
            code: facts.nhs,
            title: words.title,
            cause: words.cause,
            cure: words.cure,
            message: words.message,
            expression: words.place,
        }
    };
    ErrorCode::ALL.iter().map(entry).collect()
}

#[cfg(test)]
mod tests;
