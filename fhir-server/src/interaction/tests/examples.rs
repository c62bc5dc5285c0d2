//! The official examples and the synthetic records of the shared folder beside the project, through the engine.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::*;

/// The JSON files of a folder of the shared data, sorted; empty, with a line that says so, where it is not there.
fn files(folder: &str) -> Vec<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../shared/data")
        .join(folder);
    let Ok(entries) = fs::read_dir(path) else {
        println!("SKIPPED (needs ../shared/data/{folder})");
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries.map(|e| e.unwrap().path()).collect();
    files.retain(|f| f.extension().is_some_and(|e| e == "json"));
    files.sort();
    files
}

/// Without what the server gives: `meta.versionId` and `meta.lastUpdated`, and a `meta` of nothing else.
fn unstamped(mut resource: Value) -> Value {
    let members = resource.as_object_mut().unwrap();
    if let Some(meta) = members.get_mut("meta").and_then(Value::as_object_mut) {
        meta.remove("versionId");
        meta.remove("lastUpdated");
        if meta.is_empty() {
            members.remove("meta");
        }
    }
    resource
}

/// The numbers of a JSON text as written, in order.
fn numbers(json: &str) -> Vec<String> {
    let mut outside = String::new();
    let mut in_string = false;
    let mut characters = json.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => drop(characters.next()),
            '"' => in_string = !in_string,
            c if !in_string => outside.push(c),
            _ => {}
        }
    }
    let tokens = outside.split(|c: char| ":,[]{}".contains(c) || c.is_whitespace());
    tokens
        .filter(|t| t.starts_with(|c: char| c == '-' || c.is_ascii_digit()))
        .map(str::to_owned)
        .collect()
}

/// The official examples that break the base definitions or rules of R4 themselves, and the first place. Why each is rightly
/// refused stands in `fhir-validate/tests/examples_errors.txt`.
const REFUSED: &[(&str, &str)] = &[
    (
        "Bundle-10bb101f-a121-4264-a920-67be9cb82c74.json",
        "Bundle.entry[2]",
    ),
    (
        "Bundle-3a0707d3-549e-4467-b8b8-5a2ab3800efe.json",
        "Bundle.entry[3]",
    ),
    ("Bundle-lri-example.json", "Bundle.entry[1]"),
    ("DeviceMetric-example.json", "DeviceMetric.parent"),
    (
        "DeviceUseStatement-example.json",
        "DeviceUseStatement.reasonReference[0]",
    ),
    ("ImplementationGuide-fhir.json", "ImplementationGuide.name"),
    (
        "MedicationRequest-medrx0301.json",
        "MedicationRequest.dispenseRequest.performer",
    ),
    ("Observation-clinical-gender.json", "Observation.performer[0]"),
    ("Questionnaire-qs1.json", "Questionnaire.item[0].item[0].linkId"),
    (
        "TerminologyCapabilities-example.json",
        "TerminologyCapabilities.url",
    ),
    (
        "TestScript-testscript-example-history.json",
        "TestScript.setup.action[0].operation.accept",
    ),
    (
        "TestScript-testscript-example-multisystem.json",
        "TestScript.test[0].action[0].operation.accept",
    ),
    (
        "TestScript-testscript-example-readtest.json",
        "TestScript.test[0].action[0].operation.accept",
    ),
    (
        "TestScript-testscript-example-search.json",
        "TestScript.setup.action[0].operation.accept",
    ),
    (
        "TestScript-testscript-example-update.json",
        "TestScript.setup.action[0].operation.accept",
    ),
    (
        "TestScript-testscript-example.json",
        "TestScript.setup.action[0].operation.accept",
    ),
    ("ig-r4.json", "ImplementationGuide.name"),
];
#[test]
fn every_official_example_comes_back_as_it_was_sent() {
    let mut refused = Vec::new();
    let mut server = TestServer::new();
    for (n, file) in files("examples/r4-json").into_iter().enumerate() {
        let sent = fs::read_to_string(&file).unwrap();
        let mut value: Value = serde_json::from_str(&sent).unwrap();
        let (kind, id) = (
            value["resourceType"].as_str().unwrap(),
            value["id"].as_str().unwrap(),
        );
        let url = format!("{kind}/{id}");
        // Nothing is delivered, and a Subscription says so.
        if kind == "Subscription" {
            value["status"] = Value::from("off");
        }
        // The store in memory copies all that it has at each write: it is never given much.
        if n % 50 == 0 {
            server = TestServer::new();
        }
        if let Err(error) = server.put(&url, &sent) {
            let name = file.file_name().unwrap().to_str().unwrap().to_owned();
            refused.push((name, error.issues[0].expression.clone().unwrap_or_default()));
            continue;
        }
        let read = text(&server.get(&url).unwrap());
        assert_eq!(
            unstamped(serde_json::from_str(&read).unwrap()),
            unstamped(value),
            "{url}"
        );
        assert_eq!(numbers(&read), numbers(&sent), "{url}");
        assert_eq!(server.put(&url, &read).unwrap().version, Some(1), "{url}");
    }
    let known: Vec<(String, String)> = REFUSED
        .iter()
        .map(|(f, p)| ((*f).to_owned(), (*p).to_owned()))
        .collect();
    // Nothing is refused where the shared folder is not there.
    assert!(refused.is_empty() || refused == known, "{refused:#?}");
}

#[test]
fn every_synthetic_record_goes_in_whole_and_comes_back() {
    for file in files("synthea") {
        let server = TestServer::new();
        let sent: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        let response = json(&server.bundle(&sent).unwrap());
        let mut assigned = BTreeMap::new();
        let entries = sent["entry"]
            .as_array()
            .unwrap()
            .iter()
            .zip(response["entry"].as_array().unwrap());
        for (asked, answered) in entries.clone() {
            let location = answered["response"]["location"].as_str().unwrap();
            assigned.insert(
                asked["fullUrl"].as_str().unwrap(),
                location.strip_suffix("/_history/1").unwrap(),
            );
        }
        for (asked, answered) in entries {
            let mut expected = asked["resource"].clone();
            resolve(&mut expected, &assigned);
            let url = answered["response"]["location"]
                .as_str()
                .unwrap()
                .split("/_history")
                .next()
                .unwrap();
            let id = url.split('/').next_back().unwrap();
            expected["id"] = Value::from(id);
            assert_eq!(
                unstamped(server.json(url)),
                unstamped(expected),
                "{url} of {file:?}"
            );
        }
    }
}

/// Replaces references as a transaction must.
fn resolve(value: &mut Value, assigned: &BTreeMap<&str, &str>) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| resolve(item, assigned)),
        Value::Object(members) => {
            for (name, member) in members {
                match member.as_str().and_then(|text| assigned.get(text)) {
                    Some(new) if name == "reference" => *member = Value::from(*new),
                    _ => resolve(member, assigned),
                }
            }
        }
        _ => {}
    }
}
