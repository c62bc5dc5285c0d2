//! Where findings stand in texts.

use super::*;
use crate::finding::{Breach, Severity};

fn at(text: &str, root: &str, expression: &str) -> Option<(u32, u32)> {
    let mut findings = [Finding {
        layer: "structure",
        breach: Breach::Shape,
        severity: Severity::Error,
        by_profile: false,
        expression: expression.to_owned(),
        message: String::new(),
        rule: None,
        near: None,
        position: None,
    }];
    find(text.as_bytes(), root, &mut findings);
    findings[0].position
}

const JSON: &str = r#"{
  "resourceType": "Patient",
  "name": [
    {"text": "é", "given": ["a", "b"]},
    {"text": "y", "_given": [null, {"extension": [{"url": "u"}]}], "given": ["c", "d"]}
  ],
  "deceasedDateTime": "2020", "birthDate": "2020-01-01",
  "_birthDate": {"extension": [{"url": "x"}]},
  "contained": [{"resourceType": "Basic", "code": {"text": "\"}"}}]
}"#;

#[test]
fn places_in_json_have_lines_and_columns() {
    for (expression, position) in [
        ("Patient", (1, 1)),
        ("Patient.name[0]", (4, 5)),
        ("Patient.name[0].text", (4, 6)),
        ("Patient.name[0].given[1]", (4, 34)),
        ("Patient.name[1].given[1].extension[0].url", (5, 52)),
        ("Patient.deceased.ofType(dateTime)", (7, 3)),
        ("Patient.birthDate", (7, 31)),
        ("Patient.birthDate.extension[0]", (8, 32)),
        ("Patient.contained[0].code", (9, 43)),
        // What is missing stands at what is around it.
        ("Patient.name[0].family", (4, 5)),
        ("Patient.name[7].family", (1, 1)),
        ("Patient.contact[0].gender", (1, 1)),
    ] {
        assert_eq!(at(JSON, "", expression), Some(position), "{expression}");
    }
}

#[test]
fn a_resource_within_another_is_found_by_its_root() {
    let text = r#"{"resourceType":"Parameters","parameter":[{"name":"x"},
{"name":"resource","resource":{"resourceType":"Patient","gender":"x"}}]}"#;
    assert_eq!(
        at(text, "Parameters.parameter[1].resource", "Patient.gender"),
        Some((2, 57))
    );
    assert_eq!(
        at(text, "Parameters.parameter[1].resource", "Patient.name[0]"),
        Some((2, 20))
    );
}

const XML: &str = r#"<?xml version="1.0"?>
<Bundle xmlns="http://hl7.org/fhir">
  <entry><fullUrl value="u"/></entry>
  <entry>
    <resource><Patient>
      <birthDate value="2020"><extension url="x"/></birthDate>
      <deceasedBoolean value="true"/>
    </Patient></resource>
  </entry>
</Bundle>"#;

#[test]
fn places_in_xml_have_lines_and_columns() {
    for (expression, position) in [
        ("Bundle", (2, 1)),
        ("Bundle.entry[1]", (4, 3)),
        ("Bundle.entry[1].resource", (5, 5)),
        ("Bundle.entry[1].resource.birthDate", (6, 7)),
        ("Bundle.entry[1].resource.birthDate.extension[0].url", (6, 31)),
        ("Bundle.entry[1].resource.deceased.ofType(boolean)", (7, 7)),
        ("Bundle.entry[1].resource.name[0]", (5, 5)),
    ] {
        assert_eq!(at(XML, "", expression), Some(position), "{expression}");
    }
}

#[test]
fn a_text_that_ends_early_or_nests_too_deep_places_what_it_can() {
    assert_eq!(
        at(r#"{"name":[{"text":"#, "", "Patient.name[0].text"),
        Some((1, 10))
    );
    assert_eq!(at("<Patient><name", "", "Patient.name[0]"), Some((1, 1)));
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(at(&deep, "", "Patient.name[0]"), Some((1, 1)));
    assert_eq!(at("", "", "Patient.name[0]"), Some((1, 1)));
}
