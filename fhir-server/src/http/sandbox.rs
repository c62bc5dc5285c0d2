//! What a sandbox offers beside its FHIR base: `POST /sandbox/$reset` puts it back to what it began with; `/sandbox/<name>` is a space, a
//! sandbox of its own for one developer, opened by PUT, told by GET, closed by DELETE, put back by `POST /sandbox/<name>/$reset`, with its
//! FHIR base below it.
//!
//! Invariant: outside a sandbox there are no such paths.
//! Invariant: a page of an origin that is neither the server's own nor configured changes nothing here.

use std::sync::Arc;
use std::time::Instant;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap};
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::body::Unread;
use super::exchange::Exchange;
use super::mount::Mount;
use super::state::State;
use super::{auth, discovery, handle, respond};
use crate::config::Config;
use crate::context::{Context, TenantId};
use crate::error::{Error, ErrorCode, Result};
use crate::interaction::Interaction;
use crate::sandbox::{Reset, Space, Spaces, is_name};

/// What stands before the name of a space.
const SPACE: &str = "/sandbox/";

/// What a path is about.
#[derive(Clone, Copy)]
enum Place {
    /// Putting back the sandbox that all share.
    Reset,
    /// A space.
    Space,
    /// Putting back a space.
    SpaceReset,
}

/// Mounts it, where there is a sandbox.
pub(crate) fn configure(state: &Arc<State>, app: &mut web::ServiceConfig) {
    if !state.config.sandbox.enabled {
        return;
    }
    let paths = [
        ("/sandbox/$reset", Place::Reset),
        ("/sandbox/{space}", Place::Space),
        ("/sandbox/{space}/$reset", Place::SpaceReset),
    ];
    for (path, place) in paths {
        let state = state.clone();
        let handler = move |request, payload| answer(state.clone(), place, request, payload);
        app.service(web::resource(path).default_service(web::to(handler)));
    }
    let base = format!("/sandbox/{{space}}{}", state.config.listen.base_path);
    let (of_smart, of_resource, of_fhir) = (state.clone(), state.clone(), state.clone());
    let smart = move |request: HttpRequest| {
        let state = of_smart.clone();
        async move { discovery::smart_of(&state, &unseen(&request), &request) }
    };
    let resource = move |request: HttpRequest| {
        let state = of_resource.clone();
        async move { discovery::resource_of(&state, &unseen(&request), &request) }
    };
    let fhir = move |request, payload| in_space(of_fhir.clone(), request, payload);
    let metadata = format!("{}{base}", discovery::RESOURCE);
    app.route(&metadata, web::get().to(resource)).service(
        web::scope(&base)
            .route(discovery::SMART, web::get().to(smart))
            .default_service(web::to(fhir)),
    );
}

/// The FHIR bases of the space that a URL of this server names, as tokens may name them; none where it names no space.
#[cfg(feature = "authority")]
pub(super) fn audiences_of(state: &State, url: &str, request: &HttpRequest) -> Vec<String> {
    let path = url.strip_suffix(state.config.listen.base_path.as_str());
    let name = path
        .and_then(|path| path.rsplit_once(SPACE))
        .map(|(_, name)| name);
    let Some(name) = name.filter(|name| state.config.sandbox.enabled && is_name(name)) else {
        return Vec::new();
    };
    let mount = Mount::of_space(name, TenantId::DEFAULT, None);
    match discovery::base(state, &mount, request) {
        Ok(base) => auth::audiences(state, &mount, &base),
        Err(_) => Vec::new(),
    }
}

/// Where a space would stand, whether there is one or not; of no use to reach data.
fn unseen(request: &HttpRequest) -> Mount {
    Mount::of_space(request.match_info().query("space"), TenantId(0), None)
}

fn mount_of(space: &Space) -> Mount {
    let from = crate::context::Millis(space.began);
    Mount::of_space(&space.name, space.tenant(), Some(from))
}

fn spaces(state: &State) -> Spaces<'_> {
    Spaces {
        engine: &state.engine,
        samples: &state.samples,
        config: &state.config.sandbox,
    }
}

/// Answers a request below the FHIR base of a space.
async fn in_space(state: Arc<State>, http: HttpRequest, payload: web::Payload) -> HttpResponse {
    let name = http.match_info().query("space");
    let found = match is_name(name) {
        true => spaces(&state).find(name, state.clock.now()).await,
        false => Ok(None),
    };
    match found {
        Ok(Some(space)) => handle::handle(state, mount_of(&space), http.clone(), payload).await,
        Ok(None) => failed(&state, &no_space(name), &http, payload),
        Err(error) => failed(&state, &error, &http, payload),
    }
}

fn failed(state: &State, error: &Error, http: &HttpRequest, payload: web::Payload) -> HttpResponse {
    let mut exchange = Exchange::open(http);
    let mut answer = respond::failure(state, error, &exchange);
    exchange.complete(state, answer.headers_mut());
    exchange.record(state, answer.status().as_u16());
    Unread::new(payload.into_inner()).close_after(answer)
}

fn no_space(name: &str) -> Error {
    let text = match is_name(name) {
        true => format!("There is no space `{name}` in this sandbox: open it with PUT {SPACE}{name}."),
        false => "The name of a space is 1 to 63 small letters, digits and `-`.".to_owned(),
    };
    Error::new(ErrorCode::NotFound, text)
}

async fn answer(state: Arc<State>, place: Place, http: HttpRequest, payload: web::Payload) -> HttpResponse {
    let unread = Unread::new(payload.into_inner());
    let mut exchange = Exchange::open(&http);
    let answered = act(&state, place, &mut exchange).await;
    let mut answer = answered.unwrap_or_else(|error| respond::failure(&state, &error, &exchange));
    exchange.complete(&state, answer.headers_mut());
    exchange.record(&state, answer.status().as_u16());
    unread.close_after(answer)
}

async fn act(state: &State, place: Place, exchange: &mut Exchange<'_>) -> Result<HttpResponse> {
    let name = exchange.http.match_info().query("space").to_owned();
    let allow = match place {
        Place::Reset | Place::SpaceReset => "POST, OPTIONS",
        Place::Space => "GET, PUT, DELETE, OPTIONS",
    };
    exchange.allow = Some(allow.into());
    if matches!(place, Place::Space | Place::SpaceReset) && !is_name(&name) {
        return Err(no_space(&name));
    }
    let method = exchange.http.method().as_str();
    if !allow.split(", ").any(|one| one == method) {
        exchange.add(header::ALLOW, allow.into());
        let text = format!("This path takes {allow}.");
        return Err(Error::new(ErrorCode::MethodNotAllowed, text));
    }
    if method == "OPTIONS" {
        return Ok(respond::empty(204));
    }
    if !matches!(place, Place::Reset) {
        exchange.mount = Mount::of_space(&name, TenantId::DEFAULT, None);
    }
    let context = caller(state, exchange).await?;
    let patience = state.config.deadlines.request;
    let acted = timeout(patience, done(state, place, exchange, (&name, context))).await;
    let (status, mut told) = acted.unwrap_or_else(|_| {
        let text = "It was not done in time. Look before you ask again: it is as it was, or done.";
        Err(Error::new(ErrorCode::Timeout, text))
    })?;
    if let Some(members) = told.as_object_mut() {
        let took = exchange.start.elapsed().as_millis();
        members.insert("base".into(), json!(exchange.base));
        members.insert(
            "milliseconds".into(),
            json!(u64::try_from(took).unwrap_or(u64::MAX)),
        );
    }
    Ok(HttpResponse::build(status)
        .content_type("application/json")
        .body(told.to_string()))
}

async fn done(
    state: &State,
    place: Place,
    exchange: &Exchange<'_>,
    (name, mut context): (&str, Context),
) -> Result<(StatusCode, Value)> {
    let spaces = spaces(state);
    let method = exchange.http.method().as_str();
    match (place, method) {
        (Place::Reset, _) => {
            let reset = state.samples.reset(&state.engine, &context).await?;
            Ok((StatusCode::OK, of_reset(reset)))
        }
        (Place::Space, "PUT") => {
            let (space, reset) = spaces.open(name, &context).await?;
            let mut told = of_space(&spaces, &space);
            let status = if reset.is_some() {
                StatusCode::CREATED
            } else {
                StatusCode::OK
            };
            if let (Some(members), Some(reset)) = (told.as_object_mut(), reset) {
                members.insert("seeded".into(), json!(reset.seeded));
            }
            Ok((status, told))
        }
        (Place::Space, "DELETE") => match spaces.close(name, &context).await? {
            Some(removed) => Ok((StatusCode::OK, json!({ "name": name, "removed": removed }))),
            None => Err(no_space(name)),
        },
        (Place::Space | Place::SpaceReset, _) => {
            let found = spaces.find(name, state.clock.now()).await?;
            let space = found.ok_or_else(|| no_space(name))?;
            if matches!(place, Place::Space) {
                return Ok((StatusCode::OK, of_space(&spaces, &space)));
            }
            context.tenant = space.tenant();
            let reset = state.samples.reset(&state.engine, &context).await?;
            Ok((StatusCode::OK, of_reset(reset)))
        }
    }
}

fn of_reset(reset: Reset) -> Value {
    json!({ "removed": reset.removed, "seeded": reset.seeded, "auditTrail": "kept" })
}

fn of_space(spaces: &Spaces<'_>, space: &Space) -> Value {
    json!({
        "name": space.name,
        "opened": crate::context::Millis(space.began).to_instant(),
        "closedIfNotUsedBefore": spaces.idle_at(space).to_instant(),
    })
}

/// Who asks: from a page that may, with a token that does if one is sent.
async fn caller(state: &State, exchange: &mut Exchange<'_>) -> Result<Context> {
    let base = discovery::base(state, &exchange.mount, exchange.http)?;
    exchange.base = Some(base.clone());
    check_origin(&state.config, exchange.http.headers(), &base)?;
    let principal = auth::principal(state, exchange, Interaction::Operation, &base).await?;
    let mut context = Context::new(principal, exchange.request_id.clone());
    context.clock = state.clock.clone();
    context.address = handle::address(exchange);
    context.deadline = Instant::now().checked_add(state.config.deadlines.request);
    Ok(context)
}

/// A browser names the origin of the page that asks; another program names none.
fn check_origin(config: &Config, headers: &HeaderMap, base: &str) -> Result<()> {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return Ok(());
    };
    let origin = origin.to_str().unwrap_or_default();
    let path = base.strip_prefix(origin);
    let own = path.is_some_and(|path| path.starts_with('/'));
    if own || config.listen.allowed_origins.iter().any(|one| one == origin) {
        return Ok(());
    }
    let text =
        "A page of another origin may not change the sandbox: name its origin in `listen.allowed_origins`.";
    Err(Error::new(ErrorCode::Forbidden, text).at("http.origin"))
}

/// Closes the spaces that nobody uses any more, as long as it is polled.
pub(super) async fn tend(state: &State) {
    if !state.config.sandbox.enabled {
        return;
    }
    loop {
        tokio::time::sleep(std::time::Duration::from_secs(60)).await;
        if let Err(error) = spaces(state).sweep(state.clock.now()).await {
            tracing::warn!(%error, "spaces that nobody uses could not be closed; it is tried again");
        }
    }
}
