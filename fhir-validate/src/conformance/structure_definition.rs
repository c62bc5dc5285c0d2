//! Structure definitions: elements that the base has, and discriminators that lead somewhere.

use fhir_model::StructureDefinition;
use fhir_model::reflect::{Shape, TypeInfo};
use serde_json::Value;

use super::error;
use crate::definition::{Definition, Facts, list, text};
use crate::layer::Layer;
use crate::place::Step;
use crate::run::{Report, Run, Scope};

pub(super) fn check(run: &mut Run, scope: &Scope<'_>, resource: &StructureDefinition) {
    if resource.derivation != "constraint" || resource.kind == "logical" {
        return;
    }
    let json = fhir_model::json::to_vec_of(resource);
    let Some(definition) = serde_json::from_slice::<Value>(&json)
        .ok()
        .as_ref()
        .and_then(Definition::read)
    else {
        return;
    };
    for (index, facts) in definition.differential.iter().enumerate() {
        if run.is_full() {
            return;
        }
        discriminators(run, index, facts);
    }
    let base = definition.base.as_deref().unwrap_or_default();
    if scope.inner.store.get_any_version(base).is_none() {
        let message =
            format!("the base {base} is not known here, so the differential was not checked against it");
        return run.report_in("baseDefinition", Report::warning(Layer::Conformance, message));
    }
    if let Err(reason) = crate::snapshot::generate(&definition, &scope.inner.store, &mut Vec::new()) {
        run.report_in("differential", error(reason));
    }
}

/// Each discriminator of a slicing is a path within the element.
fn discriminators(run: &mut Run, index: usize, facts: &Facts) {
    let (Some(path), Some(slicing)) = (text(facts, "path"), facts.get("slicing")) else {
        return;
    };
    let Some(info) = type_at(path) else { return };
    for (number, discriminator) in list(slicing.get("discriminator")).iter().enumerate() {
        let Some(wanted) = discriminator.get("path").and_then(Value::as_str) else {
            continue;
        };
        if leads_somewhere(info, wanted) {
            continue;
        }
        let message = format!(
            "the discriminator {wanted:?} is no path within {path}, which is a {}",
            info.name
        );
        run.place.push(Step::named("differential", None));
        run.place.push(Step::named("element", Some(index)));
        run.place.push(Step::named("slicing", None));
        run.within(Step::named("discriminator", Some(number)), |run| {
            run.report(error(message))
        });
        for _ in 0..3 {
            run.place.pop();
        }
    }
}

/// The type of the element at a path, where it has one type only.
fn type_at(path: &str) -> Option<&'static TypeInfo> {
    let mut names = path.split('.');
    let root = fhir_model::type_info(names.next()?)?;
    names.try_fold(root, |info, name| match &info.field(name)?.1.shape {
        Shape::Complex(inner) => Some(*inner),
        _ => None,
    })
}

/// Whether a discriminator's path fits the type; steps that need more than the type are taken as right.
fn leads_somewhere(info: &'static TypeInfo, path: &str) -> bool {
    let mut at = Some(info);
    for name in path.split('.') {
        if name == "$this" {
            continue;
        }
        if name.contains('(') {
            return true;
        }
        let Some(info) = at else { return true };
        let Some((_, field)) = info.field(name.trim_end_matches("[x]")) else {
            return false;
        };
        at = match &field.shape {
            Shape::Complex(inner) => Some(*inner),
            Shape::Primitive(_) => fhir_model::type_info("Element"),
            _ => None,
        };
    }
    true
}
