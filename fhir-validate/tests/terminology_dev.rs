//! Runs the terminology suite (`../shared/data/suites/terminology-dev`), case by case.
//!
//! A case that fails must be in `terminology-dev-exceptions.txt`, with the reason; one that is there must fail.
//!
//! Requests and definitions that are not of R4 are brought into its form first: members that no release has are left out,
//! booleans in quotes lose them. Answers carry the properties of R5's expansions as extensions, which are put back.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[path = "terminology/template.rs"]
mod template;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fhir_model::read::ReadOptions;
use fhir_model::{Parameters, Resource, json};
use fhir_validate::terminology::operation::{self, Request};
use fhir_validate::terminology::{Library, Refusal};
use serde_json::Value;

#[test]
fn the_terminology_suite_passes_but_for_the_exceptions() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/suites/terminology-dev");
    if !folder.exists() {
        println!("SKIPPED (needs ../shared/data/suites/terminology-dev)");
        return;
    }
    let exceptions = exceptions();
    let (mut passed, mut failed, mut wrong) = (0, Vec::new(), Vec::new());
    let cases = parsed(&folder.join("test-cases.json"));
    for suite in cases["suites"].as_array().unwrap() {
        let library = library(&folder, suite);
        for test in suite["tests"].as_array().unwrap() {
            let name = test["name"].as_str().unwrap();
            match (run(&folder, &library, test), exceptions.get(name)) {
                (Ok(()), None) => passed += 1,
                (Ok(()), Some(_)) => wrong.push(format!("{name} passes now: take it off the exceptions")),
                (Err(_), Some(reason)) => failed.push(format!("{name}: {reason}")),
                (Err(how), None) => wrong.push(format!("{name} fails: {how}")),
            }
        }
    }
    println!(
        "{passed} cases pass, {} are exceptions:\n{}",
        failed.len(),
        failed.join("\n")
    );
    assert!(wrong.is_empty(), "{} cases:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(passed + failed.len(), 205);
}

/// Name and reason of each case that is known to fail.
fn exceptions() -> BTreeMap<String, String> {
    let lines = include_str!("terminology-dev-exceptions.txt").lines();
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| line.split_once(": ").expect("name: reason"))
        .map(|(name, reason)| (name.to_owned(), reason.to_owned()))
        .collect()
}

fn parsed(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(text.trim_start_matches('\u{feff}')).unwrap()
}

fn resource(mut value: Value) -> Resource {
    template::unquote(&mut value);
    let text = value.to_string();
    let read = json::read(text.as_bytes(), &ReadOptions::lenient());
    read.unwrap_or_else(|e| panic!("{e}: {text}")).value
}

fn library(folder: &Path, suite: &Value) -> Arc<Library> {
    let library = Library::over(Library::r4());
    for file in suite["setup"].as_array().unwrap() {
        let file: PathBuf = folder.join(file.as_str().unwrap());
        library.add(resource(parsed(&file))).unwrap();
    }
    Arc::new(library)
}

fn run(folder: &Path, library: &Arc<Library>, test: &Value) -> Result<(), String> {
    let request = resource(parsed(&folder.join(test["request"].as_str().unwrap())));
    let parameters: &Parameters = request.get().expect("Parameters");
    let answer = answer(library, test, parameters);
    let expects_refusal = test["http-code"]
        .as_str()
        .is_some_and(|code| code.starts_with('4'));
    let (answer, is_refusal) = match answer {
        Ok(answer) => (answer, false),
        Err(refusal) => (Resource::OperationOutcome(refusal.outcome), true),
    };
    if is_refusal != expects_refusal {
        return Err(format!("refused: {is_refusal}; {answer:?}"));
    }
    let file = if test["response:flat"].is_string() {
        &test["response:flat"]
    } else {
        &test["response"]
    };
    let template = parsed(&folder.join(file.as_str().unwrap()));
    let mut found = serde_json::from_str(&json::to_string(&answer)).unwrap();
    template::restore(&mut found);
    template::compare(&template, &found, "")
}

fn answer(library: &Arc<Library>, test: &Value, parameters: &Parameters) -> Result<Resource, Refusal> {
    let request = Request {
        library: Arc::clone(library),
        now: "2026-11-26T00:00:00Z".parse().unwrap(),
        accept_language: test["Accept-Language"].as_str(),
    };
    Ok(match test["operation"].as_str().unwrap() {
        "expand" => operation::expand(&request, parameters)?.into(),
        "validate-code" => operation::validate_code(&request, parameters)?.into(),
        "cs-validate-code" => operation::code_system_validate_code(&request, parameters)?.into(),
        "lookup" => operation::lookup(&request, parameters)?.into(),
        "batch-validate" => operation::batch_validate_code(&request, parameters)?.into(),
        other => panic!("the operation {other} is not known"),
    })
}
