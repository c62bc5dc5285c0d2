//! The layer against the schema over text, and what it tells.

use fhir_model::json;
use fhir_model::read::ReadOptions;
use serde_json::json;

use super::*;
use crate::LAYERS;

/// A validator with this layer alone.
fn alone() -> crate::Validator {
    LAYERS
        .iter()
        .filter(|layer| **layer != Layer::JsonSchema)
        .fold(crate::Validator::builder(), |builder, layer| {
            builder.without(*layer)
        })
        .build()
}

fn read(value: &Value) -> Resource {
    json::read(value.to_string().as_bytes(), &ReadOptions::default())
        .unwrap()
        .value
}

fn told(validator: &crate::Validator, value: &Value) -> Vec<(String, String, Option<String>)> {
    let findings = validator.validate(&read(value));
    findings
        .into_iter()
        .inspect(|f| assert_eq!((f.layer, f.severity), ("json-schema", Severity::Error)))
        .map(|f| (f.expression, f.message, f.near))
        .collect()
}

fn patient() -> Value {
    json!({
        "resourceType": "Patient",
        "name": [{ "family": "Khan", "given": ["Amira", null], "_given": [null, { "id": "g2" }] }],
        "gender": "female",
        "birthDate": "1988-03",
        "_birthDate": { "extension": [{ "url": "http://example.org/x", "valueBoolean": true }] },
        "link": [{ "other": { "reference": "Patient/p2" }, "_type": { "id": "t" } }],
        "contained": [{ "resourceType": "Observation", "id": "o", "status": "final", "code": { "text": "x" },
            "valueQuantity": { "value": 1.50 } }]
    })
}

#[test]
fn a_value_is_seen_as_its_json() {
    let resource = read(&patient());
    let view = View::Complex(resource.as_complex());
    assert_eq!(view.copied(), patient());
    assert_eq!(
        view.as_object().map(|o| jsonschema::json::Object::len(&o)),
        Some(7)
    );
}

/// How many values a JSON value has, itself with them.
fn values(json: &Value) -> usize {
    let items = json.as_array().into_iter().flatten();
    let members = json.as_object().into_iter().flat_map(|o| o.values());
    1 + items.chain(members).map(values).sum::<usize>()
}

#[test]
fn no_two_values_of_a_resource_have_one_identity() {
    fn all(view: View<'_>, found: &mut Vec<jsonschema::json::NodeIdentity>) {
        found.push(view.identity().unwrap());
        let members = view.as_object().map(|o| jsonschema::json::Object::members(&o));
        members
            .into_iter()
            .flatten()
            .for_each(|(_, inner)| all(inner, found));
        view.as_array()
            .into_iter()
            .flatten()
            .for_each(|inner| all(inner, found));
    }
    let resource = read(&patient());
    let mut found = Vec::new();
    all(View::Complex(resource.as_complex()), &mut found);
    let different: HashSet<_> = found.iter().collect();
    assert_eq!(
        (different.len(), found.len()),
        (values(&patient()), values(&patient()))
    );
}

#[test]
fn a_finding_names_place_value_rule_and_cure() {
    let validator = alone();
    assert_eq!(told(&validator, &patient()), []);
    let mut spoilt = patient();
    spoilt["gender"] = json!("femal");
    spoilt["text"] = json!({ "status": "empty", "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\">a</div>", "_div": { "id": "d" } });
    spoilt["link"][0] = json!({ "type": "refer" });
    spoilt["_birthDate"]["extension"][0] = json!({ "valueCode": "x" });
    spoilt["contained"][0].as_object_mut().unwrap().remove("status");
    let findings = validator.validate(&read(&spoilt));
    let mut lines: Vec<String> = findings
        .iter()
        .map(|f| {
            let (rule, near) = (f.rule.as_deref().unwrap(), f.near.as_deref().unwrap_or("-"));
            format!("{} | {rule} | {near} | {}", f.expression, f.message)
        })
        .collect();
    lines.sort();
    assert_eq!(
        lines,
        [
            "Patient.birthDate.extension[0].url | schemas/Patient.json#/$defs/Extension/required | - | the schema asks for \"url\", which is missing; add it",
            "Patient.contained[0].status | schemas/Observation.json#/$defs/Observation/allOf/0/anyOf | - | the schema asks for \"status\", which is missing; add it",
            "Patient.gender | schemas/Patient.json#/$defs/administrative-gender/enum | female | \"femal\" is none of the codes of the schema; use one of male, female, other, unknown",
            "Patient.link[0].other | schemas/Patient.json#/$defs/Patient.link/required | - | the schema asks for \"other\", which is missing; add it",
            "Patient.text.div | schemas/Patient.json#/$defs/Narrative/additionalProperties | - | the schema has no \"_div\" here; leave it out",
        ]
    );
}

#[test]
fn a_missing_choice_is_told_by_its_stem() {
    let request = json!({ "resourceType": "MedicationRequest", "status": "active", "intent": "order",
        "subject": { "reference": "Patient/p1" } });
    let found = told(&alone(), &request);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].0, "MedicationRequest.medication");
}

#[test]
fn what_another_layer_told_of_a_place_is_not_told_again() {
    let mut spoilt = patient();
    spoilt["gender"] = json!("femal");
    let findings = crate::Validator::builder().build().validate(&read(&spoilt));
    let at: Vec<_> = findings
        .iter()
        .filter(|f| f.expression == "Patient.gender")
        .collect();
    assert_eq!(at.len(), 1);
    assert_eq!(at[0].layer, "binding");
}

#[test]
fn a_schema_is_compiled_once_whoever_asks_and_however_often() {
    let resource = read(&json!({ "resourceType": "Substance", "code": { "text": "x" } }));
    assert_eq!(times_compiled("Substance"), 0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let validator = alone();
                let tenant = validator.extend().build();
                for _ in 0..25 {
                    assert_eq!(validator.validate(&resource), []);
                    assert_eq!(tenant.validate(&resource), []);
                }
            });
        }
    });
    assert_eq!(times_compiled("Substance"), 1);
}

#[test]
fn the_schema_of_every_type_compiles() {
    for name in Resource::TYPES {
        assert!(of_type(name).is_ok(), "{name}: {:?}", of_type(name).err());
    }
}

#[test]
fn of_very_many_errors_the_first_is_told() {
    let telecom = vec![json!({ "system": "telegraph" }); MAX_VALUES];
    let wide = json!({ "resourceType": "Patient", "telecom": telecom });
    assert_eq!(told(&alone(), &wide).len(), 1);
    let few = json!({ "resourceType": "Patient", "telecom": vec![json!({ "system": "telegraph" }); 200] });
    assert_eq!(told(&alone(), &few).len(), 200);
}
