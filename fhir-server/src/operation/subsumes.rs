//! `CodeSystem/$subsumes`: whether one code is a kind of another
//! (<https://hl7.org/fhir/R4/codesystem-operation-subsumes.html>).

use fhir_model::OperationDefinitionParameter;
use fhir_validate::terminology::operation::subsumes;

use super::parameter;
use super::terminology::{TerminologyOperation, input, own_resources};

/// `$subsumes`
pub(super) fn operation() -> TerminologyOperation {
    TerminologyOperation {
        code: "subsumes",
        name: "Subsumes",
        resource: "CodeSystem",
        subject: Some("codeSystem"),
        words: "Whether code A subsumes code B: equivalent, subsumes, subsumed-by or not-subsumed.",
        parameters,
        examples: &[
            ("system", "http://terminology.hl7.org/CodeSystem/v3-RoleCode"),
            ("codeA", "FAMMEMB"),
            ("codeB", "MTH"),
        ],
        ask: |request, parameters| subsumes(request, parameters).map(Into::into),
    }
}

fn parameters() -> Vec<OperationDefinitionParameter> {
    vec![
        input("codeA", "code", "The one code."),
        input("codeB", "code", "The other."),
        input("system", "uri", "The code system of both."),
        input("version", "string", "The version of the code system."),
        input("codingA", "Coding", "The one code with its code system."),
        input("codingB", "Coding", "The other with its code system."),
        input("codeSystem", "CodeSystem", "The code system itself."),
        own_resources(),
        parameter(
            "outcome",
            "out",
            (1, "1"),
            "code",
            "equivalent, subsumes, subsumed-by or not-subsumed.",
        ),
    ]
}
