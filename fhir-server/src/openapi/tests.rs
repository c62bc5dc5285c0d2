//! The document against the table of routes, itself, and what is committed.

use crate::interaction::Level;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::*;

fn built() -> Value {
    serde_json::from_str(&document("/fhir").unwrap()).unwrap()
}

/// Path, method and operation.
fn operations(document: &Value) -> Vec<(&str, &str, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    let methods = paths.iter().flat_map(|(path, item)| {
        let methods = item
            .as_object()
            .unwrap()
            .iter()
            .filter(|(name, _)| *name != "servers");
        methods.map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
    });
    methods.collect()
}

fn committed(name: &str) -> String {
    let folder: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../openapi");
    std::fs::read_to_string(folder.join(name)).unwrap()
}

#[test]
fn what_is_committed_has_not_drifted() {
    let base_path = crate::Config::default().listen.base_path;
    let fresh = [
        ("openapi.json", document(&base_path).unwrap()),
        ("fhir-r4.schema.json", json_schema().unwrap()),
    ];
    for (name, text) in fresh {
        assert!(
            text == committed(name),
            "openapi/{name} has drifted: run `cargo xtask openapi`"
        );
    }
}

#[test]
fn every_route_is_there_for_every_type_and_nothing_else() {
    let document = built();
    let found: BTreeSet<(String, &str)> = operations(&document)
        .into_iter()
        .map(|(path, method, _)| (path.to_owned(), method))
        .collect();
    let mut expected = BTreeSet::from([("/livez".to_owned(), "get"), ("/readyz".to_owned(), "get")]);
    let operations = crate::operation::Operations::builtin();
    for route in crate::http::routes::ROUTES {
        let method = match route.method.as_str() {
            "GET" => "get",
            "POST" => "post",
            "PUT" => "put",
            "PATCH" => "patch",
            "DELETE" => "delete",
            other => panic!("{other}"),
        };
        if route.interaction == crate::interaction::Interaction::Operation {
            let level = match (route.path.contains("{id}"), route.path.contains("{type}")) {
                (true, _) => Level::Instance,
                (false, true) => Level::Type,
                (false, false) => Level::System,
            };
            for offered in operations
                .all()
                .filter(|o| (method == "post" || !o.affects_state()) && !o.operation.needs_resource(level))
            {
                let path = route
                    .path
                    .replace("{op}", &format!("${}", offered.operation.code()));
                let there = TYPES
                    .into_iter()
                    .filter(|name| offered.runs_on(level, Some(name)));
                match level {
                    Level::System if offered.runs_on(level, None) => {
                        expected.insert((path, method));
                    }
                    Level::System => {}
                    _ => expected.extend(there.map(|name| (path.replace("{type}", name), method))),
                }
            }
            continue;
        }
        let is_of = |name: &&str| {
            !route.path.contains("{member}") || fhir_model::definitions::compartment(name).is_some()
        };
        let types = TYPES.into_iter().filter(is_of);
        expected.extend(types.map(|name| (route.path.replace("{type}", name), method)));
    }
    assert_eq!(found, expected);
}

#[test]
fn every_operation_is_named_once_told_and_can_fail() {
    let document = built();
    let tags: BTreeSet<&str> = document["tags"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tag| tag["name"].as_str().unwrap())
        .collect();
    let mut ids = BTreeSet::new();
    for (path, method, operation) in operations(&document) {
        let text = |name: &str| {
            operation[name]
                .as_str()
                .unwrap_or_else(|| panic!("{method} {path} has no {name}"))
        };
        assert!(ids.insert(text("operationId")), "{method} {path}");
        assert!(
            !text("summary").ends_with('.') && text("description").ends_with('.'),
            "{method} {path}"
        );
        assert!(
            tags.contains(operation["tags"][0].as_str().unwrap()),
            "{method} {path}"
        );
        let responses = operation["responses"].as_object().unwrap();
        assert!(
            responses.keys().any(|status| status.starts_with('2')),
            "{method} {path}"
        );
        let fails = responses.keys().any(|status| status.starts_with('4'));
        assert!(fails || operation["tags"][0] == health::TAG, "{method} {path}");
    }
}

#[test]
fn every_variable_of_a_path_is_a_parameter_with_an_example() {
    let document = built();
    for (path, method, operation) in operations(&document) {
        let parameters = operation["parameters"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        for variable in path.split(['{', '}']).skip(1).step_by(2) {
            let found = parameters
                .iter()
                .find(|p| p["name"] == variable && p["in"] == "path");
            assert!(
                found.is_some_and(|p| p["required"] == true && p["example"].is_string()),
                "{method} {path}"
            );
        }
    }
}

fn references<'v>(value: &'v Value, found: &mut BTreeSet<&'v str>) {
    found.extend(value.get("$ref").and_then(Value::as_str));
    value
        .as_array()
        .into_iter()
        .flatten()
        .for_each(|v| references(v, found));
    value
        .as_object()
        .into_iter()
        .flatten()
        .for_each(|(_, v)| references(v, found));
}

fn holds_together(document: &Value) {
    let title = &document["info"]["title"];
    let mut found = BTreeSet::new();
    references(document, &mut found);
    for reference in &found {
        assert!(
            document.pointer(reference.trim_start_matches('#')).is_some(),
            "{title}: {reference}"
        );
    }
    // Schemes are named by operations, not referred to.
    let schemes = document["components"]["securitySchemes"].as_object().unwrap();
    let mut named = BTreeSet::new();
    for (path, method, operation) in operations(document) {
        let asked = operation["security"].as_array().into_iter().flatten();
        for (scheme, scopes) in asked.flat_map(|one| one.as_object().unwrap()) {
            named.insert(scheme.as_str());
            let known = &schemes[scheme]["flows"]["authorizationCode"]["scopes"];
            let known = |scope: &Value| known[scope.as_str().unwrap()].is_string();
            assert!(
                scopes.as_array().unwrap().iter().all(known),
                "{method} {path}: {scopes}"
            );
        }
    }
    assert!(schemes.keys().map(String::as_str).eq(named), "{title}");
    let components = document["components"].as_object().unwrap();
    for (kind, components) in components.iter().filter(|(kind, _)| *kind != "securitySchemes") {
        for name in components.as_object().unwrap().keys() {
            let reference = format!("#/components/{kind}/{name}");
            assert!(
                found.contains(reference.as_str()),
                "{title}: {reference} is not used"
            );
        }
    }
}

#[test]
fn every_reference_leads_somewhere_and_every_component_is_used() {
    holds_together(&built());
}

#[test]
fn every_other_type_has_a_document_like_it() {
    let whole = built();
    let of_patients: BTreeSet<(String, &str)> = operations(&whole)
        .into_iter()
        .filter(|(.., operation)| operation["tags"][0] == "Patient")
        .filter(|(path, ..)| {
            !["{member}", "$everything", "$purge"]
                .iter()
                .any(|own| path.contains(own))
        })
        .map(|(path, method, _)| (path.replace("/Patient", "/[type]"), method))
        .collect();
    let definitions = Definitions::r4().unwrap();
    for resource_type in ResourceType::all() {
        let name = resource_type.name();
        let text = written("/fhir", &Subject::of(resource_type), &definitions).unwrap();
        let document: Value = serde_json::from_str(&text).unwrap();
        holds_together(&document);
        let found: BTreeSet<(String, &str)> = operations(&document)
            .into_iter()
            .map(|(path, method, _)| (path.replace(&format!("/{name}"), "/[type]"), method))
            .collect();
        let missing: Vec<_> = of_patients.difference(&found).collect();
        assert!(missing.is_empty(), "{name}: {missing:?}");
        assert!(
            operations(&document)
                .iter()
                .all(|(.., operation)| operation["tags"][0] == name),
            "{name}"
        );
        let search = &document["paths"][format!("/{name}")]["get"]["parameters"];
        assert!(search.as_array().is_some_and(|p| p.len() > 10), "{name}");
    }
}

#[test]
fn every_example_conforms_to_its_schema() {
    conform(&built());
    for name in ["Observation", "Appointment", "Organization"] {
        let resource_type = ResourceType::from_name(name).unwrap();
        let document: Value = serde_json::from_str(&document_of("/fhir", resource_type).unwrap()).unwrap();
        assert!(
            document["components"]["examples"][format!("Stored{name}")].is_object(),
            "{name}"
        );
        conform(&document);
    }
}

fn conform(document: &Value) {
    let components = &document["components"];
    for (name, example) in components["examples"].as_object().unwrap() {
        let Some(kind) = example["value"]["resourceType"].as_str() else {
            let xml = example["value"].as_str().unwrap();
            fhir_model::xml::from_slice(xml.as_bytes()).unwrap_or_else(|e| panic!("{name}: {e}"));
            continue;
        };
        if components["schemas"].get(kind).is_none() {
            let resource = fhir_model::json::from_str(&example["value"].to_string()).unwrap();
            assert_eq!(fhir_validate::Validator::new().validate(&resource), [], "{name}");
            continue;
        }
        let schema = json!({ "$ref": format!("#/components/schemas/{kind}"), "components": components });
        let validator = jsonschema::validator_for(&schema).unwrap();
        let wrong: Vec<_> = validator
            .iter_errors(&example["value"])
            .map(|e| e.to_string())
            .collect();
        assert!(wrong.is_empty(), "{name}: {wrong:?}");
    }
}

#[test]
fn the_base_path_is_told_relative_to_the_server() {
    let document: Value = serde_json::from_str(&document("/scope/FHIR/R4").unwrap()).unwrap();
    assert_eq!(document["servers"][0]["url"], "/scope/FHIR/R4");
    assert!(document["info"].get("contact").is_none());
}

/// How large a schema becomes in a tool that copies what references point to, until one comes back to itself.
fn copied<'v>(value: &'v Value, schemas: &'v Value, path: &mut Vec<&'v str>) -> usize {
    if let Some(name) = value["$ref"].as_str().and_then(|r| r.rsplit('/').next()) {
        if path.contains(&name) {
            return 1;
        }
        path.push(name);
        let size = copied(&schemas[name], schemas, path);
        path.pop();
        return size;
    }
    let items = value.as_array().into_iter().flatten();
    let members = value.as_object().into_iter().flat_map(|o| o.values());
    1 + items
        .chain(members)
        .map(|v| copied(v, schemas, path))
        .sum::<usize>()
}

#[test]
fn no_schema_explodes_in_tools_that_copy_references() {
    let document = built();
    let schemas = &document["components"]["schemas"];
    for name in TYPES.into_iter().chain(ENVELOPES) {
        let size = copied(&schemas[name], schemas, &mut vec![name]);
        assert!(size < 400_000, "{name}: {size}");
    }
}
