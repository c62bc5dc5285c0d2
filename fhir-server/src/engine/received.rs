//! [`Received`]: a body read once, as a typed value and as the places in its text that the server may change.
//!
//! Invariant: the typed value is the only parsed form of a body. A body in JSON is parsed once; one in XML is read,
//! written as JSON, and that read for its places.

use std::borrow::Cow;
use std::ops::Range;

use bytes::Bytes;
use fhir_model::json::{Link, ResourceSpan, Trace};
use fhir_model::read::{IssueKind, Limits, Partial, ReadIssue, ReadOptions};
use fhir_model::{Bundle, Resource, json, xml};

use super::{Edit, Settings};
use crate::error::{Error, ErrorCode, Issue, Result};
use crate::interaction::{Format, RequestBody};

/// A body that was read: a resource, or a Bundle of them.
pub(crate) struct Received {
    text: Bytes,
    /// The typed value.
    pub(crate) resource: Resource,
    trace: Trace,
}

/// One resource of a body: the body itself, or the resource of a Bundle's entry.
#[derive(Clone)]
pub(crate) struct Part<'r> {
    /// The text that all spans are in.
    pub(crate) text: &'r [u8],
    /// The typed value.
    pub(crate) resource: &'r Resource,
    /// Its place in the text.
    pub(crate) span: &'r ResourceSpan,
    /// Its place as a FHIRPath: `Patient`, or `Bundle.entry[3].resource`.
    pub(crate) path: Cow<'static, str>,
}

impl Part<'_> {
    /// Its text with its edits made.
    pub(crate) fn edited(&self, edits: &[Edit]) -> Result<Vec<u8>> {
        let lost = || Error::internal("edits of a body are out of order");
        let mut out = Vec::with_capacity(self.span.span.len());
        let mut at = self.span.span.start;
        for edit in edits {
            out.extend_from_slice(self.text.get(at..edit.span.start).ok_or_else(lost)?);
            out.extend_from_slice(&edit.text);
            at = edit.span.end;
        }
        out.extend_from_slice(self.text.get(at..self.span.span.end).ok_or_else(lost)?);
        Ok(out)
    }
}

impl Received {
    /// Reads a body of FHIR in JSON or XML.
    pub(crate) fn read(body: Option<&RequestBody>, settings: &Settings) -> Result<Received> {
        let Some(body) = body else {
            let text = "The request needs a body: a resource in FHIR JSON or XML.";
            return Err(Error::new(ErrorCode::Required, text));
        };
        match fhir_text(body)? {
            (Format::Json, text) => Received::from_json(text.clone(), settings),
            (Format::Xml, text) => Received::from_json(json_of_xml(text, settings)?.into(), settings),
        }
    }

    /// Reads a body of FHIR JSON.
    pub(crate) fn from_json(text: Bytes, settings: &Settings) -> Result<Received> {
        let (resource, trace) =
            json::read_traced(&text, &options(settings)).map_err(|error| unreadable(error.issues))?;
        Ok(Received {
            text,
            resource,
            trace,
        })
    }

    /// The resource that is the body.
    pub(crate) fn whole(&self) -> Result<Part<'_>> {
        let span = self.trace.resources.first().ok_or_else(untraced)?;
        let path = Cow::Borrowed(self.resource.type_name());
        Ok(Part {
            text: &self.text,
            resource: &self.resource,
            span,
            path,
        })
    }

    /// The resource of that entry of the Bundle that is the body.
    pub(crate) fn entry<'r>(&'r self, index: usize, resource: &'r Resource) -> Result<Part<'r>> {
        let path = Cow::Owned(format!("Bundle.entry[{index}].resource"));
        Ok(Part {
            text: &self.text,
            resource,
            span: self.span_of_entry(index)?,
            path,
        })
    }

    /// The string literals in that part of the text that may hold a reference, in the order of the text.
    pub(crate) fn links(&self, within: &Range<usize>) -> &[Link] {
        links_within(&self.trace, within)
    }

    /// The string literals of that entry's resource that may hold a reference.
    pub(crate) fn links_of_entry(&self, index: usize) -> Result<&[Link]> {
        Ok(links_within(&self.trace, &self.span_of_entry(index)?.span))
    }

    /// The text of the body in JSON.
    pub(crate) fn text(&self) -> &[u8] {
        &self.text
    }

    /// Changes the typed resource of an entry and gives the edits of its text. `edit` is given the text, the string
    /// literals within the resource that may hold a reference, the resource, and its place.
    pub(crate) fn edit_entry(
        &mut self,
        index: usize,
        edit: impl FnOnce(&[u8], &[Link], &mut Resource, &str) -> Result<Vec<Edit>>,
    ) -> Result<Vec<Edit>> {
        let span = self.span_of_entry(index)?.span.clone();
        let entry = self
            .resource
            .get_mut::<Bundle>()
            .and_then(|b| b.entry.get_mut(index));
        let Some(resource) = entry.and_then(|e| e.resource.as_mut()) else {
            return Err(untraced());
        };
        let path = format!("Bundle.entry[{index}].resource");
        edit(&self.text, links_within(&self.trace, &span), resource, &path)
    }

    fn span_of_entry(&self, index: usize) -> Result<&ResourceSpan> {
        let spans = &self.trace.resources;
        let place = spans.partition_point(|s| s.entry < Some(index));
        spans
            .get(place)
            .filter(|s| s.entry == Some(index))
            .ok_or_else(untraced)
    }
}

fn links_within<'t>(trace: &'t Trace, within: &Range<usize>) -> &'t [Link] {
    let from = trace.links.partition_point(|l| l.span.start < within.start);
    let to = trace.links.partition_point(|l| l.span.start < within.end);
    trace.links.get(from..to).unwrap_or_default()
}

fn untraced() -> Error {
    Error::internal("the trace of a body lacks a resource that was read from it")
}

fn options(settings: &Settings) -> ReadOptions {
    // The text of a Binary in FHIR's own form is larger than its content by a third.
    let bytes = settings
        .body_bytes
        .max(settings.binary_bytes.saturating_mul(4) / 3 + 4096);
    ReadOptions {
        limits: Limits {
            bytes,
            depth: settings.depth,
            ..Limits::default()
        },
        ..ReadOptions::default()
    }
}

/// What can be read of a body of FHIR in JSON or XML, and what is wrong with the rest.
pub(crate) fn read_partial(body: &RequestBody, settings: &Settings) -> Result<Partial<Resource>> {
    Ok(match fhir_text(body)? {
        (Format::Json, text) => json::read_partial(text, &options(settings)),
        (Format::Xml, text) => xml::read_partial(text, &options(settings)),
    })
}

/// The text of a body of FHIR.
fn fhir_text(body: &RequestBody) -> Result<(Format, &Bytes)> {
    match body {
        RequestBody::Fhir(format, text) => Ok((*format, text)),
        RequestBody::Native { content_type, .. } => Err(Error::new(
            ErrorCode::UnsupportedMediaType,
            format!(
                "A body of type {content_type:?} is taken for Binary only: send application/fhir+json or application/fhir+xml."
            ),
        )),
        RequestBody::Patch(form, _) => Err(Error::new(
            ErrorCode::UnsupportedMediaType,
            format!("A body of type {:?} is taken by PATCH only.", form.media_type()),
        )),
    }
}

/// The body in JSON: the one form in which resources are stored.
fn json_of_xml(text: &[u8], settings: &Settings) -> Result<Vec<u8>> {
    let read = xml::read(text, &options(settings)).map_err(|error| unreadable(error.issues))?;
    Ok(json::to_vec(&read.value))
}

/// What the caller is told of a body that could not be read.
pub(crate) fn unreadable(issues: Vec<ReadIssue>) -> Error {
    let limit = issues.iter().any(|i| i.kind == IssueKind::Limit);
    let issues = issues.into_iter().map(|issue| Issue {
        diagnostics: issue.message,
        expression: (!issue.path.is_empty()).then_some(issue.path),
        position: Some((issue.line, issue.column)),
        ..Issue::default()
    });
    let code = if limit {
        ErrorCode::TooLarge
    } else {
        ErrorCode::Structure
    };
    Error {
        code,
        issues: issues.collect(),
        cause: None,
    }
}
