//! FHIRPath Patch, beyond what the suite has.

use super::*;

const PATIENT: &str = r#"{"resourceType":"Patient","id":"p","name":[{"given":["A","B","C"],"_given":[null,{"id":"b"},null]},{"family":"H\u00e4le"}],"birthDate":"1990-01-01","_birthDate":{"extension":[{"url":"a:b","valueDecimal":1.50}]},"deceasedBoolean":false,"contact":[{"gender":"male"}]}"#;

/// What one operation makes of the patient.
fn after(kind: &str, path: &str, more: &str) -> Result<String, Error> {
    patched(&operations(&[&format!("{}{more}", part(kind, path))]), PATIENT)
}

/// The patient with some text replaced.
fn with(from: &str, to: &str) -> String {
    assert!(PATIENT.contains(from));
    PATIENT.replace(from, to)
}

#[test]
fn items_of_lists_of_primitives_keep_their_extensions() {
    assert_eq!(
        after("delete", "Patient.name[0].given[0]", "").unwrap(),
        with(
            r#"["A","B","C"],"_given":[null,{"id":"b"},null]"#,
            r#"["B","C"],"_given":[{"id":"b"},null]"#
        )
    );
    assert_eq!(
        after("delete", "Patient.name[0].given[1]", "").unwrap(),
        with(r#"["A","B","C"],"_given":[null,{"id":"b"},null]"#, r#"["A","C"]"#)
    );
    assert_eq!(
        after(
            "move",
            "Patient.name[0].given",
            r#",{"name":"source","valueInteger":1},{"name":"destination","valueInteger":2}"#
        )
        .unwrap(),
        with(
            r#"["A","B","C"],"_given":[null,{"id":"b"},null]"#,
            r#"["A","C","B"],"_given":[null,null,{"id":"b"}]"#
        )
    );
    assert_eq!(
        after("insert", "Patient.name[0].given", r#",{"name":"index","valueInteger":1},{"name":"value","valueString":"X","_valueString":{"id":"x"}}"#).unwrap(),
        with(r#"["A","B","C"],"_given":[null,{"id":"b"},null]"#, r#"["A","X","B","C"],"_given":[null,{"id":"x"},{"id":"b"},null]"#)
    );
    assert_eq!(
        after(
            "replace",
            "Patient.name[0].given[1]",
            r#",{"name":"value","valueString":"X"}"#
        )
        .unwrap(),
        with(
            r#"["A","B","C"],"_given":[null,{"id":"b"},null]"#,
            r#"["A","X","C"]"#
        )
    );
}

#[test]
fn extensions_of_primitives_can_be_reached_and_made() {
    assert_eq!(
        after(
            "replace",
            "Patient.birthDate.extension[0].value",
            r#",{"name":"value","valueDecimal":2.00}"#
        )
        .unwrap(),
        with("1.50", "2.00")
    );
    assert_eq!(
        after(
            "replace",
            "Patient.birthDate.extension.where(url = 'a:b').value",
            r#",{"name":"value","valueString":"x"}"#
        )
        .unwrap(),
        with(r#""valueDecimal":1.50"#, r#""valueString":"x""#)
    );
    assert_eq!(
        after("delete", "Patient.birthDate.extension[0]", "").unwrap(),
        with(
            r#","_birthDate":{"extension":[{"url":"a:b","valueDecimal":1.50}]}"#,
            ""
        )
    );
    assert_eq!(
        after(
            "replace",
            "Patient.birthDate",
            r#",{"name":"value","valueDate":"1991-01-01"}"#
        )
        .unwrap(),
        with(
            r#""1990-01-01","_birthDate":{"extension":[{"url":"a:b","valueDecimal":1.50}]}"#,
            r#""1991-01-01""#
        )
    );
    let extension = r#",{"name":"name","valueString":"extension"},{"name":"value","part":[{"name":"url","valueUri":"a:c"},{"name":"value","valueCode":"x"}]}"#;
    assert_eq!(
        after("add", "Patient.contact[0].gender", extension).unwrap(),
        with(
            r#""gender":"male""#,
            r#""gender":"male","_gender":{"extension":[{"url":"a:c","valueCode":"x"}]}"#
        )
    );
    assert_eq!(
        after("add", "Patient.name[0].given[2]", extension).unwrap(),
        with(
            r#"[null,{"id":"b"},null]"#,
            r#"[null,{"id":"b"},{"extension":[{"url":"a:c","valueCode":"x"}]}]"#
        )
    );
}

#[test]
fn a_choice_goes_by_its_stem_and_takes_the_type_of_the_value() {
    let value = r#",{"name":"value","valueDateTime":"2020-01-01"}"#;
    let expected = with(r#""deceasedBoolean":false"#, r#""deceasedDateTime":"2020-01-01""#);
    assert_eq!(after("replace", "Patient.deceased", value).unwrap(), expected);
    for name in ["deceased", "deceased[x]", "deceasedDateTime"] {
        let patch = operations(&[
            &part("delete", "Patient.deceased"),
            &format!(
                r#"{},{{"name":"name","valueString":"{name}"}}{value}"#,
                part("add", "Patient")
            ),
        ]);
        let result: serde_json::Value = serde_json::from_str(&patched(&patch, PATIENT).unwrap()).unwrap();
        assert_eq!(result["deceasedDateTime"], "2020-01-01", "{name}");
        assert!(result.get("deceasedBoolean").is_none());
    }
    let (_, message) = refused(after(
        "replace",
        "Patient.deceased",
        r#",{"name":"value","valueString":"x"}"#,
    ));
    assert!(
        message.contains("is of type string, and Patient.deceased takes boolean, dateTime"),
        "{message}"
    );
}

#[test]
fn anonymous_types_nest_and_repeat() {
    let parts = r#",{"name":"name","valueString":"contact"},{"name":"value","part":[
        {"name":"relationship","valueCodeableConcept":{"text":"a"}},{"name":"relationship","valueCodeableConcept":{"text":"b"}},
        {"name":"name","part":[{"name":"given","valueString":"X"},{"name":"given","valueString":"Y"}]},
        {"name":"gender","valueCode":"other"}]}"#;
    assert_eq!(
        after("add", "Patient", parts).unwrap(),
        with(
            r#"[{"gender":"male"}]"#,
            r#"[{"gender":"male"},{"relationship":[{"text":"a"},{"text":"b"}],"name":{"given":["X","Y"]},"gender":"other"}]"#
        )
    );
    let twice = r#",{"name":"name","valueString":"contact"},{"name":"value","part":[{"name":"gender","valueCode":"male"},{"name":"gender","valueCode":"other"}]}"#;
    assert!(
        refused(after("add", "Patient", twice))
            .1
            .contains("stands here twice")
    );
}

#[test]
fn lists_take_items_at_their_ends_and_when_they_are_absent() {
    let item = r#",{"name":"value","valueIdentifier":{"value":"1"}}"#;
    let index = |at: usize| format!(r#",{{"name":"index","valueInteger":{at}}}{item}"#);
    assert!(
        after("insert", "Patient.identifier", &index(0))
            .unwrap()
            .ends_with(r#","identifier":[{"value":"1"}]}"#)
    );
    let name = r#",{"name":"index","valueInteger":2},{"name":"value","valueHumanName":{"text":"x"}}"#;
    assert!(
        after("insert", "Patient.name", name)
            .unwrap()
            .contains(r#"},{"text":"x"}],"birthDate""#)
    );
    for (kind, path, more, words) in [
        (
            "insert",
            "Patient.identifier",
            index(1),
            "index 1 is beyond the end of the list, which has 0 items",
        ),
        (
            "insert",
            "Patient.name.where(given.exists())",
            name.to_owned(),
            "whole list",
        ),
        (
            "insert",
            "Patient.name.given",
            r#",{"name":"index","valueInteger":0},{"name":"value","valueString":"x"}"#.to_owned(),
            "",
        ),
        (
            "move",
            "Patient.name",
            r#",{"name":"source","valueInteger":2},{"name":"destination","valueInteger":0}"#.to_owned(),
            "source 2 is no item",
        ),
        (
            "move",
            "Patient.name",
            r#",{"name":"source","valueInteger":0},{"name":"destination","valueInteger":2}"#.to_owned(),
            "destination 2 is no item",
        ),
        (
            "insert",
            "Patient.birthDate",
            r#",{"name":"index","valueInteger":0},{"name":"value","valueDate":"2020"}"#.to_owned(),
            "whole list",
        ),
    ] {
        let result = after(kind, path, &more);
        if !words.is_empty() {
            let (code, message) = refused(result);
            assert_eq!(code, ErrorCode::Unprocessable);
            assert!(message.contains(words), "{path}: {message}");
        }
    }
}

#[test]
fn what_becomes_empty_goes() {
    assert_eq!(
        after("delete", "Patient.contact[0].gender", "").unwrap(),
        with(r#","contact":[{"gender":"male"}]"#, "")
    );
    assert_eq!(
        after("delete", "Patient.name[1].family", "").unwrap(),
        with(r#",{"family":"H\u00e4le"}"#, "")
    );
    assert_eq!(after("delete", "Patient.photo", "").unwrap(), PATIENT);
}

#[test]
fn an_operation_that_is_malformed_is_400_and_names_its_index() {
    let value = r#",{"name":"value","valueString":"x"}"#;
    for (parts, words) in [
        (part("drop", "Patient"), "not \"drop\""),
        (part("replace", "Patient.id"), "the part value is missing"),
        (
            part("delete", "Patient.id") + value,
            "has the parts type, path, and no \"value\"",
        ),
        (
            part("insert", "Patient.name") + value,
            "the part index is missing",
        ),
        (part("add", "Patient") + value, "the part name is missing"),
        (
            part("delete", "Patient.id") + r#",{"name":"type","valueCode":"add"}"#,
            "twice",
        ),
        (
            part("move", "Patient.name")
                + r#",{"name":"source","valueInteger":-1},{"name":"destination","valueInteger":0}"#,
            "whole number",
        ),
        (
            r#"{"name":"path","valueString":"Patient"}"#.to_owned(),
            "the part type is missing",
        ),
    ] {
        let patch = operations(&[&part("delete", "Patient.photo"), &parts]);
        let error = patched(&patch, PATIENT).unwrap_err();
        assert_eq!(error.code, ErrorCode::Structure, "{parts}");
        assert_eq!(
            error.issues[0].expression.as_deref(),
            Some("Parameters.parameter[1]")
        );
        assert!(error.issues[0].diagnostics.contains(words), "{:?}", error.issues);
    }
    let named = Patch::FhirPath(r#"{"resourceType":"Parameters","parameter":[{"name":"op"}]}"#.into());
    assert!(refused(patched(&named, PATIENT)).1.contains("not \"op\""));
}

#[test]
fn an_operation_that_does_not_fit_is_422_and_names_path_and_cure() {
    let value = r#",{"name":"value","valueString":"x"}"#;
    let add = |name: &str, value: &str| format!(r#",{{"name":"name","valueString":"{name}"}}{value}"#);
    for (kind, path, more, words) in [
        ("replace", "Patient.photo", value.to_owned(), "selects nothing"),
        ("replace", "Patient.name", value.to_owned(), "selects 2 elements"),
        ("replace", "Patient", value.to_owned(), "send it with PUT"),
        ("delete", "Patient", String::new(), "use DELETE"),
        (
            "delete",
            "Patient.name.count()",
            String::new(),
            "not a computed value",
        ),
        ("delete", "Patient.name.where(", String::new(), "expected"),
        (
            "add",
            "Patient",
            add("nickname", value),
            "Patient has no element \"nickname\"",
        ),
        (
            "add",
            "Patient",
            add("birthDate", r#",{"name":"value","valueDate":"2020"}"#),
            "use replace",
        ),
        (
            "add",
            "Patient",
            add("active", value),
            "is of type string, and Patient.active takes boolean",
        ),
        ("add", "Patient", add("contact", value), "takes Patient.contact"),
        ("add", "Patient", add("contained", value), "takes a resource"),
        (
            "replace",
            "Patient.name[0]",
            r#",{"name":"value","valueAddress":{"text":"x"}}"#.to_owned(),
            "takes HumanName",
        ),
    ] {
        let error = after(kind, path, &more).unwrap_err();
        assert_eq!(error.code, ErrorCode::Unprocessable, "{path}");
        assert_eq!(
            error.issues[0].expression.as_deref(),
            Some("Parameters.parameter[0]")
        );
        let message = &error.issues[0].diagnostics;
        assert!(
            message.starts_with("Operation 0 (") && message.contains(words),
            "{message}"
        );
    }
}

#[test]
fn a_resource_can_be_contained_and_reached_there() {
    let patch = operations(&[
        &format!(
            r#"{},{{"name":"name","valueString":"contained"}},{{"name":"value","resource":{{"resourceType":"Organization","id":"o","name":"x"}}}}"#,
            part("add", "Patient")
        ),
        &format!(
            r#"{},{{"name":"name","valueString":"managingOrganization"}},{{"name":"value","valueReference":{{"reference":"\#o"}}}}"#,
            part("add", "Patient")
        )
        .replace("\\#", "#"),
        &format!(
            r#"{},{{"name":"value","valueString":"y"}}"#,
            part("replace", "Patient.managingOrganization.resolve().name")
        ),
    ]);
    let result = patched(&patch, PATIENT).unwrap();
    assert!(
        result.contains(r#""contained":[{"resourceType":"Organization","id":"o","name":"y"}]"#),
        "{result}"
    );
}
