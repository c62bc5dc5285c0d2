//! How searches slow down as data grows: shapes of queries over more and more patients, on both databases, over HTTP by one client that
//! waits for each answer; and the bytes that a resource takes.
//!
//!     cargo bench -p fhir-server --bench growth
//!     PATIENTS=1000,10000,50000 DATABASES=sqlite cargo bench -p fhir-server --bench growth    other sizes, one database
//!     cargo bench -p fhir-server --bench growth -- sort                                       only what is named so
//!
//! A shape is selective where what it finds does not grow with the data: of those none should slow by more than [`MOST`] from the first
//! size to the last.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a benchmark stops at the first failure"
)]

mod beside;
mod bytes;
#[path = "../../../tests/cluster.rs"]
#[expect(dead_code, reason = "nothing is killed here")]
mod cluster;
#[path = "../requests/connection.rs"]
mod connection;
mod databases;
mod dice;
mod measure;
mod population;
#[path = "../requests/server.rs"]
mod server;
mod shapes;

use measure::Figures;
use population::Population;
use server::Served;

/// All that is random follows from it.
const SEED: u64 = 20_261_126;
/// How many times slower a selective shape may become.
const MOST: f64 = 2.0;

fn main() {
    if !std::env::args().any(|argument| argument == "--bench") {
        println!("not measured: run it with `cargo bench`");
        return;
    }
    println!("seed {SEED}");
    let databases = std::env::var("DATABASES").unwrap_or_else(|_| "sqlite,postgres".into());
    for database in databases.split(',') {
        let sizes = sizes(database);
        let columns: Vec<Vec<Figures>> = sizes.iter().map(|size| column(database, *size)).collect();
        table(database, &sizes, &columns);
    }
}

fn sizes(database: &str) -> Vec<u64> {
    let otherwise = match database {
        "sqlite" => "1000,10000,50000",
        _ => "1000,10000",
    };
    let text = std::env::var("PATIENTS").unwrap_or_else(|_| otherwise.into());
    text.split(',').map(|size| size.parse().unwrap()).collect()
}

/// What the shapes take over so many patients.
fn column(database: &str, patients: u64) -> Vec<Figures> {
    let folder = tempfile::TempDir::new().unwrap();
    let (url, cluster) = databases::fresh(database, folder.path());
    let population = Population { patients };
    let served = Served::start(url.clone());
    let load = measure::fill(served.address, population.transactions(100));
    println!(
        "{database}, {patients} patients: {} resources in {:.0} s",
        population.resources(),
        load.as_secs_f64()
    );
    // What was just written is settled and looked at, as it is in a database that has stood for a while.
    served.end();
    bytes::settle(&url);
    bytes::tell(&url, population.resources());
    let served = Served::start(url);
    let figures = measure::all(served.address, &shapes::wanted(), &population, "");
    beside::tell(served.address, &population);
    served.end();
    drop(cluster);
    figures
}

fn table(database: &str, sizes: &[u64], columns: &[Vec<Figures>]) {
    let names: Vec<String> = sizes
        .iter()
        .map(|size| format!("{size}: p50, p99 ms (found)"))
        .collect();
    println!("\n| {database} | selective | {} | ratio |", names.join(" | "));
    println!("|---|---|{}", "---|".repeat(sizes.len() + 1));
    let mut slowed = Vec::new();
    for (row, shape) in shapes::wanted().iter().enumerate() {
        let cells: Vec<String> = columns.iter().map(|column| column[row].to_string()).collect();
        let ratio = columns[columns.len() - 1][row].p50 / columns[0][row].p50;
        if shape.selective && ratio > MOST {
            slowed.push(format!("{} ({ratio:.1})", shape.name));
        }
        let selective = if shape.selective { "yes" } else { "" };
        println!(
            "| {} | {selective} | {} | {ratio:.1} |",
            shape.name,
            cells.join(" | ")
        );
    }
    match slowed.is_empty() {
        true => println!("\nno selective shape is more than {MOST} times slower"),
        false => println!("\nmore than {MOST} times slower: {}", slowed.join(", ")),
    }
}
