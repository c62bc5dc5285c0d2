//! `ValueSet/$validate-code` and `CodeSystem/$validate-code`: whether a code is in
//! (<https://hl7.org/fhir/R4/valueset-operation-validate-code.html>,
//! <https://hl7.org/fhir/R4/codesystem-operation-validate-code.html>).

use fhir_model::OperationDefinitionParameter;
use fhir_validate::terminology::operation::{code_system_validate_code, validate_code};

use super::parameter;
use super::terminology::{
    TerminologyOperation, display_language, input, output, own_resources, value_set, versions,
};

/// `ValueSet/$validate-code`
pub(super) fn in_value_set() -> TerminologyOperation {
    TerminologyOperation {
        code: "validate-code",
        name: "ValueSetValidateCode",
        resource: "ValueSet",
        subject: Some("valueSet"),
        words: "Whether a code is in a value set, and what is wrong with it if it is not.",
        parameters: of_value_set,
        examples: &[
            ("url", "http://hl7.org/fhir/ValueSet/administrative-gender"),
            ("system", "http://hl7.org/fhir/administrative-gender"),
            ("code", "female"),
        ],
        ask: |request, parameters| validate_code(request, parameters).map(Into::into),
    }
}

/// `CodeSystem/$validate-code`
pub(super) fn in_code_system() -> TerminologyOperation {
    TerminologyOperation {
        code: "validate-code",
        name: "CodeSystemValidateCode",
        resource: "CodeSystem",
        subject: Some("codeSystem"),
        words: "Whether a code is in its code system, and what is wrong with it if it is not.",
        parameters: of_code_system,
        examples: &[
            ("url", "http://hl7.org/fhir/administrative-gender"),
            ("code", "female"),
        ],
        ask: |request, parameters| code_system_validate_code(request, parameters).map(Into::into),
    }
}

fn of_value_set() -> Vec<OperationDefinitionParameter> {
    let mut parameters = in_a_value_set();
    parameters.extend(answer());
    parameters
}

/// What `$validate-code` on a value set takes, and `$batch-validate-code` for each of its validations.
pub(super) fn in_a_value_set() -> Vec<OperationDefinitionParameter> {
    let mut parameters = value_set();
    parameters.extend([
        input("system", "uri", "The code system of `code`."),
        input(
            "systemVersion",
            "string",
            "The version of the code system of `code`.",
        ),
        input(
            "inferSystem",
            "boolean",
            "Whether the code system of `code` is the one of the value set that has it.",
        ),
        input(
            "valueset-membership-only",
            "boolean",
            "Whether only being in the value set counts.",
        ),
    ]);
    parameters.extend(codes());
    parameters.extend(versions());
    parameters
}

fn of_code_system() -> Vec<OperationDefinitionParameter> {
    let mut parameters = vec![
        input(
            "url",
            "uri",
            "The canonical URL of the code system, with `|version` or without.",
        ),
        input("codeSystem", "CodeSystem", "The code system itself."),
        input("version", "string", "The version of the code system."),
    ];
    parameters.extend(codes());
    parameters.extend(answer());
    parameters
}

/// What both take.
fn codes() -> Vec<OperationDefinitionParameter> {
    vec![
        input("code", "code", "The code."),
        input("display", "string", "The display of `code`, to be checked too."),
        input("coding", "Coding", "A code with its code system."),
        input(
            "codeableConcept",
            "CodeableConcept",
            "Several codes, one of which must be in.",
        ),
        input(
            "abstract",
            "boolean",
            "Whether codes that only group others may be used.",
        ),
        input("activeOnly", "boolean", "Whether inactive codes are wrong."),
        input(
            "lenient-display-validation",
            "boolean",
            "Whether a wrong display is no more than a warning.",
        ),
        display_language(),
        own_resources(),
    ]
}

fn answer() -> Vec<OperationDefinitionParameter> {
    vec![
        parameter(
            "result",
            "out",
            (1, "1"),
            "boolean",
            "Whether the code is in and nothing is wrong with it.",
        ),
        output("message", "string", "What is wrong."),
        output("display", "string", "A display of the code."),
        output("issues", "OperationOutcome", "What is wrong, one by one."),
    ]
}
