//! Value sets: absolute systems, and filters that can be read.

use fhir_model::{ValueSet, ValueSetComposeInclude};

use super::{ecl, error};
use crate::bundle::is_absolute;
use crate::place::Step;
use crate::run::Run;

const SNOMED: &str = "http://snomed.info/sct";

pub(super) fn check(run: &mut Run, value_set: &ValueSet) {
    let Some(compose) = &value_set.compose else { return };
    run.place.push(Step::named("compose", None));
    for (name, parts) in [("include", &compose.include), ("exclude", &compose.exclude)] {
        for (index, part) in parts.iter().enumerate() {
            run.within(Step::named(name, Some(index)), |run| include(run, part));
        }
    }
    run.place.pop();
}

fn include(run: &mut Run, part: &ValueSetComposeInclude) {
    let Some(system) = part.system.as_str() else {
        return;
    };
    if !is_absolute(system) {
        run.report_in(
            "system",
            error(format!(
                "the system {system:?} must be absolute; a contained code system is named by its url too"
            )),
        );
    } else if system.contains('|') {
        run.report_in(
            "system",
            error(format!(
                "the system {system:?} has a version, which belongs in the element version"
            )),
        );
    }
    for (index, filter) in part.filter.iter().enumerate() {
        let is_ecl = system == SNOMED && filter.property == "constraint" && filter.op == "=";
        if let Some(problem) = filter.value.as_str().filter(|_| is_ecl).and_then(ecl::problem) {
            let message = format!(
                "{:?} is not an expression of ECL: {problem}",
                filter.value.as_str().unwrap_or_default()
            );
            run.within(Step::named("filter", Some(index)), |run| {
                run.report(error(message))
            });
        }
    }
}
