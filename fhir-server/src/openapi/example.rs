//! Examples: resources of the sandbox by their ids, new ones to create, and an OperationOutcome for each error.
//!
//! Invariant: an id named here exists in the sandbox, so that trying it works.

use fhir_validate::schema::Json;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::subject::Subject;
use crate::context::Millis;
use crate::engine::OutcomeSystems;
use crate::error::{Error, ErrorCode, Issue, Result};
use crate::interaction::{Level, operation_outcome};
use crate::operation::arguments::capitalised;
use crate::operation::{Offered, Operations};

/// A Bundle of type transaction.
pub(super) const TRANSACTION: &str = "Transaction";
/// A Bundle of type batch.
pub(super) const BATCH: &str = "Batch";
/// The answer to a transaction.
pub(super) const ANSWERS: &str = "TransactionResponse";

/// The time that examples of answers tell.
const WHEN: &str = "2026-11-23T09:30:00.000Z";
/// The same.
const WHEN_MILLIS: Millis = Millis(1_795_426_200_000);
/// The FHIR base that examples of answers tell.
const BASE: &str = "http://127.0.0.1:8080/fhir";

/// The sandbox's files, in the order in which they are loaded.
const SANDBOX: [&str; 5] = [
    include_str!("../../sandbox/1-organisations.json"),
    include_str!("../../sandbox/2-patients.json"),
    include_str!("../../sandbox/3-records.json"),
    include_str!("../../sandbox/4-bookings.json"),
    include_str!("../../sandbox/5-consents.json"),
];

/// Resources of the sandbox that tell more than the first of their type.
const CHOSEN: [(&str, &str); 4] = [
    ("Patient", "pat-amira-khan"),
    ("Encounter", "enc-amira-2026-diabetes-review"),
    ("MedicationRequest", "med-amira-metformin"),
    ("Consent", "consent-amira-share-all"),
];

/// A resource of that type in the sandbox, if it has one.
pub(super) fn sandbox_id(resource_type: &str) -> Option<&'static str> {
    static FIRST: OnceLock<BTreeMap<String, String>> = OnceLock::new();
    if let Some((_, id)) = CHOSEN.iter().find(|(name, _)| *name == resource_type) {
        return Some(id);
    }
    let first = FIRST.get_or_init(|| {
        let mut first = BTreeMap::new();
        for file in SANDBOX.into_iter().filter_map(|text| read(text).ok()) {
            for resource in resources(&file) {
                let text = |name| resource.get(name).and_then(Json::as_str).map(str::to_owned);
                if let (Some(name), Some(id)) = (text("resourceType"), text("id")) {
                    first.entry(name).or_insert(id);
                }
            }
        }
        first
    });
    first.get(resource_type).map(String::as_str)
}

/// The name of an example that is about a resource of the sandbox.
fn of_sandbox(resource_type: &str, name: impl FnOnce() -> String) -> Option<String> {
    sandbox_id(resource_type).map(|_| name())
}

/// The example of a resource to update.
pub(super) fn sandbox(resource_type: &str) -> Option<String> {
    of_sandbox(resource_type, || format!("{resource_type}InSandbox"))
}

/// The example of a resource to create.
pub(super) fn created(resource_type: &str) -> Option<String> {
    of_sandbox(resource_type, || format!("New{resource_type}"))
}

/// The example of a FHIRPath Patch.
pub(super) fn patch(resource_type: &str) -> String {
    format!("{resource_type}Patch")
}

/// The example of the arguments of an operation.
pub(super) fn arguments(offered: &Offered) -> String {
    let is_meta = |p: &fhir_model::OperationDefinitionParameter| {
        p.use_.as_str() == Some("in") && p.type_.as_str() == Some("Meta")
    };
    let takes_meta = offered.definition.parameter.iter().any(is_meta);
    match (takes_meta, tried_with(offered).as_slice()) {
        (true, _) => "MetaArguments".to_owned(),
        (false, []) => "NoArguments".to_owned(),
        (false, _) => format!(
            "{}Arguments",
            offered.definition.name.as_str().unwrap_or_default()
        ),
    }
}

/// What an operation that changes nothing can be tried with: arguments, their types and values.
fn tried_with(offered: &Offered) -> Vec<(&str, &str, &'static str)> {
    let inputs = offered.definition.parameter.iter();
    let inputs = inputs.filter(|p| p.use_.as_str() == Some("in"));
    let named = inputs.filter_map(|p| Some((p.name.as_str()?, p.type_.as_str()?)));
    let tried = named.filter_map(|(name, kind)| Some((name, kind, offered.operation.example(name)?)));
    tried.collect()
}

/// The examples of the arguments of operations.
fn tried_arguments(subject: &Subject) -> Result<Vec<(String, Json)>> {
    let mut examples = Vec::new();
    for offered in Operations::builtin().all() {
        let given = tried_with(offered);
        // Of the types that the document is about.
        let is_shown = [Level::Instance, Level::Type].into_iter().any(|level| {
            subject
                .types
                .iter()
                .any(|name| offered.runs_on(level, Some(name)))
        });
        if offered.affects_state() || given.is_empty() || !is_shown {
            continue;
        }
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        let parameters = given.iter().map(|(name, kind, value)| {
            let kind = capitalised(kind);
            format!(r#"{{"name":{},"value{kind}":{}}}"#, quoted(name), quoted(value))
        });
        let parameters = parameters.collect::<Vec<_>>().join(",");
        let text = format!(r#"{{"resourceType":"Parameters","parameter":[{parameters}]}}"#);
        examples.push(example(
            &arguments(offered),
            "What it can be tried with",
            read(&text)?,
        ));
    }
    Ok(examples)
}

/// The example of a resource as the server answers with it.
pub(super) fn stored(resource_type: &str) -> Option<String> {
    of_sandbox(resource_type, || format!("Stored{resource_type}"))
}

/// The example of a page of matches.
pub(super) fn found(resource_type: &str) -> Option<String> {
    of_sandbox(resource_type, || format!("{resource_type}Search"))
}

/// The example of a page of versions.
pub(super) fn history(resource_type: &str) -> Option<String> {
    of_sandbox(resource_type, || format!("{resource_type}History"))
}

/// The example of the answer to a failure.
pub(super) fn error(code: ErrorCode) -> String {
    format!("Error{code:?}")
}

/// The example of that name, in XML.
pub(super) fn in_xml(name: &str) -> String {
    format!("{name}Xml")
}

/// Every example that a document about those types may show, by its name.
pub(super) fn all(subject: &Subject) -> Result<Vec<(String, Json)>> {
    let mut all = vec![
        example(
            TRANSACTION,
            "A patient and an encounter that refers to them",
            read(include_str!("examples/transaction.json"))?,
        ),
        example(
            BATCH,
            "Two reads at once",
            read(include_str!("examples/batch.json"))?,
        ),
        example(
            ANSWERS,
            "Both were created",
            read(include_str!("examples/transaction-response.json"))?,
        ),
        example(
            "MetaArguments",
            "A tag",
            read(include_str!("examples/meta.json"))?,
        ),
        example(
            "NoArguments",
            "No arguments",
            read(r#"{"resourceType":"Parameters"}"#)?,
        ),
    ];
    all.extend(tried_arguments(subject)?);
    let sandbox_files = SANDBOX.into_iter().map(read).collect::<Result<Vec<_>>>()?;
    for name in &subject.types {
        all.push(example(&patch(name), "Add a tag", read(&tagging(name))?));
        let Some(id) = sandbox_id(name) else { continue };
        let resource = in_sandbox(&sandbox_files, name, id)?;
        let stored_resource = as_stored(&resource);
        let of_resource = [
            (created(name), "A new resource", new(name, &resource)?),
            (found(name), "One match", searchset(name, id, &stored_resource)),
            (history(name), "One version", versions(name, id, &stored_resource)),
            (stored(name), "As the server answers", stored_resource),
            (sandbox(name), "From the sandbox", resource),
        ];
        let named = of_resource
            .into_iter()
            .filter_map(|(name, summary, value)| Some(example(&name?, summary, value)));
        all.extend(named);
    }
    let in_xml = all
        .iter()
        .map(|(name, example)| as_xml(name, example))
        .collect::<Result<Vec<_>>>()?;
    all.extend(in_xml);
    for code in super::failure::named() {
        let (diagnostics, at) = failure(code);
        let issue = Issue {
            expression: at.map(str::to_owned),
            ..Issue::new(diagnostics)
        };
        let outcome = operation_outcome(
            Some(code),
            &[issue],
            &OutcomeSystems::default(),
            Some(WHEN_MILLIS),
        );
        let outcome = serde_json::from_slice(&outcome).map_err(Error::internal)?;
        let facts = code.facts();
        let summary = format!("{} ({}, {})", facts.status, facts.issue, facts.nhs);
        all.push(example(&error(code), &summary, outcome));
    }
    all.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(all)
}

fn example(name: &str, summary: &str, value: Json) -> (String, Json) {
    (
        name.to_owned(),
        Json::object([("summary", Json::from(summary)), ("value", value)]),
    )
}

/// The same example in XML.
fn as_xml(name: &str, example: &Json) -> Result<(String, Json)> {
    let json = example.get("value").map(Json::to_string).unwrap_or_default();
    let resource = fhir_model::json::from_str(&json).map_err(Error::internal)?;
    let text = fhir_model::xml::to_string_pretty(&resource).map_err(Error::internal)?;
    let mut example = example.clone();
    example.set("value", text);
    Ok((in_xml(name), example))
}

fn read(text: &str) -> Result<Json> {
    serde_json::from_str(text).map_err(Error::internal)
}

/// A resource to create: of a type that is told in full one written for it, of others what the sandbox has, without its id.
fn new(resource_type: &str, in_sandbox: &Json) -> Result<Json> {
    read(match resource_type {
        "Patient" => include_str!("examples/Patient.json"),
        "Encounter" => include_str!("examples/Encounter.json"),
        "MedicationRequest" => include_str!("examples/MedicationRequest.json"),
        "Consent" => include_str!("examples/Consent.json"),
        _ => {
            let members = in_sandbox.members().iter().filter(|(name, _)| name != "id");
            return Ok(Json::Object(members.cloned().collect()));
        }
    })
}

/// A FHIRPath Patch that any resource of the type takes.
fn tagging(resource_type: &str) -> String {
    include_str!("examples/patch.json").replace("[type]", resource_type)
}

/// The resources of a file of the sandbox.
fn resources(file: &Json) -> impl Iterator<Item = &Json> {
    let entries = file.get("entry").map(Json::items).unwrap_or_default();
    entries.iter().filter_map(|entry| entry.get("resource"))
}

fn in_sandbox(files: &[Json], resource_type: &str, id: &str) -> Result<Json> {
    let is =
        |resource: &&Json, name: &str, value: &str| resource.get(name).and_then(Json::as_str) == Some(value);
    let mut resources = files.iter().flat_map(resources);
    let found = resources.find(|r| is(r, "resourceType", resource_type) && is(r, "id", id));
    found
        .cloned()
        .ok_or_else(|| Error::internal(format!("the sandbox has no {resource_type}/{id}")))
}

/// The resource with the version and time that the server adds.
fn as_stored(resource: &Json) -> Json {
    let mut members = vec![
        ("versionId".to_owned(), Json::from("1")),
        ("lastUpdated".to_owned(), Json::from(WHEN)),
    ];
    members.extend(
        resource
            .get("meta")
            .map(Json::members)
            .unwrap_or_default()
            .iter()
            .cloned(),
    );
    let mut stored = Json::Object(Vec::new());
    for (name, value) in resource.members().iter().filter(|(name, _)| name != "meta") {
        stored.set(name, value.clone());
        if name == "id" {
            stored.set("meta", Json::Object(members.clone()));
        }
    }
    stored
}

fn searchset(resource_type: &str, id: &str, resource: &Json) -> Json {
    let entry = Json::object([
        ("fullUrl", Json::from(format!("{BASE}/{resource_type}/{id}"))),
        ("resource", resource.clone()),
        ("search", Json::object([("mode", Json::from("match"))])),
    ]);
    let link = format!("{BASE}/{resource_type}?_id={id}");
    bundle("searchset", &link, entry)
}

fn versions(resource_type: &str, id: &str, resource: &Json) -> Json {
    let url = format!("{resource_type}/{id}");
    let entry = Json::object([
        ("fullUrl", Json::from(format!("{BASE}/{url}"))),
        ("resource", resource.clone()),
        (
            "request",
            Json::object([("method", Json::from("PUT")), ("url", Json::from(url.as_str()))]),
        ),
        (
            "response",
            Json::object([
                ("status", Json::from("201 Created")),
                ("etag", Json::from("W/\"1\"")),
                ("lastModified", Json::from(WHEN)),
            ]),
        ),
    ]);
    bundle("history", &format!("{BASE}/{url}/_history"), entry)
}

fn bundle(kind: &str, link: &str, entry: Json) -> Json {
    let link = Json::object([("relation", Json::from("self")), ("url", Json::from(link))]);
    Json::object([
        ("resourceType", Json::from("Bundle")),
        ("id", Json::from("1b671a64-40d5-491e-99b0-da01ff1f3341")),
        ("meta", Json::object([("lastUpdated", Json::from(WHEN))])),
        ("type", Json::from(kind)),
        ("total", Json::from(1)),
        ("link", Json::from(vec![link])),
        ("entry", Json::from(vec![entry])),
    ])
}

/// What such a failure may tell, and its place.
fn failure(code: ErrorCode) -> (&'static str, Option<&'static str>) {
    let words = code.words();
    (words.message, words.place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_reads_strictly_and_is_valid() {
        for (name, example) in all(&Subject::first_class()).unwrap() {
            let text = match example.get("value").unwrap() {
                Json::String(_) => continue,
                json => json.to_string(),
            };
            let resource = fhir_model::json::from_str(&text).unwrap_or_else(|e| panic!("{name}: {e}"));
            assert_eq!(
                fhir_model::json::to_string(&resource),
                text,
                "{name} is not in the order of the specification"
            );
            assert_eq!(fhir_validate::Validator::new().validate(&resource), [], "{name}");
        }
    }
}
