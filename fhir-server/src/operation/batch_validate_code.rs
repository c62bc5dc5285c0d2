//! `ValueSet/$batch-validate-code`: several codes in one request
//! (<https://build.fhir.org/valueset-operation-batch-validate-code.html>).

use fhir_model::OperationDefinitionParameter;
use fhir_validate::terminology::operation::batch_validate_code;

use super::parameter;
use super::terminology::TerminologyOperation;
use super::validate_code::in_a_value_set;

/// `$batch-validate-code`
pub(super) fn operation() -> TerminologyOperation {
    TerminologyOperation {
        code: "batch-validate-code",
        name: "BatchValidateCode",
        resource: "ValueSet",
        subject: None,
        words: "Whether codes are in value sets, several in one request: each validation is the Parameters of a \
                $validate-code, and other parameters count for all that do not have them.",
        parameters,
        examples: &[],
        ask: |request, parameters| batch_validate_code(request, parameters).map(Into::into),
    }
}

fn parameters() -> Vec<OperationDefinitionParameter> {
    let validations = "The parameters of one $validate-code.";
    let mut parameters = vec![parameter("validation", "in", (1, "*"), "Parameters", validations)];
    parameters.extend(in_a_value_set());
    let words = "The answer to each, in order: Parameters, or an OperationOutcome.";
    parameters.push(parameter("validation", "out", (1, "*"), "Resource", words));
    parameters
}
