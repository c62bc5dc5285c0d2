//! The audit trail in PostgreSQL: the database refuses to change it, and processes seal it side by side.

use super::*;
use crate::engine::{Engine, Settings};
use crate::policy::Chain;
use crate::store::postgres::connect::Connector;
use crate::store::postgres::url::Target;
use crate::store::{AuditAction, AuditEntry};

fn entry(n: usize) -> Commit {
    let record = format!(r#"{{"r":"request-{n}","s":200,"k":"clinician","p":["p{n}"]}}"#);
    let mut entry = AuditEntry::new(AuditAction::Read, format!("dr-{n}"), record.into_bytes());
    entry.patients = vec![format!("p{n}")];
    Commit::new(vec![], vec![Write::Audit(entry)])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_database_itself_refuses_to_change_the_trail() {
    let Some(url) = cluster::fresh() else { return };
    let store = opened(&url);
    store.commit(TenantId::DEFAULT, entry(1)).await.unwrap();
    let engine = Engine::new(store.clone(), Arc::new(Chain::default()), Settings::default());
    engine.seal().await.unwrap();
    let DatabaseUrl::Postgres(address) = &url else {
        panic!("{url:?}")
    };
    let connector = Connector::new(address.parse::<Target>().unwrap()).unwrap();
    let link = connector.connect().await.unwrap();
    for sql in [
        "UPDATE audit SET actor = 'x'",
        "DELETE FROM audit",
        "TRUNCATE audit",
        "DELETE FROM audit_patient",
        "UPDATE audit_waiting SET patients = '/'",
        "UPDATE audit_seal SET count = 1",
        "DELETE FROM audit_seal",
    ] {
        let refused = link.batch(sql).await.unwrap_err().to_string();
        assert!(refused.contains("append-only"), "{sql}: {refused}");
    }
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_processes_that_write_and_seal_make_one_chain() {
    let Some(url) = cluster::fresh() else { return };
    let stores = [opened(&url), opened(&url)];
    let work = stores.clone().map(|store| {
        tokio::spawn(async move {
            let engine = Engine::new(store.clone(), Arc::new(Chain::default()), Settings::default());
            for n in 0..60 {
                store.commit(TenantId::DEFAULT, entry(n)).await.unwrap();
                if n % 3 == 0 {
                    engine.seal().await.unwrap();
                }
                if n % 5 == 0 {
                    engine.list_audit().await.unwrap();
                }
            }
        })
    });
    for one in work {
        one.await.unwrap();
    }
    let engine = Engine::new(stores[0].clone(), Arc::new(Chain::default()), Settings::default());
    engine.seal().await.unwrap();
    let verified = engine.verify_audit(&[]).await.unwrap();
    assert_eq!(verified.len(), 1);
    assert_eq!(
        (verified[0].sealed, verified[0].unsealed),
        (120, 0),
        "{verified:?}"
    );
    assert!(verified[0].findings.is_empty(), "{verified:?}");
    engine.list_audit().await.unwrap();
    let snapshot = stores[1].snapshot(TenantId::DEFAULT).await.unwrap();
    assert_eq!(snapshot.audit_waiting(1).await.unwrap(), vec![]);
    assert_eq!(snapshot.audit_patients(0, i64::MAX).await.unwrap().len(), 120);
    drop(snapshot);
    for store in &stores {
        store.close().await;
    }
}
