//! The routes of the development authority.
//!
//! Invariant: no answer with a token or code in it is kept by anybody (`no-store`), framed, or read by a page of an origin that is not
//! configured.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

use super::mount::Mount;
use super::state::State;
use super::{auth, cors, discovery, sandbox};
use crate::authority::{Authority, PATH, Params, Refused, Step};

/// Bytes of a form at most.
const MAX_FORM: usize = 64 * 1024;

type Pairs = Vec<(String, String)>;

/// Mounts the authority, where there is one.
pub(crate) fn configure(state: &Arc<State>, app: &mut web::ServiceConfig) {
    if state.authority.is_none() {
        return;
    }
    let scope = web::scope(PATH)
        .app_data(web::Data::from(state.clone()))
        .app_data(web::FormConfig::default().limit(MAX_FORM))
        .route("/authorize", web::get().to(authorize))
        .route("/authorize", web::post().to(authorize_by_post))
        .route("/launch", web::get().to(launch))
        .route("/token", web::post().to(token))
        .route(
            "/token",
            web::route().guard(actix_web::guard::Options()).to(preflight),
        )
        .route("/introspect", web::post().to(introspect))
        .route("/revoke", web::post().to(revoke))
        .route("/jwks", web::get().to(jwks))
        .route("/people", web::get().to(people))
        .route("/style.json", web::get().to(style))
        .route("/.well-known/openid-configuration", web::get().to(openid));
    app.service(scope);
}

/// The authority, and the FHIR base at which the client reaches this server.
fn reached<'s>(state: &'s State, request: &HttpRequest) -> Result<(&'s Authority, String), Refused> {
    let refused = Refused {
        status: 400,
        code: "invalid_request",
        text: "The request does not name this server in Host.",
    };
    match (
        &state.authority,
        discovery::base(state, &Mount::default(), request),
    ) {
        (Some(authority), Ok(base)) => Ok((authority, base)),
        _ => Err(refused),
    }
}

fn now(state: &State) -> i64 {
    state.clock.now().0.div_euclid(1000)
}

async fn authorize(state: web::Data<State>, request: HttpRequest, query: web::Query<Pairs>) -> HttpResponse {
    step(
        &state,
        &request,
        query.into_inner(),
        |authority, params, audiences| authority.authorize(params, audiences, now(&state)),
    )
}

async fn authorize_by_post(
    state: web::Data<State>,
    request: HttpRequest,
    form: web::Form<Pairs>,
) -> HttpResponse {
    step(
        &state,
        &request,
        form.into_inner(),
        |authority, params, audiences| authority.authorize(params, audiences, now(&state)),
    )
}

async fn launch(state: web::Data<State>, request: HttpRequest, query: web::Query<Pairs>) -> HttpResponse {
    step(&state, &request, query.into_inner(), |authority, params, _| {
        authority.launch(params, now(&state))
    })
}

fn step(
    state: &State,
    request: &HttpRequest,
    params: Pairs,
    take: impl Fn(&Authority, &Params, &[String]) -> Step,
) -> HttpResponse {
    let (authority, base) = match reached(state, request) {
        Ok(reached) => reached,
        Err(refused) => return failed(state, request, &refused),
    };
    let params = Params::new(params);
    let mut audiences = auth::audiences(state, &Mount::default(), &base);
    let asked = params.get("aud").ok().flatten().unwrap_or_default();
    let asked = asked.strip_suffix('/').unwrap_or(asked);
    audiences.extend(sandbox::audiences_of(state, asked, request));
    let mut answer = match take(authority, &params, &audiences) {
        Step::Redirect(url) => HttpResponse::build(StatusCode::SEE_OTHER)
            .insert_header((header::LOCATION, url))
            .finish(),
        Step::Page(status, html) => HttpResponse::build(status_of(status))
            .insert_header((
                header::CONTENT_SECURITY_POLICY,
                "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
            ))
            .content_type("text/html; charset=utf-8")
            .body(html),
    };
    protect(answer.headers_mut());
    answer
}

fn authorization(request: &HttpRequest) -> Option<&str> {
    request.headers().get(header::AUTHORIZATION)?.to_str().ok()
}

async fn token(state: web::Data<State>, request: HttpRequest, form: web::Form<Pairs>) -> HttpResponse {
    let params = Params::new(form.into_inner()).with_authorization(authorization(&request));
    let answered = match reached(&state, &request) {
        Ok((authority, base)) => {
            authority
                .exchange(&state.engine, &params, &base, now(&state))
                .await
        }
        Err(refused) => Err(refused),
    };
    answer(&state, &request, answered)
}

async fn introspect(state: web::Data<State>, request: HttpRequest, form: web::Form<Pairs>) -> HttpResponse {
    let params = Params::new(form.into_inner()).with_authorization(authorization(&request));
    let bearer = authorization(&request).and_then(|text| text.strip_prefix("Bearer "));
    let answered = match reached(&state, &request) {
        Ok((authority, _)) => {
            authority
                .introspect(&state.engine, &params, bearer, now(&state))
                .await
        }
        Err(refused) => Err(refused),
    };
    answer(&state, &request, answered)
}

async fn revoke(state: web::Data<State>, request: HttpRequest, form: web::Form<Pairs>) -> HttpResponse {
    let params = Params::new(form.into_inner()).with_authorization(authorization(&request));
    let answered = match reached(&state, &request) {
        Ok((authority, _)) => authority
            .end(&state.engine, &params, now(&state))
            .await
            .map(|()| json!({})),
        Err(refused) => Err(refused),
    };
    answer(&state, &request, answered)
}

async fn preflight(state: web::Data<State>, request: HttpRequest) -> HttpResponse {
    let mut answer = HttpResponse::NoContent().finish();
    cors::add(
        &state.config.listen,
        request.headers(),
        false,
        "POST, OPTIONS",
        answer.headers_mut(),
    );
    protect(answer.headers_mut());
    answer
}

async fn jwks(state: web::Data<State>) -> HttpResponse {
    document(state.authority.as_ref().map(Authority::jwks))
}

async fn people(state: web::Data<State>) -> HttpResponse {
    document(state.authority.as_ref().map(Authority::directory))
}

async fn style(state: web::Data<State>) -> HttpResponse {
    document(state.authority.as_ref().map(Authority::style))
}

async fn openid(state: web::Data<State>) -> HttpResponse {
    document(state.authority.as_ref().map(Authority::openid_configuration))
}

fn document(document: Option<Value>) -> HttpResponse {
    let mut answer = HttpResponse::Ok()
        .insert_header((header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
        .content_type("application/json")
        .body(document.unwrap_or_default().to_string());
    protect(answer.headers_mut());
    answer
}

fn answer(state: &State, request: &HttpRequest, answered: Result<Value, Refused>) -> HttpResponse {
    match answered {
        Ok(document) => with_cors(state, request, StatusCode::OK, &document),
        Err(refused) => failed(state, request, &refused),
    }
}

fn failed(state: &State, request: &HttpRequest, refused: &Refused) -> HttpResponse {
    let document = json!({ "error": refused.code, "error_description": refused.text });
    with_cors(state, request, status_of(refused.status), &document)
}

fn with_cors(state: &State, request: &HttpRequest, status: StatusCode, document: &Value) -> HttpResponse {
    let mut answer = HttpResponse::build(status)
        .content_type("application/json")
        .body(document.to_string());
    cors::add(
        &state.config.listen,
        request.headers(),
        false,
        "POST, OPTIONS",
        answer.headers_mut(),
    );
    protect(answer.headers_mut());
    answer
}

fn status_of(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn protect(headers: &mut HeaderMap) {
    let fixed: [(HeaderName, &'static str); 4] = [
        (header::CACHE_CONTROL, "no-store"),
        (header::PRAGMA, "no-cache"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
}
