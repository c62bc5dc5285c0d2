//! `X-Sandbox-Provoke`: the answers that a client must live with and seldom meets, on demand, in the sandbox alone.
//!
//! Invariant: outside the sandbox the header is refused, so that no client believes that it was obeyed.

use std::time::Duration;

use actix_web::http::header::{self, HeaderMap, HeaderName};
use tokio::time::sleep;

use super::exchange::Exchange;
use super::state::State;
use crate::error::{Error, ErrorCode, Result};
use crate::interaction::{EntityTags, Interaction, Request};

const HEADER: HeaderName = HeaderName::from_static("x-sandbox-provoke");

/// What can be asked for, and what it does.
#[cfg(feature = "docs")]
pub(crate) const VALUES: [(&str, &str); 4] = [
    (
        "too-many-requests",
        "is answered with 429 and `Retry-After`, and nothing is done",
    ),
    (
        "unavailable",
        "is answered with 503 and `Retry-After`, and nothing is done",
    ),
    ("slow=2", "is answered 2 seconds later (1 to 10)"),
    (
        "stale-version",
        "lets an update, a patch or a delete by id meet 412, as if somebody had written in between",
    ),
];

/// The same as a regular expression.
#[cfg(feature = "docs")]
pub(crate) const PATTERN: &str = "^(too-many-requests|unavailable|slow=([1-9]|10)|stale-version)$";

/// What `Retry-After` says of a provoked refusal, in seconds.
const RETRY_AFTER: u8 = 1;

/// The longest wait that can be asked for, in seconds.
const LONGEST: u8 = 10;

/// A version that no resource has: they begin with 1.
const NO_VERSION: &str = "0";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Provoked {
    TooManyRequests,
    Unavailable,
    Slow { seconds: u8 },
    StaleVersion,
}

/// Does what the header asks for: fails, waits, or makes the request one that comes too late.
///
/// # Errors
/// The one asked for; [`ErrorCode::Value`] where the header cannot be obeyed.
pub(super) async fn obey(state: &State, exchange: &mut Exchange<'_>, request: &mut Request) -> Result<()> {
    let Some(provoked) = read(exchange.http.headers())? else {
        return Ok(());
    };
    if !state.config.sandbox.enabled {
        return Err(refused(
            "is for the sandbox, which this server is not: leave it out.",
        ));
    }
    match provoked {
        Provoked::TooManyRequests => Err(fail(exchange, ErrorCode::TooManyRequests, "too many requests")),
        Provoked::Unavailable => Err(fail(exchange, ErrorCode::Unavailable, "not available")),
        Provoked::Slow { seconds } => {
            sleep(Duration::from_secs(seconds.into())).await;
            Ok(())
        }
        Provoked::StaleVersion => match request.interaction {
            Interaction::Update | Interaction::Patch | Interaction::Delete if request.id.is_some() => {
                request.if_match = Some(EntityTags::Versions(vec![NO_VERSION.into()]));
                Ok(())
            }
            _ => Err(refused(
                "says `stale-version`, which only an update, a patch or a delete of one resource by its id can meet.",
            )),
        },
    }
}

fn fail(exchange: &mut Exchange<'_>, code: ErrorCode, what: &str) -> Error {
    exchange.add(header::RETRY_AFTER, RETRY_AFTER.to_string());
    let text = format!("Provoked by `X-Sandbox-Provoke`: {what}. Send the request again in {RETRY_AFTER} s.");
    Error::new(code, text)
}

fn read(headers: &HeaderMap) -> Result<Option<Provoked>> {
    let mut lines = headers.get_all(&HEADER);
    match (lines.next().map(|line| line.to_str()), lines.next()) {
        (None, _) => Ok(None),
        (Some(Ok(text)), None) => named(text.trim()).map(Some),
        _ => Err(unknown()),
    }
}

fn named(text: &str) -> Result<Provoked> {
    match text {
        "too-many-requests" => Ok(Provoked::TooManyRequests),
        "unavailable" => Ok(Provoked::Unavailable),
        "stale-version" => Ok(Provoked::StaleVersion),
        _ => match text.strip_prefix("slow=").map(str::parse) {
            Some(Ok(seconds)) if (1..=LONGEST).contains(&seconds) => Ok(Provoked::Slow { seconds }),
            _ => Err(unknown()),
        },
    }
}

fn unknown() -> Error {
    refused(&format!(
        "must stand once, as `too-many-requests`, `unavailable`, `stale-version`, or `slow=` with 1 to {LONGEST} seconds."
    ))
}

fn refused(why: &str) -> Error {
    let text = format!("The header `X-Sandbox-Provoke` {why}");
    Error::new(ErrorCode::Value, text).at("http.x-sandbox-provoke")
}
