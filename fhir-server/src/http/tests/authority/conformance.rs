//! `tests/conformance/smart-2.2.csv`: every SHALL and SHALL NOT that SMART App Launch 2.2 has for servers, with its tests or why it does not
//! apply.

use std::collections::HashSet;
use std::path::Path;

const TABLE: &str = include_str!("../../../../../tests/conformance/smart-2.2.csv");
/// The server's requirements of those two strengths in the published list.
const REQUIREMENTS: usize = 172;

/// The names of all functions below a folder.
fn functions(folder: &Path, names: &mut HashSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            functions(&path, names);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let mut previous = String::new();
            for line in text.lines() {
                let name = line.trim_start().trim_start_matches("async ").strip_prefix("fn ");
                if let Some(name) = name.and_then(|rest| rest.split('(').next())
                    && previous.ends_with("test]")
                {
                    names.insert(name.to_owned());
                }
                previous = line.trim().to_owned();
            }
        }
    }
}

#[test]
fn every_requirement_of_smart_is_classified_and_names_tests_that_exist() {
    let mut known = HashSet::new();
    functions(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut known);
    let mut seen = HashSet::new();
    let mut tested = 0;
    for line in TABLE.lines().skip(1) {
        let cells: Vec<&str> = line.splitn(4, ',').collect();
        let [requirement, _page, status, last] = cells.as_slice() else {
            panic!("not four cells: {line}")
        };
        assert!(
            requirement.parse::<u32>().is_ok() && seen.insert(*requirement),
            "{line}"
        );
        let last = last.trim_matches('"');
        match *status {
            "tested" => {
                tested += 1;
                assert!(!last.is_empty(), "{line}");
                for name in last.split(' ') {
                    assert!(
                        known.contains(name),
                        "requirement {requirement} names no test: {name}"
                    );
                }
            }
            "n/a" => assert!(last.split(' ').count() >= 3, "a reason is a sentence: {line}"),
            other => panic!("neither tested nor n/a: {other}"),
        }
    }
    assert_eq!(seen.len(), REQUIREMENTS);
    assert!(tested >= 147, "{tested}");
}
