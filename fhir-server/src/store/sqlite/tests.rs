//! The SQLite back end: the conformance suite, and what is SQLite's alone.

use std::sync::Arc;

use tempfile::TempDir;

use crate::context::Clock;
use crate::store::{DatabaseUrl, StoreOptions, conformance, open};

fn options(clock: Arc<dyn Clock>) -> StoreOptions {
    StoreOptions {
        clock,
        ..StoreOptions::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_does_what_every_back_end_must() {
    let folder = TempDir::new().unwrap();
    let mut n = 0;
    let outcome = conformance::run(|clock| {
        n += 1;
        let url = DatabaseUrl::Sqlite(folder.path().join(format!("{n}.db")));
        std::future::ready(open(&url, &options(clock)))
    })
    .await;
    if let Err(failures) = outcome {
        panic!("{failures}");
    }
}
