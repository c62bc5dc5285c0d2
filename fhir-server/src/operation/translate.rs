//! `ConceptMap/$translate`: codes of another code system for a code
//! (<https://hl7.org/fhir/R4/conceptmap-operation-translate.html>).

use fhir_model::OperationDefinitionParameter;
use fhir_validate::terminology::operation::translate;

use super::parameter;
use super::terminology::{TerminologyOperation, input, output, own_resources};

/// `$translate`
pub(super) fn operation() -> TerminologyOperation {
    TerminologyOperation {
        code: "translate",
        name: "Translate",
        resource: "ConceptMap",
        subject: Some("conceptMap"),
        words: "Codes of another code system for a code, by the concept maps that are held.",
        parameters,
        examples: &[
            (
                "url",
                "http://hl7.org/fhir/ConceptMap/cm-administrative-gender-v3",
            ),
            ("system", "http://hl7.org/fhir/administrative-gender"),
            ("code", "female"),
        ],
        ask: |request, parameters| translate(request, parameters).map(Into::into),
    }
}

fn parameters() -> Vec<OperationDefinitionParameter> {
    vec![
        input(
            "url",
            "uri",
            "The canonical URL of the concept map; without it, all that fit are used.",
        ),
        input("conceptMap", "ConceptMap", "The concept map itself."),
        input("conceptMapVersion", "string", "The version of the concept map."),
        input("code", "code", "The code."),
        input("system", "uri", "Its code system."),
        input("version", "string", "The version of the code system."),
        input("coding", "Coding", "The code with its code system."),
        input(
            "codeableConcept",
            "CodeableConcept",
            "Several codes, all of which are translated.",
        ),
        input("source", "uri", "The value set that the code is in."),
        input("target", "uri", "The value set that the code is wanted in."),
        input(
            "targetsystem",
            "uri",
            "The code system that the code is wanted in.",
        ),
        input(
            "reverse",
            "boolean",
            "Whether the maps are read from target to source.",
        ),
        own_resources(),
        parameter(
            "result",
            "out",
            (1, "1"),
            "boolean",
            "Whether there is a translation.",
        ),
        output("message", "string", "Why there is none."),
        parameter(
            "match",
            "out",
            (0, "*"),
            "BackboneElement",
            "Translations: equivalence, concept, product, source.",
        ),
    ]
}
