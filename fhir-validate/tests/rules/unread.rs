//! Texts of which a part cannot be read: that part is told once, the rest is checked as if it were alone.

use fhir_model::read::ReadOptions;
use fhir_validate::{Severity, Validator};
use serde_json::json;

use super::{errors, hold};

/// The places of all errors of a text, in order.
fn places(text: &str) -> Vec<String> {
    let mut found = Validator::builder()
        .build()
        .validate_text(text.as_bytes(), &[], &ReadOptions::default());
    found.retain(|f| f.severity == Severity::Error);
    let mut places: Vec<String> = found.into_iter().map(|f| f.expression).collect();
    places.sort();
    places
}

#[test]
fn what_can_be_read_beside_an_unread_part_is_checked() {
    for (name, resource, expected) in [
        (
            "an unknown element and a wrong code",
            json!({"resourceType": "Patient", "gendre": "male", "gender": "femal"}),
            vec!["Patient.gender", "Patient.gendre"],
        ),
        (
            "an item that is no object keeps its place",
            json!({"resourceType": "Patient", "contact": ["x", {"gender": "femal", "name": {"text": "n"}}]}),
            vec!["Patient.contact[0]", "Patient.contact[1].gender"],
        ),
        (
            "an element of the wrong type, and another",
            json!({"resourceType": "Patient", "active": "yes", "birthDate": "1980-13-01"}),
            vec!["Patient.active", "Patient.birthDate"],
        ),
        (
            "a wrong part deep within",
            json!({"resourceType": "Patient", "name": [{"period": {"start": 1}, "use": "wrong"}]}),
            vec!["Patient.name[0].period.start", "Patient.name[0].use"],
        ),
        (
            "nothing else is wrong",
            json!({"resourceType": "Patient", "gendre": "male", "gender": "male"}),
            vec!["Patient.gendre"],
        ),
    ] {
        assert_eq!(places(&resource.to_string()), expected, "{name}");
    }
}

#[test]
fn what_follows_from_an_unread_part_alone_is_not_told() {
    for (name, resource, expected) in [
        (
            "a required element of a wrong type",
            json!({"resourceType": "Observation", "status": 1, "code": {"text": "x"}}),
            vec!["Observation.status"],
        ),
        (
            "an invariant of what the part belongs to",
            json!({"resourceType": "Patient", "contact": [{"name": 1}]}),
            vec!["Patient.contact[0].name"],
        ),
        (
            "an invariant on an element with an unknown one is told, as nothing that it asks for is missing",
            json!({"resourceType": "Patient", "contact": [{"nam": {"text": "x"}, "gender": "male"}]}),
            vec!["Patient.contact[0]", "Patient.contact[0].nam"],
        ),
    ] {
        assert_eq!(places(&resource.to_string()), expected, "{name}");
    }
}

#[test]
fn a_text_in_xml_is_read_beyond_what_is_wrong_in_it() {
    let patient = |inside: &str| format!("<Patient xmlns=\"http://hl7.org/fhir\">{inside}</Patient>");
    for (name, inside, expected) in [
        (
            "an element that comes too late",
            "<gender value=\"male\"/><active value=\"true\"/>",
            vec!["Patient"],
        ),
        (
            "an unknown element and a wrong code",
            "<gendre value=\"male\"/><gender value=\"femal\"/>",
            vec!["Patient.gender", "Patient.gendre"],
        ),
        (
            "one that comes too late has its own errors told too",
            "<birthDate value=\"1980-01-01\"/><gender value=\"femal\"/>",
            vec!["Patient", "Patient.gender"],
        ),
    ] {
        assert_eq!(places(&patient(inside)), expected, "{name}");
    }
}

#[test]
fn a_text_that_ends_too_early_is_told_where_it_ends() {
    let found = Validator::builder().build().validate_text(
        br#"{"resourceType": "Patient", "gender": "femal""#,
        &[],
        &ReadOptions::default(),
    );
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].position.is_some(), "{found:?}");
}

#[test]
fn a_required_code_has_a_value() {
    let reason = json!({"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]});
    hold(vec![
        (
            "a code with an extension only",
            json!({"resourceType": "Observation", "_status": reason, "code": {"text": "x"}}),
            "Observation.status",
        ),
        (
            "a date with an extension only",
            json!({"resourceType": "Patient", "_birthDate": reason}),
            "",
        ),
    ]);
    let optional = json!({"resourceType": "Patient", "_gender": reason});
    let found = errors(&Validator::builder().build(), &optional);
    assert_eq!(
        found.iter().map(|f| f.expression.as_str()).collect::<Vec<_>>(),
        ["Patient.gender"]
    );
}
