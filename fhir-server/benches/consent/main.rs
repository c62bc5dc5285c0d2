//! What the rules cost a search: the same queries over the same records, asked by a caller whom no rule binds, by a clinician and by a
//! researcher whom consents bind, in turns, over HTTP by one client that waits for each answer. Every patient has a consent.
//!
//!     cargo bench -p fhir-server --bench consent
//!     RESOURCES=1000000 DATABASES=sqlite cargo bench -p fhir-server --bench consent      another size, one database
//!     cargo bench -p fhir-server --bench consent -- sort                                only what is named so
//!
//! Give ratios: they hold when a machine is busy. The goal is [`MOST`] at a million resources.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a benchmark stops at the first failure"
)]

#[path = "../growth/bytes.rs"]
#[expect(dead_code, reason = "what a resource takes is of the other bench")]
mod bytes;
mod callers;
#[path = "../../../tests/cluster.rs"]
#[expect(dead_code, reason = "nothing is killed here")]
mod cluster;
#[path = "../requests/connection.rs"]
mod connection;
mod consents;
#[path = "../growth/databases.rs"]
mod databases;
#[path = "../growth/dice.rs"]
mod dice;
#[path = "../growth/measure.rs"]
mod measure;
#[path = "../growth/population.rs"]
mod population;
mod served;
#[path = "../requests/server.rs"]
#[expect(dead_code, reason = "the server here says who asks")]
mod server;
#[path = "../growth/shapes.rs"]
#[expect(dead_code, reason = "what is selective is asked by the other bench")]
mod shapes;

use measure::Figures;
use population::Population;
use shapes::Shape;

/// All that is random follows from it.
const SEED: u64 = 20_261_127;
/// How many times slower a search may be for who is bound.
const MOST: f64 = 2.0;

fn main() {
    if !std::env::args().any(|argument| argument == "--bench") {
        println!("not measured: run it with `cargo bench`");
        return;
    }
    println!("seed {SEED}");
    let set = |name: &str, default: &str| std::env::var(name).unwrap_or_else(|_| default.into());
    for database in set("DATABASES", "sqlite,postgres").split(',') {
        for size in set("RESOURCES", "100000").split(',') {
            compare(database, size.parse().unwrap());
        }
    }
}

fn compare(database: &str, resources: u64) {
    let folder = tempfile::TempDir::new().unwrap();
    let (url, cluster) = databases::fresh(database, folder.path());
    // Six of records and one consent each.
    let population = Population {
        patients: resources.div_ceil(7),
    };
    let served = served::start(url.clone());
    let records = measure::fill(served.address, population.transactions(100));
    let consents = measure::fill(served.address, consents::transactions(&population, 500));
    println!(
        "\n{database}: {} resources, {} of them consents, in {:.0} s",
        population.resources() + population.patients,
        population.patients,
        (records + consents).as_secs_f64()
    );
    // What was just written is settled and looked at, as it is in a database that has stood for a while.
    served.end();
    bytes::settle(&url);
    let served = served::start(url);
    let rows: Vec<(&Shape, Vec<Figures>)> = shapes::wanted()
        .into_iter()
        .map(|shape| {
            let of = |caller: &&str| measure::all(served.address, &[shape], &population, caller).remove(0);
            (shape, callers::ALL.iter().map(of).collect())
        })
        .collect();
    served.end();
    drop(cluster);
    table(&rows);
}

fn table(rows: &[(&Shape, Vec<Figures>)]) {
    let (free, bound) = callers::ALL.split_first().unwrap();
    let names: Vec<String> = bound
        .iter()
        .map(|caller| format!("{caller}: p50, p99 ms (found) | ratios"))
        .collect();
    println!("| what | {free}: p50, p99 ms (found) | {} |", names.join(" | "));
    println!("|---|---|{}", "---|---|".repeat(bound.len()));
    let mut slow = Vec::new();
    for (shape, figures) in rows {
        let (of_free, of_bound) = figures.split_first().unwrap();
        let mut line = format!("| {} | {of_free} |", shape.name);
        for (caller, figures) in bound.iter().zip(of_bound) {
            let (p50, p99) = (figures.p50 / of_free.p50, figures.p99 / of_free.p99);
            line.push_str(&format!(" {figures} | {p50:.1}, {p99:.1} |"));
            if p50 > MOST {
                slow.push(format!("{} ({caller} {p50:.1})", shape.name));
            }
        }
        println!("{line}");
    }
    match slow.is_empty() {
        true => println!("\nnothing is more than {MOST} times slower by p50"),
        false => println!("\nmore than {MOST} times slower by p50: {}", slow.join(", ")),
    }
}
