//! Validation of what is written: what refuses it, what is told, and what is recorded all the same.

use super::*;
use crate::engine::{Check, OnBreach, Rules};
use crate::interaction::PreferReturn;
use crate::store::ResourceType;

const UK_CORE_PATIENT: &str = "https://fhir.hl7.org.uk/StructureDefinition/UKCore-Patient";
/// `home` is none of the uses of an identifier.
const NO_USE: &str = r#"{"resourceType":"Patient","identifier":[{"use":"home","system":"https://fhir.nhs.uk/Id/nhs-number","value":"9990000018"}]}"#;
const WRONG_DIGIT: &str = r#"{"resourceType":"Patient","identifier":[{"system":"https://fhir.nhs.uk/Id/nhs-number","value":"9990000019"}]}"#;
/// A condition as a clinician writes it: words, a code of nobody's, an extension of nobody's.
const AS_WRITTEN: &str = r#"{"resourceType":"Condition","subject":{"reference":"Patient/p"},
    "code":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"NOPE"}],"text":"Feels odd, see letter"},
    "extension":[{"url":"https://trust.example.nhs.uk/letter","valueString":"7"}]}"#;

fn explained(server: &TestServer, url: &str, body: &str) -> Response {
    let mut request = with_body(request("POST", url), body);
    request.prefer_return = Some(PreferReturn::OperationOutcome);
    server.send(&request).unwrap()
}

/// The places of the warnings of an answer.
fn warnings(response: &Response) -> Vec<&str> {
    let warnings = response.issues.iter();
    let warnings = warnings.filter(|i| i.severity == crate::error::Severity::Warning);
    warnings.filter_map(|i| i.expression.as_deref()).collect()
}

fn strict() -> TestServer {
    TestServer::with(|settings| settings.validation.strict = true)
}

fn ruled(kind: &str, level: Check, breach: OnBreach, profiles: &[&str]) -> TestServer {
    let mut rules = Rules::default();
    (rules.level, rules.breach) = (level, breach);
    rules.profiles = profiles.iter().map(|p| (*p).to_owned()).collect();
    let kind = ResourceType::from_name(kind).unwrap();
    TestServer::with(|settings| {
        settings.validation.types.insert(kind, rules);
    })
}

#[test]
fn a_wrong_shape_is_400_and_a_broken_rule_422_and_nothing_is_written() {
    let server = TestServer::new();
    let shapeless = told(server.post("Observation", r#"{"resourceType":"Observation"}"#));
    assert_eq!((shapeless.0, shapeless.2.as_str()), (400, "Observation.status"));
    let broken = told(server.post("Patient", r#"{"resourceType":"Patient","gender":"femal"}"#));
    assert_eq!((broken.0, broken.2.as_str()), (422, "Patient.gender"));
    let rule = server.post(
        "Patient",
        r#"{"resourceType":"Patient","contact":[{"gender":"male"}]}"#,
    );
    let issue = rule.unwrap_err().issues.remove(0);
    assert!(
        issue.diagnostics.contains("pat-1") && issue.kind == Some("invariant"),
        "{issue:?}"
    );
    assert_eq!(told(server.post("Patient", NO_USE)).0, 422);
    assert_eq!(server.versions(), 0);
}

#[test]
fn what_a_clinician_writes_is_recorded_whole_and_told_about() {
    let server = TestServer::new();
    let response = explained(&server, "Condition", AS_WRITTEN);
    assert_eq!(response.status, 201);
    let warnings = warnings(&response);
    for place in ["Condition.code.coding[0].code", "Condition.extension[0]"] {
        assert!(warnings.contains(&place), "{place} of {warnings:?}");
    }
    let stored = server.json("Condition/id-1");
    let sent: Value = serde_json::from_str(AS_WRITTEN).unwrap();
    for part in ["code", "extension", "subject"] {
        assert_eq!(stored[part], sent[part], "{part}");
    }
}

#[test]
fn warnings_come_only_where_they_are_asked_for() {
    let server = TestServer::new();
    assert!(warnings(&server.post("Condition", AS_WRITTEN).unwrap()).is_empty());
    let bundle = serde_json::json!({"resourceType": "Bundle", "type": "transaction", "entry": [
        {"request": {"method": "POST", "url": "Condition"}, "resource": serde_json::from_str::<Value>(AS_WRITTEN).unwrap()}]});
    let answer = json(&server.bundle(&bundle).unwrap());
    assert!(
        answer["entry"][0]["response"].get("outcome").is_none(),
        "{answer}"
    );
    let mut asks = with_body(
        Request::new(super::super::Interaction::Transaction, BASE),
        &bundle.to_string(),
    );
    asks.prefer_return = Some(PreferReturn::OperationOutcome);
    let answer = json(&server.send(&asks).unwrap());
    let issues = answer["entry"][0]["response"]["outcome"]["issue"]
        .as_array()
        .unwrap();
    let told = |place: &str| {
        issues
            .iter()
            .any(|i| i["severity"] == "warning" && i["expression"][0] == place)
    };
    assert!(told("Bundle.entry[0].resource.extension[0]"), "{issues:?}");
}

#[test]
fn an_nhs_number_with_a_wrong_check_digit_warns_and_is_refused_in_strict_mode() {
    let response = explained(&TestServer::new(), "Patient", WRONG_DIGIT);
    assert_eq!(warnings(&response), ["Patient.identifier[0].value"]);
    let refused = told(strict().post("Patient", WRONG_DIGIT));
    assert_eq!(
        (refused.0, refused.2.as_str()),
        (422, "Patient.identifier[0].value")
    );
}

#[test]
fn unknown_codes_and_extensions_are_refused_in_strict_mode() {
    let error = strict().post("Condition", AS_WRITTEN).unwrap_err();
    assert_eq!(error.code, ErrorCode::Unprocessable);
    let places: Vec<_> = error
        .issues
        .iter()
        .filter_map(|i| i.expression.as_deref())
        .collect();
    for place in ["Condition.code.coding[0].code", "Condition.extension[0]"] {
        assert!(places.contains(&place), "{place} of {places:?}");
    }
}

#[test]
fn a_narrative_with_more_than_is_allowed_warns_and_is_refused_in_strict_mode() {
    let patient = r#"{"resourceType":"Patient","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><form>x</form></div>"}}"#;
    let server = TestServer::new();
    assert_eq!(server.post("Patient", patient).unwrap().status, 201);
    let response = explained(&server, "Patient", patient);
    assert!(
        warnings(&response).iter().any(|w| w.starts_with("Patient.text")),
        "{:?}",
        response.issues
    );
    assert_eq!(told(strict().post("Patient", patient)).0, 422);
}

#[test]
fn a_profile_warns_at_the_level_of_the_base_and_refuses_at_its_own() {
    let claims = NO_USE
        .replace("\"use\":\"home\",", "")
        .replace(
            "\"resourceType\"",
            &format!("\"meta\":{{\"profile\":[\"{UK_CORE_PATIENT}\"]}},\"resourceType\""),
        )
        .replace("\"value\"", "\"period\":{\"start\":\"2020\"},\"value\"")
        .replace(
            "}]}",
            "},{\"system\":\"https://fhir.nhs.uk/Id/nhs-number\",\"value\":\"9990000026\"}]}",
        );
    let response = explained(&TestServer::new(), "Patient", &claims);
    assert!(!warnings(&response).is_empty(), "{:?}", response.issues);
    let enforced = ruled("Patient", Check::Profile, OnBreach::Refuse, &[]);
    assert_eq!(told(enforced.post("Patient", &claims)).0, 422);
    // What claims nothing is held against what is enforced.
    let unclaimed = claims.replace(UK_CORE_PATIENT, "http://hl7.org/fhir/StructureDefinition/Patient");
    assert_eq!(enforced.post("Patient", &unclaimed).unwrap().status, 201);
    let configured = ruled("Patient", Check::Profile, OnBreach::Refuse, &[UK_CORE_PATIENT]);
    assert_eq!(told(configured.post("Patient", &unclaimed)).0, 422);
    let statement = configured.json("metadata");
    let resources = statement["rest"][0]["resource"].as_array().unwrap();
    let patient = resources.iter().find(|r| r["type"] == "Patient").unwrap();
    assert_eq!(patient["supportedProfile"], serde_json::json!([UK_CORE_PATIENT]));
    let basic = resources.iter().find(|r| r["type"] == "Basic").unwrap();
    assert!(basic.get("supportedProfile").is_none());
}

#[test]
fn a_type_may_warn_of_all_or_not_be_looked_at() {
    let warns = ruled("Patient", Check::Base, OnBreach::Warn, &[]);
    let response = explained(&warns, "Patient", NO_USE);
    assert_eq!(
        (response.status, warnings(&response)),
        (201, vec!["Patient.identifier[0].use"])
    );
    assert_eq!(warns.post("Patient", NO_USE).unwrap().status, 201);
    assert_eq!(
        told(warns.post("Observation", r#"{"resourceType":"Observation"}"#)).0,
        400
    );
    let off = ruled("Patient", Check::Off, OnBreach::Refuse, &[]);
    assert!(warnings(&explained(&off, "Patient", NO_USE)).is_empty());
    // What R4 does not have is never read.
    assert_eq!(
        told(off.post("Patient", r#"{"resourceType":"Patient","nickname":"x"}"#)).0,
        400
    );
}

#[test]
fn updates_and_patches_are_held_against_the_same_rules() {
    let server = TestServer::new();
    server
        .put("Patient/p", r#"{"resourceType":"Patient","id":"p"}"#)
        .unwrap();
    let update = server.put("Patient/p", r#"{"resourceType":"Patient","id":"p","gender":"x"}"#);
    assert_eq!(told(update).0, 422);
    let mut patch = request("PATCH", "Patient/p");
    let operations = r#"[{"op":"add","path":"/gender","value":"x"}]"#;
    patch.body = Some(RequestBody::Patch(
        crate::interaction::PatchForm::Json,
        operations.into(),
    ));
    assert_eq!(told(server.send(&patch)).0, 422);
    assert_eq!(server.json("Patient/p")["meta"]["versionId"], "1");
}

#[test]
fn a_large_resource_is_held_against_the_same_rules_on_another_thread() {
    let server = TestServer::with(|settings| settings.validation.inline_bytes = 256);
    let large = |gender: &str| {
        let name = r#"{"family":"Hale","given":["Ann"]}"#;
        format!(
            r#"{{"resourceType":"Patient","gender":"{gender}","name":[{}]}}"#,
            [name; 50].join(",")
        )
    };
    assert_eq!(told(server.post("Patient", &large("femal"))).0, 422);
    assert_eq!(server.post("Patient", &large("female")).unwrap().status, 201);
    let outcome = json(&server.post("Patient/$validate", &large("femal")).unwrap());
    assert_eq!(outcome["issue"][0]["expression"][0], "Patient.gender");
}

#[test]
fn the_medicines_of_two_systems_are_recorded_without_a_word() {
    let server = TestServer::new();
    for system in ["https://dmd.nhs.uk", "http://snomed.info/sct"] {
        let medication = format!(
            r#"{{"resourceType":"Medication","meta":{{"profile":["https://fhir.hl7.org.uk/StructureDefinition/UKCore-Medication"]}},
            "code":{{"coding":[{{"system":"{system}","code":"39720311000001101","display":"Paracetamol 500mg tablets"}}]}}}}"#
        );
        let response = explained(&server, "Medication", &medication);
        assert!(warnings(&response).is_empty(), "{system}: {:?}", response.issues);
    }
}
