//! `_filter`.

use super::*;

#[test]
fn filter_compares_by_type() {
    let quoted = |text: &str| format!("_filter={text}");
    let cases = [
        ("Patient", r#"name eq "Peter""#, r#"name Folded("peter")"#),
        ("Patient", "name ne x", r#"name NoneOf([Folded("x")])"#),
        (
            "Patient",
            "name co pet and name sw p",
            r#"(name Contains("pet") & name StartsWith("p"))"#,
        ),
        ("Patient", "name ew er", r#"name EndsWith("er")"#),
        ("Patient", r#"name eq "a,b""#, r#"name Folded("a,b")"#),
        (
            "Patient",
            "birthdate ge 1970-01-01",
            "birthdate Date(Ge, 0, 86399999)",
        ),
        (
            "Patient",
            "birthdate po 1970-01-01",
            "birthdate Date(Ap, 0, 86399999)",
        ),
        ("Patient", "name pr true", "name Exists(String)"),
        (
            "Patient",
            "name pr false or _id eq 1",
            "(!name Exists(String) | ids 1)",
        ),
        ("Patient", "not (name pr true)", "!name Exists(String)"),
        (
            "Condition",
            "code ss http://a|7",
            r#"code Token { system: Is("http://a"), code: Some(["7", "7.1"]) }"#,
        ),
        (
            "Condition",
            "code sb http://a|7",
            r#"code Token { system: Is("http://a"), code: Some(["7", "root"]) }"#,
        ),
        (
            "Condition",
            "code in http://x/ValueSet/s",
            r#"(code Token { system: Is("http://a"), code: Some(["1", "2"]) } | code Token { system: Is("http://b"), code: Some(["3"]) })"#,
        ),
        (
            "Observation",
            "subject re Patient/4",
            r#"subject Reference { types: [ResourceType("Patient")], id: "4", version: None }"#,
        ),
        (
            "Observation",
            r#"patient.name co "pet""#,
            r#"patient->Patient{name Contains("pet")}"#,
        ),
        (
            "Observation",
            r#"patient[gender eq male].name co "pet""#,
            r#"patient->Patient{(name Contains("pet") & gender Token { system: Any, code: Some(["male"]) })}"#,
        ),
        (
            "Patient",
            "_has:Observation:patient:code eq 1",
            r#"Observation.patient<-{code Token { system: Any, code: Some(["1"]) }}"#,
        ),
        (
            "Observation",
            "value-quantity gt 5||mg",
            r#"value-quantity Quantity(Gt, 5.0, 5.0, Named("mg"))"#,
        ),
    ];
    for (of, text, expected) in cases {
        let filter = read(of, &quoted(text)).unwrap_or_else(|e| panic!("{text}: {e:?}"));
        assert_eq!(shown(&filter), expected, "{text}");
    }
    for (of, text) in [
        ("Patient", "name gt x"),
        ("Patient", "birthdate co 1970"),
        ("Patient", "birthdate eq ge1970"),
        ("Patient", "gender lt x"),
        ("ValueSet", "url co x"),
        ("Observation", "value-quantity po 5"),
        ("Patient", "_id co x"),
        ("Patient", "_lastUpdated in x"),
    ] {
        assert_eq!(refused(of, &quoted(text)).0, ErrorCode::Value, "{text}");
    }
    assert!(matches!(
        read("Patient", "_filter=foo eq 1"),
        Err(Problem::Unknown(_))
    ));
}
