//! Reads beside the costliest searches that one request can ask for (S-066).

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::SEED;
use crate::connection::Connection;
use crate::dice::Dice;
use crate::measure::{alone, get, percentile};
use crate::population::Population;

/// How long reads are timed, alone and beside searches.
const TIME: Duration = Duration::from_secs(8);
/// Between a read and the next, as an application that is in use has it.
const PAUSE: Duration = Duration::from_millis(2);

/// Searches that no index narrows, sorts of all, joins in both directions.
const COSTLY: [&str; 6] = [
    "Patient?name:contains=a&_sort=family,given,-birthdate&_count=1000",
    "Observation?date=gt0001&_sort=code,-date&_count=1000",
    "Patient?_has:Observation:patient:code:missing=false&_sort=-birthdate",
    "Observation?patient.name:contains=e&_include=*&_count=1000",
    "Encounter?_filter=not%20(status%20eq%20planned)&_total=accurate",
    "Patient?gender:not=x&_revinclude=Observation:*&_include:iterate=*&_count=1000",
];

/// Prints what a read takes alone and beside two clients that ask for nothing but those.
pub(crate) fn tell(address: SocketAddr, population: &Population) {
    let alone = reads(address, population);
    let (over, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let clients: Vec<_> = (0..2)
        .map(|client| {
            let (over, asked) = (over.clone(), asked.clone());
            std::thread::spawn(move || ask(address, client, &over, &asked))
        })
        .collect();
    let beside = reads(address, population);
    over.store(true, Ordering::Relaxed);
    for client in clients {
        client.join().unwrap();
    }
    let [(p50, p99), (p50_beside, p99_beside)] = [alone, beside];
    println!(
        "a read: {p50:.2}, {p99:.2} ms; beside {} costly searches {p50_beside:.2}, {p99_beside:.2} ms: ratios {:.1}, {:.1}",
        asked.load(Ordering::Relaxed),
        p50_beside / p50,
        p99_beside / p99
    );
}

/// Asks for one after the other until it is over. Each is answered, or refused as too costly.
fn ask(address: SocketAddr, client: usize, over: &AtomicBool, asked: &AtomicUsize) {
    alone(async {
        let mut connection = Connection::open(address).await;
        for path in COSTLY.into_iter().cycle().skip(client * 3) {
            if over.load(Ordering::Relaxed) {
                break;
            }
            let status = connection.ask(&get(path)).await;
            assert!(
                [200, 422, 503].contains(&status),
                "{path}: {}",
                String::from_utf8_lossy(connection.body())
            );
            asked.fetch_add(1, Ordering::Relaxed);
        }
    });
}

/// What a read takes, p50 and p99 in milliseconds.
fn reads(address: SocketAddr, population: &Population) -> (f64, f64) {
    alone(async {
        let mut connection = Connection::open(address).await;
        let mut dice = Dice::new(SEED ^ 3, 0);
        let mut took = Vec::new();
        let start = Instant::now();
        while start.elapsed() < TIME {
            let person = population.person(dice.below(population.patients));
            let request = get(&format!("Patient/{}", person.id));
            let begin = Instant::now();
            let status = connection.ask(&request).await;
            took.push(begin.elapsed());
            assert_eq!(status, 200);
            tokio::time::sleep(PAUSE).await;
        }
        took.sort_unstable();
        (percentile(&took, 50), percentile(&took, 99))
    })
}
