//! update: a new version of a resource, or its first where that is configured
//! (<https://hl7.org/fhir/R4/http.html#update>).

use fhir_model::Resource;
use fhir_model::reflect::Slot;

use super::{Request, Response, conditional, create, present};
use crate::engine::{Conditions, Part, Session};
use crate::error::{Error, ErrorCode, Result};

/// How often a write is tried at most where others come between.
pub(super) const ATTEMPTS: usize = 20;

/// 200 with the new version, or with the current one where nothing changed; 201 where the update created.
pub(super) async fn run(session: &mut Session, request: &Request) -> Result<Response> {
    session.permit(request.interaction, request.resource_type)?;
    let received = create::body(session, request)?;
    of_part(session, request, received.whole()?).await
}

/// The same for a resource that was read already.
pub(super) async fn of_part(session: &mut Session, request: &Request, part: Part<'_>) -> Result<Response> {
    if request.id.is_none() {
        return conditional::update(session, request, part).await;
    }
    let key = request.key()?;
    let draft = present::draft(request, part)?;
    check_id(&draft.part, &key.id)?;
    let mut attempt = 1;
    loop {
        let conditions = conditions(request);
        let ticket = session
            .stage_update(key.clone(), &draft, &conditions, None)
            .await?;
        let again = session.may_stage_again();
        match session.commit().await {
            Ok(mut committed) => return present::written(request, &committed.take(ticket)?),
            Err(error) if again && lost_race(&error) && attempt < ATTEMPTS => attempt += 1,
            Err(error) => return Err(error),
        }
    }
}

/// Whether a write failed only since another came between what it looked at and its commit: it is done as if it came after
/// that one, conditions included.
pub(super) fn lost_race(error: &Error) -> bool {
    error.code == ErrorCode::Conflict
}

/// The conditions of a write.
pub(crate) fn conditions(request: &Request) -> Conditions {
    Conditions {
        if_match: request.if_match.clone(),
        if_none_match: request.if_none_match.clone(),
    }
}

/// The body of an update must have the id of its URL.
pub(super) fn check_id(part: &Part<'_>, id: &str) -> Result<()> {
    let text = match id_of(part) {
        Some(found) if found == id => return Ok(()),
        Some(found) => format!(
            "The id in the resource is {found:?}, and the id in the URL is {id:?}: they must be equal."
        ),
        None => {
            format!("The resource has no id: an update needs the id of its URL, {id:?}, in the resource too.")
        }
    };
    Err(Error::new(ErrorCode::Invalid, text).at(format!("{}.id", part.path)))
}

/// The id in the resource.
pub(super) fn id_of(part: &Part<'_>) -> Option<String> {
    id_in(part.resource)
}

/// The id in a resource.
pub(crate) fn id_in(resource: &Resource) -> Option<String> {
    let resource = resource.as_complex();
    let (index, _) = resource.type_info().field("id")?;
    match resource.slot(index) {
        Slot::Primitive(id) => id.text().map(|id| id.into_owned()),
        _ => None,
    }
}
