//! FHIRPath: any text compiles or is refused, is checked or refused, and ends on a resource within its limits.

#![no_main]

use std::sync::LazyLock;

use fhir_model::path::{ByReferenceType, Environment, Expression};
use fhir_model::{Resource, json};
use libfuzzer_sys::fuzz_target;

/// One resource of each kind that expressions are mostly about, in one Bundle.
static BUNDLE: LazyLock<Resource> =
    LazyLock::new(|| json::from_str(include_str!("../seeds/json/bundle.json")).expect("a resource"));

fuzz_target!(|source: &str| {
    let Ok(expression) = Expression::compile(source) else { return };
    drop(expression.check("Bundle"));
    let environment = Environment::new().with_resolver(&ByReferenceType).with_filtering_as();
    let bundle = BUNDLE.get::<fhir_model::Bundle>().expect("a Bundle");
    let entries = bundle.entry.iter().filter_map(|entry| entry.resource.as_ref());
    for resource in entries.chain([&*BUNDLE]) {
        // What is the same twice is the same text twice: evaluation depends on nothing but its input.
        let texts = |result: Result<fhir_model::path::Collection<'_>, _>| {
            result.map(|values| values.iter().map(|v| v.text().map(|t| t.into_owned())).collect::<Vec<_>>()).ok()
        };
        let first = texts(expression.evaluate(resource, &environment));
        assert_eq!(texts(expression.evaluate(resource, &environment)), first);
    }
});
