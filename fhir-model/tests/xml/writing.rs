//! Writing: what is escaped, what is left out, what is refused.

use fhir_model::xml::{Layout, WriteError};
use fhir_model::{Resource, json, xml};

fn resource(text: &str) -> Resource {
    json::from_str(text).unwrap()
}

fn error(text: &str) -> WriteError {
    xml::to_string(&resource(text)).expect_err(text)
}

#[test]
fn line_breaks_and_markup_in_values_survive() {
    let text = "a\nb\r\nc\td \"e\" 'f' <g> &h; é \u{1F600}\u{85}\u{2028} ]]>  ";
    let quoted = serde_json::to_string(text).unwrap();
    let patient = resource(&format!(
        r#"{{"resourceType":"Patient","name":[{{"id":{quoted},"text":{quoted}}}]}}"#
    ));
    let written = xml::to_string(&patient).unwrap();
    assert!(
        written.contains("a&#10;b&#13;&#10;c&#9;d &quot;e&quot; 'f' &lt;g&gt; &amp;h; é"),
        "{written}"
    );
    assert_eq!(xml::from_str(&written).unwrap(), patient);
}

#[test]
fn what_xml_cannot_carry_is_refused_with_its_place() {
    for (text, path, part) in [
        (
            r#"{"resourceType":"Patient","name":[{"given":["a","b\u0001"]}]}"#,
            "Patient.name[0].given[1]",
            "U+0001",
        ),
        (
            r#"{"resourceType":"Patient","name":[{"id":"\u000b","text":"a"}]}"#,
            "Patient.name[0].id",
            "U+000B",
        ),
        (
            r#"{"resourceType":"Patient","language":"\uffff"}"#,
            "Patient.language",
            "U+FFFF",
        ),
        (
            r#"{"resourceType":"Patient","_language":{"extension":[{"url":"\ufffe","valueCode":"a"}]}}"#,
            "Patient.language.extension[0].url",
            "U+FFFE",
        ),
        (
            r#"{"resourceType":"Patient","text":{"status":"empty","div":"<div>a<br></div>"}}"#,
            "Patient.text.div",
            "narrative",
        ),
        (
            r#"{"resourceType":"Patient","text":{"status":"empty","div":"a & b"}}"#,
            "Patient.text.div",
            "<div>",
        ),
        (
            r#"{"resourceType":"Patient","text":{"status":"empty","div":"<div>a</div></text><active value='true'/>"}}"#,
            "Patient.text.div",
            "narrative",
        ),
        (
            r#"{"resourceType":"Patient","text":{"status":"empty","div":"<div xmlns='http://hl7.org/fhir'/>"}}"#,
            "Patient.text.div",
            "namespace",
        ),
        (
            r#"{"resourceType":"Patient","text":{"status":"empty","div":"<div/>","_div":{"id":"x"}}}"#,
            "Patient.text.div",
            "no place",
        ),
        (
            r#"{"resourceType":"Bundle","type":"batch","entry":[{"resource":{"resourceType":"Patient","language":"\u0002"}}]}"#,
            "Bundle.entry[0].resource.language",
            "U+0002",
        ),
    ] {
        let error = error(text);
        assert_eq!(error.path, path, "{text}");
        assert!(error.message.contains(part), "{text}: {error}");
    }
}

#[test]
fn a_narrative_comes_back_byte_by_byte() {
    for div in [
        "<div xmlns=\"http://www.w3.org/1999/xhtml\">&lt;a&gt; &amp;amp; &#160;&#xA0;\u{A0}\n\t<p class='x'  >b</p ><!-- c --><br/></div>",
        "<div xmlns='http://www.w3.org/1999/xhtml'>\r\n<![CDATA[ <x> ]]><?php echo ?></div>",
        "<div xml:lang=\"cy\" lang=\"cy\" xmlns=\"http://www.w3.org/1999/xhtml\"><p>Llanfair</p></div>",
    ] {
        let quoted = serde_json::to_string(div).unwrap();
        let text = format!(r#"{{"resourceType":"Patient","text":{{"status":"generated","div":{quoted}}}}}"#);
        for written in [
            xml::to_string(&resource(&text)),
            xml::to_string_pretty(&resource(&text)),
        ] {
            assert_eq!(json::to_string(&xml::from_str(&written.unwrap()).unwrap()), text);
        }
    }
}

#[test]
fn html_entities_become_numbers_on_the_way_to_xml() {
    let text = r#"{"resourceType":"Patient","text":{"status":"generated","div":"<div title=\"&eacute;\">a&nbsp;b&amp;c</div>"}}"#;
    let written = xml::to_string(&resource(text)).unwrap();
    let div = "<div xmlns=\"http://www.w3.org/1999/xhtml\" title=\"&#233;\">a&#160;b&amp;c</div>";
    assert!(written.contains(div), "{written}");
    assert!(xml::from_str(&written).is_ok());
}

#[test]
fn elements_without_content_are_left_out() {
    use fhir_model::{HumanName, Patient};
    let patient = Patient {
        name: vec![
            HumanName::default(),
            HumanName {
                family: "Khan".into(),
                ..HumanName::default()
            },
        ],
        ..Patient::default()
    };
    let written = xml::to_string(&patient.into()).unwrap();
    assert!(
        written.ends_with("<name><family value=\"Khan\"/></name></Patient>"),
        "{written}"
    );
    assert!(!written.contains("<name/>"));
}

#[test]
fn pretty_puts_an_element_on_a_line() {
    let text = r#"{"resourceType":"Patient","contained":[{"resourceType":"Group"}],"name":[{"id":"n","given":["A","B"]}]}"#;
    let wanted = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Patient xmlns=\"http://hl7.org/fhir\">\n  <contained>\n    <Group/>\n  \
                  </contained>\n  <name id=\"n\">\n    <given value=\"A\"/>\n    <given value=\"B\"/>\n  </name>\n</Patient>\n";
    assert_eq!(xml::to_string_pretty(&resource(text)).unwrap(), wanted);
}

#[test]
fn only_selected_elements_are_written() {
    let bundle = resource(
        r#"{"resourceType":"Bundle","id":"b","type":"batch","entry":[{"fullUrl":"urn:x","resource":{"resourceType":"Patient","id":"p","active":true}}]}"#,
    );
    let mut out = String::new();
    let mut asked = Vec::new();
    xml::write_selected(&bundle, Layout::Compact, &mut out, &mut |info, field, depth| {
        asked.push(format!("{} {} {depth}", info.name, field.name));
        field.name != "active"
    })
    .unwrap();
    assert!(
        out.ends_with("<resource><Patient><id value=\"p\"/></Patient></resource></entry></Bundle>"),
        "{out}"
    );
    let mut of_json = Vec::new();
    json::write_selected(bundle.as_complex(), &mut Vec::new(), &mut |info, field, depth| {
        of_json.push(format!("{} {} {depth}", info.name, field.name));
        field.name != "active"
    });
    assert_eq!(asked, of_json, "JSON and XML ask the same questions");
}
