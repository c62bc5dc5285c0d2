//! The registry of R4 and its numbers.

use fhir_model::definitions::search_parameters;
use sha2::{Digest, Sha256};

use super::*;
use crate::store::Aspect;

fn of_name(name: &str) -> ResourceType {
    ResourceType::from_name(name).unwrap()
}

/// Every number with what it stands for, a line each.
fn numbers() -> String {
    let line = |number: ParameterNumber, url: &str, base: &str| format!("{} {url} {base}\n", number.0 / 8);
    let all = number::r4();
    let base = |p: &Parameter| p.resource_type.map_or("*", ResourceType::name);
    let parameters = all.iter().map(|p| line(p.number, &p.url, base(p)));
    let parts = all.iter().flat_map(|p| {
        p.components
            .iter()
            .map(move |part| line(part.parameter, &p.url, base(p)))
    });
    parameters.chain(parts).collect()
}

#[test]
fn numbers_stay_what_they_are() {
    let numbers = numbers();
    let digest = Sha256::digest(numbers.as_bytes());
    let digest: String = digest.iter().take(8).map(|b| format!("{b:02x}")).collect();
    // Databases hold these numbers: whoever sees this test fail has to put the order back, not to change the test.
    assert_eq!(
        (numbers.lines().count(), digest.as_str()),
        (1857, "e615eb954489b311")
    );
}

#[test]
fn numbers_are_all_different_and_below_those_of_added_parameters() {
    let all = number::r4();
    let parts = all.iter().flat_map(|p| p.components.iter().map(|c| c.parameter));
    let mut numbers: Vec<_> = all.iter().map(|p| p.number).chain(parts).collect();
    numbers.sort_unstable();
    let count = numbers.len();
    numbers.dedup();
    assert_eq!(numbers.len(), count);
    assert!(numbers.iter().all(|n| *n > ParameterNumber(0)));
    assert!(numbers.last() < Some(&ParameterNumber::new(number::FIRST_ADDED, Aspect::Value)));
}

#[test]
fn every_parameter_of_r4_is_found_for_each_of_its_types() {
    let registry = Registry::r4();
    for definition in search_parameters() {
        for resource_type in fhir_model::Resource::TYPES {
            let found = registry.find(Some(of_name(resource_type)), definition.code);
            let is_it = found.is_some_and(|p| p.url == definition.url);
            assert_eq!(
                is_it,
                definition.applies_to(resource_type),
                "{} of {resource_type}",
                definition.url
            );
        }
    }
}

#[test]
fn parameters_of_every_type_are_found_without_a_type() {
    let registry = Registry::r4();
    for code in [
        "_content",
        "_id",
        "_lastUpdated",
        "_profile",
        "_query",
        "_security",
        "_source",
        "_tag",
    ] {
        let found = registry.find(None, code).unwrap();
        assert!(found.resource_type.is_none(), "{code}");
    }
    assert!(
        registry
            .find(None, "_tag")
            .is_some_and(|p| p.resource_type.is_none())
    );
    assert!(registry.find(None, "birthdate").is_none());
    assert!(registry.find(Some(of_name("Bundle")), "_text").is_none());
}

#[test]
fn targets_and_parts_are_known() {
    let registry = Registry::r4();
    let patient = registry.find(Some(of_name("Observation")), "patient").unwrap();
    assert_eq!(patient.targets, [of_name("Patient")]);
    let composite = registry
        .find(Some(of_name("Observation")), "code-value-quantity")
        .unwrap();
    let kinds: Vec<_> = composite.components.iter().map(|part| part.kind).collect();
    assert_eq!(kinds, [SearchParamType::Token, SearchParamType::Quantity]);
    assert!(composite.value_kinds().is_empty());
}

#[test]
fn every_plan_compiles_and_speaks_of_its_own_type() {
    for name in fhir_model::Resource::TYPES {
        let plan = Registry::r4().plan(of_name(name)).unwrap();
        assert!(!plan.sources.is_empty(), "{name}");
        for source in &plan.sources {
            let root = source.expression.root_type();
            let own = root.is_none_or(|root| root == *name || ["Resource", "DomainResource"].contains(&root));
            assert!(own, "{} in the plan of {name}", source.expression);
        }
    }
}

#[test]
fn one_expression_serves_all_that_read_it() {
    let plan = Registry::r4().plan(of_name("Patient")).unwrap();
    let name = plan
        .sources
        .iter()
        .find(|s| s.expression.source() == "Patient.name")
        .unwrap();
    let codes: Vec<_> = name.uses.iter().map(|u| &*u.parameter.code).collect();
    assert_eq!(codes, ["name", "phonetic"]);
}
