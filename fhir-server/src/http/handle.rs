//! One request from its head to its answer.
//!
//! Invariant: whatever happens, a panic included, one answer leaves; of 400 and above it is an OperationOutcome.
//! Invariant: who asks is known before the body is read.
//! Invariant: what somebody who is known asks for is told in the audit trail, however it ends; of others there are counts.

use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::FutureExt;
use tokio::time::timeout;

use super::body::Unread;
use super::budget::Taken;
use super::exchange::Exchange;
use super::mount::Mount;
use super::query::Query;
use super::respond::Style;
use super::routes::{BodyKind, Route};
use super::state::State;
use super::strangers::Kind;
use super::{
    auth, binary, conditions, ids, locate, negotiate, prefer, provoke, receive, refuse, respond, throttle,
};
use crate::context::{Context, Principal};
use crate::engine::Session;
use crate::error::{Error, ErrorCode, Result};
use crate::interaction::{Format, Interaction, Request, Response, dispatch};

/// Answers a request below the FHIR base.
pub(crate) async fn handle(
    state: Arc<State>,
    mount: Mount,
    http: HttpRequest,
    payload: web::Payload,
) -> HttpResponse {
    let _in_flight = state.metrics.begin();
    let mut unread = Unread::new(payload.into_inner());
    let mut exchange = Exchange::open(&http);
    exchange.mount = mount;
    let answered = AssertUnwindSafe(answer(&state, &mut exchange, &mut unread))
        .catch_unwind()
        .await;
    let failed = match answered {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(error),
        // What a panic says may hold what the client sent, so it is not looked at.
        Err(_) => {
            state.metrics.panicked();
            Err(Error::internal("a panic"))
        }
    };
    let mut answer = failed.unwrap_or_else(|error| respond::failure(&state, &error, &exchange));
    exchange.complete(&state, answer.headers_mut());
    exchange.record(&state, answer.status().as_u16());
    unread.close_after(answer)
}

/// Answers a request outside every path the server has.
pub(crate) async fn lost(state: Arc<State>, http: HttpRequest, payload: web::Payload) -> HttpResponse {
    let mut exchange = Exchange::open(&http);
    let base = &state.config.listen.base_path;
    let text = format!(
        "There is nothing here. The FHIR base is `{base}`; see `{base}/metadata` for what it offers."
    );
    let mut answer = respond::failure(&state, &Error::new(ErrorCode::NotFound, text), &exchange);
    exchange.complete(&state, answer.headers_mut());
    exchange.record(&state, answer.status().as_u16());
    Unread::new(payload.into_inner()).close_after(answer)
}

async fn answer(state: &State, exchange: &mut Exchange<'_>, unread: &mut Unread) -> Result<HttpResponse> {
    exchange.correlation_id = ids::correlation_id(exchange.http.headers())?;
    let mut query = exchange.read_query(&state.config.limits)?;
    let Some((route, mut request)) = locate::request(&state.config, exchange)? else {
        return Ok(respond::empty(204));
    };
    let principal = known(state, exchange, route.interaction, &request.base).await?;
    let mut context = Context::new(principal, exchange.request_id.clone());
    context.clock = state.clock.clone();
    context.tenant = exchange.mount.tenant;
    context.trail_from = exchange.mount.trail_from;
    context.address = address(exchange);
    let read = read(
        state,
        exchange,
        unread,
        route,
        (&mut context, &mut request, &mut query),
    )
    .await;
    request.query = query.parameters;
    context.deadline = Instant::now().checked_add(state.config.deadlines.request);
    let mut session = state.engine.session(context);
    match read {
        Ok((style, _taken)) => {
            let response = run(state, &mut session, &request).await?;
            render(state, exchange, &request, response, style).await
        }
        Err(error) => Err(told(state, &mut session, &request, error).await),
    }
}

/// Takes over what headers and body say. The format is `None` where only the content of a Binary can be what is asked for.
async fn read(
    state: &State,
    exchange: &mut Exchange<'_>,
    unread: &mut Unread,
    route: &Route,
    (context, request, query): (&mut Context, &mut Request, &mut Query),
) -> Result<(Option<Style>, Option<Taken>)> {
    let headers = exchange.http.headers();
    auth::purpose(state, headers, context)?;
    conditions::read_into(request, headers)?;
    prefer::read_into(request, headers)?;
    request.replay = ids::replay_key(headers)?;
    provoke::obey(state, exchange, request).await?;
    let style = style(exchange)?;
    let taken = receive::body(state, exchange, route, unread, request, query).await?;
    // The form of a search may name a format too.
    match route.body {
        BodyKind::Form => Ok((self::style(exchange)?, taken)),
        BodyKind::None | BodyKind::Resource | BodyKind::Patch | BodyKind::Arguments => Ok((style, taken)),
    }
}

/// From where the request came.
pub(super) fn address(exchange: &Exchange<'_>) -> Option<IpAddr> {
    exchange.http.peer_addr().map(|peer| peer.ip().to_canonical())
}

/// The caller, unless there were too many requests of it.
async fn known(
    state: &State,
    exchange: &mut Exchange<'_>,
    interaction: Interaction,
    base: &str,
) -> Result<Principal> {
    let now = state.clock.now();
    let from = address(exchange);
    let known = auth::principal(state, exchange, interaction, base).await;
    let (taken, kind) = match &known {
        Ok(principal) => (state.throttle.request(principal, from, now), Kind::TooMany),
        Err(error) if error.code == ErrorCode::InvalidToken => {
            (state.throttle.bad_token(from, now), Kind::BadToken)
        }
        Err(error) if error.code == ErrorCode::Unauthenticated => (Ok(()), Kind::NoToken),
        Err(_) => (Ok(()), Kind::BadToken),
    };
    if known.is_err() || taken.is_err() {
        state.strangers.count(kind, exchange.mount.tenant, from, now);
    }
    throttle::told(taken, |wait| exchange.add(header::RETRY_AFTER, wait.to_string()))?;
    known
}

/// Runs the interaction within the deadline; when that passes, or the work panics, the work is dropped.
async fn run(state: &State, session: &mut Session, request: &Request) -> Result<Response> {
    let patience = state.config.deadlines.request;
    let work = AssertUnwindSafe(timeout(patience, dispatch(session, request))).catch_unwind();
    let error = match work.await {
        Ok(Ok(answer)) => return answer,
        Ok(Err(_)) => too_long(patience),
        Err(_) => {
            state.metrics.panicked();
            Error::internal("a panic")
        }
    };
    Err(told(state, session, request, error).await)
}

/// The error, once the audit trail has been told of it; else why it could not be.
async fn told(state: &State, session: &mut Session, request: &Request, error: Error) -> Error {
    let patience = state.config.deadlines.request;
    let answer = Err(error);
    match (timeout(patience, session.failed(request, &answer)).await, answer) {
        (Ok(Err(untold)), _) => untold,
        (Err(_), _) | (_, Ok(_)) => too_long(patience),
        (Ok(Ok(())), Err(error)) => error,
    }
}

fn too_long(patience: Duration) -> Error {
    let text = format!(
        "The work was not done within {} s and was given up. A write may have happened nevertheless: read before you \
         repeat it.",
        patience.as_secs_f32()
    );
    Error::new(ErrorCode::Timeout, text)
}

/// The format of the answer, or `None` where only the content of a Binary can be what is asked for.
fn style(exchange: &Exchange<'_>) -> Result<Option<Style>> {
    match negotiate::format(exchange.format_parameter.as_deref(), exchange.accept()) {
        Ok(format) => Ok(Some(Style {
            format,
            pretty: exchange.pretty,
        })),
        Err(_) if binary::may_be_native(exchange) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn render(
    state: &State,
    exchange: &mut Exchange<'_>,
    request: &Request,
    response: Response,
    style: Option<Style>,
) -> Result<HttpResponse> {
    if let Some(applied) = prefer::applied(request) {
        exchange.add(refuse::PREFERENCE_APPLIED, applied);
    }
    if binary::may_be_native(exchange)
        && let Some(native) = binary::native(exchange, &response, &request.base)?
    {
        return Ok(native);
    }
    let format = exchange.format_parameter.as_deref();
    let style = match style {
        Some(style) => style,
        None if response.status == 304 => Style {
            format: Format::Json,
            pretty: false,
        },
        None => Style {
            format: negotiate::format(format, exchange.accept())?,
            pretty: exchange.pretty,
        },
    };
    let written = !exchange.http.method().is_safe();
    respond::success(state, response, style, written, &request.base).await
}
