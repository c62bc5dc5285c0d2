//! Reads beside the costliest searches that one request can ask for (S-066), and beside as many clients that ask for ordinary ones.

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

/// Searches as applications ask for them: of one patient, or of a few resources.
const ORDINARY: [&str; 6] = [
    "Patient?family=Khan&_count=20",
    "Observation?code=8867-4&_count=20",
    "Encounter?status=planned&_count=20",
    "Patient?birthdate=1980-01&_count=20",
    "Observation?_sort=-_lastUpdated&_count=20",
    "Patient?gender=female&_count=20",
];

/// Prints what a read takes alone, beside two clients that ask for ordinary searches, and beside two that ask for nothing but costly ones.
pub(crate) fn tell(address: SocketAddr, population: &Population) {
    let alone = reads(address, population);
    let (ordinary, asked) = beside(address, population, ORDINARY);
    println!(
        "a read: {:.2}, {:.2} ms; beside {asked} ordinary searches {:.2}, {:.2} ms",
        alone.0, alone.1, ordinary.0, ordinary.1
    );
    let (costly, asked) = beside(address, population, COSTLY);
    println!(
        "beside {asked} costly searches {:.2}, {:.2} ms",
        costly.0, costly.1
    );
    for (than, (p50, p99)) in [("alone", alone), ("beside ordinary ones", ordinary)] {
        println!("ratios to {than}: {:.1}, {:.1}", costly.0 / p50, costly.1 / p99);
    }
}

/// What a read takes beside two clients that ask for those, and how many they asked for.
fn beside(address: SocketAddr, population: &Population, paths: [&'static str; 6]) -> ((f64, f64), usize) {
    let (over, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let clients: Vec<_> = (0..2)
        .map(|client| {
            let (over, asked) = (over.clone(), asked.clone());
            std::thread::spawn(move || ask(address, &paths, client, (&over, &asked)))
        })
        .collect();
    let took = reads(address, population);
    over.store(true, Ordering::Relaxed);
    for client in clients {
        client.join().unwrap();
    }
    (took, asked.load(Ordering::Relaxed))
}

/// Asks for one after the other until it is over. Each is answered, or refused as too costly.
fn ask(
    address: SocketAddr,
    paths: &[&'static str],
    client: usize,
    (over, asked): (&AtomicBool, &AtomicUsize),
) {
    alone(async {
        let mut connection = Connection::open(address).await;
        for path in paths.iter().cycle().skip(client * 3) {
            if over.load(Ordering::Relaxed) {
                break;
            }
            let status = connection.ask(&get(path, "")).await;
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
            let request = get(&format!("Patient/{}", person.id), "");
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
