//! Rules of R4 by made-up resources, good and bad: each bad one has an error at the place that is named, each good one none.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails where its input is not as it was made"
)]

mod answers;
mod bundles;
mod elements;
mod forms;
mod profiles;
mod unread;

use fhir_model::read::ReadOptions;
use fhir_validate::{Finding, Severity, Validator};
use serde_json::Value;

/// A resource, and where it is wrong; empty where it is right.
type Case = (&'static str, Value, &'static str);

fn errors(validator: &Validator, resource: &Value) -> Vec<Finding> {
    let mut found = validator.validate_text(resource.to_string().as_bytes(), &[], &ReadOptions::default());
    found.retain(|f| f.severity == Severity::Error);
    found
}

/// Holds each case against what is said of it; all that differ are told at once.
fn hold(cases: Vec<Case>) {
    let validator = Validator::builder().build();
    let mut problems = Vec::new();
    for (name, resource, place) in cases {
        let found = errors(&validator, &resource);
        let told: Vec<String> = found
            .iter()
            .map(|f| format!("{}: {}", f.expression, f.message))
            .collect();
        let is_right = match place {
            "" => found.is_empty(),
            place => found.iter().any(|f| f.expression == place),
        };
        if !is_right {
            problems.push(format!("{name}: expected {place:?}, found {told:?}"));
        }
    }
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}
