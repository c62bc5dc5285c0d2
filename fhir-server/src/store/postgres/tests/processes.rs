//! Several server processes on one database, each played by a store of its own: they act as one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::join_all;

use super::{cluster, opened, options, patient, put, read};
use crate::context::{Clock, Millis, TenantId};
use crate::store::{
    Claim, Commit, Expect, Filter, HistoryQuery, HistoryScope, Outcome, Refusal, SearchQuery, Store, Write,
    open,
};

const NODES: usize = 3;

/// Clocks that are seconds apart.
struct Skewed(i64);

impl Clock for Skewed {
    fn now(&self) -> Millis {
        Millis(crate::context::SystemClock.now().0 + self.0)
    }
}

/// Stores on one database, their clocks five seconds apart.
fn nodes() -> Option<Vec<Arc<dyn Store>>> {
    let url = cluster::fresh()?;
    let store = |n: usize| {
        open(
            &url,
            &options(Arc::new(Skewed(5_000 * i64::try_from(n).unwrap()))),
        )
        .unwrap()
    };
    Some((0..NODES).map(store).collect())
}

type Answer = Result<Vec<Outcome>, Refusal>;

async fn at_once(stores: &[Arc<dyn Store>], commits: Vec<Commit>) -> Vec<Answer> {
    let tasks = commits.into_iter().enumerate().map(|(n, commit)| {
        let store = stores[n % stores.len()].clone();
        tokio::spawn(async move { store.commit(TenantId::DEFAULT, commit).await })
    });
    join_all(tasks)
        .await
        .into_iter()
        .map(|joined| joined.unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_all_processes_one_update_wins_a_version_and_times_never_go_back() {
    let Some(stores) = nodes() else { return };
    stores[2].commit(TenantId::DEFAULT, put("a", "0")).await.unwrap();
    const ROUNDS: i64 = 20;
    for round in 1..=ROUNDS {
        let commits = (0..24)
            .map(|client| {
                let mut commit = put("a", &format!("{round} {client}"));
                commit.expects.push(Expect::Version(patient("a"), round));
                commit
            })
            .collect();
        let answers = at_once(&stores, commits).await;
        assert_eq!(answers.iter().filter(|a| a.is_ok()).count(), 1, "round {round}");
        let lost =
            |a: &&Answer| matches!(a, Err(Refusal::Expectation { current: Some(c), .. }) if *c == round + 1);
        assert_eq!(answers.iter().filter(lost).count(), 23, "{answers:?}");
        for store in &stores {
            assert_eq!(read(store, "a").await.unwrap().version, round + 1);
        }
    }
    let query = HistoryQuery::new(HistoryScope::Instance(patient("a")), 1_000, Filter::All);
    let history = stores[0]
        .snapshot(TenantId::DEFAULT)
        .await
        .unwrap()
        .history(&query)
        .await
        .unwrap();
    assert_eq!(history.len(), 21);
    assert!(history.is_sorted_by(|a, b| a.version == b.version + 1
        && a.stamp > b.stamp
        && a.last_updated >= b.last_updated));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_all_processes_a_claim_is_held_by_one() {
    let Some(stores) = nodes() else { return };
    for round in 0..20u8 {
        let commits = (0..24)
            .map(|client| {
                let mut commit = put(&format!("p{round}-{client}"), "x");
                commit.expects.push(Expect::Unclaimed("race", [round; 32]));
                commit
                    .writes
                    .push(Write::Claim(Claim::new("race", [round; 32], vec![])));
                commit
            })
            .collect();
        let answers = at_once(&stores, commits).await;
        assert_eq!(answers.iter().filter(|a| a.is_ok()).count(), 1, "{answers:?}");
    }
    let all = SearchQuery::new(None, Filter::All, 1);
    let snapshot = stores[1].snapshot(TenantId::DEFAULT).await.unwrap();
    assert_eq!(snapshot.search_total(&all, 1_000).await.unwrap(), 20);
}

/// What a reader has seen up to the mark stays all there is up to the mark, while all processes write.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_appears_later_below_a_mark() {
    let Some(stores) = nodes() else { return };
    stores[0]
        .commit(TenantId::DEFAULT, put("first", "x"))
        .await
        .unwrap();
    let over = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..9)
        .map(|client| {
            let (store, over) = (stores[client % NODES].clone(), over.clone());
            tokio::spawn(async move {
                let mut written = 0;
                while !over.load(Ordering::Relaxed) {
                    let id = format!("w{client}-{written}");
                    store.commit(TenantId::DEFAULT, put(&id, "x")).await.unwrap();
                    written += 1;
                }
                written
            })
        })
        .collect();
    let history = HistoryQuery::new(HistoryScope::System, 100_000, Filter::All);
    for round in 0..40 {
        let view = stores[round % NODES].snapshot(TenantId::DEFAULT).await.unwrap();
        let mark = view.high_water_mark().await.unwrap();
        let seen: Vec<i64> = view
            .history(&history)
            .await
            .unwrap()
            .iter()
            .map(|v| v.stamp)
            .collect();
        assert_eq!(seen.first(), Some(&mark), "the mark is the newest change");
        drop(view);
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        let later = stores[(round + 1) % NODES]
            .snapshot(TenantId::DEFAULT)
            .await
            .unwrap();
        let again = later.history(&history).await.unwrap();
        let again: Vec<i64> = again
            .iter()
            .map(|v| v.stamp)
            .filter(|stamp| *stamp <= mark)
            .collect();
        assert_eq!(again, seen, "round {round}");
    }
    over.store(true, Ordering::Relaxed);
    let written: usize = join_all(writers).await.into_iter().map(|w| w.unwrap()).sum();
    assert!(written > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_process_has_a_node_number_of_its_own_and_gives_it_back() {
    let Some(url) = cluster::fresh() else { return };
    let numbers = async |stores: &[Arc<dyn Store>]| {
        let mut numbers = Vec::new();
        for (n, store) in stores.iter().enumerate() {
            let id = format!("n{n}-{}", stores.len());
            store.commit(TenantId::DEFAULT, put(&id, "x")).await.unwrap();
            numbers.push((read(store, &id).await.unwrap().stamp >> 12) & 1023);
        }
        numbers
    };
    let stores: Vec<_> = (0..4).map(|_| opened(&url)).collect();
    assert_eq!(numbers(&stores).await, [0, 1, 2, 3]);
    stores[1].close().await;
    let next = opened(&url);
    assert_eq!(numbers(&[next]).await, [1]);
}
