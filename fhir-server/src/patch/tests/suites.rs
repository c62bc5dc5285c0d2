//! The test suites of the shared folder beside the project, each case of each.

use std::fs;
use std::path::Path;

use fhir_model::json::Tree;
use fhir_model::read::Limits;
use fhir_model::xml::{self, Element, Node};

use super::*;
use crate::patch::{json, xml as xml_patch};

fn suite(name: &str) -> Option<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../shared/data/suites/patch")
        .join(name);
    let text = fs::read_to_string(path).ok();
    if text.is_none() {
        println!("SKIPPED (needs ../shared/data/suites/patch/{name})");
    }
    text
}

fn bounds() -> Bounds {
    Bounds::new(&Settings::default())
}

#[test]
fn every_case_of_the_json_patch_suite_passes() {
    let Some(text) = suite("json-patch-tests.json") else {
        return;
    };
    let cases = tree(text.as_bytes(), &bounds()).unwrap();
    assert_eq!(cases.items().len(), 16);
    for case in cases.items() {
        let name = case.get("comment").unwrap().as_str().unwrap();
        let mut budget = Budget::new(&bounds());
        let document = case.get("doc").unwrap().clone();
        let result = json::apply(document, case.get("patch").unwrap(), &bounds(), &mut budget);
        match (result, case.get("expected")) {
            (Ok(found), Some(expected)) => assert!(found.same(expected), "{name}"),
            (Err(_), None) => assert!(case.get("error").is_some(), "{name}"),
            (found, _) => panic!("{name}: {:?}", found.map(|t| t.to_vec())),
        }
    }
}

/// Without the white space between the elements of a narrative, whose line breaks the two forms of the suite write
/// differently.
fn unspaced(json: &[u8]) -> Vec<u8> {
    let text = str::from_utf8(json).unwrap();
    let text = [("\\r", " "), ("\\n", " "), ("&quot;", "\\\"")]
        .into_iter()
        .fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    words.join(" ").replace("> <", "><").into_bytes()
}

/// Applies the difference and compares with what is expected, all in JSON.
fn check_fhirpath(name: &str, input: &[u8], diff: &[u8], output: Option<&[u8]>) {
    let result = Patch::FhirPath(diff.to_vec().into()).apply(input, &Settings::default());
    match (result, output) {
        (Ok(found), Some(expected)) => {
            let limits = Limits::default();
            let (found, expected) = (unspaced(&found), unspaced(expected));
            let (found, expected) = (
                Tree::read(&found, &limits).unwrap(),
                Tree::read(&expected, &limits).unwrap(),
            );
            let shown = |tree: &Tree<'_>| String::from_utf8(tree.to_vec()).unwrap();
            assert!(
                found.same(&expected),
                "{name}:\n{}\n{}",
                shown(&found),
                shown(&expected)
            );
        }
        (Err(_), None) => {}
        (found, _) => panic!("{name}: {found:?}"),
    }
}

#[test]
fn every_case_of_the_fhirpath_patch_suite_passes_in_json() {
    let Some(text) = suite("fhir-patch-tests.json") else {
        return;
    };
    let cases = tree(text.as_bytes(), &bounds()).unwrap();
    assert_eq!(cases.items().len(), 33);
    for case in cases.items() {
        let name = case.get("name").unwrap().as_str().unwrap();
        let text = |member: &str| case.get(member).map(Tree::to_vec);
        let (input, diff) = (text("input").unwrap(), text("diff").unwrap());
        check_fhirpath(&name, &input, &diff, text("output").as_deref());
    }
}

/// Of the cases that are meant both ways, the differences are those that the server makes.
#[test]
fn the_differences_of_the_fhirpath_patch_suite_are_found() {
    let Some(text) = suite("fhir-patch-tests.json") else {
        return;
    };
    let cases = tree(text.as_bytes(), &bounds()).unwrap();
    let both = |case: &&Tree<'_>| case.get("mode").unwrap().as_str().unwrap() == "both";
    let mut count = 0;
    for case in cases.items().iter().filter(both) {
        let name = case.get("name").unwrap().as_str().unwrap();
        let resource = |member| fhir_model::json::from_slice(&case.get(member).unwrap().to_vec()).unwrap();
        let found = crate::patch::diff(&resource("input"), &resource("output")).unwrap();
        let expected = case.get("diff").unwrap();
        let found = Tree::read(&found, &Limits::default()).unwrap();
        let shown = String::from_utf8(found.to_vec()).unwrap();
        assert!(found.same(expected), "{name}: {shown}");
        count += 1;
    }
    assert_eq!(count, 29);
}

/// The first element of that name in another.
fn child<'e>(element: &'e Element, name: &str) -> Option<&'e Element> {
    element
        .children
        .iter()
        .filter_map(Node::element)
        .find(|e| e.name.local == name)
}

/// The one element that another holds.
fn inner(element: &Element) -> Option<&Element> {
    element.children.iter().find_map(Node::element)
}

#[test]
fn every_case_of_the_fhirpath_patch_suite_passes_in_xml() {
    let Some(text) = suite("fhir-patch-tests.xml") else {
        return;
    };
    let root = xml::read_tree(text.as_bytes(), &Limits::default()).unwrap();
    let cases: Vec<&Element> = root.children.iter().filter_map(Node::element).collect();
    assert_eq!(cases.len(), 33);
    for case in cases {
        let name = case.attribute("name").unwrap();
        let json = |member: &str| {
            let resource = inner(child(case, member)?)?.to_xml();
            let resource = xml::from_str(&resource).unwrap_or_else(|e| panic!("{name}: {e}"));
            Some(fhir_model::json::to_vec(&resource))
        };
        let (input, diff) = (json("input").unwrap(), json("diff").unwrap());
        check_fhirpath(name, &input, &diff, json("output").as_deref());
    }
}

/// Without white space between elements, comments kept, attributes sorted.
fn canonical(element: &Element) -> Element {
    let mut out = element.clone();
    out.attributes.sort_by(|a, b| a.name.local.cmp(&b.name.local));
    out.declarations.retain(|d| !d.prefix.is_empty());
    out.children = out
        .children
        .iter()
        .filter_map(|node| match node {
            Node::Element(element) => Some(Node::Element(canonical(element))),
            Node::Text(text) if text.trim().is_empty() => None,
            other => Some(other.clone()),
        })
        .collect();
    out
}

#[test]
fn every_case_of_the_xml_patch_suite_passes() {
    let Some(text) = suite("xml-patch-tests.xml") else {
        return;
    };
    let root = xml::read_tree(text.as_bytes(), &Limits::default()).unwrap();
    let cases: Vec<&Element> = root.children.iter().filter_map(Node::element).collect();
    assert_eq!(cases.len(), 29);
    for case in cases {
        let name = case.attribute("name").unwrap();
        let target = child(case, "target").and_then(inner);
        let patch = child(case, "patch").unwrap();
        let result = target.cloned().ok_or_else(String::new).and_then(|mut target| {
            let mut budget = Budget::new(&bounds());
            xml_patch::apply_to(&mut target, patch, &bounds(), &mut budget)
                .map(|()| target)
                .map_err(|e| e.to_string())
        });
        match (result, child(case, "patched").and_then(inner)) {
            (Ok(found), Some(expected)) => {
                assert_eq!(canonical(&found).to_xml(), canonical(expected).to_xml(), "{name}")
            }
            (Err(_), None) => assert!(child(case, "error").is_some(), "{name}"),
            (found, _) => panic!("{name}: {found:?}"),
        }
    }
}
