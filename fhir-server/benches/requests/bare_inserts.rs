//! The baseline of creates: the rows that the server wrote, a resource's own and those that it can be found by, inserted into an empty
//! database of the same schema by one thread, which commits all that wait in one transaction.

mod pattern;

use std::path::Path;
use std::rc::Rc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use fhir_server::store::{self, DatabaseUrl, StoreOptions};
use tokio::sync::oneshot;

use pattern::Pattern;

/// Resources to insert, and who waits for them.
struct Job {
    resources: u64,
    done: oneshot::Sender<()>,
}

/// The thread that inserts.
pub(crate) struct BareInserts {
    queue: Sender<Job>,
    thread: JoinHandle<()>,
}

impl BareInserts {
    /// Takes some resources of the server's database for a pattern.
    pub(crate) fn start(server: &Path, file: &Path) -> Self {
        let patterns = pattern::read(server);
        let rows: usize = patterns.iter().map(Pattern::rows).sum();
        println!(
            "the baseline inserts {:.1} rows a resource",
            rows as f64 / patterns.len() as f64
        );
        let connection = empty(file);
        let (queue, jobs) = channel();
        let thread = std::thread::spawn(move || insert(connection, &patterns, &jobs));
        BareInserts { queue, thread }
    }

    /// Resources a second that so many waiters get in, so many at once.
    pub(crate) fn run(&self, waiters: usize, resources: u64, time: Duration) -> f64 {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let start = Instant::now();
        let queue = Rc::new(self.queue.clone());
        let inserted: u64 = tokio::task::LocalSet::new().block_on(&runtime, async {
            let waiting: Vec<_> = (0..waiters)
                .map(|_| tokio::task::spawn_local(wait(queue.clone(), resources, start + time)))
                .collect();
            let mut inserted = 0;
            for waiter in waiting {
                inserted += waiter.await.unwrap();
            }
            inserted
        });
        inserted as f64 / start.elapsed().as_secs_f64()
    }

    /// Ends the thread.
    pub(crate) fn end(self) {
        drop(self.queue);
        self.thread.join().unwrap();
    }
}

async fn wait(queue: Rc<Sender<Job>>, resources: u64, end: Instant) -> u64 {
    let mut inserted = 0;
    while Instant::now() < end {
        let (done, answer) = oneshot::channel();
        queue.send(Job { resources, done }).unwrap();
        answer.await.unwrap();
        inserted += resources;
    }
    inserted
}

/// An empty database of the server's, opened with the same durability and the same length of the log.
fn empty(file: &Path) -> SqliteConnection {
    let store = store::open(&DatabaseUrl::Sqlite(file.to_path_buf()), &StoreOptions::default()).unwrap();
    drop(store);
    let mut connection = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    connection
        .batch_execute(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -8192;\
             PRAGMA wal_autocheckpoint = 4000;",
        )
        .unwrap();
    connection
}

fn insert(mut connection: SqliteConnection, patterns: &[Pattern], jobs: &Receiver<Job>) {
    let mut numbers = 1..;
    while let Ok(first) = jobs.recv() {
        let group: Vec<Job> = std::iter::once(first).chain(jobs.try_iter().take(255)).collect();
        let count = group.iter().map(|job| job.resources).sum::<u64>();
        connection
            .immediate_transaction(|connection| {
                for n in numbers
                    .by_ref()
                    .take(usize::try_from(count).unwrap_or(usize::MAX))
                {
                    let at = usize::try_from(n).unwrap_or_default() % patterns.len();
                    patterns[at].insert(connection, n)?;
                }
                QueryResult::Ok(())
            })
            .unwrap();
        for job in group {
            job.done.send(()).unwrap();
        }
    }
}
