//! `ValueSet/$batch-validate-code`: several codes in one request
//! (<https://build.fhir.org/valueset-operation-batch-validate-code.html>).

use fhir_model::OperationDefinitionParameter;
use fhir_validate::terminology::operation::batch_validate_code;

use super::parameter;
use super::terminology::{TerminologyOperation, input, versions};
use super::validate_code::codes;

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
    let mut parameters = vec![
        parameter(
            "validation",
            "in",
            (1, "*"),
            "Parameters",
            "The parameters of one $validate-code.",
        ),
        input("url", "uri", "The canonical URL of the value set."),
        input("valueSet", "ValueSet", "The value set itself."),
        input("valueSetVersion", "string", "The version of the value set."),
        input("system", "uri", "The code system of codes that have none."),
        input("systemVersion", "string", "The version of the code system."),
        input(
            "inferSystem",
            "boolean",
            "Whether the code system of a code is the one of the value set that has it.",
        ),
        input(
            "valueset-membership-only",
            "boolean",
            "Whether only being in the value set counts.",
        ),
    ];
    parameters.extend(codes());
    parameters.extend(versions());
    let words = "The answer to each, in order: Parameters, or an OperationOutcome.";
    parameters.push(parameter("validation", "out", (1, "*"), "Resource", words));
    parameters
}
