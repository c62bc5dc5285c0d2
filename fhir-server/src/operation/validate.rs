//! `$validate`: whether a resource is valid, by R4, UK Core and the profiles that it claims or that are asked for
//! (<https://hl7.org/fhir/R4/resource-operation-validate.html>). Nothing is stored.
//!
//! The answer is 200 with what was found, whether that is nothing, warnings or errors. Parts that cannot be read as FHIR are
//! errors among the others; a body that is no JSON or XML is 400.

use fhir_model::{OperationDefinition, ParametersParameter, Resource, json};
use fhir_validate::{position, unread};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::{Call, Done, Operation, parameter};
use crate::engine::{Session, not_found};
use crate::error::{Error, ErrorCode, Result};
use crate::interaction::{Level, Payload, Response, outcome_of_findings, update};
use crate::store::{Change, Key};

/// `$validate`
pub(super) struct Validate;

impl Operation for Validate {
    fn code(&self) -> &'static str {
        "validate"
    }

    fn definition(&self) -> OperationDefinition {
        let input = |name, kind, words| parameter(name, "in", (0, "1"), kind, words);
        OperationDefinition {
            url: "http://hl7.org/fhir/OperationDefinition/Resource-validate".into(),
            name: "Validate".into(),
            status: "active".into(),
            kind: "operation".into(),
            description: "Whether a resource is valid by R4, UK Core, and the profiles that it claims or that are asked for.".into(),
            affects_state: false.into(),
            resource: vec!["Resource".into()],
            system: false.into(),
            type_: true.into(),
            instance: true.into(),
            parameter: vec![
                input("resource", "Resource", "The resource. On a resource's own URL it may be left out: then what is stored is checked."),
                input("mode", "code", "create, update, delete or profile: what the resource is meant for."),
                input("profile", "uri", "A profile to check against, beside those that the resource claims."),
                parameter("return", "out", (1, "1"), "OperationOutcome", "What was found."),
            ],
            ..OperationDefinition::default()
        }
    }

    fn judges_text(&self) -> bool {
        true
    }

    fn needs_resource(&self, level: Level) -> bool {
        level == Level::Type
    }

    fn run<'c>(&'c self, session: &'c mut Session, call: &'c Call<'c>) -> BoxFuture<'c, Result<Done>> {
        async move {
            let mode = call.arguments.text("mode");
            let sent = call.arguments.one("resource").and_then(|p| p.resource.as_ref());
            let profiles: Vec<String> = call.arguments.text("profile").into_iter().collect();
            match (mode.as_deref(), &call.key) {
                (Some("delete"), Some(key)) => {
                    stored(session, key).await?;
                    return Ok(answer(session, &[]));
                }
                (Some("profile"), _) if profiles.is_empty() => {
                    let text = "The mode profile needs a profile: name its canonical URL.";
                    return Err(Error::new(ErrorCode::Required, text).at("profile"));
                }
                (None | Some("create" | "update" | "profile"), _) => {}
                (Some("delete"), None) => {
                    let text = "The mode delete is about a resource that is stored: send it to the resource's own URL.";
                    return Err(Error::new(ErrorCode::Invalid, text).at("mode"));
                }
                (Some(other), _) => {
                    let text = format!("There is no mode {other:?}: there are create, update, delete and profile.");
                    return Err(Error::new(ErrorCode::Value, text).at("mode"));
                }
            }
            let of_store;
            let (resource, text) = match (sent, &call.key) {
                (Some(resource), _) => (resource, call.text()),
                (None, Some(key)) => {
                    of_store = stored_text(session, key).await?;
                    (&of_store.0, of_store.1.as_slice())
                }
                (None, None) => {
                    let text = "There is nothing to validate: send the resource as the body, or as the parameter resource.";
                    return Err(Error::new(ErrorCode::Required, text).at("resource"));
                }
            };
            check_place(call, resource)?;
            let known = session.known().await?;
            let validator = known.validator();
            let mut findings = session.findings(validator, resource, text.len(), &profiles).await?;
            if sent.is_some() {
                findings = unread::after(call.arguments.unread(), findings);
                position::find(text, &place_in_body(call), &mut findings);
            }
            Ok(answer(session, &findings))
        }
        .boxed()
    }
}

/// Type and id must be those of the URL.
fn check_place(call: &Call<'_>, resource: &Resource) -> Result<()> {
    let found = resource.type_name();
    if let Some(wanted) = call.resource_type.map(crate::store::ResourceType::name)
        && wanted != found
    {
        let text =
            format!("The URL is of {wanted}, and the resource is a {found}: send it to {found}/$validate.");
        return Err(Error::new(ErrorCode::Invalid, text).at(found));
    }
    match (&call.key, update::id_in(resource)) {
        (Some(key), Some(id)) if key.id != id => {
            let text = format!("The URL is of {key}, and the resource has the id {id:?}.");
            Err(Error::new(ErrorCode::Invalid, text).at(format!("{found}.id")))
        }
        _ => Ok(()),
    }
}

/// Where the resource stands in the body: it is the body, or a parameter.
fn place_in_body(call: &Call<'_>) -> String {
    let is_resource = |p: &ParametersParameter| p.name.as_str() == Some("resource");
    match call.arguments.of_body().iter().position(is_resource) {
        Some(index) => format!("Parameters.parameter[{index}].resource"),
        None => String::new(),
    }
}

/// A resource of the store, or one that is built in.
pub(super) async fn stored(session: &Session, key: &Key) -> Result<Resource> {
    Ok(stored_text(session, key).await?.0)
}

/// The same, with its text.
async fn stored_text(session: &Session, key: &Key) -> Result<(Resource, Vec<u8>)> {
    let version = match session.read(key).await? {
        Some(version) => version,
        None => session.built_in(key)?.ok_or_else(|| not_found(key))?,
    };
    match &version.body {
        Some(body) if version.change != Change::Delete => {
            let text = body.render(version.version, version.last_updated);
            let read = json::from_slice(&text).map_err(|error| Error::internal(error.to_string()));
            Ok((read?, text))
        }
        _ => Err(Error::new(ErrorCode::Gone, format!("{key} was deleted."))),
    }
}

fn answer(session: &Session, findings: &[fhir_validate::Finding]) -> Done {
    let outcome = outcome_of_findings(findings, session.now());
    Done::Answer(Response::new(200, Payload::Json(outcome)))
}
