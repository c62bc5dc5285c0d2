//! delete: the resource is gone for reads and searches; its history stays
//! (<https://hl7.org/fhir/R4/http.html#delete>).

use super::{Request, Response, conditional, present, update};
use crate::engine::Session;
use crate::error::Result;

/// 204, also where there was nothing to delete; 200 with an OperationOutcome where that is preferred.
pub(super) async fn run(session: &mut Session, request: &Request) -> Result<Response> {
    if request.id.is_none() {
        return conditional::delete(session, request).await;
    }
    let ticket = session
        .stage_delete(request.key()?, &update::conditions(request), None)
        .await?;
    let written = session.commit().await?.take(ticket)?;
    Ok(present::deleted(request, &written))
}
