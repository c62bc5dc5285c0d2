//! vread: one version of a resource (<https://hl7.org/fhir/R4/http.html#vread>).

use super::{Request, Response, present};
use crate::engine::{Session, not_found};
use crate::error::Result;

/// 200, or 304 where the caller has it; 404 where there is no such version, 410 where it is a deletion.
pub(super) async fn run(session: &Session, request: &Request) -> Result<Response> {
    let key = request.key()?;
    let view = present::view(request)?;
    let sent = request.version.as_deref().unwrap_or_default();
    // Versions count from 1 in plain digits; anything else names none.
    let number = sent
        .parse::<i64>()
        .ok()
        .filter(|n| *n > 0 && n.to_string() == sent);
    let version = match number {
        Some(number) => session.vread(&key, number).await?,
        None => None,
    };
    match version {
        Some(version) => present::resource(request, &version, &view),
        None => Err(not_found(&key)),
    }
}
