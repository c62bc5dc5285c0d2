//! What entries ask by method and URL.

use super::*;
use crate::interaction::Interaction as I;

fn asked(method: &str, url: &str) -> Result<(I, String), u16> {
    let request = entry::request_of(method, url, BASE).map_err(|e| e.code.facts().status)?;
    let parts = [
        request.resource_type.map(|t| t.name().to_owned()),
        request.id,
        request.version,
    ];
    let query = request
        .query
        .iter()
        .map(|(name, value)| format!("{name}={value}"));
    Ok((
        request.interaction,
        parts
            .into_iter()
            .flatten()
            .chain(query)
            .collect::<Vec<_>>()
            .join(" "),
    ))
}

#[test]
fn each_method_and_url_asks_what_the_specification_says() {
    let expected = [
        ("GET", "Patient/1", I::Read, "Patient 1"),
        ("HEAD", "Patient/1", I::Read, "Patient 1"),
        ("GET", "/Patient/1/", I::Read, "Patient 1"),
        ("GET", "http://localhost/fhir/Patient/1", I::Read, "Patient 1"),
        (
            "GET",
            "Patient/1/_history/2?_format=json&_summary=text",
            I::Vread,
            "Patient 1 2 _summary=text",
        ),
        ("GET", "Patient/1/_history", I::HistoryInstance, "Patient 1"),
        (
            "GET",
            "Patient/_history?_since=2026",
            I::HistoryType,
            "Patient _since=2026",
        ),
        ("GET", "_history", I::HistorySystem, ""),
        (
            "GET",
            "Patient?_id=a%2Cb&_id=c+d",
            I::SearchType,
            "Patient _id=a,b _id=c d",
        ),
        ("GET", "?_id=a", I::SearchSystem, "_id=a"),
        ("GET", "http://localhost/fhir?_id=a", I::SearchSystem, "_id=a"),
        ("POST", "Patient/_search?_id=a", I::SearchType, "Patient _id=a"),
        ("POST", "_search?_id=a", I::SearchSystem, "_id=a"),
        ("GET", "metadata", I::Capabilities, ""),
        ("POST", "Patient", I::Create, "Patient"),
        ("PUT", "Patient/1", I::Update, "Patient 1"),
        ("DELETE", "Patient/1", I::Delete, "Patient 1"),
        ("PUT", "Patient?_id=1", I::Update, "Patient _id=1"),
        ("DELETE", "Patient?_id=1", I::Delete, "Patient _id=1"),
        (
            "GET",
            "Patient/1/Observation?code=1",
            I::SearchType,
            "Observation code=1",
        ),
        ("GET", "Patient/1/*", I::SearchSystem, ""),
    ];
    for (method, url, interaction, parts) in expected {
        assert_eq!(
            asked(method, url),
            Ok((interaction, parts.to_owned())),
            "{method} {url}"
        );
    }
}

#[test]
fn what_nothing_stands_for_is_refused() {
    let expected = [
        ("GET", "Patient/1/2", 404),
        ("GET", "Patient/1/_x", 400),
        ("GET", "Patient/1/_history/2/3", 400),
        ("GET", "patient/1", 404),
        ("GET", "Patient/a b", 400),
        ("GET", "Patient/%61", 400),
        ("GET", "Patient//1", 400),
        ("GET", "Patient?_id=%ff", 400),
        ("GET", "http://elsewhere.example/fhir/Patient/1", 400),
        ("GET", "http://localhost/fhirs/Patient/1", 400),
        ("GET", "Patient/1/_history/2/$meta", 400),
        ("PUT", "Patient/1/$meta", 400),
        ("POST", "", 400),
        ("POST", "Patient/1", 400),
        ("PUT", "Nothing/1", 404),
        ("DELETE", "", 400),
        ("PATCH", "", 400),
        ("get", "Patient/1", 400),
    ];
    for (method, url, status) in expected {
        assert_eq!(asked(method, url), Err(status), "{method} {url}");
    }
}
