//! Answers as entries of the response (<https://hl7.org/fhir/R4/http.html#transaction-response>).

use base64::Engine as _;

use super::{Entry, Method};
use crate::engine::OutcomeSystems;
use crate::error::{Result, Severity};
use crate::interaction::bundle::Members;
use crate::interaction::{Interaction, Payload, Request, Response, outcome};
use crate::store::version_tag;

/// The entity tag of a version, whole or masked.
pub(in crate::interaction) fn etag(version: i64, masked: bool) -> String {
    format!("W/\"{}\"", version_tag(version, masked))
}

/// Writes the answer of an entry.
pub(in crate::interaction) fn write_answer(
    members: &mut Members<'_>,
    entry: Option<&Entry>,
    answer: &Result<Response>,
    systems: &OutcomeSystems,
) -> Result<()> {
    let response = match answer {
        Ok(response) => response,
        Err(error) => {
            return members.object("response", |members| {
                members.text("status", &status_line(error.code.facts().status))?;
                members.raw("outcome", &outcome::of_error(error, systems));
                Ok(())
            });
        }
    };
    if let (Payload::Json(json), Some(entry)) = (&response.payload, entry)
        && entry.method != Method::Head
    {
        if let Some(url) = full_url(&entry.request, response) {
            members.text("fullUrl", &url)?;
        }
        members.raw("resource", json);
    }
    if let Payload::PlainJson(json) = &response.payload {
        members.raw("resource", &in_binary(json));
    }
    members.object("response", |members| write_response(members, response, systems))
}

/// What is not FHIR goes into a Bundle as the content of a Binary.
fn in_binary(json: &[u8]) -> Vec<u8> {
    let data = base64::engine::general_purpose::STANDARD.encode(json);
    format!(r#"{{"resourceType":"Binary","contentType":"application/json","data":"{data}"}}"#).into_bytes()
}

fn write_response(members: &mut Members<'_>, response: &Response, systems: &OutcomeSystems) -> Result<()> {
    members.text("status", &status_line(response.status))?;
    if let Some(location) = &response.location {
        members.text("location", location)?;
    }
    if let Some(etag) = response.entity_tag() {
        members.text("etag", &etag)?;
    }
    if let Some(at) = response.last_modified {
        members.text("lastModified", &at.to_instant())?;
    }
    let warns = response.issues.iter().any(|i| i.severity == Severity::Warning);
    if matches!(response.payload, Payload::Outcome) || (warns && matches!(response.payload, Payload::None)) {
        members.raw(
            "outcome",
            &outcome::operation_outcome(None, &response.issues, systems, None),
        );
    }
    Ok(())
}

/// The URL of the one resource that an answer holds.
fn full_url(request: &Request, response: &Response) -> Option<String> {
    let of_resource = match &response.location {
        Some(location) => location.split("/_history/").next()?.to_owned(),
        None if matches!(request.interaction, Interaction::Read | Interaction::Vread) => {
            request.key().ok()?.to_string()
        }
        None => return None,
    };
    Some(format!("{}/{of_resource}", request.base))
}

/// A status with its words (RFC 9110, section 15).
fn status_line(status: u16) -> String {
    let words = match status {
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        304 => "Not Modified",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        409 => "Conflict",
        410 => "Gone",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        422 => "Unprocessable Content",
        428 => "Precondition Required",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        507 => "Insufficient Storage",
        _ => return status.to_string(),
    };
    format!("{status} {words}")
}
