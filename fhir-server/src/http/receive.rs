//! The body of a request, by what the route wants and what its `Content-Type` says it is.

use super::binary;
use actix_web::http::header::{HeaderMap, HeaderName};
use bytes::Bytes;

use super::body::{self, Bounds, Unread};
use super::budget::Taken;
use super::content::{self, Content};
use super::exchange::Exchange;
use super::query::Query;
use super::routes::{BodyKind, Route};
use super::state::State;
use crate::config::LimitsConfig;
use crate::error::{Error, Result};
use crate::interaction::{Format, Request, RequestBody};
use crate::patch;

/// The header that lists the media types of patches (RFC 5789, section 3.1).
const ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");

/// Reads the body that the route wants into the request, or the form of a search into the query.
pub(super) async fn body(
    state: &State,
    exchange: &mut Exchange<'_>,
    route: &Route,
    unread: &mut Unread,
    request: &mut Request,
    query: &mut Query,
) -> Result<Option<Taken>> {
    if route.body == BodyKind::Patch {
        exchange.add(ACCEPT_PATCH, patch::MEDIA_TYPES.join(", "));
    }
    let headers = exchange.http.headers();
    let limits = &state.config.limits;
    let announced = match route.body {
        BodyKind::None => return Ok(None),
        BodyKind::Form if !content::is_announced(headers) => Content::Form,
        BodyKind::Arguments if !content::is_announced(headers) => Content::Fhir(Format::Json),
        BodyKind::Form | BodyKind::Resource | BodyKind::Arguments => content::announced(headers)?,
        BodyKind::Patch => content::announced_patch(headers)?,
    };
    let bytes =
        allowed(limits, route.body, announced, request).ok_or_else(|| refused(route.body, headers))?;
    let bounds = Bounds {
        bytes,
        limits,
        deadlines: &state.config.deadlines,
    };
    let body = body::read(unread, headers, &bounds, &state.bodies).await?;
    match announced {
        Content::Fhir(_) if route.body == BodyKind::Arguments && body.bytes.is_empty() => {}
        Content::Fhir(_) if !content::is_announced(headers) => return Err(content::not_fhir(headers)),
        Content::Fhir(format) => request.body = Some(content::fhir(format, body.bytes)?),
        Content::Patch(form) if route.body == BodyKind::Patch => {
            request.body = Some(content::patch(form, body.bytes)?);
        }
        Content::PlainJson => request.body = Some(content::patch_by_look(body.bytes)?),
        Content::Form if route.body == BodyKind::Form => {
            content::announced_unless_empty(headers, &body.bytes)?;
            query.add(content::form(&body.bytes)?, limits)?;
            exchange.follow(query);
        }
        Content::Form | Content::Patch(_) | Content::Other => {
            request.body = Some(native(headers, body.bytes));
        }
    }
    Ok(Some(body.taken))
}

/// How large a body of that kind may be here; `None` where it cannot be here.
fn allowed(limits: &LimitsConfig, wanted: BodyKind, announced: Content, request: &Request) -> Option<usize> {
    let is_binary = request.resource_type.is_some_and(|t| t.name() == "Binary");
    match (wanted, announced) {
        (BodyKind::Form, Content::Form) => Some(limits.query_bytes),
        (BodyKind::Resource | BodyKind::Arguments, Content::Fhir(_))
        | (BodyKind::Patch, Content::Fhir(_) | Content::Patch(_) | Content::PlainJson) => {
            Some(limits.body_bytes)
        }
        (BodyKind::Resource, Content::Form | Content::Patch(_) | Content::Other) if is_binary => {
            Some(limits.binary_bytes)
        }
        _ => None,
    }
}

fn refused(wanted: BodyKind, headers: &HeaderMap) -> Error {
    match wanted {
        BodyKind::Form => content::not_a_form(),
        BodyKind::Patch => content::not_a_patch(headers),
        BodyKind::Resource | BodyKind::Arguments | BodyKind::None => content::not_fhir(headers),
    }
}

/// The content of a Binary in its own media type.
fn native(headers: &HeaderMap, content: Bytes) -> RequestBody {
    let security_context = headers
        .get(binary::SECURITY_CONTEXT)
        .and_then(|v| v.to_str().ok());
    RequestBody::Native {
        content_type: content::sent(headers).to_owned(),
        content,
        security_context: security_context.map(str::to_owned),
    }
}
