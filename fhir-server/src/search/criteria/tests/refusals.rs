//! What is refused, and that nothing panics.

use super::*;

#[test]
fn modifiers_of_another_type_of_parameter_are_refused_with_those_it_takes() {
    for (of, query, takes) in [
        ("Patient", "name:not=x", ":exact and :contains"),
        ("Patient", "name:foo=x", ":exact and :contains"),
        ("Patient", "gender:exact=x", ":of-type"),
        ("Patient", "birthdate:exact=1970", ":missing alone"),
        ("Observation", "subject:below=x", ":identifier"),
        ("Observation", "value-quantity:not=1", ":missing alone"),
        ("ValueSet", "url:contains=x", ":above and :below"),
        ("Location", "near:exact=1|1", ":missing alone"),
        ("Patient", "_id:exact=1", ":missing and :not"),
        ("Patient", "_lastUpdated:not=1970", ":missing alone"),
        ("Patient", "_filter:not=name eq x", "no modifier"),
        ("Patient", "name:=x", ":exact and :contains"),
    ] {
        let (code, text) = refused(of, query);
        assert_eq!(code, ErrorCode::Value);
        assert!(text.contains(takes), "{query}: {text}");
    }
    assert_eq!(refused("Patient", "name:missing=perhaps").0, ErrorCode::Value);
}

#[test]
fn what_asks_for_too_much_is_refused_as_too_costly() {
    let values = format!("name={}", vec!["x"; 501].join(","));
    let ids = format!("_id={}", vec!["x"; 501].join(","));
    let chain = "patient.organization.partof.partof.name=x";
    let has =
        "_has:Observation:patient:_has:AuditEvent:entity:_has:Provenance:target:_has:Provenance:target:_id=x";
    for (of, query) in [
        ("Patient", values.as_str()),
        ("Patient", &ids),
        ("Observation", chain),
        ("Patient", has),
    ] {
        assert_eq!(refused(of, query).0, ErrorCode::TooCostly, "{query}");
    }
    let deep = format!("{}name=x", "subject.".repeat(20_000));
    assert_eq!(refused("Observation", &deep).0, ErrorCode::TooCostly);
    let deep = format!("{}_id=x", "_has:Observation:subject:".repeat(20_000));
    assert_eq!(refused("Patient", &deep).0, ErrorCode::TooCostly);
    let slashes = format!("url:above=http://{}", "a/".repeat(1000));
    assert_eq!(refused("ValueSet", &slashes).0, ErrorCode::TooCostly);
    let few = Limits {
        comparisons: 3,
        ..Limits::default()
    };
    let Err(Problem::Refused(error)) = read_with(&few, &["Provenance"], "target.identifier", "x") else {
        panic!("an untyped chain to many types costs what it costs");
    };
    assert_eq!(error.code, ErrorCode::TooCostly);
}

#[test]
fn no_text_in_any_place_makes_the_reader_panic() {
    let texts = [
        "",
        " ",
        "\\",
        "\\\\",
        ",",
        "|",
        "||",
        "|||",
        "$",
        "$$",
        ".",
        ":",
        "..",
        "::",
        "_has:",
        "_has::",
        "_has:::",
        "a:b:c.d:e",
        "'",
        "\"",
        "%",
        "_",
        "' OR 1=1 --",
        "é",
        "\u{202e}",
        "\u{301}",
        "🧪",
        "eq",
        "ap",
        "1e",
        "-",
        "e",
        "9999999999999999999999",
        "9999-12-31",
        "ap9999",
        "ap0001",
        "0001-01-01T00:00:00+14:00",
        "(",
        ")",
        "[",
        "]",
        "not(",
        "a eq",
        "urn:",
        "http://",
        "http://h/fhir/",
        "http://h/fhir",
        "/",
        "//",
        "Patient/",
        "/1",
        "Patient/1/",
        "ne",
        "sa-0",
        "1e400",
        "-1e-400",
        "nan",
        "ap1e400",
        "ap999999999999999999999999999999",
    ];
    let names = [
        "name",
        "name:exact",
        "name:contains",
        "name:missing",
        "gender",
        "gender:not",
        "gender:text",
        "gender:in",
        "gender:below",
        "identifier:of-type",
        "birthdate",
        "general-practitioner",
        "general-practitioner:Practitioner",
        "general-practitioner:identifier",
        "_profile",
        "_profile:below",
        "_profile:above",
        "_id",
        "_lastUpdated",
        "_list",
        "_filter",
        "_tag",
        "general-practitioner.name",
        "_has:Observation:patient:value-quantity",
        "_has:Observation:patient:code-value-quantity",
        "organization.near",
        "_has:Location:organization:near",
    ];
    for text in texts {
        for name in names {
            let _ = read_with(&Limits::default(), &["Patient"], name, text);
        }
        let _ = read_with(&Limits::default(), &["Patient"], text, "x");
        let _ = read_with(&Limits::default(), &["Patient"], &format!("name{text}"), "x");
        let _ = read_with(
            &Limits::default(),
            &["Observation"],
            &format!("subject.{text}"),
            "x",
        );
        let _ = read_with(
            &Limits::default(),
            &["Observation"],
            "_filter",
            &format!("code eq {text}"),
        );
    }
}
