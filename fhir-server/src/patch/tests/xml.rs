//! XML Patch on resources, beyond what the suite has.

use super::*;

const PATIENT: &str = r#"{"resourceType":"Patient","active":true,"id":"p","name":[{"given":["A","B"],"use":"usual"},{"family":"H\u00e4le"}],"extension":[{"valueDecimal":1.50,"url":"a:b"}],"birthDate":"1990-01-01"}"#;

fn diff(operations: &str) -> Result<String, Error> {
    let patch = format!(r#"<diff xmlns="http://hl7.org/fhir">{operations}</diff>"#);
    of(PatchForm::Xml, PATIENT, &patch)
}

fn with(from: &str, to: &str) -> String {
    assert!(PATIENT.contains(from));
    PATIENT.replace(from, to)
}

#[test]
fn the_order_and_the_literals_of_the_stored_form_stay() {
    for (operation, expected) in [
        (
            r#"<replace sel="f:Patient/f:birthDate/@value">1991-01-01</replace>"#,
            with("1990", "1991"),
        ),
        (
            r#"<replace sel="Patient/name[2]/family"><family value="X"/></replace>"#,
            with(r"H\u00e4le", "X"),
        ),
        (
            r#"<add sel="f:Patient/f:name[f:use/@value='usual']/f:given[1]" pos="before"><given value="0"/></add>"#,
            with(r#"["A","B"]"#, r#"["0","A","B"]"#),
        ),
        (
            r#"<remove sel="/f:Patient/f:name[1]"/>"#,
            with(r#"{"given":["A","B"],"use":"usual"},"#, ""),
        ),
        (
            r#"<add sel="f:Patient/f:birthDate" pos="before"><gender value="male"/></add>"#,
            with(
                r#""birthDate":"1990-01-01""#,
                r#""birthDate":"1990-01-01","gender":"male""#,
            ),
        ),
        (
            r#"<remove sel="//f:given[last()]"/>"#,
            with(r#"["A","B"]"#, r#"["A"]"#),
        ),
        (
            r#"<replace sel="f:Patient/f:extension[@url='a:b']/f:valueDecimal/@value">1.5</replace>"#,
            with("1.50", "1.5"),
        ),
    ] {
        assert_eq!(diff(operation).unwrap(), expected, "{operation}");
    }
}

#[test]
fn a_patch_may_declare_its_own_prefixes() {
    let patch = r#"<p:diff xmlns:p="urn:ietf:rfc:7351" xmlns:q="http://hl7.org/fhir"><p:add sel="q:Patient/q:birthDate"
        pos="before"><q:gender value="male"/></p:add></p:diff>"#;
    assert!(
        of(PatchForm::Xml, PATIENT, patch)
            .unwrap()
            .contains(r#""gender":"male""#)
    );
}

#[test]
fn what_does_not_fit_or_is_malformed_names_the_operation() {
    use ErrorCode::{Structure, Unprocessable};
    for (operation, code, words) in [
        ("", Structure, "no operations"),
        ("<move sel='f:Patient'/>", Structure, "add, replace or remove"),
        ("<remove/>", Structure, "sel is missing"),
        (
            "<remove sel='f:Patient/f:name[1]' pos='before'/>",
            Structure,
            "no attribute \"pos\"",
        ),
        (
            "<remove sel='f:Patient/'/>",
            Structure,
            "ends where a name is expected",
        ),
        (
            "<remove sel='f:Patient/f:name[x='/>",
            Structure,
            "a text in quotes",
        ),
        ("<remove sel='g:Patient'/>", Structure, "\"g\" is not declared"),
        (
            "<remove sel='f:Patient/f:photo'/>",
            Unprocessable,
            "selects nothing",
        ),
        (
            "<remove sel='f:Patient/f:name'/>",
            Unprocessable,
            "selects 2 nodes",
        ),
        ("<remove sel='f:Patient'/>", Unprocessable, "use DELETE"),
        ("<add sel='f:Patient' pos='inside'/>", Structure, "not \"inside\""),
        (
            "<add sel='f:Patient/f:birthDate' type='@value'>1</add>",
            Unprocessable,
            "use replace",
        ),
        (
            "<replace sel='f:Patient/f:birthDate'><a/><b/></replace>",
            Structure,
            "exactly one",
        ),
    ] {
        let (found, message) = refused(diff(operation));
        assert_eq!(found, code, "{operation}: {message}");
        assert!(message.contains(words), "{operation}: {message}");
    }
    let (code, message) = refused(of(
        PatchForm::Xml,
        PATIENT,
        "<Patient xmlns='http://hl7.org/fhir'/>",
    ));
    assert_eq!(code, Structure);
    assert!(message.contains("an element diff"), "{message}");
    let entity = r#"<!DOCTYPE diff [<!ENTITY x "y">]><diff><remove sel="a"/></diff>"#;
    assert_eq!(refused(of(PatchForm::Xml, PATIENT, entity)).0, Structure);
}

#[test]
fn a_result_that_is_no_resource_is_refused() {
    let (code, message) = refused(diff("<add sel='f:Patient'><nickname value='x'/></add>"));
    assert_eq!(code, ErrorCode::Structure);
    assert!(
        message.contains("The patched resource cannot be read") && message.contains("nickname"),
        "{message}"
    );
}
