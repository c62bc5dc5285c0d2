//! create: a new resource under an id that the server makes (<https://hl7.org/fhir/R4/http.html#create>).

use super::{Request, RequestBody, Response, binary, conditional, present};
use crate::engine::{Part, Received, Session};
use crate::error::Result;
use crate::store::Key;

/// 201 with the new resource's location and version.
pub(super) async fn run(session: &mut Session, request: &Request) -> Result<Response> {
    session.permit(request.interaction, request.resource_type)?;
    let received = body(session, request)?;
    of_part(session, request, received.whole()?).await
}

/// The same for a resource that was read already. An id in it is replaced by a new one.
pub(super) async fn of_part(session: &mut Session, request: &Request, part: Part<'_>) -> Result<Response> {
    if request.if_none_exist.is_some() {
        return conditional::create(session, request, part).await;
    }
    let draft = present::draft(request, part)?;
    let key = Key {
        resource_type: request.the_type()?,
        id: session.new_id(),
    };
    let ticket = session.stage_create(key, &draft, None).await?;
    let written = session.commit().await?.take(ticket)?;
    present::written(request, &written)
}

/// The body, read; content in a media type of its own becomes a Binary.
pub(super) fn body(session: &Session, request: &Request) -> Result<Received> {
    let settings = session.settings();
    match &request.body {
        Some(native @ RequestBody::Native { .. }) if request.the_type()?.name() == "Binary" => {
            Received::from_json(
                binary::of_native(native, request.id.as_deref(), settings)?.into(),
                settings,
            )
        }
        body => Received::read(body.as_ref(), settings),
    }
}
