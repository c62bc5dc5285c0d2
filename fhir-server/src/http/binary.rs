//! A Binary in its own media type (<https://hl7.org/fhir/R4/binary.html#rest>).
//!
//! Invariant: what a client stored is never rendered by a browser in our name: it goes out as an attachment, unsniffed,
//! in a sandbox.

use actix_web::HttpResponse;
use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use bytes::Bytes;
use fhir_model::Binary;

use super::exchange::Exchange;
use super::{negotiate, respond};
use crate::error::{Error, ErrorCode, Result};
use crate::interaction::{self, Interaction, Payload, Response};

/// The header that carries `Binary.securityContext`.
pub(crate) const SECURITY_CONTEXT: HeaderName = HeaderName::from_static("x-security-context");

/// Whether the request may be one for the content of a Binary.
pub(crate) fn may_be_native(exchange: &Exchange<'_>) -> bool {
    matches!(exchange.interaction, Some(Interaction::Read | Interaction::Vread))
        && exchange.resource_type.is_some_and(|t| t.name() == "Binary")
        && exchange.format_parameter.is_none()
        && exchange.accept().is_some_and(negotiate::names_other_types)
}

/// The content as the answer, where `Accept` asks for its type; else `None`.
pub(crate) fn native(
    exchange: &mut Exchange<'_>,
    response: &Response,
    base: &str,
) -> Result<Option<HttpResponse>> {
    let Payload::Json(text) = &response.payload else {
        return Ok(None);
    };
    let resource = respond::stored(text)?;
    let Some(binary) = resource.get::<Binary>() else {
        return Ok(None);
    };
    let content_type = binary.content_type.as_str().unwrap_or("application/octet-stream");
    if !negotiate::wants_native(exchange.accept(), content_type) {
        return Ok(None);
    }
    let content = interaction::binary::content(binary)?;
    let mut answer = part(exchange, content.bytes.into(), response.version)?;
    respond::describe(response, base, answer.headers_mut());
    describe(
        answer.headers_mut(),
        content_type,
        content.security_context.as_deref(),
    );
    Ok(Some(answer))
}

/// The whole content, or the part that `Range` asks for.
fn part(exchange: &mut Exchange<'_>, content: Bytes, version: Option<i64>) -> Result<HttpResponse> {
    let length = content.len();
    match requested_range(exchange.http.headers(), version, length) {
        Range::Whole => Ok(with_content(StatusCode::OK, content)),
        Range::Part(first, last) => {
            exchange.add(header::CONTENT_RANGE, format!("bytes {first}-{last}/{length}"));
            Ok(with_content(
                StatusCode::PARTIAL_CONTENT,
                content.slice(first..=last),
            ))
        }
        Range::Unsatisfiable => {
            exchange.add(header::CONTENT_RANGE, format!("bytes */{length}"));
            let text = format!("The content has {length} bytes; the range asked for is beyond them.");
            Err(Error::new(ErrorCode::RangeNotSatisfiable, text).at("http.range"))
        }
    }
}

fn with_content(status: StatusCode, content: Bytes) -> HttpResponse {
    HttpResponse::new(status).set_body(BoxBody::new(content))
}

fn describe(headers: &mut HeaderMap, content_type: &str, security_context: Option<&str>) {
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/octet-stream"),
    );
    set(headers, header::CONTENT_TYPE, content_type);
    set(headers, header::CONTENT_DISPOSITION, "attachment");
    set(
        headers,
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; sandbox",
    );
    set(headers, header::ACCEPT_RANGES, "bytes");
    if let Some(context) = security_context {
        set(headers, SECURITY_CONTEXT, context);
    }
}

/// Sets a header whose value may hold what no header can; then it stays as it was.
fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// What `Range` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Range {
    Whole,
    /// first and last byte
    Part(usize, usize),
    Unsatisfiable,
}

/// Reads `Range` (RFC 9110, section 14.2). A form that is not known, several ranges or another `If-Range` mean the whole.
fn requested_range(headers: &HeaderMap, version: Option<i64>, length: usize) -> Range {
    let text = |name| headers.get(name).and_then(|v: &HeaderValue| v.to_str().ok());
    let Some(range) = text(header::RANGE).and_then(|r| r.trim().strip_prefix("bytes=")) else {
        return Range::Whole;
    };
    if let Some(condition) = text(header::IF_RANGE) {
        // Weak tags never match strongly, and a stored Binary of one version never changes; so the version decides.
        if version.is_none_or(|v| condition.trim_start_matches("W/") != format!("\"{v}\"")) {
            return Range::Whole;
        }
    }
    let Some((first, last)) = range.split_once('-') else {
        return Range::Whole;
    };
    match (first.trim().parse::<usize>(), last.trim().parse::<usize>()) {
        (Ok(first), Ok(last)) if first > last => Range::Whole,
        (Ok(first), _) if last.trim().is_empty() || last.trim().parse::<usize>().is_ok() => {
            let end = last.trim().parse().unwrap_or(usize::MAX);
            if first < length {
                Range::Part(first, end.min(length - 1))
            } else {
                Range::Unsatisfiable
            }
        }
        (Err(_), Ok(0)) if first.trim().is_empty() => Range::Unsatisfiable,
        (Err(_), Ok(suffix)) if first.trim().is_empty() && length > 0 => {
            Range::Part(length.saturating_sub(suffix), length - 1)
        }
        (Err(_), Ok(_)) if first.trim().is_empty() => Range::Unsatisfiable,
        _ => Range::Whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(value: &str, if_range: Option<&str>, length: usize) -> Range {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, HeaderValue::from_str(value).unwrap());
        if let Some(value) = if_range {
            headers.insert(header::IF_RANGE, HeaderValue::from_str(value).unwrap());
        }
        requested_range(&headers, Some(3), length)
    }

    #[test]
    fn reads_the_forms_of_a_range() {
        for (value, expected) in [
            ("bytes=0-0", Range::Part(0, 0)),
            ("bytes=2-5", Range::Part(2, 5)),
            ("bytes=2-", Range::Part(2, 9)),
            ("bytes=2-99", Range::Part(2, 9)),
            ("bytes=-3", Range::Part(7, 9)),
            ("bytes=-99", Range::Part(0, 9)),
            ("bytes=10-", Range::Unsatisfiable),
            ("bytes=-0", Range::Unsatisfiable),
            ("bytes=5-2", Range::Whole),
            ("bytes=0-1,3-4", Range::Whole),
            ("bytes=-", Range::Whole),
            ("bytes=a-b", Range::Whole),
            ("lines=1-2", Range::Whole),
            ("bytes=99999999999999999999999-", Range::Whole),
        ] {
            assert_eq!(range(value, None, 10), expected, "{value}");
        }
        assert_eq!(range("bytes=0-", None, 0), Range::Unsatisfiable);
        assert_eq!(range("bytes=-1", None, 0), Range::Unsatisfiable);
    }

    #[test]
    fn a_range_of_another_version_is_the_whole() {
        assert_eq!(range("bytes=0-1", Some("W/\"3\""), 10), Range::Part(0, 1));
        assert_eq!(range("bytes=0-1", Some("\"2\""), 10), Range::Whole);
    }

    #[test]
    fn a_media_type_that_no_header_can_hold_becomes_octets() {
        let mut headers = HeaderMap::new();
        describe(&mut headers, "text/html\r\nSet-Cookie: a=b", Some("Patient/1\n"));
        assert_eq!(
            headers.get(header::CONTENT_TYPE).unwrap(),
            "application/octet-stream"
        );
        assert_eq!(headers.get(header::CONTENT_DISPOSITION).unwrap(), "attachment");
        assert!(!headers.contains_key(SECURITY_CONTEXT));
    }
}
