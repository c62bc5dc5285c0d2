//! The databases that are measured, by name.

use std::path::Path;

use fhir_server::store::DatabaseUrl;

use crate::cluster::Cluster;

/// A fresh one in the folder, and what keeps it up.
pub(crate) fn fresh(name: &str, folder: &Path) -> (DatabaseUrl, Option<Cluster>) {
    match name {
        "sqlite" => (DatabaseUrl::Sqlite(folder.join("bench.sqlite")), None),
        "postgres" => {
            let cluster = Cluster::start().expect("PostgreSQL: see tests/postgres.sh");
            (DatabaseUrl::Postgres(cluster.url.clone()), Some(cluster))
        }
        other => panic!("a database named {other:?}"),
    }
}
