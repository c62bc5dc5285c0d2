//! The official examples: JSON to XML and back, XML to JSON, XML to XML.

use std::path::Path;

use fhir_model::{json, xml};

use crate::canonical::Node;
use crate::support::{Tree, shared, shared_files};

fn name(file: &Path) -> String {
    file.file_name().unwrap().to_string_lossy().into_owned()
}

/// Runs every file through a check; the failures, and how many files there were.
fn each(folder: &str, ending: &str, expected: usize, check: impl Fn(&str, &[u8]) -> Result<(), String>) {
    let files = shared_files(folder, ending);
    let failures: Vec<String> = files
        .iter()
        .filter_map(|file| {
            check(&name(file), &std::fs::read(file).unwrap())
                .err()
                .map(|e| format!("{}: {e}", name(file)))
        })
        .collect();
    assert!(
        failures.is_empty(),
        "{} of {}:\n{}",
        failures.len(),
        files.len(),
        failures.join("\n")
    );
    assert!(
        files.is_empty() || files.len() == expected,
        "{} files in {folder}",
        files.len()
    );
}

/// JSON, typed, XML, typed, JSON: equal, decimals digit by digit, narratives byte by byte.
fn json_survives_xml(json_text: &[u8]) -> Result<(), String> {
    let resource = json::from_slice(json_text).map_err(|e| e.to_string())?;
    let read = |text: Result<String, xml::WriteError>| {
        let text = text.map_err(|e| e.to_string())?;
        xml::from_str(&text).map_err(|e| e.to_string())
    };
    let back = read(xml::to_string(&resource))?;
    if back != read(xml::to_string_pretty(&resource))? {
        return Err("the typed value depends on white space".to_owned());
    }
    Tree::parse(json_text)
        .difference(&Tree::parse(&json::to_vec(&back)))
        .map_or(Ok(()), Err)
}

#[test]
fn official_json_survives_the_way_through_xml() {
    each("examples/r4-json", ".json", 717, |_, text| {
        json_survives_xml(text)
    });
}

#[test]
fn uk_core_json_survives_the_way_through_xml() {
    each("examples/ukcore-stu2", ".json", 146, |_, text| {
        json_survives_xml(text)
    });
}

#[test]
fn prescription_service_json_survives_the_way_through_xml() {
    each("examples/eps", ".json", 104, |_, text| json_survives_xml(text));
}

#[test]
fn synthea_records_survive_the_way_through_xml() {
    each("synthea", ".json", 20, |_, text| json_survives_xml(text));
}

#[test]
fn official_xml_comes_back_canonically_equal() {
    each("examples/r4-xml", ".xml", 185, |_, text| {
        let text = std::str::from_utf8(text).unwrap();
        let resource = xml::from_str(text).map_err(|e| e.to_string())?;
        let wanted = Node::parse(text);
        for written in [xml::to_string(&resource), xml::to_string_pretty(&resource)] {
            if let Some(difference) = wanted.difference(&Node::parse(&written.map_err(|e| e.to_string())?)) {
                return Err(difference);
            }
        }
        Ok(())
    });
}

/// The XML files carry test tags in `meta` and mostly no narrative; the JSON files carry generated narratives. In all
/// else the specification's own files agree to the byte, so there is no list of exceptions.
#[test]
fn official_xml_equals_official_json() {
    let Some(json_folder) = shared("examples/r4-json") else {
        return;
    };
    each("examples/r4-xml", ".xml", 185, |name, text| {
        let resource = xml::from_slice(text).map_err(|e| e.to_string())?;
        let official = std::fs::read(json_folder.join(name.replace(".xml", ".json"))).unwrap();
        let ours = comparable(&json::to_vec(&resource));
        comparable(&official).difference(&ours).map_or(Ok(()), Err)
    });
}

/// Without `meta` and `text` of the resource.
fn comparable(text: &[u8]) -> Tree {
    let mut tree = Tree::parse(text);
    if let Tree::Object(map) = &mut tree {
        map.remove("meta");
        map.remove("text");
    }
    tree
}
