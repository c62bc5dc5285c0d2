//! Operations that search: `$everything`, `$lastn` and `$graphql`.

use serde_json::json;

use super::record::{entries, record};
use super::*;

fn everything(server: &TestServer, url: &str) -> Vec<String> {
    let bundle = server.json(url);
    let mut found = entries(&bundle, "match");
    found.extend(entries(&bundle, "include"));
    found.sort();
    found
}

#[test]
fn everything_of_a_patient_is_the_compartment_and_what_it_refers_to() {
    let server = record();
    assert_eq!(
        everything(&server, "Patient/ann/$everything"),
        [
            "Encounter/visit",
            "Observation/high",
            "Organization/hill",
            "Patient/ann",
            "Practitioner/dr"
        ]
    );
    assert_eq!(
        everything(&server, "Patient/ann/$everything?_type=Observation,Organization"),
        ["Observation/high"]
    );
    assert_eq!(told(server.get("Patient/nobody-at-all/$everything")).0, 404);
    server.delete("Patient/nobody").unwrap();
    assert_eq!(told(server.get("Patient/nobody/$everything")).0, 410);
}

#[test]
fn everything_never_leads_to_another_patient() {
    let server = record();
    server
        .put(
            "Observation/both",
            r#"{"resourceType":"Observation","id":"both","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/ann"},"focus":[{"reference":"Patient/bob"}]}"#,
        )
        .unwrap();
    let found = everything(&server, "Patient/ann/$everything");
    assert!(found.contains(&"Observation/both".to_owned()), "{found:?}");
    assert!(!found.contains(&"Patient/bob".to_owned()), "{found:?}");
}

#[test]
fn everything_of_an_encounter_has_its_patient() {
    let server = record();
    assert_eq!(
        everything(&server, "Encounter/visit/$everything"),
        ["Encounter/visit", "Observation/high", "Patient/ann"]
    );
}

#[test]
fn everything_is_cut_to_dates_of_care_and_times_of_change() {
    let server = record();
    let of = |query: &str| {
        everything(
            &server,
            &format!("Patient/ann/$everything?_type=Observation,Encounter&{query}"),
        )
    };
    // The encounter has no date of care: it is in every range.
    assert_eq!(of("start=2026-01-01"), ["Encounter/visit", "Observation/high"]);
    assert_eq!(of("start=2026-01-02"), ["Encounter/visit"]);
    assert_eq!(of("end=2025-12-31"), ["Encounter/visit"]);
    assert_eq!(
        of("start=2025-12-31&end=2026-01-01"),
        ["Encounter/visit", "Observation/high"]
    );
    assert_eq!(
        told(server.get("Patient/ann/$everything?start=2026-01-02&end=2026-01-01")).0,
        400
    );
    assert_eq!(told(server.get("Patient/ann/$everything?since=2026")).0, 400);
    assert_eq!(of("_since=2999-01-01T00:00:00Z"), Vec::<String>::new());
}

#[test]
fn everything_comes_in_pages() {
    let server = record();
    let mut bundle = server.json("Patient/ann/$everything?_count=1");
    let mut found = Vec::new();
    loop {
        found.extend(entries(&bundle, "match"));
        let links = bundle["link"].as_array().unwrap();
        let Some(next) = links.iter().find(|l| l["relation"] == "next") else {
            break;
        };
        bundle = server.json(next["url"].as_str().unwrap());
        assert!(found.len() < 10);
    }
    found.sort();
    assert_eq!(found, ["Encounter/visit", "Observation/high", "Patient/ann"]);
}

#[test]
fn lastn_gives_the_latest_of_each_code() {
    let server = record();
    for (id, code, day) in [("a", "8480-6", 3), ("b", "8480-6", 9), ("c", "8867-4", 5)] {
        let text = json!({
            "resourceType": "Observation", "id": id, "status": "final",
            "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
            "subject": {"reference": "Patient/ann"}, "effectiveDateTime": format!("2026-03-0{day}"),
        });
        server
            .put(&format!("Observation/{id}"), &text.to_string())
            .unwrap();
    }
    let of = |query: &str| {
        entries(
            &server.json(&format!("Observation/$lastn?patient=ann{query}")),
            "match",
        )
    };
    assert_eq!(of(""), ["Observation/b", "Observation/c"]);
    assert_eq!(of("&max=2"), ["Observation/b", "Observation/c", "Observation/a"]);
    assert_eq!(of("&code=8867-4"), ["Observation/c"]);
    assert_eq!(told(server.get("Observation/$lastn?_sort=date")).0, 400);
    assert_eq!(told(server.get("Observation/$lastn?colour=red")).0, 400);
    assert_eq!(told(server.get("Patient/$lastn")).0, 501);
}

fn graphql(server: &TestServer, url: &str, query: &str) -> Value {
    let mut request = request("GET", url);
    request.query.push(("query".to_owned(), query.to_owned()));
    let answer = server.send(&request).unwrap();
    match answer.payload {
        crate::interaction::Payload::PlainJson(text) => serde_json::from_slice(&text).unwrap(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn graphql_follows_references_and_searches() {
    let server = record();
    assert_eq!(
        graphql(
            &server,
            "Patient/ann/$graphql",
            "{ name { family } generalPractitioner { resource { ... on Practitioner { name { family } } } } \
             ObservationList(_reference: patient, code: \"8480-6\") { id } }"
        ),
        json!({"data": {
            "name": [{"family": "Hale"}],
            "generalPractitioner": [{"resource": {"name": [{"family": "Moss"}]}}],
            "ObservationList": [{"id": "high"}]
        }})
    );
    assert_eq!(
        graphql(
            &server,
            "$graphql",
            "{ PatientConnection(_count: 2, _sort: _id) { count edges { resource { id } } } }"
        ),
        json!({"data": {"PatientConnection": {"count": 3, "edges": [{"resource": {"id": "ann"}}, {"resource": {"id": "bob"}}]}}})
    );
}

#[test]
fn graphql_pages_by_cursors() {
    let server = record();
    let first = graphql(
        &server,
        "$graphql",
        "{ PatientConnection(_count: 2) { next edges { resource { id } } } }",
    );
    let next = first["data"]["PatientConnection"]["next"].as_str().unwrap();
    let query =
        format!("{{ PatientConnection(_cursor: \"{next}\") {{ next edges {{ resource {{ id }} }} }} }}");
    let second = graphql(&server, "$graphql", &query);
    assert_eq!(
        second["data"]["PatientConnection"]["edges"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(second["data"]["PatientConnection"]["next"], Value::Null);
}

#[test]
fn graphql_says_what_is_wrong() {
    let server = record();
    let mut wrong = request("GET", "Patient/ann/$graphql");
    wrong.query.push(("query".to_owned(), "{ nmae }".to_owned()));
    let (status, _, text) = first(server.send(&wrong));
    assert!(status == 400 && text.contains("nmae"), "{text}");
    let mut unknown = request("GET", "$graphql");
    unknown.query.push((
        "query".to_owned(),
        "{ PatientList(colour: red) { id } }".to_owned(),
    ));
    let (status, _, text) = first(server.send(&unknown));
    assert!(status == 400 && text.contains("colour"), "{text}");
}

/// Status, and what is told first.
fn first(result: Result<Response, Error>) -> (u16, &'static str, String) {
    let error = result.unwrap_err();
    let facts = error.code.facts();
    (facts.status, facts.issue, error.issues[0].diagnostics.clone())
}
