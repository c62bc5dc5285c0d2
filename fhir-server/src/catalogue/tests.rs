//! The catalogue and the code agree.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::*;

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        match path.is_dir() {
            true if !matches!(name.as_str(), "tests" | "catalogue" | "openapi" | "conformance") => {
                sources(&path, found);
            }
            false if name.ends_with(".rs") && !matches!(name.as_str(), "error.rs" | "tests.rs") => {
                found.push(path);
            }
            _ => {}
        }
    }
}

/// The kinds of failure that code which is no test makes.
fn made() -> BTreeSet<String> {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    let mut made = BTreeSet::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        for part in code.split("ErrorCode::").skip(1).chain(code.split("E::").skip(1)) {
            made.insert(part.chars().take_while(char::is_ascii_alphanumeric).collect());
        }
    }
    made
}

#[test]
fn each_entry_is_given_by_some_code_and_each_code_has_one_entry() {
    let mut made = made();
    // `Error::internal` makes it.
    made.insert("Internal".into());
    // What is refused before there is a request to answer is refused by its status alone.
    if include_str!("../http/explain.rs").contains("431 Request Header Fields Too Large") {
        made.insert("HeadersTooLarge".into());
    }
    for code in ErrorCode::ALL {
        assert!(
            made.contains(&format!("{code:?}")),
            "{code:?} is in the catalogue, and nothing gives it"
        );
    }
    let entries = entries(&OutcomeSystems::default());
    assert_eq!(entries.len(), ErrorCode::ALL.len());
    let ids: BTreeSet<&str> = entries.iter().map(|entry| entry.id).collect();
    assert_eq!(ids.len(), entries.len(), "an id stands twice");
}

#[test]
fn each_entry_says_cause_cure_and_an_example() {
    for entry in entries(&OutcomeSystems::default()) {
        let id = entry.id;
        assert!(id.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{id}");
        assert!(!entry.title.is_empty() && !entry.title.ends_with('.'), "{id}");
        for text in [entry.cause, entry.cure] {
            assert!(text.ends_with('.') && text.len() > 20, "{id}: {text}");
        }
        assert!(entry.message.ends_with(['.', '?']), "{id}: {}", entry.message);
    }
}

#[test]
fn each_code_of_the_table_is_in_one_of_the_systems() {
    // The codes of NHSD-API-ErrorOrWarningCode that the table uses; all others must be Spine's.
    let api = ["NOT_ACCEPTABLE", "TIMEOUT", "TOO_MANY_REQUESTS"];
    for code in ErrorCode::ALL {
        let nhs = code.facts().nhs;
        assert_ne!(SPINE.contains(&nhs), api.contains(&nhs), "{nhs}");
    }
}
