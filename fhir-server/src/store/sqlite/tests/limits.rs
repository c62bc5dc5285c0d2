//! Bounds: the queue, the time of a list, a panic in the writer.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::FutureExt;

use super::*;
use crate::context::{Millis, SystemClock};
use crate::error::ErrorCode;
use crate::store::{Refusal, SearchQuery};

fn code<T: std::fmt::Debug>(result: Result<T, Refusal>) -> Option<ErrorCode> {
    match result {
        Ok(_) => None,
        Err(Refusal::Failed(error)) => Some(error.code),
        Err(other) => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_queue_refuses_at_once_and_loses_nothing() {
    let folder = TempDir::new().unwrap();
    let options = StoreOptions {
        queue: 4,
        ..StoreOptions::default()
    };
    let store = open(&url(&folder.path().join("a.db")), &options).unwrap();
    let commits = (0..400).map(|n| {
        let store = store.clone();
        tokio::spawn(async move {
            (
                n,
                store.commit(TenantId::DEFAULT, put(&format!("p{n}"), "1")).await,
            )
        })
    });
    let results = futures_util::future::join_all(commits).await;
    let (mut done, mut refused) = (0, 0);
    for result in results {
        let (n, result) = result.unwrap();
        let there = read(&store, &format!("p{n}")).await.is_some();
        match code(result) {
            None => done += 1,
            Some(ErrorCode::Unavailable) => refused += 1,
            Some(other) => panic!("{other:?}"),
        }
        assert_eq!(there, done + refused > 0 && there, "consistent");
    }
    assert!(done > 0 && refused > 0, "{done} done, {refused} refused");
    let snapshot = store.snapshot(TenantId::DEFAULT).await.unwrap();
    let total = snapshot
        .search_total(&SearchQuery::new(None, Filter::All, 1), 1_000)
        .await
        .unwrap();
    assert_eq!(total, done);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waiting_bytes_are_bounded_yet_one_large_commit_gets_in() {
    let folder = TempDir::new().unwrap();
    let options = StoreOptions {
        queue_bytes: 10_000,
        ..StoreOptions::default()
    };
    let store = open(&url(&folder.path().join("a.db")), &options).unwrap();
    let noise: String = (0..100_000u32)
        .map(|n| char::from(b'0' + (n.wrapping_mul(2_654_435_761) >> 28) as u8))
        .collect();
    let commits = (0..20).map(|n| {
        let (store, noise) = (store.clone(), noise.clone());
        tokio::spawn(async move {
            store
                .commit(TenantId::DEFAULT, put(&format!("p{n}"), &noise))
                .await
        })
    });
    let results = futures_util::future::join_all(commits).await;
    let codes: Vec<_> = results.into_iter().map(|r| code(r.unwrap())).collect();
    assert!(codes.contains(&None), "{codes:?}");
    assert!(
        codes
            .iter()
            .all(|c| matches!(c, None | Some(ErrorCode::Unavailable))),
        "{codes:?}"
    );
    assert_eq!(
        code(store.commit(TenantId::DEFAULT, put("last", &noise)).await),
        None
    );
}

struct Tripwire(Arc<AtomicBool>);
impl Clock for Tripwire {
    fn now(&self) -> Millis {
        assert!(!self.0.load(Ordering::SeqCst), "a fault of our own in the writer");
        SystemClock.now()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_in_the_writer_undoes_its_transaction_and_the_writer_goes_on() {
    let folder = TempDir::new().unwrap();
    let trip = Arc::new(AtomicBool::new(false));
    let clock = Arc::new(Tripwire(trip.clone()));
    let store = open(&url(&folder.path().join("a.db")), &options(clock)).unwrap();
    store.commit(TenantId::DEFAULT, put("a", "1")).await.unwrap();
    trip.store(true, Ordering::SeqCst);
    let failed = store.commit(TenantId::DEFAULT, put("b", "1")).await;
    assert_eq!(code(failed), Some(ErrorCode::Unavailable));
    trip.store(false, Ordering::SeqCst);
    assert!(read(&store, "a").await.is_some() && read(&store, "b").await.is_none());
    store.ready().await.unwrap();
    store.commit(TenantId::DEFAULT, put("b", "2")).await.unwrap();
    assert_eq!(read(&store, "b").await.map(|v| v.version), Some(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_that_takes_too_long_or_is_given_up_ends() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.db");
    let store = opened(&path);
    for chunk in 0..20 {
        let mut commit = Commit::default();
        for n in 0..1_000 {
            commit.writes.extend(put(&format!("p{chunk}-{n}"), "1").writes);
        }
        store.commit(TenantId::DEFAULT, commit).await.unwrap();
    }
    let all = SearchQuery::new(None, Filter::All, 1);
    let snapshot = store.snapshot(TenantId::DEFAULT).await.unwrap();
    assert_eq!(snapshot.search_total(&all, 1_000_000).await.unwrap(), 20_000);
    // Given up after its first poll: the connection is free again long before a full count could end.
    let start = Instant::now();
    let mut given_up = 0;
    for _ in 0..200 {
        let snapshot = store.snapshot(TenantId::DEFAULT).await.unwrap();
        let ended = snapshot.search_total(&all, 1_000_000).now_or_never();
        given_up += usize::from(ended.is_none());
    }
    // A busy machine may come to the first poll after the end.
    assert!(given_up > 100, "{given_up}");
    store.ready().await.unwrap();
    println!("200 counts given up in {:?}", start.elapsed());
    drop(snapshot);
    store.close().await;
    drop(store);

    let options = StoreOptions {
        read_time: Duration::ZERO,
        ..StoreOptions::default()
    };
    let store = open(&url(&path), &options).unwrap();
    let snapshot = store.snapshot(TenantId::DEFAULT).await.unwrap();
    let ended = snapshot.search_total(&all, 1_000_000).await.unwrap_err();
    assert_eq!(ended.code, ErrorCode::TooSlow);
    assert!(
        snapshot
            .read(&patient("p0-0"), &Filter::All)
            .await
            .unwrap()
            .is_some(),
        "the view is still good"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_are_capped_and_come_back() {
    let folder = TempDir::new().unwrap();
    let options = StoreOptions {
        readers: 2,
        ..StoreOptions::default()
    };
    let store = open(&url(&folder.path().join("a.db")), &options).unwrap();
    store.commit(TenantId::DEFAULT, put("a", "1")).await.unwrap();
    let held: Vec<_> = futures_util::future::join_all((0..2).map(|_| async {
        let snapshot = store.snapshot(TenantId::DEFAULT).await.unwrap();
        snapshot.high_water_mark().await.unwrap();
        snapshot
    }))
    .await;
    let third = store.snapshot(TenantId::DEFAULT).await.unwrap();
    let refused = third.read(&patient("a"), &Filter::All).await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::Unavailable);
    drop(held);
    assert!(third.read(&patient("a"), &Filter::All).await.unwrap().is_some());
    for _ in 0..1_000 {
        assert!(read(&store, "a").await.is_some());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_stays_short_under_steady_writes_and_reads() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.db");
    let store = opened(&path);
    let log = || std::fs::metadata(path.with_extension("db-wal")).map_or(0, |m| m.len());
    let noise = |seed: u64| -> String {
        let mut state = seed | 1;
        let next = |_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            char::from(b'a' + (state >> 60) as u8)
        };
        (0..40_000).map(next).collect()
    };
    let mut longest = 0;
    for n in 0..2_500u64 {
        let text = noise(n);
        store
            .commit(TenantId::DEFAULT, put(&format!("p{}", n % 7), &text))
            .await
            .unwrap();
        longest = longest.max(log());
    }
    let written = std::fs::metadata(&path).unwrap().len();
    println!("log at most {longest} bytes while {written} were written");
    assert!(written > 2 * longest, "{longest} of {written}");
    assert!(longest < 40 << 20, "{longest}");
}

#[tokio::test]
async fn a_body_that_could_not_be_read_back_is_refused() {
    let folder = TempDir::new().unwrap();
    let store = opened(&folder.path().join("a.db"));
    let body = StoredBody {
        json: vec![b' '; (64 << 20) + 1],
        stamp_at: 0,
        stamp_form: StampForm::Inside,
    };
    let write = Write::Create {
        key: patient("a"),
        body,
        index: Index::default(),
    };
    let refused = store
        .commit(TenantId::DEFAULT, Commit::new(vec![], vec![write]))
        .await;
    assert_eq!(code(refused), Some(ErrorCode::TooLarge));
    assert!(read(&store, "a").await.is_none());
}
