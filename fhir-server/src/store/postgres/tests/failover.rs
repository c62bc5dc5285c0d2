//! A primary that dies, and its standby in its place: the store finds it among the hosts of the URL by itself, and nothing that was
//! acknowledged is lost, as the standby was a synchronous one. And the primary that dies again and again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;

use super::cluster::{self, Cluster};
use super::faults::write;
use super::{opened, read};
use crate::store::{DatabaseUrl, Store};

/// How long writes may fail at most once the standby is promoted.
const GAP: Duration = Duration::from_secs(10);
const WRITERS: usize = 8;

/// A primary, and a standby that has what the primary has before a commit is acknowledged.
fn pair() -> Option<(Cluster, Cluster)> {
    let Some(primary) = Cluster::start() else {
        println!("SKIPPED (needs PostgreSQL)");
        return None;
    };
    let Some(standby) = primary.standby() else {
        println!("SKIPPED (needs pg_basebackup)");
        return None;
    };
    for sql in [
        "ALTER SYSTEM SET synchronous_standby_names = '*'",
        "SELECT pg_reload_conf()",
    ] {
        cluster::execute(&primary.url, sql.into());
    }
    Some((primary, standby))
}

/// Both hosts in one URL.
fn both(primary: &Cluster, standby: &Cluster) -> DatabaseUrl {
    let (before, _) = primary.url.rsplit_once('/').unwrap();
    let (_, host) = standby.url.rsplit_once('@').unwrap();
    DatabaseUrl::Postgres(format!("{before},{host}?target_session_attrs=read-write"))
}

/// All that was acknowledged is there.
async fn all_found(store: &Arc<dyn Store>, acknowledged: &[String]) {
    for id in acknowledged {
        assert!(
            read(store, id).await.is_some(),
            "{id} was acknowledged and is lost"
        );
    }
    println!("{} acknowledged writes found again", acknowledged.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_promoted_standby_is_found_and_nothing_is_lost() {
    let Some((primary, standby)) = pair() else { return };
    let store = opened(&both(&primary, &standby));
    let over = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..WRITERS)
        .map(|n| tokio::spawn(write(store.clone(), n, over.clone())))
        .collect();
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert!(read(&store, "w0-0").await.is_some());
    primary.signal("-KILL");
    tokio::time::sleep(Duration::from_millis(300)).await;
    let start = Instant::now();
    standby.promote();
    while let Err(error) = store.ready().await {
        assert!(start.elapsed() < GAP, "{error}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    println!("ready {:?} after the standby was promoted", start.elapsed());
    tokio::time::sleep(Duration::from_millis(500)).await;
    over.store(true, Ordering::Relaxed);
    let mut acknowledged = Vec::new();
    for (ids, errors) in join_all(writers).await.into_iter().map(|w| w.unwrap()) {
        let statuses: Vec<_> = errors.iter().map(|e| e.code.facts().status).collect();
        assert!(statuses.iter().all(|s| [503, 504].contains(s)), "{errors:?}");
        acknowledged.extend(ids);
    }
    all_found(&store, &acknowledged).await;
    store.close().await;
}

/// 5 kills; with `FHIR_TEST_LONG=1` 100.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_killed_again_and_again_loses_nothing_that_was_acknowledged() {
    let Some(cluster) = Cluster::start() else {
        println!("SKIPPED (needs PostgreSQL)");
        return;
    };
    let kills = if std::env::var_os("FHIR_TEST_LONG").is_some() {
        100
    } else {
        5
    };
    let store = opened(&cluster.fresh());
    let mut acknowledged = Vec::new();
    for kill in 0..kills {
        let over = Arc::new(AtomicBool::new(false));
        let writers: Vec<_> = (0..WRITERS)
            .map(|n| tokio::spawn(write(store.clone(), kill * WRITERS + n, over.clone())))
            .collect();
        tokio::time::sleep(Duration::from_millis(
            100 + 37 * u64::try_from(kill % 10).unwrap(),
        ))
        .await;
        cluster.signal("-KILL");
        cluster.start_again();
        let start = Instant::now();
        while let Err(error) = store.ready().await {
            assert!(start.elapsed() < GAP, "kill {kill}: {error}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        over.store(true, Ordering::Relaxed);
        for (ids, errors) in join_all(writers).await.into_iter().map(|w| w.unwrap()) {
            let statuses: Vec<_> = errors.iter().map(|e| e.code.facts().status).collect();
            assert!(
                statuses.iter().all(|s| [503, 504].contains(s)),
                "kill {kill}: {errors:?}"
            );
            acknowledged.extend(ids);
        }
    }
    println!("{kills} kills");
    all_found(&store, &acknowledged).await;
    store.close().await;
}
