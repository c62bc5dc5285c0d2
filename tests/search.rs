//! Search against an evaluator that shares nothing with it, and against text that means harm, through the server's whole front, on every
//! database (<https://hl7.org/fhir/R4/search.html>).
//!
//!     cargo test -p fhir-server --test search                       a short run, the same each time
//!     FHIR_TEST_LONG=1 cargo test -p fhir-server --test search      10,000 random queries; every hostile text in every place
//!     FHIR_TEST_SEED=7 cargo test -p fhir-server --test search      other resources, queries and texts

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[expect(dead_code, reason = "other tests that have a cluster want more of it")]
mod cluster;
#[path = "search/compare.rs"]
mod compare;
#[path = "search/data/mod.rs"]
mod data;
#[path = "cases/database.rs"]
mod database;
#[path = "search/evaluate/mod.rs"]
mod evaluate;
#[path = "search/front.rs"]
mod front;
#[path = "search/hostile/mod.rs"]
mod hostile;
#[path = "search/limits.rs"]
mod limits;
#[path = "search/query/mod.rs"]
mod query;
#[path = "search/random.rs"]
mod random;

use std::sync::OnceLock;

use database::Database;
use front::Front;

/// A server on an empty database of each kind that there is, and what holds the files of one.
async fn fronts() -> (Vec<Front>, Database) {
    /// One cluster for all tests; it ends with the process.
    static POSTGRES: OnceLock<Option<Database>> = OnceLock::new();
    let files = Database::sqlite();
    let postgres = POSTGRES.get_or_init(Database::postgres);
    if postgres.is_none() {
        println!("SKIPPED (needs PostgreSQL)");
    }
    let mut fronts = Vec::new();
    for database in std::iter::once(&files).chain(postgres) {
        fronts.push(Front::on(database.name(), &database.fresh().await).await);
    }
    (fronts, files)
}
