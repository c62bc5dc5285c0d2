//! SearchParameters that are stored: refused where they could not take effect, indexed for, then answered.
//!
//! Size: one rule a test.

use std::sync::Mutex;

use super::counted::Counted;
use super::*;
use crate::context::TenantId;
use crate::engine::indexing::{Indexed, Indexer};

/// A SearchParameter for what Patients are called by.
fn nickname() -> Value {
    serde_json::json!({
        "resourceType": "SearchParameter", "id": "nickname", "url": "http://example.org/nickname", "name": "nickname",
        "status": "active", "description": "Nicknames", "code": "nickname", "base": ["Patient"], "type": "string",
        "expression": "Patient.name.where(use = 'nickname').given"
    })
}

fn but(changes: Value) -> String {
    let mut definition = nickname();
    for (name, value) in changes.as_object().unwrap() {
        definition[name] = value.clone();
    }
    definition.to_string()
}

fn patient(server: &TestServer, id: &str, nickname: &str) {
    let body = serde_json::json!({
        "resourceType": "Patient", "id": id, "name": [{"use": "nickname", "given": [nickname]}, {"given": ["Other"]}]
    });
    server.put(&format!("Patient/{id}"), &body.to_string()).unwrap();
}

fn indexer(server: &TestServer) -> Indexer {
    Indexer::new(server.engine.clone(), server.clock.clone())
}

/// Indexes until nothing is left.
fn index(server: &TestServer) {
    // Whoever was at it before has gone.
    server.pass_seconds(60);
    assert!(
        block_on(indexer(server).tenant(TenantId::DEFAULT))
            .unwrap()
            .is_some()
    );
}

/// The ids of the matches, and what is told beside them.
fn search(server: &TestServer, url: &str) -> (Vec<String>, String) {
    let bundle = server.json(url);
    let (mut ids, mut told) = (Vec::new(), String::new());
    for entry in bundle["entry"].as_array().cloned().unwrap_or_default() {
        match entry["search"]["mode"].as_str() {
            Some("match") => ids.push(entry["resource"]["id"].as_str().unwrap().to_owned()),
            _ => told += entry["resource"]["issue"][0]["diagnostics"].as_str().unwrap(),
        }
    }
    ids.sort();
    (ids, told)
}

fn ids(server: &TestServer, url: &str) -> Vec<String> {
    let (ids, told) = search(server, url);
    assert_eq!(told, "", "{url}");
    ids
}

#[test]
fn a_stored_parameter_is_answered_once_all_resources_are_indexed() {
    let server = TestServer::new();
    patient(&server, "a", "Bunny");
    patient(&server, "b", "Tiger");
    let (found, told) = search(&server, "Patient?nickname=bunny");
    assert_eq!(found, ["a", "b"]);
    assert!(told.contains("not known for Patient"), "{told}");

    server
        .put("SearchParameter/nickname", &nickname().to_string())
        .unwrap();
    let (_, told) = search(&server, "Patient?nickname=bunny");
    assert!(told.contains("waits to be indexed"), "{told}");
    let indexer = indexer(&server);
    assert_eq!(block_on(indexer.step(TenantId::DEFAULT)).unwrap(), Indexed::Step);
    let (_, told) = search(&server, "Patient?nickname=bunny");
    assert!(told.contains("is being indexed, 0 %"), "{told}");
    let (found, _) = search(&server, "Patient?nickname=bunny");
    assert_eq!(found, ["a", "b"], "it is left out as one that is not known");
    let mut condition = request("PUT", "Patient?nickname=bunny");
    condition = with_body(condition, PATIENT);
    assert_eq!(told_of(server.send(&condition)), (400, "http.nickname".into()));
    // What is written meanwhile is found as well.
    patient(&server, "c", "Bunny");
    index(&server);
    assert_eq!(ids(&server, "Patient?nickname=bunny"), ["a", "c"]);
    assert_eq!(ids(&server, "Patient?nickname:exact=Tiger"), ["b"]);
    assert_eq!(ids(&server, "Patient?nickname:missing=true"), [""; 0]);
    patient(&server, "b", "Bunny");
    assert_eq!(ids(&server, "Patient?nickname=bunny"), ["a", "b", "c"]);
    assert_eq!(
        block_on(indexer.step(TenantId::DEFAULT)).unwrap(),
        Indexed::All(epoch(&server))
    );
}

fn told_of(result: Result<Response, Error>) -> (u16, String) {
    let (status, _, place) = told(result);
    (status, place)
}

fn epoch(server: &TestServer) -> i64 {
    let of = crate::store::ResourceType::from_name("SearchParameter").unwrap();
    block_on(async {
        let view = server.store.snapshot(TenantId::DEFAULT).await.unwrap();
        view.marks().await.unwrap().epochs.of(of)
    })
}

#[test]
fn a_changed_parameter_is_not_answered_until_it_is_indexed_anew() {
    let server = TestServer::new();
    patient(&server, "a", "Bunny");
    server
        .put("SearchParameter/nickname", &nickname().to_string())
        .unwrap();
    index(&server);
    assert_eq!(ids(&server, "Patient?nickname=other"), [""; 0]);
    let changed = but(serde_json::json!({"expression": "Patient.name.given"}));
    server.put("SearchParameter/nickname", &changed).unwrap();
    let (_, told) = search(&server, "Patient?nickname=other");
    assert!(told.contains("waits to be indexed"), "{told}");
    index(&server);
    assert_eq!(ids(&server, "Patient?nickname=other"), ["a"]);
    // Another type: the old one knows it no more, and when it comes back all is indexed anew.
    let moved = but(serde_json::json!({"base": ["Person"], "expression": "Person.name.given"}));
    server.put("SearchParameter/nickname", &moved).unwrap();
    index(&server);
    let (_, told) = search(&server, "Patient?nickname=other");
    assert!(told.contains("not known for Patient"), "{told}");
    patient(&server, "b", "Bunny");
    server
        .put("SearchParameter/nickname", &nickname().to_string())
        .unwrap();
    index(&server);
    assert_eq!(ids(&server, "Patient?nickname=bunny"), ["a", "b"]);
}

#[test]
fn a_deleted_parameter_is_unknown_at_once_and_indexed_anew_when_it_comes_back() {
    let server = TestServer::new();
    server
        .put("SearchParameter/nickname", &nickname().to_string())
        .unwrap();
    index(&server);
    patient(&server, "a", "Bunny");
    assert_eq!(ids(&server, "Patient?nickname=bunny"), ["a"]);
    server.delete("SearchParameter/nickname").unwrap();
    let (found, told) = search(&server, "Patient?nickname=tiger");
    assert_eq!(found, ["a"]);
    assert!(told.contains("not known for Patient"), "{told}");
    // Written while there is no such parameter; nobody indexes in between.
    patient(&server, "b", "Tiger");
    server
        .put("SearchParameter/nickname", &nickname().to_string())
        .unwrap();
    let (_, told) = search(&server, "Patient?nickname=tiger");
    assert!(told.contains("waits"), "{told}");
    index(&server);
    assert_eq!(ids(&server, "Patient?nickname=tiger"), ["b"]);
}

#[test]
fn what_could_not_take_effect_is_refused_with_the_place_and_the_cure() {
    let server = TestServer::new();
    let cases = [
        (
            serde_json::json!({"expression": "Patient.name.where("}),
            "expression",
        ),
        (serde_json::json!({"expression": "Person.name"}), "expression"),
        (serde_json::json!({"expression": null}), "expression"),
        (serde_json::json!({"code": "birthdate"}), "code"),
        (serde_json::json!({"code": "_id"}), "code"),
        (serde_json::json!({"code": "a:b"}), "code"),
        (
            serde_json::json!({"base": ["Resource"], "code": "status"}),
            "code",
        ),
        (serde_json::json!({"type": "special"}), "type"),
        (serde_json::json!({"type": "composite"}), "component"),
        (
            serde_json::json!({"type": "composite", "component": [{"definition": "http://example.org/none", "expression": "given"}]}),
            "component[0].definition",
        ),
        (
            serde_json::json!({"url": "http://hl7.org/fhir/SearchParameter/individual-birthdate"}),
            "code",
        ),
    ];
    for (change, element) in cases {
        let mut definition: Value = serde_json::from_str(&but(change)).unwrap();
        definition
            .as_object_mut()
            .unwrap()
            .retain(|_, value| !value.is_null());
        let refused = server.put("SearchParameter/nickname", &definition.to_string());
        assert_eq!(
            told(refused),
            (422, "invariant", format!("SearchParameter.{element}")),
            "{definition}"
        );
    }
    // A draft takes no effect, so that it may be anything.
    let draft = but(serde_json::json!({"status": "draft", "code": "birthdate"}));
    server.put("SearchParameter/nickname", &draft).unwrap();
    server
        .put("SearchParameter/nickname", &nickname().to_string())
        .unwrap();
    for (id, change, element) in [
        (
            "same-code",
            serde_json::json!({"id": "same-code", "url": "http://example.org/other"}),
            "code",
        ),
        (
            "same-url",
            serde_json::json!({"id": "same-url", "code": "other"}),
            "url",
        ),
    ] {
        let refused = server.put(&format!("SearchParameter/{id}"), &but(change));
        assert_eq!(
            told(refused),
            (422, "invariant", format!("SearchParameter.{element}")),
            "{id}"
        );
    }
}

#[test]
fn composites_and_parameters_of_every_type_can_be_added() {
    let server = TestServer::new();
    patient(&server, "a", "Bunny");
    let given = serde_json::json!({
        "resourceType": "SearchParameter", "id": "use", "url": "http://example.org/use", "name": "use", "status": "active",
        "description": "Uses", "code": "name-use", "base": ["Patient"], "type": "token", "expression": "Patient.name.use"
    });
    server.put("SearchParameter/use", &given.to_string()).unwrap();
    let composite = but(serde_json::json!({
        "id": "both", "url": "http://example.org/both", "code": "use-given", "type": "composite", "expression": "Patient.name",
        "component": [
            {"definition": "http://example.org/use", "expression": "use"},
            {"definition": "http://hl7.org/fhir/SearchParameter/Patient-name", "expression": "given"}
        ]
    }));
    server.put("SearchParameter/both", &composite).unwrap();
    let language = serde_json::json!({
        "resourceType": "SearchParameter", "id": "lang", "url": "http://example.org/lang", "name": "lang", "status": "active",
        "description": "Languages", "code": "written-in", "base": ["Resource"], "type": "token", "expression": "Resource.language"
    });
    server.put("SearchParameter/lang", &language.to_string()).unwrap();
    index(&server);
    server
        .put(
            "Basic/x",
            r#"{"resourceType":"Basic","id":"x","language":"cy","code":{"text":"x"}}"#,
        )
        .unwrap();
    assert_eq!(ids(&server, "Patient?use-given=nickname$bunny"), ["a"]);
    assert_eq!(ids(&server, "Patient?use-given=nickname$other"), [""; 0]);
    assert_eq!(ids(&server, "Basic?written-in=cy"), ["x"]);
    assert_eq!(ids(&server, "?written-in=cy"), ["x"]);
}

#[test]
fn the_capability_statement_and_the_status_tell_of_them() {
    let server = TestServer::new();
    for id in 0..150 {
        patient(&server, &format!("p{id}"), "Bunny");
    }
    let names = |server: &TestServer| {
        let statement = server.json("metadata").to_string();
        statement.contains("http://example.org/nickname")
    };
    server
        .put("SearchParameter/nickname", &nickname().to_string())
        .unwrap();
    assert!(!names(&server));
    let state = |server: &TestServer, name: &str| {
        let status = server.json("SearchParameter/nickname/$status");
        let parts = status["parameter"][0]["part"].as_array().unwrap().clone();
        let part = parts.iter().find(|part| part["name"] == name).cloned();
        part.map(|part| {
            part.as_object()
                .unwrap()
                .iter()
                .find(|(n, _)| *n != "name")
                .unwrap()
                .1
                .clone()
        })
    };
    assert_eq!(state(&server, "state"), Some("waiting".into()));
    let indexer = indexer(&server);
    for wanted in [0, 66] {
        assert_eq!(block_on(indexer.step(TenantId::DEFAULT)).unwrap(), Indexed::Step);
        assert_eq!(state(&server, "state"), Some("being-indexed".into()));
        assert_eq!(state(&server, "percent"), Some(wanted.into()));
        assert_eq!(state(&server, "total"), Some(150.into()));
        let (_, told) = search(&server, "Patient?nickname=bunny&_count=1");
        assert!(told.contains(&format!("{wanted} %")), "{told}");
        assert!(!names(&server));
    }
    // Another process leaves the pass to the one that is at it, and takes it over where nothing moves.
    let other = Indexer::new(server.engine.clone(), server.clock.clone());
    assert_eq!(
        block_on(other.step(TenantId::DEFAULT)).unwrap(),
        Indexed::Elsewhere
    );
    server.pass_seconds(60);
    assert_eq!(block_on(other.step(TenantId::DEFAULT)).unwrap(), Indexed::Step);
    index(&server);
    assert!(names(&server));
    assert_eq!(state(&server, "state"), Some("in-use".into()));
    assert_eq!(state(&server, "percent"), None);
    assert_eq!(ids(&server, "Patient?nickname=bunny&_count=1000").len(), 150);
    assert_eq!(told(server.get("SearchParameter/none/$status")).0, 404);
}

#[test]
fn a_parameter_that_fails_on_a_resource_is_given_up_and_says_why() {
    let server = TestServer::new();
    patient(&server, "a", "Bunny");
    let faulty = but(serde_json::json!({"expression": "Patient.name.given.substring(1)"}));
    server.put("SearchParameter/nickname", &faulty).unwrap();
    index(&server);
    let (_, told) = search(&server, "Patient?nickname=x");
    assert!(told.contains("cannot be used"), "{told}");
    // And keeps nobody from writing.
    patient(&server, "b", "Tiger");
}

#[test]
fn a_bundle_may_store_a_parameter_and_what_it_finds() {
    let server = TestServer::new();
    let bundle = serde_json::json!({
        "resourceType": "Bundle", "type": "batch",
        "entry": [
            {"resource": nickname(), "request": {"method": "PUT", "url": "SearchParameter/nickname"}},
            {"resource": {"resourceType": "Patient", "id": "a", "name": [{"use": "nickname", "given": ["Bunny"]}]},
             "request": {"method": "PUT", "url": "Patient/a"}}
        ]
    });
    let answer = json(&server.bundle(&bundle).unwrap());
    for entry in answer["entry"].as_array().unwrap() {
        assert_eq!(
            entry["response"]["status"].as_str().map(|s| &s[..3]),
            Some("201"),
            "{entry}"
        );
    }
    index(&server);
    assert_eq!(ids(&server, "Patient?nickname=bunny"), ["a"]);
}

#[test]
fn neither_reads_nor_writes_ask_the_store_for_more_on_account_of_stored_parameters() {
    let plain = TestServer::new();
    patient(&plain, "a", "Bunny");
    plain
        .put("SearchParameter/nickname", &nickname().to_string())
        .unwrap();
    index(&plain);
    let asked = Arc::new(Mutex::new(Vec::new()));
    let store = Counted::new(plain.store.clone(), asked.clone());
    let settings = Settings {
        update_as_create: true,
        ..Settings::default()
    };
    let server = TestServer::over(
        Arc::new(store),
        plain.clock.clone(),
        settings,
        Arc::new(PermitAll),
    );
    let take = || -> Vec<&str> {
        let asked = std::mem::take(&mut *asked.lock().unwrap());
        asked.into_iter().map(|(what, _)| what).collect()
    };
    server.get("Patient/a").unwrap();
    assert_eq!(take(), ["read"]);
    // What the process does not know yet is made once.
    patient(&server, "b", "Bunny");
    assert_eq!(take(), ["commit", "marks", "note", "search", "commit"]);
    patient(&server, "b", "Tiger");
    assert_eq!(take(), ["commit"]);
    assert_eq!(ids(&server, "Patient?nickname=bunny&_total=none"), ["a"]);
    assert_eq!(take(), ["marks", "search"]);
    server.get("Patient/a").unwrap();
    assert_eq!(take(), ["read"]);
}
