//! Who asks: an access token in `Authorization` (RFC 6750), and what the request itself says of its purpose.
//!
//! An embedding service that knows its callers puts a [`Principal`] into the request's extensions before the request gets here. In the
//! sandbox a request without a token is that of `sandbox-clinician`; one with a token is held to it.
//!
//! Invariant: without a principal nothing but the CapabilityStatement is answered; a token that is sent is checked, always.
//! Invariant: a token in the URL or in a form is not looked at.

use actix_web::HttpMessage;
use actix_web::http::header::{self, HeaderMap};

use super::base_url;
use super::exchange::Exchange;
use super::mount::Mount;
use super::state::State;
use crate::context::{Context, Principal};
use crate::error::{Error, ErrorCode, Result};
use crate::interaction::Interaction;
use crate::policy::emergency::BREAK_THE_GLASS;
use crate::token::{Asked, patient};

/// Names the purpose of use, where the client is registered for it.
const PURPOSE: &str = "x-purpose-of-use";
/// Says why an emergency needs more than the caller usually may see.
const BREAK_GLASS: &str = "x-break-glass-reason";
/// Says why the caller has to do with the patient.
const RELATIONSHIP: &str = "x-relationship-reason";

/// The caller.
///
/// # Errors
/// [`ErrorCode::Unauthenticated`]: nobody said who it is. [`ErrorCode::InvalidToken`] or [`ErrorCode::Forbidden`]: the token does not do.
pub(crate) async fn principal(
    state: &State,
    exchange: &Exchange<'_>,
    interaction: Interaction,
    base: &str,
) -> Result<Principal> {
    let request = exchange.http;
    if let Some(principal) = request.extensions().get::<Principal>() {
        return Ok(principal.clone());
    }
    if let Some(token) = bearer(request.headers())? {
        return of_token(state, &exchange.mount, token, base).await;
    }
    if state.config.sandbox.enabled {
        return Ok(Principal::sandbox_clinician());
    }
    match interaction {
        Interaction::Capabilities => Ok(Principal::anonymous()),
        _ => {
            let text =
                "The server needs to know who you are; send an access token in the header `Authorization`.";
            Err(Error::new(ErrorCode::Unauthenticated, text).at("http.authorization"))
        }
    }
}

/// Whose token it is, and which patient they are where it vouches for an NHS number.
pub(crate) async fn of_token(state: &State, mount: &Mount, token: &str, base: &str) -> Result<Principal> {
    let principal = verified(state, mount, token, base).await?;
    patient::identified(&state.engine, mount.tenant, principal).await
}

async fn verified(state: &State, mount: &Mount, token: &str, base: &str) -> Result<Principal> {
    let audiences = audiences(state, mount, base);
    let asked = Asked {
        base,
        audiences: &audiences,
        now: state.clock.now(),
    };
    #[cfg(feature = "authority")]
    if let Some(authority) = &state.authority {
        let principal = state
            .verifier
            .principal(token, Some(authority.issuer()), &asked)
            .await?;
        if principal.issuer.as_deref() == Some(authority.name()) {
            authority.check_revoked(&state.engine, token).await?;
        }
        return Ok(principal);
    }
    state.verifier.principal(token, None, &asked).await
}

/// What `aud` may be: what is configured, else the base at which a client on this machine reached the server.
pub(crate) fn audiences(state: &State, mount: &Mount, base: &str) -> Vec<String> {
    let config = &state.config;
    let configured = config.listen.public_base_url.as_ref();
    match (&config.tokens.audience, configured) {
        (Some(one), _) if mount.is_default() => vec![one.clone()],
        (_, Some(url)) => vec![mount.below(config, url)],
        _ => base_url::on_loopback(base),
    }
}

/// The token in `Authorization`.
fn bearer(headers: &HeaderMap) -> Result<Option<&str>> {
    let mut sent = headers.get_all(header::AUTHORIZATION);
    let Some(first) = sent.next() else { return Ok(None) };
    if sent.next().is_some() {
        let text = "The header `Authorization` stands twice; send one access token.";
        return Err(Error::new(ErrorCode::Invalid, text).at("http.authorization"));
    }
    let text = first.to_str().unwrap_or_default();
    match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") && !token.contains([' ', ',']) => {
            Ok(Some(token))
        }
        _ => {
            let text = "The header `Authorization` must be `Bearer` and one access token.";
            Err(Error::new(ErrorCode::InvalidToken, text).at("http.authorization"))
        }
    }
}

/// Takes over what the request says of its purpose.
///
/// # Errors
/// The client is not registered for the purpose, or a reason is malformed.
pub(crate) fn purpose(state: &State, headers: &HeaderMap, context: &mut Context) -> Result<()> {
    if let Some(purpose) = text(headers, PURPOSE, 64)? {
        check_purpose(state, &context.principal, &purpose)?;
        context.purpose = Some(purpose);
    }
    context.break_glass = match headers.get(BREAK_GLASS) {
        Some(reason) if reason.as_bytes().trim_ascii().is_empty() => Some(String::new()),
        _ => text(headers, BREAK_GLASS, 500)?,
    };
    let checked = state.engine.check_emergency(context);
    // What was refused is not told as an emergency.
    checked.inspect_err(|_| context.break_glass = None)?;
    if context.purpose.as_deref() == Some(BREAK_THE_GLASS) && context.break_glass.is_none() {
        let text =
            "The purpose `BTG` opens a record in an emergency: say why in the header `X-Break-Glass-Reason`.";
        return Err(Error::new(ErrorCode::Forbidden, text).at("http.x-break-glass-reason"));
    }
    context.claimed_relationship = text(headers, RELATIONSHIP, 500)?;
    Ok(())
}

/// A client with a token may name the purposes that it is registered for, and the one in its token.
fn check_purpose(state: &State, principal: &Principal, purpose: &str) -> Result<()> {
    let clients = &state.config.tokens.clients;
    let registered = clients
        .iter()
        .find(|client| Some(&client.client_id) == principal.client_id.as_ref())
        .is_some_and(|client| client.purposes.iter().any(|one| one == purpose));
    let free = principal.scopes.is_none() || state.config.sandbox.enabled;
    if free || registered || principal.purpose.as_deref() == Some(purpose) {
        return Ok(());
    }
    let text = "The client of this token is not registered for the purpose in `X-Purpose-Of-Use`.";
    Err(Error::new(ErrorCode::Forbidden, text).at("http.x-purpose-of-use"))
}

fn text(headers: &HeaderMap, name: &'static str, most: usize) -> Result<Option<String>> {
    let mut sent = headers.get_all(name);
    let Some(value) = sent.next() else { return Ok(None) };
    let read = value.to_str().ok().map(str::trim);
    match read.filter(|text| !text.is_empty() && text.len() <= most && sent.next().is_none()) {
        Some(text) => Ok(Some(text.to_owned())),
        None => {
            let text = format!("The header `{name}` must stand once, with 1 to {most} printable characters.");
            Err(Error::new(ErrorCode::Value, text).at(format!("http.{name}")))
        }
    }
}
