//! search by `_id` and `_lastUpdated`.

use super::*;

/// Patients a, b, c and Basic a, a minute apart from 09:30; Patient d, deleted.
fn filled() -> TestServer {
    let server = TestServer::new();
    for id in ["a", "b", "c", "d"] {
        server
            .put(
                &format!("Patient/{id}"),
                &format!(r#"{{"resourceType":"Patient","id":"{id}"}}"#),
            )
            .unwrap();
        server.pass_seconds(60);
    }
    server
        .put(
            "Basic/a",
            r#"{"resourceType":"Basic","id":"a","code":{"text":"x"}}"#,
        )
        .unwrap();
    server.delete("Patient/d").unwrap();
    server
}

/// Type and id of each match.
fn found(bundle: &Value) -> Vec<String> {
    let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
    let matches = entries.iter().filter(|e| e["search"]["mode"] == "match");
    matches
        .map(|e| e["fullUrl"].as_str().unwrap()[BASE.len() + 1..].to_owned())
        .collect()
}

fn search(server: &TestServer, url: &str) -> Vec<String> {
    found(&server.json(url))
}

#[test]
fn a_search_gives_current_resources_newest_change_first() {
    let server = filled();
    let bundle = server.json("Patient");
    assert_eq!(found(&bundle), ["Patient/c", "Patient/b", "Patient/a"]);
    assert_eq!(
        (bundle["type"].as_str(), bundle["total"].as_u64()),
        (Some("searchset"), Some(3))
    );
    assert_eq!(bundle["link"].as_array().unwrap().len(), 1);
    assert_eq!(bundle["link"][0]["url"], format!("{BASE}/Patient"));
    assert_eq!(
        search(&server, "Patient?_sort=_lastUpdated"),
        ["Patient/a", "Patient/b", "Patient/c"]
    );
    assert_eq!(
        search(&server, "Patient?_sort=-_lastUpdated"),
        ["Patient/c", "Patient/b", "Patient/a"]
    );
}

#[test]
fn every_answer_of_a_search_is_a_valid_bundle() {
    let server = filled();
    for url in [
        "Patient",
        "Patient?_id=none",
        "?_count=2",
        "Patient?foo=1&_summary=count",
        "Patient?_summary=text",
    ] {
        let bundle = fhir_model::json::from_str(&text(&server.get(url).unwrap())).unwrap();
        assert_eq!(fhir_validate::Validator::new().validate(&bundle), [], "{url}");
    }
}

#[test]
fn ids_with_commas_are_ored_and_repeated_parameters_anded() {
    let server = filled();
    assert_eq!(search(&server, "Patient?_id=a"), ["Patient/a"]);
    assert_eq!(search(&server, "Patient?_id=a,c,d,x"), ["Patient/c", "Patient/a"]);
    assert_eq!(search(&server, "Patient?_id=a,c&_id=c,b"), ["Patient/c"]);
    assert_eq!(search(&server, "Patient?_id=nobody"), [""; 0]);
}

#[test]
fn last_updated_takes_prefixes_lists_and_repetition() {
    let server = filled();
    assert_eq!(
        search(&server, "Patient?_lastUpdated=gt2026-11-23T09:30:00Z"),
        ["Patient/c", "Patient/b"]
    );
    assert_eq!(
        search(&server, "Patient?_lastUpdated=2026-11-23T09:31Z"),
        ["Patient/b"]
    );
    let both = "Patient?_lastUpdated=ge2026-11-23T09:31:00Z&_lastUpdated=lt2026-11-23T09:32:00Z";
    assert_eq!(search(&server, both), ["Patient/b"]);
    let either = "Patient?_lastUpdated=2026-11-23T09:30Z,2026-11-23T09:32Z";
    assert_eq!(search(&server, either), ["Patient/c", "Patient/a"]);
    assert_eq!(
        told(server.get("Patient?_lastUpdated=soon")),
        (400, "value", "http._lastUpdated".into())
    );
}

#[test]
fn a_search_of_the_server_spans_types() {
    let server = filled();
    assert_eq!(search(&server, "?_id=a"), ["Basic/a", "Patient/a"]);
    assert_eq!(search(&server, "?_type=Basic,Group"), ["Basic/a"]);
    assert_eq!(search(&server, "?_type=Patient&_id=a"), ["Patient/a"]);
    assert_eq!(server.json("")["total"], 4);
    assert_eq!(
        told(server.get("?_type=Basic,Basil")),
        (400, "value", "http._type".into())
    );
}

#[test]
fn what_is_not_known_is_reported_and_left_out_of_the_self_link() {
    let server = filled();
    let bundle = server.json("Patient?nmae=Ann&_id=a&_sort=nmae&_type=Patient&_lastUpdated=");
    assert_eq!(found(&bundle), ["Patient/a"]);
    assert_eq!(bundle["link"][0]["url"], format!("{BASE}/Patient?_id=a"));
    let outcome = bundle["entry"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(outcome["search"]["mode"], "outcome");
    let issues = outcome["resource"]["issue"].as_array().unwrap().clone();
    let places: Vec<&str> = issues
        .iter()
        .map(|i| i["expression"][0].as_str().unwrap())
        .collect();
    assert_eq!(
        places,
        ["http._sort", "http.nmae", "http._type", "http._lastUpdated"]
    );
    assert!(issues.iter().all(|i| i["severity"] == "warning"));
    assert_eq!(bundle["total"], 1);
}

#[test]
fn strict_handling_refuses_what_is_not_known_and_names_each() {
    let server = filled();
    let mut strict = request("GET", "Patient?nmae=Ann&_id=a&_sort=nmae");
    strict.strict_handling = Some(true);
    let error = server.send(&strict).unwrap_err();
    assert_eq!(error.code, ErrorCode::Value);
    let places: Vec<_> = error
        .issues
        .iter()
        .filter_map(|i| i.expression.as_deref())
        .collect();
    assert_eq!(places, ["http._sort", "http.nmae"]);
    assert_eq!(server.send(&request("GET", "Patient?_id=a")).unwrap().status, 200);
}

#[test]
fn a_modifier_that_a_parameter_does_not_take_is_refused() {
    let server = filled();
    for (query, place) in [
        ("_id:exact=a", "http._id"),
        ("_lastUpdated:not=2026", "http._lastUpdated"),
        ("name:below=a", "http.name"),
        ("_count:exact=1", "http._count"),
    ] {
        let refused = told(server.get(&format!("Patient?{query}")));
        assert_eq!(refused, (400, "value", place.into()), "{query}");
    }
}

#[test]
fn count_and_total_are_kept_within_their_limits() {
    let server = TestServer::with(|settings| {
        settings.update_as_create = true;
        settings.page_default = 2;
        settings.page_max = 3;
        settings.total_max = 4;
    });
    let add = |n: usize| {
        for i in 0..n {
            server
                .post("Patient", PATIENT)
                .unwrap_or_else(|e| panic!("{i}: {e}"));
        }
    };
    add(4);
    assert_eq!(
        (
            search(&server, "Patient").len(),
            server.json("Patient")["total"].as_u64()
        ),
        (2, Some(4))
    );
    assert_eq!(search(&server, "Patient?_count=1000").len(), 3);
    assert_eq!(search(&server, "Patient?_count=99999999999999999999").len(), 3);
    assert_eq!(server.json("Patient?_total=none").get("total"), None);
    assert_eq!(server.json("Patient?_total=estimate")["total"], 4);
    add(1);
    assert_eq!(server.json("Patient").get("total"), None);
    assert_eq!(server.json("Patient?_summary=count")["total"], 5);
    assert_eq!(server.json("Patient?_count=0")["total"], 5);
    assert_eq!(server.json("Patient?_count=0").get("entry"), None);
    for (url, place) in [
        ("_count=-1", "_count"),
        ("_count=x", "_count"),
        ("_total=all", "_total"),
        ("_count=1&_count=2", "_count"),
    ] {
        assert_eq!(
            told(server.get(&format!("Patient?{url}"))),
            (400, "value", format!("http.{place}")),
            "{url}"
        );
    }
}
