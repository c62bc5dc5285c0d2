//! `/sandbox/$reset`: puts the sandbox back to what it began with, for anybody who may use it.
//!
//! Invariant: outside a sandbox there is no such path.
//! Invariant: a page of an origin that is neither the server's own nor configured cannot ask for it.

use std::sync::Arc;
use std::time::Instant;

use actix_web::http::header::{self, HeaderMap};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;
use tokio::time::timeout;

use super::body::Unread;
use super::exchange::Exchange;
use super::state::State;
use super::{auth, discovery, respond};
use crate::context::Context;
use crate::error::{Error, ErrorCode, Result};
use crate::interaction::Interaction;

/// Mounts it, where there is a sandbox.
pub(crate) fn configure(state: &Arc<State>, app: &mut web::ServiceConfig) {
    if !state.config.sandbox.enabled {
        return;
    }
    let state = state.clone();
    let handler = move |request, payload| reset(state.clone(), request, payload);
    app.service(web::resource("/sandbox/$reset").default_service(web::to(handler)));
}

async fn reset(state: Arc<State>, http: HttpRequest, payload: web::Payload) -> HttpResponse {
    let unread = Unread::new(payload.into_inner());
    let mut exchange = Exchange::open(&http);
    exchange.allow = Some("POST, OPTIONS".into());
    let answered = match *http.method() {
        Method::POST => put_back(&state, &mut exchange).await,
        Method::OPTIONS => Ok(respond::empty(204)),
        _ => {
            exchange.add(header::ALLOW, "POST, OPTIONS".into());
            let text = "The sandbox is put back by POST.";
            Err(Error::new(ErrorCode::MethodNotAllowed, text))
        }
    };
    let mut answer = answered.unwrap_or_else(|error| respond::failure(&state, &error, &exchange));
    exchange.complete(&state, answer.headers_mut());
    exchange.record(&state, answer.status().as_u16());
    unread.close_after(answer)
}

async fn put_back(state: &State, exchange: &mut Exchange<'_>) -> Result<HttpResponse> {
    let base = discovery::base(state, &exchange.mount, exchange.http)?;
    exchange.base = Some(base.clone());
    check_origin(state, exchange.http.headers(), &base)?;
    let principal = auth::principal(state, exchange, Interaction::Operation, &base).await?;
    let patience = state.config.deadlines.request;
    let mut context = Context::new(principal, exchange.request_id.clone());
    context.clock = state.clock.clone();
    context.tenant = exchange.mount.tenant;
    context.deadline = Instant::now().checked_add(patience);
    let reset = timeout(patience, state.samples.reset(&state.engine, &context));
    let reset = reset.await.unwrap_or_else(|_| {
        let text = "The sandbox was not put back in time. Look at it before you ask again: it is as it was, or put back.";
        Err(Error::new(ErrorCode::Timeout, text))
    })?;
    tracing::info!(
        removed = reset.removed,
        seeded = reset.seeded,
        "the sandbox was put back"
    );
    let done = json!({
        "base": base,
        "removed": reset.removed,
        "seeded": reset.seeded,
        "auditTrail": "kept",
        "milliseconds": u64::try_from(exchange.start.elapsed().as_millis()).unwrap_or(u64::MAX),
    });
    Ok(HttpResponse::build(StatusCode::OK)
        .content_type("application/json")
        .body(done.to_string()))
}

/// A browser names the origin of the page that asks; another program names none.
fn check_origin(state: &State, headers: &HeaderMap, base: &str) -> Result<()> {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return Ok(());
    };
    let origin = origin.to_str().unwrap_or_default();
    let own = base
        .strip_prefix(origin)
        .is_some_and(|path| path.starts_with('/'));
    if own
        || state
            .config
            .listen
            .allowed_origins
            .iter()
            .any(|one| one == origin)
    {
        return Ok(());
    }
    let text =
        "A page of another origin may not put the sandbox back: name its origin in `listen.allowed_origins`.";
    Err(Error::new(ErrorCode::Forbidden, text).at("http.origin"))
}
