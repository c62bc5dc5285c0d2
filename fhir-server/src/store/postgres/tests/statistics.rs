//! What the planner knows of tables that have just been filled.

use super::{cluster, opened, put};
use crate::context::TenantId;
use crate::store::{DatabaseUrl, Store};

/// Waits until the planner knows of so many resources.
fn known(database: &DatabaseUrl, resources: usize) {
    let DatabaseUrl::Postgres(url) = database else {
        panic!("{database:?}")
    };
    cluster::execute(
        url,
        format!(
            "DO $$ BEGIN FOR n IN 1..200 LOOP IF {resources} <= (SELECT reltuples FROM pg_class \
             WHERE relname = 'resource' AND relnamespace = current_schema()::regnamespace) THEN RETURN; END IF; \
             PERFORM pg_sleep(0.1); END LOOP; RAISE EXCEPTION 'not counted within 20 s'; END $$"
        ),
    );
}

async fn fill(store: &dyn Store, ids: std::ops::Range<usize>) {
    for id in ids {
        let commit = put(&format!("p{id}"), "x");
        store.commit(TenantId::DEFAULT, commit).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_is_counted_soon_after_it_has_grown_and_again_after_it_has_grown_by_half() {
    let Some(database) = cluster::fresh() else { return };
    let store = opened(&database);
    fill(store.as_ref(), 0..40).await;
    known(&database, 40);
    fill(store.as_ref(), 40..400).await;
    known(&database, 200);
    store.close().await;
}
