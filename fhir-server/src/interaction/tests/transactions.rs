//! Transactions: order, references, atomicity, and what is refused.
//!
//! Size: one rule of the specification a test, and the rules belong together.

use serde_json::json;

use super::*;
use crate::interaction::PreferReturn;

fn transaction(entries: Value) -> Value {
    json!({"resourceType": "Bundle", "type": "transaction", "entry": entries})
}

fn post(full_url: &str, resource: Value) -> Value {
    let url = resource["resourceType"].clone();
    json!({"fullUrl": full_url, "resource": resource, "request": {"method": "POST", "url": url}})
}

fn put(url: &str, resource: Value) -> Value {
    json!({"resource": resource, "request": {"method": "PUT", "url": url}})
}

fn ask(method: &str, url: &str) -> Value {
    json!({"request": {"method": method, "url": url}})
}

const A: &str = "urn:uuid:00000000-0000-4000-8000-00000000000a";
const B: &str = "urn:uuid:00000000-0000-4000-8000-00000000000b";

/// Status of each entry of the response.
fn statuses(bundle: &Value) -> Vec<String> {
    let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
    entries
        .iter()
        .map(|e| e["response"]["status"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn references_between_new_resources_are_resolved_everywhere() {
    let server = TestServer::lenient();
    let observation = json!({"resourceType": "Observation", "status": "final", "code": {"text": "x"},
        "text": {"status": "generated", "div": format!("<div xmlns=\"http://www.w3.org/1999/xhtml\"><a href=\"{A}\">{A}</a><img src='{A}#f'/></div>")},
        "subject": {"reference": A, "display": A},
        "focus": [{"reference": format!("{A}#part")}, {"reference": format!("{A}/_history/7")}, {"reference": "Patient/other"}],
        "contained": [{"resourceType": "Basic", "id": "c", "code": {"text": "x"}, "subject": {"reference": A}}],
        "extension": [{"url": "http://x", "valueReference": {"reference": B}}, {"url": "http://y", "valueUri": A},
            {"url": "http://z", "valueUrl": A}, {"url": "http://c", "valueCanonical": A}, {"url": "http://s", "valueString": A},
            {"url": "http://o", "valueReference": {"reference": "#c"}}],
        "valueDateTime": "2026"});
    let patient =
        json!({"resourceType": "Patient", "link": [{"other": {"reference": B}, "type": "seealso"}]});
    let response = server
        .bundle(&transaction(json!([post(B, observation), post(A, patient)])))
        .unwrap();
    assert_eq!(response.status, 200);
    let response = json(&response);
    assert_eq!(response["type"], "transaction-response");
    assert_eq!(statuses(&response), ["201 Created", "201 Created"]);
    assert_eq!(
        response["entry"][0]["response"]["location"],
        "Observation/id-1/_history/1"
    );
    assert_eq!(response["entry"][1]["response"]["etag"], "W/\"1\"");
    let stored = server.json("Observation/id-1");
    assert_eq!(
        stored["subject"],
        json!({"reference": "Patient/id-2", "display": A})
    );
    assert_eq!(stored["focus"][0]["reference"], "Patient/id-2#part");
    assert_eq!(stored["focus"][1]["reference"], "Patient/id-2/_history/1");
    assert_eq!(stored["focus"][2]["reference"], "Patient/other");
    assert_eq!(stored["contained"][0]["subject"]["reference"], "Patient/id-2");
    assert_eq!(
        stored["extension"][0]["valueReference"]["reference"],
        "Observation/id-1"
    );
    assert_eq!(
        (
            &stored["extension"][1]["valueUri"],
            &stored["extension"][2]["valueUrl"]
        ),
        (&json!("Patient/id-2"), &json!("Patient/id-2"))
    );
    assert_eq!(
        (
            &stored["extension"][3]["valueCanonical"],
            &stored["extension"][4]["valueString"]
        ),
        (&json!(A), &json!(A))
    );
    let div = format!(
        "<div xmlns=\"http://www.w3.org/1999/xhtml\"><a href=\"Patient/id-2\">{A}</a><img src='Patient/id-2#f'/></div>"
    );
    assert_eq!(stored["text"]["div"], div);
    assert_eq!(
        server.json("Patient/id-2")["link"][0]["other"]["reference"],
        "Observation/id-1"
    );
}

#[test]
fn only_the_references_change_in_the_stored_text() {
    let server = TestServer::new();
    let bundle = format!(
        "{{\"resourceType\":\"Bundle\",\"type\":\"transaction\",\"entry\":[ {{\"fullUrl\":\"{A}\",\"request\":{{\"method\":\"POST\",\
         \"url\":\"Basic\"}}, \"resource\": {{ \"subject\" : {{\"reference\":\"{A}\"}}, \"code\":{{\"text\":\"\\u00e9 \\/\"}},\
         \"resourceType\":\"Basic\", \"extension\":[{{\"url\":\"http://x\",\"valueDecimal\":1.00}}] }} }} ]}}"
    );
    server
        .send(&with_body(
            Request::new(crate::interaction::Interaction::Transaction, BASE),
            &bundle,
        ))
        .unwrap();
    assert_eq!(
        text(&server.get("Basic/id-1").unwrap()),
        "{\"subject\":{\"reference\":\"Basic/id-1\"},\"code\":{\"text\":\"\\u00e9 \\/\"},\"resourceType\":\"Basic\",\"id\":\"id-1\",\
         \"meta\":{\"versionId\":\"1\",\"lastUpdated\":\"2026-11-23T09:30:00.000Z\"},\"extension\":[{\"url\":\"http://x\",\
         \"valueDecimal\":1.00}]}"
    );
}

#[test]
fn full_urls_of_updates_and_of_other_servers_are_resolved_too() {
    let server = TestServer::new();
    let mut update = put("Patient/p", json!({"resourceType": "Patient", "id": "p"}));
    update["fullUrl"] = json!(A);
    let other = "http://elsewhere.example/r4/Group/77";
    let group = json!({"resourceType": "Group", "type": "person", "actual": true});
    let observation = json!({"resourceType": "Observation", "status": "final", "code": {"text": "x"},
        "subject": {"reference": A}, "focus": [{"reference": "Group/77"}, {"reference": other}, {"reference": format!("{other}/_history/3")},
        {"reference": "Group/78"}, {"reference": format!("{A}/_history/4")}]});
    let entries = json!([
        update,
        post(other, group),
        post("http://elsewhere.example/r4/Observation/1", observation)
    ]);
    server.bundle(&transaction(entries)).unwrap();
    let stored = server.json("Observation/id-2");
    assert_eq!(stored["subject"]["reference"], "Patient/p");
    let focus: Vec<&str> = stored["focus"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| f["reference"].as_str().unwrap())
        .collect();
    assert_eq!(
        focus,
        [
            "Group/id-1",
            "Group/id-1",
            "Group/id-1/_history/1",
            "Group/78",
            "Patient/p/_history/4"
        ]
    );
}

#[test]
fn an_absolute_reference_to_this_server_stays_as_sent() {
    let server = TestServer::new();
    let mut update = put("Patient/p", json!({"resourceType": "Patient", "id": "p"}));
    update["fullUrl"] = json!(format!("{BASE}/Patient/p"));
    let basic = json!({"resourceType": "Basic", "code": {"text": "x"}, "subject": {"reference": format!("{BASE}/Patient/p")}});
    server
        .bundle(&transaction(json!([update, post(A, basic)])))
        .unwrap();
    assert_eq!(
        server.json("Basic/id-1")["subject"]["reference"],
        format!("{BASE}/Patient/p")
    );
}

#[test]
fn references_that_nothing_resolves_are_refused_with_their_places() {
    let server = TestServer::new();
    let lost =
        |what: &str| json!({"resourceType": "Basic", "code": {"text": "x"}, "subject": {"reference": what}});
    let list = json!({"resourceType": "List", "status": "current", "mode": "working",
        "entry": [{"item": {"reference": A}}, {"item": {"reference": B}}, {"item": {"reference": "urn:oid:1.2.3"}}]});
    let result = server.bundle(&transaction(json!([
        post(A, lost(A)),
        post("urn:uuid:1", list),
        post("urn:uuid:2", lost("urn:uuid:x"))
    ])));
    let places: Vec<String> = issues(result).into_iter().map(|(place, _)| place).collect();
    let expected = [
        "Bundle.entry[1].resource.entry[1].item.reference",
        "Bundle.entry[1].resource.entry[2].item.reference",
        "Bundle.entry[2].resource.subject.reference",
    ];
    assert_eq!(places, expected);
    assert_eq!(server.versions(), 0);
}

#[test]
fn what_is_not_offered_is_refused_with_its_place() {
    let server = TestServer::new();
    let refused = |entry: Value| told(server.bundle(&transaction(json!([entry]))));
    let url = "Bundle.entry[0].request.url".to_owned();
    assert_eq!(
        refused(ask("POST", "Patient/$merge")),
        (501, "not-supported", url)
    );
    assert_eq!(server.versions(), 0);
}

#[test]
fn entries_are_done_by_method_and_answered_in_their_order() {
    let server = TestServer::new();
    server
        .put("Patient/old", r#"{"resourceType":"Patient","id":"old"}"#)
        .unwrap();
    server
        .put(
            "Patient/p",
            r#"{"resourceType":"Patient","id":"p","active":true}"#,
        )
        .unwrap();
    let entries = json!([
        ask("GET", "Patient/p"),
        ask("GET", "Patient?_summary=count"),
        put(
            "Patient/p",
            json!({"resourceType": "Patient", "id": "p", "active": false})
        ),
        post(A, json!({"resourceType": "Patient"})),
        ask("DELETE", "Patient/old"),
        ask("DELETE", "Patient/never"),
        ask("HEAD", "Patient/p"),
        ask("GET", "metadata?_elements=fhirVersion"),
    ]);
    let response = json(&server.bundle(&transaction(entries)).unwrap());
    let expected = [
        "200 OK",
        "200 OK",
        "200 OK",
        "201 Created",
        "204 No Content",
        "204 No Content",
        "200 OK",
        "200 OK",
    ];
    assert_eq!(statuses(&response), expected);
    let entries = response["entry"].as_array().unwrap();
    assert_eq!(
        (
            &entries[0]["resource"]["active"],
            &entries[0]["resource"]["meta"]["versionId"]
        ),
        (&json!(false), &json!("2"))
    );
    assert_eq!(entries[0]["fullUrl"], format!("{BASE}/Patient/p"));
    assert_eq!(entries[1]["resource"]["total"], 2);
    assert_eq!(entries[2].get("resource"), None);
    assert_eq!(entries[6].get("resource"), None);
    assert_eq!(entries[7]["resource"]["fhirVersion"], "4.0.1");
    assert_eq!(entries[4]["response"]["etag"], "W/\"2\"");
    let bundle = fhir_model::json::from_str(&response.to_string()).unwrap();
    assert_eq!(fhir_validate::Validator::new().validate(&bundle), []);
}

#[test]
fn a_read_that_cannot_succeed_fails_the_transaction() {
    let server = TestServer::new();
    server
        .put("Patient/p", r#"{"resourceType":"Patient","id":"p"}"#)
        .unwrap();
    let refused = |entries| told(server.bundle(&transaction(entries)));
    let new = post(A, json!({"resourceType": "Patient"}));
    assert_eq!(
        refused(json!([new, ask("GET", "Patient/none")])),
        (404, "not-found", "Bundle.entry[1]".into())
    );
    assert_eq!(
        refused(json!([ask("GET", "Patient/p"), ask("DELETE", "Patient/p")])),
        (410, "deleted", "Bundle.entry[0]".into())
    );
    assert_eq!(server.versions(), 1);
    let created = json!([
        put("Patient/q", json!({"resourceType": "Patient", "id": "q"})),
        ask("GET", "Patient/q")
    ]);
    let response = json(&server.bundle(&transaction(created)).unwrap());
    assert_eq!(response["entry"][1]["resource"]["id"], "q");
}

#[test]
fn whichever_entry_fails_nothing_is_written() {
    let server = TestServer::new();
    server
        .put("Patient/p", r#"{"resourceType":"Patient","id":"p"}"#)
        .unwrap();
    let good = |id: &str| {
        put(
            &format!("Patient/{id}"),
            json!({"resourceType": "Patient", "id": id}),
        )
    };
    let mut stale = put(
        "Patient/p",
        json!({"resourceType": "Patient", "id": "p", "active": true}),
    );
    stale["request"]["ifMatch"] = json!("W/\"9\"");
    let bad = [
        (
            put(
                "Patient/x",
                json!({"resourceType": "Patient", "id": "x", "language": " "}),
            ),
            400,
        ),
        (
            put("Patient/x", json!({"resourceType": "Patient", "id": "y"})),
            400,
        ),
        (
            put("Observation/x", json!({"resourceType": "Observation", "id": "x"})),
            400,
        ),
        (put("Basic/x", json!({"resourceType": "Patient", "id": "x"})), 400),
        (stale, 412),
        (ask("PUT", "Patient/x"), 400),
        (ask("GET", "Patient/none"), 404),
        (ask("GET", "Nothing/1"), 404),
        (ask("GET", "Patient/a_b"), 400),
        (json!({"resource": {"resourceType": "Patient"}}), 400),
        (ask("JUMP", "Patient/1"), 400),
        (ask("GET", "http://elsewhere.example/Patient/1"), 400),
        (
            post(
                "urn:uuid:z",
                json!({"resourceType": "Patient", "link": [{"type": "seealso", "other": {"reference": "urn:uuid:y"}}]}),
            ),
            400,
        ),
    ];
    for (bad, status) in bad {
        for at in 0..3 {
            let mut entries = vec![good("a"), good("b")];
            entries.insert(at, bad.clone());
            let (found, _, place) = told(server.bundle(&transaction(entries.into())));
            assert_eq!(found, status, "{bad}");
            assert!(
                place.starts_with(&format!("Bundle.entry[{at}]")),
                "{place} for {bad}"
            );
        }
    }
    assert_eq!(server.versions(), 1);
}

#[test]
fn problems_of_several_entries_are_told_together() {
    let server = TestServer::new();
    let bad = |n: i32| {
        post(
            &format!("urn:uuid:{n}"),
            json!({"resourceType": "Patient", "language": " ", "gender": " x"}),
        )
    };
    let places: Vec<String> = issues(server.bundle(&transaction(json!([bad(1), bad(2)]))))
        .into_iter()
        .map(|(place, _)| place)
        .collect();
    let expected = [
        "entry[0].resource.language",
        "entry[0].resource.gender",
        "entry[1].resource.language",
        "entry[1].resource.gender",
    ];
    assert_eq!(places, expected.map(|p| format!("Bundle.{p}")));
    let many = (0..500).map(bad).collect::<Vec<_>>();
    assert!(issues(server.bundle(&transaction(many.into()))).len() <= 101);
}

#[test]
fn the_same_full_url_or_resource_twice_is_refused() {
    let server = TestServer::new();
    let patient = || json!({"resourceType": "Patient", "id": "p"});
    let refused = |entries| told(server.bundle(&transaction(entries)));
    assert_eq!(
        refused(json!([post(A, patient()), post(A, patient())])),
        (400, "invalid", "Bundle.entry[1].fullUrl".into())
    );
    assert_eq!(
        refused(json!([put("Patient/p", patient()), put("Patient/p", patient())])).2,
        "Bundle.entry[1]"
    );
    assert_eq!(
        refused(json!([put("Patient/p", patient()), ask("DELETE", "Patient/p")])),
        (400, "invalid", "Bundle.entry[1]".into())
    );
    assert_eq!(server.versions(), 0);
}

#[test]
fn prefer_decides_whether_resources_come_back() {
    let server = TestServer::new();
    let bundle = transaction(json!([
        post(A, json!({"resourceType": "Patient"})),
        ask("GET", "Patient")
    ]))
    .to_string();
    let mut request = with_body(
        Request::new(crate::interaction::Interaction::Transaction, BASE),
        &bundle,
    );
    assert_eq!(
        json(&server.send(&request).unwrap())["entry"][0].get("resource"),
        None
    );
    request.prefer_return = Some(PreferReturn::Representation);
    let response = json(&server.send(&request).unwrap());
    assert_eq!(
        response["entry"][0]["fullUrl"],
        format!(
            "{BASE}/{}",
            response["entry"][0]["resource"]["resourceType"]
                .as_str()
                .unwrap()
                .to_owned()
                + "/"
                + response["entry"][0]["resource"]["id"].as_str().unwrap()
        )
    );
    request.prefer_return = Some(PreferReturn::OperationOutcome);
    let response = json(&server.send(&request).unwrap());
    assert_eq!(
        response["entry"][0]["response"]["outcome"]["resourceType"],
        "OperationOutcome"
    );
    assert_eq!(response["entry"][1]["resource"]["resourceType"], "Bundle");
}

#[test]
fn a_bundle_that_is_kept_is_not_processed() {
    let server = TestServer::new();
    let inner = transaction(json!([post(A, json!({"resourceType": "Patient"}))]));
    server.post("Bundle", &inner.to_string()).unwrap();
    assert_eq!(server.json("Bundle/id-1")["entry"], inner["entry"]);
    let document = json!({"resourceType": "Bundle", "type": "collection", "entry": [{"fullUrl": A, "resource":
        {"resourceType": "Basic", "code": {"text": "x"}, "subject": {"reference": B}}}]});
    server
        .bundle(&transaction(json!([post(A, document.clone())])))
        .unwrap();
    assert_eq!(server.json("Bundle/id-2")["entry"], document["entry"]);
    assert_eq!(server.versions(), 2);
}

#[test]
fn what_is_no_batch_or_transaction_is_refused_at_the_base() {
    let server = TestServer::new();
    let mut bundle = transaction(json!([]));
    bundle.as_object_mut().unwrap().remove("entry");
    assert_eq!(json(&server.bundle(&bundle).unwrap()).get("entry"), None);
    bundle["type"] = json!("collection");
    assert_eq!(
        told(server.bundle(&bundle)),
        (400, "invalid", "Bundle.type".into())
    );
    bundle.as_object_mut().unwrap().remove("type");
    assert_eq!(
        told(server.bundle(&bundle)),
        (400, "invalid", "Bundle.type".into())
    );
    assert_eq!(
        told(server.bundle(&json!({"resourceType": "Patient"}))),
        (400, "invalid", "Patient".into())
    );
    let nested = post(A, json!({"resourceType": "Patient"}));
    let mut nested = nested.clone();
    nested["request"]["url"] = json!("");
    assert_eq!(told(server.bundle(&transaction(json!([nested])))).0, 400);
}

#[test]
fn entries_and_searches_are_limited() {
    let server = TestServer::with(|settings| {
        settings.bundle_entries = 5;
        settings.bundle_searches = 2;
    });
    let reads = |n: usize, url: &str| transaction(vec![ask("GET", url); n].into());
    assert_eq!(
        told(server.bundle(&reads(6, "metadata?_summary=true"))),
        (413, "too-long", "Bundle.entry".into())
    );
    for url in [
        "Patient",
        "Patient?_id=1",
        "?_id=1",
        "_history",
        "Patient/_history",
        "Patient/1/_history",
    ] {
        assert_eq!(told(server.bundle(&reads(3, url))).0, 413, "{url}");
    }
    assert_eq!(server.bundle(&reads(2, "Patient")).unwrap().status, 200);
    assert_eq!(told(server.bundle(&reads(5, "Patient/1"))).0, 404);
}
