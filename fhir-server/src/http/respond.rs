//! From what an interaction answers to HTTP, and the only place where an error becomes an answer.
//!
//! Invariant: of an error only its issues go out; its cause goes to the log.
//! Invariant: stored JSON is sent as it is; only XML and `_pretty` make another text of it.

use std::time::{Duration, UNIX_EPOCH};

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderValue, HttpDate};
use actix_web::{HttpResponse, web};
use bytes::Bytes;
use fhir_model::read::{Limits, ReadOptions};
use fhir_model::{Resource, json, xml};

use super::discovery;
use super::exchange::Exchange;
use super::state::State;
use crate::context::Millis;
use crate::error::{Error, ErrorCode, Issue, Result};
use crate::interaction::{Format, Payload, Response, operation_outcome};

/// Bytes of JSON of which making another text takes long.
const LONG: usize = 64 << 10;

/// How the body of an answer is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Style {
    pub(crate) format: Format,
    pub(crate) pretty: bool,
}

/// The answer to a request that succeeded and may have `written` something. `base` is for `Location`.
pub(crate) async fn success(
    state: &State,
    response: Response,
    style: Style,
    written: bool,
    base: &str,
) -> Result<HttpResponse> {
    let mut answer = empty(response.status);
    describe(&response, base, answer.headers_mut());
    let json = match response.payload {
        Payload::None => return Ok(answer),
        Payload::Json(json) => json,
        Payload::Outcome => outcome(state, None, &response.issues),
        Payload::PlainJson(json) => {
            let style = Style {
                format: Format::Json,
                ..style
            };
            let answer = with_body(answer, Format::Json, in_style(json, style).await?);
            return Ok(of_type(answer, "application/json"));
        }
    };
    // What was written stays written, so the answer tells of it in the form that can hold it.
    let otherwise = (written && style.format == Format::Xml).then(|| json.clone());
    match (in_style(json, style).await, otherwise) {
        (Ok(body), _) => Ok(with_body(answer, style.format, body)),
        (Err(error), Some(json)) if error.code == ErrorCode::NotAcceptable => {
            Ok(with_body(answer, Format::Json, json))
        }
        (Err(error), _) => Err(error),
    }
}

/// The answer to a request that failed.
pub(crate) fn failure(state: &State, error: &Error, exchange: &Exchange<'_>) -> HttpResponse {
    let status = error.code.facts().status;
    if status >= 500 {
        let cause = error.cause.as_deref();
        tracing::error!(request_id = %exchange.request_id, code = ?error.code, cause, "a request failed");
    }
    let style = Style {
        format: exchange.error_format(),
        pretty: exchange.pretty,
    };
    let mut answer = explained(state, error, style);
    match error.code {
        ErrorCode::Unauthenticated | ErrorCode::InvalidToken | ErrorCode::InsufficientScope => {
            let challenge = discovery::challenge(error.code, exchange.base.as_deref());
            answer.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        ErrorCode::TooManyRequests | ErrorCode::Unavailable | ErrorCode::StorageFull => {
            answer
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        _ => {}
    }
    answer
}

fn explained(state: &State, error: &Error, style: Style) -> HttpResponse {
    let json = outcome(state, Some(error.code), &error.issues);
    let answer = empty(error.code.facts().status);
    match styled(json.clone(), style) {
        Ok(body) => with_body(answer, style.format, body),
        // What the client sent may be such that XML cannot hold it; JSON can.
        Err(_) => with_body(answer, Format::Json, json),
    }
}

fn outcome(state: &State, code: Option<ErrorCode>, issues: &[Issue]) -> Vec<u8> {
    operation_outcome(
        code,
        issues,
        &state.engine.settings().outcome,
        Some(state.clock.now()),
    )
}

/// The same, on another thread where it takes long.
async fn in_style(json: Vec<u8>, style: Style) -> Result<Vec<u8>> {
    if json.len() < LONG || style == Style::default() {
        return styled(json, style);
    }
    web::block(move || styled(json, style))
        .await
        .map_err(Error::internal)?
}

fn styled(json: Vec<u8>, style: Style) -> Result<Vec<u8>> {
    match (style.format, style.pretty) {
        (Format::Json, false) => Ok(json),
        (Format::Json, true) => Ok(json::pretty(&json)),
        (Format::Xml, pretty) => to_xml(&json, pretty),
    }
}

/// An answer with that status and nothing in it.
pub(crate) fn empty(status: u16) -> HttpResponse {
    HttpResponse::new(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR))
}

fn of_type(mut answer: HttpResponse, content_type: &'static str) -> HttpResponse {
    let value = HeaderValue::from_static(content_type);
    answer.headers_mut().insert(header::CONTENT_TYPE, value);
    answer
}

fn with_body(mut answer: HttpResponse, format: Format, body: Vec<u8>) -> HttpResponse {
    let content_type = match format {
        Format::Json => "application/fhir+json; charset=utf-8",
        Format::Xml => "application/fhir+xml; charset=utf-8",
    };
    answer
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer.set_body(actix_web::body::BoxBody::new(Bytes::from(body)))
}

/// `ETag`, `Last-Modified`, `Location`. <https://hl7.org/fhir/R4/http.html#versioning>
pub(crate) fn describe(response: &Response, base: &str, headers: &mut HeaderMap) {
    let etag = response.entity_tag();
    let modified = response.last_modified.and_then(http_date);
    let location = response.location.as_ref().map(|path| format!("{base}/{path}"));
    let location_header = if response.status == 201 {
        header::LOCATION
    } else {
        header::CONTENT_LOCATION
    };
    for (name, value) in [
        (header::ETAG, etag),
        (header::LAST_MODIFIED, modified),
        (location_header, location),
    ] {
        if let Some(value) = value.and_then(|v| HeaderValue::try_from(v).ok()) {
            headers.insert(name, value);
        }
    }
}

fn http_date(at: Millis) -> Option<String> {
    let since = Duration::from_millis(u64::try_from(at.0).ok()?);
    Some(HttpDate::from(UNIX_EPOCH.checked_add(since)?).to_string())
}

fn to_xml(json: &[u8], pretty: bool) -> Result<Vec<u8>> {
    let resource = stored(json)?;
    let text = match pretty {
        true => xml::to_string_pretty(&resource).map(String::into_bytes),
        false => xml::to_vec(&resource),
    };
    text.map_err(|error| {
        let text = format!(
            "This cannot be given as XML: {}. Ask for application/fhir+json.",
            error.message
        );
        Error::new(ErrorCode::NotAcceptable, text).at(error.path)
    })
}

/// JSON of our own as a typed value. It was accepted once, so it can be read; a page of it, or a Binary with its content
/// in base64, may be larger than a body may be.
pub(crate) fn stored(json: &[u8]) -> Result<Resource> {
    let limits = Limits {
        bytes: usize::MAX,
        depth: 256,
        elements: usize::MAX,
        expansion: usize::MAX,
        ..Limits::default()
    };
    let options = ReadOptions {
        limits,
        ..ReadOptions::default()
    };
    json::read(json, &options)
        .map(|read| read.value)
        .map_err(|cause| Error::internal(cause.to_string()))
}
