//! create, update and delete.

use super::*;
use crate::interaction::PreferReturn;

fn patient(id: &str, active: bool) -> String {
    format!(r#"{{"resourceType":"Patient","id":"{id}","active":{active}}}"#)
}

#[test]
fn create_answers_201_with_location_version_and_body() {
    let server = TestServer::new();
    let response = server
        .post(
            "Patient",
            r#"{"resourceType":"Patient","id":"mine","active":true}"#,
        )
        .unwrap();
    assert_eq!((response.status, response.version), (201, Some(1)));
    assert_eq!(response.location.as_deref(), Some("Patient/id-1/_history/1"));
    assert_eq!(json(&response)["id"], "id-1");
    assert_eq!(json(&response), server.json("Patient/id-1"));
}

#[test]
fn prefer_decides_what_a_write_gives_back() {
    let server = TestServer::new();
    let mut create = with_body(request("POST", "Patient"), PATIENT);
    create.prefer_return = Some(PreferReturn::Minimal);
    let response = server.send(&create).unwrap();
    assert!(
        matches!(response.payload, Payload::None) && response.version == Some(1) && response.status == 201
    );
    create.prefer_return = Some(PreferReturn::OperationOutcome);
    let response = server.send(&create).unwrap();
    assert!(matches!(response.payload, Payload::Outcome) && !response.issues.is_empty());
    create.prefer_return = Some(PreferReturn::Representation);
    assert_eq!(json(&server.send(&create).unwrap())["id"], "id-3");
}

#[test]
fn create_refuses_what_is_not_a_good_resource_of_the_type() {
    let server = TestServer::new();
    assert_eq!(
        told(server.send(&request("POST", "Patient"))),
        (400, "required", String::new())
    );
    assert_eq!(told(server.post("Patient", "{")).0, 400);
    assert_eq!(
        told(server.post("Patient", r#"{"resourceType":"Basic"}"#)),
        (400, "invalid", "Basic".into())
    );
    let unknown = r#"{"resourceType":"Patient","nickname":"A"}"#;
    assert_eq!(
        told(server.post("Patient", unknown)),
        (400, "structure", "Patient.nickname".into())
    );
    let missing = r#"{"resourceType":"Observation","code":{"text":"x"}}"#;
    assert_eq!(
        told(server.post("Observation", missing)),
        (400, "structure", "Observation.status".into())
    );
    let malformed = r#"{"resourceType":"Patient","language":" en"}"#;
    assert_eq!(
        told(server.post("Patient", malformed)),
        (400, "structure", "Patient.language".into())
    );
    assert_eq!(server.versions(), 0);
}

#[test]
fn problems_of_reading_have_their_line_and_column() {
    let server = TestServer::new();
    let error = server
        .post(
            "Patient",
            "{\n  \"resourceType\":\"Patient\",\n  \"active\":\"yes\"}",
        )
        .unwrap_err();
    assert_eq!(error.issues[0].position, Some((3, 12)));
    assert_eq!(error.issues[0].expression.as_deref(), Some("Patient.active"));
}

#[test]
fn update_creates_updates_and_leaves_alone() {
    let server = TestServer::new();
    let created = server.put("Patient/p", &patient("p", true)).unwrap();
    assert_eq!((created.status, created.version), (201, Some(1)));
    assert_eq!(created.location.as_deref(), Some("Patient/p/_history/1"));
    server.pass_seconds(5);
    let updated = server.put("Patient/p", &patient("p", false)).unwrap();
    assert_eq!((updated.status, updated.version), (200, Some(2)));
    let same = server.put("Patient/p", &patient("p", false)).unwrap();
    assert_eq!((same.status, same.version), (200, Some(2)));
    assert_eq!(same.last_modified, updated.last_modified);
}

#[test]
fn sending_back_what_a_read_gave_makes_no_version() {
    let server = TestServer::new();
    for sent in [
        PATIENT.to_owned(),
        r#"{"resourceType":"Patient"}"#.into(),
        r#"{"active":true,"resourceType":"Patient","meta":{"tag":[{"code":"a"}]},"gender":"male"}"#.into(),
        r#"{"meta":{"versionId":"9","lastUpdated":"2020-01-01T00:00:00Z","source":"http://x"},"resourceType":"Patient"}"#.into(),
        r#"{"resourceType":"Patient","meta":{"source":"http://x","versionId":"9"},"id":"y"}"#.into(),
    ] {
        let created = server.post("Patient", &sent).unwrap();
        let url = created.location.as_deref().unwrap().split("/_history").next().unwrap().to_owned();
        let read = text(&server.get(&url).unwrap());
        server.pass_seconds(1);
        let put = server.put(&url, &read).unwrap();
        assert_eq!((put.status, put.version), (200, Some(1)), "{sent}");
        let spaced = String::from_utf8(fhir_model::json::pretty(read.as_bytes())).unwrap();
        assert_eq!(server.put(&url, &spaced).unwrap().version, Some(1), "{sent}");
        assert_eq!(text(&server.get(&url).unwrap()), read);
    }
}

#[test]
fn the_id_of_an_update_must_be_that_of_its_url() {
    let server = TestServer::new();
    assert_eq!(
        told(server.put("Patient/p", &patient("q", true))),
        (400, "invalid", "Patient.id".into())
    );
    assert_eq!(
        told(server.put("Patient/p", PATIENT)),
        (400, "invalid", "Patient.id".into())
    );
    assert_eq!(
        told(server.put("Basic/p", &patient("p", true))),
        (400, "invalid", "Patient".into())
    );
    assert_eq!(server.versions(), 0);
}

#[test]
fn update_of_an_unknown_id_is_405_where_clients_may_not_choose_ids() {
    let server = TestServer::with(|_| {});
    assert_eq!(told(server.put("Patient/p", &patient("p", true))).0, 405);
    let location = server.post("Patient", PATIENT).unwrap().location.unwrap();
    assert_eq!(location, "Patient/id-1/_history/1");
    assert_eq!(
        server
            .put("Patient/id-1", &patient("id-1", true))
            .unwrap()
            .version,
        Some(2)
    );
    server.delete("Patient/id-1").unwrap();
    let restored = server.put("Patient/id-1", &patient("id-1", true)).unwrap();
    assert_eq!((restored.status, restored.version), (201, Some(4)));
}

#[test]
fn update_with_stale_if_match_returns_412_and_names_the_current_version() {
    let server = TestServer::new();
    server.put("Patient/p", &patient("p", true)).unwrap();
    server.put("Patient/p", &patient("p", false)).unwrap();
    let mut update = with_body(request("PUT", "Patient/p"), &patient("p", true));
    for stale in [&["1"][..], &["0"], &["x"], &["1", "3"], &["02"]] {
        update.if_match = versions(stale);
        let issues = issues(server.send(&update));
        assert_eq!(issues[0].0, "http.if-match");
        assert!(issues[0].1.contains("current version is \"2\""), "{issues:?}");
    }
    update.if_match = versions(&["1", "2"]);
    assert_eq!(server.send(&update).unwrap().version, Some(3));
    update.if_match = versions(&["3"]);
    assert_eq!(server.send(&update).unwrap().version, Some(3));
}

#[test]
fn if_match_on_what_does_not_exist_is_412() {
    let server = TestServer::new();
    let mut update = with_body(request("PUT", "Patient/p"), &patient("p", true));
    for tags in [versions(&["1"]), Some(EntityTags::Any)] {
        update.if_match = tags.clone();
        assert_eq!(
            told(server.send(&update)),
            (412, "conflict", "http.if-match".into())
        );
        let mut delete = request("DELETE", "Patient/p");
        delete.if_match = tags;
        assert_eq!(
            told(server.send(&delete)),
            (412, "conflict", "http.if-match".into())
        );
    }
    assert_eq!(server.versions(), 0);
}

#[test]
fn if_none_match_any_lets_an_update_create_only() {
    let server = TestServer::new();
    let mut update = with_body(request("PUT", "Patient/p"), &patient("p", true));
    update.if_none_match = Some(EntityTags::Any);
    assert_eq!(server.send(&update).unwrap().status, 201);
    assert_eq!(
        told(server.send(&update)),
        (412, "conflict", "http.if-none-match".into())
    );
    update.if_none_match = versions(&["1"]);
    assert_eq!(
        told(server.send(&update)),
        (412, "conflict", "http.if-none-match".into())
    );
    update.if_none_match = versions(&["5"]);
    assert_eq!(server.send(&update).unwrap().status, 200);
}

#[test]
fn delete_is_204_whether_there_was_something_or_not() {
    let server = TestServer::new();
    server.put("Patient/p", &patient("p", true)).unwrap();
    let response = server.delete("Patient/p").unwrap();
    assert_eq!((response.status, response.version), (204, Some(2)));
    let again = server.delete("Patient/p").unwrap();
    assert_eq!((again.status, again.version), (204, None));
    assert_eq!(server.delete("Patient/never").unwrap().status, 204);
    assert_eq!(server.versions(), 2);
    let mut explained = request("DELETE", "Patient/p");
    explained.prefer_return = Some(PreferReturn::OperationOutcome);
    let response = server.send(&explained).unwrap();
    assert!(response.status == 200 && matches!(response.payload, Payload::Outcome));
}

#[test]
fn delete_heeds_if_match() {
    let server = TestServer::new();
    server.put("Patient/p", &patient("p", true)).unwrap();
    let mut delete = request("DELETE", "Patient/p");
    delete.if_match = versions(&["2"]);
    assert_eq!(told(server.send(&delete)).0, 412);
    delete.if_match = versions(&["1"]);
    assert_eq!(server.send(&delete).unwrap().status, 204);
}

#[test]
fn a_claim_is_made_with_the_write_or_not_at_all() {
    let server = TestServer::new();
    let create = with_body(request("POST", "Patient"), PATIENT);
    let claim = || crate::store::Claim::new("load", [1; 32], b"unit".to_vec());
    let mut session = server.session();
    session.stage_claim(claim());
    server.send_in(session, &create).unwrap();
    assert_eq!(
        block_on(server.session().claim("load", &[1; 32])).unwrap(),
        Some(b"unit".to_vec())
    );
    let mut session = server.session();
    session.stage_claim(claim());
    assert_eq!(told(server.send_in(session, &create)).0, 409);
    assert_eq!(server.versions(), 1);
}

#[test]
fn a_request_past_its_deadline_writes_nothing() {
    let server = TestServer::new();
    let mut context = server.context();
    context.deadline = Some(std::time::Instant::now());
    let create = with_body(request("POST", "Patient"), PATIENT);
    assert_eq!(
        told(server.send_in(server.engine.session(context), &create)).0,
        504
    );
    assert_eq!(server.versions(), 0);
}

#[test]
fn a_body_in_xml_is_stored_in_json_with_its_decimals_as_written() {
    let server = TestServer::new();
    let mut create = request("POST", "Patient");
    let xml = "<Patient xmlns=\"http://hl7.org/fhir\"><extension url=\"http://x\"><valueDecimal value=\"1.50\"/></extension>\n\
               <active value=\"true\"/></Patient>";
    create.body = Some(RequestBody::Fhir(Format::Xml, xml.as_bytes().to_vec().into()));
    server.send(&create).unwrap();
    let stored = text(&server.get("Patient/id-1").unwrap());
    assert!(
        stored.ends_with(r#""extension":[{"url":"http://x","valueDecimal":1.50}],"active":true}"#),
        "{stored}"
    );
    let bad = xml.replace("active", "activ");
    create.body = Some(RequestBody::Fhir(Format::Xml, bad.into()));
    let error = server.send(&create).unwrap_err();
    assert_eq!(error.issues[0].expression.as_deref(), Some("Patient.activ"));
    assert_eq!(error.issues[0].position.map(|(line, _)| line), Some(2));
}
