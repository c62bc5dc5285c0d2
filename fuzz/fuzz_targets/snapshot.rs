//! Profiles: any StructureDefinition has a snapshot or a reason why not, and a resource is held against it within bounds.

#![no_main]

use std::sync::LazyLock;

use fhir_model::{Resource, json};
use fhir_validate::Validator;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

/// Findings at most.
const MOST: usize = 50;

static VALIDATOR: LazyLock<Validator> = LazyLock::new(|| Validator::builder().uk_core().max_findings(MOST).build());

/// Resources that a profile may be about.
static RESOURCES: LazyLock<Vec<Resource>> = LazyLock::new(|| {
    let bundle: Resource = json::from_str(include_str!("../seeds/json/bundle.json")).expect("a resource");
    let inner = bundle.get::<fhir_model::Bundle>().expect("a Bundle");
    let mut all: Vec<Resource> = inner.entry.iter().filter_map(|entry| entry.resource.clone()).collect();
    all.push(bundle);
    all
});

fuzz_target!(|text: &[u8]| {
    let Ok(value) = serde_json::from_slice::<Value>(text) else { return };
    if value.get("resourceType").and_then(Value::as_str) != Some("StructureDefinition") {
        return;
    }
    let Some(url) = value.get("url").and_then(Value::as_str).map(str::to_owned) else { return };
    // As it is written: a definition is judged before it is used.
    assert!(VALIDATOR.validate_text(text, &[], &Default::default()).len() <= MOST || json::from_slice(text).is_err());
    let validator = VALIDATOR.extend().definition(value).build();
    let first = validator.snapshot(&url);
    assert_eq!(validator.snapshot(&url), first);
    for resource in RESOURCES.iter() {
        assert!(validator.validate_against(resource, std::slice::from_ref(&url)).len() <= MOST);
    }
});
