//! The rules of FHIR XML, one by one.

use fhir_model::read::{IssueKind, Limits, ReadError, ReadIssue, ReadOptions};
use fhir_model::{Resource, json, xml};

/// A Patient with that content, as JSON.
fn patient(content: &str) -> Result<String, ReadError> {
    xml::from_str(&format!(
        "<Patient xmlns=\"http://hl7.org/fhir\">{content}</Patient>"
    ))
    .map(|r| json::to_string(&r))
}

/// What is said of a document that must be refused.
pub(crate) fn refused(document: &str) -> Vec<ReadIssue> {
    match xml::from_str(document) {
        Ok(resource) => panic!("{document} was read as {resource:?}"),
        Err(error) => error.issues,
    }
}

fn refused_patient(content: &str) -> Vec<ReadIssue> {
    refused(&format!(
        "<Patient xmlns=\"http://hl7.org/fhir\">{content}</Patient>"
    ))
}

#[test]
fn a_patient_is_read_from_every_way_to_write_it() {
    let plain = r#"{"resourceType":"Patient","id":"a","active":true}"#;
    for document in [
        "<Patient xmlns='http://hl7.org/fhir'><id value='a'/><active value='true'/></Patient>",
        "<?xml version='1.0' encoding='utf-8'?>\r\n<Patient xmlns=\"http://hl7.org/fhir\" >\n <id value = 'a' />\n\
         <active value=\"true\"></active></Patient >\n",
        "\u{FEFF}<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?><Patient xmlns='http://hl7.org/fhir'>\
         <id value='a'/><active value='true'/></Patient>",
        "<f:Patient xmlns:f='http://hl7.org/fhir'><f:id value='a'/><f:active value='true'/></f:Patient>",
        "<Patient xmlns='http://hl7.org/fhir' xmlns:g='http://hl7.org/fhir'><g:id value='&#97;'/>\
         <active xmlns='http://hl7.org/fhir' value='&#x74;rue'/></Patient>",
        "<!-- a --><?xml-stylesheet href='http://example.org/a.xsl'?><Patient xmlns='http://hl7.org/fhir'><!-- b --><id value='a'/>\
         <?go on?><active value='true'><!-- c --></active></Patient><!-- d --><?e?>",
        "<Patient xmlns='http://hl7.org/fhir' xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' \
         xsi:schemaLocation='http://hl7.org/fhir http://example.org/patient.xsd'><id value='a'/><active value='true'/></Patient>",
    ] {
        assert_eq!(
            xml::from_str(document).map(|r| json::to_string(&r)).unwrap(),
            plain,
            "{document}"
        );
    }
}

#[test]
fn every_shape_of_element_has_its_place() {
    for (content, wanted) in [
        (
            "<name><given value='A'/><given value='B'/></name>",
            r#""name":[{"given":["A","B"]}]"#,
        ),
        (
            "<deceasedDateTime value='2020-01'/>",
            r#""deceasedDateTime":"2020-01""#,
        ),
        ("<multipleBirthInteger value='2'/>", r#""multipleBirthInteger":2"#),
        (
            "<maritalStatus id='m'><text value='x'/></maritalStatus>",
            r#""maritalStatus":{"id":"m","text":"x"}"#,
        ),
        (
            "<extension url='http://e'><valueDecimal value='1.50'/></extension>",
            r#""extension":[{"url":"http://e","valueDecimal":1.50}]"#,
        ),
        (
            "<birthDate id='b' value='1970-03-30'><extension url='http://e'><valueString value='x'/></extension></birthDate>",
            r#""birthDate":"1970-03-30","_birthDate":{"id":"b","extension":[{"url":"http://e","valueString":"x"}]}"#,
        ),
        (
            "<name><given value='A'/><given id='g'/></name>",
            r#""name":[{"given":["A",null],"_given":[null,{"id":"g"}]}]"#,
        ),
        (
            "<contained><Organization><id value='o'/></Organization></contained><contained><Group/></contained>",
            r#""contained":[{"resourceType":"Organization","id":"o"},{"resourceType":"Group"}]"#,
        ),
        (
            "<text><status value='empty'/><div xmlns='http://www.w3.org/1999/xhtml'>a &amp; <b>b</b></div></text>",
            r#""text":{"status":"empty","div":"<div xmlns='http://www.w3.org/1999/xhtml'>a &amp; <b>b</b></div>"}"#,
        ),
        (
            "<language value=' a  b&#10;c&#9;d&quot; '/>",
            r#""language":" a  b\nc\td\" ""#,
        ),
    ] {
        assert_eq!(
            patient(content).unwrap(),
            format!("{{\"resourceType\":\"Patient\",{wanted}}}"),
            "{content}"
        );
    }
}

#[test]
fn resources_in_a_bundle_stand_in_their_element() {
    let document = "<Bundle xmlns='http://hl7.org/fhir'><type value='collection'/><entry><resource><Patient>\
                    <active value='true'/></Patient></resource></entry></Bundle>";
    let wanted = r#"{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"Patient","active":true}}]}"#;
    assert_eq!(json::to_string(&xml::from_str(document).unwrap()), wanted);
}

#[test]
fn every_problem_is_named_with_its_path() {
    use IssueKind::{Duplicate, Order, Structure, Unknown, Value};
    for (content, kind, path, part) in [
        ("<nmae/>", Unknown, "Patient.nmae", "did you mean \"name\"?"),
        (
            "<name><nick value='x'/></name>",
            Unknown,
            "Patient.name[0].nick",
            "in HumanName",
        ),
        (
            "<active foo='x' value='true'/>",
            Unknown,
            "Patient.active.foo",
            "no attribute \"foo\"",
        ),
        (
            "<name value='x'/>",
            Unknown,
            "Patient.name[0].value",
            "no attribute \"value\"",
        ),
        (
            "<name xml:lang='cy'><text value='a'/></name>",
            Unknown,
            "Patient.name[0].lang",
            "xml:lang",
        ),
        ("<value/>", Unknown, "Patient.value", "no element \"value\""),
        (
            "<extension url='u'><value value='a'/></extension>",
            Unknown,
            "Patient.extension[0].value",
            "Extension",
        ),
        (
            "<extension><url value='u'/></extension>",
            Unknown,
            "Patient.extension[0].url",
            "no element \"url\"",
        ),
        (
            "<deceasedString value='x'/>",
            Unknown,
            "Patient.deceasedString",
            "deceased",
        ),
        (
            "<name xmlns=''><text value='a'/></name>",
            Unknown,
            "Patient.name",
            "must be in the namespace http://hl7.org/fhir",
        ),
        (
            "<x:name xmlns:x='urn:x'/>",
            Unknown,
            "Patient.name",
            "must be in the namespace http://hl7.org/fhir",
        ),
        (
            "<text><div>a</div></text>",
            Unknown,
            "Patient.text.div",
            "http://www.w3.org/1999/xhtml",
        ),
        (
            "<resourceType value='Patient'/>",
            Unknown,
            "Patient.resourceType",
            "no element",
        ),
        (
            "<active value='true'/><active value='true'/>",
            Duplicate,
            "Patient",
            "second time",
        ),
        (
            "<active value='x'/><active value='true'/>",
            Order,
            "Patient",
            "too late",
        ),
        (
            "<deceasedBoolean value='true'/><deceasedDateTime value='2020'/>",
            Duplicate,
            "Patient",
            "deceased[x]",
        ),
        (
            "<birthDate value='2020'/><active value='true'/>",
            Order,
            "Patient",
            "\"active\" comes too late",
        ),
        (
            "<name><given value='a'/><family value='b'/></name>",
            Order,
            "Patient.name[0]",
            "\"family\" comes too late",
        ),
        (
            "<name><text value='a'/></name><active value='true'/><name><text value='b'/></name>",
            Order,
            "Patient",
            "name",
        ),
        (
            "<active value='true'><extension url='u'><id value='x'/></extension></active>",
            Unknown,
            "Patient.active.extension[0].id",
            "id",
        ),
        ("<active value=''/>", Value, "Patient.active", "empty"),
        (
            "<name id=''><text value='a'/></name>",
            Value,
            "Patient.name[0]",
            "id is empty",
        ),
        ("<active value='yes'/>", Value, "Patient.active", "true or false"),
        (
            "<active value=' true'/>",
            Value,
            "Patient.active",
            "true or false",
        ),
        (
            "<birthDate value='1980-02-30'/>",
            Value,
            "Patient.birthDate",
            "1980-02-30",
        ),
        (
            "<multipleBirthInteger value='1.5'/>",
            Value,
            "Patient.multipleBirth",
            "1.5",
        ),
        (
            "<extension url='u'><valueDecimal value='+1'/></extension>",
            Value,
            "Patient.extension[0].value",
            "+1",
        ),
        ("<active/>", Structure, "Patient.active", "empty"),
        (
            "<name> <!-- nobody --> </name>",
            Structure,
            "Patient.name[0]",
            "empty",
        ),
        (
            "text",
            Structure,
            "Patient",
            "Text where only elements belong: \"text\"",
        ),
        (
            "<active>true</active>",
            Structure,
            "Patient.active",
            "attribute `value`",
        ),
        ("<![CDATA[ ]]>", Structure, "Patient", "Text"),
        ("&#65;", Structure, "Patient", "Text"),
        (
            "<contained/>",
            Structure,
            "Patient.contained[0]",
            "must be a resource",
        ),
        (
            "<contained><Patient/><Patient/></contained>",
            Structure,
            "Patient.contained[0]",
            "not several",
        ),
        (
            "<contained><Patent/></contained>",
            Unknown,
            "Patient.contained[0]",
            "did you mean \"Patient\"?",
        ),
        (
            "<contained id='x'><Patient/></contained>",
            Unknown,
            "Patient.contained[0].id",
            "id",
        ),
        (
            "<contained><Patient id='x'/></contained>",
            Unknown,
            "Patient.contained[0].id",
            "id",
        ),
    ] {
        let issues = refused_patient(content);
        let wanted = |i: &ReadIssue| i.kind == kind && i.path.starts_with(path) && i.message.contains(part);
        assert!(issues.iter().any(wanted), "{content}: {issues:?}");
    }
}

#[test]
fn the_root_must_be_a_resource_of_fhir() {
    for (document, part) in [
        ("<Patient/>", "declare xmlns=\"http://hl7.org/fhir\""),
        (
            "<Patient xmlns='http://hl7.org/fhir/'/>",
            "not in the namespace of FHIR",
        ),
        (
            "<Patient xmlns='urn:hl7-org:v3'/>",
            "not in the namespace of FHIR",
        ),
        (
            "<patient xmlns='http://hl7.org/fhir'/>",
            "did you mean \"Patient\"?",
        ),
        ("<HumanName xmlns='http://hl7.org/fhir'/>", "no resource type"),
        ("<Resource xmlns='http://hl7.org/fhir'/>", "no resource type"),
        (
            "<Patient xmlns='http://hl7.org/fhir' id='a'/>",
            "no attribute \"id\" in Patient",
        ),
        (
            "<Patient xmlns='http://hl7.org/fhir' schemaLocation='a'/>",
            "no attribute",
        ),
    ] {
        let issues = refused(document);
        assert!(
            issues.iter().any(|i| i.message.contains(part)),
            "{document}: {issues:?}"
        );
    }
    assert_eq!(
        xml::from_str("<Patient xmlns='http://hl7.org/fhir'/>").unwrap(),
        Resource::new("Patient").unwrap()
    );
}

#[test]
fn all_problems_are_collected_with_line_and_column() {
    let issues =
        refused("<Patient xmlns='http://hl7.org/fhir'>\n  <é/> <name>\n<x/><y z='1'/></name>\n</Patient>");
    let seen: Vec<_> = issues
        .iter()
        .map(|i| (i.path.as_str(), i.line, i.column))
        .collect();
    assert_eq!(
        seen,
        [
            ("Patient.é", 2, 3),
            ("Patient.name[0].x", 3, 1),
            ("Patient.name[0].y", 3, 5)
        ]
    );

    let many = refused_patient(&"<x/>".repeat(10_000));
    assert_eq!(many.len(), Limits::default().issues);
}

#[test]
fn what_is_not_well_formed_ends_the_reading_but_keeps_what_was_found() {
    let issues = refused("<Patient xmlns='http://hl7.org/fhir'><x/><name></nme></Patient>");
    let seen: Vec<_> = issues.iter().map(|i| (i.kind, i.path.as_str())).collect();
    assert_eq!(
        seen,
        [
            (IssueKind::Unknown, "Patient.x"),
            (IssueKind::Syntax, "Patient.name[0]")
        ]
    );
}

#[test]
fn lenient_reading_reports_unknown_parts_as_written() {
    let document = "<Patient xmlns='http://hl7.org/fhir'><pet a='1'> <name value='Rex'/></pet><active x=\"2\" value='true'/>\
                    <name><nick/><text value='a'/></name></Patient>";
    let read = xml::read(document.as_bytes(), &ReadOptions::lenient()).unwrap();
    assert_eq!(
        json::to_string(&read.value),
        r#"{"resourceType":"Patient","active":true,"name":[{"text":"a"}]}"#
    );
    let unknown: Vec<_> = read
        .unknown
        .iter()
        .map(|u| (u.path.as_str(), u.raw.as_str()))
        .collect();
    assert_eq!(
        unknown,
        [
            ("Patient.pet", "<pet a='1'> <name value='Rex'/></pet>"),
            ("Patient.active.x", "x=\"2\""),
            ("Patient.name[0].nick", "<nick/>"),
        ]
    );
    let late = document.replace("<pet", "<birthDate value='2020'/><pet");
    assert!(
        xml::read(late.as_bytes(), &ReadOptions::lenient()).is_err(),
        "the order counts in lenient mode too"
    );
}

#[test]
fn limits_are_kept() {
    let options = |limits| ReadOptions {
        limits,
        ..ReadOptions::default()
    };
    let document = b"<Patient xmlns='http://hl7.org/fhir'><active value='true'/></Patient>";
    for limits in [
        Limits {
            bytes: document.len() - 1,
            ..Limits::default()
        },
        Limits {
            elements: 1,
            ..Limits::default()
        },
        Limits {
            depth: 0,
            ..Limits::default()
        },
    ] {
        let error = xml::read(document, &options(limits)).unwrap_err();
        assert_eq!(error.issues[0].kind, IssueKind::Limit, "{error}");
    }
    let exact = Limits {
        bytes: document.len(),
        elements: 2,
        depth: 1,
        ..Limits::default()
    };
    assert!(xml::read(document, &options(exact)).is_ok());
}

#[test]
fn depth_is_that_of_json() {
    let document = |levels: usize| {
        let (open, close) = (
            "<extension url='u'>".repeat(levels),
            "</extension>".repeat(levels),
        );
        format!("<Patient xmlns='http://hl7.org/fhir'>{open}<valueString value='a'/>{close}</Patient>")
    };
    assert!(xml::from_str(&document(63)).is_ok());
    assert_eq!(refused(&document(64))[0].kind, IssueKind::Limit);

    // Whatever JSON takes, XML takes: each level of an extension counts twice there.
    let deepest = |levels: usize| {
        let (open, close) = (r#""extension":[{"url":"u","#.repeat(levels), "}]".repeat(levels));
        format!(r#"{{"resourceType":"Patient",{open}"valueString":"a"{close}}}"#)
    };
    let mut levels = 1;
    while let Ok(resource) = json::from_str(&deepest(levels)) {
        assert_eq!(
            xml::from_str(&xml::to_string(&resource).unwrap()).unwrap(),
            resource
        );
        levels += 1;
    }
    assert!(levels > 20);
}
