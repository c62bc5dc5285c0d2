//! From claims to a [`Principal`]: SMART's own names, and those of CIS2 and NHS login.
//!
//! Invariant: a claim that says who or whose it is, and cannot be understood, is refused; it never means "anybody".

use serde_json::{Map, Value};

use super::claims::text;
use super::issuer::Issuer;
use super::nhs_number::is_nhs_number;
use super::{forbidden, invalid};
use crate::config::ClaimStyle;
use crate::context::{Principal, PrincipalKind};
use crate::error::Result;
use crate::scopes::Scopes;
use crate::store::{Key, ResourceType};

type Claims = Map<String, Value>;

/// Whether a program holds the token for itself (RFC 9068, section 2.2: then `sub` is the client).
pub(super) fn is_client(claims: &Claims, issuer: &Issuer) -> bool {
    let same = |name: &str| {
        claims
            .get(name)
            .is_some_and(|client| claims.get("sub") == Some(client))
    };
    let style = issuer.claims.style == ClaimStyle::Smart;
    style
        && !claims.contains_key("fhirUser")
        && (same("client_id") || same("azp") || !claims.contains_key("sub"))
}

/// The caller, as the token says.
pub(super) fn of_claims(claims: &Claims, issuer: &Issuer, base: &str) -> Result<Principal> {
    let names = &issuer.claims;
    let subject = text(claims, "sub")?.unwrap_or("-");
    let user = text(claims, "fhirUser")?
        .map(|user| fhir_user(user, base))
        .transpose()?;
    let kind = match &user {
        Some(user) => kind(user)?,
        None if is_client(claims, issuer) => PrincipalKind::Client,
        None if names.style == ClaimStyle::NhsLogin => PrincipalKind::Patient,
        None => PrincipalKind::Clinician,
    };
    let mut principal =
        Principal::new(format!("{}|{subject}", issuer.name), kind).with_subject(&issuer.name, subject);
    principal.client_id = client(claims)?;
    principal.fhir_user = user;
    principal.patient = patient(claims)?;
    principal.scopes = Some(scopes(claims)?);
    check_assurance(claims, issuer)?;
    let (organisation, roles) = match names.style {
        ClaimStyle::Cis2 => selected_role(claims)?,
        ClaimStyle::Smart | ClaimStyle::NhsLogin => (None, Vec::new()),
    };
    let chosen =
        |name: &Option<String>, usual: &'static str| name.clone().unwrap_or_else(|| usual.to_owned());
    principal.organisation = one(claims, &chosen(&names.organisation, "organisation"))?.or(organisation);
    principal.roles = match all(claims, &chosen(&names.roles, "roles"))? {
        none if none.is_empty() => roles,
        some => some,
    };
    principal.purpose = one(claims, &chosen(&names.purpose, "purpose_of_use"))?;
    principal.nhs_number = one(claims, &chosen(&names.nhs_number, "nhs_number"))?;
    match &principal.nhs_number {
        Some(number) if !is_nhs_number(number) => Err(forbidden(
            "The NHS number in the access token is none: its check digit is wrong.".into(),
        )),
        _ => Ok(principal),
    }
}

fn client(claims: &Claims) -> Result<Option<String>> {
    let named = text(claims, "client_id")?.map_or_else(|| text(claims, "azp"), |id| Ok(Some(id)))?;
    Ok(named.map(str::to_owned))
}

/// `scope` as text, or as an array of texts.
fn scopes(claims: &Claims) -> Result<Scopes> {
    let wrong = || invalid("its `scope` is no text.");
    match claims.get("scope").or_else(|| claims.get("scp")) {
        None => Ok(Scopes::default()),
        Some(Value::String(text)) => Ok(Scopes::read(text)),
        Some(Value::Array(all)) => {
            let all: Option<Vec<&str>> = all.iter().map(Value::as_str).collect();
            Ok(Scopes::read(&all.ok_or_else(wrong)?.join(" ")))
        }
        Some(_) => Err(wrong()),
    }
}

/// The patient in context, by id.
fn patient(claims: &Claims) -> Result<Option<String>> {
    let id = text(claims, "patient")?;
    let formed = |id: &str| {
        id.len() <= 64
            && id
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.')
    };
    match id {
        Some(id) if !formed(id) => Err(invalid("its `patient` is no id.")),
        other => Ok(other.map(str::to_owned)),
    }
}

/// The user as a resource of this server.
fn fhir_user(sent: &str, base: &str) -> Result<Key> {
    let elsewhere = || invalid("its `fhirUser` is no user of this server.");
    let relative = match sent.strip_prefix(base).and_then(|rest| rest.strip_prefix('/')) {
        Some(rest) => rest,
        None if sent.contains("://") => return Err(elsewhere()),
        None => sent,
    };
    let (name, id) = relative.split_once('/').ok_or_else(elsewhere)?;
    let resource_type = ResourceType::from_name(name).ok_or_else(elsewhere)?;
    let formed = (1..=64).contains(&id.len())
        && id
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.');
    match formed {
        true => Ok(Key {
            resource_type,
            id: id.to_owned(),
        }),
        false => Err(elsewhere()),
    }
}

fn kind(user: &Key) -> Result<PrincipalKind> {
    match user.resource_type.name() {
        "Practitioner" | "PractitionerRole" => Ok(PrincipalKind::Clinician),
        "Patient" | "Person" => Ok(PrincipalKind::Patient),
        "RelatedPerson" => Ok(PrincipalKind::RelatedPerson),
        _ => Err(invalid(
            "its `fhirUser` is no Practitioner, PractitionerRole, Patient, RelatedPerson or Person.",
        )),
    }
}

/// How well the issuer knows the user: a level that is not among those configured is too low.
fn check_assurance(claims: &Claims, issuer: &Issuer) -> Result<()> {
    if issuer.assurance.is_empty() {
        return Ok(());
    }
    let usual = match issuer.claims.style {
        ClaimStyle::Smart => "acr",
        ClaimStyle::Cis2 => "authentication_assurance_level",
        ClaimStyle::NhsLogin => "identity_proofing_level",
    };
    let name = issuer
        .claims
        .assurance
        .clone()
        .unwrap_or_else(|| usual.to_owned());
    match one(claims, &name)? {
        Some(level) if issuer.assurance.contains(&level) => Ok(()),
        _ => Err(forbidden(format!(
            "The access token does not say that its user is known well enough: `{name}` must be one of {}.",
            issuer.assurance.join(", ")
        ))),
    }
}

/// Organisation and role of the entry in `nhsid_nrbac_roles` that `selected_roleid` names.
fn selected_role(claims: &Claims) -> Result<(Option<String>, Vec<String>)> {
    let Some(selected) = text(claims, "selected_roleid")? else {
        return Ok((None, Vec::new()));
    };
    let roles = claims.get("nhsid_nrbac_roles").and_then(Value::as_array);
    let mut named = roles
        .into_iter()
        .flatten()
        .filter(|role| role.get("person_roleid").and_then(Value::as_str) == Some(selected));
    let (Some(role), None) = (named.next(), named.next()) else {
        return Err(forbidden(
            "The role selected in the access token is not one that its user has.".into(),
        ));
    };
    let code = |name: &str| role.get(name).and_then(Value::as_str).map(str::to_owned);
    Ok((code("org_code"), code("role_code").into_iter().collect()))
}

/// The one text at a path; none where there is none.
fn one(claims: &Claims, path: &str) -> Result<Option<String>> {
    let mut found = all(claims, path)?;
    match found.len() {
        0 | 1 => Ok(found.pop()),
        _ => Err(invalid(&format!("its `{path}` holds more than one value."))),
    }
}

/// Every text at a path.
fn all(claims: &Claims, path: &str) -> Result<Vec<String>> {
    let mut steps = path.split('.');
    let first = steps.next().and_then(|name| claims.get(name));
    let mut found: Vec<&Value> = first.into_iter().collect();
    for step in steps {
        found = found
            .into_iter()
            .flat_map(|value| match (step, value) {
                ("*", Value::Array(items)) => items.iter().collect(),
                (name, Value::Object(object)) => object.get(name).into_iter().collect(),
                _ => Vec::new(),
            })
            .collect();
    }
    let mut texts = Vec::new();
    for value in found {
        let items = match value {
            Value::Array(items) => items.iter().collect(),
            one => vec![one],
        };
        for item in items {
            match item {
                Value::String(text) if !text.is_empty() => texts.push(text.clone()),
                _ => return Err(invalid(&format!("its `{path}` is no text."))),
            }
        }
    }
    Ok(texts)
}
