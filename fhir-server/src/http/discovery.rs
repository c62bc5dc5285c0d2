//! What tells clients where to get a token: the challenge of a refusal (RFC 6750), the metadata of the protected resource (RFC 9728), and
//! SMART's configuration (<https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html>).

use std::sync::Arc;

use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

use super::base_url;
use super::mount::Mount;
use super::state::State;
use crate::error::{ErrorCode, Result};
use crate::interaction::uri::split_origin;

pub(super) const RESOURCE: &str = "/.well-known/oauth-protected-resource";
pub(super) const SMART: &str = "/.well-known/smart-configuration";

/// The value of `WWW-Authenticate`.
pub(super) fn challenge(code: ErrorCode, base: Option<&str>) -> HeaderValue {
    let mut parts = Vec::new();
    match code {
        ErrorCode::InvalidToken => parts.push("error=\"invalid_token\"".to_owned()),
        ErrorCode::InsufficientScope => parts.push("error=\"insufficient_scope\"".to_owned()),
        _ => {}
    }
    parts.extend(
        base.and_then(metadata_url)
            .map(|url| format!("resource_metadata=\"{url}\"")),
    );
    let text = match parts.is_empty() {
        true => "Bearer".to_owned(),
        false => format!("Bearer {}", parts.join(", ")),
    };
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("Bearer"))
}

/// Where the metadata of a FHIR base are: the well-known path goes between host and path (RFC 9728, section 3.1).
fn metadata_url(base: &str) -> Option<String> {
    let (origin, path) = split_origin(base)?;
    Some(format!("{origin}{RESOURCE}{path}"))
}

/// Mounts the metadata of the protected resources: of each FHIR base.
pub(crate) fn configure(state: &Arc<State>, app: &mut web::ServiceConfig) {
    for mount in Mount::all(&state.config) {
        let path = format!("{RESOURCE}{}", mount.path(&state.config));
        let state = state.clone();
        let answer = move |request: HttpRequest| {
            let (state, mount) = (state.clone(), mount.clone());
            async move { resource_of(&state, &mount, &request) }
        };
        app.route(&path, web::get().to(answer));
    }
}

/// Mounts SMART's configuration below a FHIR base.
pub(crate) fn smart(state: &Arc<State>, mount: &Mount, app: &mut web::ServiceConfig) {
    let (state, mount) = (state.clone(), mount.clone());
    let answer = move |request: HttpRequest| {
        let (state, mount) = (state.clone(), mount.clone());
        async move { smart_of(&state, &mount, &request) }
    };
    app.route(SMART, web::get().to(answer));
}

/// The metadata of a protected resource, for a base that is found at the request.
pub(super) fn resource_of(state: &State, mount: &Mount, request: &HttpRequest) -> HttpResponse {
    with_base(state, mount, request, |base| Some(resource(state, mount, base)))
}

/// SMART's configuration, for the same.
pub(super) fn smart_of(state: &State, mount: &Mount, request: &HttpRequest) -> HttpResponse {
    with_base(state, mount, request, |_| configuration(state))
}

fn with_base(
    state: &State,
    mount: &Mount,
    request: &HttpRequest,
    make: impl Fn(&str) -> Option<Value>,
) -> HttpResponse {
    match base(state, mount, request) {
        Ok(base) => match make(&base) {
            Some(document) => open(document),
            None => HttpResponse::NotFound()
                .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
                .content_type("application/json")
                .body(r#"{"error":"not_found","error_description":"This server does not say where its tokens come from."}"#),
        },
        Err(_) => HttpResponse::BadRequest()
            .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
            .finish(),
    }
}

/// The FHIR base, as for every other request.
pub(super) fn base(state: &State, mount: &Mount, request: &HttpRequest) -> Result<String> {
    base_url::base_url(&state.config, mount, request, &mount.path(&state.config))
}

/// A document for every origin; it tells of no patient.
fn open(document: Value) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .content_type("application/json")
        .body(document.to_string())
}

fn resource(state: &State, mount: &Mount, base: &str) -> Value {
    let named = state.config.tokens.audience.as_deref();
    json!({
        "resource": named.filter(|_| mount.is_default()).unwrap_or(base),
        "authorization_servers": issuers(state),
        "bearer_methods_supported": ["header"],
        "resource_name": state.engine.settings().software_name,
    })
}

#[cfg(not(feature = "authority"))]
fn issuers(state: &State) -> Vec<String> {
    configured_issuers(state)
}

#[cfg(feature = "authority")]
fn issuers(state: &State) -> Vec<String> {
    let own = state
        .authority
        .as_ref()
        .map(|authority| authority.name().to_owned());
    own.into_iter().chain(configured_issuers(state)).collect()
}

fn configured_issuers(state: &State) -> Vec<String> {
    let issuers = state.config.tokens.issuers.iter();
    issuers.map(|issuer| issuer.issuer.clone()).collect()
}

/// Who gives tokens: the authority inside this server, else what is configured.
fn configuration(state: &State) -> Option<Value> {
    #[cfg(feature = "authority")]
    if let Some(authority) = &state.authority {
        return Some(authority.smart_configuration());
    }
    let smart = state.config.tokens.smart.as_ref()?;
    let mut document = json!({
        "token_endpoint": smart.token_endpoint,
        "grant_types_supported": smart.grant_types_supported,
        "capabilities": smart.capabilities,
        "code_challenge_methods_supported": ["S256"],
    });
    if let (Some(url), Some(members)) = (&smart.authorization_endpoint, document.as_object_mut()) {
        members.insert("authorization_endpoint".into(), json!(url));
    }
    Some(document)
}
