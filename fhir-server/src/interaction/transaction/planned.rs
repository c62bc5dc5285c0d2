//! [`Planned`]: one entry of a transaction: what it writes, and how it is staged.

use fhir_model::Resource;
use fhir_model::json::LinkKind;

use super::super::conditional::{self, Target};
use super::super::entry::Entry;
use super::super::{Interaction, Request, Response, operation, patch, present, update};
use crate::engine::{
    Conditions, Draft, Edit, Matches, Received, Session, Ticket, Written, not_found, unquoted,
};
use crate::error::{Error, ErrorCode, Result};
use crate::store::Key;

/// One entry, and the resource that it writes.
pub(super) struct Planned {
    pub(super) entry: Entry,
    pub(super) writes: Option<Key>,
    pub(super) full_url: Option<String>,
    /// It calls an operation, with a body.
    pub(super) calls: bool,
    /// What the search of a conditional entry found, and what follows.
    pub(super) condition: Option<Condition>,
}

/// A staged write, and how it is answered where that is the operation's to say.
pub(super) type Promise = (Ticket, Option<fn(&Written) -> Result<Response>>);

/// What the search of a conditional entry found.
pub(super) struct Condition {
    pub(super) matches: Matches,
    pub(super) follows: Follows,
}

/// What follows from what a search found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Follows {
    /// The write that the entry asks for, on its key.
    Write,
    /// An update that creates a resource under a new id.
    Create,
    /// An update that creates one under the id in it.
    CreateNamed,
    /// Nothing: what a create would make is there, or what a delete would delete is not.
    Nothing,
}

impl Planned {
    pub(super) fn has_resource(&self) -> bool {
        self.calls
            || matches!(
                self.entry.request.interaction,
                Interaction::Create | Interaction::Update | Interaction::Patch
            )
    }

    pub(super) fn follows(&self) -> Follows {
        self.condition.as_ref().map_or(Follows::Write, |c| c.follows)
    }
}

/// An entry, the key that it writes, and what its search finds if it is conditional.
pub(super) async fn planned(
    session: &Session,
    entry: Entry,
    full_url: Option<&str>,
    resource: Option<&Resource>,
) -> Result<Planned> {
    let request = &entry.request;
    let (writes, condition) = match request.interaction {
        Interaction::Create if request.if_none_exist.is_some() => {
            let matches = conditional::of_if_none_exist(session, request).await?;
            let existing = conditional::only(&matches, &[])?;
            let follows = if existing.is_some() {
                Follows::Nothing
            } else {
                Follows::Write
            };
            (
                Some(existing.map_or_else(|| new_key(session, request), Ok)?),
                Some(Condition { matches, follows }),
            )
        }
        Interaction::Create => (Some(new_key(session, request)?), None),
        Interaction::Update if request.id.is_none() => {
            let matches = conditional::of_query(session, request, 2).await?;
            let id = resource.and_then(update::id_in);
            let (key, follows) = match Target::of(session, request, &matches, id).await? {
                Target::Existing(key) => (key, Follows::Write),
                Target::Named(key) => (key, Follows::CreateNamed),
                Target::New(key) => (key, Follows::Create),
            };
            (Some(key), Some(Condition { matches, follows }))
        }
        Interaction::Delete if request.id.is_none() => {
            let matches = conditional::of_query(session, request, 2).await?;
            let key = conditional::only(&matches, &request.query)?;
            let follows = if key.is_some() {
                Follows::Write
            } else {
                Follows::Nothing
            };
            (key, Some(Condition { matches, follows }))
        }
        Interaction::Patch if request.id.is_none() => {
            let matches = conditional::of_query(session, request, 2).await?;
            let key = conditional::to_patch(&matches, request)?;
            let follows = Follows::Write;
            (Some(key), Some(Condition { matches, follows }))
        }
        Interaction::Update | Interaction::Patch | Interaction::Delete => (Some(request.key()?), None),
        Interaction::Operation if operation::affects_state(session, request) => match request.id {
            Some(_) => (Some(request.key()?), None),
            None => return Err(not_in_transaction(request)),
        },
        _ => (None, None),
    };
    Ok(Planned {
        calls: resource.is_some() && entry.request.interaction == Interaction::Operation,
        entry,
        writes,
        full_url: full_url.map(str::to_owned),
        condition,
    })
}

/// What the caller is told of an operation that writes more than one resource.
fn not_in_transaction(request: &Request) -> Error {
    let code = request.operation.as_deref().unwrap_or_default();
    let text =
        format!("The operation ${code} cannot be part of a transaction: send it in a batch, or alone.");
    Error::new(ErrorCode::NotSupported, text).at("http.url")
}

fn new_key(session: &Session, request: &Request) -> Result<Key> {
    Ok(Key {
        resource_type: request.the_type()?,
        id: session.new_id(),
    })
}

/// The conditional references in the resource of an entry.
pub(super) fn conditional_references(received: &Received, index: usize) -> Result<Vec<String>> {
    let mut texts = Vec::new();
    for link in received.links_of_entry(index)? {
        if link.kind == LinkKind::Reference {
            let text = unquoted(received.text().get(link.span.clone()).unwrap_or_default())?;
            if conditional::conditional(&text).is_some() {
                texts.push(text.into_owned());
            }
        }
    }
    Ok(texts)
}

pub(super) async fn stage_one(
    session: &mut Session,
    planned: &Planned,
    received: &Received,
    resource: Option<&Resource>,
    edits: &[Edit],
) -> Result<Option<Promise>> {
    let index = planned.entry.index;
    if planned.entry.request.interaction == Interaction::Operation {
        if planned.writes.is_none() {
            return Ok(None);
        }
        let staged = operation::stage(session, &planned.entry.request, index).await?;
        return Ok(Some((staged.ticket, Some(staged.answer))));
    }
    let ticket = match (&planned.writes, planned.follows()) {
        (Some(key), follows) if follows != Follows::Nothing => {
            Some(stage_write(session, planned, key.clone(), received, resource, edits).await?)
        }
        _ => None,
    };
    if let Some(condition) = &planned.condition {
        session.expect(&condition.matches, ticket, Some(index));
    }
    Ok(ticket.map(|ticket| (ticket, None)))
}

async fn stage_write(
    session: &mut Session,
    planned: &Planned,
    key: Key,
    received: &Received,
    resource: Option<&Resource>,
    edits: &[Edit],
) -> Result<Ticket> {
    let (request, index) = (&planned.entry.request, planned.entry.index);
    if request.interaction == Interaction::Delete {
        return session
            .stage_delete(key, &update::conditions(request), Some(index))
            .await;
    }
    let resource = resource.ok_or_else(|| Error::internal("a write without a resource"))?;
    if request.interaction == Interaction::Patch {
        session.permit(Interaction::Patch, request.resource_type)?;
        let patch = patch::of_part(&received.entry(index, resource)?, edits)?;
        return patch::stage(session, request, key, &patch, Some(index)).await;
    }
    let draft = Draft {
        edits,
        ..present::draft(request, received.entry(index, resource)?)?
    };
    let is_create = request.interaction == Interaction::Create || planned.follows() == Follows::Create;
    if is_create {
        return session.stage_create(key, &draft, Some(index)).await;
    }
    // The id of a conditional update was looked at with the matches.
    if planned.condition.is_none() {
        update::check_id(&draft.part, &key.id)?;
    }
    let conditions: Conditions = match planned.follows() {
        Follows::CreateNamed => conditional::absent(),
        _ => update::conditions(request),
    };
    session.stage_update(key, &draft, &conditions, Some(index)).await
}

/// The answer to a conditional entry that changed nothing.
pub(super) async fn unchanged(session: &Session, planned: &Planned) -> Result<Response> {
    let request = &planned.entry.request;
    match (&planned.writes, request.interaction) {
        (Some(key), Interaction::Create) => conditional::existing(session, request, key)
            .await?
            .ok_or_else(|| not_found(key)),
        _ => Ok(present::all_deleted(request, &[])),
    }
}
