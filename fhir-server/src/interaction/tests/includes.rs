//! `_include` and `_revinclude`.

use super::record::{entries, record};
use super::*;

fn included(server: &TestServer, url: &str) -> Vec<String> {
    let mut found = entries(&server.json(url), "include");
    found.sort();
    found
}

#[test]
fn what_matches_refer_to_is_added_once() {
    let server = record();
    for (url, expected) in [
        (
            "Observation?_include=Observation:patient",
            &["Patient/ann", "Patient/bob"][..],
        ),
        (
            "Observation?_include=Observation:subject:Patient",
            &["Patient/ann", "Patient/bob"],
        ),
        ("Observation?_include=Observation:subject:Group", &[]),
        (
            "Observation?code=8480-6&value-quantity=gt100&_include=*",
            &["Encounter/visit", "Patient/ann"],
        ),
        (
            "Observation?_id=high&_include=Observation:*",
            &["Encounter/visit", "Patient/ann"],
        ),
        (
            "Patient?_include=Patient:organization&_include=Patient:general-practitioner",
            &["Organization/dale", "Organization/hill", "Practitioner/dr"],
        ),
        ("Patient?_include=Observation:patient", &[]),
    ] {
        assert_eq!(included(&server, url), expected, "{url}");
    }
}

#[test]
fn what_refers_to_matches_is_added() {
    let server = record();
    for (url, expected) in [
        (
            "Patient?_revinclude=Observation:patient",
            &["Observation/high", "Observation/low"][..],
        ),
        (
            "Patient?_id=ann&_revinclude=Observation:patient&_revinclude=Encounter:subject",
            &["Encounter/visit", "Observation/high"],
        ),
        ("Patient?_id=ann&_revinclude=Observation:*", &["Observation/high"]),
        ("Patient?_id=nobody&_revinclude=Observation:patient", &[]),
    ] {
        assert_eq!(included(&server, url), expected, "{url}");
    }
}

#[test]
fn iterate_goes_on_from_what_was_added() {
    let server = record();
    let once = "Observation?_id=low&_include=Observation:patient&_include=Patient:organization";
    assert_eq!(included(&server, once), ["Patient/bob"]);
    let on = "Observation?_id=low&_include=Observation:patient&_include:iterate=Patient:organization&_include:iterate=Organization:partof";
    assert_eq!(
        included(&server, on),
        ["Organization/dale", "Organization/hill", "Patient/bob"]
    );
    let circle =
        "Patient?_id=ann&_revinclude:iterate=Observation:patient&_include:iterate=Observation:patient";
    assert_eq!(included(&server, circle), ["Observation/high"]);
}

#[test]
fn what_goes_beyond_the_limits_is_said() {
    let server = TestServer::with(|settings| {
        settings.update_as_create = true;
        settings.search.included = 1;
        settings.search.iterations = 1;
    });
    super::record::fill(&server);
    let bundle = server.json("Observation?_include=Observation:patient");
    assert_eq!(entries(&bundle, "include").len(), 1);
    assert!(
        bundle
            .to_string()
            .contains("More than 1 resources would be included"),
        "{bundle}"
    );
    let server = TestServer::with(|settings| {
        settings.update_as_create = true;
        settings.search.iterations = 1;
    });
    super::record::fill(&server);
    let far = "Observation?_id=low&_include=Observation:patient&_include:iterate=Patient:organization&_include:iterate=Organization:partof";
    let bundle = server.json(far);
    assert_eq!(entries(&bundle, "include").len(), 2);
    assert!(
        bundle.to_string().contains(":iterate is followed 1 times"),
        "{bundle}"
    );
}

#[test]
fn an_include_that_cannot_be_read_is_refused() {
    let server = record();
    for query in [
        "_include=patient",
        "_include=Observation:nothing",
        "_include=Observation:code",
        "_include=Observation:subject:Medication",
        "_include=Nothing:x",
        "_include=Observation:subject:Nothing",
        "_include:recurse=Observation:subject",
        "_revinclude=*",
        "_include=Observation:subject:Patient:x",
        "_include=:",
    ] {
        assert_eq!(
            told(server.get(&format!("Observation?{query}"))).0,
            400,
            "{query}"
        );
    }
    let many = vec!["_include=Observation:patient"; 21].join("&");
    assert_eq!(told(server.get(&format!("Observation?{many}"))).1, "too-costly");
}
