//! Criteria that one value must pass together: `birthdate=ge1980&birthdate=lt1983` are two criteria, each true of half of all people. A
//! person has one date of birth, so that it lies between the two, and the index gives those between.
//!
//! Invariant: criteria are put together only where a resource cannot have two values of the parameter.

use fhir_model::reflect::{Shape, TypeInfo};

use super::registry::{Parameter, Registry};
use crate::store::{Criterion, Filter, ParameterNumber, ResourceType, Test};

/// The same filter, with criteria on one value together.
pub(crate) fn narrow(registry: &Registry, types: &[ResourceType], filter: Filter) -> Filter {
    let Filter::And(all) = filter else {
        return filter;
    };
    let mut narrowed: Vec<Filter> = Vec::with_capacity(all.len());
    for part in all {
        let Some(number) = spans(&part) else {
            narrowed.push(part);
            continue;
        };
        let same = narrowed.iter_mut().find(|other| spans(other) == Some(number));
        match (same, part) {
            (Some(Filter::Has(before)), Filter::Has(also)) if has_one_value(registry, types, number) => {
                join(&mut before.test, also.test);
            }
            (_, part) => narrowed.push(part),
        }
    }
    match narrowed.len() {
        1 => narrowed.pop().unwrap_or(Filter::All),
        _ => Filter::And(narrowed),
    }
}

fn join(test: &mut Test, also: Test) {
    match test {
        Test::Every(all) => all.push(also),
        one => {
            let first = std::mem::replace(one, Test::Every(Vec::new()));
            *one = Test::Every(vec![first, also]);
        }
    }
}

/// The parameter of a criterion on a date, number or quantity.
fn spans(filter: &Filter) -> Option<ParameterNumber> {
    let Filter::Has(Criterion { parameter, test }) = filter else {
        return None;
    };
    let is_span = |test: &Test| matches!(test, Test::Date(..) | Test::Number(..) | Test::Quantity(..));
    let all_are = match test {
        Test::Every(all) => all.iter().all(is_span),
        one => is_span(one),
    };
    all_are.then_some(*parameter)
}

/// Whether a resource of those types has one value of the parameter at most.
fn has_one_value(registry: &Registry, types: &[ResourceType], number: ParameterNumber) -> bool {
    let parameter = types
        .iter()
        .find_map(|of| registry.of(*of).find(|parameter| parameter.number == number));
    parameter.is_some_and(is_single)
}

/// Whether the expression leads to one element that is there once at most. What is not a plain path may lead to more.
fn is_single(parameter: &Parameter) -> bool {
    let Some((name, expression)) = parameter
        .resource_type
        .map(ResourceType::name)
        .zip(parameter.expression.as_deref())
    else {
        return false;
    };
    let own = expression.split('|').map(element);
    let mut own = own.filter(|path| path.split('.').next() == Some(name));
    let Some(path) = own.next() else {
        return false;
    };
    // The types of one choice are alternatives.
    own.all(|other| other == path)
        && fhir_model::type_info(name).is_some_and(|info| is_path_single(info, path))
}

/// The element of a branch such as `(Observation.value as Quantity)` or `Condition.onset.as(Period)`.
fn element(branch: &str) -> &str {
    let branch = branch.trim().trim_start_matches('(').trim_end_matches(')').trim();
    let branch = branch.split(" as ").next().unwrap_or(branch);
    branch.split(".as(").next().unwrap_or(branch).trim()
}

fn is_path_single(mut info: &'static TypeInfo, path: &str) -> bool {
    let mut names = path.split('.').skip(1).peekable();
    if names.peek().is_none() {
        return false;
    }
    while let Some(name) = names.next() {
        let Some((_, field)) = info.field(name).filter(|(_, field)| field.max == 1) else {
            return false;
        };
        match field.shape {
            Shape::Complex(of) => info = of,
            _ if names.peek().is_none() => {}
            _ => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Compare;

    fn of(name: &str, code: &str) -> (ResourceType, ParameterNumber) {
        let resource_type = ResourceType::from_name(name).unwrap();
        let parameter = Registry::r4().find(Some(resource_type), code).unwrap();
        (resource_type, parameter.number)
    }

    fn between(parameter: ParameterNumber) -> Filter {
        let has = |test| Filter::Has(Criterion { parameter, test });
        Filter::And(vec![
            Filter::All,
            has(Test::Date(Compare::Ge, 1, 2)),
            has(Test::Date(Compare::Lt, 8, 9)),
        ])
    }

    #[test]
    fn criteria_on_what_is_there_once_are_put_together() {
        for (name, code) in [
            ("Patient", "birthdate"),
            ("Observation", "date"),
            ("Observation", "value-quantity"),
            ("Condition", "onset-date"),
            ("Encounter", "date"),
            ("MedicationRequest", "authoredon"),
        ] {
            let (resource_type, number) = of(name, code);
            let narrowed = narrow(Registry::r4(), &[resource_type], between(number));
            let Filter::And(parts) = &narrowed else {
                panic!("{name} {code}: {narrowed:?}")
            };
            assert_eq!(parts.len(), 2, "{name} {code}: {narrowed:?}");
            assert!(
                matches!(&parts[1], Filter::Has(c) if matches!(&c.test, Test::Every(all) if all.len() == 2))
            );
        }
    }

    #[test]
    fn criteria_on_what_may_be_there_twice_stay_apart() {
        for (name, code) in [
            ("Observation", "component-value-quantity"),
            ("Observation", "combo-value-quantity"),
            ("Goal", "target-date"),
            ("Appointment", "date"),
        ] {
            let (resource_type, number) = of(name, code);
            let before = between(number);
            let single = matches!((name, code), ("Appointment", "date"));
            let narrowed = narrow(Registry::r4(), &[resource_type], before.clone());
            assert_eq!(narrowed != before, single, "{name} {code}: {narrowed:?}");
        }
        // Of no type, nothing is known.
        let (_, number) = of("Patient", "birthdate");
        assert_eq!(narrow(Registry::r4(), &[], between(number)), between(number));
    }
}
