//! The OpenAPI 3.1 document (<https://spec.openapis.org/oas/v3.1.1.html>): paths from the table of routes, schemas from the
//! R4 definitions, errors from the error table; only the words are written here.
//!
//! One document tells of the four types that are first class and of what belongs to no type; every other type has one of its own, made in
//! the same way.
//!
//! Invariant: the document names nothing that the server does not offer, and is the same wherever it is made.

mod endpoint;
mod example;
mod failure;
mod health;
mod parameter;
mod request;
mod scenario;
mod security;
mod subject;
mod success;
mod words;

use fhir_validate::schema::{Definitions, Dialect, Json, Schemas};
use utoipa::openapi::external_docs::ExternalDocsBuilder;
use utoipa::openapi::path::{PathItem, PathsBuilder};
use utoipa::openapi::tag::{Tag, TagBuilder};
use utoipa::openapi::{
    Components, ComponentsBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, ServerBuilder,
};

use crate::error::{Error, Result};
use crate::store::ResourceType;
pub use scenario::page as scenarios;
use subject::Subject;

/// The resource types that are told in full.
const TYPES: [&str; 4] = ["Patient", "Encounter", "MedicationRequest", "Consent"];

/// Types of answers and requests beside them.
const ENVELOPES: [&str; 3] = ["Bundle", CAPABILITIES, "OperationOutcome"];
/// What the server says about itself, and no single type's document answers.
const CAPABILITIES: &str = "CapabilityStatement";

const INTRODUCTION: &str = include_str!("introduction.md");
const OF_TYPE: &str = include_str!("of_type.md");

/// The document as text, for a server whose FHIR base is at that path, such as `/fhir`.
///
/// # Errors
/// A fault of the build: the definitions or examples in it cannot be read.
pub fn document(base_path: &str) -> Result<String> {
    let definitions = Definitions::r4().map_err(Error::internal)?;
    written(base_path, &Subject::first_class(), &definitions)
}

/// The document of one resource type alone, whichever it is.
///
/// # Errors
/// As [`document`].
pub fn document_of(base_path: &str, resource_type: ResourceType) -> Result<String> {
    let definitions = Definitions::r4().map_err(Error::internal)?;
    written(base_path, &Subject::of(resource_type), &definitions)
}

fn written(base_path: &str, subject: &Subject, definitions: &Definitions) -> Result<String> {
    let text = api(base_path, subject).to_json().map_err(Error::internal)?;
    let mut document: Json = serde_json::from_str(&text).map_err(Error::internal)?;
    let schemas = Schemas::new(definitions, Dialect::OpenApi).with_descriptions(words::on);
    let schemas = schemas.of(subject.schemas());
    if let Some(components) = document.get_mut("components") {
        components.set("schemas", Json::Object(schemas.into_iter().collect()));
        components.set("examples", Json::Object(example::all(subject)?));
    }
    // What is not said otherwise at an operation is open to everybody.
    document.set("security", Vec::new());
    scenario::tell(&mut document)?;
    subject::prune(&mut document);
    if let Some(components) = document.get_mut("components") {
        components.set("securitySchemes", security::schemes(&subject.types));
    }
    Ok(document.text())
}

/// JSON Schemas of every R4 resource as one document in draft 2020-12, for validators.
///
/// # Errors
/// A fault of the build: the definitions in it cannot be read.
pub fn json_schema() -> Result<String> {
    let definitions = Definitions::r4().map_err(Error::internal)?;
    Ok(Schemas::new(&definitions, Dialect::JsonSchema).document().text())
}

fn api(base_path: &str, subject: &Subject) -> OpenApi {
    let license = LicenseBuilder::new()
        .name("Apache-2.0")
        .identifier(Some("Apache-2.0"));
    let (title, introduction) = match (subject.with_system, subject.types.first()) {
        (false, Some(name)) => (format!("FHIR R4 server: {name}"), OF_TYPE.replace("[type]", name)),
        _ => ("FHIR R4 server".to_owned(), INTRODUCTION.to_owned()),
    };
    let info = InfoBuilder::new()
        .title(title)
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(introduction))
        .license(Some(license.build()));
    let server = ServerBuilder::new()
        .url(base_path)
        .description(Some("The FHIR base of this server"));
    OpenApiBuilder::new()
        .info(info)
        .servers(Some([server.build()]))
        .paths(paths(subject))
        .components(Some(components()))
        .tags(Some(tags(subject)))
        .build()
}

fn paths(subject: &Subject) -> PathsBuilder {
    let mut paths = PathsBuilder::new();
    for endpoint in endpoint::all() {
        if !endpoint.path.contains("{type}") {
            if subject.with_system {
                let item = PathItem::new(endpoint.method.clone(), endpoint.operation(None));
                paths = paths.path(endpoint.path(), item);
            }
            continue;
        }
        for name in subject.types.iter().copied().filter(|name| endpoint.is_for(name)) {
            let item = PathItem::new(endpoint.method.clone(), endpoint.operation(Some(name)));
            paths = paths.path(endpoint.path().replace("{type}", name), item);
        }
    }
    let health = subject.with_system.then(health::paths);
    health
        .into_iter()
        .flatten()
        .fold(paths, |paths, (path, item)| paths.path(path, item))
}

fn components() -> Components {
    let parameters = parameter::all().into_iter();
    let components = parameters.fold(ComponentsBuilder::new(), |c, (key, p)| c.parameter(key, p));
    let components = success::headers()
        .into_iter()
        .fold(components, |c, (key, h)| c.header(key, h));
    let components = failure::responses()
        .into_iter()
        .fold(components, |c, (key, r)| c.response(key, r));
    components.build()
}

fn tags(subject: &Subject) -> Vec<Tag> {
    let of_type = subject.types.iter().map(|name| {
        let page = format!("https://hl7.org/fhir/R4/{}.html", name.to_ascii_lowercase());
        let docs = ExternalDocsBuilder::new()
            .url(page)
            .description(Some("The specification"))
            .build();
        TagBuilder::new()
            .name(*name)
            .description(words::on(name))
            .external_docs(Some(docs))
            .build()
    });
    let system = [
        (
            endpoint::SYSTEM,
            "What the server offers, and requests across types.",
        ),
        (
            health::TAG,
            "For load balancers and monitoring; outside the FHIR base.",
        ),
    ];
    let system = system.map(|(name, words)| TagBuilder::new().name(name).description(Some(words)).build());
    let system = system.into_iter().filter(|_| subject.with_system);
    of_type.chain(system).collect()
}

#[cfg(test)]
mod tests;
