//! Bundles: documents, messages, and what their entries have.

use serde_json::{Value, json};

use super::hold;

fn bundle(kind: &str, entries: Value) -> Value {
    json!({"resourceType": "Bundle", "type": kind, "entry": entries})
}

fn document(entries: Value) -> Value {
    json!({"resourceType": "Bundle", "type": "document", "timestamp": "2026-01-01T00:00:00Z", "entry": entries,
        "identifier": {"system": "urn:ietf:rfc:3986", "value": "urn:uuid:1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed"}})
}

fn composition(author: &str) -> Value {
    json!({"fullUrl": "http://a.example/Composition/1", "resource": {"resourceType": "Composition", "id": "1", "status": "final",
        "type": {"text": "t"}, "date": "2026", "title": "T", "author": [{"reference": author}]}})
}

fn practitioner(id: &str) -> Value {
    json!({"fullUrl": format!("http://a.example/Practitioner/{id}"), "resource": {"resourceType": "Practitioner", "id": id}})
}

fn patient(full_url: &str, id: &str) -> Value {
    json!({"fullUrl": full_url, "resource": {"resourceType": "Patient", "id": id}})
}

#[test]
fn documents_hold_what_belongs_to_their_composition() {
    let basic = |id: &str, to: &str| {
        json!({"fullUrl": format!("http://a.example/Basic/{id}"), "resource": {"resourceType": "Basic", "id": id, "code": {"text": "c"},
            "subject": {"reference": to}}})
    };
    let provenance = json!({"fullUrl": "http://a.example/Provenance/9", "resource": {"resourceType": "Provenance", "id": "9",
        "target": [{"reference": "Composition/1"}], "recorded": "2026-01-01T00:00:00Z", "agent": [{"who": {"reference": "Practitioner/2"}}]}});
    let mut no_time = document(json!([composition("Practitioner/2"), practitioner("2")]));
    no_time.as_object_mut().unwrap().remove("timestamp");
    let mut styled = document(json!([composition("Practitioner/2"), practitioner("2"),
        {"fullUrl": "http://a.example/Binary/3", "resource": {"resourceType": "Binary", "id": "3", "contentType": "text/css"}}]));
    let unstyled = styled.clone();
    styled.as_object_mut().unwrap().insert(
        "link".into(),
        json!([{"relation": "stylesheet", "url": "Binary/3"}]),
    );
    let mut lost = styled.clone();
    lost["link"][0]["url"] = json!("Binary/4");
    let mut versioned = document(json!([
        composition("Practitioner/2/_history/1"),
        practitioner("2")
    ]));
    let wrong_version = versioned.clone();
    versioned["entry"][1]["resource"]["meta"] = json!({"versionId": "1"});
    hold(vec![
        (
            "the least",
            document(json!([composition("Practitioner/2"), practitioner("2")])),
            "",
        ),
        (
            "absolute",
            document(json!([
                composition("http://a.example/Practitioner/2"),
                practitioner("2")
            ])),
            "",
        ),
        (
            "not there",
            document(json!([composition("Practitioner/3"), practitioner("2")])),
            "Bundle.entry[0].resource.author[0]",
        ),
        (
            "not reached",
            document(json!([
                composition("Practitioner/2"),
                practitioner("2"),
                practitioner("3")
            ])),
            "Bundle.entry[2]",
        ),
        (
            "reached by another",
            document(
                json!([composition("Practitioner/2"), practitioner("2"), basic("4", "Patient/5"),
            basic("6", "Practitioner/2"), {"fullUrl": "http://a.example/Patient/5", "resource": {"resourceType": "Patient", "id": "5",
            "generalPractitioner": [{"reference": "Practitioner/2"}]}}]),
            ),
            "",
        ),
        (
            "an island",
            document(json!([
                composition("Practitioner/2"),
                practitioner("2"),
                basic("4", "Practitioner/5"),
                practitioner("5")
            ])),
            "Bundle.entry[3]",
        ),
        (
            "a provenance of it",
            document(json!([
                composition("Practitioner/2"),
                practitioner("2"),
                provenance
            ])),
            "",
        ),
        ("a stylesheet", styled, ""),
        ("what is no stylesheet", unstyled, "Bundle.entry[2]"),
        ("a stylesheet that is not there", lost, "Bundle.link[0].url"),
        (
            "the Composition second",
            document(json!([practitioner("2"), composition("Practitioner/2")])),
            "Bundle.entry[0].resource",
        ),
        ("without a time", no_time, "Bundle"),
        ("the version that is there", versioned, ""),
        (
            "another version",
            wrong_version,
            "Bundle.entry[0].resource.author[0]",
        ),
    ]);
}

#[test]
fn messages_begin_with_their_header() {
    let header = json!({"fullUrl": "urn:uuid:1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed", "resource": {"resourceType": "MessageHeader",
        "eventUri": "http://a.example/e", "source": {"endpoint": "http://a.example/me"},
        "focus": [{"reference": "urn:uuid:2b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed"}]}});
    let focus = json!({"fullUrl": "urn:uuid:2b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed", "resource": {"resourceType": "Patient"}});
    hold(vec![
        ("good", bundle("message", json!([header, focus])), ""),
        (
            "the focus missing",
            bundle("message", json!([header])),
            "Bundle.entry[0].resource.focus[0]",
        ),
        (
            "no header",
            bundle("message", json!([focus])),
            "Bundle.entry[0].resource",
        ),
        (
            "the header second",
            bundle("message", json!([focus, header])),
            "Bundle.entry[0].resource",
        ),
    ]);
}

#[test]
fn entries_of_bundles_have_what_their_type_asks() {
    let request = |method: &str, url: &str| json!({"method": method, "url": url});
    let put = json!({"fullUrl": "http://a.example/Patient/1", "resource": {"resourceType": "Patient", "id": "1"}, "request": request("PUT", "Patient/1")});
    let mut no_method = put.clone();
    no_method["request"].as_object_mut().unwrap().remove("method");
    let url = "http://a.example/Patient/1";
    let found = json!({"fullUrl": url, "resource": {"resourceType": "Patient", "id": "1"}, "search": {"mode": "match", "score": 0.5}});
    let mut odd_mode = found.clone();
    odd_mode["search"]["mode"] = json!("matched");
    let version = |v: &str| json!({"fullUrl": url, "resource": {"resourceType": "Patient", "id": "1", "meta": {"versionId": v}}});
    let mut totalled = bundle("collection", json!([patient(url, "1")]));
    totalled["total"] = json!(1);
    let mut linked = bundle("searchset", json!([found]));
    linked["link"] = json!([{"relation": "next", "url": "http://a.example/1"}, {"relation": "next", "url": "http://a.example/2"}]);
    hold(vec![
        (
            "a transaction",
            bundle(
                "transaction",
                json!([put, {"request": request("DELETE", "Patient/2")}]),
            ),
            "",
        ),
        (
            "a request without its method",
            bundle("transaction", json!([no_method])),
            "Bundle.entry[0].request.method",
        ),
        (
            "an entry without a request",
            bundle("batch", json!([patient(url, "1")])),
            "Bundle",
        ),
        (
            "a request in a collection",
            bundle("collection", json!([put])),
            "Bundle",
        ),
        (
            "a response in a collection",
            bundle(
                "collection",
                json!([{"fullUrl": url, "resource": {"resourceType": "Patient", "id": "1"}, "response": {"status": "200"}}]),
            ),
            "Bundle",
        ),
        (
            "a method of none",
            bundle("transaction", json!([{"request": request("FETCH", "Patient")}])),
            "Bundle.entry[0].request.method",
        ),
        (
            "an answer",
            bundle(
                "transaction-response",
                json!([{"response": {"status": "201 Created"}}]),
            ),
            "",
        ),
        (
            "an answer without a response",
            bundle("batch-response", json!([patient(url, "1")])),
            "Bundle",
        ),
        ("a search", bundle("searchset", json!([found])), ""),
        (
            "an unknown mode",
            bundle("searchset", json!([odd_mode])),
            "Bundle.entry[0].search.mode",
        ),
        (
            "search in a collection",
            bundle("collection", json!([found])),
            "Bundle",
        ),
        ("a total in a collection", totalled, "Bundle"),
        ("two next links", linked, "Bundle.link[1]"),
        (
            "an empty entry",
            bundle("collection", json!([{"fullUrl": url}])),
            "Bundle.entry[0]",
        ),
        (
            "one fullUrl twice",
            bundle("collection", json!([patient(url, "1"), patient(url, "1")])),
            "Bundle",
        ),
        (
            "two versions",
            bundle("collection", json!([version("1"), version("2")])),
            "",
        ),
        (
            "a fullUrl with a version",
            bundle(
                "collection",
                json!([patient("http://a.example/Patient/1/_history/1", "1")]),
            ),
            "Bundle.entry[0]",
        ),
        (
            "a relative fullUrl",
            bundle("collection", json!([patient("Patient/1", "1")])),
            "Bundle.entry[0]",
        ),
        (
            "another id",
            bundle("collection", json!([patient("http://a.example/Patient/2", "1")])),
            "Bundle.entry[0]",
        ),
        (
            "another type",
            bundle("collection", json!([patient("http://a.example/Group/1", "1")])),
            "Bundle.entry[0]",
        ),
        (
            "a UUID in capitals",
            bundle(
                "collection",
                json!([patient("urn:uuid:1B9D6BCD-bbfd-4b2d-9b5d-ab8dfbbd4bed", "1")]),
            ),
            "Bundle.entry[0]",
        ),
        (
            "an unknown type",
            bundle("pile", json!([patient(url, "1")])),
            "Bundle.type",
        ),
    ]);
}
