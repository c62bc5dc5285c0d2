//! `/docs`: the docs site and the record browser, built in: guides, the API's reference with Try, the error catalogue, search.
//!
//! Invariant: a page loads nothing from and sends nothing to any other host; its Content-Security-Policy says so.

mod pages;
mod render;

use std::sync::{Arc, LazyLock};

use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use serde_json::json;
use sha2::{Digest, Sha256};

use self::pages::{ASSETS, PAGES, Source};
use super::openapi::{plain, read_only};
use super::state::State;
use crate::catalogue;

/// What a browser may do on the pages.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";
const JSON: &str = "application/json";

/// One file of the site as it is sent.
struct File {
    name: String,
    content_type: &'static str,
    body: Bytes,
    etag: String,
}

impl File {
    fn new(name: &str, content_type: &'static str, body: String) -> Self {
        let digest: String = Sha256::digest(&body)
            .iter()
            .take(12)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        File {
            name: name.to_owned(),
            content_type,
            body: body.into(),
            etag: format!("\"{digest}\""),
        }
    }

    fn answer(&self, request: &HttpRequest) -> HttpResponse {
        let known = request
            .headers()
            .get(header::IF_NONE_MATCH)
            .and_then(|tags| tags.to_str().ok());
        let is_known = known.is_some_and(|tags| {
            tags.split(',')
                .any(|tag| tag.trim().trim_start_matches("W/") == self.etag)
        });
        let status = if is_known {
            StatusCode::NOT_MODIFIED
        } else {
            StatusCode::OK
        };
        let mut answer = plain(status);
        answer
            .insert_header((header::ETAG, self.etag.as_str()))
            .insert_header((header::CONTENT_SECURITY_POLICY, POLICY));
        // Data is for pages of others too.
        if self.content_type == JSON {
            answer.insert_header((header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"));
        }
        match is_known {
            true => answer.finish(),
            false => answer.content_type(self.content_type).body(self.body.clone()),
        }
    }
}

/// What is the same on every server, made at the first request.
static FILES: LazyLock<Vec<File>> = LazyLock::new(|| {
    let mut files: Vec<File> = PAGES
        .iter()
        .filter_map(|page| match page.source {
            Source::Html(text) => Some((page, text.to_owned())),
            _ => Some((page, render::article(&render::markdown(page)?))),
        })
        .map(|(page, main)| File::new(page.path, HTML, render::page(page, &main)))
        .collect();
    files.extend(
        ASSETS
            .iter()
            .map(|(name, kind, text)| File::new(name, kind, (*text).to_owned())),
    );
    files.push(File::new("search.json", JSON, render::index()));
    files
});

/// Mounts the site.
pub(super) fn configure(state: &Arc<State>, app: &mut web::ServiceConfig) {
    let to_site = || async { to("docs/") };
    let entries = catalogue::entries(&state.engine.settings().outcome);
    let catalogue = render::catalogue(&entries);
    let mut own: Vec<File> = PAGES
        .iter()
        .filter(|page| matches!(page.source, Source::Catalogue))
        .map(|page| File::new(page.path, HTML, render::page(page, &catalogue)))
        .collect();
    own.push(File::new("errors.json", JSON, json!(entries).to_string()));
    let own = Arc::new(own);
    let answer = move |request: HttpRequest| {
        let name = request.match_info().query("file");
        let answer = match own.iter().chain(FILES.iter()).find(|file| file.name == name) {
            Some(file) => file.answer(&request),
            None => plain(StatusCode::NOT_FOUND).body("There is nothing here; the site begins at /docs/.\n"),
        };
        async move { answer }
    };
    app.service(web::resource("/docs").route(web::route().guard(read_only()).to(to_site)))
        .service(web::resource("/docs/{file:[^/]*}").route(web::route().guard(read_only()).to(answer)));
}

/// Leads from `/` to the site, where the server has the whole address to itself.
pub(super) fn configure_home(app: &mut web::ServiceConfig) {
    let to_site = || async { to("/docs/") };
    app.service(web::resource("/").route(web::route().guard(read_only()).to(to_site)));
}

fn to(place: &'static str) -> HttpResponse {
    plain(StatusCode::TEMPORARY_REDIRECT)
        .insert_header((header::LOCATION, place))
        .finish()
}
