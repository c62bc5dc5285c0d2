//! How long reading and writing JSON takes: `cargo bench -p fhir-model --bench json`.
//!
//! The inputs are official examples and Synthea records of the shared folder beside the project; serde_json's `Value`
//! is timed on the same bytes, so that a ratio can be given whatever the machine.

use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use fhir_model::json;
use fhir_model::read::ReadOptions;

fn benches(c: &mut Criterion) {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    for (name, file) in [
        ("patient", "examples/r4-json/Patient-example.json"),
        (
            "blood pressure",
            "examples/r4-json/Observation-blood-pressure.json",
        ),
        (
            "record",
            "synthea/13_Elvina_Lemke_f2a4f241-ad65-4a1b-8b54-b5717a2338b6.json",
        ),
    ] {
        let Ok(text) = std::fs::read(shared.join(file)) else {
            println!("SKIPPED (needs ../shared/data/{file})");
            continue;
        };
        let text = json::compact(&text);
        let Ok(resource) = json::from_slice(&text) else {
            continue;
        };
        let mut group = c.benchmark_group(name);
        group
            .throughput(Throughput::Bytes(text.len() as u64))
            .measurement_time(Duration::from_secs(3));
        group.bench_function("read", |b| b.iter(|| json::from_slice(black_box(&text))));
        let options = ReadOptions::default();
        group.bench_function("read traced", |b| {
            b.iter(|| json::read_traced(black_box(&text), &options))
        });
        group.bench_function("write", |b| b.iter(|| json::to_vec(black_box(&resource))));
        group.bench_function("compact", |b| b.iter(|| json::compact(black_box(&text))));
        group.bench_function("serde_json Value, read", |b| {
            b.iter(|| serde_json::from_slice::<serde_json::Value>(black_box(&text)));
        });
        group.finish();
    }
}

criterion_group!(json_benches, benches);
criterion_main!(json_benches);
