//! history of a resource, a type and the server.

use super::*;

/// Patient/p: created, changed, deleted, restored, a minute apart; Basic/b created in between.
fn busy() -> TestServer {
    let server = TestServer::new();
    let put = |active| {
        server
            .put(
                "Patient/p",
                &format!(r#"{{"resourceType":"Patient","id":"p","active":{active}}}"#),
            )
            .unwrap()
    };
    put(true);
    server.pass_seconds(60);
    put(false);
    server
        .put(
            "Basic/b",
            r#"{"resourceType":"Basic","id":"b","code":{"text":"x"}}"#,
        )
        .unwrap();
    server.pass_seconds(60);
    server.delete("Patient/p").unwrap();
    server.pass_seconds(60);
    put(true);
    server
}

/// Type and version of each entry.
fn listed(bundle: &Value) -> Vec<String> {
    let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
    let one = |e: &Value| {
        let url = e["fullUrl"]
            .as_str()
            .unwrap()
            .strip_prefix(BASE)
            .unwrap()
            .to_owned();
        format!(
            "{} {} {}",
            &url[1..],
            e["request"]["method"].as_str().unwrap(),
            e["response"]["etag"].as_str().unwrap()
        )
    };
    entries.iter().map(one).collect()
}

#[test]
fn history_lists_versions_newest_first_with_what_made_them() {
    let history = busy().json("Patient/p/_history");
    assert_eq!(
        (history["type"].as_str(), history["total"].as_u64()),
        (Some("history"), Some(4))
    );
    assert_eq!(
        listed(&history),
        [
            "Patient/p PUT W/\"4\"",
            "Patient/p DELETE W/\"3\"",
            "Patient/p PUT W/\"2\"",
            "Patient/p POST W/\"1\""
        ]
    );
    assert_eq!(history["entry"][0]["resource"]["meta"]["versionId"], "4");
    assert_eq!(history["entry"][1].get("resource"), None);
    assert_eq!(history["entry"][1]["response"]["status"], "204 No Content");
    assert_eq!(history["entry"][3]["request"]["url"], "Patient");
    assert_eq!(
        history["entry"][0]["response"]["lastModified"],
        "2026-11-23T09:33:00.000Z"
    );
}

#[test]
fn histories_of_a_type_and_of_the_server_hold_all_of_theirs() {
    let server = busy();
    assert_eq!(listed(&server.json("Patient/_history")).len(), 4);
    assert_eq!(listed(&server.json("Basic/_history")), ["Basic/b POST W/\"1\""]);
    let all = listed(&server.json("_history"));
    assert_eq!((all.len(), all[2].as_str()), (5, "Basic/b POST W/\"1\""));
    assert_eq!(listed(&server.json("Group/_history")), [""; 0]);
}

#[test]
fn every_history_is_a_valid_bundle() {
    let server = busy();
    for url in [
        "Patient/p/_history",
        "_history?_count=2",
        "Group/_history",
        "Group/_history?foo=1",
    ] {
        let bundle = fhir_model::json::from_str(&text(&server.get(url).unwrap())).unwrap();
        assert_eq!(fhir_validate::Validator::new().validate(&bundle), [], "{url}");
    }
}

#[test]
fn history_of_what_never_was_is_404() {
    assert_eq!(told(busy().get("Patient/q/_history")).0, 404);
}

#[test]
fn since_keeps_what_changed_at_or_after() {
    let server = busy();
    let count = |url: &str| listed(&server.json(url)).len();
    assert_eq!(count("Patient/p/_history?_since=2026-11-23T09:32:00Z"), 2);
    assert_eq!(count("Patient/p/_history?_since=2026-11-23T09:32:00.001Z"), 1);
    assert_eq!(count("Patient/p/_history?_since=2026-11-24T00:00:00Z"), 0);
    assert_eq!(
        told(server.get("Patient/p/_history?_since=yesterday")),
        (400, "value", "http._since".into())
    );
}

#[test]
fn at_keeps_what_was_current_then() {
    let server = busy();
    let at = |time: &str| listed(&server.json(&format!("Patient/p/_history?_at={time}")));
    assert_eq!(at("2026-11-23T09:30:30Z"), ["Patient/p POST W/\"1\""]);
    assert_eq!(at("2026-11-23T09:31Z"), ["Patient/p PUT W/\"2\""]);
    assert_eq!(at("2026-11-23").len(), 4);
    assert_eq!(at("2026-11-22"), [""; 0]);
}

#[test]
fn pages_of_a_history_are_complete_though_versions_are_added() {
    let server = busy();
    let mut url = "_history?_count=2".to_owned();
    let mut all = Vec::new();
    loop {
        let bundle = server.json(&url);
        all.extend(listed(&bundle));
        assert_eq!(bundle["total"], 5);
        let Some(next) = bundle["link"]
            .as_array()
            .unwrap()
            .iter()
            .find(|l| l["relation"] == "next")
        else {
            break;
        };
        url = next["url"].as_str().unwrap().to_owned();
        server
            .post("Basic", r#"{"resourceType":"Basic","code":{"text":"new"}}"#)
            .unwrap();
    }
    assert_eq!(all.len(), 5);
    assert_eq!(all.last().map(String::as_str), Some("Patient/p POST W/\"1\""));
}

#[test]
fn what_a_history_does_not_offer_is_told() {
    let server = busy();
    let response = server
        .get("Patient/p/_history?_sort=_lastUpdated&foo=1&_count=3")
        .unwrap();
    let bundle = json(&response);
    let told_of = bundle["entry"].as_array().unwrap().last().unwrap();
    assert_eq!(told_of["resource"]["resourceType"], "OperationOutcome");
    assert_eq!(told_of["resource"]["issue"].as_array().unwrap().len(), 2);
    assert_eq!(
        bundle["link"][0]["url"],
        format!("{BASE}/Patient/p/_history?_count=3")
    );
    let mut strict = request("GET", "Patient/p/_history?_sort=_lastUpdated&foo=1");
    strict.strict_handling = Some(true);
    let places: Vec<String> = issues(server.send(&strict))
        .into_iter()
        .map(|(place, _)| place)
        .collect();
    assert_eq!(places, ["http._sort", "http.foo"]);
    assert_eq!(
        told(server.get("_history?_count=-1")),
        (400, "value", "http._count".into())
    );
    assert_eq!(server.json("_history?_count=0").get("entry"), None);
}
