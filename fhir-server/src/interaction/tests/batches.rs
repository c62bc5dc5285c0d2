//! batch.

use serde_json::json;

use super::*;

fn batch(entries: Value) -> Value {
    json!({"resourceType": "Bundle", "type": "batch", "entry": entries})
}

fn ask(method: &str, url: &str) -> Value {
    json!({"request": {"method": method, "url": url}})
}

fn write(method: &str, url: &str, resource: Value) -> Value {
    json!({"resource": resource, "request": {"method": method, "url": url}})
}

#[test]
fn each_entry_stands_alone_and_has_its_own_answer() {
    let server = TestServer::new();
    server
        .put("Patient/p", r#"{"resourceType":"Patient","id":"p"}"#)
        .unwrap();
    let entries = json!([
        ask("GET", "Patient/none"),
        write("POST", "Patient", json!({"resourceType": "Patient"})),
        write(
            "PUT",
            "Patient/q",
            json!({"resourceType": "Patient", "id": "wrong"})
        ),
        write(
            "PUT",
            "Observation/o",
            json!({"resourceType": "Observation", "id": "o"})
        ),
        ask("GET", "Patient/p"),
        ask("DELETE", "Patient/p"),
        ask("PATCH", "Patient/p"),
        ask("GET", "Patient?_lastUpdated=bad"),
        ask("GET", "Patient?_id=id-1"),
        json!({"fullUrl": "urn:uuid:1"}),
    ]);
    let response = json(&server.bundle(&batch(entries)).unwrap());
    assert_eq!(response["type"], "batch-response");
    let told: Vec<(String, String)> = response["entry"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| {
            let place = e["response"]["outcome"]["issue"][0]["expression"][0]
                .as_str()
                .unwrap_or_default();
            (
                e["response"]["status"].as_str().unwrap()[..3].to_owned(),
                place.to_owned(),
            )
        })
        .collect();
    let expected = [
        ("404", "Bundle.entry[0]"),
        ("201", ""),
        ("400", "Bundle.entry[2].resource.id"),
        ("400", "Bundle.entry[3].resource.status"),
        ("410", "Bundle.entry[4]"),
        ("204", ""),
        ("400", "Bundle.entry[6].resource"),
        ("400", "Bundle.entry[7].request.url"),
        ("200", ""),
        ("400", "Bundle.entry[9].request"),
    ];
    assert_eq!(told, expected.map(|(s, p)| (s.to_owned(), p.to_owned())));
    assert_eq!(
        response["entry"][1]["response"]["location"],
        "Patient/id-1/_history/1"
    );
    assert_eq!(response["entry"][8]["resource"]["total"], 1);
    let bundle = fhir_model::json::from_str(&response.to_string()).unwrap();
    assert_eq!(fhir_validate::Validator::new().validate(&bundle), []);
}

#[test]
fn entries_cannot_refer_to_each_other() {
    let server = TestServer::new();
    let basic = |reference: &str| json!({"resourceType": "Basic", "code": {"text": "x"}, "subject": {"reference": reference}});
    let mut first = write("POST", "Patient", json!({"resourceType": "Patient"}));
    first["fullUrl"] = json!("urn:uuid:1");
    let entries = json!([
        first,
        write("POST", "Basic", basic("urn:uuid:1")),
        write("POST", "Basic", basic("Patient/x"))
    ]);
    let response = json(&server.bundle(&batch(entries)).unwrap());
    let statuses: Vec<&str> = response["entry"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["response"]["status"].as_str().unwrap())
        .collect();
    assert_eq!(statuses, ["201 Created", "400 Bad Request", "201 Created"]);
    assert_eq!(
        response["entry"][1]["response"]["outcome"]["issue"][0]["expression"][0],
        "Bundle.entry[1].resource"
    );
}

#[test]
fn conditions_of_entries_are_heeded() {
    let server = TestServer::new();
    server
        .put("Patient/p", r#"{"resourceType":"Patient","id":"p"}"#)
        .unwrap();
    let mut stale = write(
        "PUT",
        "Patient/p",
        json!({"resourceType": "Patient", "id": "p", "active": true}),
    );
    stale["request"]["ifMatch"] = json!("W/\"4\"");
    let mut cached = ask("GET", "Patient/p");
    cached["request"]["ifNoneMatch"] = json!("W/\"1\"");
    let mut since = ask("GET", "Patient/p");
    since["request"]["ifModifiedSince"] = json!("2026-11-23T09:30:00Z");
    let mut broken = ask("DELETE", "Patient/p");
    broken["request"]["ifMatch"] = json!("1");
    let response = json(
        &server
            .bundle(&batch(json!([stale, cached, since, broken])))
            .unwrap(),
    );
    let statuses: Vec<&str> = response["entry"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["response"]["status"].as_str().unwrap())
        .collect();
    assert_eq!(
        statuses,
        [
            "412 Precondition Failed",
            "304 Not Modified",
            "304 Not Modified",
            "400 Bad Request"
        ]
    );
    let place = |i: usize| response["entry"][i]["response"]["outcome"]["issue"][0]["expression"][0].clone();
    assert_eq!(
        (place(0), place(3)),
        (
            json!("Bundle.entry[0].request.ifMatch"),
            json!("Bundle.entry[3].request.ifMatch")
        )
    );
}

#[test]
fn entries_after_the_deadline_are_not_begun() {
    let server = TestServer::new();
    let mut context = server.context();
    context.deadline = Some(std::time::Instant::now());
    let body = batch(json!([
        write("POST", "Patient", json!({"resourceType": "Patient"})),
        ask("GET", "Patient")
    ]));
    let request = with_body(
        Request::new(crate::interaction::Interaction::Batch, BASE),
        &body.to_string(),
    );
    let response = json(&server.send_in(server.engine.session(context), &request).unwrap());
    assert_eq!(response["entry"][0]["response"]["status"], "504 Gateway Timeout");
    assert_eq!(response["entry"][1]["response"]["status"], "504 Gateway Timeout");
    assert_eq!(server.versions(), 0);
}

#[test]
fn a_resource_that_cannot_be_read_fails_its_own_entry_only() {
    let server = TestServer::new();
    let good = || write("POST", "Patient", json!({"resourceType": "Patient"}));
    let bad = write(
        "POST",
        "Patient",
        json!({"resourceType": "Patient", "nickname": "A", "active": "yes"}),
    );
    let unknown = write("PUT", "Patient/x", json!({"resourceType": "Person of note"}));
    let response = json(
        &server
            .bundle(&batch(json!([good(), bad, good(), unknown, good()])))
            .unwrap(),
    );
    let statuses: Vec<&str> = response["entry"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["response"]["status"].as_str().unwrap())
        .collect();
    assert_eq!(
        statuses,
        [
            "201 Created",
            "400 Bad Request",
            "201 Created",
            "400 Bad Request",
            "201 Created"
        ]
    );
    let issues = response["entry"][1]["response"]["outcome"]["issue"]
        .as_array()
        .unwrap();
    let places: Vec<&str> = issues
        .iter()
        .map(|i| i["expression"][0].as_str().unwrap())
        .collect();
    assert_eq!(
        places,
        [
            "Bundle.entry[1].resource.active",
            "Bundle.entry[1].resource.nickname"
        ]
    );
    assert_eq!(server.versions(), 3);
}

#[test]
fn a_batch_with_very_many_problems_is_still_answered_by_entry() {
    let server = TestServer::new();
    let bad = write(
        "POST",
        "Patient",
        json!({"resourceType": "Patient", "x": 1, "y": 2, "z": 3}),
    );
    let mut entries = vec![bad; 150];
    entries.push(write("POST", "Patient", json!({"resourceType": "Patient"})));
    let response = json(&server.bundle(&batch(entries.into())).unwrap());
    assert_eq!(response["entry"].as_array().unwrap().len(), 151);
    assert_eq!(response["entry"][149]["response"]["status"], "400 Bad Request");
    assert_eq!(response["entry"][150]["response"]["status"], "201 Created");
    assert_eq!(server.versions(), 1);
}

#[test]
fn problems_outside_of_the_resources_fail_the_whole_batch() {
    let server = TestServer::new();
    let mut bundle = batch(json!([write(
        "POST",
        "Patient",
        json!({"resourceType": "Patient", "nickname": "A"})
    )]));
    bundle["entry"][0]["request"]["verb"] = json!("POST");
    assert_eq!(told(server.bundle(&bundle)).0, 400);
    bundle["type"] = json!("transaction");
    assert_eq!(told(server.bundle(&bundle)).0, 400);
    assert_eq!(server.versions(), 0);
}
