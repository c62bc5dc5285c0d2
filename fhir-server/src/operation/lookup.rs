//! `CodeSystem/$lookup`: what a code system says of a code (<https://hl7.org/fhir/R4/codesystem-operation-lookup.html>).

use fhir_model::OperationDefinitionParameter;
use fhir_validate::terminology::operation::lookup;

use super::parameter;
use super::terminology::{TerminologyOperation, display_language, input, inputs, output, own_resources};

/// `$lookup`
pub(super) fn operation() -> TerminologyOperation {
    TerminologyOperation {
        code: "lookup",
        name: "Lookup",
        resource: "CodeSystem",
        subject: None,
        words: "What a code system says of a code: displays, definition, properties.",
        parameters,
        examples: &[
            ("system", "http://hl7.org/fhir/administrative-gender"),
            ("code", "female"),
        ],
        ask: |request, parameters| lookup(request, parameters).map(Into::into),
    }
}

fn parameters() -> Vec<OperationDefinitionParameter> {
    vec![
        input("code", "code", "The code."),
        input("system", "uri", "Its code system."),
        input("version", "string", "The version of the code system."),
        input("coding", "Coding", "The code with its code system."),
        inputs(
            "property",
            "code",
            "What is wanted of the code; all, where none is named.",
        ),
        display_language(),
        own_resources(),
        parameter("name", "out", (1, "1"), "string", "The name of the code system."),
        output("version", "string", "The version of the code system."),
        parameter("display", "out", (1, "1"), "string", "The display of the code."),
        parameter(
            "designation",
            "out",
            (0, "*"),
            "BackboneElement",
            "Other displays: language, use, value.",
        ),
        parameter(
            "property",
            "out",
            (0, "*"),
            "BackboneElement",
            "Properties: code, value, description.",
        ),
    ]
}
