//! `ValueSet/$expand`: the codes of a value set (<https://hl7.org/fhir/R4/valueset-operation-expand.html>).
//!
//! Expansions are flat, and 10,000 codes at most are listed at once.

use fhir_model::OperationDefinitionParameter;
use fhir_validate::terminology::operation::expand;

use super::parameter;
use super::terminology::{
    TerminologyOperation, display_language, input, inputs, own_resources, value_set, versions,
};

/// `$expand`
pub(super) fn operation() -> TerminologyOperation {
    TerminologyOperation {
        code: "expand",
        name: "Expand",
        resource: "ValueSet",
        subject: Some("valueSet"),
        words: "Lists the codes of a value set, at most 10,000 at once: the rest by pages, with offset and count.",
        parameters,
        examples: &[("url", "http://hl7.org/fhir/ValueSet/administrative-gender")],
        ask: |request, parameters| expand(request, parameters).map(Into::into),
    }
}

fn parameters() -> Vec<OperationDefinitionParameter> {
    let yes = |name, words| input(name, "boolean", words);
    let mut parameters = value_set();
    parameters.extend([
        input(
            "filter",
            "string",
            "Words that the code or one of its displays must have, in parts.",
        ),
        input("offset", "integer", "How many codes to pass over."),
        input(
            "count",
            "integer",
            "How many codes to list; with 0 their number is told.",
        ),
        yes("includeDesignations", "Whether designations are listed."),
        inputs(
            "designation",
            "string",
            "The designations wanted: a language, or `system|code` of a use.",
        ),
        yes(
            "includeDefinition",
            "Whether the answer has the definition of the value set.",
        ),
        yes("activeOnly", "Whether inactive codes are left out."),
        yes("excludeNested", "Expansions are flat with it and without it."),
        yes(
            "excludeNotForUI",
            "Whether codes are left out that only group others.",
        ),
        yes(
            "excludePostCoordinated",
            "No codes are made of others with it and without it.",
        ),
        inputs(
            "property",
            "string",
            "Properties of the codes that are listed too.",
        ),
        display_language(),
    ]);
    parameters.extend(versions());
    parameters.push(own_resources());
    parameters.push(parameter(
        "return",
        "out",
        (1, "1"),
        "ValueSet",
        "The value set with its expansion.",
    ));
    parameters
}
