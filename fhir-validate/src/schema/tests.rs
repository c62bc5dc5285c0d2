//! The schemas against documents: what must pass, what must not, and the official examples.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::*;

fn validator() -> jsonschema::Validator {
    let document = Schemas::new(&Definitions::r4().unwrap(), Dialect::JsonSchema).document();
    jsonschema::validator_for(&serde_json::to_value(document).unwrap()).unwrap()
}

/// The places that are wrong, as JSON pointers.
fn wrong(validator: &jsonschema::Validator, value: &Value) -> BTreeSet<String> {
    validator
        .iter_errors(value)
        .map(|e| e.instance_path().to_string())
        .collect()
}

fn patient() -> Value {
    json!({
        "resourceType": "Patient",
        "id": "p1",
        "identifier": [{ "system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9990000018" }],
        "name": [{ "family": "Khan", "given": ["Amira", null], "_given": [null, { "id": "g2" }] }],
        "gender": "female",
        "birthDate": "1988-03",
        "_birthDate": { "extension": [{ "url": "http://example.org/x", "valueBoolean": true }] },
        "deceasedBoolean": false,
        "link": [{ "other": { "reference": "Patient/p2" }, "_type": { "id": "t" } }],
        "contained": [{ "resourceType": "Organization", "id": "o", "name": "Elm\u{a0}Bank" }]
    })
}

#[test]
fn a_patient_passes() {
    assert_eq!(wrong(&validator(), &patient()), BTreeSet::new());
}

/// Makes one thing wrong.
type Spoil = fn(&mut Value);

#[test]
fn each_fault_is_found_at_its_place() {
    let validator = validator();
    let faults: [(&str, Spoil); 14] = [
        ("", |p| p["colour"] = json!("red")),
        ("", |p| p["deceasedDateTime"] = json!("2020")),
        ("", |p| p["_deceasedDateTime"] = json!({ "id": "d" })),
        ("/gender", |p| p["gender"] = json!("woman")),
        ("/birthDate", |p| p["birthDate"] = json!("14/03/1988")),
        ("/id", |p| p["id"] = json!("not an id")),
        ("/name", |p| p["name"] = json!([])),
        ("/name", |p| p["name"] = json!({ "family": "Khan" })),
        ("/name/0/given/0", |p| p["name"][0]["given"][0] = json!("")),
        ("/deceasedBoolean", |p| p["deceasedBoolean"] = json!("false")),
        ("/link/0", |p| {
            p["link"][0] = json!({ "other": { "reference": "Patient/p2" } })
        }),
        ("/link/0", |p| p["link"][0] = json!({ "type": "refer" })),
        ("/contained/0", |p| p["contained"][0]["nom"] = json!("Elm")),
        ("/contained/0/resourceType", |p| {
            p["contained"][0]["resourceType"] = json!("Hospital")
        }),
    ];
    for (place, spoil) in faults {
        let mut spoilt = patient();
        spoil(&mut spoilt);
        let found = wrong(&validator, &spoilt);
        assert!(
            found.contains(place),
            "expected a fault at {place:?}, found {found:?} in {spoilt}"
        );
    }
}

#[test]
fn a_required_choice_has_exactly_one_type() {
    let validator = validator();
    let base = json!({
        "resourceType": "MedicationRequest", "status": "active", "intent": "order",
        "subject": { "reference": "Patient/p1" }
    });
    let concept = json!({ "text": "Metformin 500mg tablets" });
    assert!(!validator.is_valid(&base));
    let mut one = base;
    one["medicationCodeableConcept"] = concept;
    assert_eq!(wrong(&validator, &one), BTreeSet::new());
    one["medicationReference"] = json!({ "reference": "Medication/m1" });
    assert!(!validator.is_valid(&one));
}

#[test]
fn every_reference_leads_somewhere_in_both_dialects() {
    fn references<'j>(json: &'j Json, found: &mut BTreeSet<&'j str>) {
        found.extend(json.get("$ref").and_then(Json::as_str));
        json.items()
            .iter()
            .chain(json.members().iter().map(|(_, v)| v))
            .for_each(|j| references(j, found));
    }
    let definitions = Definitions::r4().unwrap();
    for (dialect, pointer) in [
        (Dialect::JsonSchema, "#/$defs/"),
        (Dialect::OpenApi, "#/components/schemas/"),
    ] {
        let schemas = Schemas::new(&definitions, dialect).of(["Bundle", "Patient", "MedicationRequest"]);
        let mut found = BTreeSet::new();
        schemas.values().for_each(|schema| references(schema, &mut found));
        let names: BTreeSet<&str> = found.iter().map(|f| f.strip_prefix(pointer).unwrap()).collect();
        assert!(
            names.iter().all(|name| schemas.contains_key(*name)),
            "{dialect:?}"
        );
        assert!(
            schemas.values().all(|schema| *schema != Json::Null),
            "{dialect:?}"
        );
    }
}

#[test]
fn the_openapi_dialect_holds_only_what_is_asked_for() {
    let definitions = Definitions::r4().unwrap();
    let schemas = Schemas::new(&definitions, Dialect::OpenApi).of(["Patient"]);
    assert!(schemas.contains_key("Patient.contact") && schemas.contains_key("HumanName"));
    assert!(
        !schemas.contains_key("Organization"),
        "contained resources draw in no other type"
    );
    let required = schemas["Patient.link"].get("required").unwrap();
    assert_eq!(required, &Json::array(["other", "type"]));
}

#[test]
fn no_two_kinds_of_schema_share_a_name() {
    let definitions = Definitions::r4().unwrap();
    let names: Vec<&str> = definitions.value_sets.values().map(|v| v.id.as_str()).collect();
    for name in &names {
        assert!(
            fhir_model::type_info(name).is_none() && PrimitiveType::from_name(name).is_none(),
            "{name}"
        );
    }
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
}

/// The official examples that break R4's own rules, and how.
const WRONG_EXAMPLES: [(&str, &str); 3] = [
    ("ImplementationGuide-fhir", "no name and no status"),
    ("Questionnaire-qs1", "items without linkId"),
    ("ig-r4", "no name and no status"),
];

#[test]
fn the_official_examples_pass() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/examples/r4-json");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        println!("SKIPPED (needs ../shared/data/examples/r4-json)");
        return;
    };
    let validator = validator();
    let mut refused = BTreeSet::new();
    for entry in entries {
        let path = entry.unwrap().path();
        let value: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        if !wrong(&validator, &value).is_empty() {
            refused.insert(path.file_stem().unwrap().to_string_lossy().into_owned());
        }
    }
    assert_eq!(
        refused.iter().map(String::as_str).collect::<Vec<_>>(),
        WRONG_EXAMPLES.map(|(name, _)| name)
    );
}
