//! Patches in four forms (<https://hl7.org/fhir/R4/http.html#patch>), each a pure function from a document and a patch to the
//! patched document. Who may patch what, and what becomes of it, is the interaction's business.
//!
//! Invariant: what a patch does not name stays byte for byte: order of members, escapes, digits of numbers.
//! Invariant: a patch takes a bounded number of operations and a bounded amount of work and memory, whatever it says.

mod align;
mod budget;
mod diff;
mod fhirpath;
mod json;
mod merge;
mod pointer;
mod xml;
mod xpath;

#[cfg(test)]
mod tests;

pub(crate) use diff::{TooMany, diff};

use bytes::Bytes;
use fhir_model::json::Tree;
use fhir_model::read::ReadError;

use self::budget::{Bounds, Budget};
use crate::engine::Settings;
use crate::error::{Error, ErrorCode, Issue, Result};

/// The forms of patches that have media types of their own. The fourth, FHIRPath Patch, is a Parameters resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatchForm {
    /// JSON Patch, RFC 6902
    Json,
    /// JSON Merge Patch, RFC 7396
    Merge,
    /// XML Patch, RFC 5261
    Xml,
}

impl PatchForm {
    /// Every form.
    pub const ALL: [PatchForm; 3] = [Self::Json, Self::Merge, Self::Xml];

    /// Its media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json-patch+json",
            Self::Merge => "application/merge-patch+json",
            Self::Xml => "application/xml-patch+xml",
        }
    }

    /// The form of that media type, `type/subtype` in lower case.
    pub fn of_media_type(essence: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|form| form.media_type() == essence)
    }
}

/// The media types of all four forms, as CapabilityStatement, `Accept-Patch` and messages list them.
pub(crate) const MEDIA_TYPES: [&str; 5] = [
    PatchForm::Json.media_type(),
    PatchForm::Merge.media_type(),
    PatchForm::Xml.media_type(),
    "application/fhir+json",
    "application/fhir+xml",
];

/// What a PATCH takes, for messages.
pub(crate) const TAKEN: &str = "`application/json-patch+json` (JSON Patch), `application/merge-patch+json` (JSON Merge \
    Patch), `application/xml-patch+xml` (XML Patch), or a Parameters resource as `application/fhir+json` or \
    `application/fhir+xml` (FHIRPath Patch)";

/// A patch as received.
#[derive(Clone, Debug)]
pub(crate) enum Patch {
    /// In a form of its own.
    Of(PatchForm, Bytes),
    /// FHIRPath Patch: a Parameters resource in JSON, known to be one.
    FhirPath(Bytes),
}

impl Patch {
    /// Applies the patch to a resource in JSON.
    ///
    /// # Errors
    /// 400: the patch is not well formed. 422: it cannot be applied to this resource, or its test fails. 413: it is
    /// beyond the limits.
    pub(crate) fn apply(&self, document: &[u8], settings: &Settings) -> Result<Vec<u8>> {
        let bounds = Bounds::new(settings);
        let mut budget = Budget::new(&bounds);
        match self {
            Patch::Of(PatchForm::Json, text) => {
                let patch = tree(text, &bounds)?;
                json::apply(stored(document, &bounds)?, &patch, &bounds, &mut budget).map(|t| t.to_vec())
            }
            Patch::Of(PatchForm::Merge, text) => {
                let patch = tree(text, &bounds)?;
                merge::apply(stored(document, &bounds)?, &patch, &mut budget).map(|t| t.to_vec())
            }
            Patch::FhirPath(text) => {
                let patch = tree(text, &bounds)?;
                fhirpath::apply(stored(document, &bounds)?, &patch, &bounds, &mut budget)
            }
            Patch::Of(PatchForm::Xml, text) => xml::apply(document, text, &bounds, &mut budget),
        }
    }
}

/// The patch as a tree.
fn tree<'t>(text: &'t [u8], bounds: &Bounds) -> Result<Tree<'t>> {
    Tree::read(text, &bounds.limits()).map_err(|error| unreadable(error, "The patch cannot be read"))
}

/// The document as a tree. It was stored, so that only its limits can have changed.
fn stored<'t>(text: &'t [u8], bounds: &Bounds) -> Result<Tree<'t>> {
    Tree::read(text, &bounds.limits()).map_err(|error| unreadable(error, "The resource cannot be patched"))
}

/// What the caller is told of a text that cannot be read.
fn unreadable(error: ReadError, what: &str) -> Error {
    use fhir_model::read::IssueKind;
    let limit = error.issues.iter().any(|i| i.kind == IssueKind::Limit);
    let code = match limit {
        true => ErrorCode::TooLarge,
        false => ErrorCode::Structure,
    };
    let issues = error.issues.into_iter().map(|issue| Issue {
        diagnostics: format!("{what}: {}", issue.message),
        position: Some((issue.line, issue.column)),
        ..Issue::default()
    });
    Error {
        code,
        issues: issues.collect(),
        cause: None,
    }
}

/// A value for a message, at most 60 characters of it.
fn shown(value: &Tree<'_>) -> String {
    shortened(&String::from_utf8_lossy(&value.to_vec()))
}

/// Text for a message, at most 60 characters of it.
fn shortened(text: &str) -> String {
    let mut short: String = text.chars().take(60).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}
