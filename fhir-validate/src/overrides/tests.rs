//! All invariants of R4 compile and run; the exceptions are those that the documents show, and are what they say.

use std::collections::BTreeSet;
use std::path::Path;

use fhir_model::Resource;
use fhir_model::path::Expression;
use serde_json::{Value, json};

use super::*;
use crate::definition::base;
use crate::{Finding, Validator};

/// Each invariant of R4 once: the element that it stands on, its key and its expression.
fn all() -> BTreeSet<(String, String, String)> {
    let mut all = BTreeSet::new();
    for line in base::lines() {
        let definition: Value = serde_json::from_str(line).unwrap();
        for part in ["snapshot", "differential"] {
            for element in definition[part]["element"].as_array().into_iter().flatten() {
                for constraint in element["constraint"].as_array().into_iter().flatten() {
                    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                    let (key, written) = (text(&constraint["key"]), text(&constraint["expression"]));
                    all.insert((text(&element["path"]), key, written));
                }
            }
        }
    }
    all
}

#[test]
fn every_invariant_of_r4_compiles_as_it_is_written() {
    let all = all();
    let keys: BTreeSet<(&str, &str)> = all
        .iter()
        .map(|(_, key, written)| (key.as_str(), written.as_str()))
        .collect();
    assert!(keys.len() >= 240, "{}", keys.len());
    for (on, key, written) in &all {
        assert!(!written.is_empty(), "{key} of {on} has no expression");
        if let Err(error) = Expression::compile(written) {
            panic!("{key} of {on}: {error}");
        }
    }
    println!("{} invariants", keys.len());
}

#[test]
fn every_exception_is_of_an_invariant_that_r4_wrote_so() {
    let all = all();
    for exception in EXCEPTIONS {
        let Exception { key, on, written, .. } = exception;
        let found = all.iter().any(|(path, k, w)| {
            let is_of_all = matches!(exception.treatment, Treatment::Elsewhere(_));
            k == key && w == written && (is_of_all || path == on)
        });
        assert!(found, "{key} on {on}");
        if let Treatment::Corrected(corrected) = exception.treatment {
            Expression::compile(corrected).unwrap();
        }
    }
}

/// Whether an evaluation of an invariant failed, as against finding it broken.
fn did_not_run(finding: &Finding) -> bool {
    finding.message.contains("could not be evaluated") || finding.message.contains("cannot be checked")
}

#[test]
fn the_invariants_of_every_resource_run() {
    let validator = Validator::builder().build();
    for name in Resource::TYPES {
        let read = fhir_model::json::from_str(&json!({"resourceType": name}).to_string()).unwrap();
        let found = validator.validate(&read);
        let failed: Vec<&Finding> = found.iter().filter(|f| did_not_run(f)).collect();
        assert!(failed.is_empty(), "{name}: {failed:?}");
    }
}

/// The keys of the invariants that are found broken.
fn broken(resource: &Value) -> Vec<String> {
    let read = fhir_model::json::from_str(&resource.to_string()).unwrap();
    let found = Validator::builder().build().validate(&read);
    found
        .into_iter()
        .filter(|f| f.layer == "invariant")
        .filter_map(|f| f.rule)
        .collect()
}

#[test]
fn an_invariant_that_never_fires_does_not_on_what_it_means_to_refuse() {
    for (key, code) in [
        ("ppc-2", "patient-privacy"),
        ("ppc-3", "research"),
        ("ppc-4", "adr"),
        ("ppc-5", "treatment"),
    ] {
        let scope = json!({"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": code}]});
        let consent = json!({"resourceType": "Consent", "status": "active", "scope": scope,
            "category": [{"text": "x"}], "policyRule": {"text": "x"}});
        assert!(!broken(&consent).contains(&key.to_owned()), "{key}");
    }
    let element = json!({"id": "Patient.active", "path": "Patient.active", "definition": "x", "min": 0, "max": "1",
        "base": {"path": "Patient.active", "min": 0, "max": "1"},
        "type": [{"code": "boolean"}], "binding": {"strength": "example"}});
    let definition = json!({"resourceType": "StructureDefinition", "url": "http://example.org/x", "name": "X", "status": "draft",
        "kind": "resource", "abstract": false, "type": "Patient", "derivation": "constraint",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Patient", "differential": {"element": [element]}});
    assert!(!broken(&definition).contains(&"eld-11".to_owned()));
}

#[test]
fn an_invariant_that_is_stronger_than_meant_is_as_r4_wrote_it() {
    let condition =
        json!({"resourceType": "Condition", "subject": {"display": "x"}, "category": [{"text": "any"}]});
    assert!(broken(&condition).contains(&"con-3".to_owned()));
}

#[test]
fn a_corrected_invariant_holds_on_right_data_and_fails_on_wrong_data() {
    let when = |operator: &str, answer: Value| {
        let mut enable = json!({"question": "a", "operator": operator});
        enable
            .as_object_mut()
            .unwrap()
            .extend(answer.as_object().unwrap().clone());
        json!({"resourceType": "Questionnaire", "status": "draft", "item": [{"linkId": "a", "type": "string"},
            {"linkId": "b", "type": "string", "enableWhen": [enable]}]})
    };
    let is_broken = |resource: &Value, key: &str| broken(resource).contains(&key.to_owned());
    assert!(!is_broken(
        &when("exists", json!({"answerBoolean": true})),
        "que-7"
    ));
    assert!(is_broken(&when("exists", json!({"answerString": "x"})), "que-7"));
    let timing = |when: Value| {
        json!({"resourceType": "MedicationRequest", "status": "active", "intent": "order", "subject": {"display": "x"},
            "medicationCodeableConcept": {"text": "x"},
            "dosageInstruction": [{"timing": {"repeat": {"offset": 30, "when": when}}}]})
    };
    assert!(!is_broken(&timing(json!(["ACM", "PCM"])), "tim-9"));
    assert!(is_broken(&timing(json!(["ACM", "CM"])), "tim-9"));
}

#[test]
fn an_extension_whose_invariant_is_not_asked_can_be_used() {
    let url = "http://hl7.org/fhir/StructureDefinition/allergyintolerance-substanceExposureRisk";
    let risk = json!({"url": url, "extension": [
        {"url": "substance", "valueCodeableConcept": {"text": "peanut"}},
        {"url": "exposureRisk", "valueCodeableConcept": {"coding": [
            {"system": "http://terminology.hl7.org/CodeSystem/allerg-intol-substance-exp-risk", "code": "known-reaction-risk"}]}}]});
    let allergy = json!({"resourceType": "AllergyIntolerance", "patient": {"reference": "Patient/p"}, "extension": [risk],
        "clinicalStatus": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "code": "active"}]}});
    assert!(
        !broken(&allergy).contains(&"inv-1".to_owned()),
        "{:?}",
        broken(&allergy)
    );
}

#[test]
fn the_documents_show_the_exceptions() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/validation.md");
    let text = std::fs::read_to_string(path).unwrap();
    let quoted = |code: &str| format!("`{}`", code.replace('|', "\\|"));
    let rows: Vec<String> = EXCEPTIONS
        .iter()
        .map(|exception| {
            let treatment = match exception.treatment {
                Treatment::Elsewhere(layer) => format!("checked by the {} layer", layer.name()),
                Treatment::Corrected(corrected) => format!("evaluated as {}", quoted(corrected)),
                Treatment::NotAsked => "not asked".to_owned(),
                Treatment::NeverFires => "asked, never fires".to_owned(),
            };
            let Exception {
                key,
                on,
                written,
                reason,
                ..
            } = exception;
            format!(
                "| {key} | {on} | {} | {treatment} | {} |",
                quoted(written),
                reason.replace('|', "\\|")
            )
        })
        .collect();
    let shown: Vec<&str> = text
        .lines()
        .skip_while(|line| !line.starts_with("| invariant | on |"))
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .collect();
    assert_eq!(shown, rows, "the table should be:\n{}", rows.join("\n"));
}
