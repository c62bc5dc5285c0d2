//! References, composites and positions.

use super::*;

#[test]
fn references_are_local_or_uris() {
    let uri = |uri: &str| format!(r#"subject Uri {{ uri: "{uri}", version: None }}"#);
    check(&[
        (
            "Observation",
            "subject=Patient/1",
            r#"subject Reference { types: [ResourceType("Patient")], id: "1", version: None }"#,
        ),
        (
            "Observation",
            "subject=1",
            r#"subject Reference { types: [], id: "1", version: None }"#,
        ),
        (
            "Observation",
            "subject:Patient=1",
            r#"subject Reference { types: [ResourceType("Patient")], id: "1", version: None }"#,
        ),
        (
            "Observation",
            "subject:Patient=Patient/1",
            r#"subject Reference { types: [ResourceType("Patient")], id: "1", version: None }"#,
        ),
        (
            "Observation",
            "subject=Patient/1/_history/2",
            r#"subject Reference { types: [ResourceType("Patient")], id: "1", version: Some("2") }"#,
        ),
        (
            "Observation",
            "subject=http://other/fhir/Patient/1",
            &uri("http://other/fhir/Patient/1"),
        ),
        ("Observation", "subject=urn:uuid:0b3d", &uri("urn:uuid:0b3d")),
        (
            "Observation",
            "subject=http://other/Patient/1/_history/2",
            r#"subject Uri { uri: "http://other/Patient/1", version: Some("2") }"#,
        ),
        (
            "Observation",
            "subject:missing=false",
            "(subject Exists(Reference) | subject Exists(Uri) | subject/identifier Exists(Token))",
        ),
        (
            "Observation",
            "subject=http://h/fhir/Patient/1",
            &format!(
                r#"(subject Reference {{ types: [ResourceType("Patient")], id: "1", version: None }} | {})"#,
                uri("http://h/fhir/Patient/1")
            ),
        ),
        (
            "Observation",
            "patient:identifier=https://fhir.nhs.uk/Id/nhs-number|9000000009",
            r#"patient/identifier Token { system: Is("https://fhir.nhs.uk/Id/nhs-number"), code: Some(["9000000009"]) }"#,
        ),
    ]);
    for query in [
        "subject=Patent/1",
        "subject=a/b/c/d",
        "subject=a b",
        "subject:Patient=Group/1",
        "subject:Patient=urn:x:1",
    ] {
        assert_eq!(refused("Observation", query).0, ErrorCode::Value, "{query}");
    }
    let (_, text) = refused("Observation", "patient:Device=1");
    assert!(text.contains("refers to Patient"), "{text}");
}

#[test]
fn composites_match_within_one_group() {
    let code = r#"code-value-quantity$0 Token { system: Any, code: Some(["8480-6"]) }"#;
    check(&[
        (
            "Observation",
            "code-value-quantity=8480-6$gt5",
            &format!("[{code} & code-value-quantity$1 Quantity(Gt, 5.0, 5.0, Any)]"),
        ),
        (
            "Observation",
            "code-value-quantity=8480-6$gt5,8480-6$lt3",
            &format!(
                "([{code} & code-value-quantity$1 Quantity(Gt, 5.0, 5.0, Any)] | [{code} & code-value-quantity$1 Quantity(Lt, 3.0, 3.0, Any)])"
            ),
        ),
    ]);
    for query in [
        "code-value-quantity=8480-6",
        "code-value-quantity=a$1$2",
        "code-value-quantity=a$",
    ] {
        assert_eq!(refused("Observation", query).0, ErrorCode::Value, "{query}");
    }
    let (_, text) = refused("Observation", "code-value-quantity:missing=true");
    assert!(text.contains("no modifier"), "{text}");
}

#[test]
fn near_is_a_distance_from_a_position() {
    for value in [
        "51.5|-0.1",
        "51.5|-0.1|5",
        "51.5|-0.1|5|km",
        "51.5|-0.1|5000|m",
        "51.5|-0.1|3|[mi_i]",
        "-90|180|0",
    ] {
        let filter = shown(&read("Location", &format!("near={value}")).unwrap());
        assert!(filter.starts_with("near Near"), "{filter}");
    }
    let same = |a: &str, b: &str| read("Location", a).unwrap() == read("Location", b).unwrap();
    assert!(
        same("near=51.5|-0.1|10|km", "near=51.5|-0.1|10000|m") && same("near=51.5|-0.1", "near=51.5|-0.1|10")
    );
    for value in [
        "51.5",
        "91|0",
        "0|181",
        "a|b",
        "0|0|-1|km",
        "0|0|1|kg",
        "0|0|1|km|x",
        "inf|0",
        "0|0|x",
    ] {
        assert_eq!(
            refused("Location", &format!("near={value}")).0,
            ErrorCode::Value,
            "{value}"
        );
    }
}
