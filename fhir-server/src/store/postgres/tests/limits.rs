//! Connections that run out, statements that run long, callers that go away, writers that stand in the way.

use std::time::{Duration, Instant};

use diesel::sql_types::BigInt;

use super::{cluster, opened, patient, put, read};
use crate::context::TenantId;
use crate::error::ErrorCode;
use crate::store::postgres::connect::Connector;
use crate::store::postgres::link::Link;
use crate::store::postgres::url::Target;
use crate::store::sql::Statement;
use crate::store::{
    DatabaseUrl, Filter, HistoryQuery, HistoryScope, Refusal, SearchQuery, StoreOptions, open,
};

/// A connection of the test's own.
pub(super) async fn link(url: &DatabaseUrl) -> Link {
    let DatabaseUrl::Postgres(url) = url else {
        panic!("{url:?}")
    };
    let connector = Connector::new(url.parse::<Target>().unwrap()).unwrap();
    connector.connect().await.unwrap()
}

/// Statements of the store that run or wait now, and its connections.
async fn running(link: &Link) -> (i64, i64) {
    let sql = "SELECT count(*) FILTER (WHERE state = 'active'), count(*) FROM pg_stat_activity \
               WHERE application_name = 'impatient'";
    let counts = Statement::<(BigInt, BigInt)>::new(sql, []);
    link.first(counts).await.unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_all_connections_are_in_use_a_reader_is_refused_soon_and_later_served() {
    let Some(url) = cluster::fresh() else { return };
    let options = StoreOptions {
        readers: 2,
        ..StoreOptions::default()
    };
    let store = open(&url, &options).unwrap();
    store.commit(TenantId::DEFAULT, put("a", "x")).await.unwrap();
    let mut held = Vec::new();
    for _ in 0..2 {
        let snapshot = store.snapshot(TenantId::DEFAULT).await.unwrap();
        snapshot.high_water_mark().await.unwrap();
        held.push(snapshot);
    }
    let start = Instant::now();
    let third = store.snapshot(TenantId::DEFAULT).await.unwrap();
    let refused = third.read(&patient("a"), &Filter::All).await.unwrap_err();
    assert_eq!(refused.code.facts().status, 503);
    assert!(
        start.elapsed() < Duration::from_millis(2_500),
        "{:?}",
        start.elapsed()
    );
    // Writers have connections of their own.
    store.commit(TenantId::DEFAULT, put("b", "x")).await.unwrap();
    drop(held);
    assert!(third.read(&patient("a"), &Filter::All).await.unwrap().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_that_runs_too_long_ends_as_too_costly_and_its_connection_is_good_again() {
    let Some(url) = cluster::fresh() else { return };
    let options = StoreOptions {
        readers: 1,
        read_time: Duration::from_millis(200),
        ..StoreOptions::default()
    };
    let store = open(&url, &options).unwrap();
    store.commit(TenantId::DEFAULT, put("a", "x")).await.unwrap();
    let other = link(&url).await;
    other
        .batch("BEGIN; LOCK TABLE resource IN ACCESS EXCLUSIVE MODE")
        .await
        .unwrap();
    let snapshot = store.snapshot(TenantId::DEFAULT).await.unwrap();
    let query = SearchQuery::new(None, Filter::All, 10);
    let ended = snapshot.search(&query).await.unwrap_err();
    assert_eq!(ended.code, ErrorCode::TooSlow, "{ended:?}");
    assert_eq!(ended.code.facts().issue, "too-costly");
    other.batch("ROLLBACK").await.unwrap();
    assert_eq!(snapshot.search(&query).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_waits_for_any_more_is_cancelled_in_the_database() {
    let Some(url) = cluster::fresh() else { return };
    let store = opened(&url);
    store.commit(TenantId::DEFAULT, put("a", "x")).await.unwrap();
    let other = link(&url).await;
    other
        .batch("BEGIN; LOCK TABLE resource IN ACCESS EXCLUSIVE MODE")
        .await
        .unwrap();
    for _ in 0..40 {
        let snapshot = store.snapshot(TenantId::DEFAULT).await.unwrap();
        let query = HistoryQuery::new(HistoryScope::System, 10, Filter::All);
        let impatient = tokio::time::timeout(Duration::from_millis(20), snapshot.history(&query));
        assert!(impatient.await.is_err(), "the statement waits for the lock");
    }
    let start = Instant::now();
    loop {
        let (active, open) = running(&other).await;
        if active == 0 {
            assert!(open <= 6, "{open} connections are left of 40 that were given up");
            break;
        }
        assert!(
            start.elapsed() < Duration::from_secs(5),
            "statements go on for nobody"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    other.batch("ROLLBACK").await.unwrap();
    assert!(read(&store, "a").await.is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_waits_for_another_writer_no_longer_than_its_deadline() {
    let Some(url) = cluster::fresh() else { return };
    let store = opened(&url);
    store.commit(TenantId::DEFAULT, put("a", "1")).await.unwrap();
    let other = link(&url).await;
    other
        .batch("BEGIN; SELECT stamp FROM tenant FOR UPDATE")
        .await
        .unwrap();
    let mut late = put("a", "2");
    late.deadline = Instant::now().checked_add(Duration::from_millis(500));
    let start = Instant::now();
    let refused = store.commit(TenantId::DEFAULT, late).await;
    assert!(
        matches!(&refused, Err(Refusal::Failed(e)) if e.code.facts().status == 503),
        "{refused:?}"
    );
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    let waiting = tokio::spawn(async move {
        store.commit(TenantId::DEFAULT, put("a", "3")).await.unwrap();
        store
    });
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    other.batch("ROLLBACK").await.unwrap();
    let store = waiting.await.unwrap();
    assert_eq!(
        read(&store, "a").await.unwrap().version,
        2,
        "the late one was not written"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_the_database_ended_are_replaced_unnoticed() {
    let Some(DatabaseUrl::Postgres(url)) = cluster::fresh() else {
        return;
    };
    let store = opened(&DatabaseUrl::Postgres(format!("{url}&application_name=ended")));
    let other = link(&DatabaseUrl::Postgres(url)).await;
    let mut first = None;
    for round in 0..10 {
        store
            .commit(TenantId::DEFAULT, put("a", &round.to_string()))
            .await
            .unwrap();
        assert!(read(&store, "a").await.is_some());
        let count = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'ended'";
        let count = other.first(Statement::<BigInt>::new(count, [])).await;
        let count: i64 = count.unwrap().unwrap();
        let most = *first.get_or_insert(count);
        // What watches the database may have come since; what leaks would grow with each round.
        assert!(
            count <= most + 2,
            "round {round}: {count} connections, {most} at first"
        );
        let ended =
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'ended'";
        let _: Option<i64> = other.first(Statement::<BigInt>::new(ended, [])).await.unwrap();
        // The end of a connection takes a moment to arrive, on a busy machine a long one.
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    assert_eq!(read(&store, "a").await.unwrap().version, 10);
}
