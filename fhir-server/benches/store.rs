//! The store alone: creates that share a transaction, updates, point reads, pages, and the bytes that a resource takes.
//!
//! Run with `cargo bench -p fhir-server --bench store`; set `TMPDIR` to the disk that is to be measured.
//! It prints the bytes a resource after the creates.

#![expect(clippy::unwrap_used, reason = "a benchmark stops at the first failure")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use fhir_server::context::TenantId;
use fhir_server::store::{
    Commit, Criterion as Criteria, DatabaseUrl, Filter, Index, IndexRow, IndexValue, Key, ParameterNumber,
    ResourceType, SearchQuery, StampForm, Store, StoreOptions, StoredBody, SystemTest, Test, Write, open,
};
use tempfile::TempDir;
use tokio::runtime::Runtime;

static COUNT: AtomicU64 = AtomicU64::new(0);

fn token(system: &str, code: &str) -> IndexValue {
    IndexValue::Token {
        system: (!system.is_empty()).then(|| system.to_owned()),
        code: code.to_owned(),
    }
}

fn reference(resource_type: &str, n: u64) -> IndexValue {
    IndexValue::Reference {
        resource_type: ResourceType::from_name(resource_type).unwrap(),
        id: format!("{n:016x}"),
        version: None,
    }
}

/// About what R4's parameters give of such an observation: one of 50 of a patient, its codes, time, and two values in three of the
/// parameters that look at components.
fn index(n: u64) -> Index {
    let text = |text: &str| IndexValue::String {
        folded: text.to_lowercase(),
        exact: text.to_owned(),
    };
    let time = i64::try_from(1_700_000_000_000 + n * 61_000).unwrap();
    let mut values = vec![
        token("", "final"),
        token(
            "http://terminology.hl7.org/CodeSystem/observation-category",
            "vital-signs",
        ),
        text("Vital Signs"),
        token("http://loinc.org", "85354-9"),
        token("http://loinc.org", "85354-9"),
        text("Blood pressure panel"),
        text("Blood pressure panel"),
        reference("Patient", n / 50),
        reference("Patient", n / 50),
        reference("Encounter", n / 5),
        IndexValue::Date {
            first: time,
            last: time + 999,
        },
    ];
    for (code, value) in [("8462-4", 50 + n % 45), ("8480-6", 90 + n % 70)] {
        let value = value as f64 + (n % 1000) as f64 / 1000.0;
        for _ in 0..3 {
            values.push(token("http://loinc.org", code));
            values.push(IndexValue::Quantity {
                low: value - 0.0005,
                high: value + 0.0005,
                system: Some("http://unitsofmeasure.org".into()),
                code: Some("mm[Hg]".into()),
                unit: Some("mm[Hg]".into()),
            });
        }
    }
    let rows = values.into_iter().zip(1..);
    Index::new(
        rows.map(|(value, parameter)| IndexRow {
            parameter: ParameterNumber(parameter * 8),
            group: 0,
            value,
        })
        .collect(),
    )
}

/// A blood pressure of about 1.4 kB, different each time.
fn observation() -> (Key, StoredBody) {
    let n = COUNT.fetch_add(1, Ordering::Relaxed);
    let spread = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let id = uuid::Uuid::from_u64_pair(spread, !spread.rotate_left(17)).to_string();
    let id = uuid::Builder::from_bytes(uuid::Uuid::parse_str(&id).unwrap().into_bytes())
        .with_variant(uuid::Variant::RFC4122)
        .into_uuid()
        .to_string();
    let (systolic, diastolic, day) = (90 + n % 70, 50 + n % 45, 1 + n % 28);
    let component = |code: &str, display: &str, value: u64| {
        format!(
            r#"{{"code":{{"coding":[{{"system":"http://loinc.org","code":"{code}","display":"{display}"}}],"text":"{display}"}},"valueQuantity":{{"value":{value}.{},"unit":"mm[Hg]","system":"http://unitsofmeasure.org","code":"mm[Hg]"}}}}"#,
            spread % 1000
        )
    };
    let json = format!(
        r#"{{"resourceType":"Observation","id":"{id}","status":"final","category":[{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs","display":"Vital Signs"}}]}}],"code":{{"coding":[{{"system":"http://loinc.org","code":"85354-9","display":"Blood pressure panel"}}],"text":"Blood pressure panel"}},"subject":{{"reference":"Patient/{:016x}"}},"encounter":{{"reference":"Encounter/{:016x}"}},"effectiveDateTime":"20{:02}-{:02}-{day:02}T09:{:02}:00+00:00","issued":"2026-11-{day:02}T09:30:12.{:03}+00:00","component":[{},{}]}}"#,
        spread.rotate_left(7),
        spread.rotate_left(31),
        n % 27,
        1 + n % 12,
        n % 60,
        n % 1000,
        component("8462-4", "Diastolic Blood Pressure", diastolic),
        component("8480-6", "Systolic Blood Pressure", systolic),
    );
    let stamp_at = u32::try_from(r#"{"resourceType":"Observation","id":"","#.len() + id.len()).unwrap();
    let key = Key {
        resource_type: ResourceType::from_name("Observation").unwrap(),
        id,
    };
    (
        key,
        StoredBody {
            json: json.into_bytes(),
            stamp_at,
            stamp_form: StampForm::Member,
        },
    )
}

fn commit(write: Write) -> Commit {
    let mut commit = Commit::default();
    commit.writes.push(write);
    commit
}

/// Shares `count` writes among that many tasks, each of which waits for its answer before its next.
async fn share<F>(store: &Arc<dyn Store>, tasks: u64, count: u64, write: F) -> Duration
where
    F: Fn() -> Write + Send + Copy + 'static,
{
    let start = Instant::now();
    let mut running = Vec::new();
    for task in 0..tasks {
        let store = store.clone();
        let mine = count / tasks + u64::from(task < count % tasks);
        running.push(tokio::spawn(async move {
            for _ in 0..mine {
                store.commit(TenantId::DEFAULT, commit(write())).await.unwrap();
            }
        }));
    }
    for task in running {
        task.await.unwrap();
    }
    start.elapsed()
}

fn create() -> Write {
    let index = index(COUNT.load(Ordering::Relaxed));
    let (key, body) = observation();
    Write::Create { key, body, index }
}

fn size(folder: &TempDir) -> u64 {
    let files = std::fs::read_dir(folder.path()).unwrap();
    files.map(|f| f.unwrap().metadata().unwrap().len()).sum()
}

fn writes(c: &mut Criterion, runtime: &Runtime, store: &Arc<dyn Store>) {
    let mut group = c.benchmark_group("store");
    group
        .sample_size(10)
        .measurement_time(Duration::from_secs(8))
        .throughput(Throughput::Elements(1));
    for tasks in [1, 8, 32] {
        group.bench_function(format!("create, {tasks} waiting"), |b| {
            b.iter_custom(|n| runtime.block_on(share(store, tasks, n, create)));
        });
    }
    group.finish();
}

fn reads(c: &mut Criterion, runtime: &Runtime, store: &Arc<dyn Store>) {
    let observation = ResourceType::from_name("Observation").unwrap();
    let query = SearchQuery::new(Some(observation), Filter::All, 1_000);
    let found = runtime.block_on(async {
        let snapshot = store.snapshot(TenantId::DEFAULT).await.unwrap();
        snapshot.search(&query).await.unwrap()
    });
    let keys: Vec<Key> = found.into_iter().map(|f| f.version.key).collect();
    let mut group = c.benchmark_group("store");
    group.throughput(Throughput::Elements(1));
    let mut keys = keys.iter().cycle();
    group.bench_function("read", |b| {
        b.iter(|| {
            let key = keys.next().unwrap();
            runtime.block_on(async {
                let snapshot = store.snapshot(TenantId::DEFAULT).await.unwrap();
                snapshot.read(key, &Filter::All).await.unwrap().unwrap()
            })
        });
    });
    let page = SearchQuery::new(Some(observation), Filter::All, 50);
    group.bench_function("page of 50", |b| {
        b.iter(|| {
            runtime.block_on(async {
                let snapshot = store.snapshot(TenantId::DEFAULT).await.unwrap();
                snapshot.search(&page).await.unwrap()
            })
        });
    });
    let of_patient = Filter::Has(Criteria {
        parameter: ParameterNumber(64),
        test: Test::Reference {
            types: vec![ResourceType::from_name("Patient").unwrap()],
            id: format!("{:016x}", 3),
            version: None,
        },
    });
    let diastolic = Filter::Has(Criteria {
        parameter: ParameterNumber(96),
        test: Test::Token {
            system: SystemTest::Is("http://loinc.org".into()),
            code: Some(vec!["8462-4".into()]),
        },
    });
    let both = SearchQuery::new(Some(observation), Filter::And(vec![diastolic, of_patient]), 50);
    group.bench_function("the 50 of a patient with a code", |b| {
        b.iter(|| {
            runtime.block_on(async {
                let snapshot = store.snapshot(TenantId::DEFAULT).await.unwrap();
                snapshot.search(&both).await.unwrap()
            })
        });
    });
    group.bench_function("total up to 10,000", |b| {
        b.iter(|| {
            runtime.block_on(async {
                let snapshot = store.snapshot(TenantId::DEFAULT).await.unwrap();
                snapshot.search_total(&page, 10_000).await.unwrap()
            })
        });
    });
    group.finish();
}

fn store(c: &mut Criterion) {
    let folder = TempDir::new().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let url = DatabaseUrl::Sqlite(folder.path().join("bench.db"));
    let store = open(&url, &StoreOptions::default()).unwrap();
    writes(c, &runtime, &store);
    reads(c, &runtime, &store);
    runtime.block_on(store.close());
    let count = COUNT.load(Ordering::Relaxed);
    let each = size(&folder).checked_div(count).unwrap_or_default();
    println!("{count} resources, {each} bytes each on disk");
}

criterion_group!(benches, store);
criterion_main!(benches);
