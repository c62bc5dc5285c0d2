//! A private PostgreSQL cluster for the tests of this process; each test has a schema of its own in it.
//!
//! `FHIR_TEST_POSTGRES=postgres://…` names another cluster to use, with a user that may make schemas.

#[path = "../../../../tests/cluster.rs"]
mod process;

pub(crate) use process::Cluster;

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::connect::Connector;
use super::{Target, Threads};
use crate::error::Error;
use crate::store::DatabaseUrl;

impl Cluster {
    /// A database with nothing in it.
    pub(crate) fn fresh(&self) -> DatabaseUrl {
        schema(&self.url)
    }
}

/// A database with nothing in it, in the process's cluster; where there is none, says that the test is left out.
pub(crate) fn fresh() -> Option<DatabaseUrl> {
    static SHARED: OnceLock<Option<Cluster>> = OnceLock::new();
    if let Ok(url) = std::env::var("FHIR_TEST_POSTGRES") {
        return Some(schema(&url));
    }
    let cluster = SHARED.get_or_init(Cluster::start);
    if cluster.is_none() {
        println!("SKIPPED (needs PostgreSQL)");
    }
    cluster.as_ref().map(Cluster::fresh)
}

fn schema(url: &str) -> DatabaseUrl {
    static SCHEMAS: AtomicUsize = AtomicUsize::new(0);
    let number = SCHEMAS.fetch_add(1, Ordering::Relaxed);
    let name = format!("test_{}_{number}", std::process::id());
    execute(url, format!("CREATE SCHEMA {name}"));
    let with = if url.contains('?') { '&' } else { '?' };
    DatabaseUrl::Postgres(format!("{url}{with}options=-c%20search_path%3D{name}"))
}

/// Runs statements on a connection of its own.
pub(crate) fn execute(url: &str, sql: String) {
    let connector = Connector::new(url.parse::<Target>().unwrap()).unwrap();
    let threads = Threads::new().unwrap();
    let done = threads.wait(async move {
        let link = connector.connect().await?;
        link.batch(&sql).await.map_err(Error::internal)
    });
    done.unwrap();
}
