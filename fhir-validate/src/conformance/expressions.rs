//! Expressions of structure definitions and search parameters: each compiles, so that it can be asked
//! (<https://hl7.org/fhir/R4/fhirpath.html>).

use fhir_model::path::Expression;
use fhir_model::reflect::{Complex, Node};
use fhir_model::{ElementDefinition, Extension, SearchParameter, StructureDefinition};

use super::error;
use crate::finding::Severity;
use crate::place::{Step, nodes_of};
use crate::program::{REGEX, bounded_regex};
use crate::run::{Report, Run};

/// Checks the invariants, contexts and forms of a structure definition.
pub(super) fn of_structure(run: &mut Run, definition: &StructureDefinition) {
    for (index, context) in definition.context.iter().enumerate() {
        if context.type_ == "fhirpath" {
            run.within(Step::named("context", Some(index)), |run| {
                compiles(run, "expression", context.expression.as_str());
            });
        }
    }
    for (index, invariant) in definition.context_invariant.iter().enumerate() {
        compiles(run, &format!("contextInvariant[{index}]"), invariant.as_str());
    }
    // A snapshot repeats what its differential says.
    let (name, elements) = match (&definition.differential, &definition.snapshot) {
        (Some(differential), _) => ("differential", &differential.element),
        (None, Some(snapshot)) => ("snapshot", &snapshot.element),
        (None, None) => return,
    };
    run.place.push(Step::named(name, None));
    for (index, element) in elements.iter().enumerate() {
        if run.is_full() {
            break;
        }
        run.within(Step::named("element", Some(index)), |run| {
            of_element(run, element)
        });
    }
    run.place.pop();
}

fn of_element(run: &mut Run, element: &ElementDefinition) {
    for (index, constraint) in element.constraint.iter().enumerate() {
        run.within(Step::named("constraint", Some(index)), |run| {
            compiles(run, "expression", constraint.expression.as_str());
        });
    }
    forms(run, &element.extension);
    for (index, kind) in element.type_.iter().enumerate() {
        run.within(Step::named("type", Some(index)), |run| {
            forms(run, &kind.extension)
        });
    }
}

/// A form is a regular expression that can be matched in bounded time.
fn forms(run: &mut Run, extensions: &[Extension]) {
    for (index, extension) in extensions.iter().enumerate() {
        let Some(source) = extension
            .url
            .as_deref()
            .filter(|url| *url == REGEX)
            .and_then(|_| text(extension))
        else {
            continue;
        };
        if bounded_regex(&source).is_none() {
            let message = format!(
                "the regular expression {source:?} is not one that is matched in bounded time here, so values are not held against it: do without look-around and back references, and keep it short"
            );
            run.within(Step::named("extension", Some(index)), |run| {
                run.report(error(message).of(Severity::Warning));
            });
        }
    }
}

fn text(extension: &Extension) -> Option<String> {
    match nodes_of(extension as &dyn Complex, "value")?.next()? {
        Node::Primitive(_, primitive) => primitive.text().map(std::borrow::Cow::into_owned),
        Node::Complex(_) => None,
    }
}

/// Checks what a search parameter looks for.
pub(super) fn of_search(run: &mut Run, parameter: &SearchParameter) {
    compiles(run, "expression", parameter.expression.as_str());
}

fn compiles(run: &mut Run, element: &str, source: Option<&str>) {
    let Some(problem) = source.and_then(|source| Expression::compile(source).err()) else {
        return;
    };
    let report: Report = error(format!("the expression cannot be asked: {problem}"));
    run.report_in(element, report);
}
