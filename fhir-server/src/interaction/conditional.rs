//! Conditional create, update, patch and delete, and conditional references: the resource is named by a search
//! (<https://hl7.org/fhir/R4/http.html#ccreate>, <https://hl7.org/fhir/R4/http.html#cond-update>, <https://hl7.org/fhir/R4/http.html#3.1.0.7.1>).
//!
//! Invariant: every parameter of the search must be understood, as one left aside would make the search match too much.
//! Invariant: a write follows from what its own transaction finds; a request that lost a race begins again with what is there then.

use super::{Request, Response, patch, present, search, update, uri};
use crate::engine::{Conditions, Matches, Part, Session};
use crate::error::{Error, ErrorCode, Result};
use crate::interaction::EntityTags;
use crate::patch::Patch;
use crate::search::criteria::{self, Problem, Scope};
use crate::store::{Change, Filter, Key, ResourceType};

/// How often a request that lost a race begins again.
const ATTEMPTS: usize = 8;

/// Conditional create: 201, or 200 where exactly one resource matches already.
pub(super) async fn create(session: &mut Session, request: &Request, part: Part<'_>) -> Result<Response> {
    let draft = present::draft(request, part)?;
    let resource_type = request.the_type()?;
    let parameters = if_none_exist(request)?;
    for _ in 0..ATTEMPTS {
        let matches = matches(session, resource_type, &parameters, 2).await?;
        if let Some(key) = only(&matches, &parameters)? {
            match existing(session, request, &key).await? {
                Some(response) => return Ok(response),
                None => continue,
            }
        }
        let key = Key {
            resource_type,
            id: session.new_id(),
        };
        let ticket = session.stage_create(key, &draft, None).await?;
        session.expect(&matches, Some(ticket), None);
        match session.commit().await {
            Err(error) if error.code == ErrorCode::Conflict => {}
            done => return present::written(request, &done?.take(ticket)?),
        }
    }
    Err(contended())
}

/// Conditional update: of the one match, or a creation where there is none.
pub(super) async fn update(session: &mut Session, request: &Request, part: Part<'_>) -> Result<Response> {
    let draft = present::draft(request, part)?;
    for _ in 0..ATTEMPTS {
        let matches = of_query(session, request, 2).await?;
        let target = Target::of(session, request, &matches, update::id_of(&draft.part)).await?;
        let ticket = match &target {
            Target::Existing(key) => {
                let conditions = update::conditions(request);
                session
                    .stage_update(key.clone(), &draft, &conditions, None)
                    .await?
            }
            Target::Named(key) => session.stage_update(key.clone(), &draft, &absent(), None).await?,
            Target::New(key) => session.stage_create(key.clone(), &draft, None).await?,
        };
        session.expect(&matches, Some(ticket), None);
        match session.commit().await {
            Err(error) if error.code == ErrorCode::Conflict => {}
            done => return present::written(request, &done?.take(ticket)?),
        }
    }
    Err(contended())
}

/// Conditional patch: of the one match.
pub(super) async fn patch(session: &mut Session, request: &Request, patch: &Patch) -> Result<Response> {
    for _ in 0..ATTEMPTS {
        let matches = of_query(session, request, 2).await?;
        let key = to_patch(&matches, request)?;
        let ticket = patch::stage(session, request, key, patch, None).await?;
        session.expect(&matches, Some(ticket), None);
        match session.commit().await {
            Err(error) if error.code == ErrorCode::Conflict => {}
            done => return present::written(request, &done?.take(ticket)?),
        }
    }
    Err(contended())
}

/// What a conditional patch is applied to: the one match.
pub(super) fn to_patch(matches: &Matches, request: &Request) -> Result<Key> {
    only(matches, &request.query)?.ok_or_else(|| {
        let text = format!(
            "Nothing matches {}: there is nothing to patch.",
            names(&request.query)
        );
        Error::new(ErrorCode::NotFound, text)
    })
}

/// Conditional delete: of the one match; of several where that is configured. 204, also where nothing matches.
pub(super) async fn delete(session: &mut Session, request: &Request) -> Result<Response> {
    session.permit(request.interaction, request.resource_type)?;
    let limit = session.settings().conditional_delete_max.max(1);
    for _ in 0..ATTEMPTS {
        let matches = of_query(session, request, limit.saturating_add(1)).await?;
        if matches.keys.len() > limit {
            return Err(too_many(&request.query, limit));
        }
        let mut tickets = Vec::with_capacity(matches.keys.len());
        for key in &matches.keys {
            let conditions = update::conditions(request);
            tickets.push(session.stage_delete(key.clone(), &conditions, None).await?);
        }
        session.expect(&matches, None, None);
        match session.commit().await {
            Err(error) if error.code == ErrorCode::Conflict => {}
            done => {
                let mut done = done?;
                let written = tickets.into_iter().map(|ticket| done.take(ticket));
                return Ok(present::all_deleted(
                    request,
                    &written.collect::<Result<Vec<_>>>()?,
                ));
            }
        }
    }
    Err(contended())
}

/// What a conditional update is of.
pub(super) enum Target {
    /// The one match.
    Existing(Key),
    /// No match, and the resource names an id that is free.
    Named(Key),
    /// No match, and the server chooses the id.
    New(Key),
}

impl Target {
    /// Decides by the matches and the id in the resource.
    pub(super) async fn of(
        session: &Session,
        request: &Request,
        matches: &Matches,
        id: Option<String>,
    ) -> Result<Target> {
        let resource_type = request.the_type()?;
        match (only(matches, &request.query)?, id) {
            (Some(key), Some(id)) if key.id != id => {
                let text = format!(
                    "The resource has the id {id:?}, and the search matches {key}: send it without an id, or with that one."
                );
                Err(Error::new(ErrorCode::Invalid, text).at(format!("{}.id", resource_type.name())))
            }
            (Some(key), _) => Ok(Target::Existing(key)),
            (None, None) => Ok(Target::New(Key {
                resource_type,
                id: session.new_id(),
            })),
            (None, Some(id)) => {
                let key = Key { resource_type, id };
                match session.read(&key).await? {
                    Some(version) if version.change != Change::Delete => {
                        let text =
                            format!("Nothing matches the search, and {key} exists: it is another resource.");
                        Err(Error::new(ErrorCode::Conflict, text))
                    }
                    _ => Ok(Target::Named(key)),
                }
            }
        }
    }
}

/// Where an id is given to what nothing matches, no other request may take it meanwhile.
pub(super) fn absent() -> Conditions {
    Conditions {
        if_match: None,
        if_none_match: Some(EntityTags::Any),
    }
}

/// What the search in the URL of a request matches.
pub(super) async fn of_query(session: &Session, request: &Request, limit: usize) -> Result<Matches> {
    if request.query.is_empty() {
        let text = format!(
            "The URL names no resource: send it to {}/[id], or with search parameters that one resource matches.",
            request.the_type()?.name()
        );
        return Err(Error::new(ErrorCode::Required, text).at("http.url"));
    }
    matches(session, request.the_type()?, &request.query, limit).await
}

/// What the search of `If-None-Exist` matches.
pub(super) async fn of_if_none_exist(session: &Session, request: &Request) -> Result<Matches> {
    let parameters = if_none_exist(request)?;
    matches(session, request.the_type()?, &parameters, 2).await
}

/// The one resource that a conditional reference such as `Patient?identifier=urn:x|1` stands for; `None` where the text is none.
pub(super) async fn reference(session: &Session, text: &str) -> Result<Option<(Key, Matches)>> {
    let Some((resource_type, query)) = conditional(text) else {
        return Ok(None);
    };
    let parameters = uri::decode_query(query)
        .filter(|parameters| !parameters.is_empty())
        .ok_or_else(|| unreadable("http.reference"))?;
    let matches = matches(session, resource_type, &parameters, 2).await?;
    match only(&matches, &parameters)? {
        Some(key) => Ok(Some((key, matches))),
        None => {
            let text = format!(
                "The conditional reference {}?{} matches nothing: create the resource first, or in this transaction.",
                resource_type.name(),
                names(&parameters)
            );
            Err(Error::new(ErrorCode::PreconditionFailed, text))
        }
    }
}

/// Type and query of a conditional reference.
pub(super) fn conditional(text: &str) -> Option<(ResourceType, &str)> {
    let (name, query) = text.split_once('?')?;
    Some((ResourceType::from_name(name)?, query))
}

/// The one match, if there is one; several are refused.
pub(super) fn only(matches: &Matches, parameters: &[(String, String)]) -> Result<Option<Key>> {
    match matches.keys.as_slice() {
        [] => Ok(None),
        [key] => Ok(Some(key.clone())),
        _ => Err(too_many(parameters, 1)),
    }
}

/// The answer for a resource that was there already; `None` where it is gone meanwhile.
pub(super) async fn existing(session: &Session, request: &Request, key: &Key) -> Result<Option<Response>> {
    let version = session.read(key).await?;
    Ok(version.and_then(|version| present::existing(request, &version)))
}

async fn matches(
    session: &Session,
    resource_type: ResourceType,
    parameters: &[(String, String)],
    limit: usize,
) -> Result<Matches> {
    let registry = session.searchable().await?;
    let filter = filter(&search::scope(session, &registry), resource_type, parameters)?;
    session.matches(resource_type, filter, limit).await
}

fn filter(scope: &Scope<'_>, resource_type: ResourceType, parameters: &[(String, String)]) -> Result<Filter> {
    criteria::check_number(scope, parameters.len())?;
    let mut filter = Filter::All;
    for (name, value) in parameters {
        if value.trim().is_empty() {
            let text = format!("The parameter {name} has no value.");
            return Err(Error::new(ErrorCode::Value, text).at(format!("http.{name}")));
        }
        match criteria::filter(scope, &[resource_type], name, value) {
            Ok(one) => filter = filter.and(one),
            Err(Problem::Refused(error)) => return Err(error),
            Err(Problem::Unknown(why)) => {
                let text = format!("{why} A condition must be understood whole.");
                return Err(Error::new(ErrorCode::Value, text).at(format!("http.{name}")));
            }
        }
    }
    Ok(filter)
}

/// The parameters of `If-None-Exist`: a query, with or without what stands before it in a URL.
fn if_none_exist(request: &Request) -> Result<Vec<(String, String)>> {
    let text = request.if_none_exist.as_deref().unwrap_or_default().trim();
    let name = request.the_type()?.name();
    let query = match text.split_once('?') {
        Some((before, query))
            if before.is_empty() || before == name || before == format!("{}/{name}", request.base) =>
        {
            query
        }
        Some(_) => return Err(unreadable("http.if-none-exist")),
        None => text,
    };
    uri::decode_query(query)
        .filter(|parameters| {
            !parameters.is_empty()
                && parameters
                    .iter()
                    .all(|(n, v)| !n.contains('\0') && !v.contains('\0'))
        })
        .ok_or_else(|| unreadable("http.if-none-exist"))
}

fn unreadable(at: &str) -> Error {
    let text = "The condition cannot be read: write it as the query of a search, such as identifier=urn:x|1, percent escaped.";
    Error::new(ErrorCode::Value, text).at(at)
}

fn too_many(parameters: &[(String, String)], limit: usize) -> Error {
    let text = format!(
        "More than {limit} match {}: nothing was changed. Ask more precisely.",
        names(parameters)
    );
    Error::new(ErrorCode::PreconditionFailed, text)
}

/// The names of parameters, as their values may be of a patient.
fn names(parameters: &[(String, String)]) -> String {
    let names: Vec<&str> = parameters
        .iter()
        .map(|(name, _)| name.as_str())
        .take(10)
        .collect();
    names.join("&")
}

fn contended() -> Error {
    let text =
        "Other requests change what the condition matches again and again: send the request once more.";
    Error::new(ErrorCode::Conflict, text)
}
