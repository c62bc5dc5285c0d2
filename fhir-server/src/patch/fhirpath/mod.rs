//! FHIRPath Patch (<https://hl7.org/fhir/R4/fhirpatch.html>): a Parameters resource of operations, each on the elements that
//! a FHIRPath selects.
//!
//! Invariant: paths are evaluated on the typed resource, as each operation leaves it, and the change is made in its text.
//! Invariant: a path reaches only elements of the resource itself; `resolve()` finds contained resources and no others.

mod edit;
mod operation;
mod target;
mod value;

use fhir_model::json::{self, Tree};
use fhir_model::path::Limits;
use fhir_model::read::ReadOptions;
use fhir_model::{Resource, read};

use self::operation::Operation;
use super::budget::{Bounds, Budget, Exhausted};
use crate::error::{Error, ErrorCode, Result};

/// Steps of all evaluations of one patch together.
const STEPS: u64 = 20_000_000;
/// What reading a byte costs, beside touching it.
const READING: usize = 8;

/// Applies a patch to a document and gives its text.
pub(super) fn apply<'t>(
    mut document: Tree<'t>,
    parameters: &Tree<'t>,
    bounds: &Bounds,
    budget: &mut Budget,
) -> Result<Vec<u8>> {
    let asked = parameters.get("parameter").map(Tree::items).unwrap_or_default();
    bounds.check_count(asked.len())?;
    let operations: Vec<Operation<'_, 't>> = asked
        .iter()
        .enumerate()
        .map(|(index, parameter)| Operation::read(index, parameter))
        .collect::<Result<_>>()?;
    let evaluation = Limits {
        steps: Limits::default()
            .steps
            .min(STEPS / (operations.len().max(1) as u64)),
        ..Limits::default()
    };
    let mut text = document.to_vec();
    for operation in &operations {
        let exhausted = |_: Exhausted| operation.fails(ErrorCode::TooLarge, Exhausted::MESSAGE);
        budget
            .work(text.len().saturating_mul(READING))
            .map_err(exhausted)?;
        let resource = typed(&text, bounds, operation.index)?;
        budget.grow(operation.weight()).map_err(exhausted)?;
        operation.apply(&mut document, &resource, &evaluation)?;
        text = document.to_vec();
    }
    Ok(text)
}

/// The document as a typed resource: what an operation made must be readable for the next.
fn typed(text: &[u8], bounds: &Bounds, index: usize) -> Result<Resource> {
    let options = ReadOptions {
        limits: bounds.limits(),
        ..ReadOptions::default()
    };
    json::read(text, &options)
        .map(|read| read.value)
        .map_err(|error| {
            let why: &[read::ReadIssue] = &error.issues;
            let first = why
                .first()
                .map(|issue| format!("{}: {}", issue.path, issue.message));
            let before = match index {
                0 => "The resource".to_owned(),
                _ => format!("What operation {} leaves", index - 1),
            };
            let text = format!("{before} cannot be read: {}.", first.unwrap_or_default());
            Error::new(ErrorCode::Unprocessable, text).at(operation::place(index.saturating_sub(1)))
        })
}
