//! The layer against the schema over text, and what it tells.

use fhir_model::read::ReadOptions;
use fhir_model::{Resource, json};
use serde_json::json;

use super::part::times_compiled;
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
fn what_is_known_of_members_changes_no_answer() {
    let resource = read(&patient());
    let (plain, known) = (
        View::Complex(resource.as_complex()),
        View::known(resource.as_complex()),
    );
    let names = fhir_model::type_info("Patient")
        .unwrap()
        .fields
        .iter()
        .map(|f| f.name);
    for name in names.chain(["resourceType", "deceasedBoolean", "colour"]) {
        for name in [name.to_owned(), format!("_{name}")] {
            let has = |view: View<'_>| view.as_object().unwrap().get(&Key::new(&name)).map(View::copied);
            assert_eq!(has(plain), has(known), "{name}");
            assert_eq!(has(plain).as_ref(), patient().get(&name));
        }
    }
    assert_eq!(known.as_object().unwrap().len(), 7);
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
fn every_part_compiles() {
    for name in crate::schema::published::names().unwrap() {
        assert!(of_type(name).is_ok(), "{name}: {:?}", of_type(name).err());
    }
}

/// That parts asked value by value are the whole schema: what a part leaves out of a member is the part of the member's type.
#[test]
fn what_a_part_refers_to_is_the_part_of_the_type_that_stands_there() {
    use fhir_model::reflect::{Shape, TypeInfo};
    fn refers(schema: &crate::schema::Json) -> Vec<&str> {
        let inner = schema
            .items()
            .iter()
            .chain(schema.members().iter().map(|(_, v)| v));
        let own = crate::schema::published::reference(schema);
        own.into_iter().chain(inner.flat_map(refers)).collect()
    }
    fn types(info: &'static TypeInfo, name: &str) -> &'static str {
        let own = |shape: &'static Shape| match shape {
            Shape::Primitive(kind) => kind.name(),
            Shape::Complex(info) => info.name,
            _ => "Resource",
        };
        let field = view::field(info, name).unwrap();
        match &field.shape {
            Shape::Choice(variants) => own(&variants.iter().find(|v| v.name == name).unwrap().shape),
            shape => own(shape),
        }
    }
    let mut members = 0;
    for name in crate::schema::published::names().unwrap() {
        let part = crate::schema::published::part(name).unwrap();
        let Some(info) = fhir_model::type_info(name) else {
            assert!(refers(&part).is_empty(), "{name}");
            continue;
        };
        let mut elsewhere = part.clone();
        if let crate::schema::Json::Object(all) = &mut elsewhere {
            all.retain(|(key, _)| key != "properties");
        }
        assert!(refers(&elsewhere).is_empty(), "{name} refers outside its members");
        for (member, schema) in part.get("properties").unwrap().members() {
            if member == "resourceType" && info.kind == TypeKind::Resource {
                continue;
            }
            members += 1;
            let expected = match member.strip_prefix('_') {
                Some(_) => "Element",
                None => types(info, member),
            };
            for to in refers(schema) {
                let is_codes = crate::schema::published::part(to).unwrap().get("enum").is_some();
                assert!(
                    to == expected || (is_codes && expected == "code"),
                    "{name}.{member}: {to}"
                );
            }
            assert_eq!(refers(schema).len(), 1, "{name}.{member}");
        }
    }
    assert!(members > 5_000, "{members}");
}

#[test]
fn all_errors_of_many_values_are_told_up_to_the_limit() {
    let telecom = vec![json!({ "system": "telegraph" }); 20_000];
    let wide = json!({ "resourceType": "Patient", "telecom": telecom });
    assert_eq!(told(&alone(), &wide).len(), 1_000);
}
