//! Filters on whose data a resource is (see `search/belongs.rs`).
//!
//! Invariant: a resource of which it cannot be told whose it is, a deleted one among them, passes none of these.

use std::sync::LazyLock;

use crate::search::belongs::{self, NOBODY, PATIENT};
use crate::search::registry::Registry;
use crate::store::{Criterion, Filter, ParameterNumber, ResourceType, SystemTest, Test, ValueKind};

/// Resources of types that are never a patient's.
fn never() -> Filter {
    static TYPES: LazyLock<Vec<ResourceType>> = LazyLock::new(|| {
        ResourceType::all()
            .filter(|t| !belongs::may_be_of_a_patient(*t))
            .collect()
    });
    Filter::Types(TYPES.clone())
}

/// A test on a parameter.
pub(crate) fn has(parameter: ParameterNumber, test: Test) -> Filter {
    Filter::Has(Criterion { parameter, test })
}

/// Data of any of those patients.
pub(crate) fn of_any(ids: Vec<String>) -> Filter {
    match (ids.is_empty(), belongs::patient_type()) {
        (false, Some(resource_type)) => has(PATIENT, Test::ReferenceTo { resource_type, ids }),
        _ => Filter::None,
    }
}

/// Data of any patient beside those.
pub(crate) fn of_others(ids: Vec<String>) -> Filter {
    match belongs::patient_type() {
        Some(resource_type) if ids.is_empty() => has(PATIENT, Test::ReferenceType(vec![resource_type])),
        Some(resource_type) => has(PATIENT, Test::ReferenceBeyond { resource_type, ids }),
        None => Filter::All,
    }
}

/// Data of a patient that the filter lets through.
pub(crate) fn of_those(patient: Filter) -> Filter {
    match belongs::patient_type() {
        Some(resource_type) => Filter::RefersTo {
            parameters: vec![PATIENT],
            resource_type,
            filter: Box::new(patient),
        },
        None => Filter::None,
    }
}

/// What is no patient's.
pub(crate) fn of_nobody() -> Filter {
    let nobody = Test::Token {
        system: SystemTest::Any,
        code: Some(vec![NOBODY.into()]),
    };
    has(PATIENT, nobody)
}

/// What is of a type that is never a patient's.
pub(crate) fn of_no_patients_type(asked: Option<ResourceType>) -> Filter {
    match asked {
        Some(t) if !belongs::may_be_of_a_patient(t) => Filter::All,
        Some(_) => Filter::None,
        None => never(),
    }
}

/// What can be told whose it is.
pub(crate) fn decided() -> Filter {
    has(PATIENT, Test::Exists(ValueKind::Reference)).or(of_nobody())
}

/// The number of a search parameter of R4.
pub(crate) fn parameter(resource_type: &str, code: &str) -> Option<ParameterNumber> {
    let resource_type = ResourceType::from_name(resource_type)?;
    Registry::r4().find(Some(resource_type), code).map(|p| p.number)
}

/// A code of a parameter, of whatever system, is one of those.
pub(crate) fn coded(resource_type: &str, code: &str, values: &[&str]) -> Filter {
    let codes = values.iter().map(|v| (*v).to_owned()).collect();
    match parameter(resource_type, code) {
        Some(number) => has(
            number,
            Test::Token {
                system: SystemTest::Any,
                code: Some(codes),
            },
        ),
        None => Filter::None,
    }
}
