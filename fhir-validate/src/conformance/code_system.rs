//! Code systems: supplements, and properties of the types that they are declared with.

use fhir_model::reflect::Node;
use fhir_model::{CodeSystem, CodeSystemConcept};

use super::error;
use crate::place::{Step, nodes_of};
use crate::run::{Run, Scope};
use crate::terminology::{CodeQuery, Known};

/// HL7's own properties of concepts, by uri; `#` and the code follow.
const HL7_PROPERTIES: &str = "http://hl7.org/fhir/concept-properties";
/// The codes of those properties in R4, and those that HL7 has added since.
const HL7_CODES: [&str; 13] = [
    "inactive",
    "deprecated",
    "deprecationDate",
    "retirementDate",
    "notSelectable",
    "parent",
    "child",
    "partOf",
    "synonym",
    "comment",
    "itemWeight",
    "status",
    "effectiveDate",
];

pub(super) fn check(run: &mut Run, scope: &Scope<'_>, code_system: &CodeSystem) {
    properties(run, code_system);
    if let Some(base) = code_system.supplements.as_str() {
        supplemented(run, scope, base, &code_system.concept);
    }
    let is_supplement = code_system.content == "supplement";
    match (code_system.supplements.as_str(), is_supplement) {
        (Some(_), false) => run.report_in(
            "content",
            error("a code system that supplements another has the content `supplement`"),
        ),
        (None, true) => run.report(error(
            "a supplement names the code system that it supplements (supplements)",
        )),
        _ => {}
    }
    concepts(run, code_system, &code_system.concept);
}

/// A property in HL7's name is one of HL7's.
fn properties(run: &mut Run, code_system: &CodeSystem) {
    for (index, property) in code_system.property.iter().enumerate() {
        let uri = property.uri.as_str().unwrap_or_default();
        let code = uri
            .strip_prefix(HL7_PROPERTIES)
            .and_then(|rest| rest.strip_prefix('#'));
        if let Some(code) = code.filter(|code| !HL7_CODES.contains(code)) {
            let message = format!(
                "HL7 has no property {code:?} of concepts; a property of one's own has a uri of one's own, not {uri}"
            );
            run.within(Step::named("property", Some(index)), |run| {
                run.report(error(message))
            });
        }
    }
}

/// The concepts of a supplement are those of the code system that it supplements, where that is held.
fn supplemented(run: &mut Run, scope: &Scope<'_>, base: &str, all: &[CodeSystemConcept]) {
    let Some(terminology) = scope.inner.terminology.as_deref() else {
        return;
    };
    let (system, version) = base
        .split_once('|')
        .map_or((base, None), |(url, version)| (url, Some(version)));
    for (index, concept) in all.iter().enumerate() {
        if run.is_full() {
            return;
        }
        let Some(code) = concept.code.as_str() else {
            continue;
        };
        let query = CodeQuery {
            system: Some(system),
            version,
            code,
            display: None,
        };
        run.within(Step::named("concept", Some(index)), |run| {
            if matches!(terminology.look_up(&query), Known::No { .. }) {
                let message = format!("{system} has no code {code:?}, so a supplement cannot say more of it");
                run.report(error(message));
            }
            supplemented(run, scope, base, &concept.concept);
        });
    }
}

fn concepts(run: &mut Run, code_system: &CodeSystem, all: &[CodeSystemConcept]) {
    for (index, concept) in all.iter().enumerate() {
        if run.is_full() {
            return;
        }
        run.within(Step::named("concept", Some(index)), |run| {
            for (index, property) in concept.property.iter().enumerate() {
                let declared = code_system
                    .property
                    .iter()
                    .find(|p| p.code.as_str().is_some() && p.code.as_str() == property.code.as_str());
                let kind = nodes_of(property, "value")
                    .and_then(|mut n| n.next())
                    .map(Node::type_name);
                let wanted = declared.and_then(|d| d.type_.as_str());
                if let (Some(kind), Some(wanted)) = (kind, wanted)
                    && kind != wanted
                    && !(wanted == "code" && kind == "string")
                {
                    let message = format!(
                        "the property {:?} is declared as {wanted}; this is a {kind}",
                        property.code.as_str().unwrap_or_default()
                    );
                    run.within(Step::named("property", Some(index)), |run| {
                        run.report(error(message))
                    });
                }
            }
            concepts(run, code_system, &concept.concept);
        });
    }
}
