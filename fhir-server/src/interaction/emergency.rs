//! Opening a record in an emergency: the alert that does it is written before the request is answered (see `policy/emergency.rs`).

use super::{Format, Interaction, Request, RequestBody, dispatch};
use crate::context::Principal;
use crate::engine::Session;
use crate::error::{Error, ErrorCode, Result};
use crate::policy::emergency;

/// Opens the record of the one patient whom the request names, where the caller says that it is an emergency.
///
/// # Errors
/// The caller may not, gives no reason, or the request names no patient or several; or the alert could not be written.
pub(super) async fn open(session: &Session, request: &Request) -> Result<()> {
    let context = session.context();
    let Some(reason) = &context.break_glass else {
        return Ok(());
    };
    session.check_emergency()?;
    let patients = request.patients();
    let [patient] = patients.as_slice() else {
        let text = "In an emergency the record of one patient is opened, and this request names no patient, or several: ask for \
                    `Patient/[id]`, for something below it, or search with `patient=`. Then the record stays open for a while, and further \
                    requests need no reason.";
        return Err(Error::new(ErrorCode::Invalid, text).at("http.x-break-glass-reason"));
    };
    let alert = emergency::alert(context, patient, reason);
    let mut own = context.clone();
    own.principal = Principal::system("emergency");
    (own.purpose, own.break_glass, own.claimed_relationship) = (None, None, None);
    let mut create = Request::new(Interaction::Create, request.base.clone());
    create.resource_type = crate::store::ResourceType::from_name("Communication");
    create.body = Some(RequestBody::Fhir(Format::Json, alert.to_string().into()));
    let mut own = session.beside(own);
    Box::pin(dispatch(&mut own, &create)).await?;
    Ok(())
}
