//! Strings, tokens, dates, numbers, quantities and uris.

use super::*;

#[test]
fn strings_match_their_beginning_without_case_and_accents() {
    check(&[
        ("Patient", "name=Hale", r#"name StartsWith("hale")"#),
        (
            "Patient",
            "name=Éva,Bob",
            r#"(name StartsWith("eva") | name StartsWith("bob"))"#,
        ),
        ("Patient", r"name=a\,b", r#"name StartsWith("a,b")"#),
        (
            "Patient",
            "name:exact=Éva",
            r#"name Every([Folded("eva"), Exact("Éva")])"#,
        ),
        (
            "Patient",
            r"name:exact=a\\b",
            r#"name Every([Folded("a\\b"), Exact("a\\b")])"#,
        ),
        ("Patient", "name:contains=AL", r#"name Contains("al")"#),
        ("Patient", "name:missing=true", "!name Exists(String)"),
        ("Patient", "name:missing=false", "name Exists(String)"),
        ("Patient", "name=%_", r#"name StartsWith("%_")"#),
    ]);
}

#[test]
fn tokens_tell_system_and_code_apart() {
    check(&[
        (
            "Patient",
            "gender=male",
            r#"gender Token { system: Any, code: Some(["male"]) }"#,
        ),
        (
            "Patient",
            "identifier=urn:x|A1",
            r#"identifier Token { system: Is("urn:x"), code: Some(["a1"]) }"#,
        ),
        (
            "Observation",
            "code=http://unitsofmeasure.org|mL",
            r#"code Token { system: Is("http://unitsofmeasure.org"), code: Some(["mL"]) }"#,
        ),
        (
            "Patient",
            "identifier=|A1",
            r#"identifier Token { system: Absent, code: Some(["a1", "A1"]) }"#,
        ),
        (
            "Patient",
            "identifier=urn:x|",
            r#"identifier Token { system: Is("urn:x"), code: None }"#,
        ),
        (
            "Patient",
            r"identifier=urn:x|a\|b",
            r#"identifier Token { system: Is("urn:x"), code: Some(["a|b"]) }"#,
        ),
        (
            "Patient",
            "identifier=urn:x|b,urn:x|a,c",
            r#"(identifier Token { system: Is("urn:x"), code: Some(["a", "b"]) } | identifier Token { system: Any, code: Some(["c"]) })"#,
        ),
        (
            "Patient",
            "identifier=urn:x|b,urn:x|",
            r#"identifier Token { system: Is("urn:x"), code: None }"#,
        ),
        (
            "Patient",
            "gender:not=male,female",
            r#"!gender Token { system: Any, code: Some(["female", "male"]) }"#,
        ),
        ("Condition", "code:text=Head", r#"code/text StartsWith("head")"#),
        ("Condition", "code:missing=true", "!code Exists(Token)"),
    ]);
}

#[test]
fn tokens_ask_the_terminology() {
    let both = r#"(code Token { system: Is("http://a"), code: Some(["1", "2"]) } | code Token { system: Is("http://b"), code: Some(["3"]) })"#;
    check(&[
        ("Condition", "code:in=http://x/ValueSet/s", both),
        (
            "Condition",
            "code:not-in=http://x/ValueSet/s",
            &format!("!{both}"),
        ),
        (
            "Condition",
            "code:below=http://a|7",
            r#"code Token { system: Is("http://a"), code: Some(["7", "7.1"]) }"#,
        ),
        (
            "Condition",
            "code:above=http://a|7",
            r#"code Token { system: Is("http://a"), code: Some(["7", "root"]) }"#,
        ),
    ]);
    assert_eq!(refused("Condition", "code:below=7").0, ErrorCode::Value);
    assert_eq!(
        refused("Condition", "code:in=http://x/ValueSet/other").0,
        ErrorCode::TooCostly
    );
}

#[test]
fn dates_are_spans_and_take_prefixes() {
    check(&[
        (
            "Patient",
            "birthdate=1970-01-01",
            "birthdate Date(Eq, 0, 86399999)",
        ),
        (
            "Patient",
            "birthdate=ge1970-01-01",
            "birthdate Date(Ge, 0, 86399999)",
        ),
        (
            "Patient",
            "birthdate=sa1970",
            "birthdate Date(Sa, 0, 31535999999)",
        ),
        (
            "Patient",
            "birthdate=eb1970",
            "birthdate Date(Eb, 0, 31535999999)",
        ),
        (
            "Patient",
            "birthdate=ap2026-11-23T00:00:00.000Z",
            "birthdate Date(Ap, 1795392000000, 1795392000000)",
        ),
        (
            "Patient",
            "birthdate=ap2026-11-22",
            "birthdate Date(Ap, 1795296960000, 1795400639999)",
        ),
        (
            "Patient",
            "birthdate=1970-01-01,ne1970-01-01",
            "(birthdate Date(Eq, 0, 86399999) | birthdate Date(Ne, 0, 86399999))",
        ),
    ]);
    for query in [
        "birthdate=yesterday",
        "birthdate=xx1970",
        "birthdate=ge",
        "birthdate=1970-13",
        "birthdate=,",
    ] {
        assert_eq!(refused("Patient", query).0, ErrorCode::Value, "{query}");
    }
}

#[test]
fn numbers_and_quantities_keep_their_precision() {
    let high = 100.5_f64.next_down();
    check(&[
        (
            "RiskAssessment",
            "probability=gt0.8",
            "probability Number(Gt, 0.8, 0.8)",
        ),
        (
            "RiskAssessment",
            "probability=100",
            &format!("probability Number(Eq, 99.5, {high:?})"),
        ),
        (
            "Observation",
            "value-quantity=100",
            &format!("value-quantity Quantity(Eq, 99.5, {high:?}, Any)"),
        ),
        (
            "Observation",
            "value-quantity=lt5.4||mg",
            r#"value-quantity Quantity(Lt, 5.4, 5.4, Named("mg"))"#,
        ),
        (
            "Observation",
            "value-quantity=gt5.4|http://x|mg",
            r#"value-quantity Quantity(Gt, 5.4, 5.4, Coded { system: "http://x", code: "mg" })"#,
        ),
        (
            "Observation",
            "value-quantity=gt5|http://unitsofmeasure.org|mg",
            r#"value-quantity/canonical Quantity(Gt, 0.005, 0.005, Named("g"))"#,
        ),
        (
            "Observation",
            "value-quantity=gt5|http://unitsofmeasure.org|nonsense",
            r#"value-quantity Quantity(Gt, 5.0, 5.0, Coded { system: "http://unitsofmeasure.org", code: "nonsense" })"#,
        ),
    ]);
    for query in [
        "value-quantity=x",
        "value-quantity=5|mg",
        "value-quantity=5|http://x|",
        "value-quantity=|http://x|mg",
    ] {
        assert_eq!(refused("Observation", query).0, ErrorCode::Value, "{query}");
    }
}

#[test]
fn uris_reach_up_and_down() {
    check(&[
        (
            "ValueSet",
            "url=http://a/b",
            r#"url Uri { uri: "http://a/b", version: None }"#,
        ),
        (
            "ValueSet",
            "url:below=http://a/b",
            r#"url UriBelow("http://a/b")"#,
        ),
        (
            "ValueSet",
            "url:above=http://a/b",
            r#"url UriAbove(["http", "http:", "http:/", "http://", "http://a", "http://a/", "http://a/b"])"#,
        ),
        (
            "Patient",
            "_profile=http://a/b|1.0",
            r#"_profile Uri { uri: "http://a/b", version: Some("1.0") }"#,
        ),
    ]);
}
