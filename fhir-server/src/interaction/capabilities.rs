//! capabilities: what this server offers (<https://hl7.org/fhir/R4/http.html#capabilities>), made from the table of
//! interactions, the definitions and the configuration.
//!
//! Invariant: nothing is claimed that is not offered.

use std::collections::HashMap;

use fhir_model::definitions::SearchParamType;
use fhir_model::{
    AnyValue, CapabilityStatement, CapabilityStatementImplementation, CapabilityStatementRest,
    CapabilityStatementRestInteraction, CapabilityStatementRestResource,
    CapabilityStatementRestResourceInteraction, CapabilityStatementRestResourceOperation,
    CapabilityStatementRestResourceSearchParam, CapabilityStatementRestSecurity, CapabilityStatementSoftware,
    CodeableConcept, Coding, Extension, Resource, json,
};

use super::query::{Reader, malformed};
use super::subset::View;
use super::uri::split_origin;
use super::{Interaction, Level, Payload, Request, Response, terminology_capabilities};
use crate::engine::{Session, Settings, TokenSource};
use crate::error::{Error, Result};
use crate::operation::{Offered, Operations};
use crate::patch;
use crate::search::registry::{Parameter, Registry};
use crate::store::ResourceType;

/// When the statement last changed in kind: the release that this code belongs to.
pub(super) const DATE: &str = "2026-11-23";

/// 200 with the CapabilityStatement.
pub(super) async fn run(session: &Session, request: &Request) -> Result<Response> {
    session.permit(Interaction::Capabilities, None)?;
    let mut reader = Reader::new(request);
    let mut is_terminology = false;
    match reader.one("mode")? {
        None | Some("full" | "normative") => {}
        Some("terminology") => is_terminology = true,
        Some(other) => return Err(malformed("mode", other, "full, normative or terminology")),
    }
    let view = View::take(&mut reader)?;
    if view.counts() {
        return Err(malformed("_summary", "count", "true, text, data or false here"));
    }
    reader.refuse_rest_if_strict()?;
    if is_terminology {
        let statement = Resource::from(terminology_capabilities::statement(session, &request.base).await?);
        return Ok(Response::new(
            200,
            Payload::Json(view.apply(json::to_vec(&statement))?),
        ));
    }
    let registry = session.searchable().await?;
    let make = || {
        let statement = Resource::from(statement(session, &registry, &request.base)?);
        Ok(json::to_vec(&statement))
    };
    if !registry.added().is_empty() {
        // What a tenant adds changes while the server runs.
        return Ok(Response::new(200, Payload::Json(view.apply(make()?)?)));
    }
    // It takes milliseconds to make, and beside the address by which the server was reached nothing of it changes while it runs.
    let statement = session.statements().get_or_make(&request.base, make)?;
    Ok(Response::new(200, Payload::Json(view.apply(statement.to_vec())?)))
}

fn statement(session: &Session, registry: &Registry, base: &str) -> Result<CapabilityStatement> {
    let settings = session.settings();
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
        patch_format: patch::MEDIA_TYPES.map(Into::into).into(),
        rest: vec![rest(session, registry, base)],
        ..Default::default()
    })
}

fn rest(session: &Session, registry: &Registry, base: &str) -> CapabilityStatementRest {
    let settings = session.settings();
    let operations = Listed {
        operations: session.operations(),
        registry,
        base,
    };
    let system = Interaction::ALL
        .iter()
        .filter(|i| i.level() == Level::System && **i != Interaction::Capabilities);
    let interaction = |i: &Interaction| CapabilityStatementRestInteraction {
        code: i.code().into(),
        ..Default::default()
    };
    let mut reverse = reverse_includes(registry);
    CapabilityStatementRest {
        mode: "server".into(),
        security: settings
            .tokens
            .as_ref()
            .map(|source| Box::new(security(source, base))),
        resource: ResourceType::all()
            .map(|resource_type| resource(resource_type, &mut reverse, settings, &operations))
            .collect(),
        interaction: system.map(interaction).collect(),
        search_param: common_parameters(registry, settings),
        operation: operations.on(&[Level::System], None),
        ..Default::default()
    }
}

/// That callers need a token by SMART, and where they get it
/// (<https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html#using-cs>).
fn security(source: &TokenSource, base: &str) -> CapabilityStatementRestSecurity {
    let origin = split_origin(base).map_or(base, |(origin, _)| origin);
    let part = |name: &str, url: &Option<String>| {
        let url = url.as_deref()?;
        let url = match url.starts_with('/') {
            true => format!("{origin}{url}"),
            false => url.to_owned(),
        };
        Some(Extension {
            url: Some(name.into()),
            value: Some(AnyValue::Uri(url.as_str().into())),
            ..Default::default()
        })
    };
    let parts = [
        part("authorize", &source.authorize),
        part("token", &source.token),
        part("introspect", &source.introspect),
        part("revoke", &source.revoke),
    ];
    let parts: Vec<Extension> = parts.into_iter().flatten().collect();
    let uris = Extension {
        url: Some("http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris".into()),
        extension: parts,
        ..Default::default()
    };
    let smart = Coding {
        system: "http://terminology.hl7.org/CodeSystem/restful-security-service".into(),
        code: "SMART-on-FHIR".into(),
        ..Default::default()
    };
    CapabilityStatementRestSecurity {
        // Without both, where a token is given and where users are asked, the extension says nothing.
        extension: [uris]
            .into_iter()
            .filter(|uris| uris.extension.len() > 1)
            .collect(),
        service: vec![CodeableConcept {
            coding: vec![smart],
            ..Default::default()
        }],
        ..Default::default()
    }
}

fn resource(
    resource_type: ResourceType,
    reverse: &mut HashMap<ResourceType, Vec<String>>,
    settings: &Settings,
    operations: &Listed<'_>,
) -> CapabilityStatementRestResource {
    let name = resource_type.name();
    let is_trail = settings.audit.enabled && name == "AuditEvent";
    let of_trail = [Interaction::Read, Interaction::Vread, Interaction::SearchType];
    let offered = Interaction::ALL
        .iter()
        .filter(|i| i.level() != Level::System && (!is_trail || of_trail.contains(i)));
    let claimed = &settings.validation.of(resource_type).profiles;
    let interaction = |i: &Interaction| CapabilityStatementRestResourceInteraction {
        code: i.code().into(),
        ..Default::default()
    };
    CapabilityStatementRestResource {
        type_: name.into(),
        profile: format!("http://hl7.org/fhir/StructureDefinition/{name}").into(),
        supported_profile: claimed.iter().map(|url| url.as_str().into()).collect(),
        interaction: offered.map(interaction).collect(),
        versioning: if is_trail { "no-version" } else { "versioned" }.into(),
        read_history: (!is_trail).into(),
        update_create: (settings.update_as_create && !is_trail).into(),
        conditional_create: (!is_trail).into(),
        conditional_read: "full-support".into(),
        conditional_update: (!is_trail).into(),
        conditional_delete: match settings.conditional_delete_max {
            _ if is_trail => "not-supported",
            0 | 1 => "single",
            _ => "multiple",
        }
        .into(),
        search_include: includes(operations.registry, resource_type)
            .into_iter()
            .map(Into::into)
            .collect(),
        search_rev_include: reverse
            .remove(&resource_type)
            .unwrap_or_default()
            .into_iter()
            .map(Into::into)
            .collect(),
        search_param: parameters_of(operations.registry, resource_type, settings),
        operation: operations.on(&[Level::Type, Level::Instance], Some(name)),
        ..Default::default()
    }
}

/// The parameters of a type, and those of every type that clients look for here.
fn parameters_of(
    registry: &Registry,
    resource_type: ResourceType,
    settings: &Settings,
) -> Vec<CapabilityStatementRestResourceSearchParam> {
    let common = ["_id", "_lastUpdated", "_text", "_content"];
    let is_shown = |p: &&Parameter| p.resource_type.is_some() || common.contains(&&*p.code);
    let all = registry.of(resource_type).filter(is_shown);
    all.filter(|p| is_offered(p, settings))
        .map(search_parameter)
        .collect()
}

/// The parameters of every type.
fn common_parameters(
    registry: &Registry,
    settings: &Settings,
) -> Vec<CapabilityStatementRestResourceSearchParam> {
    let all = registry.common();
    all.filter(|p| is_offered(p, settings))
        .map(search_parameter)
        .collect()
}

/// Whether a search by it is answered: from the index, by what the store knows of each resource, or from full text where that is kept.
fn is_offered(parameter: &Parameter, settings: &Settings) -> bool {
    match &*parameter.code {
        "_id" | "_lastUpdated" => true,
        "_text" | "_content" => settings.search.full_text,
        _ => parameter.is_indexed(),
    }
}

fn search_parameter(parameter: &Parameter) -> CapabilityStatementRestResourceSearchParam {
    CapabilityStatementRestResourceSearchParam {
        name: (*parameter.code).into(),
        definition: (*parameter.url).into(),
        type_: parameter.kind.code().into(),
        ..Default::default()
    }
}

/// The values of `_include` that start from a type.
fn includes(registry: &Registry, resource_type: ResourceType) -> Vec<String> {
    let links = registry.of(resource_type).filter(|p| is_link(p));
    links
        .map(|p| format!("{}:{}", resource_type.name(), p.code))
        .collect()
}

/// The values of `_revinclude` that lead to each type, by name. Links to any type stand at none: they would stand at all.
fn reverse_includes(registry: &Registry) -> HashMap<ResourceType, Vec<String>> {
    let mut by_target: HashMap<ResourceType, Vec<String>> = HashMap::new();
    for source in ResourceType::all() {
        for link in registry.of(source).filter(|p| is_link(p)) {
            for target in &link.targets {
                let value = format!("{}:{}", source.name(), link.code);
                by_target.entry(*target).or_default().push(value);
            }
        }
    }
    by_target
}

fn is_link(parameter: &Parameter) -> bool {
    parameter.kind == SearchParamType::Reference && parameter.is_indexed()
}

/// What the statement lists of each type.
struct Listed<'s> {
    registry: &'s Registry,
    operations: &'s Operations,
    base: &'s str,
}

impl Listed<'_> {
    fn on(&self, levels: &[Level], name: Option<&str>) -> Vec<CapabilityStatementRestResourceOperation> {
        let there = |offered: &&Offered| levels.iter().any(|level| offered.runs_on(*level, name));
        let one = |offered: &Offered| {
            let code = offered.operation.code();
            let url = offered.definition.url.as_str().map(str::to_owned);
            let url = url.unwrap_or_else(|| format!("{}/OperationDefinition/{code}", self.base));
            CapabilityStatementRestResourceOperation {
                name: code.into(),
                definition: url.into(),
                documentation: offered.definition.description.as_str().unwrap_or_default().into(),
                ..Default::default()
            }
        };
        self.operations.all().filter(there).map(one).collect()
    }
}
