//! Tampering with the audit trail in its file, past the server: each kind of it is told.

use super::*;
use crate::engine::{Engine, Settings};
use crate::policy::Chain;
use crate::store::sqlite::link::Link;
use crate::store::{AuditAction, AuditEntry};

/// The triggers stand in the way of accidents; who owns the file can take them away.
const NO_TRIGGERS: &str = "DROP TRIGGER audit_keeps_rows; DROP TRIGGER audit_keeps_words; DROP TRIGGER audit_patient_keeps_rows;
    DROP TRIGGER audit_patient_keeps_words; DROP TRIGGER audit_seal_keeps_rows; DROP TRIGGER audit_seal_keeps_words;";

fn engine(store: Arc<dyn Store>) -> Engine {
    Engine::new(store, Arc::new(Chain::default()), Settings::default())
}

/// Twelve rows under three seals and in the lists of their patients, and two more that wait for both; the heads as they were given out.
async fn trail(path: &Path) -> Vec<(i64, i64, String)> {
    let store = opened(path);
    let engine = engine(store.clone());
    let mut heads = Vec::new();
    for n in 0..14 {
        // Each of a millisecond of its own, so that there is room between them.
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        let record = format!(r#"{{"r":"request-{n}","s":200,"k":"clinician","p":["p{n}"]}}"#);
        let mut entry = AuditEntry::new(AuditAction::Read, format!("dr-{n}"), record.into_bytes());
        entry.resource_type = ResourceType::from_name("Patient");
        entry.id = Some(format!("p{n}"));
        entry.patients = vec![format!("p{n}")];
        store
            .commit(TenantId::DEFAULT, Commit::new(vec![], vec![Write::Audit(entry)]))
            .await
            .unwrap();
        if n % 4 == 3 {
            for (tenant, seal) in engine.seal().await.unwrap() {
                heads.push((tenant.0, seal.number, crate::audit::hexadecimal(&seal.head)));
            }
        }
        if n == 11 {
            assert!(!engine.list_audit().await.unwrap());
        }
    }
    assert_eq!(heads.len(), 3);
    store.close().await;
    heads
}

async fn findings(path: &Path, heads: &[(i64, i64, String)]) -> Vec<String> {
    let store = opened(path);
    let verified = engine(store.clone()).verify_audit(heads).await.unwrap();
    store.close().await;
    verified.into_iter().flat_map(|trail| trail.findings).collect()
}

#[tokio::test]
async fn each_kind_of_tampering_is_told() {
    let kinds: [(&str, &str, &str); 12] = [
        (
            "a bit of a record",
            "UPDATE audit SET record = CAST(replace(CAST(record AS TEXT), 'request-5', 'request-4') AS BLOB) WHERE actor = 'dr-5'",
            "was changed",
        ),
        ("a column", "UPDATE audit SET outcome = 4 WHERE actor = 'dr-6'", "was changed"),
        ("the actor", "UPDATE audit SET actor = 'nobody' WHERE actor = 'dr-6'", "was changed"),
        ("a row gone", "DELETE FROM audit WHERE actor = 'dr-2'", "3 are there"),
        (
            "two rows swapped",
            "UPDATE audit SET actor = CASE actor WHEN 'dr-1' THEN 'dr-2' ELSE 'dr-1' END WHERE actor IN ('dr-1', 'dr-2')",
            "was changed",
        ),
        (
            "a row put in",
            "INSERT INTO audit SELECT stamp + 1, tenant, action, outcome, interaction, type, id, 'forged', record FROM audit
             WHERE actor = 'dr-5'",
            "5 are there",
        ),
        ("a patient's row gone", "DELETE FROM audit_patient WHERE patient = CAST('p9' AS BLOB)", "lists of patients"),
        ("a patient's row gone that waits", "DELETE FROM audit_waiting WHERE patients = '/p13/'", "lists of patients"),
        ("a seal gone", "DELETE FROM audit_seal WHERE number = 2", "seal 3 follows seal 1"),
        ("a seal changed", "UPDATE audit_seal SET count = 5 WHERE number = 2", "does not follow"),
        (
            "the end cut off",
            "DELETE FROM audit WHERE stamp >= (SELECT first FROM audit_seal WHERE number = 3);
             DELETE FROM audit_patient WHERE stamp >= (SELECT first FROM audit_seal WHERE number = 3);
             DELETE FROM audit_seal WHERE number = 3",
            "cut off after seal 2",
        ),
        ("all of it gone", "DELETE FROM audit; DELETE FROM audit_patient; DELETE FROM audit_seal", "cut off after seal 0"),
    ];
    for (kind, sql, told) in kinds {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("a.db");
        let heads = trail(&path).await;
        assert_eq!(
            findings(&path, &heads).await,
            Vec::<String>::new(),
            "before {kind}"
        );
        let mut link = Link::bare(&path).unwrap();
        link.batch(NO_TRIGGERS).unwrap();
        link.batch(sql).unwrap();
        drop(link);
        let found = findings(&path, &heads).await;
        assert!(found.iter().any(|text| text.contains(told)), "{kind}: {found:?}");
    }
}

#[tokio::test]
async fn a_trail_made_anew_is_told_by_its_heads_alone() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.db");
    let heads = trail(&path).await;
    let mut link = Link::bare(&path).unwrap();
    link.batch(NO_TRIGGERS).unwrap();
    link.batch("UPDATE audit SET actor = 'nobody' WHERE actor = 'dr-1'; DELETE FROM audit_seal")
        .unwrap();
    drop(link);
    let store = opened(&path);
    engine(store.clone()).seal().await.unwrap();
    store.close().await;
    assert_eq!(
        findings(&path, &[]).await,
        Vec::<String>::new(),
        "it is sound in itself"
    );
    let found = findings(&path, &heads).await;
    assert!(
        found
            .iter()
            .any(|text| text.contains("made anew") || text.contains("cut off")),
        "{found:?}"
    );
}

#[tokio::test]
async fn the_database_itself_refuses_to_change_the_trail() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.db");
    trail(&path).await;
    let mut link = Link::bare(&path).unwrap();
    for sql in [
        "UPDATE audit SET actor = 'x'",
        "DELETE FROM audit",
        "UPDATE audit_patient SET patient = x'00'",
        "UPDATE audit_waiting SET patients = '/'",
        "DELETE FROM audit_patient",
        "UPDATE audit_seal SET count = 1",
        "DELETE FROM audit_seal",
    ] {
        let refused = link.batch(sql).unwrap_err().to_string();
        assert!(refused.contains("append-only"), "{sql}: {refused}");
    }
}
