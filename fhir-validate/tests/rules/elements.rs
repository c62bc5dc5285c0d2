//! Elements: narratives, primitives, contained resources, references, extensions.

use serde_json::{Value, json};

use super::hold;

#[test]
fn narratives_have_what_html_may_have_there() {
    let with = |inside: &str| json!({"resourceType": "Patient", "text": {"status": "generated", "div": format!("<div xmlns=\"http://www.w3.org/1999/xhtml\">{inside}</div>")}});
    let mut cases = vec![
        (
            "plain",
            with("<p>a <b>b</b> <i class=\"x\" style=\"color:red\" lang=\"en\" title=\"t\">c</i><br/></p>"),
            "",
        ),
        (
            "a table",
            with(
                "<table border=\"1\"><caption>c</caption><thead><tr><th colspan=\"2\">a</th></tr></thead><tbody><tr><td rowspan=\"1\">b</td></tr></tbody></table>",
            ),
            "",
        ),
        (
            "an image",
            with("<img src=\"http://a.example/x.png\" alt=\"x\"/>"),
            "",
        ),
        (
            "a link to itself",
            with("<a name=\"x\">b</a><a href=\"#x\">c</a>"),
            "",
        ),
        ("entities", with("a &amp; b &#160; c &lt;"), ""),
        (
            "lists",
            with("<ul><li>a</li></ul><ol><li>b</li></ol><dl><dt>c</dt><dd>d</dd></dl>"),
            "",
        ),
        (
            "a link to nothing",
            with("<a href=\"#y\">c</a>"),
            "Patient.text.div",
        ),
        ("white space", with("  "), "Patient.text.div"),
        (
            "no namespace",
            json!({"resourceType": "Patient", "text": {"status": "generated", "div": "<div>a</div>"}}),
            "Patient.text.div",
        ),
        (
            "another root",
            json!({"resourceType": "Patient", "text": {"status": "generated", "div": "<p xmlns=\"http://www.w3.org/1999/xhtml\">a</p>"}}),
            "Patient.text.div",
        ),
        ("not closed", with("<p>a"), "Patient.text.div"),
        (
            "no status",
            json!({"resourceType": "Patient", "text": {"div": "<div xmlns=\"http://www.w3.org/1999/xhtml\">a</div>"}}),
            "Patient.text.status",
        ),
    ];
    for bad in [
        "<script>x</script>",
        "<form action=\"x\">a</form>",
        "<input value=\"a\"/>",
        "<iframe src=\"x\">a</iframe>",
        "<object data=\"x\">a</object>",
        "<p onclick=\"x()\">a</p>",
        "<a href=\"javascript:x()\">a</a>",
        "<link href=\"x\"/>",
        "<base href=\"x\"/>",
        "<style>p {}</style>",
        "<body>a</body>",
        "<video src=\"x\">a</video>",
        "<button>a</button>",
        "<p data-x=\"y\">a</p>",
        "<svg>a</svg>",
        "<embed src=\"x\"/>a",
        "<frame src=\"x\"/>a",
    ] {
        cases.push((bad, with(bad), "Patient.text.div"));
    }
    hold(cases);
}

#[test]
fn primitives_have_their_form() {
    let born = |date: &str| json!({"resourceType": "Patient", "birthDate": date});
    let observed = |value: Value| {
        let mut all = json!({"resourceType": "Observation", "status": "final", "code": {"text": "c"}});
        all.as_object_mut()
            .unwrap()
            .extend(value.as_object().unwrap().clone());
        all
    };
    let named = |text: &str| json!({"resourceType": "Patient", "name": [{"family": text}]});
    hold(vec![
        ("a leap day", born("2024-02-29"), ""),
        ("no leap day", born("2023-02-29"), "Patient.birthDate"),
        (
            "no leap day of a century",
            born("1900-02-29"),
            "Patient.birthDate",
        ),
        ("month 13", born("2023-13"), "Patient.birthDate"),
        ("the 31st of April", born("2023-04-31"), "Patient.birthDate"),
        ("a short year", born("99"), "Patient.birthDate"),
        ("a time", born("2023-01-01T00:00:00Z"), "Patient.birthDate"),
        (
            "a time without a zone",
            observed(json!({"effectiveDateTime": "2023-01-01T10:00:00"})),
            "Observation.effective",
        ),
        (
            "a time without seconds",
            observed(json!({"effectiveDateTime": "2023-01-01T10:00Z"})),
            "Observation.effective",
        ),
        (
            "hour 24",
            observed(json!({"effectiveDateTime": "2023-01-01T24:00:00Z"})),
            "Observation.effective",
        ),
        (
            "a leap second",
            observed(json!({"effectiveDateTime": "2016-12-31T23:59:60Z"})),
            "",
        ),
        (
            "an instant by the day",
            observed(json!({"issued": "2023-01-01"})),
            "Observation.issued",
        ),
        ("a control character", named("a\u{7}b"), "Patient.name[0].family"),
        ("only white space", named("  "), "Patient.name[0].family"),
        ("an empty text", named(""), "Patient.name[0].family"),
        (
            "an id too long",
            json!({"resourceType": "Patient", "id": "x".repeat(65)}),
            "Patient.id",
        ),
        (
            "an id with a line",
            json!({"resourceType": "Patient", "id": "a_b"}),
            "Patient.id",
        ),
        (
            "a negative positiveInt",
            json!({"resourceType": "Patient", "telecom": [{"system": "phone", "value": "1", "rank": 0}]}),
            "Patient.telecom[0].rank",
        ),
        ("a zero", observed(json!({"valueInteger": 0})), ""),
        (
            "an OID",
            json!({"resourceType": "Patient", "identifier": [{"system": "urn:oid:1.02.3", "value": "1"}]}),
            "Patient.identifier[0].system",
        ),
        (
            "a UUID",
            json!({"resourceType": "Patient", "identifier": [{"system": "urn:uuid:12", "value": "1"}]}),
            "Patient.identifier[0].system",
        ),
        (
            "a system with white space",
            json!({"resourceType": "Patient", "identifier": [{"system": "http://a b", "value": "1"}]}),
            "Patient.identifier[0].system",
        ),
        (
            "base64 of a wrong length",
            json!({"resourceType": "Binary", "contentType": "text/css", "data": "QUJ"}),
            "Binary.data",
        ),
        (
            "a code with two spaces",
            json!({"resourceType": "Patient", "gender": "ma  le"}),
            "Patient.gender",
        ),
        (
            "a period that ends before",
            json!({"resourceType": "Patient", "name": [{"family": "f", "period": {"start": "2026", "end": "2025"}}]}),
            "Patient.name[0].period",
        ),
        (
            "a media type",
            json!({"resourceType": "Binary", "contentType": "x-world/x-3dmf;charset=utf-8;q=\"a b\""}),
            "",
        ),
        (
            "no media type",
            json!({"resourceType": "Binary", "contentType": "json"}),
            "Binary.contentType",
        ),
    ]);
}

#[test]
fn contained_resources_and_references_fit_together() {
    let organization = |id: &str| json!({"resourceType": "Organization", "id": id, "name": "n"});
    let mut nested = organization("o");
    nested["contained"] = json!([organization("p")]);
    let mut with_meta = organization("o");
    with_meta["meta"] = json!({"versionId": "1"});
    let mut labelled = organization("o");
    labelled["meta"] = json!({"security": [{"code": "R"}]});
    let patient = |contained: Value, reference: Value| json!({"resourceType": "Patient", "contained": contained, "managingOrganization": reference});
    let to = |reference: &str| json!({"reference": reference});
    hold(vec![
        ("good", patient(json!([organization("o")]), to("#o")), ""),
        (
            "nowhere",
            patient(json!([organization("o")]), to("#p")),
            "Patient.managingOrganization",
        ),
        (
            "not referred to",
            patient(json!([organization("o"), organization("p")]), to("#o")),
            "Patient",
        ),
        ("nested", patient(json!([nested]), to("#o")), "Patient"),
        ("a version", patient(json!([with_meta]), to("#o")), "Patient"),
        ("a label", patient(json!([labelled]), to("#o")), "Patient"),
        (
            "another type",
            patient(json!([{"resourceType": "Location", "id": "l"}]), to("#l")),
            "Patient.managingOrganization",
        ),
        (
            "a type that is named",
            patient(
                json!([organization("o")]),
                json!({"reference": "#o", "type": "Organization"}),
            ),
            "",
        ),
        (
            "another that is named",
            patient(
                json!([organization("o")]),
                json!({"reference": "#o", "type": "Location"}),
            ),
            "Patient.managingOrganization",
        ),
        (
            "another in its words",
            json!({"resourceType": "Patient", "managingOrganization": {"reference": "Organization/1", "type": "Location"}}),
            "Patient.managingOrganization",
        ),
        (
            "another target",
            json!({"resourceType": "Patient", "managingOrganization": {"reference": "Patient/1"}}),
            "Patient.managingOrganization",
        ),
        (
            "a version of it",
            json!({"resourceType": "Patient", "managingOrganization": {"reference": "Organization/1/_history/2"}}),
            "",
        ),
        (
            "elsewhere",
            json!({"resourceType": "Patient", "managingOrganization": {"reference": "http://a.example/Organization/1"}}),
            "",
        ),
        (
            "display alone",
            json!({"resourceType": "Patient", "managingOrganization": {"display": "d"}}),
            "",
        ),
        (
            "nothing",
            json!({"resourceType": "Patient", "managingOrganization": {"id": "x"}}),
            "Patient.managingOrganization",
        ),
    ]);
}

#[test]
fn extensions_stand_where_they_may() {
    let on = |extension: Value| json!({"resourceType": "Patient", "extension": [extension]});
    let url = "http://hl7.org/fhir/StructureDefinition/";
    let of = |name: &str, key: &str, value: Value| json!({"url": format!("{url}{name}"), key: value});
    let part = |name: &str, key: &str, value: Value| json!({"url": name, key: value});
    let nationality = |parts: Value| json!({"url": format!("{url}patient-nationality"), "extension": parts});
    hold(vec![
        (
            "good",
            on(of("patient-birthPlace", "valueAddress", json!({"city": "c"}))),
            "",
        ),
        (
            "another value",
            on(of("patient-birthPlace", "valueString", json!("c"))),
            "Patient.extension[0].value.ofType(string)",
        ),
        (
            "another element",
            json!({"resourceType": "Patient", "name": [{"family": "f", "extension": [of("patient-birthPlace", "valueAddress", json!({"city": "c"}))]}]}),
            "Patient.name[0]",
        ),
        (
            "another resource",
            json!({"resourceType": "Group", "type": "person", "actual": true, "extension": [of("patient-birthPlace", "valueAddress", json!({"city": "c"}))]}),
            "Group",
        ),
        (
            "as a modifier",
            json!({"resourceType": "Patient", "modifierExtension": [of("patient-birthPlace", "valueAddress", json!({"city": "c"}))]}),
            "Patient.modifierExtension[0]",
        ),
        (
            "parts",
            on(nationality(json!([part(
                "code",
                "valueCodeableConcept",
                json!({"text": "t"})
            )]))),
            "",
        ),
        (
            "an unknown part",
            on(nationality(json!([part(
                "kode",
                "valueCodeableConcept",
                json!({"text": "t"})
            )]))),
            "Patient.extension[0].extension[0]",
        ),
        (
            "a part twice",
            on(nationality(json!([
                part("code", "valueCodeableConcept", json!({"text": "t"})),
                part("code", "valueCodeableConcept", json!({"text": "u"}))
            ]))),
            "Patient.extension[0]",
        ),
        (
            "a value for parts",
            on(of("patient-nationality", "valueString", json!("x"))),
            "Patient.extension[0]",
        ),
        (
            "both",
            json!({"resourceType": "Patient", "extension": [{"url": "http://b.test/x", "valueString": "a", "extension": [part("a", "valueString", json!("b"))]}]}),
            "Patient.extension[0]",
        ),
        (
            "neither",
            json!({"resourceType": "Patient", "extension": [{"url": "http://b.test/x"}]}),
            "Patient.extension[0]",
        ),
        (
            "a relative url",
            on(json!({"url": "x", "valueString": "a"})),
            "Patient.extension[0].url",
        ),
        (
            "no url",
            on(json!({"valueString": "a"})),
            "Patient.extension[0].url",
        ),
        (
            "of a primitive",
            json!({"resourceType": "Patient", "birthDate": "2026-01-01", "_birthDate": {"extension": [of("patient-birthTime", "valueDateTime", json!("2026-01-01T10:00:00Z"))]}}),
            "",
        ),
        (
            "of another primitive",
            json!({"resourceType": "Patient", "gender": "male", "_gender": {"extension": [of("patient-birthTime", "valueDateTime", json!("2026-01-01T10:00:00Z"))]}}),
            "Patient.gender",
        ),
    ]);
}
