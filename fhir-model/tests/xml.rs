//! XML in, XML out, and JSON -> XML -> JSON: the official examples, and what must be refused.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod support;

use fhir_model::{Resource, json, xml};
use support::{Tree, shared_files};

fn name(file: &std::path::Path) -> String {
    file.file_name().unwrap().to_string_lossy().into_owned()
}

fn json_to_xml_and_back(folder: &str) {
    let files = shared_files(folder, ".json");
    let mut failures = Vec::new();
    for file in &files {
        let text = std::fs::read(file).unwrap();
        let resource = json::from_slice(&text).unwrap();
        let result = xml::to_string(&resource)
            .map_err(|e| e.to_string())
            .and_then(|x| xml::from_str(&x).map_err(|e| e.to_string()))
            .map(|back| Tree::parse(&text).difference(&Tree::parse(&json::to_vec(&back))));
        match result {
            Ok(None) => {}
            Ok(Some(difference)) => failures.push(format!("{}: {difference}", name(file))),
            Err(e) => failures.push(format!("{}: {e}", name(file))),
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {}:\n{}",
        failures.len(),
        files.len(),
        failures.join("\n")
    );
}

#[test]
fn official_examples_pass_through_xml_unchanged() {
    json_to_xml_and_back("examples/r4-json");
}

#[test]
fn uk_core_and_prescription_examples_pass_through_xml_unchanged() {
    json_to_xml_and_back("examples/ukcore-stu2");
    json_to_xml_and_back("examples/eps");
}

#[test]
fn synthea_records_pass_through_xml_unchanged() {
    json_to_xml_and_back("synthea");
}

/// The resource without meta and narrative, in which the specification's own two forms differ.
fn without_meta_and_text(resource: &Resource) -> Tree {
    let mut out = Vec::new();
    json::write_selected(resource.as_complex(), &mut out, &mut |_, field, depth| {
        depth > 0 || !matches!(field.name, "meta" | "text")
    });
    Tree::parse(&out)
}

#[test]
fn the_official_xml_is_the_official_json() {
    let listed: Vec<String> = include_str!("xml-differences.txt")
        .lines()
        .filter(|l| !l.starts_with('#'))
        .filter_map(|l| l.split(':').next())
        .filter(|l| !l.is_empty())
        .map(str::to_owned)
        .collect();
    let (mut failures, mut differing) = (Vec::new(), Vec::new());
    let files = shared_files("examples/r4-xml", ".xml");
    for file in &files {
        let resource = match xml::from_slice(&std::fs::read(file).unwrap()) {
            Ok(resource) => resource,
            Err(e) => {
                differing.push((name(file), e.to_string()));
                continue;
            }
        };
        let again = xml::from_str(&xml::to_string(&resource).unwrap()).unwrap();
        if again != resource {
            failures.push(format!("{}: XML -> XML differs", name(file)));
        }
        let twin = file
            .to_string_lossy()
            .replace("r4-xml", "r4-json")
            .replace(".xml", ".json");
        let json = json::from_slice(&std::fs::read(twin).unwrap()).unwrap();
        if let Some(d) = without_meta_and_text(&resource).difference(&without_meta_and_text(&json)) {
            differing.push((name(file), d));
        }
    }
    for (file, why) in &differing {
        if !listed.contains(file) {
            failures.push(format!("{file}: {why}"));
        }
    }
    for file in listed
        .iter()
        .filter(|l| !files.is_empty() && !differing.iter().any(|(f, _)| f == *l))
    {
        failures.push(format!("{file}: listed as differing, and it does not"));
    }
    assert!(
        failures.is_empty(),
        "{} of {}:\n{}",
        failures.len(),
        files.len(),
        failures.join("\n")
    );
}

#[test]
fn document_types_and_entities_are_refused() {
    let patient = r#"<Patient xmlns="http://hl7.org/fhir"><active value="true"/></Patient>"#;
    for hostile in [
        format!("<!DOCTYPE Patient>{patient}"),
        format!(r#"<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>{patient}"#),
        format!(r#"<!DOCTYPE x [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]>{patient}"#),
        format!(r#"<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1/x"> %p;]>{patient}"#),
        r#"<Patient xmlns="http://hl7.org/fhir"><gender value="&xxe;"/></Patient>"#.to_owned(),
        r#"<Patient xmlns="http://hl7.org/fhir"><gender value="&nbsp;"/></Patient>"#.to_owned(),
    ] {
        assert!(xml::from_str(&hostile).is_err(), "{hostile}");
    }
    for bytes in [&b"\xff\xfe<\0P\0"[..], b"\xfe\xff\0<\0P", b"+ADw-Patient"] {
        assert!(xml::from_slice(bytes).is_err());
    }
}

#[test]
fn what_fhir_xml_forbids_is_refused_with_its_place() {
    for (inner, part) in [
        (r#"<nmae value="x"/>"#, "nmae"),
        (r#"<active value="true" x="y"/>"#, "x"),
        (r#"<active value="true"/><active value="false"/>"#, "active"),
        (r#"<birthDate value="1980"/><active value="true"/>"#, "active"),
        (r#"<active value=""/>"#, "active"),
        (r"<active>true</active>", "active"),
        (r#"<birthDate value="1980-02-30"/>"#, "birthDate"),
        (
            r#"<deceasedBoolean value="true"/><deceasedDateTime value="2020"/>"#,
            "deceased",
        ),
    ] {
        let text = format!(r#"<Patient xmlns="http://hl7.org/fhir">{inner}</Patient>"#);
        let error = xml::from_str(&text).expect_err(inner).to_string();
        assert!(
            error.contains("Patient") && error.contains(part),
            "{inner}: {error}"
        );
    }
    assert!(
        xml::from_str(r#"<Patient><active value="true"/></Patient>"#).is_err(),
        "no namespace"
    );
}

#[test]
fn depth_and_width_are_bounded() {
    let open = r#"<extension url="u">"#.repeat(100_000);
    assert!(xml::from_str(&format!(r#"<Patient xmlns="http://hl7.org/fhir">{open}"#)).is_err());
    let attributes: String = (0..100_000).map(|i| format!(" a{i}=\"x\"")).collect();
    assert!(xml::from_str(&format!(r#"<Patient xmlns="http://hl7.org/fhir"{attributes}/>"#)).is_err());
    let namespaces: String = (0..100_000).map(|i| format!(" xmlns:a{i}=\"x\"")).collect();
    assert!(xml::from_str(&format!(r#"<Patient xmlns="http://hl7.org/fhir"{namespaces}/>"#)).is_err());
}

#[test]
fn line_ends_and_tabs_in_values_survive() {
    let text = "{\"resourceType\":\"Patient\",\"name\":[{\"text\":\"a\\n\\tb\\r <&>\\\"'\"}]}";
    let resource = json::from_str(text).unwrap();
    let back = xml::from_str(&xml::to_string(&resource).unwrap()).unwrap();
    assert_eq!(json::to_string(&back), text);
}
