//! Profiles: slices of each kind, what they are told apart by, and what a profile asks of values.

use fhir_model::read::ReadOptions;
use fhir_validate::{Severity, Validator};
use serde_json::{Value, json};

/// A profile's elements, a resource, and where it is wrong; empty where it is right.
type Case = (&'static str, Value, Value, &'static str);

/// Holds resources against profiles of their type; all that differ are told at once.
fn hold(cases: Vec<Case>) {
    let base = Validator::builder().build();
    let mut problems = Vec::new();
    for (name, elements, resource, place) in cases {
        let kind = resource["resourceType"].as_str().unwrap();
        let url = "http://b.test/p";
        let profile = json!({"resourceType": "StructureDefinition", "url": url, "type": kind, "kind": "resource", "derivation": "constraint",
            "baseDefinition": format!("http://hl7.org/fhir/StructureDefinition/{kind}"), "differential": {"element": elements}});
        let validator = base.extend().definition(profile).build();
        let found = validator.validate_text(
            resource.to_string().as_bytes(),
            &[url.to_owned()],
            &ReadOptions::default(),
        );
        let errors: Vec<String> = found
            .iter()
            .filter(|f| f.severity == Severity::Error)
            .map(|f| format!("{}: {}", f.expression, f.message))
            .collect();
        let is_right = match place {
            "" => errors.is_empty(),
            place => errors.iter().any(|e| e.split(": ").next() == Some(place)),
        };
        if !is_right {
            problems.push(format!("{name}: expected {place:?}, found {errors:?}"));
        }
    }
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

fn identified(systems: &[&str]) -> Value {
    let all: Vec<Value> = systems
        .iter()
        .map(|s| json!({"system": format!("http://b.test/{s}"), "value": "1"}))
        .collect();
    json!({"resourceType": "Patient", "identifier": all})
}

/// Identifiers sliced by system into `a`, which is needed once, and `b`.
fn by_system(rules: &str, ordered: bool) -> Value {
    json!([
        {"id": "Patient.identifier", "path": "Patient.identifier", "slicing": {"discriminator": [{"type": "value", "path": "system"}], "rules": rules, "ordered": ordered}},
        {"id": "Patient.identifier:a", "path": "Patient.identifier", "sliceName": "a", "min": 1, "max": "1"},
        {"id": "Patient.identifier:a.system", "path": "Patient.identifier.system", "min": 1, "fixedUri": "http://b.test/a"},
        {"id": "Patient.identifier:b", "path": "Patient.identifier", "sliceName": "b", "min": 0, "max": "*"},
        {"id": "Patient.identifier:b.system", "path": "Patient.identifier.system", "min": 1, "fixedUri": "http://b.test/b"}
    ])
}

#[test]
fn slices_by_value_are_counted_closed_and_ordered() {
    hold(vec![
        ("one", by_system("open", false), identified(&["a"]), ""),
        (
            "others",
            by_system("open", false),
            identified(&["x", "a", "b", "b"]),
            "",
        ),
        ("none", by_system("open", false), identified(&["b"]), "Patient"),
        (
            "twice",
            by_system("open", false),
            identified(&["a", "a"]),
            "Patient",
        ),
        (
            "closed",
            by_system("closed", false),
            identified(&["a", "x"]),
            "Patient.identifier[1]",
        ),
        (
            "closed and good",
            by_system("closed", false),
            identified(&["b", "a"]),
            "",
        ),
        (
            "out of order",
            by_system("open", true),
            identified(&["b", "a"]),
            "Patient.identifier[1]",
        ),
        ("in order", by_system("open", true), identified(&["a", "b"]), ""),
        (
            "others at the end",
            by_system("openAtEnd", false),
            identified(&["a", "x"]),
            "",
        ),
        (
            "others before",
            by_system("openAtEnd", false),
            identified(&["x", "a"]),
            "Patient.identifier[1]",
        ),
    ]);
}

#[test]
fn slices_by_type_pattern_exists_and_profile() {
    let observed = |value: Value| {
        let mut all = json!({"resourceType": "Observation", "status": "final", "code": {"text": "c"}});
        all.as_object_mut()
            .unwrap()
            .extend(value.as_object().unwrap().clone());
        all
    };
    let by_type = json!([
        {"id": "Observation.value[x]", "path": "Observation.value[x]", "slicing": {"discriminator": [{"type": "type", "path": "$this"}], "rules": "closed"}},
        {"id": "Observation.value[x]:valueQuantity", "path": "Observation.value[x]", "sliceName": "valueQuantity", "type": [{"code": "Quantity"}]},
        {"id": "Observation.value[x]:valueQuantity.unit", "path": "Observation.value[x].unit", "min": 1}
    ]);
    let short =
        json!([{"id": "Observation.valueQuantity.unit", "path": "Observation.valueQuantity.unit", "min": 1}]);
    let only =
        json!([{"id": "Observation.value[x]", "path": "Observation.value[x]", "type": [{"code": "string"}]}]);
    let by_pattern = json!([
        {"id": "Observation.category", "path": "Observation.category", "slicing": {"discriminator": [{"type": "pattern", "path": "$this"}], "rules": "open"}, "min": 1},
        {"id": "Observation.category:v", "path": "Observation.category", "sliceName": "v", "min": 1, "max": "1",
            "patternCodeableConcept": {"coding": [{"system": "http://b.test/c", "code": "v"}]}}
    ]);
    let category = |codes: &[&str]| {
        observed(
            json!({"category": codes.iter().map(|c| json!({"coding": [{"system": "http://b.test/c", "code": c}], "text": "t"})).collect::<Vec<_>>()}),
        )
    };
    let by_exists = json!([
        {"id": "Observation.component", "path": "Observation.component", "slicing": {"discriminator": [{"type": "exists", "path": "value"}], "rules": "open"}},
        {"id": "Observation.component:with", "path": "Observation.component", "sliceName": "with", "max": "1"},
        {"id": "Observation.component:with.value[x]", "path": "Observation.component.value[x]", "min": 1},
        {"id": "Observation.component:without", "path": "Observation.component", "sliceName": "without"},
        {"id": "Observation.component:without.value[x]", "path": "Observation.component.value[x]", "max": "0"},
        {"id": "Observation.component:without.dataAbsentReason", "path": "Observation.component.dataAbsentReason", "min": 1}
    ]);
    let component = |value: Value| observed(json!({"component": [value]}));
    let by_target = json!([
        {"id": "Observation.performer", "path": "Observation.performer", "slicing": {"discriminator": [{"type": "type", "path": "resolve()"}], "rules": "open"}},
        {"id": "Observation.performer:p", "path": "Observation.performer", "sliceName": "p", "max": "1", "min": 1,
            "type": [{"code": "Reference", "targetProfile": ["http://hl7.org/fhir/StructureDefinition/Practitioner"]}]}
    ]);
    let performers = |all: &[&str]| {
        observed(json!({"performer": all.iter().map(|r| json!({"reference": r})).collect::<Vec<_>>()}))
    };
    hold(vec![
        (
            "a quantity",
            by_type.clone(),
            observed(json!({"valueQuantity": {"value": 1, "unit": "u"}})),
            "",
        ),
        (
            "without its unit",
            by_type.clone(),
            observed(json!({"valueQuantity": {"value": 1}})),
            "Observation.value.ofType(Quantity)",
        ),
        ("no value", by_type.clone(), observed(json!({})), ""),
        (
            "another type",
            by_type,
            observed(json!({"valueString": "s"})),
            "Observation.value.ofType(string)",
        ),
        (
            "short, another type",
            short.clone(),
            observed(json!({"valueString": "s"})),
            "",
        ),
        (
            "short, without its unit",
            short,
            observed(json!({"valueQuantity": {"value": 1}})),
            "Observation.value.ofType(Quantity)",
        ),
        (
            "only a string",
            only,
            observed(json!({"valueInteger": 1})),
            "Observation.value.ofType(integer)",
        ),
        ("the pattern", by_pattern.clone(), category(&["x", "v"]), ""),
        (
            "not the pattern",
            by_pattern.clone(),
            category(&["x"]),
            "Observation",
        ),
        (
            "the pattern twice",
            by_pattern,
            category(&["v", "v"]),
            "Observation",
        ),
        (
            "with a value",
            by_exists.clone(),
            component(json!({"code": {"text": "c"}, "valueInteger": 1})),
            "",
        ),
        (
            "without a reason",
            by_exists,
            component(json!({"code": {"text": "c"}})),
            "Observation.component[0]",
        ),
        (
            "the target",
            by_target.clone(),
            performers(&["Practitioner/1", "Organization/1"]),
            "",
        ),
        (
            "no such target",
            by_target.clone(),
            performers(&["Organization/1"]),
            "Observation",
        ),
        (
            "two such targets",
            by_target,
            performers(&["Practitioner/1", "Practitioner/2"]),
            "Observation",
        ),
    ]);
}

#[test]
fn values_are_fixed_patterned_and_limited() {
    let one = |path: &str, facts: Value| {
        let mut element = json!({"id": path, "path": path});
        element
            .as_object_mut()
            .unwrap()
            .extend(facts.as_object().unwrap().clone());
        json!([element])
    };
    let patient = |more: Value| {
        let mut all = json!({"resourceType": "Patient"});
        all.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        all
    };
    let coded = |coding: Value| patient(json!({"maritalStatus": {"coding": coding}}));
    let single = json!({"fixedCodeableConcept": {"coding": [{"system": "http://b.test/c", "code": "a"}]}});
    let gender = json!({"binding": {"strength": "extensible", "valueSet": "http://hl7.org/fhir/ValueSet/administrative-gender",
        "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/elementdefinition-maxValueSet", "valueCanonical": "http://hl7.org/fhir/ValueSet/administrative-gender"}]}});
    hold(vec![
        (
            "fixed",
            one("Patient.gender", json!({"fixedCode": "male"})),
            patient(json!({"gender": "male"})),
            "",
        ),
        (
            "not fixed",
            one("Patient.gender", json!({"fixedCode": "male"})),
            patient(json!({"gender": "female"})),
            "Patient.gender",
        ),
        (
            "fixed and absent",
            one("Patient.gender", json!({"fixedCode": "male"})),
            patient(json!({})),
            "",
        ),
        (
            "fixed in full",
            one("Patient.maritalStatus", single.clone()),
            coded(json!([{"system": "http://b.test/c", "code": "a"}])),
            "",
        ),
        (
            "more than fixed",
            one("Patient.maritalStatus", single),
            coded(json!([{"system": "http://b.test/c", "code": "a", "display": "A"}])),
            "Patient.maritalStatus",
        ),
        (
            "needed",
            one("Patient.name", json!({"min": 1})),
            patient(json!({})),
            "Patient",
        ),
        (
            "forbidden",
            one("Patient.photo", json!({"max": "0"})),
            patient(json!({"photo": [{"title": "t"}]})),
            "Patient",
        ),
        (
            "too long",
            one("Patient.name.family", json!({"maxLength": 3})),
            patient(json!({"name": [{"family": "abcd"}]})),
            "Patient.name[0].family",
        ),
        (
            "too early",
            one("Patient.birthDate", json!({"minValueDate": "2000-01-01"})),
            patient(json!({"birthDate": "1999-12-31"})),
            "Patient.birthDate",
        ),
        (
            "not too early",
            one("Patient.birthDate", json!({"minValueDate": "2000-01-01"})),
            patient(json!({"birthDate": "2000-01-01"})),
            "",
        ),
        (
            "the greatest value set",
            one("Patient.maritalStatus", gender.clone()),
            coded(json!([{"system": "http://b.test/c", "code": "a"}])),
            "Patient.maritalStatus",
        ),
        (
            "of it",
            one("Patient.maritalStatus", gender),
            coded(json!([{"system": "http://hl7.org/fhir/administrative-gender", "code": "male"}])),
            "",
        ),
        (
            "an invariant",
            one(
                "Patient",
                json!({"constraint": [{"key": "x-1", "severity": "error", "human": "h", "expression": "name.exists() or active"}]}),
            ),
            patient(json!({"active": false})),
            "Patient",
        ),
        (
            "an invariant below",
            one(
                "Patient.name",
                json!({"constraint": [{"key": "x-1", "severity": "error", "human": "h", "expression": "family.exists()"}]}),
            ),
            patient(json!({"name": [{"family": "f"}, {"text": "t"}]})),
            "Patient.name[1]",
        ),
        (
            "a target",
            one(
                "Patient.managingOrganization",
                json!({"type": [{"code": "Reference", "aggregation": ["contained"]}]}),
            ),
            patient(json!({"managingOrganization": {"reference": "Organization/1"}})),
            "Patient.managingOrganization",
        ),
    ]);
}
