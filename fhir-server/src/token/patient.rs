//! From the NHS number that an identity provider vouches for to the Patient of this server.
//!
//! Invariant: a person is taken for a patient only where exactly one Patient has their number, and the token names no other.

use serde_json::Value;

use super::forbidden;
use crate::context::{Context, Principal, PrincipalKind, TenantId};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::interaction::{Interaction, Payload, Request, dispatch};
use crate::store::{Key, ResourceType};

const NHS_NUMBER: &str = "https://fhir.nhs.uk/Id/nhs-number";

/// The caller, with the Patient that they are.
///
/// # Errors
/// There is no such Patient, or another than the token says.
pub(crate) async fn identified(
    engine: &Engine,
    tenant: TenantId,
    mut principal: Principal,
) -> Result<Principal> {
    let (PrincipalKind::Patient, Some(number)) = (principal.kind, &principal.nhs_number) else {
        return Ok(principal);
    };
    let found = with_number(engine, tenant, number).await?;
    let [id] = found.as_slice() else {
        let text = "There is not exactly one patient here with the NHS number of the access token.";
        return Err(forbidden(text.into()));
    };
    if principal.patient.as_ref().is_some_and(|named| named != id) {
        return Err(forbidden(
            "The access token names a patient who does not have its NHS number.".into(),
        ));
    }
    if principal.fhir_user.is_none() {
        principal.fhir_user = ResourceType::from_name("Patient").map(|resource_type| Key {
            resource_type,
            id: id.clone(),
        });
    }
    principal.patient = Some(id.clone());
    Ok(principal)
}

/// The ids of at most two Patients with that number.
async fn with_number(engine: &Engine, tenant: TenantId, number: &str) -> Result<Vec<String>> {
    let mut request = Request::new(Interaction::SearchType, "");
    request.resource_type = ResourceType::from_name("Patient");
    request.query = vec![
        ("identifier".into(), format!("{NHS_NUMBER}|{number}")),
        ("_count".into(), "2".into()),
        ("_total".into(), "none".into()),
    ];
    request.strict_handling = Some(true);
    let context = Context::new(Principal::system("identity"), "identity").of_tenant(tenant);
    let response = dispatch(&mut engine.session(context), &request).await?;
    let Payload::Json(text) = response.payload else {
        return Err(Error::internal("a search without a Bundle"));
    };
    let bundle: Value = serde_json::from_slice(&text).map_err(Error::internal)?;
    let entries = bundle
        .get("entry")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let patients =
        entries.filter(|entry| entry.pointer("/search/mode").and_then(Value::as_str) == Some("match"));
    let ids = patients.filter_map(|entry| entry.pointer("/resource/id")?.as_str().map(str::to_owned));
    Ok(ids.collect())
}
