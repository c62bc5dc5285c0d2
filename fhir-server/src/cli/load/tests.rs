//! What `load` promises: nothing twice, nothing half, every refusal told.

use std::io::Write;
use std::path::Path;

use fhir_server::context::TenantId;
use fhir_server::store::{self, Filter, HistoryQuery, HistoryScope, StoreOptions};

use super::*;

const TRANSACTION: &str = r#"{"resourceType":"Bundle","type":"transaction","entry":[
  {"fullUrl":"urn:uuid:1","resource":{"resourceType":"Patient","active":true},"request":{"method":"POST","url":"Patient"}},
  {"fullUrl":"urn:uuid:2","resource":{"resourceType":"Basic","code":{"text":"x"},"subject":{"reference":"urn:uuid:1"}},
   "request":{"method":"POST","url":"Basic"}}]}"#;
const TORN: &str = r#"{"resourceType":"Bundle","type":"transaction","entry":[
  {"resource":{"resourceType":"Patient"},"request":{"method":"POST","url":"Patient"}},
  {"resource":{"resourceType":"Observation"},"request":{"method":"POST","url":"Observation"}}]}"#;
const MIXED: &str = r#"{"resourceType":"Bundle","type":"batch","entry":[
  {"resource":{"resourceType":"Observation"},"request":{"method":"POST","url":"Observation"}},
  {"resource":{"resourceType":"Patient"},"request":{"method":"POST","url":"Patient"}}]}"#;

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Place(tempfile::tempdir().unwrap())
    }

    fn database(&self) -> DatabaseUrl {
        DatabaseUrl::Sqlite(self.0.path().join("fhir.sqlite"))
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    fn load(&self, files: &[&Path], again: bool) -> (bool, String) {
        let args = Args {
            files: files.iter().map(|path| path.to_path_buf()).collect(),
            database: self.database(),
            again,
            report: false,
            validation: ValidationArgs::default(),
        };
        let mut out = Vec::new();
        let is_all_in = load(&args, &mut out).is_ok();
        (is_all_in, String::from_utf8(out).unwrap())
    }

    fn versions(&self) -> Vec<String> {
        versions(&self.database())
    }
}

/// Every version ever, in a form to compare.
fn versions(database: &DatabaseUrl) -> Vec<String> {
    let store = store::open(database, &StoreOptions::default()).unwrap();
    server::run(async {
        let snapshot = store.snapshot(TenantId::DEFAULT).await.unwrap();
        let query = HistoryQuery::new(HistoryScope::System, 1_000_000, Filter::All);
        let found = snapshot.history(&query).await.unwrap();
        drop(snapshot);
        store.close().await;
        let text = |version: &store::Version| {
            let body = version.body.as_ref().map(|body| body.json.to_vec());
            String::from_utf8(body.unwrap_or_default()).unwrap()
        };
        found
            .iter()
            .map(|v| format!("{} {} {:?} {} {}", v.key, v.version, v.change, v.stamp, text(v)))
            .collect()
    })
}

fn gzip(content: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn patients(ids: std::ops::Range<u32>) -> String {
    ids.map(|id| format!("{{\"resourceType\":\"Patient\",\"id\":\"p{id}\"}}\n"))
        .collect()
}

#[test]
fn a_second_load_adds_nothing_and_says_so() {
    let place = Place::new();
    let file = place.file("a.json", TRANSACTION);
    let (is_all_in, out) = place.load(&[&file], false);
    assert!(
        is_all_in && out.contains("loaded   1 units with 2 resources"),
        "{out}"
    );
    let first = place.versions();
    let (is_all_in, out) = place.load(&[&file, &file], false);
    assert!(is_all_in && out.contains("loaded   0 units"), "{out}");
    assert!(out.contains("skipped  2 units"), "{out}");
    assert_eq!(place.versions(), first);
    let (is_all_in, out) = place.load(&[&file], true);
    assert!(
        is_all_in && out.contains("loaded   1 units with 2 resources"),
        "{out}"
    );
    assert_eq!(place.versions().len(), 4);
}

#[test]
fn a_refused_transaction_leaves_nothing_and_its_ledger_entry_neither() {
    let place = Place::new();
    let file = place.file("a.json", TORN);
    for _ in 0..2 {
        let (is_all_in, out) = place.load(&[&file], false);
        assert!(!is_all_in && out.contains("refused  1 units"), "{out}");
        assert!(out.contains("Bundle.entry[1].resource.status"), "{out}");
        assert_eq!(place.versions(), Vec::<String>::new());
    }
}

#[test]
fn each_entry_of_a_batch_stands_alone() {
    let place = Place::new();
    let file = place.file("a.json", MIXED);
    let (is_all_in, out) = place.load(&[&file], false);
    assert!(!is_all_in && out.contains("loaded   1 units"), "{out}");
    assert!(out.contains("Bundle.entry[0].resource.status"), "{out}");
    let (_, out) = place.load(&[&file], false);
    assert!(
        out.contains("loaded   0 units") && out.contains("skipped  1 units"),
        "{out}"
    );
    assert_eq!(place.versions().len(), 1);
}

#[test]
fn a_collection_puts_what_has_an_id_and_a_document_is_kept() {
    let place = Place::new();
    let collection = TRANSACTION
        .replace("transaction", "collection")
        .replace("\"active\"", "\"id\":\"p\",\"active\"");
    let document = r#"{"resourceType":"Bundle","type":"searchset","id":"kept"}"#;
    let files = [place.file("a.json", collection), place.file("b.json", document)];
    let (is_all_in, out) = place.load(&[&files[0], &files[1]], false);
    assert!(is_all_in && out.contains("2 units with 3 resources"), "{out}");
    let versions = place.versions().join("\n");
    assert!(
        versions.contains("Patient/p ") && versions.contains("Bundle/kept "),
        "{versions}"
    );
}

#[test]
fn lines_that_are_wrong_are_named_and_the_others_are_in() {
    let place = Place::new();
    let lines = format!(
        "{}{{\"resourceType\":\"Patient\",\"birthDate\":\"x\"}}\nno\n{}",
        patients(0..100),
        patients(100..200)
    );
    let file = place.file("a.ndjson.gz", gzip(&lines));
    let (is_all_in, out) = place.load(&[&file, &place.0.path().join("none.json")], false);
    assert!(!is_all_in && out.contains("loaded   200 units"), "{out}");
    assert!(out.contains("a.ndjson.gz:101: Patient.birthDate"), "{out}");
    assert!(
        out.contains("a.ndjson.gz:102: ") && out.contains("none.json: "),
        "{out}"
    );
    assert_eq!(place.versions().len(), 200);
}

#[test]
fn a_load_goes_on_where_it_ended() {
    let place = Place::new();
    let part = place.file("part.ndjson", patients(0..40));
    place.load(&[&part], false);
    let whole = place.file("whole.ndjson", patients(0..100));
    let (is_all_in, out) = place.load(&[&whole], false);
    assert!(is_all_in && out.contains("loaded   60 units"), "{out}");
    assert!(out.contains("skipped  40 units"), "{out}");
    assert_eq!(place.versions().len(), 100);
}

#[test]
fn writes_of_one_resource_keep_the_order_of_the_file() {
    let place = Place::new();
    let lines: String = (0..50)
        .map(|n| format!("{{\"resourceType\":\"Basic\",\"id\":\"b\",\"code\":{{\"text\":\"t{n}\"}}}}\n"))
        .collect();
    let (is_all_in, out) = place.load(&[&place.file("a.ndjson", lines)], false);
    assert!(is_all_in, "{out}");
    let versions = place.versions();
    assert_eq!(versions.len(), 50);
    assert!(versions[0].contains("\"t49\"") && versions[49].contains("\"t0\""));
}

#[test]
fn a_backup_taken_during_a_load_restores_to_a_part_that_the_load_completes() {
    let place = Place::new();
    place.load(&[&place.file("a.ndjson", patients(0..50))], false);
    let before = place.versions();
    let file = place.file("b.ndjson", patients(50..400));
    let backup = place.0.path().join("backup");
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| place.load(&[&file], false));
        store::backup(&place.database(), &backup).unwrap();
        assert!(writing.join().unwrap().0);
    });
    let whole = place.versions();
    let restored = Place::new();
    store::restore(&backup, &restored.database(), false).unwrap();
    let copy = restored.versions();
    // Newest first: the copy is the older end of what there is.
    assert!(
        copy.ends_with(&before) && whole.ends_with(&copy),
        "{} versions",
        copy.len()
    );
    assert!(restored.load(&[&file], false).0);
    assert_eq!(restored.versions().len(), 400);
}

#[test]
fn synthetic_patients_load_whole() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/synthea");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        println!("SKIPPED (needs ../shared/data/synthea)");
        return;
    };
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "json" || e == "gz"));
    files.sort_by_key(|path| path.metadata().unwrap().len());
    let files: Vec<&Path> = files.iter().take(2).map(PathBuf::as_path).collect();
    let place = Place::new();
    let (is_all_in, out) = place.load(&files, false);
    println!("{out}");
    assert!(is_all_in && out.contains("loaded   2 units"), "{out}");
    let (is_all_in, out) = place.load(&files, false);
    assert!(is_all_in && out.contains("skipped  2 units"), "{out}");
}
