//! What reads and writes have in common in their answers: entity tags, conditions, views, preferences.

use super::subset::View;
use super::{EntityTags, Payload, PreferReturn, Request, Response, query};
use crate::engine::{Draft, Part, Written};
use crate::error::{Error, ErrorCode, Issue, Result, Severity};
use crate::store::{Outcome, Version};

/// How the caller wants to see a resource: `_summary` and `_elements` of a read.
pub(super) fn view(request: &Request) -> Result<View> {
    let mut parameters = query::Reader::new(request);
    let view = View::take(&mut parameters)?;
    if view.counts() {
        let text = "_summary=count asks for a number of matches: it goes with searches only.";
        return Err(Error::new(ErrorCode::Value, text).at("http._summary"));
    }
    parameters.refuse_rest_if_strict()?;
    Ok(view)
}

/// A version as the answer to a read: 200, 304 where the caller has it, 410 where it is a deletion.
pub(super) fn resource(request: &Request, version: &Version, view: &View) -> Result<Response> {
    let Some(body) = &version.body else {
        let text = format!(
            "{} was deleted at {}.",
            version.key,
            version.last_updated.to_instant()
        );
        return Err(Error::new(ErrorCode::Gone, text));
    };
    let mut response = match not_modified(request, version) {
        true => Response::new(304, Payload::None),
        false => {
            let json = view.apply(body.render(version.version, version.last_updated))?;
            Response::new(200, Payload::Json(json))
        }
    };
    response.version = Some(version.version);
    response.masked = version.masked;
    response.last_modified = Some(version.last_updated);
    Ok(response)
}

/// Whether the caller has this version already. `If-Modified-Since` counts only where `If-None-Match` was not sent
/// (RFC 9110, section 13.1.3), and in whole seconds, as HTTP dates have no finer.
fn not_modified(request: &Request, version: &Version) -> bool {
    match (&request.if_none_match, request.if_modified_since) {
        (Some(EntityTags::Any), _) => true,
        (Some(EntityTags::Versions(tags)), _) => tags.contains(&version.tag()),
        (None, Some(since)) => version.last_updated.0.div_euclid(1000) <= since.0.div_euclid(1000),
        (None, None) => false,
    }
}

/// Whether the caller reads more than the outcome of a write.
pub(crate) fn explains(request: &Request) -> bool {
    request.prefer_return == Some(PreferReturn::OperationOutcome)
}

/// A draft of a body that must be of the type in the URL.
pub(super) fn draft<'d>(request: &Request, part: Part<'d>) -> Result<Draft<'d>> {
    let (wanted, found) = (request.the_type()?.name(), part.resource.type_name());
    if wanted == found {
        return Ok(Draft {
            part,
            edits: &[],
            explains: explains(request),
        });
    }
    let text = format!("The URL is one of {wanted}, and the resource is a {found}: send it to {found}.");
    Err(Error::new(ErrorCode::Invalid, text).at(part.path.into_owned()))
}

/// The answer to a create or an update.
pub(super) fn written(request: &Request, written: &Written) -> Result<Response> {
    let (Some(key), Some((version, at)), Some(body)) = (&written.key, written.version(), &written.body)
    else {
        return Err(Error::internal("a write without a version"));
    };
    let (status, done) = match written.outcome {
        Outcome::Created { .. } => (201, "Created"),
        Outcome::Unchanged { .. } => (200, "Nothing to change in"),
        _ => (200, "Updated"),
    };
    let payload = match request.prefer_return {
        Some(PreferReturn::Minimal) => Payload::None,
        Some(PreferReturn::OperationOutcome) => Payload::Outcome,
        Some(PreferReturn::Representation) | None => Payload::Json(body.render(version, at)),
    };
    let mut response = Response::new(status, payload);
    response.version = Some(version);
    response.last_modified = Some(at);
    response.location = Some(format!("{key}/_history/{version}"));
    let text = format!("{done} {key}, version {version}.");
    response
        .issues
        .push(Issue::new(text).with_severity(Severity::Information));
    response.issues.extend(written.issues.iter().cloned());
    Ok(response)
}

/// The answer to a conditional create of what is there already; `None` where it is deleted.
pub(super) fn existing(request: &Request, version: &Version) -> Option<Response> {
    let body = version.body.as_ref()?;
    let payload = match request.prefer_return {
        Some(PreferReturn::Minimal) => Payload::None,
        Some(PreferReturn::OperationOutcome) => Payload::Outcome,
        Some(PreferReturn::Representation) | None => {
            Payload::Json(body.render(version.version, version.last_updated))
        }
    };
    let mut response = Response::new(200, payload);
    response.version = Some(version.version);
    response.masked = version.masked;
    response.last_modified = Some(version.last_updated);
    response.location = Some(format!("{}/_history/{}", version.key, version.version));
    let text = format!("{} matches already: nothing was created.", version.key);
    response
        .issues
        .push(Issue::new(text).with_severity(Severity::Information));
    Some(response)
}

/// The answer to a conditional deletion.
pub(super) fn all_deleted(request: &Request, written: &[Written]) -> Response {
    match written {
        [one] => deleted(request, one),
        all => {
            let explains = request.prefer_return == Some(PreferReturn::OperationOutcome);
            let mut response = match explains {
                true => Response::new(200, Payload::Outcome),
                false => Response::new(204, Payload::None),
            };
            let text = match all.len() {
                0 => "Nothing matches: nothing was deleted.".to_owned(),
                several => format!("Deleted {several} resources."),
            };
            response
                .issues
                .push(Issue::new(text).with_severity(Severity::Information));
            response
        }
    }
}

/// The answer to a deletion.
pub(super) fn deleted(request: &Request, written: &Written) -> Response {
    let explains = request.prefer_return == Some(PreferReturn::OperationOutcome);
    let mut response = match explains {
        true => Response::new(200, Payload::Outcome),
        false => Response::new(204, Payload::None),
    };
    let key = written.key.as_ref().map(ToString::to_string).unwrap_or_default();
    let text = match written.version() {
        Some((version, at)) => {
            response.version = Some(version);
            response.last_modified = Some(at);
            format!("Deleted {key}; version {version} is its deletion.")
        }
        None => format!("There was no {key} to delete."),
    };
    response
        .issues
        .push(Issue::new(text).with_severity(Severity::Information));
    response
}
