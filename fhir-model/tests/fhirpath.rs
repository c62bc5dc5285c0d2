//! The official FHIRPath tests for R4, from the shared folder beside the project
//! (<https://github.com/FHIR/fhir-test-cases>, `r4/fhirpath`).
//!
//! Every test runs on the JSON form of its input and, where there is one, on the XML form. The tests that are wrong are
//! listed with the reason in `fhirpath-exceptions.txt`; this test fails when a listed one passes or another fails.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use fhir_model::path::{Collection, Environment, Error, Expression, Strictness, Value};
use fhir_model::{Resource, json, xml};
use serde_json::Value as Json;

/// One test of the list.
struct Case {
    id: String,
    input: Option<String>,
    expression: String,
    /// Type and value.
    outputs: Vec<(Option<String>, String)>,
    invalid: Option<String>,
    predicate: bool,
    ordered: bool,
    strictness: Strictness,
}

impl Case {
    fn of(json: &Json) -> Case {
        let text = |name: &str| json[name].as_str().filter(|t| !t.is_empty()).map(String::from);
        let outputs = json["outputs"].as_array().unwrap().iter();
        Case {
            id: format!("{}/{}", text("group").unwrap(), text("name").unwrap()),
            input: text("inputfile"),
            expression: text("expression").unwrap(),
            outputs: outputs
                .map(|o| {
                    (
                        o["type"].as_str().map(String::from),
                        o["value"].as_str().unwrap_or("").to_owned(),
                    )
                })
                .collect(),
            invalid: text("invalid"),
            predicate: text("predicate").as_deref() == Some("true"),
            ordered: text("ordered").as_deref() != Some("false"),
            strictness: Strictness {
                order: text("checkOrderedFunctions").as_deref() == Some("true"),
                criteria: text("expressionMode").or(text("mode")).as_deref() == Some("strict"),
            },
        }
    }

    /// What is wrong, if anything is.
    fn run(&self, input: Option<&Resource>, environment: &Environment<'_>) -> Result<(), String> {
        let compiled = Expression::compile(&self.expression);
        let evaluate = |expression: &Expression| match input {
            Some(resource) => self.compare(expression.evaluate(resource, environment)),
            None => self.compare(expression.evaluate((), environment)),
        };
        let check = |expression: &Expression| {
            expression.check_with(input.map_or("Element", Resource::type_name), self.strictness)
        };
        match (self.invalid.as_deref(), compiled) {
            (None, compiled) => evaluate(&compiled.map_err(|e| e.to_string())?),
            (Some("syntax"), Err(Error::Syntax { .. })) => Ok(()),
            (Some("semantic" | "execution"), Err(Error::Syntax { .. } | Error::Semantic { .. })) => Ok(()),
            (Some("semantic"), Ok(expression)) => match check(&expression) {
                Err(Error::Semantic { .. }) => Ok(()),
                _ => Err("a semantic error was expected, and none was raised".into()),
            },
            (Some("execution"), Ok(expression)) => match evaluate(&expression) {
                Err(message) if message.starts_with("FHIRPath execution error") => Ok(()),
                _ => Err("an execution error was expected, and none was raised".into()),
            },
            (Some(kind), _) => Err(format!("a {kind} error was expected, and none was raised")),
        }
    }

    fn compare(&self, result: Result<Collection<'_>, Error>) -> Result<(), String> {
        let result = result.map_err(|e| e.to_string())?;
        let mut found: Vec<String> = result.iter().map(literal).collect();
        if self.predicate {
            found = vec![match &*result {
                [value] => value.as_bool().unwrap_or(true).to_string(),
                values => (!values.is_empty()).to_string(),
            }];
        }
        let kinds: Vec<&str> = result.iter().map(kind).collect();
        let mut expected: Vec<String> = self
            .outputs
            .iter()
            .map(|(_, value)| plain(value).to_owned())
            .collect();
        if !self.ordered {
            found.sort();
            expected.sort();
        }
        let typed = self.predicate
            || !self.ordered
            || self
                .outputs
                .iter()
                .zip(kinds)
                .all(|((expected, value), kind)| is_kind(expected.as_deref(), value, kind));
        if found == expected && typed {
            return Ok(());
        }
        Err(format!("expected {:?}, found {found:?}", self.outputs))
    }
}

/// A value as the tests write it.
fn literal(value: &Value<'_>) -> String {
    let text = value.text().unwrap_or_default();
    match kind(value) {
        "date" => format!("@{text}"),
        "time" => format!("@T{text}"),
        _ => plain(&text).to_owned(),
    }
}

/// Zero has no sign.
fn plain(text: &str) -> &str {
    match text.strip_prefix('-') {
        Some(rest) if rest.bytes().all(|b| matches!(b, b'0' | b'.')) => rest,
        _ => text,
    }
}

fn kind(value: &Value<'_>) -> &'static str {
    match value.type_of().name {
        "Boolean" | "boolean" => "boolean",
        "Integer" | "integer" | "positiveInt" | "unsignedInt" => "integer",
        "Decimal" | "decimal" => "decimal",
        "Date" | "DateTime" | "date" | "dateTime" | "instant" => "date",
        "Time" | "time" => "time",
        "Quantity" => "Quantity",
        "String" | "string" | "code" | "id" | "uri" | "url" | "canonical" | "markdown" | "oid" | "uuid" => {
            "string"
        }
        other => other,
    }
}

/// Whether a value of that kind is of the type that the test names. A date with a time is a dateTime whatever the test
/// calls it.
fn is_kind(expected: Option<&str>, value: &str, kind: &str) -> bool {
    match expected {
        None => true,
        Some("code" | "id" | "string") => kind == "string",
        Some("date" | "dateTime") => kind == "date" && value.starts_with('@'),
        Some(expected) => expected == kind,
    }
}

/// Inputs whose XML has elements in the wrong order (an extension after the status), which the reader refuses: they
/// run on their JSON form alone.
const OUT_OF_ORDER: [&str; 1] = ["observation-example.xml"];

fn suite() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/suites/fhirpath-r4")
}

/// The forms in which an input is there, by name.
fn read(name: &str) -> Vec<(&'static str, Resource)> {
    let path = suite().join("input").join(name);
    let mut forms = Vec::new();
    if let Ok(bytes) = fs::read(path.with_extension("json")) {
        forms.push(("json", json::from_slice(&bytes).unwrap()));
    }
    if let Ok(bytes) = fs::read(path.with_extension("xml")) {
        match xml::from_slice(&bytes) {
            Ok(resource) => forms.push(("xml", resource)),
            Err(error) => assert!(OUT_OF_ORDER.contains(&name), "{name}: {error}"),
        }
    }
    assert!(!forms.is_empty(), "{name} is not there");
    forms
}

fn exceptions() -> BTreeSet<String> {
    let list = include_str!("fhirpath-exceptions.txt");
    list.lines()
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty())
        .map(|line| line.split_once(": ").expect("group/name: reason").0.to_owned())
        .collect()
}

#[test]
fn official_tests_pass_or_are_listed_as_wrong() {
    let Ok(list) = fs::read(suite().join("tests-fhir-r4.json")) else {
        println!("SKIPPED (needs ../shared/data/suites/fhirpath-r4)");
        return;
    };
    let list: Json = serde_json::from_slice(&list).unwrap();
    let cases: Vec<Case> = list.as_array().unwrap().iter().map(Case::of).collect();
    let mut inputs: BTreeMap<&str, Vec<(&'static str, Resource)>> = BTreeMap::new();
    for name in cases.iter().filter_map(|c| c.input.as_deref()) {
        inputs.entry(name).or_insert_with(|| read(name));
    }
    let environment = Environment::new().with_now("2026-11-23T10:30:00+00:00[UTC]".parse().unwrap());

    let (mut passed, mut runs) = (0, 0);
    let mut failed: BTreeMap<String, String> = BTreeMap::new();
    for case in &cases {
        let forms: Vec<(&str, Option<&Resource>)> = match &case.input {
            Some(name) => inputs[name.as_str()]
                .iter()
                .map(|(form, resource)| (*form, Some(resource)))
                .collect(),
            None => vec![("none", None)],
        };
        let before = failed.len();
        for (form, input) in forms {
            runs += 1;
            if let Err(message) = case.run(input, &environment) {
                failed.insert(
                    case.id.clone(),
                    format!("({form}) `{}`: {message}", case.expression),
                );
            }
        }
        passed += usize::from(failed.len() == before);
    }
    println!("{passed} of {} official tests pass ({runs} runs)", cases.len());

    let refused: Vec<String> = cases
        .iter()
        .filter(|case| case.invalid.is_none())
        .filter_map(|case| {
            let (_, resource) = inputs.get(case.input.as_deref()?)?.first()?;
            let error = Expression::compile(&case.expression)
                .ok()?
                .check(resource.type_name())
                .err()?;
            Some(format!("{} `{}`: {error}", case.id, case.expression))
        })
        .collect();
    assert!(
        refused.is_empty(),
        "the static check refuses valid expressions: {refused:#?}"
    );

    let listed = exceptions();
    let unlisted: Vec<_> = failed.iter().filter(|(id, _)| !listed.contains(*id)).collect();
    for (id, message) in &unlisted {
        println!("{id} {message}");
    }
    let stale: Vec<_> = listed.iter().filter(|id| !failed.contains_key(*id)).collect();
    assert!(
        unlisted.is_empty(),
        "{} tests fail and are not listed",
        unlisted.len()
    );
    assert!(stale.is_empty(), "listed tests pass now: {stale:?}");
}
