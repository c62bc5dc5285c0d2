//! capabilities: what this server offers (<https://hl7.org/fhir/R4/http.html#capabilities>), made from the table of
//! interactions, the definitions and the configuration.
//!
//! Invariant: nothing is claimed that is not offered.

use fhir_model::{
    CapabilityStatement, CapabilityStatementImplementation, CapabilityStatementRest,
    CapabilityStatementRestInteraction, CapabilityStatementRestResource,
    CapabilityStatementRestResourceInteraction, CapabilityStatementRestResourceSearchParam,
    CapabilityStatementSoftware, Resource, json,
};

use super::query::{Reader, malformed};
use super::subset::View;
use super::{Interaction, Level, Payload, Request, Response};
use crate::engine::{Session, Settings};
use crate::error::{Error, ErrorCode, Result};

/// The search parameters that every type has: name, type, definition.
const SEARCH_PARAMETERS: &[(&str, &str, &str)] = &[
    ("_id", "token", "http://hl7.org/fhir/SearchParameter/Resource-id"),
    (
        "_lastUpdated",
        "date",
        "http://hl7.org/fhir/SearchParameter/Resource-lastUpdated",
    ),
];

/// When the statement last changed in kind: the release that this code belongs to.
const DATE: &str = "2026-11-23";

/// 200 with the CapabilityStatement.
pub(super) async fn run(session: &Session, request: &Request) -> Result<Response> {
    session.permit(Interaction::Capabilities, None)?;
    let mut reader = Reader::new(request);
    match reader.one("mode")? {
        None | Some("full" | "normative") => {}
        Some("terminology") => {
            let text = "This server offers no terminology services, so there is no TerminologyCapabilities.";
            return Err(Error::new(ErrorCode::NotSupported, text).at("http.mode"));
        }
        Some(other) => return Err(malformed("mode", other, "full, normative or terminology")),
    }
    let view = View::take(&mut reader)?;
    if view.counts() {
        return Err(malformed("_summary", "count", "true, text, data or false here"));
    }
    reader.refuse_rest_if_strict()?;
    let statement = Resource::from(statement(session.settings(), &request.base)?);
    Ok(Response::new(
        200,
        Payload::Json(view.apply(json::to_vec(&statement))?),
    ))
}

fn statement(settings: &Settings, base: &str) -> Result<CapabilityStatement> {
    let software = CapabilityStatementSoftware {
        name: settings.software_name.as_str().into(),
        version: settings.software_version.as_str().into(),
        ..Default::default()
    };
    let implementation = CapabilityStatementImplementation {
        description: format!("{}, FHIR R4", settings.software_name).into(),
        url: base.into(),
        ..Default::default()
    };
    Ok(CapabilityStatement {
        status: "active".into(),
        date: DATE
            .parse::<fhir_model::DateTime>()
            .map_err(Error::internal)?
            .into(),
        kind: "instance".into(),
        software: Some(Box::new(software)),
        implementation: Some(Box::new(implementation)),
        fhir_version: "4.0.1".into(),
        format: ["application/fhir+json", "application/fhir+xml", "json", "xml"]
            .map(Into::into)
            .into(),
        rest: vec![rest(settings)],
        ..Default::default()
    })
}

fn rest(settings: &Settings) -> CapabilityStatementRest {
    let system = Interaction::ALL
        .iter()
        .filter(|i| i.level() == Level::System && **i != Interaction::Capabilities);
    let interaction = |i: &Interaction| CapabilityStatementRestInteraction {
        code: i.code().into(),
        ..Default::default()
    };
    CapabilityStatementRest {
        mode: "server".into(),
        resource: Resource::TYPES
            .iter()
            .map(|name| resource(name, settings))
            .collect(),
        interaction: system.map(interaction).collect(),
        search_param: search_parameters(),
        ..Default::default()
    }
}

fn resource(name: &str, settings: &Settings) -> CapabilityStatementRestResource {
    let offered = Interaction::ALL.iter().filter(|i| i.level() != Level::System);
    let interaction = |i: &Interaction| CapabilityStatementRestResourceInteraction {
        code: i.code().into(),
        ..Default::default()
    };
    CapabilityStatementRestResource {
        type_: name.into(),
        profile: format!("http://hl7.org/fhir/StructureDefinition/{name}").into(),
        interaction: offered.map(interaction).collect(),
        versioning: "versioned".into(),
        read_history: true.into(),
        update_create: settings.update_as_create.into(),
        conditional_create: true.into(),
        conditional_read: "full-support".into(),
        conditional_update: true.into(),
        conditional_delete: match settings.conditional_delete_max {
            0 | 1 => "single",
            _ => "multiple",
        }
        .into(),
        search_param: search_parameters(),
        ..Default::default()
    }
}

fn search_parameters() -> Vec<CapabilityStatementRestResourceSearchParam> {
    let one = |&(name, kind, definition): &(&str, &str, &str)| CapabilityStatementRestResourceSearchParam {
        name: name.into(),
        definition: definition.into(),
        type_: kind.into(),
        ..Default::default()
    };
    SEARCH_PARAMETERS.iter().map(one).collect()
}
