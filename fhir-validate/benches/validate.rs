//! What validation costs: a Patient against UK Core, a Bundle of a record, each layer, and starting; and the memory of it.
//!
//!     cargo bench -p fhir-validate --bench validate
//!     cargo bench -p fhir-validate --bench validate -- patient    only the Patient
//!
//! Validators with and without a layer take turns, and the least time of each counts, so that the figures hold on a busy machine.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a benchmark fails where its data are wrong, and has no users"
)]

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use fhir_model::{Resource, json};
use fhir_validate::{LAYERS, Layer, Validator};

/// Turns of each validator.
const TURNS: usize = 60;
/// The time of a turn.
const TURN: Duration = Duration::from_millis(4);

fn main() {
    if !std::env::args().any(|argument| argument == "--bench") {
        println!("not measured: run it with `cargo bench`");
        return;
    }
    let only = std::env::args()
        .skip(1)
        .find(|argument| !argument.starts_with('-'));
    if only.as_deref() == Some("patient") {
        patient()
            .iter()
            .for_each(|patient| layers("patient against UK Core", patient));
        return;
    }
    let (patient, record) = (patient(), bundle(120));
    if let (Some(patient), Some(record)) = (&patient, &record) {
        start(patient, record);
    }
    if let Some(patient) = patient {
        layers("patient against UK Core", &patient);
    }
    if let Some(record) = record {
        layers("record of 120 resources", &record);
    }
}

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

fn patient() -> Option<Resource> {
    let text = shared("examples/ukcore-stu2/UKCore-Patient-RichardSmith-Example.json")?;
    Some(json::from_slice(&text).expect("the example is right"))
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

/// Starting, once: what is unpacked and compiled is kept for the process.
fn start(patient: &Resource, record: &Resource) {
    println!("| what, in this order | ms | MB more |\n|---|---|---|");
    let mut validator = None;
    step("a validator with R4 and UK Core", || {
        validator = Some(Validator::builder().uk_core().build());
    });
    let validator = validator.unwrap_or_default();
    step("its first Patient", || drop(validator.validate(patient)));
    step("the same again", || drop(validator.validate(patient)));
    step("the first record of 120 resources", || {
        drop(validator.validate(record));
    });
    step("the same again", || drop(validator.validate(record)));
    step("another validator, whatever the first unpacked", || {
        drop(Validator::builder().uk_core().build());
    });
    let empty: Vec<Resource> = Resource::TYPES
        .iter()
        .filter_map(|name| Resource::new(name))
        .collect();
    let without = whole().extend().without(Layer::JsonSchema).build();
    let all = |validator: &Validator| empty.iter().for_each(|one| drop(validator.validate(one)));
    step("the rules of every type of resource, compiled", || all(&without));
    step("their published JSON Schemas, compiled", || all(&validator));
}

fn step(what: &str, work: impl FnOnce()) {
    let (begin, before) = (Instant::now(), resident());
    work();
    let took = begin.elapsed().as_secs_f64() * 1e3;
    println!("| {what} | {took:.2} | {:.1} |", resident() - before);
}

/// Megabytes that are resident; 0 where the system does not tell.
fn resident() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kib.unwrap_or_default() * 1024.0 / 1e6
}

/// Made once.
fn whole() -> Validator {
    static WHOLE: std::sync::OnceLock<Validator> = std::sync::OnceLock::new();
    WHOLE
        .get_or_init(|| Validator::builder().uk_core().build())
        .clone()
}

/// The whole, and what is saved where a layer is left out.
fn layers(what: &str, resource: &Resource) {
    let mut validators = vec![("shape only".to_owned(), Validator::new())];
    validators.push(("whole".to_owned(), whole()));
    for layer in LAYERS {
        let without = whole().extend().without(*layer).build();
        validators.push((layer.name().to_owned(), without));
    }
    let mut least = vec![f64::INFINITY; validators.len()];
    let begin = Instant::now();
    validators[..2]
        .iter()
        .for_each(|(_, v)| drop(black_box(v.validate(resource))));
    let times = (TURN.as_secs_f64() / (begin.elapsed().as_secs_f64() / 2.0)).ceil();
    for _ in 0..TURNS {
        for ((_, validator), least) in validators.iter().zip(&mut least) {
            let begin = Instant::now();
            for _ in 0..times as usize {
                black_box(validator.validate(black_box(resource)));
            }
            *least = least.min(begin.elapsed().as_secs_f64() * 1e6 / times);
        }
    }
    println!("\n| {what} | µs | of the whole |\n|---|---|---|");
    let whole = least[1];
    for (index, ((name, _), time)) in validators.iter().zip(&least).enumerate() {
        let (name, time) = match index {
            0 | 1 => (name.clone(), *time),
            _ => (format!("layer {name}"), whole - time),
        };
        println!("| {name} | {time:.1} | {:.0} % |", time / whole * 100.0);
    }
}
