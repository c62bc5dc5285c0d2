//! Published examples have no errors but those listed, each shown to be right
//! (`examples_errors.txt`: the file, ` | `, the place, ` | `, the rule or layer).

#![expect(clippy::unwrap_used, reason = "a test fails where its data are not there")]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use fhir_model::read::ReadOptions;
use fhir_validate::{Finding, Severity, Validator};

/// The errors of all files below a folder, as lines of the list.
fn errors(validator: &Validator, folder: &Path, found: &mut BTreeSet<String>) -> usize {
    let mut files: Vec<PathBuf> = Vec::new();
    collect(folder, &mut files);
    files.sort();
    for file in &files {
        let text = fs::read(file).unwrap();
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        for finding in validator.validate_text(&text, &[], &ReadOptions::default()) {
            if finding.severity == Severity::Error {
                found.insert(line(&name, &finding));
            }
        }
    }
    files.len()
}

fn line(name: &str, finding: &Finding) -> String {
    format!(
        "{name} | {} | {} {}",
        finding.expression,
        finding.layer,
        finding.rule.as_deref().unwrap_or("-")
    )
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|e| e == "json") {
            files.push(path);
        }
    }
}

fn listed() -> BTreeSet<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/examples_errors.txt");
    let text = fs::read_to_string(path).unwrap();
    text.lines()
        .filter(|l| !l.is_empty() && !l.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

/// Compares what a folder gives with the part of the list that is about its files.
fn check(validator: &Validator, folder: &str) {
    let Some(path) = support::shared(folder) else {
        return;
    };
    let mut found = BTreeSet::new();
    let count = errors(validator, &path, &mut found);
    let mut files = Vec::new();
    collect(&path, &mut files);
    let names: BTreeSet<String> = files
        .iter()
        .map(|f| f.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    let listed: BTreeSet<String> = listed()
        .into_iter()
        .filter(|l| l.split(" | ").next().is_some_and(|n| names.contains(n)))
        .collect();
    let new: Vec<&String> = found.difference(&listed).collect();
    let gone: Vec<&String> = listed.difference(&found).collect();
    println!("{folder}: {count} files, {} errors", found.len());
    assert!(
        new.is_empty() && gone.is_empty(),
        "new:\n{}\ngone:\n{}",
        text(&new),
        text(&gone)
    );
}

fn text(lines: &[&String]) -> String {
    lines.iter().map(|l| l.as_str()).collect::<Vec<_>>().join("\n")
}

#[test]
fn official_examples_have_the_listed_errors_only() {
    check(&Validator::builder().build(), "examples/r4-json");
}

#[test]
fn uk_core_examples_have_the_listed_errors_only_against_their_profiles() {
    check(&Validator::builder().uk_core().build(), "examples/ukcore-stu2");
}

#[test]
fn eps_examples_have_the_listed_errors_only_against_r4() {
    check(&Validator::builder().build(), "examples/eps");
}
