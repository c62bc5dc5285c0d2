//! `/livez`: the process answers. `/readyz`: it answers requests too. `/metrics`.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use actix_web::http::header::{CACHE_CONTROL, ContentType};
use actix_web::{HttpResponse, HttpResponseBuilder, http::StatusCode, web};
use tokio::time::timeout;

use super::state::State;

/// How long the database may take to say that it is there.
const PATIENCE: Duration = Duration::from_secs(2);

/// Mounts `/livez` and `/readyz`.
pub(crate) fn configure(state: &Arc<State>, app: &mut web::ServiceConfig) {
    app.route("/livez", web::get().to(|| async { text(StatusCode::OK, "ok\n") }));
    let state = state.clone();
    app.route("/readyz", web::get().to(move || ready(state.clone())));
}

/// Mounts `/metrics`.
pub(crate) fn configure_metrics(state: &Arc<State>, app: &mut web::ServiceConfig) {
    let state = state.clone();
    let answer = move || {
        let text = state.metrics.to_text();
        async move {
            plain(StatusCode::OK)
                .insert_header(("Content-Type", "text/plain; version=0.0.4"))
                .body(text)
        }
    };
    app.route("/metrics", web::get().to(answer));
}

async fn ready(state: Arc<State>) -> HttpResponse {
    if state.draining.load(Ordering::Acquire) {
        return text(StatusCode::SERVICE_UNAVAILABLE, "shutting down\n");
    }
    match timeout(PATIENCE, state.engine.ready()).await {
        Ok(Ok(())) => text(StatusCode::OK, "ok\n"),
        Ok(Err(error)) => {
            tracing::warn!(cause = ?error.cause, "not ready: the database does not answer");
            text(StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n")
        }
        Err(_) => text(
            StatusCode::SERVICE_UNAVAILABLE,
            "the database does not answer in time\n",
        ),
    }
}

fn text(status: StatusCode, body: &'static str) -> HttpResponse {
    plain(status).insert_header(ContentType::plaintext()).body(body)
}

fn plain(status: StatusCode) -> HttpResponseBuilder {
    let mut builder = HttpResponse::build(status);
    builder
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header(("X-Content-Type-Options", "nosniff"));
    builder
}
