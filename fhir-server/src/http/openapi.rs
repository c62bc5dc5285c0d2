//! `/openapi.json` and `/openapi/[type].json`: the OpenAPI documents, made at the first request for them and kept while they are in use.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, guard, web};
use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::state::State;
use crate::error::{Error, Result};
use crate::openapi;
use crate::store::ResourceType;

/// Where the document is, below where the server is mounted.
pub(super) const PATH: &str = "/openapi.json";
/// Where those of single types are.
const FOLDER: &str = "/openapi/";
const OF_TYPE: &str = "/openapi/{type}.json";

/// How many documents are kept: that of the server, and of the types that were asked for last.
const KEPT: usize = 8;

/// A document as it is sent.
#[derive(Clone)]
struct Document {
    /// The path of the FHIR base that it names.
    base: String,
    /// What it is about, where that is one type.
    about: Option<ResourceType>,
    text: Bytes,
    etag: HeaderValue,
}

/// Keeps documents once they are made.
#[derive(Default)]
pub(crate) struct Cache(Mutex<VecDeque<Document>>);

impl Cache {
    /// The document for that path of the FHIR base. Takes some time where it must be made, by one caller at a time.
    fn get(&self, base: &str, about: Option<ResourceType>) -> Result<Document> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = kept.iter().position(|d| d.base == base && d.about == about) {
            let document = kept.remove(at);
            kept.extend(document.clone());
            return document.ok_or_else(|| Error::internal("a document is not where it was"));
        }
        let text = Bytes::from(match about {
            Some(about) => openapi::document_of(base, about)?,
            None => openapi::document(base)?,
        });
        let etag = tag(&text)?;
        let document = Document {
            base: base.to_owned(),
            about,
            text,
            etag,
        };
        if kept.len() >= KEPT {
            kept.pop_front();
        }
        kept.push_back(document.clone());
        Ok(document)
    }
}

/// Mounts the documents.
pub(super) fn configure(state: &Arc<State>, app: &mut web::ServiceConfig) {
    let of_server = state.clone();
    let answer_server = move |request: HttpRequest| {
        let mounted_at = request.path().strip_suffix(PATH).unwrap_or_default().to_owned();
        answer(of_server.clone(), request, mounted_at, None)
    };
    app.service(web::resource(PATH).route(web::route().guard(read_only()).to(answer_server)));
    let of_types = state.clone();
    let answer_type = move |request: HttpRequest, name: web::Path<String>| {
        let mounted_at = request
            .path()
            .rsplit_once(FOLDER)
            .map_or("", |(before, _)| before)
            .to_owned();
        let about = ResourceType::from_name(&name);
        let state = of_types.clone();
        async move {
            match about {
                Some(about) => answer(state, request, mounted_at, Some(about)).await,
                None => no_such_type("/openapi/Patient.json"),
            }
        }
    };
    app.service(web::resource(OF_TYPE).route(web::route().guard(read_only()).to(answer_type)));
}

/// The answer where a path names no resource type.
pub(super) fn no_such_type(example: &str) -> HttpResponse {
    plain(StatusCode::NOT_FOUND)
        .content_type("text/plain; charset=utf-8")
        .body(format!(
            "R4 has no resource type of that name; names are written as the specification does: {example}.\n"
        ))
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

async fn answer(
    state: Arc<State>,
    request: HttpRequest,
    mounted_at: String,
    about: Option<ResourceType>,
) -> HttpResponse {
    let base = format!("{mounted_at}{}", state.config.listen.base_path);
    let made = web::block(move || state.openapi.get(&base, about)).await;
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
