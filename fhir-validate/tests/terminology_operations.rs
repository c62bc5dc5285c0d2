//! The operations of the terminology service, on what is compiled in and on definitions made here.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;

use fhir_model::{Parameters, Resource, ValueSet, json};
use fhir_validate::terminology::operation::{self, Request};
use fhir_validate::terminology::{Cause, Library, Refusal};
use serde_json::{Value, json};

const ANIMALS: &str = "http://a.example/animals";

fn request(resources: &[Value]) -> Request<'static> {
    let library = Library::over(Library::built_in());
    for resource in resources {
        library
            .add(json::from_str(&resource.to_string()).unwrap())
            .unwrap();
    }
    Request {
        library: Arc::new(library),
        now: "2026-11-26T09:00:00Z".parse().unwrap(),
        accept_language: None,
    }
}

/// Parameters of names and values, each value with the name of its member: `("code", "valueCode", "a")`.
fn parameters(list: &[(&str, &str, Value)]) -> Parameters {
    let list: Vec<Value> = list
        .iter()
        .map(|(name, member, value)| json!({"name": name, *member: value}))
        .collect();
    let mut whole = json!({"resourceType": "Parameters"});
    if !list.is_empty() {
        whole["parameter"] = list.into();
    }
    match json::from_str(&whole.to_string()).unwrap() {
        Resource::Parameters(parameters) => *parameters,
        other => panic!("{other:?}"),
    }
}

fn text(name: &'static str, value: &str) -> (&'static str, &'static str, Value) {
    (name, "valueString", value.into())
}

fn uri(name: &'static str, value: &str) -> (&'static str, &'static str, Value) {
    (name, "valueUri", value.into())
}

fn value(answer: &Parameters, name: &str) -> Value {
    let found = answer.parameter.iter().find(|p| p.name == *name);
    let found = found.map(|p| {
        Resource::from(Parameters {
            parameter: vec![p.clone()],
            ..Parameters::default()
        })
    });
    let found: Value = found.map_or(Value::Null, |r| {
        serde_json::from_str(&json::to_string(&r)).unwrap()
    });
    let members = found["parameter"][0].as_object().cloned().unwrap_or_default();
    members
        .into_iter()
        .find(|(n, _)| n.starts_with("value"))
        .map_or(Value::Null, |(_, v)| v)
}

fn codes(value_set: &ValueSet) -> Vec<&str> {
    let contains = &value_set.expansion.as_ref().unwrap().contains;
    contains.iter().filter_map(|c| c.code.as_str()).collect()
}

fn said(refusal: &Refusal) -> String {
    let issue = &refusal.outcome.issue[0];
    issue
        .details
        .as_ref()
        .and_then(|d| d.text.as_str())
        .unwrap_or("")
        .to_owned()
}

fn animals() -> Value {
    json!({"resourceType": "CodeSystem", "url": ANIMALS, "version": "1", "status": "active", "content": "complete",
        "caseSensitive": true, "language": "en", "concept": [
        {"code": "dog", "display": "Dog", "designation": [{"language": "cy", "value": "Ci"}],
         "concept": [{"code": "poodle", "display": "Poodle"}, {"code": "pug", "display": "Pug"}]},
        {"code": "cat", "display": "Cat"}]})
}

fn all_animals() -> Value {
    json!({"resourceType": "ValueSet", "id": "all", "url": "http://a.example/all", "status": "active",
        "compose": {"include": [{"system": ANIMALS}]}})
}

#[test]
fn an_expansion_comes_by_pages_that_agree() {
    let request = request(&[animals(), all_animals()]);
    let page = |offset: i32, count: i32| {
        operation::expand(
            &request,
            &parameters(&[
                uri("url", "http://a.example/all"),
                ("offset", "valueInteger", offset.into()),
                ("count", "valueInteger", count.into()),
            ]),
        )
        .unwrap()
    };
    let (first, second, last) = (page(0, 3), page(3, 3), page(9, 3));
    assert_eq!(codes(&first), ["dog", "poodle", "pug"]);
    assert_eq!((codes(&second), codes(&last)), (vec!["cat"], vec![]));
    let of = |v: &ValueSet| {
        let expansion = v.expansion.as_ref().unwrap();
        (
            expansion.total.value,
            expansion.identifier.as_str().map(str::to_owned),
        )
    };
    assert_eq!(of(&first).0, Some(4));
    assert_eq!(of(&first), of(&second));
}

#[test]
fn an_expansion_is_in_the_language_asked_for() {
    let request = request(&[animals(), all_animals()]);
    let welsh = parameters(&[
        uri("url", "http://a.example/all"),
        text("displayLanguage", "cy, en;q=0.5"),
        text("filter", "ci"),
    ]);
    let found = operation::expand(&request, &welsh).unwrap();
    let contains = &found.expansion.as_ref().unwrap().contains;
    assert_eq!(contains.len(), 1);
    assert!(contains[0].display == "Ci");
}

#[test]
fn an_expansion_that_cannot_be_made_is_refused_with_the_reason() {
    let circle = |a: &str, b: &str| {
        json!({"resourceType": "ValueSet", "url": a, "status": "active",
        "compose": {"include": [{"valueSet": [b]}]}})
    };
    let request = request(&[
        circle("http://a.example/a", "http://a.example/b"),
        circle("http://a.example/b", "http://a.example/a"),
    ]);
    let refused = |url: &str| operation::expand(&request, &parameters(&[uri("url", url)])).unwrap_err();
    assert_eq!(refused("http://a.example/a").cause, Cause::Unprocessable);
    assert_eq!(refused("http://a.example/none").cause, Cause::NotFound);
    let units = refused("http://hl7.org/fhir/ValueSet/ucum-units");
    assert_eq!(units.cause, Cause::TooCostly);
    let snomed = refused("http://hl7.org/fhir/ValueSet/condition-code");
    assert!(
        snomed.cause == Cause::NotFound && said(&snomed).contains("http://snomed.info/sct"),
        "{}",
        said(&snomed)
    );
    let nothing = operation::expand(&request, &parameters(&[])).unwrap_err();
    assert_eq!(
        (nothing.cause, said(&nothing)),
        (Cause::Invalid, "the parameter 'url' is missing".to_owned())
    );
    let negative = parameters(&[
        uri("url", "http://hl7.org/fhir/ValueSet/administrative-gender"),
        ("count", "valueInteger", (-1).into()),
    ]);
    assert_eq!(
        operation::expand(&request, &negative).unwrap_err().cause,
        Cause::Invalid
    );
}

#[test]
fn more_codes_than_are_listed_at_once_are_asked_for_by_pages() {
    let concepts: Vec<Value> = (0..10_001).map(|n| json!({"code": format!("c{n}")})).collect();
    let many = json!({"resourceType": "CodeSystem", "url": ANIMALS, "status": "active", "content": "complete", "concept": concepts});
    let request = request(&[many, all_animals()]);
    let url = uri("url", "http://a.example/all");
    let refused = operation::expand(&request, &parameters(std::slice::from_ref(&url))).unwrap_err();
    assert!(
        refused.cause == Cause::TooCostly && said(&refused).contains("10001"),
        "{}",
        said(&refused)
    );
    let page = operation::expand(&request, &parameters(&[url, ("count", "valueInteger", 2.into())])).unwrap();
    assert_eq!(codes(&page), ["c0", "c1"]);
}

#[test]
fn the_definition_comes_along_only_when_asked_for() {
    let request = request(&[animals(), all_animals()]);
    for (asked, comes) in [(true, true), (false, false)] {
        let list = [
            uri("url", "http://a.example/all"),
            ("includeDefinition", "valueBoolean", asked.into()),
        ];
        let found = operation::expand(&request, &parameters(&list)).unwrap();
        assert_eq!(found.compose.is_some(), comes);
    }
}

#[test]
fn one_code_subsumes_another() {
    let request = request(&[animals()]);
    let cases = [
        ("dog", "pug", "subsumes"),
        ("pug", "dog", "subsumed-by"),
        ("dog", "dog", "equivalent"),
        ("dog", "cat", "not-subsumed"),
    ];
    for (a, b, outcome) in cases {
        let list = [
            uri("system", ANIMALS),
            ("codeA", "valueCode", a.into()),
            ("codeB", "valueCode", b.into()),
        ];
        let found = operation::subsumes(&request, &parameters(&list)).unwrap();
        assert_eq!(value(&found, "outcome"), outcome, "{a} {b}");
    }
    let unknown = [
        uri("system", ANIMALS),
        text("codeA", "dog"),
        text("codeB", "wolf"),
    ];
    let refused = operation::subsumes(&request, &parameters(&unknown)).unwrap_err();
    assert!(refused.cause == Cause::NotFound && said(&refused).contains("wolf"));
    let no_system = operation::subsumes(
        &request,
        &parameters(&[
            uri("system", "http://a.example/none"),
            text("codeA", "a"),
            text("codeB", "b"),
        ]),
    );
    assert_eq!(no_system.unwrap_err().cause, Cause::NotFound);
}

#[test]
fn a_lookup_of_what_is_not_there_says_so() {
    let request = request(&[animals()]);
    let look = |system: &str, code: &str| {
        operation::lookup(
            &request,
            &parameters(&[uri("system", system), text("code", code)]),
        )
    };
    assert_eq!(value(&look(ANIMALS, "pug").unwrap(), "display"), "Pug");
    assert_eq!(look(ANIMALS, "wolf").unwrap_err().cause, Cause::NotFound);
    assert_eq!(
        look("http://loinc.org", "1-8").unwrap_err().cause,
        Cause::NotFound
    );
    assert!(look("urn:ietf:bcp:47", "en-GB").is_ok());
    assert_eq!(
        look("urn:ietf:bcp:47", "English!").unwrap_err().cause,
        Cause::NotFound
    );
    let gender = look("http://hl7.org/fhir/administrative-gender", "female").unwrap();
    assert_eq!(value(&gender, "display"), "Female");
}

#[test]
fn codes_are_translated_by_concept_maps() {
    let map = json!({"resourceType": "ConceptMap", "url": "http://a.example/map", "status": "active", "sourceUri": "http://a.example/all",
        "group": [{"source": ANIMALS, "target": "http://a.example/sounds",
            "element": [{"code": "dog", "target": [{"code": "bark", "equivalence": "wider"}]}, {"code": "cat", "target": [{"equivalence": "unmatched"}]}],
            "unmapped": {"mode": "fixed", "code": "noise", "display": "Noise"}}]});
    let request = request(&[animals(), map]);
    let translate = |code: &str, more: &[(&str, &str, Value)]| {
        let mut list = vec![
            uri("url", "http://a.example/map"),
            uri("system", ANIMALS),
            text("code", code),
        ];
        list.extend(more.iter().cloned());
        operation::translate(&request, &parameters(&list)).unwrap()
    };
    let concept = |answer: &Parameters| {
        let parts = &answer.parameter.iter().find(|p| p.name == "match").unwrap().part;
        let answer = Parameters {
            parameter: parts.clone(),
            ..Parameters::default()
        };
        (
            value(&answer, "equivalence"),
            value(&answer, "concept")["code"].clone(),
        )
    };
    assert_eq!(concept(&translate("dog", &[])), ("wider".into(), "bark".into()));
    assert_eq!(
        concept(&translate("pug", &[])),
        ("inexact".into(), "noise".into())
    );
    assert_eq!(value(&translate("cat", &[]), "result"), false);
    let back = [
        uri("url", "http://a.example/map"),
        uri("system", "http://a.example/sounds"),
        text("code", "bark"),
        ("reverse", "valueBoolean", true.into()),
    ];
    let back = operation::translate(&request, &parameters(&back)).unwrap();
    assert_eq!(concept(&back), ("narrower".into(), "dog".into()));
    let none = operation::translate(
        &request,
        &parameters(&[uri("url", "http://a.example/none"), text("code", "a")]),
    );
    assert_eq!(none.unwrap_err().cause, Cause::NotFound);
    // One of R4's own.
    let own = [
        uri("system", "http://hl7.org/fhir/administrative-gender"),
        text("code", "female"),
        uri(
            "targetsystem",
            "http://terminology.hl7.org/CodeSystem/v3-AdministrativeGender",
        ),
    ];
    let own = operation::translate(&request, &parameters(&own)).unwrap();
    assert_eq!(
        (value(&own, "result"), concept(&own).1),
        (true.into(), "F".into())
    );
}

#[test]
fn versions_of_code_systems_are_chosen_by_the_request() {
    let mut newer = animals();
    newer["version"] = "2".into();
    newer["concept"] = json!([{"code": "wolf", "display": "Wolf"}]);
    let pinned = json!({"resourceType": "ValueSet", "url": "http://a.example/pinned", "status": "active",
        "compose": {"include": [{"system": ANIMALS, "version": "1"}]}});
    let request = request(&[animals(), newer, all_animals(), pinned]);
    let expand = |name: &'static str, version: &str| {
        let version = format!("{ANIMALS}|{version}");
        let list = [
            uri("url", "http://a.example/all"),
            (name, "valueCanonical", version.into()),
        ];
        operation::expand(&request, &parameters(&list))
    };
    assert_eq!(codes(&expand("system-version", "2").unwrap()), ["wolf"]);
    assert_eq!(codes(&expand("force-system-version", "1").unwrap()).len(), 4);
    assert_eq!(codes(&expand("check-system-version", "1").unwrap()).len(), 4);
    // A value set that names no version takes codes of any that is held.
    let validate = |set: &str, version: &str| {
        let coding = json!({"system": ANIMALS, "version": version, "code": "dog"});
        let list = [uri("url", set), ("coding", "valueCoding", coding)];
        operation::validate_code(&request, &parameters(&list)).unwrap()
    };
    let of_one = validate("http://a.example/all", "1");
    assert_eq!(
        (value(&of_one, "result"), value(&of_one, "version")),
        (true.into(), "1".into())
    );
    let of_none = validate("http://a.example/all", "7");
    assert_eq!(value(&of_none, "result"), false);
    assert_eq!(value(&of_none, "x-unknown-system"), format!("{ANIMALS}|7"));
    let pinned = validate("http://a.example/pinned", "2");
    assert_eq!(value(&pinned, "result"), false);
    assert!(
        value(&pinned, "message")
            .as_str()
            .unwrap()
            .contains("different to the one in the value")
    );
    assert_eq!(value(&validate("http://a.example/pinned", "1"), "result"), true);
}
