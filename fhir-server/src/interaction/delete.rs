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
    let mut attempt = 1;
    loop {
        let conditions = update::conditions(request);
        let ticket = session.stage_delete(request.key()?, &conditions, None).await?;
        let again = session.may_stage_again();
        match session.commit().await {
            Ok(mut committed) => return Ok(present::deleted(request, &committed.take(ticket)?)),
            Err(error) if again && update::lost_race(&error) && attempt < update::ATTEMPTS => attempt += 1,
            Err(error) => return Err(error),
        }
    }
}
