//! `X-Provenance`: what comes with a write is stored with it, once, and named for the versions that it makes.

use std::collections::BTreeSet;

use serde_json::json as of;

use super::audits::{audited, events, gist};
use super::*;
use crate::context::PrincipalKind;
use crate::interaction::{Interaction, ReplayKey};
use crate::scopes::Scopes;

const AGENT: &str = r#"{"resourceType":"Provenance","location":{"display":"Ward 5"},"agent":[{"who":{"display":"Dr Ashworth"}}]}"#;

fn with(mut request: Request, provenance: &str) -> Request {
    request.provenance = Some(provenance.to_owned());
    request
}

fn put(id: &str, active: bool) -> Request {
    let body = format!(r#"{{"resourceType":"Patient","id":"{id}","active":{active}}}"#);
    with_body(request("PUT", &format!("Patient/{id}")), &body)
}

/// The Provenances that there are, oldest first.
fn stored(server: &TestServer, query: &str) -> Vec<Value> {
    let found = server.json(&format!("Provenance?_sort=_lastUpdated,_id&_count=1000&{query}"));
    let entries = found["entry"].as_array().cloned().unwrap_or_default();
    entries
        .into_iter()
        .map(|entry| entry["resource"].clone())
        .collect()
}

fn targets(provenance: &Value) -> Vec<String> {
    let targets = provenance["target"].as_array().unwrap();
    let one = |target: &Value| target["reference"].as_str().unwrap().to_owned();
    targets.iter().map(one).collect()
}

#[test]
fn each_kind_of_write_stores_it_about_the_version_that_it_makes() {
    let server = TestServer::new();
    let created = server
        .send(&with(with_body(request("POST", "Patient"), PATIENT), AGENT))
        .unwrap();
    let made = created.location.unwrap();
    let patch = r#"{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"replace"},
        {"name":"path","valueString":"Patient.active"},{"name":"value","valueBoolean":true}]}]}"#;
    let conditional = with_body(
        request("PUT", "Patient?_id=a"),
        r#"{"resourceType":"Patient","gender":"male"}"#,
    );
    for request in [
        put("a", true),
        put("a", false),
        with_body(request("PATCH", "Patient/a"), patch),
        put("a", true),
        request("DELETE", "Patient/a"),
        put("a", true),
        conditional,
        request("DELETE", "Patient?_id=a"),
    ] {
        server.pass_seconds(1);
        server.send(&with(request, AGENT)).unwrap();
    }
    let all = stored(&server, "");
    let found: Vec<String> = all.iter().flat_map(targets).collect();
    // The second `put("a", true)` after the patch changes nothing: its version is the patch's.
    let expected = [made.as_str()].into_iter().chain([
        "Patient/a/_history/1",
        "Patient/a/_history/2",
        "Patient/a/_history/3",
        "Patient/a/_history/3",
        "Patient/a/_history/4",
        "Patient/a/_history/5",
        "Patient/a/_history/6",
        "Patient/a/_history/7",
    ]);
    assert_eq!(found, expected.collect::<Vec<_>>());
    assert_eq!(all[0]["recorded"], "2026-11-23T09:30:00.000Z");
    assert_eq!(all[0]["location"]["display"], "Ward 5");
    assert_eq!(stored(&server, "target=Patient/a").len(), 8);
    let history = server.json("Patient/a/_history");
    assert_eq!(history["entry"].as_array().unwrap().len(), 7);
}

#[test]
fn what_changes_nothing_stores_none_and_what_is_refused_neither() {
    let server = TestServer::new();
    server.send(&put("a", true)).unwrap();
    server
        .send(&with(request("DELETE", "Patient/none"), AGENT))
        .unwrap();
    let mut existing = with(with_body(request("POST", "Patient"), PATIENT), AGENT);
    existing.if_none_exist = Some("_id=a".into());
    assert_eq!(server.send(&existing).unwrap().status, 200);
    let mut stale = with(put("a", false), AGENT);
    stale.if_match = versions(&["7"]);
    assert_eq!(told(server.send(&stale)).0, 412);
    assert_eq!(server.versions(), 1);
}

#[test]
fn a_transaction_names_all_that_it_writes_in_one() {
    let server = TestServer::new();
    server.send(&put("a", true)).unwrap();
    let bundle = of!({ "resourceType": "Bundle", "type": "transaction", "entry": [
        { "fullUrl": "urn:uuid:4a4dd4a6-4b6c-4e0e-8d3d-7f6f6f6f6f6f", "request": { "method": "POST", "url": "Observation" },
          "resource": { "resourceType": "Observation", "status": "final", "code": { "text": "pulse" }, "subject": { "reference": "Patient/a" } } },
        { "request": { "method": "PUT", "url": "Patient/a" }, "resource": { "resourceType": "Patient", "id": "a", "active": false } },
        { "request": { "method": "GET", "url": "Patient/a" } },
    ]});
    let whole = |kind: &str| {
        let request = Request::new(Interaction::Transaction, BASE);
        with(
            with_body(request, &bundle.to_string().replace("transaction", kind)),
            AGENT,
        )
    };
    assert_eq!(told(server.send(&whole("batch"))).2, "http.x-provenance");
    let answer = json(&server.send(&whole("transaction")).unwrap());
    assert_eq!(answer["entry"].as_array().unwrap().len(), 3);
    let made = answer["entry"][0]["response"]["location"].as_str().unwrap();
    let made = made.strip_prefix(&format!("{BASE}/")).unwrap_or(made).to_owned();
    let all = stored(&server, "");
    assert_eq!(all.len(), 1);
    let found: BTreeSet<String> = targets(&all[0]).into_iter().collect();
    assert_eq!(found, BTreeSet::from([made, "Patient/a/_history/2".to_owned()]));
}

#[test]
fn bad_content_is_400_with_its_place() {
    let server = TestServer::new();
    for (provenance, place) in [
        ("", ""),
        ("{", ""),
        ("[]", ""),
        (r#"{"resourceType":"Patient"}"#, "Patient"),
        (
            r#"{"resourceType":"Provenance","agent":[{"who":{"displayed":"x"}}]}"#,
            "Provenance.agent[0].who.displayed",
        ),
        (
            r#"{"resourceType":"Provenance","agent":[{}]}"#,
            "Provenance.agent[0]",
        ),
        (r#"{"resourceType":"Provenance"}"#, "Provenance"),
        (
            r#"{"resourceType":"Provenance","recorded":"yesterday","agent":[{"who":{"display":"x"}}]}"#,
            "Provenance.recorded",
        ),
        (
            r#"{"resourceType":"Provenance","target":[{"reference":"Patient/b"}],"agent":[{"who":{"display":"x"}}]}"#,
            "Provenance.target",
        ),
    ] {
        let error = server.send(&with(put("a", true), provenance)).unwrap_err();
        assert!(
            error.to_string().contains("X-Provenance"),
            "{provenance}: {error}"
        );
        let (status, _, found) = told(Err(error));
        assert_eq!(status, 400, "{provenance}");
        assert!(found.starts_with(place), "{provenance}: {found}");
    }
    let refused = [
        request("GET", "Patient/a"),
        request("GET", "Patient"),
        request("GET", "Patient/a/_history"),
    ];
    for request in refused {
        assert_eq!(told(server.send(&with(request, AGENT))).2, "http.x-provenance");
    }
    assert_eq!(server.versions(), 0, "the write fell with it");
}

#[test]
fn who_may_not_create_a_provenance_may_not_send_one() {
    let server = TestServer::with(|settings| settings.update_as_create = true);
    let engine = server.engine.clone().with_scopes();
    let send = |scopes: &str, request: &Request| {
        let mut context = server.context();
        context.principal = Principal::new("dr", PrincipalKind::Clinician).with_scopes(Scopes::read(scopes));
        server.send_in(engine.session(context), request)
    };
    let request = with(put("a", true), AGENT);
    assert_eq!(told(send("user/Patient.cruds", &request)).0, 403);
    assert_eq!(server.versions(), 0);
    send("user/Patient.cruds user/Provenance.c", &request).unwrap();
    assert_eq!(server.versions(), 2);
}

#[test]
fn a_write_that_is_sent_again_stores_it_once() {
    let server = TestServer::new();
    let keyed = |key: &str, request: Request, provenance: &str| {
        let mut request = with(request, provenance);
        request.replay = Some(ReplayKey::Key(key.to_owned()));
        request
    };
    let bundle = of!({ "resourceType": "Bundle", "type": "transaction", "entry": [
        { "request": { "method": "POST", "url": "Patient" }, "resource": { "resourceType": "Patient" } } ]});
    let whole = with_body(Request::new(Interaction::Transaction, BASE), &bundle.to_string());
    for (key, request) in [
        ("c", with_body(request("POST", "Patient"), PATIENT)),
        ("u", put("a", true)),
        ("d", request("DELETE", "Patient/a")),
        ("t", whole),
    ] {
        let request = keyed(key, request, AGENT);
        let before = (server.versions(), stored(&server, "").len());
        let first = server.send(&request).unwrap();
        let again = server.send(&request).unwrap();
        assert_eq!(
            (first.status, &first.location, first.version),
            (again.status, &again.location, again.version),
            "{key}"
        );
        let after = (server.versions(), stored(&server, "").len());
        assert_eq!(after, (before.0 + 2, before.1 + 1), "{key}");
    }
    let other = keyed("u", put("a", true), &AGENT.replace("Ward 5", "Ward 6"));
    assert_eq!(
        told(server.send(&other)).0,
        422,
        "another Provenance is another request"
    );
}

#[test]
fn the_trail_tells_it_beside_the_write() {
    let server = TestServer::with(audited);
    server.send(&with(put("a", true), AGENT)).unwrap();
    let told = events(&server);
    let found: BTreeSet<String> = told.iter().map(gist).collect();
    let expected = ["C create 0 Patient/a", "U update 0 Patient/a"].map(str::to_owned);
    assert_eq!(found, BTreeSet::from(expected));
}

#[test]
fn writes_that_race_name_each_version_once() {
    let server = TestServer::new();
    let done: usize = std::thread::scope(|scope| {
        let server = &server;
        let threads: Vec<_> = (0..4)
            .map(|thread| {
                scope.spawn(move || {
                    (0..5)
                        .filter(|n| {
                            let body = format!(r#"{{"resourceType":"Patient","id":"a","language":"en","multipleBirthInteger":{}}}"#, thread * 100 + n);
                            let put = with_body(request("PUT", "Patient/a"), &body);
                            server.send(&with(put, AGENT)).is_ok()
                        })
                        .count()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(done, 20);
    let mut found: Vec<String> = stored(&server, "").iter().flat_map(targets).collect();
    found.sort();
    let mut expected: Vec<String> = (1..=20).map(|n| format!("Patient/a/_history/{n}")).collect();
    expected.sort();
    assert_eq!(found, expected);
}
