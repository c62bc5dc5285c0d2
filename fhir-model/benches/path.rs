//! FHIRPath: compiling, and evaluating what search and validation evaluate most.

#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use fhir_model::path::{ByReferenceType, Environment, Expression};
use fhir_model::{Resource, json};

const PATIENT: &str = r##"{
  "resourceType": "Patient",
  "id": "example",
  "identifier": [
    {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9990000018"},
    {"system": "urn:oid:1.2.36.146.595.217.0.1", "value": "12345"}
  ],
  "active": true,
  "name": [
    {"use": "official", "family": "Chalmers", "given": ["Peter", "James"]},
    {"use": "usual", "given": ["Jim"]},
    {"use": "maiden", "family": "Windsor", "given": ["Peter", "James"]}
  ],
  "telecom": [
    {"system": "phone", "value": "(03) 5555 6473", "use": "work", "rank": 1},
    {"system": "email", "value": "peter@example.org", "use": "home"}
  ],
  "gender": "male",
  "birthDate": "1974-12-25",
  "address": [{"use": "home", "line": ["534 Erewhon St"], "city": "Leeds", "postalCode": "LS1 1AA"}],
  "contact": [{"name": {"family": "du Marché"}, "organization": {"reference": "Organization/1"}}],
  "generalPractitioner": [{"reference": "Practitioner/1"}, {"reference": "Organization/2"}],
  "managingOrganization": {"reference": "Organization/1"}
}"##;

fn benches(c: &mut Criterion) {
    let patient: Resource = json::from_slice(PATIENT.as_bytes()).unwrap();
    let environment = Environment::new()
        .with_resolver(&ByReferenceType)
        .with_filtering_as();
    for (name, source) in [
        ("id", "Resource.id"),
        ("path", "Patient.name.given"),
        ("where", "Patient.telecom.where(system = 'email')"),
        (
            "resolve",
            "Patient.generalPractitioner.where(resolve() is Practitioner)",
        ),
        (
            "choice",
            "Patient.deceased.exists() and Patient.deceased != false",
        ),
        ("union", "Patient.name.family | Patient.name.given"),
        ("contained", "contained.contained.empty()"),
        (
            "invariant",
            "name.exists() or telecom.exists() or address.exists() or organization.exists()",
        ),
        ("descendants", "descendants().count()"),
    ] {
        let expression = Expression::compile(source).unwrap();
        c.bench_function(&format!("evaluate {name}"), |b| {
            b.iter(|| {
                expression
                    .evaluate(black_box(&patient), &environment)
                    .unwrap()
                    .len()
            });
        });
    }
    c.bench_function("compile where", |b| {
        b.iter(|| Expression::compile(black_box("Patient.telecom.where(system = 'email')")).unwrap());
    });
}

criterion_group!(group, benches);
criterion_main!(group);
