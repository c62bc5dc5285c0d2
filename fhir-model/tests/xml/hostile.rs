//! Hostile documents: entities, external hints, encodings, and documents made to cost time or memory.

use std::time::{Duration, Instant};

use fhir_model::read::IssueKind;
use fhir_model::xml;

use crate::rules::refused;

const PATIENT: &str = "<Patient xmlns='http://hl7.org/fhir'><active value='true'/></Patient>";

/// A Patient around that content.
fn around(content: &str) -> String {
    format!("<Patient xmlns='http://hl7.org/fhir'>{content}</Patient>")
}

#[test]
fn document_type_declarations_are_refused_before_their_content() {
    let laughs: String = (1..10)
        .map(|i| format!("<!ENTITY l{i} \"{}\">", format!("&l{};", i - 1).repeat(10)))
        .collect();
    for declaration in [
        "<!DOCTYPE Patient>".to_owned(),
        "<!DOCTYPE Patient []>".to_owned(),
        "<!doctype Patient>".to_owned(),
        "<!DOCTYPE Patient SYSTEM 'http://example.org/a.dtd'>".to_owned(),
        "<!DOCTYPE Patient SYSTEM 'file:///etc/passwd'>".to_owned(),
        "<!DOCTYPE Patient PUBLIC '-//X//Y' 'http://example.org/a.dtd'>".to_owned(),
        "<!DOCTYPE Patient [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>".to_owned(),
        "<!DOCTYPE Patient [<!ENTITY % p SYSTEM 'http://example.org/a.dtd'> %p;]>".to_owned(),
        "<!DOCTYPE Patient [<!ENTITY x 'true'>]>".to_owned(),
        "<!DOCTYPE Patient [<!ATTLIST active value CDATA 'true'>]>".to_owned(),
        "<!DOCTYPE Patient [<!ELEMENT Patient ANY>]>".to_owned(),
        "<!DOCTYPE Patient [<!NOTATION n SYSTEM 'calc.exe'>]>".to_owned(),
        format!("<!DOCTYPE Patient [<!ENTITY l0 'ha'>{laughs}]>"),
        format!("<!DOCTYPE Patient [<!ENTITY q '{}'>]>", "a".repeat(1 << 20)),
        "<!DOCTYPE".to_owned(),
        "<!DOCTYPE Patient [ <!-- ".to_owned(),
        "<!ENTITY x 'y'>".to_owned(),
        "<![INCLUDE[ x ]]>".to_owned(),
        "<!".to_owned(),
        "<!>".to_owned(),
    ] {
        for document in [
            format!("{declaration}{PATIENT}"),
            format!("<?xml version='1.0'?>\n<!-- a -->{declaration}{PATIENT}"),
            format!("{PATIENT}{declaration}"),
            around(&declaration),
            around(&format!(
                "<text><status value='empty'/><div xmlns='http://www.w3.org/1999/xhtml'>{declaration}</div></text>"
            )),
        ] {
            let issues = refused(&document);
            assert_eq!(issues.len(), 1);
            assert_eq!(issues[0].kind, IssueKind::Syntax);
            assert!(
                issues[0].message.contains("<!DOCTYPE) is not accepted"),
                "{}: {:?}",
                &document[..80.min(document.len())],
                issues
            );
        }
    }
}

#[test]
fn entities_and_references_that_xml_does_not_declare_are_refused() {
    for reference in [
        "&xxe;",
        "&nbsp;",
        "&#0;",
        "&#x0;",
        "&#1;",
        "&#xD800;",
        "&#xDFFF;",
        "&#xFFFE;",
        "&#x110000;",
        "&#99999999999999999999;",
        "&;",
        "&#;",
        "&#x;",
        "&#xZZ;",
        "&amp",
        "&",
        "& amp;",
        "&am p;",
        "&AMP;",
        "&%p;",
        "&#-1;",
        "&lol9;",
    ] {
        for document in [
            around(&format!("<language value='{reference}'/>")),
            around(&format!("<language foo='{reference}' value='en'/>")),
            around(&format!(
                "<text><status value='empty'/><div xmlns='http://www.w3.org/1999/xhtml'>{reference}</div></text>"
            )),
            around(&format!(
                "<text><status value='empty'/><div xmlns='http://www.w3.org/1999/xhtml' title='{reference}'/></text>"
            )),
            around(reference),
            format!("{reference}{PATIENT}"),
        ] {
            assert!(
                refused(&document).iter().any(|i| i.kind == IssueKind::Syntax),
                "{document}"
            );
        }
    }
}

#[test]
fn what_reaches_outside_is_refused_or_not_followed() {
    for content in [
        "<xi:include xmlns:xi='http://www.w3.org/2001/XInclude' href='file:///etc/passwd' parse='text'/>",
        "<include xmlns='http://www.w3.org/2001/XInclude' href='http://example.org/a.xml'/>",
        "<active xsi:type='x' xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' value='true'/>",
        "<active xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:schemaLocation='a b' value='true'/>",
        "<active xml:base='http://example.org/' value='true'/>",
        "<active xlink:href='http://example.org/' xmlns:xlink='http://www.w3.org/1999/xlink' value='true'/>",
    ] {
        assert!(
            refused(&around(content))
                .iter()
                .all(|i| i.kind == IssueKind::Unknown),
            "{content}"
        );
    }
}

#[test]
fn other_encodings_are_refused_with_their_name() {
    let utf_16 = |bytes: fn(u16) -> [u8; 2]| PATIENT.encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
    let marked = |mark: &[u8], rest: &[u8]| [mark, rest].concat();
    let utf_7 = "+ADw-Patient xmlns='http://hl7.org/fhir'+AD4APA-/Patient+AD4-";
    for (document, name) in [
        (marked(&[0xFF, 0xFE], &utf_16(u16::to_le_bytes)), "UTF-16"),
        (marked(&[0xFE, 0xFF], &utf_16(u16::to_be_bytes)), "UTF-16"),
        (utf_16(u16::to_le_bytes), "UTF-16"),
        (utf_16(u16::to_be_bytes), "UTF-16"),
        (
            PATIENT.chars().flat_map(|c| u32::from(c).to_be_bytes()).collect(),
            "UTF-32",
        ),
        (
            PATIENT.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect(),
            "UTF-32",
        ),
        (utf_7.as_bytes().to_vec(), "UTF-7"),
        (marked(b"+/v8-", PATIENT.as_bytes()), "UTF-7"),
        (
            format!("<?xml version='1.0' encoding='UTF-7'?>{utf_7}").into_bytes(),
            "UTF-7",
        ),
        (
            format!("<?xml version='1.0' encoding='UTF-16'?>{PATIENT}").into_bytes(),
            "UTF-16",
        ),
        (
            format!("<?xml version='1.0' encoding='ISO-8859-1'?>{PATIENT}").into_bytes(),
            "ISO-8859-1",
        ),
        (
            format!("<?xml version='1.0' encoding='ebcdic-cp-us'?>{PATIENT}").into_bytes(),
            "ebcdic-cp-us",
        ),
        (
            format!("<?xml version='1.1'?>{PATIENT}").into_bytes(),
            "version=\"1.0\"",
        ),
        (
            marked(&[0xEF, 0xBB, 0xBF, 0xEF, 0xBB, 0xBF], PATIENT.as_bytes()),
            "byte order mark",
        ),
        (PATIENT.replace("true", "\0").into_bytes(), "U+0000"),
        (PATIENT.replace("true", "\u{FFFE}").into_bytes(), "U+FFFE"),
        (marked(b"<Patient a='\xC0\xBC' ", PATIENT.as_bytes()), "UTF-8"),
        (marked(b"\xED\xA0\x80", PATIENT.as_bytes()), "UTF-8"),
    ] {
        let error = xml::from_slice(&document).unwrap_err();
        assert!(error.issues[0].message.contains(name), "{name}: {error}");
    }
}

#[test]
fn what_is_not_well_formed_is_refused() {
    for document in [
        "",
        " ",
        "\n",
        "text",
        "<",
        "<>",
        "</Patient>",
        "<Patient",
        "<Patient xmlns='http://hl7.org/fhir'>",
        "&amp;",
        "<!-- a -->",
        "<?xml version='1.0'?>",
        "<![CDATA[a]]>",
        "<1/>",
        "< Patient/>",
        "<Patient xmlns='http://hl7.org/fhir'/",
        "<Patient xmlns='http://hl7.org/fhir/>",
        "<a:b:c/>",
        "<:a/>",
        "<a:/>",
        "<f:Patient/>",
        "<?xml?>",
        "<??>",
        "<?",
    ] {
        assert!(
            refused(document).iter().any(|i| i.kind == IssueKind::Syntax),
            "{document}"
        );
    }
    for content in [
        "</Patient><Patient>",
        "<a></b>",
        "<a",
        "<a b></a>",
        "<a b='<'/>",
        "<a b='1' b='2'/>",
        "<a b='1'c='2'/>",
        "<!-- a -- b -->",
        "<!--->",
        "<!-- ",
        "<![CDATA[",
        "]]>",
        "<?xml version='1.0'?>",
        "<?XML a?>",
        "<? a?>",
        "<?a",
        "<p:a/>",
        "<a p:b='1'/>",
        "</a>",
        "<a/ >",
        "<a b=1/>",
        "<a b=\"1'/>",
        "<a xmlns:p=''/>",
        "<a xmlns:xml='urn:a'/>",
        "<a xmlns:xmlns='urn:a'/>",
        "<a xmlns:1='urn:a'/>",
        "<a xmlns:p='urn:a' xmlns:q='urn:a' p:b='1' q:b='2'/>",
        "<a xmlns='http://www.w3.org/2000/xmlns/'/>",
        "<a\u{2028}b='1'/>",
        "<a =''/>",
    ] {
        let issues = refused(&around(content));
        assert!(
            issues.iter().any(|i| i.kind == IssueKind::Syntax),
            "{content}: {issues:?}"
        );
    }
    for tail in [
        PATIENT,
        "<a/>",
        "text",
        "<![CDATA[]]>",
        "&#32;",
        "</Patient>",
        "<?xml version='1.0'?>",
    ] {
        assert!(
            refused(&format!("{PATIENT}{tail}"))
                .iter()
                .any(|i| i.kind == IssueKind::Syntax),
            "{tail}"
        );
    }
}

/// Documents of about `size` bytes that cost a careless reader more than their length.
fn costly(size: usize) -> Vec<(&'static str, String)> {
    let div = |content: &str| {
        around(&format!(
            "<text><status value='empty'/><div xmlns='http://www.w3.org/1999/xhtml'>{content}</div></text>"
        ))
    };
    let numbered = |pattern: &str| {
        let one = pattern.len() + 6;
        (0..size / one)
            .map(|i| pattern.replace('#', &i.to_string()))
            .collect::<String>()
    };
    let attributes = numbered(" a#='1'");
    let declarations = numbered(" xmlns:p#='urn:#'");
    let filler = "a".repeat(size);
    vec![
        ("attributes", around(&format!("<active{attributes}/>"))),
        ("attributes in a narrative", div(&format!("<p{attributes}/>"))),
        ("declarations", around(&format!("<active{declarations}/>"))),
        ("declarations on the root", format!("<Patient{declarations}/>")),
        (
            "declarations one within another",
            numbered("<a xmlns:p#='urn:#'>"),
        ),
        (
            "attributes of one name",
            around(&format!("<active{}/>", " a=''".repeat(size / 5))),
        ),
        ("depth", around(&"<extension url='u'>".repeat(size / 19))),
        ("depth of the unknown", around(&"<a>".repeat(size / 3))),
        ("depth of a narrative", div(&"<b>".repeat(size / 3))),
        ("unknown elements", around(&"<a/>".repeat(size / 4))),
        ("stray text", around(&"a<!---->".repeat(size / 8))),
        ("references in text", around(&"&#65;".repeat(size / 5))),
        (
            "ampersands",
            around(&format!("<language value='{}'/>", "&".repeat(size))),
        ),
        (
            "a long reference",
            around(&format!("<language value='&{filler};'/>")),
        ),
        (
            "a long number",
            around(&format!("<language value='&#{};'/>", "0".repeat(size))),
        ),
        ("a long name", around(&format!("<{filler}/>"))),
        ("a long end", around(&format!("<active></{filler}>"))),
        ("a long attribute", around(&format!("<active {filler}='1'/>"))),
        ("a long prefix", around(&format!("<{filler}:a/>"))),
        ("a long namespace", format!("<Patient xmlns='{filler}'/>")),
        ("a long boolean", around(&format!("<active value='{filler}'/>"))),
        (
            "a long decimal",
            around(&format!(
                "<extension url='u'><valueDecimal value='{}'/></extension>",
                "1".repeat(size)
            )),
        ),
        ("a long type", format!("<{filler} xmlns='http://hl7.org/fhir'/>")),
        ("a long comment", format!("<!-- {}", "- ".repeat(size / 2))),
        ("a long instruction", format!("<?a {}", "?".repeat(size))),
        (
            "a long section",
            around(&format!("<![CDATA[{}", "]".repeat(size))),
        ),
        ("quotes", format!("<Patient a={}", "'\"".repeat(size / 2))),
        ("less-than signs", "<".repeat(size)),
        ("white space", around(&format!("<active{}/>", " ".repeat(size)))),
        (
            "elements out of order",
            around(&format!(
                "<active value='true'/>{}",
                "<id value='a'/>".repeat(size / 15)
            )),
        ),
        (
            "prefixed attributes",
            div(&format!("<p xmlns:a='urn:a'{}/>", numbered(" a:b#=''"))),
        ),
        (
            "edits in a narrative",
            format!(
                "<f:Patient xmlns:f='http://hl7.org/fhir' xmlns:h='http://www.w3.org/1999/xhtml'><f:text><h:div>{}<f:a/></h:div></f:text></f:Patient>",
                "<h:b></h:b>".repeat(size / 11)
            ),
        ),
    ]
}

#[test]
fn costly_documents_are_refused_in_time_linear_in_their_length() {
    // Unoptimised code on a busy machine: far above what linear work takes, far below what quadratic work would.
    let bound = Duration::from_secs(10);
    for (name, document) in costly(2 << 20) {
        let started = Instant::now();
        let Err(error) = xml::from_str(&document) else {
            panic!("{name} was read")
        };
        println!("{name}: {:?}", started.elapsed());
        assert!(started.elapsed() < bound, "{name} took {:?}", started.elapsed());
        let said: usize = error.issues.iter().map(|i| i.message.len() + i.path.len()).sum();
        assert!(said < 64 << 10, "{name} is answered with {said} bytes");
    }
}

#[test]
fn much_text_is_read_in_time_linear_in_its_length() {
    let bound = Duration::from_secs(10);
    let size = 512 << 10;
    let div = |content: &str| {
        around(&format!(
            "<text><status value='empty'/><div xmlns='http://www.w3.org/1999/xhtml'>{content}</div></text>"
        ))
    };
    for (name, document) in [
        (
            "a value",
            around(&format!("<language value='{}'/>", "a&amp;".repeat(size / 6))),
        ),
        (
            "a narrative",
            div(&"a&#160;b <i class='c'>d</i> ".repeat(size / 26)),
        ),
        (
            "references",
            around(&format!("<language value='{}'/>", "&#65;".repeat(size / 5))),
        ),
        ("comments", around(&"<!-- a -->".repeat(size / 10))),
        (
            "a list",
            around(&"<name><given value='a'/></name>".repeat(size / 31)),
        ),
        (
            "declarations",
            around(&"<name xmlns:p='urn:p'><text value='a'/></name>".repeat(size / 46)),
        ),
    ] {
        let started = Instant::now();
        let resource = xml::from_str(&document).expect(name);
        let written = xml::to_string(&resource).expect(name);
        assert!(xml::from_str(&written).expect(name) == resource, "{name}");
        println!("{name}: {:?}", started.elapsed());
        assert!(started.elapsed() < bound, "{name} took {:?}", started.elapsed());
    }
}
