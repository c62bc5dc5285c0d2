//! What validation costs: a Patient against UK Core, a Bundle of a record, each layer, and starting.

#![expect(
    clippy::expect_used,
    reason = "a benchmark fails where its data are wrong, and has no users"
)]

use std::fs;
use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, criterion_group, criterion_main};
use fhir_model::{Resource, json};
use fhir_validate::{LAYERS, Validator};

fn shared(name: &str) -> Option<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../shared/data")
        .join(name);
    let read = fs::read(path).ok();
    if read.is_none() {
        println!("SKIPPED (needs ../shared/data/{name})");
    }
    read
}

/// The first entries of a record.
fn bundle(entries: usize) -> Option<Resource> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/synthea");
    let mut files: Vec<_> = fs::read_dir(folder)
        .ok()?
        .filter_map(|e| Some(e.ok()?.path()))
        .filter(|p| p.extension().is_some_and(|e| e == "json"))
        .collect();
    files.sort_by_key(|f| fs::metadata(f).map(|m| m.len()).unwrap_or(0));
    for file in files {
        let mut resource = json::from_slice(&fs::read(file).ok()?).ok()?;
        let bundle = resource.get_mut::<fhir_model::Bundle>()?;
        if bundle.entry.len() >= entries {
            bundle.entry.truncate(entries);
            return Some(resource);
        }
    }
    None
}

fn validation(c: &mut Criterion) {
    let uk = Validator::builder().uk_core().build();
    if let Some(text) = shared("examples/ukcore-stu2/UKCore-Patient-RichardSmith-Example.json") {
        let patient = json::from_slice(&text).expect("the example is right");
        c.bench_function("patient, UK Core", |b| {
            b.iter(|| uk.validate(black_box(&patient)))
        });
        for layer in LAYERS {
            let without = Validator::builder().uk_core().without(*layer).build();
            c.bench_function(&format!("patient, UK Core, without {}", layer.name()), |b| {
                b.iter(|| without.validate(black_box(&patient)))
            });
        }
        c.bench_function("start, and the first patient", |b| {
            b.iter(|| {
                Validator::builder()
                    .uk_core()
                    .build()
                    .validate(black_box(&patient))
            })
        });
    }
    if let Some(bundle) = bundle(120) {
        c.bench_function("record of 120 resources", |b| {
            b.iter(|| uk.validate(black_box(&bundle)))
        });
        let shape = Validator::new();
        c.bench_function("record of 120 resources, shape only", |b| {
            b.iter(|| shape.validate(black_box(&bundle)))
        });
    }
    c.bench_function("start", |b| b.iter(|| Validator::builder().uk_core().build()));
}

criterion_group!(benches, validation);
criterion_main!(benches);
