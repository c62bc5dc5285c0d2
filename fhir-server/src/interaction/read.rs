//! read: the current version of a resource (<https://hl7.org/fhir/R4/http.html#read>).

use super::{Request, Response, present};
use crate::engine::{Session, not_found};
use crate::error::Result;

/// 200, or 304 where the caller has it; 404 where there is nothing for the caller, 410 where it was deleted.
pub(super) async fn run(session: &Session, request: &Request) -> Result<Response> {
    let key = request.key()?;
    let view = present::view(request)?;
    let version = match session.read(&key).await? {
        Some(version) => version,
        None => session.built_in(&key)?.ok_or_else(|| not_found(&key))?,
    };
    present::resource(request, &version, &view)
}
