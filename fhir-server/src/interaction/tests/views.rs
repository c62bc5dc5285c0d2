//! `_summary` and `_elements`.

use super::*;

const PATIENT: &str = r#"{"resourceType":"Patient","id":"p","meta":{"tag":[{"code":"x"}]},
  "text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">Ann</div>"},
  "contained":[{"resourceType":"Basic","id":"c","code":{"text":"x"}}],
  "extension":[{"url":"http://x","valueDecimal":1.50}],
  "active":true,"name":[{"family":"Hale","_family":{"extension":[{"url":"http://y","valueCode":"z"}]}}],
  "photo":[{"contentType":"image/png","title":"me"}],
  "contact":[{"name":{"family":"Hill"}}]}"#;

fn filled() -> TestServer {
    let server = TestServer::lenient();
    server.put("Patient/p", PATIENT).unwrap();
    let document = r#"{"resourceType":"DocumentReference","id":"d","status":"current",
      "content":[{"attachment":{"contentType":"text/plain","data":"QUJD","title":"t"}}],
      "context":{"facilityType":{"text":"ward"}}}"#;
    server.put("DocumentReference/d", document).unwrap();
    server
}

fn members(value: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

#[test]
fn summary_true_keeps_summary_elements_at_every_level() {
    let server = filled();
    let patient = server.json("Patient/p?_summary=true");
    assert_eq!(
        members(&patient),
        ["active", "id", "meta", "name", "resourceType"]
    );
    assert_eq!(patient["name"][0]["_family"]["extension"][0]["valueCode"], "z");
    let document = server.json("DocumentReference/d?_summary=true");
    assert_eq!(
        members(&document),
        ["content", "context", "id", "meta", "resourceType", "status"]
    );
    assert_eq!(
        members(&document["content"][0]["attachment"]),
        ["contentType", "title"]
    );
}

#[test]
fn summary_text_keeps_narrative_and_what_is_mandatory() {
    let server = filled();
    assert_eq!(
        members(&server.json("Patient/p?_summary=text")),
        ["id", "meta", "resourceType", "text"]
    );
    let document = server.json("DocumentReference/d?_summary=text");
    assert_eq!(
        members(&document),
        ["content", "id", "meta", "resourceType", "status"]
    );
    assert_eq!(document["content"][0]["attachment"]["data"], "QUJD");
}

#[test]
fn summary_data_drops_the_narrative_only() {
    let server = filled();
    let mut whole = server.json("Patient/p");
    let mut data = server.json("Patient/p?_summary=data");
    whole.as_object_mut().unwrap().remove("text");
    whole.as_object_mut().unwrap().remove("meta");
    data.as_object_mut().unwrap().remove("meta");
    assert_eq!(data, whole);
    assert!(text(&server.get("Patient/p?_summary=data").unwrap()).contains("\"valueDecimal\":1.50"));
}

#[test]
fn summary_false_gives_the_stored_text() {
    let server = filled();
    assert_eq!(
        text(&server.get("Patient/p?_summary=false").unwrap()),
        text(&server.get("Patient/p").unwrap())
    );
}

#[test]
fn summary_count_goes_with_searches_only() {
    let server = filled();
    assert_eq!(
        told(server.get("Patient/p?_summary=count")),
        (400, "value", "http._summary".into())
    );
    assert_eq!(
        told(server.get("Patient/p?_summary=some")),
        (400, "value", "http._summary".into())
    );
    let bundle = server.json("Patient?_summary=count");
    assert_eq!((bundle["total"].as_u64(), bundle.get("entry")), (Some(1), None));
}

#[test]
fn elements_keeps_those_named_and_what_is_mandatory_or_modifies_the_meaning() {
    let server = filled();
    let keys = |url: &str| members(&server.json(url)).join(" ");
    assert_eq!(
        keys("Patient/p?_elements=photo"),
        "active id meta photo resourceType"
    );
    assert_eq!(
        keys("Patient/p?_elements=Patient.contact,Basic.code"),
        "active contact id meta resourceType"
    );
    assert_eq!(
        keys("DocumentReference/d?_elements=context"),
        "content context id meta resourceType status"
    );
    assert_eq!(keys("Patient/p?_elements=nothing"), "active id meta resourceType");
    assert_eq!(
        told(server.get("Patient/p?_elements=id&_summary=text")),
        (400, "value", "http._elements".into())
    );
}

#[test]
fn a_part_is_tagged_as_one_and_the_whole_is_not() {
    let server = filled();
    let tags = |url: &str| server.json(url)["meta"]["tag"].as_array().unwrap().clone();
    assert_eq!(tags("Patient/p").len(), 1);
    for url in [
        "_summary=true",
        "_summary=text",
        "_summary=data",
        "_elements=name",
    ] {
        let tags = tags(&format!("Patient/p?{url}"));
        assert_eq!(tags[0]["code"], "x");
        assert_eq!(tags[1]["code"], "SUBSETTED");
        assert_eq!(
            tags[1]["system"],
            "http://terminology.hl7.org/CodeSystem/v3-ObservationValue"
        );
    }
    assert_eq!(server.json("Patient/p?_elements=name")["meta"]["versionId"], "1");
}

#[test]
fn views_apply_to_every_match_of_a_search_and_to_vread() {
    let server = filled();
    let bundle = server.json("Patient?_elements=active");
    assert_eq!(
        members(&bundle["entry"][0]["resource"]),
        ["active", "id", "meta", "resourceType"]
    );
    assert_eq!(
        bundle["link"][0]["url"],
        format!("{BASE}/Patient?_elements=active")
    );
    let version = server.json("Patient/p/_history/1?_summary=text");
    assert_eq!(members(&version), ["id", "meta", "resourceType", "text"]);
}
