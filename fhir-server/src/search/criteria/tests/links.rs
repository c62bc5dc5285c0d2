//! Chains, `_has`, the protocol's own parameters, several types.

use super::*;

#[test]
fn chains_go_from_reference_to_reference() {
    let name = |of: &str| format!(r#"{of}{{name StartsWith("x")}}"#);
    check(&[
        (
            "Observation",
            "subject:Patient.name=x",
            &format!("subject->{}", name("Patient")),
        ),
        (
            "Observation",
            "patient.organization.name=x",
            &format!("patient->Patient{{organization->{}}}", name("Organization")),
        ),
        ("Observation", "subject:Patient._id=1", "subject->Patient{ids 1}"),
        (
            "Observation",
            "subject:Patient.name:exact=X,Y",
            r#"subject->Patient{(name Every([Folded("x"), Exact("X")]) | name Every([Folded("y"), Exact("Y")]))}"#,
        ),
    ]);
}

#[test]
fn a_chain_without_a_type_goes_to_every_type_that_knows_its_end() {
    let shown = shown(&read("Observation", "subject.name=x").unwrap());
    // Of Device, Group, Location and Patient, a Device has a device-name and a Group no name.
    for of in ["Location", "Patient"] {
        assert!(
            shown.contains(&format!(r#"subject->{of}{{name StartsWith("x")}}"#)),
            "{shown}"
        );
    }
    assert_eq!(shown.matches("->").count(), 2, "{shown}");
}

#[test]
fn reverse_chains_nest_and_go_on() {
    let agent = r#"AuditEvent.entity<-{agent Reference { types: [], id: "x", version: None }}"#;
    check(&[
        (
            "Patient",
            "_has:Observation:patient:code=1",
            r#"Observation.patient<-{code Token { system: Any, code: Some(["1"]) }}"#,
        ),
        (
            "Patient",
            "_has:Observation:patient:_has:AuditEvent:entity:agent=x",
            &format!("Observation.patient<-{{{agent}}}"),
        ),
        (
            "Encounter",
            "patient._has:Group:member:_id=102",
            "patient->Patient{Group.member<-{ids 102}}",
        ),
        (
            "Practitioner",
            "_has:Observation:performer:patient.name=x",
            r#"Observation.performer<-{patient->Patient{name StartsWith("x")}}"#,
        ),
    ]);
    for query in [
        "_has:Observation=1",
        "_has:Observation:patient=1",
        "_has:Observation:patient:=1",
        "_has:Nothing:patient:code=1",
    ] {
        assert_eq!(refused("Patient", query).0, ErrorCode::Value, "{query}");
    }
    let (_, text) = refused("Organization", "_has:Observation:patient:code=1");
    assert!(text.contains("never refers to Organization"), "{text}");
}

#[test]
fn the_protocols_own_parameters_are_read() {
    check(&[
        ("Patient", "_id=a,b", "ids a,b"),
        ("Patient", "_id:not=a", "!ids a"),
        ("Patient", "_id:missing=true", "None"),
        ("Patient", "_id:missing=false", "All"),
        ("Patient", "_list=42", "List.item<-{ids 42}"),
        (
            "Patient",
            "_tag=http://a|b",
            r#"_tag Token { system: Is("http://a"), code: Some(["b"]) }"#,
        ),
        (
            "",
            "_source=http://a",
            r#"_source Uri { uri: "http://a", version: None }"#,
        ),
    ]);
    assert_eq!(refused("Patient", "_query=x").0, ErrorCode::Value);
    for query in [
        "_text=x",
        "_content=x",
        "_list=$current-problems",
        "foo=1",
        "_foo=1",
        "name.x.y=1",
        "=1",
    ] {
        let unknown = read("Patient", query);
        let refused_name = query == "name.x.y=1" || query == "=1";
        match unknown {
            Err(Problem::Unknown(_)) => assert!(!refused_name, "{query}"),
            Err(Problem::Refused(_)) => assert!(refused_name, "{query}"),
            Ok(filter) => panic!("{query}: {filter:?}"),
        }
    }
}

#[test]
fn several_types_have_what_is_common_to_them() {
    check(&[("Patient,Practitioner", "_id=1", "ids 1")]);
    let both = shown(&read("Patient,Practitioner", "family=x").unwrap());
    assert!(
        both == r#"family StartsWith("x")"# || both.contains("Patient & family"),
        "{both}"
    );
    for (of, query) in [("Patient,Practitioner", "birthdate=1970"), ("", "family=x")] {
        assert!(
            matches!(read(of, query), Err(Problem::Unknown(_))),
            "{of}?{query}"
        );
    }
}
