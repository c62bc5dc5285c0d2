//! The conformance layer: what definitions ask beyond their elements
//! (<https://hl7.org/fhir/R4/codesystem.html>, <https://hl7.org/fhir/R4/valueset.html>, <https://hl7.org/fhir/R4/profiling.html>).

mod code_system;
mod ecl;
mod expressions;
mod structure_definition;
mod value_set;

use fhir_model::reflect::Complex;
use fhir_model::{CodeSystem, SearchParameter, StructureDefinition, ValueSet};

use crate::layer::Layer;
use crate::run::{Report, Run, Scope};

pub(crate) fn check(run: &mut Run, scope: &Scope<'_>, value: &dyn Complex) {
    let any = value.as_any();
    if let Some(code_system) = any.downcast_ref::<CodeSystem>() {
        code_system::check(run, scope, code_system);
    } else if let Some(value_set) = any.downcast_ref::<ValueSet>() {
        value_set::check(run, value_set);
    } else if let Some(definition) = any.downcast_ref::<StructureDefinition>() {
        expressions::of_structure(run, definition);
        structure_definition::check(run, scope, definition);
    } else if let Some(parameter) = any.downcast_ref::<SearchParameter>() {
        expressions::of_search(run, parameter);
    }
}

/// An error about the place.
fn error(message: impl Into<String>) -> Report {
    Report::error(Layer::Conformance, message)
}
