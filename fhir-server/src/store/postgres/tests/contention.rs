//! What PostgreSQL undoes for the sake of others (40001, 40P01) is done again as a whole, some times, and then given up as 503.

use std::time::{Duration, Instant};

use super::limits::link;
use super::{cluster, opened, put, read};
use crate::context::TenantId;
use crate::store::Refusal;
use crate::store::postgres::link::Link;

/// The next `times` inserts into `resource` fail with that state and the database's own words for it. The count is a sequence, which no rollback sets back.
async fn fail(link: &Link, state: &str, words: &str, times: u32) {
    let sql = format!(
        "DROP SEQUENCE IF EXISTS failed; CREATE SEQUENCE failed; \
         CREATE OR REPLACE FUNCTION fail_at_first() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
         IF nextval('failed') <= {times} THEN RAISE EXCEPTION '{words}' USING ERRCODE = '{state}'; END IF; RETURN NULL; END $$; \
         CREATE OR REPLACE TRIGGER fails BEFORE INSERT ON resource FOR EACH STATEMENT EXECUTE FUNCTION fail_at_first()"
    );
    link.batch(&sql).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_database_undoes_for_others_is_done_again_as_a_whole_and_then_given_up() {
    let Some(url) = cluster::fresh() else { return };
    let store = opened(&url);
    store.commit(TenantId::DEFAULT, put("before", "1")).await.unwrap();
    let other = link(&url).await;
    let serialised = "could not serialize access due to concurrent update";
    for (state, words, id) in [("40001", serialised, "a"), ("40P01", "deadlock detected", "b")] {
        fail(&other, state, words, 3).await;
        store.commit(TenantId::DEFAULT, put(id, "1")).await.unwrap();
        assert_eq!(
            read(&store, id).await.unwrap().version,
            1,
            "{state}: once, not twice"
        );
    }
    fail(&other, "40001", serialised, 1_000).await;
    let start = Instant::now();
    let refused = store.commit(TenantId::DEFAULT, put("c", "1")).await;
    assert!(
        matches!(&refused, Err(Refusal::Failed(e)) if e.code.facts().status == 503),
        "{refused:?}"
    );
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    assert!(read(&store, "c").await.is_none());
    // No longer than the request's deadline either.
    let mut hurried = put("d", "1");
    hurried.deadline = Instant::now().checked_add(Duration::from_millis(30));
    let refused = store.commit(TenantId::DEFAULT, hurried).await;
    assert!(
        matches!(&refused, Err(Refusal::Failed(e)) if e.code.facts().status == 503),
        "{refused:?}"
    );
    other.batch("DROP TRIGGER fails ON resource").await.unwrap();
    store.commit(TenantId::DEFAULT, put("c", "1")).await.unwrap();
    assert_eq!(read(&store, "c").await.unwrap().version, 1);
    store.close().await;
}
