//! Loads a population over HTTP and times the shapes.

use std::fmt;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::SEED;
use crate::connection::Connection;
use crate::dice::Dice;
use crate::population::{Person, Population};
use crate::shapes::Shape;

/// Requests of a shape.
const REQUESTS: usize = 300;
/// Requests of a shape that is slow, at least.
const AT_LEAST: usize = 20;
/// How long a shape is asked for.
const TIME: Duration = Duration::from_secs(6);
/// Requests before those that count.
const WARM: usize = 5;

/// What a shape takes, in milliseconds.
pub(crate) struct Figures {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    /// Entries of an answer, on average.
    found: f64,
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2}, {:.2} ({:.0})", self.p50, self.p99, self.found)
    }
}

/// Does something on this thread.
pub(crate) fn alone<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(work)
}

/// The request for a path below the base, by the caller of that name where the server knows callers by name.
pub(crate) fn get(path: &str, caller: &str) -> Vec<u8> {
    let path = path.replace('|', "%7C");
    format!(
        "GET /fhir/{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/fhir+json\r\nX-Caller: {caller}\r\n\r\n"
    )
    .into_bytes()
}

/// Sends the transactions; how long that took.
pub(crate) fn fill(address: SocketAddr, transactions: impl Iterator<Item = String>) -> Duration {
    let start = Instant::now();
    alone(async {
        let mut connection = Connection::open(address).await;
        for body in transactions {
            let head = format!(
                "POST /fhir HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/fhir+json\r\nPrefer: return=minimal\r\n\
                 Content-Length: {}\r\n\r\n",
                body.len()
            );
            let status = connection.ask(&[head.as_bytes(), body.as_bytes()].concat()).await;
            assert_eq!(status, 200, "{}", String::from_utf8_lossy(connection.body()));
        }
    });
    start.elapsed()
}

/// Times each of the shapes, asked by that caller.
pub(crate) fn all(
    address: SocketAddr,
    shapes: &[&Shape],
    population: &Population,
    caller: &str,
) -> Vec<Figures> {
    alone(async {
        let mut connection = Connection::open(address).await;
        let newest = newest(&mut connection, caller).await;
        let mut figures = Vec::new();
        for (place, shape) in shapes.iter().enumerate() {
            let mut dice = Dice::new(SEED ^ 2, place as u64);
            let path = |person: &Person| get(&(shape.path)(person, &newest), caller);
            figures.push(one(&mut connection, shape.name, population, &mut dice, path).await);
        }
        figures
    })
}

/// When the twentieth newest observation was written.
async fn newest(connection: &mut Connection, caller: &str) -> String {
    let status = connection
        .ask(&get("Observation?_count=20&_elements=meta&_total=none", caller))
        .await;
    assert_eq!(status, 200);
    let answer: serde_json::Value = serde_json::from_slice(connection.body()).unwrap();
    let last = answer["entry"].as_array().unwrap().last().unwrap();
    last["resource"]["meta"]["lastUpdated"]
        .as_str()
        .unwrap()
        .to_owned()
}

async fn one(
    connection: &mut Connection,
    name: &str,
    population: &Population,
    dice: &mut Dice,
    request: impl Fn(&Person) -> Vec<u8>,
) -> Figures {
    let mut took = Vec::new();
    let mut found = 0;
    let start = Instant::now();
    for turn in 0..WARM + REQUESTS {
        if turn >= WARM + AT_LEAST && start.elapsed() > TIME {
            break;
        }
        let person = population.person(dice.below(population.patients));
        let request = request(&person);
        let begin = Instant::now();
        let status = connection.ask(&request).await;
        let elapsed = begin.elapsed();
        assert_eq!(
            status,
            200,
            "{}: {}",
            name,
            String::from_utf8_lossy(connection.body())
        );
        if turn >= WARM {
            took.push(elapsed);
            found += entries(connection.body());
        }
    }
    took.sort_unstable();
    Figures {
        p50: percentile(&took, 50),
        p99: percentile(&took, 99),
        found: found as f64 / took.len() as f64,
    }
}

/// A percentile of sorted times, in milliseconds.
pub(crate) fn percentile(sorted: &[Duration], percent: usize) -> f64 {
    sorted[(sorted.len() * percent / 100).min(sorted.len() - 1)].as_secs_f64() * 1e3
}

fn entries(body: &[u8]) -> usize {
    let mark = br#""fullUrl""#;
    body.windows(mark.len()).filter(|window| window == mark).count()
}
