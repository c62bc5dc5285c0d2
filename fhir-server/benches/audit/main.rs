//! What the audit trail costs: two servers, each a process of its own, on the same records, one with the trail and one without, asked
//! turn by turn by the same clients. Of each pair of turns it gives requests a second and the processors' time of the server's process
//! for a request; of all pairs the one in the middle.
//!
//! Give ratios: they hold when a machine is busy. The processors' time is what the system counts, in hundredths of a second.
//!
//!     cargo bench -p fhir-server --bench audit
//!     SECONDS=5 TURNS=7 cargo bench -p fhir-server --bench audit -- read      longer, and only what is named so

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a benchmark stops at the first failure"
)]

#[path = "../requests/clients.rs"]
mod clients;
#[path = "../requests/connection.rs"]
mod connection;
#[expect(
    dead_code,
    reason = "those for transactions and baselines are of the other bench"
)]
#[path = "../requests/records.rs"]
mod records;
mod served;

use std::time::Duration;

use clients::{Load, Sent};
use served::Served;

/// Resources that are there before anything is measured.
const FILLED: u64 = 10_000;
/// Clients at the same time.
const CLIENTS: [usize; 3] = [1, 32, 256];

/// One turn on one server.
struct Turn {
    load: Load,
    /// Seconds of the processors for a request.
    processor: f64,
}

fn main() {
    if let Some(serve) = served::asked() {
        serve.run();
        return;
    }
    if !std::env::args().any(|argument| argument == "--bench") {
        println!("not measured: run it with `cargo bench`");
        return;
    }
    let number = |name: &str, default: u64| {
        let set = std::env::var(name).ok().and_then(|text| text.parse().ok());
        set.unwrap_or(default)
    };
    let (time, turns) = (Duration::from_secs(number("SECONDS", 3)), number("TURNS", 5));
    let folder = tempfile::TempDir::new().unwrap();
    let [with, without] = [true, false].map(|audited| {
        let served = Served::start(&folder.path().join(format!("audited-{audited}.sqlite")), audited);
        records::fill(served.address, FILLED);
        served
    });
    println!(
        "| what | clients | a second with | without | ratio | p99 with | without | µs of the processors with | without | ratio |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    let wanted: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    for (what, make) in [("read", read as fn(u64) -> Sent), ("create", create)] {
        if !wanted.is_empty() && !wanted.iter().any(|w| what.contains(w.as_str())) {
            continue;
        }
        for clients in CLIENTS {
            let pairs: Vec<(Turn, Turn)> = (0..turns)
                .map(|_| {
                    (
                        turn(&with, clients, time, make),
                        turn(&without, clients, time, make),
                    )
                })
                .collect();
            report(what, clients, pairs);
        }
    }
}

fn read(n: u64) -> Sent {
    Sent {
        bytes: records::get("/fhir/Observation", records::id(n % FILLED)),
        status: 200,
    }
}

fn create(n: u64) -> Sent {
    Sent {
        bytes: records::post("/fhir/Observation", &records::observation(n + FILLED, None)),
        status: 201,
    }
}

fn turn(served: &Served, clients: usize, time: Duration, make: fn(u64) -> Sent) -> Turn {
    let before = served.processor();
    let load = clients::run(served.address, clients, time, make);
    let processor = (served.processor() - before) / load.count() as f64;
    Turn { load, processor }
}

/// Prints the pair in the middle by the ratio of the processors' time.
fn report(what: &str, clients: usize, mut pairs: Vec<(Turn, Turn)>) {
    let ratio = |(with, without): &(Turn, Turn)| with.processor / without.processor;
    pairs.sort_by(|a, b| ratio(a).total_cmp(&ratio(b)));
    let (with, without) = &pairs[pairs.len() / 2];
    println!(
        "| {what} | {clients} | {:.0} | {:.0} | {:.2} | {:.1} ms | {:.1} ms | {:.0} | {:.0} | {:.2} |",
        with.load.rate(),
        without.load.rate(),
        with.load.rate() / without.load.rate(),
        with.load.percentile(99),
        without.load.percentile(99),
        with.processor * 1e6,
        without.processor * 1e6,
        with.processor / without.processor,
    );
}
