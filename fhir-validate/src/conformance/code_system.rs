//! Code systems: supplements, and properties of the types that they are declared with.

use fhir_model::reflect::Node;
use fhir_model::{CodeSystem, CodeSystemConcept};

use super::error;
use crate::place::{Step, nodes_of};
use crate::run::Run;

pub(super) fn check(run: &mut Run, code_system: &CodeSystem) {
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
