//! `/docs`: the OpenAPI document as a page to read and to try requests on (Swagger UI, built in).
//!
//! Invariant: the page loads nothing from and sends nothing to any other host; its Content-Security-Policy says so.

use std::io::Read;
use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap};
use actix_web::{HttpRequest, HttpResponse, web};
use flate2::read::GzDecoder;
use utoipa_swagger_ui::{Config, serve};

use super::openapi::{plain, read_only};

/// What a browser may do on the page. Swagger UI sets styles in its markup and draws its icons from `data:`.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const PAGE: &str = include_str!("index.html");
const START: &str = include_str!("start.js");

/// The files of Swagger UI that the page uses.
const ASSETS: [&str; 3] = ["favicon-32x32.png", "swagger-ui-bundle.js", "swagger-ui.css"];

/// Mounts the page.
pub(super) fn configure(app: &mut web::ServiceConfig) {
    let to_page = || async {
        plain(StatusCode::TEMPORARY_REDIRECT)
            .insert_header((header::LOCATION, "docs/"))
            .finish()
    };
    app.service(web::resource("/docs").route(web::route().guard(read_only()).to(to_page)))
        .service(web::resource("/docs/{file:[^/]*}").route(web::route().guard(read_only()).to(answer)));
}

async fn answer(request: HttpRequest) -> HttpResponse {
    match request.match_info().query("file") {
        "" => text("text/html; charset=utf-8", PAGE),
        "start.js" => text("text/javascript; charset=utf-8", START),
        file if ASSETS.contains(&file) => asset(file, request.headers()),
        _ => plain(StatusCode::NOT_FOUND).body("There is nothing here; the page is at /docs/.\n"),
    }
}

fn text(content_type: &str, body: &'static str) -> HttpResponse {
    plain(StatusCode::OK)
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .content_type(content_type)
        .body(body)
}

/// A file of Swagger UI; it is kept packed, and unpacked for those who do not take it so.
fn asset(file: &str, headers: &HeaderMap) -> HttpResponse {
    let Ok(Some(asset)) = serve(file, Arc::new(Config::from("/"))) else {
        return plain(StatusCode::NOT_FOUND).finish();
    };
    let mut answer = plain(StatusCode::OK);
    answer
        .content_type(asset.content_type)
        .insert_header((header::VARY, "Accept-Encoding"));
    answer.insert_header((header::CACHE_CONTROL, "public, max-age=86400"));
    let takes_gzip = headers
        .get(header::ACCEPT_ENCODING)
        .and_then(|v| v.to_str().ok())
        .is_some_and(|v| v.contains("gzip"));
    if asset.gzpipped && takes_gzip {
        return answer
            .insert_header((header::CONTENT_ENCODING, "gzip"))
            .body(asset.bytes.into_owned());
    }
    let mut unpacked = Vec::new();
    match asset
        .gzpipped
        .then(|| GzDecoder::new(&*asset.bytes).read_to_end(&mut unpacked))
    {
        None => answer.body(asset.bytes.into_owned()),
        Some(Ok(_)) => answer.body(unpacked),
        Some(Err(_)) => plain(StatusCode::INTERNAL_SERVER_ERROR).finish(),
    }
}
