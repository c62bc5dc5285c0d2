//! Where the cases run: each topic in a database of its own.

use std::sync::atomic::{AtomicUsize, Ordering};

use fhir_server::store::DatabaseUrl;
use tokio_postgres::NoTls;

use crate::cluster::Cluster;

/// A kind of database that topics get fresh ones of.
pub(crate) enum Database {
    /// Files of a temporary folder.
    Sqlite(tempfile::TempDir),
    /// Schemas of a cluster.
    Postgres {
        url: String,
        #[expect(dead_code, reason = "held, because a private cluster ends when it is dropped")]
        private: Option<Cluster>,
    },
}

impl Database {
    pub(crate) fn sqlite() -> Database {
        Database::Sqlite(tempfile::tempdir().unwrap())
    }

    /// The cluster that `FHIR_TEST_POSTGRES` names, or a private one; `None` where there is no server.
    pub(crate) fn postgres() -> Option<Database> {
        if let Ok(url) = std::env::var("FHIR_TEST_POSTGRES") {
            return Some(Database::Postgres { url, private: None });
        }
        let cluster = Cluster::start()?;
        let url = cluster.url.clone();
        let private = Some(cluster);
        Some(Database::Postgres { url, private })
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Database::Sqlite(_) => "SQLite",
            Database::Postgres { .. } => "PostgreSQL",
        }
    }

    /// An empty one.
    pub(crate) async fn fresh(&self) -> DatabaseUrl {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        match self {
            Database::Sqlite(folder) => DatabaseUrl::Sqlite(folder.path().join(format!("{number}.sqlite"))),
            Database::Postgres { url, .. } => {
                let name = format!("cases_{}_{number}", std::process::id());
                let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
                let running = tokio::spawn(connection);
                client
                    .batch_execute(&format!("CREATE SCHEMA {name}"))
                    .await
                    .unwrap();
                drop(client);
                running.await.unwrap().unwrap();
                let with = if url.contains('?') { '&' } else { '?' };
                DatabaseUrl::Postgres(format!("{url}{with}options=-c%20search_path%3D{name}"))
            }
        }
    }
}
