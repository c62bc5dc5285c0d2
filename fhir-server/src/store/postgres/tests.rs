//! The PostgreSQL back end: the conformance suite, and what is PostgreSQL's alone.

mod ages;
mod commits;
mod contention;
mod failover;
mod faults;
mod limits;
mod plans;
mod processes;
mod schema;
mod statistics;
mod tls;
mod trail;

use std::sync::Arc;

use super::cluster;
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

fn opened(url: &DatabaseUrl) -> Arc<dyn Store> {
    open(url, &StoreOptions::default()).unwrap()
}

fn patient(id: &str) -> Key {
    Key {
        resource_type: ResourceType::from_name("Patient").unwrap(),
        id: id.into(),
    }
}

fn put(id: &str, text: &str) -> Commit {
    let json = format!(r#"{{"resourceType":"Patient","x":"{text}"}}"#).into_bytes();
    let write = Write::Update {
        key: patient(id),
        body: StoredBody {
            json,
            stamp_at: 26,
            stamp_form: StampForm::Member,
        },
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
async fn postgres_does_what_every_back_end_must() {
    if cluster::fresh().is_none() {
        return;
    }
    let outcome = conformance::run(|clock| {
        let url = cluster::fresh().unwrap();
        std::future::ready(open(&url, &options(clock)))
    })
    .await;
    if let Err(failures) = outcome {
        panic!("{failures}");
    }
}
