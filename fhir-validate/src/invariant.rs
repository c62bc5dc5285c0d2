//! The invariant layer: the rules in FHIRPath of base definitions and profiles
//! (<https://hl7.org/fhir/R4/conformance-rules.html#constraints>).

use fhir_model::path::{Collection, Error, Value};
use fhir_model::reflect::Node;

use crate::layer::Layer;
use crate::program::{Check, Constraint};
use crate::run::{Report, Run, Scope};

/// Invariants of a DomainResource that are about its contained resources.
const OF_CONTAINED: [&str; 4] = ["dom-2", "dom-3", "dom-4", "dom-5"];

/// Evaluates the constraints on a value.
pub(crate) fn check<'a>(run: &mut Run, scope: &Scope<'a>, constraints: &'a [Constraint], node: Node<'a>) {
    let skips_contained = !scope.inner.options.contained;
    for constraint in constraints {
        if skips_contained && OF_CONTAINED.contains(&constraint.key.as_str()) {
            continue;
        }
        let Check::Path(expression) = &constraint.test else {
            if let Check::Broken(reason) = &constraint.test {
                let message = format!("the invariant {} cannot be checked: {reason}", constraint.key);
                run.report(Report::warning(Layer::Invariant, message).rule(constraint.key.as_str()));
            }
            continue;
        };
        if !run.step() {
            return;
        }
        let input: Collection<'a> = Value::Node(node).into();
        match expression.holds(input, scope.environment) {
            Ok(true) => {}
            Ok(false) => run.report(broken(constraint, expression.source())),
            Err(error) => run.report(failed(constraint, &error)),
        }
    }
}

fn broken(constraint: &Constraint, expression: &str) -> Report {
    let message = match &constraint.human {
        Some(human) => format!(
            "the invariant {} does not hold: {human} ({expression})",
            constraint.key
        ),
        None => format!("the invariant {} does not hold: {expression}", constraint.key),
    };
    Report::error(Layer::Invariant, message)
        .of(constraint.severity)
        .rule(constraint.key.as_str())
}

fn failed(constraint: &Constraint, error: &Error) -> Report {
    let message = format!("the invariant {} could not be evaluated: {error}", constraint.key);
    Report::warning(Layer::Invariant, message).rule(constraint.key.as_str())
}
