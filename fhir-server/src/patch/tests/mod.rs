//! Patches as pure functions: the suites of the shared folder, and rules of each form that the suites leave out.

mod bounds;
mod diff;
mod fhirpath;
mod json;
mod suites;
mod xml;

use super::budget::{Bounds, Budget};
use super::{Patch, PatchForm, tree};
use crate::engine::Settings;
use crate::error::{Error, ErrorCode};

/// The document after a patch.
fn patched(patch: &Patch, document: &str) -> Result<String, Error> {
    let text = patch.apply(document.as_bytes(), &Settings::default())?;
    Ok(String::from_utf8(text).unwrap())
}

fn of(form: PatchForm, document: &str, patch: &str) -> Result<String, Error> {
    patched(&Patch::Of(form, patch.to_owned().into()), document)
}

/// The code and the message of a refusal.
fn refused(result: Result<String, Error>) -> (ErrorCode, String) {
    let error = result.unwrap_err();
    (error.code, error.issues[0].diagnostics.clone())
}

/// A FHIRPath Patch of operations, each as its parts in JSON.
fn operations(operations: &[&str]) -> Patch {
    let all: Vec<String> = operations
        .iter()
        .map(|parts| format!(r#"{{"name":"operation","part":[{parts}]}}"#))
        .collect();
    Patch::FhirPath(
        format!(
            r#"{{"resourceType":"Parameters","parameter":[{}]}}"#,
            all.join(",")
        )
        .into(),
    )
}

/// The parts `type` and `path`.
fn part(kind: &str, path: &str) -> String {
    format!(r#"{{"name":"type","valueCode":"{kind}"}},{{"name":"path","valueString":"{path}"}}"#)
}
