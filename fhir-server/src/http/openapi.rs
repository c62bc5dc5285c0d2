//! `/openapi.json`: the OpenAPI document, made at the first request for it and kept.

use std::sync::{Arc, Mutex, PoisonError};

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, guard, web};
use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::state::State;
use crate::error::{Error, Result};
use crate::openapi;

/// Where the document is, below where the server is mounted.
pub(super) const PATH: &str = "/openapi.json";

/// The document as it is sent.
#[derive(Clone)]
struct Document {
    /// The path of the FHIR base that it names.
    base: String,
    text: Bytes,
    etag: HeaderValue,
}

/// Keeps the document once it is made.
#[derive(Default)]
pub(crate) struct Cache(Mutex<Option<Document>>);

impl Cache {
    /// The document for that path of the FHIR base. Takes some time where it must be made.
    fn get(&self, base: &str) -> Result<Document> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(document) = kept.as_ref().filter(|document| document.base == base) {
            return Ok(document.clone());
        }
        let text = Bytes::from(openapi::document(base)?);
        let etag = tag(&text)?;
        let document = Document {
            base: base.to_owned(),
            text,
            etag,
        };
        *kept = Some(document.clone());
        Ok(document)
    }
}

/// Mounts the document.
pub(super) fn configure(state: &Arc<State>, app: &mut web::ServiceConfig) {
    let state = state.clone();
    let answer = move |request: HttpRequest| answer(state.clone(), request);
    app.service(web::resource(PATH).route(web::route().guard(read_only()).to(answer)));
}

/// GET and HEAD.
pub(super) fn read_only() -> impl guard::Guard {
    guard::Any(guard::Get()).or(guard::Head())
}

/// An answer that a browser takes for nothing but what it says it is.
pub(super) fn plain(status: StatusCode) -> HttpResponseBuilder {
    let mut builder = HttpResponse::build(status);
    builder
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .insert_header((header::CACHE_CONTROL, "no-cache"));
    builder
}

async fn answer(state: Arc<State>, request: HttpRequest) -> HttpResponse {
    let mounted_at = request.path().strip_suffix(PATH).unwrap_or_default();
    let base = format!("{mounted_at}{}", state.config.listen.base_path);
    let made = web::block(move || state.openapi.get(&base)).await;
    let document = match made.map_err(Error::internal).flatten() {
        Ok(document) => document,
        Err(error) => {
            tracing::error!(cause = ?error.cause, "the OpenAPI document cannot be made");
            return plain(StatusCode::INTERNAL_SERVER_ERROR).body("The document cannot be made.\n");
        }
    };
    send(&request, document.etag, "application/json", document.text)
}

/// The entity tag of a document.
pub(super) fn tag(text: &[u8]) -> Result<HeaderValue> {
    let digest = Sha256::digest(text);
    let digest: String = digest.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    HeaderValue::try_from(format!("\"{digest}\"")).map_err(Error::internal)
}

/// A document that tells of no patient, so that any page may read it, or that the caller has it already.
pub(super) fn send(
    request: &HttpRequest,
    etag: HeaderValue,
    media_type: &'static str,
    text: Bytes,
) -> HttpResponse {
    let known = request
        .headers()
        .get(header::IF_NONE_MATCH)
        .and_then(|tags| tags.to_str().ok());
    let tag = etag.to_str().unwrap_or_default();
    let unchanged =
        known.is_some_and(|tags| tags.split(',').any(|t| t.trim().trim_start_matches("W/") == tag));
    let mut answer = plain(if unchanged {
        StatusCode::NOT_MODIFIED
    } else {
        StatusCode::OK
    });
    answer
        .insert_header((header::ETAG, etag))
        .insert_header((header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"));
    match unchanged {
        true => answer.finish(),
        false => answer.content_type(media_type).body(text),
    }
}
