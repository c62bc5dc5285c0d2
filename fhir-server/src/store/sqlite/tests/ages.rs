//! Databases of every earlier schema, with data in them, brought up to date: whatever dies on the way, nothing of what was stored changes
//!

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use diesel_migrations::MigrationHarness;
use tempfile::TempDir;

use super::*;
use crate::store::conformance::history_to_migrate;
use crate::store::migrate;
use crate::store::sqlite::link::Link;
use crate::store::sqlite::start::MIGRATIONS;

/// The statements of each step, oldest first.
fn steps() -> Vec<Vec<String>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/sqlite");
    let mut folders: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    folders.sort();
    let text = |folder: std::path::PathBuf| std::fs::read_to_string(folder.join("up.sql")).unwrap();
    let statements = |text: String| text.split_inclusive(";\n").map(str::to_owned).collect();
    folders.into_iter().map(text).map(statements).collect()
}

const KEEP: &str = "CREATE TABLE kept_resource AS SELECT * FROM resource; CREATE TABLE kept_history AS SELECT * FROM history; \
    CREATE TABLE kept_claim AS SELECT tenant, kind, key, expires, payload FROM claim; CREATE TABLE kept_server AS SELECT * FROM server; \
    CREATE TABLE kept_epoch AS SELECT * FROM epoch";
/// What there was, and is not; what there is, and was not.
const CHANGED: [&str; 8] = [
    "SELECT count(*) FROM (SELECT * FROM kept_resource EXCEPT SELECT * FROM resource)",
    "SELECT count(*) FROM (SELECT * FROM resource EXCEPT SELECT * FROM kept_resource)",
    "SELECT count(*) FROM (SELECT * FROM kept_history EXCEPT SELECT * FROM history)",
    "SELECT count(*) FROM (SELECT * FROM history EXCEPT SELECT * FROM kept_history)",
    "SELECT count(*) FROM (SELECT * FROM kept_claim EXCEPT SELECT tenant, kind, key, expires, payload FROM claim)",
    "SELECT count(*) FROM (SELECT tenant, kind, key, expires, payload FROM claim EXCEPT SELECT * FROM kept_claim)",
    "SELECT count(*) FROM (SELECT * FROM kept_server EXCEPT SELECT * FROM server)",
    "SELECT count(*) FROM (SELECT * FROM server EXCEPT SELECT * FROM kept_server)",
];

fn raw(path: &Path) -> SqliteConnection {
    SqliteConnection::establish(path.to_str().unwrap()).unwrap()
}

fn unchanged(path: &Path, when: &str) {
    let mut link = Link::bare(path).unwrap();
    assert!(link.number("SELECT count(*) FROM kept_history").unwrap() > 0);
    for changed in CHANGED {
        assert_eq!(link.number(changed).unwrap(), 0, "{when}: {changed}");
    }
}

/// Back to that many steps.
fn down(path: &Path, left: usize) {
    let mut conn = raw(path);
    while conn.applied_migrations().unwrap().len() > left {
        conn.revert_last_migration(MIGRATIONS).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schema_of_any_age_is_brought_up_to_date_whatever_dies_on_the_way() {
    let steps = steps();
    for (age, statements) in steps.iter().enumerate().skip(1) {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("a.db");
        let store = opened(&path);
        history_to_migrate(store.as_ref()).await.unwrap();
        store.close().await;
        drop(store);
        raw(&path).batch_execute(KEEP).unwrap();
        down(&path, age);
        for count in 1..=statements.len() {
            let begun: String = statements.iter().take(count).cloned().collect();
            // The connection ends without a COMMIT, as that of a process that dies does.
            raw(&path)
                .batch_execute(&format!("BEGIN IMMEDIATE; {begun}"))
                .unwrap();
            unchanged(&path, &format!("step {age}, after {count} statements"));
        }
        for _ in 0..2 {
            assert_eq!(migrate(&url(&path)).unwrap(), steps.len() - age);
            unchanged(&path, &format!("from {age}, up"));
            let mut link = Link::bare(&path).unwrap();
            let epochs = "SELECT count(*) FROM (SELECT tenant, type, stamp FROM kept_epoch EXCEPT SELECT tenant, type, stamp FROM epoch)";
            assert_eq!(link.number(epochs).unwrap(), 0);
            drop(link);
            down(&path, age);
            unchanged(&path, &format!("from {age}, down"));
        }
        // And serves.
        let store = opened(&path);
        assert_eq!(patients(&store).await, 40);
        store.close().await;
    }
}

/// How many patients there are.
async fn patients(store: &Arc<dyn Store>) -> u64 {
    let query =
        crate::store::SearchQuery::new(crate::store::ResourceType::from_name("Patient"), Filter::All, 0);
    let snapshot = store.snapshot(TenantId::DEFAULT).await.unwrap();
    snapshot.search_total(&query, 1_000).await.unwrap()
}
