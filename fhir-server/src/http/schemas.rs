//! `/schemas/{Type}.json`: the JSON Schema of a resource type, the very one that validation holds a resource against.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use fhir_validate::schema;

use super::openapi::{no_such_type, plain, read_only, send, tag};
use crate::error::{Error, Result};

/// Where the schemas are, below where the server is mounted.
const PATH: &str = "/schemas/{name}.json";

/// Mounts the schemas.
pub(super) fn configure(app: &mut web::ServiceConfig) {
    app.service(web::resource(PATH).route(web::route().guard(read_only()).to(answer)));
}

async fn answer(request: HttpRequest, name: web::Path<String>) -> HttpResponse {
    let asked = name.to_string();
    let made = web::block(move || text(&asked)).await;
    match made.map_err(Error::internal).flatten() {
        Ok(Some(text)) => match tag(&text) {
            Ok(etag) => send(&request, etag, "application/schema+json", text),
            Err(error) => failed(&error),
        },
        Ok(None) => no_such_type("/schemas/Patient.json"),
        Err(error) => failed(&error),
    }
}

fn text(name: &str) -> Result<Option<Bytes>> {
    let document = schema::published(name).map_err(Error::internal)?;
    Ok(document.map(|document| Bytes::from(document.text())))
}

fn failed(error: &Error) -> HttpResponse {
    tracing::error!(cause = ?error.cause, "a schema cannot be made");
    plain(StatusCode::INTERNAL_SERVER_ERROR).body("The schema cannot be made.\n")
}
