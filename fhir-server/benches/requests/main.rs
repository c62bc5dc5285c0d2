//! Whole requests over HTTP, on the production path (policy called, metrics and logs on, full sync), each beside a baseline
//! measured in the same run, turn by turn:
//!
//! - reads beside a bare actix handler that reads the same blob from SQLite by key, a connection a worker, inline;
//! - creates and transactions beside bare inserts of the same rows, without HTTP, that one writer thread commits in
//!   groups.
//!
//! Clients and servers share the processors, so both sides pay for the clients. Each client sends its next request when the
//! answer to its last has come.
//!
//!     cargo bench -p fhir-server --bench requests
//!     cargo bench -p fhir-server --bench requests -- create                      only what is named so
//!     TMPDIR=/srv/disk SECONDS=10 cargo bench -p fhir-server --bench requests    another disk, longer turns

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a benchmark stops at the first failure"
)]

mod bare_inserts;
mod bare_reads;
mod clients;
mod connection;
mod records;
mod server;

use std::path::Path;
use std::time::Duration;

use bare_inserts::BareInserts;
use bare_reads::BareReads;
use clients::{Load, Sent};
use fhir_server::store::DatabaseUrl;
use server::Served;

/// Turns of each side.
const TURNS: usize = 3;
/// Resources that are there before anything is measured.
const FILLED: u64 = 10_000;

fn main() {
    if !std::env::args().any(|argument| argument == "--bench") {
        println!("not measured: run it with `cargo bench`");
        return;
    }
    let seconds = std::env::var("SECONDS").ok().and_then(|text| text.parse().ok());
    let time = Duration::from_secs(seconds.unwrap_or(2));
    let folder = tempfile::TempDir::new().unwrap();
    let served = Served::start(DatabaseUrl::Sqlite(folder.path().join("server.sqlite")));
    records::fill(served.address, FILLED);
    println!("| what | clients | a second | p50 | p99 | baseline a second | of baseline | floor |");
    println!("|---|---|---|---|---|---|---|---|");
    let wanted: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let wants = |what: &str| wanted.is_empty() || wanted.iter().any(|w| what.contains(w.as_str()));
    if wants("read") {
        reads(&served, folder.path(), time);
    }
    if wants("create") {
        creates(&served, folder.path(), time);
    }
    if wants("transaction") {
        transactions(&served, folder.path(), time);
    }
    served.end();
}

fn reads(served: &Served, folder: &Path, time: Duration) {
    let bare = BareReads::start(
        &folder.join("blobs.sqlite"),
        &records::bodies(served.address, FILLED),
    );
    for (clients, floor) in [(1, None), (32, Some(70))] {
        let turns = (0..TURNS).map(|_| {
            let base = clients::run(bare.address, clients, time, |n| Sent {
                bytes: records::get("", records::id(n % FILLED)),
                status: 200,
            });
            let ours = clients::run(served.address, clients, time, |n| Sent {
                bytes: records::get("/fhir/Observation", records::id(n % FILLED)),
                status: 200,
            });
            (ours, base.rate())
        });
        report("read", clients, 1, turns.collect(), floor);
    }
    bare.end();
}

fn creates(served: &Served, folder: &Path, time: Duration) {
    let bare = BareInserts::start(&folder.join("server.sqlite"), &folder.join("rows.sqlite"));
    for (clients, floor) in [(1, None), (8, None), (32, Some(60))] {
        let turns = (0..TURNS).map(|_| {
            let base = bare.run(clients, 1, time);
            let ours = clients::run(served.address, clients, time, |n| Sent {
                bytes: records::post("/fhir/Observation", &records::observation(n + FILLED, None)),
                status: 201,
            });
            (ours, base)
        });
        report("create", clients, 1, turns.collect(), floor);
    }
    bare.end();
}

fn transactions(served: &Served, folder: &Path, time: Duration) {
    const ENTRIES: u64 = 10;
    let bare = BareInserts::start(&folder.join("server.sqlite"), &folder.join("groups.sqlite"));
    let turns = (0..TURNS).map(|_| {
        let base = bare.run(4, ENTRIES, time);
        let ours = clients::run(served.address, 4, time, |n| Sent {
            bytes: records::post("/fhir", &records::transaction((n + FILLED) * ENTRIES, ENTRIES)),
            status: 200,
        });
        (ours, base)
    });
    report(
        "resources in transactions of 10",
        4,
        ENTRIES,
        turns.collect(),
        None,
    );
    bare.end();
}

/// Prints the turn in the middle by its part of the baseline.
fn report(what: &str, clients: usize, each: u64, turns: Vec<(Load, f64)>, floor: Option<u32>) {
    let part = |(ours, base): &(Load, f64)| ours.rate() * each as f64 / base;
    let mut turns = turns;
    turns.sort_by(|a, b| part(a).total_cmp(&part(b)));
    let middle = &turns[turns.len() / 2];
    let (ours, base) = middle;
    let floor = floor.map_or(String::new(), |percent| format!("{percent} %"));
    println!(
        "| {what} | {clients} | {:.0} | {:.2} ms | {:.2} ms | {base:.0} | {:.0} % | {floor} |",
        ours.rate() * each as f64,
        ours.percentile(50),
        ours.percentile(99),
        100.0 * part(middle),
    );
}
