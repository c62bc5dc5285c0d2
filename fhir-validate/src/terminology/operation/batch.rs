//! `ValueSet/$batch-validate-code`: several codes in one request, each with parameters of its own
//! (<https://build.fhir.org/valueset-operation-batch-validate-code.html>).
//!
//! Invariant: one `validation` that cannot be done does not keep the others from being done.

use fhir_model::{Parameters, Resource};

use super::answer::Answer;
use super::input::Input;
use super::validate::validate_in_value_set;
use super::{Request, with_own_resources};
use crate::terminology::issue::Refusal;

/// Validations in one request.
const MAX_VALIDATIONS: usize = 10_000;

/// Validates each of the codes.
///
/// # Errors
/// A resource that comes with the request cannot be held, or there are too many validations.
pub fn batch_validate_code(request: &Request<'_>, parameters: &Parameters) -> Result<Parameters, Refusal> {
    let input = Input::new(parameters);
    let shared = Request {
        library: with_own_resources(&request.library, &input)?,
        ..request.clone()
    };
    // What the whole batch brings along is held already.
    let defaults = Parameters {
        parameter: parameters
            .parameter
            .iter()
            .filter(|p| p.name != "tx-resource" && p.name != "validation")
            .cloned()
            .collect(),
        ..Parameters::default()
    };
    let mut answer = Answer::default();
    for (index, validation) in input.all("validation").enumerate() {
        if index >= MAX_VALIDATIONS {
            return Err(Refusal::invalid(format!(
                "there are more than {MAX_VALIDATIONS} validations in one request"
            )));
        }
        let result = match &validation.resource {
            Some(Resource::Parameters(own)) => {
                let found = validate_in_value_set(&shared, Input::new(own).within(&defaults));
                found.map_or_else(
                    |refusal| Resource::OperationOutcome(refusal.outcome),
                    Resource::from,
                )
            }
            _ => {
                let refusal = Refusal::invalid("a 'validation' is a resource of type Parameters");
                Resource::OperationOutcome(refusal.outcome)
            }
        };
        answer.resource("validation", result);
    }
    Ok(answer.finish())
}
