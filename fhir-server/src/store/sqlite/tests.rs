//! The SQLite back end: the conformance suite, and what is SQLite's alone.

mod ages;
mod faults;
mod files;
mod limits;

use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;

use crate::context::{Clock, TenantId};
use crate::store::{
    Commit, DatabaseUrl, Filter, Index, Key, ResourceType, StampForm, Store, StoreOptions, StoredBody,
    Version, Write, conformance, open,
};

fn options(clock: Arc<dyn Clock>) -> StoreOptions {
    StoreOptions {
        clock,
        ..StoreOptions::default()
    }
}

fn url(path: &Path) -> DatabaseUrl {
    DatabaseUrl::Sqlite(path.to_path_buf())
}

fn opened(path: &Path) -> Arc<dyn Store> {
    open(&url(path), &StoreOptions::default()).unwrap()
}

fn patient(id: &str) -> Key {
    Key {
        resource_type: ResourceType::from_name("Patient").unwrap(),
        id: id.into(),
    }
}

fn body(text: &str) -> StoredBody {
    let json = format!(r#"{{"resourceType":"Patient","x":"{text}"}}"#).into_bytes();
    StoredBody {
        json,
        stamp_at: 26,
        stamp_form: StampForm::Member,
    }
}

fn put(id: &str, text: &str) -> Commit {
    let write = Write::Update {
        key: patient(id),
        body: body(text),
        create: true,
        index: Index::default(),
    };
    Commit::new(vec![], vec![write])
}

async fn read(store: &Arc<dyn Store>, id: &str) -> Option<Version> {
    let snapshot = store.snapshot(TenantId::DEFAULT).await.unwrap();
    snapshot.read(&patient(id), &Filter::All).await.unwrap()
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
