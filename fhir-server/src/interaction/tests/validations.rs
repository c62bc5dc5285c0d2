//! `$validate`.

use serde_json::json;

use super::*;

const WRONG: &str = r#"{"resourceType":"Patient","gender":"femal","contact":[{"gender":"male"}]}"#;

fn found(server: &TestServer, url: &str, body: &str) -> Vec<(String, String, String)> {
    let outcome = json(&server.post(url, body).unwrap());
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    let issues = outcome["issue"].as_array().unwrap().iter();
    issues
        .map(|i| {
            (
                text(&i["severity"]),
                text(&i["expression"][0]),
                text(&i["diagnostics"]),
            )
        })
        .collect()
}

fn errors(found: &[(String, String, String)]) -> Vec<&str> {
    let errors = found.iter().filter(|(severity, ..)| severity == "error");
    errors.map(|(_, place, _)| place.as_str()).collect()
}

#[test]
fn what_is_wrong_is_found_with_its_place_and_nothing_is_stored() {
    let server = TestServer::new();
    let found = found(&server, "Patient/$validate", WRONG);
    assert_eq!(
        errors(&found),
        ["Patient.gender", "Patient.contact[0]"],
        "{found:?}"
    );
    assert!(
        found.iter().any(|f| f.2.contains("did you mean \"female\"")),
        "{found:?}"
    );
    assert_eq!(server.versions(), 0);
}

#[test]
fn a_valid_resource_is_told_to_be() {
    let server = TestServer::new();
    let found = found(&server, "Patient/$validate", PATIENT);
    assert!(errors(&found).is_empty(), "{found:?}");
}

#[test]
fn a_profile_is_asked_for_by_its_url() {
    let server = TestServer::new();
    let body = json!({"resourceType": "Parameters", "parameter": [
        {"name": "resource", "resource": {"resourceType": "Patient", "identifier": [
            {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9990000018", "use": "home"}
        ]}},
        {"name": "profile", "valueUri": "https://fhir.hl7.org.uk/StructureDefinition/UKCore-Patient"},
    ]});
    let found = found(&server, "Patient/$validate", &body.to_string());
    assert!(errors(&found).contains(&"Patient.identifier[0].use"), "{found:?}");
}

#[test]
fn a_stored_resource_is_validated_at_its_own_url() {
    let server = TestServer::lenient();
    server
        .put(
            "Patient/p",
            r#"{"resourceType":"Patient","id":"p","contact":[{"gender":"male"}]}"#,
        )
        .unwrap();
    let outcome = json(&server.get("Patient/p/$validate").unwrap());
    let issues = outcome["issue"].as_array().unwrap();
    let wrong = issues.iter().find(|i| i["severity"] == "error").unwrap();
    assert_eq!(wrong["expression"][0], "Patient.contact[0]");
    assert_eq!(told(server.get("Patient/none/$validate")).0, 404);
    assert_eq!(
        told(server.post("Patient/p/$validate", r#"{"resourceType":"Patient","id":"q"}"#)).0,
        400
    );
}

#[test]
fn what_cannot_be_validated_is_told_why() {
    let server = TestServer::new();
    assert_eq!(told(server.get("Patient/$validate")).0, 400);
    assert_eq!(
        told(server.post(
            "Patient/$validate",
            r#"{"resourceType":"Basic","code":{"text":"x"}}"#
        ))
        .0,
        400
    );
    assert_eq!(told(server.get("Patient/$validate?mode=guess")).0, 400);
}

#[test]
fn what_is_found_in_the_body_has_its_line_and_column() {
    let server = TestServer::new();
    let body = "{\"resourceType\":\"Patient\",\n \"gender\":\"femal\"}";
    let at = |found: &[(String, String, String)]| found[0].2.rsplit_once(" (").unwrap().1.to_owned();
    assert_eq!(
        at(&found(&server, "Patient/$validate", body)),
        "line 2, column 2)"
    );
    let within = format!(
        "{{\"resourceType\":\"Parameters\",\"parameter\":[\n{{\"name\":\"mode\",\"valueCode\":\"create\"}},\n{{\"name\":\"resource\",\"resource\":{body}}}]}}"
    );
    assert_eq!(
        at(&found(&server, "Patient/$validate", &within)),
        "line 4, column 2)"
    );
}

#[test]
fn a_part_that_cannot_be_read_is_told_among_what_is_found() {
    let server = TestServer::new();
    let patient = "{\"resourceType\":\"Patient\",\n \"gendre\":\"male\",\n \"gender\":\"femal\"}";
    let among = found(&server, "Patient/$validate", patient);
    assert_eq!(errors(&among), ["Patient.gendre", "Patient.gender"], "{among:?}");
    assert!(among[0].2.contains("line 2"), "{among:?}");

    let within = format!(
        "{{\"resourceType\":\"Parameters\",\"parameter\":[\n{{\"name\":\"mode\",\"valueCode\":\"create\"}},\n{{\"name\":\"resource\",\"resource\":{patient}}}]}}"
    );
    let among = found(&server, "Patient/$validate", &within);
    assert_eq!(errors(&among), ["Patient.gendre", "Patient.gender"], "{among:?}");
    assert!(among[0].2.contains("line 4"), "{among:?}");
    assert_eq!(server.versions(), 0);
}

#[test]
fn what_is_no_resource_to_judge_is_refused() {
    let server = TestServer::new();
    for (url, body) in [
        ("Patient/$validate", "{\"resourceType\":\"Patient\","),
        ("Patient/$validate", r#"{"resourceType":"Patiant"}"#),
        (
            "Patient/$validate",
            r#"{"resourceType":"Parameters","parameter":[{"nam":"x","name":"resource","resource":{"resourceType":"Patient"}}]}"#,
        ),
        (
            "Patient/p/$meta-add",
            r#"{"resourceType":"Parameters","parameter":[{"name":"meta","valueMeta":{"tagg":[]}}]}"#,
        ),
    ] {
        assert_eq!(told(server.post(url, body)).0, 400, "{url} {body}");
    }
}
