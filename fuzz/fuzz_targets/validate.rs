//! Validation with UK Core: whatever can be read is judged, within the limit of findings, the same each time, and read as the
//! same resource it has the same findings from a text as from the value.

#![no_main]

use std::sync::LazyLock;

use fhir_model::read::ReadOptions;
use fhir_validate::Validator;
use libfuzzer_sys::fuzz_target;

/// Findings at most.
const MOST: usize = 200;

static VALIDATOR: LazyLock<Validator> = LazyLock::new(|| Validator::builder().uk_core().max_findings(MOST).build());

fuzz_target!(|text: &[u8]| {
    let found = VALIDATOR.validate_text(text, &[], &ReadOptions::default());
    assert!(found.len() <= MOST || fhir_model::json::from_slice(text).is_err());
    let Ok(resource) = fhir_model::json::from_slice(text) else { return };
    let again = VALIDATOR.validate(&resource);
    let told = |f: &fhir_validate::Finding| (f.expression.clone(), f.message.clone(), f.severity);
    assert_eq!(found.iter().map(told).collect::<Vec<_>>(), again.iter().map(told).collect::<Vec<_>>());
    assert!(found.iter().all(|f| f.expression.starts_with(resource.type_name())));
});
