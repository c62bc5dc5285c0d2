//! Clients that keep a connection each and wait for each answer; all of them on one thread.

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::task::LocalSet;

use crate::connection::Connection;

/// Counts requests over all runs, so that no two of them are the same.
static COUNT: AtomicU64 = AtomicU64::new(0);

/// A request and the status that its answer must have.
pub(crate) struct Sent {
    pub(crate) bytes: Vec<u8>,
    pub(crate) status: u16,
}

/// What came of a run.
pub(crate) struct Load {
    elapsed: Duration,
    /// How long each request took, shortest first.
    took: Vec<Duration>,
}

impl Load {
    /// Requests that were answered.
    pub(crate) fn count(&self) -> usize {
        self.took.len()
    }

    /// Requests a second.
    pub(crate) fn rate(&self) -> f64 {
        self.count() as f64 / self.elapsed.as_secs_f64()
    }

    /// Milliseconds in which that many of a hundred requests were answered.
    pub(crate) fn percentile(&self, percent: usize) -> f64 {
        let at = (self.took.len() * percent / 100).min(self.took.len().saturating_sub(1));
        self.took[at].as_secs_f64() * 1e3
    }
}

/// Sends for that time; `make` is given a number that it has never been given.
pub(crate) fn run(
    address: SocketAddr,
    clients: usize,
    time: Duration,
    make: impl Fn(u64) -> Sent + 'static,
) -> Load {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let (make, start) = (Rc::new(make), Instant::now());
    let took = LocalSet::new().block_on(&runtime, async {
        let running: Vec<_> = (0..clients)
            .map(|_| tokio::task::spawn_local(one(address, start + time, make.clone())))
            .collect();
        let mut took = Vec::new();
        for client in running {
            took.extend(client.await.unwrap());
        }
        took
    });
    let elapsed = start.elapsed();
    let mut took = took;
    took.sort_unstable();
    Load { elapsed, took }
}

async fn one(address: SocketAddr, end: Instant, make: Rc<impl Fn(u64) -> Sent>) -> Vec<Duration> {
    let mut connection = Connection::open(address).await;
    let mut took = Vec::new();
    while Instant::now() < end {
        let sent = make(COUNT.fetch_add(1, Ordering::Relaxed));
        let start = Instant::now();
        let status = connection.ask(&sent.bytes).await;
        took.push(start.elapsed());
        assert_eq!(
            status,
            sent.status,
            "{}",
            String::from_utf8_lossy(connection.body())
        );
    }
    took
}
