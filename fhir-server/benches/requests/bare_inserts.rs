//! The baseline of creates: the rows that the server wrote, inserted into an empty database of the same schema by one
//! thread, which commits all that wait in one transaction.

use std::path::Path;
use std::rc::Rc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use fhir_server::store::{self, DatabaseUrl, StoreOptions};
use tokio::sync::oneshot;

diesel::table! {
    resource (surrogate) {
        surrogate -> BigInt,
        tenant -> BigInt,
        #[sql_name = "type"]
        type_ -> BigInt,
        id -> Binary,
        version -> BigInt,
        stamp -> BigInt,
        change -> BigInt,
        encoding -> BigInt,
        stamp_at -> BigInt,
        stamp_form -> BigInt,
        body -> Binary,
    }
}

/// A row of the table, with its name in SQL.
type Row = (i64, i64, i64, Vec<u8>, i64, i64, i64, i64, i64, i64, Vec<u8>);

/// Rows to insert, and who waits for them.
struct Job {
    rows: u64,
    done: oneshot::Sender<()>,
}

/// The thread that inserts.
pub(crate) struct BareInserts {
    queue: Sender<Job>,
    thread: JoinHandle<()>,
}

impl BareInserts {
    /// Takes some rows of the server's database for a pattern.
    pub(crate) fn start(server: &Path, file: &Path) -> Self {
        let mut source = SqliteConnection::establish(server.to_str().unwrap()).unwrap();
        let rows: Vec<Row> = resource::table.limit(1_000).load(&mut source).unwrap();
        assert!(!rows.is_empty());
        let connection = empty(file);
        let (queue, jobs) = channel();
        let thread = std::thread::spawn(move || insert(connection, &rows, &jobs));
        BareInserts { queue, thread }
    }

    /// Rows a second that so many waiters get in, so many at once.
    pub(crate) fn run(&self, waiters: usize, rows: u64, time: Duration) -> f64 {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let start = Instant::now();
        let queue = Rc::new(self.queue.clone());
        let inserted: u64 = tokio::task::LocalSet::new().block_on(&runtime, async {
            let waiting: Vec<_> = (0..waiters)
                .map(|_| tokio::task::spawn_local(wait(queue.clone(), rows, start + time)))
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

async fn wait(queue: Rc<Sender<Job>>, rows: u64, end: Instant) -> u64 {
    let mut inserted = 0;
    while Instant::now() < end {
        let (done, answer) = oneshot::channel();
        queue.send(Job { rows, done }).unwrap();
        answer.await.unwrap();
        inserted += rows;
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

fn insert(mut connection: SqliteConnection, rows: &[Row], jobs: &Receiver<Job>) {
    let mut numbers = 1..;
    while let Ok(first) = jobs.recv() {
        let group: Vec<Job> = std::iter::once(first).chain(jobs.try_iter().take(255)).collect();
        let count = group.iter().map(|job| job.rows).sum::<u64>();
        connection
            .immediate_transaction(|connection| {
                for n in numbers
                    .by_ref()
                    .take(usize::try_from(count).unwrap_or(usize::MAX))
                {
                    insert_row(connection, rows, n)?;
                }
                QueryResult::Ok(())
            })
            .unwrap();
        for job in group {
            job.done.send(()).unwrap();
        }
    }
}

fn insert_row(connection: &mut SqliteConnection, rows: &[Row], n: i64) -> QueryResult<usize> {
    let pattern = &rows[usize::try_from(n).unwrap_or_default() % rows.len()];
    let (_, tenant, type_, _, version, _, change, encoding, stamp_at, stamp_form, body) = pattern;
    // As random as the ids that the server makes.
    let key = u128::try_from(n)
        .unwrap()
        .wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
        .to_be_bytes();
    diesel::insert_into(resource::table)
        .values((
            resource::surrogate.eq(n),
            resource::tenant.eq(tenant),
            resource::type_.eq(type_),
            resource::id.eq(key.as_slice()),
            resource::version.eq(version),
            resource::stamp.eq(n),
            resource::change.eq(change),
            resource::encoding.eq(encoding),
            resource::stamp_at.eq(stamp_at),
            resource::stamp_form.eq(stamp_form),
            resource::body.eq(body),
        ))
        .execute(connection)
}
