//! A database that dies or stops, and comes back: nobody waits for it, nothing that was acknowledged is lost, and no restart is
//! needed. Each test has a cluster of its own, because it kills it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;

use super::cluster::Cluster;
use super::{opened, put, read};
use crate::context::TenantId;
use crate::error::Error;
use crate::store::{Refusal, Store};

/// What a caller may have to wait at most for the news that the database is gone.
const NEWS: Duration = Duration::from_secs(3);
/// How soon the store works again after the database does.
const RECOVERY: Duration = Duration::from_secs(5);

fn cluster() -> Option<Cluster> {
    let cluster = Cluster::start();
    if cluster.is_none() {
        println!("SKIPPED (needs PostgreSQL)");
    }
    cluster
}

/// Writes until told to end; every id that was acknowledged, and the errors.
pub(super) async fn write(
    store: Arc<dyn Store>,
    writer: usize,
    over: Arc<AtomicBool>,
) -> (Vec<String>, Vec<Error>) {
    let (mut acknowledged, mut errors) = (Vec::new(), Vec::new());
    for n in 0.. {
        if over.load(Ordering::Relaxed) {
            break;
        }
        let id = format!("w{writer}-{n}");
        let start = Instant::now();
        match store.commit(TenantId::DEFAULT, put(&id, "x")).await {
            Ok(_) => acknowledged.push(id),
            Err(Refusal::Failed(error)) => {
                assert!(start.elapsed() < NEWS, "{error}: after {:?}", start.elapsed());
                errors.push(error);
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Err(other) => panic!("{other:?}"),
        }
    }
    (acknowledged, errors)
}

async fn refuses(store: &Arc<dyn Store>) {
    let start = Instant::now();
    let snapshot = store.snapshot(TenantId::DEFAULT).await.unwrap();
    let read = snapshot
        .read(&super::patient("w0-0"), &crate::store::Filter::All)
        .await;
    assert_eq!(read.unwrap_err().code.facts().status, 503);
    assert_eq!(store.ready().await.unwrap_err().code.facts().status, 503);
    assert!(start.elapsed() < NEWS, "{:?}", start.elapsed());
}

async fn recovers(store: &Arc<dyn Store>) {
    let start = Instant::now();
    while let Err(error) = store.ready().await {
        assert!(start.elapsed() < RECOVERY, "{error}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    println!("ready {:?} after the database", start.elapsed());
}

/// Writers run while that happens to the database.
async fn through(cluster: &Cluster, fault: impl AsyncFnOnce(&Arc<dyn Store>)) {
    let store = opened(&cluster.fresh());
    let over = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..8)
        .map(|n| tokio::spawn(write(store.clone(), n, over.clone())))
        .collect();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(read(&store, "w0-0").await.is_some());
    fault(&store).await;
    recovers(&store).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    over.store(true, Ordering::Relaxed);
    let mut found = 0;
    for (acknowledged, errors) in join_all(writers).await.into_iter().map(|w| w.unwrap()) {
        for id in acknowledged {
            assert!(
                read(&store, &id).await.is_some(),
                "{id} was acknowledged and is lost"
            );
            found += 1;
        }
        let statuses: Vec<_> = errors.iter().map(|e| e.code.facts().status).collect();
        assert!(statuses.iter().all(|s| [503, 504].contains(s)), "{errors:?}");
    }
    assert!(found > 0);
    println!("{found} acknowledged writes found again");
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_database_loses_nothing_that_was_acknowledged_and_is_taken_up_again() {
    let Some(cluster) = cluster() else { return };
    through(&cluster, async |store| {
        cluster.signal("-KILL");
        tokio::time::sleep(Duration::from_millis(500)).await;
        refuses(store).await;
        cluster.start_again();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_waits_for_a_database_that_stands_still() {
    let Some(cluster) = cluster() else { return };
    through(&cluster, async |store| {
        cluster.signal("-STOP");
        refuses(store).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        refuses(store).await;
        cluster.signal("-CONT");
    })
    .await;
}
