//! The workspace as it is committed: generated code has not drifted, and the rules of the house hold.

use serde_json::Value;
use xtask::{definitions, workspace_root};

const FILES: [&str; 9] = [
    "code_systems.ndjson.zst",
    "compartments.ndjson.zst",
    "concept_maps.ndjson.zst",
    "extensions.ndjson.zst",
    "operations.ndjson.zst",
    "profiles.ndjson.zst",
    "search_parameters.ndjson.zst",
    "types.ndjson.zst",
    "value_sets.ndjson.zst",
];

#[test]
fn generated_code_is_what_codegen_writes() {
    xtask::codegen::check(&workspace_root()).unwrap();
}

#[test]
fn the_reference_of_the_configuration_is_what_the_code_says() {
    xtask::configuration::check(&workspace_root()).unwrap();
}

#[test]
fn hand_written_code_is_tidy() {
    if let Err(broken) = xtask::tidy::check(&workspace_root()) {
        panic!("{broken}");
    }
}

/// actix's HTTP/2 would bring a library with a known fault; a proxy speaks it, if anyone does (S-075).
#[test]
fn no_library_for_http_2_is_built_in() {
    let lock = std::fs::read_to_string(workspace_root().join("Cargo.lock")).unwrap();
    assert!(
        lock.contains("name = \"actix-http\""),
        "this is not the lock file that the server is built by"
    );
    assert!(!lock.contains("name = \"h2\""), "build actix-web without `http2`");
}

#[test]
fn definitions_are_what_the_packages_give() {
    let folder = workspace_root().join("../shared/data/packages");
    let package = folder.join("hl7.fhir.r4.core-4.0.1.tgz");
    let bundle = folder.join("search-parameters.json.gz");
    if !package.exists() || !bundle.exists() {
        println!("SKIPPED (needs ../shared/data/packages)");
        return;
    }
    definitions::check(&workspace_root(), &package, &bundle).unwrap();
    let terminology = folder.join("hl7.terminology.r4-7.0.1.tgz");
    definitions::terminology::check(&workspace_root(), &terminology).unwrap();
    let released = folder.join("fhir.r4.ukcore.stu2-2.0.2.tgz");
    let staging = folder.join("fhir.r4.ukcore.stu3.staging-0.0.0-20250620.tgz");
    definitions::uk_core::check(&workspace_root(), &released, &staging).unwrap();
}

#[test]
fn definitions_hold_no_prose() {
    // `definition` is prose in a StructureDefinition and a CodeSystem, a reference in a SearchParameter's component.
    let prose = [
        "div",
        "title",
        "description",
        "short",
        "comment",
        "requirements",
        "purpose",
        "human",
        "documentation",
    ];
    for file in FILES {
        for definition in definitions::read::<Value>(&workspace_root(), file).unwrap() {
            each_object(&definition, &mut |object| {
                let found = prose.iter().find(|name| object.contains_key(**name));
                assert!(found.is_none(), "{found:?} in {} of {file}", definition["url"]);
                assert!(
                    file.starts_with("search") || !object.contains_key("definition"),
                    "{}",
                    definition["url"]
                );
            });
        }
    }
}

#[test]
fn codes_of_others_come_without_their_displays() {
    for definition in definitions::read::<Value>(&workspace_root(), "value_sets.ndjson.zst").unwrap() {
        let parts = |name| {
            definition["compose"][name]
                .as_array()
                .cloned()
                .unwrap_or_default()
        };
        for part in parts("include").into_iter().chain(parts("exclude")) {
            let system = part["system"].as_str().unwrap_or_default();
            if system.contains("snomed") || system.contains("loinc") || system.contains("unitsofmeasure") {
                assert!(!part.to_string().contains("\"display\""), "{}", definition["url"]);
            }
        }
    }
}

fn each_object(value: &Value, visit: &mut impl FnMut(&serde_json::Map<String, Value>)) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| each_object(item, visit)),
        Value::Object(object) => {
            visit(object);
            object.values().for_each(|value| each_object(value, visit));
        }
        _ => {}
    }
}
