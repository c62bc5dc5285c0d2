//! Ends a statement that runs too long or that nobody waits for any more, and has one that runs long take turns.
//!
//! SQLite asks `within_time()`, a function of ours, once for each row that a list or a count looks at; its error ends
//! the statement. It is not deterministic to SQLite, so it is not asked once for all rows.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use diesel::result::QueryResult;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{BigInt, Bool};
use diesel::sqlite::{Sqlite, SqliteConnection};

use super::turns::Turn;

/// The condition that statements have in them.
pub(super) const CONDITION: &str = " AND within_time()";
/// What SQLite says of a statement that was ended.
pub(super) const MESSAGE: &str = "the statement ran too long";
/// The clock is read once in so many questions.
const EVERY: u32 = 64;
/// A statement that runs for longer waits for its turn.
const SHORT: Duration = Duration::from_millis(10);
/// How long a turn is, where others wait.
const SLICE: Duration = Duration::from_millis(50);

diesel::define_sql_function! {
    /// True, or an error that ends the statement.
    fn within_time() -> Bool;
}

diesel::define_sql_function! {
    /// The same, once for each row of the table whose column it is given.
    fn row_in_time(row: BigInt) -> Bool;
}

/// When the statement of one connection must end.
#[derive(Debug, Default)]
pub(super) struct Watch {
    ended: AtomicBool,
    asked: AtomicU32,
    run: Mutex<Run>,
}

/// What is known of the statement that runs.
#[derive(Debug, Default)]
struct Run {
    until: Option<Instant>,
    /// When it began, or its turn did.
    since: Option<Instant>,
    turn: Option<Turn>,
}

impl Watch {
    /// A watch over that connection.
    pub(super) fn over(conn: &mut SqliteConnection) -> QueryResult<Arc<Self>> {
        let watch = Arc::new(Watch::default());
        let asked = watch.clone();
        within_time_utils::register_nondeterministic_impl(conn, move || Answer(asked.go_on()))?;
        let asked = watch.clone();
        row_in_time_utils::register_nondeterministic_impl(conn, move |_: i64| Answer(asked.go_on()))?;
        Ok(watch)
    }

    /// The statements from now on end in that time, the waiting for turns not counted, and at once when what this gives is dropped.
    pub(super) fn start(self: &Arc<Self>, time: Duration) -> Leash {
        let now = Instant::now();
        *self.run() = Run {
            until: now.checked_add(time),
            since: Some(now),
            turn: None,
        };
        self.ended.store(false, Ordering::Release);
        Leash(self.clone())
    }

    /// Gives the turn back when what this gives is dropped: when the statement is over.
    pub(super) fn rests(self: &Arc<Self>) -> Rest {
        Rest(self.clone())
    }

    fn run(&self) -> MutexGuard<'_, Run> {
        self.run.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many rows have been looked at, of lists and counts: it begins again after four billions.
    pub(super) fn looked_at(&self) -> u32 {
        self.asked.load(Ordering::Relaxed)
    }

    fn go_on(&self) -> bool {
        if self.asked.fetch_add(1, Ordering::Relaxed).is_multiple_of(EVERY) {
            let mut run = self.run();
            let now = Instant::now();
            if run.until.is_some_and(|until| now >= until) {
                self.ended.store(true, Ordering::Release);
            } else if run.must_wait(now) {
                run.turn = None;
                run.turn = Turn::wait(|| self.ended.load(Ordering::Acquire));
                run.until = run.until.and_then(|until| until.checked_add(now.elapsed()));
                run.since = Some(Instant::now());
            }
        }
        !self.ended.load(Ordering::Acquire)
    }
}

impl Run {
    fn must_wait(&self, now: Instant) -> bool {
        let ran = self.since.map(|since| now.saturating_duration_since(since));
        match &self.turn {
            None => ran > Some(SHORT),
            Some(_) => ran > Some(SLICE) && Turn::is_wanted(),
        }
    }
}

/// Gives the turn back when dropped.
pub(super) struct Rest(Arc<Watch>);

impl Drop for Rest {
    fn drop(&mut self) {
        *self.0.run() = Run::default();
    }
}

/// Ends the statement of its connection when dropped, if it still runs.
pub(super) struct Leash(Arc<Watch>);

impl Drop for Leash {
    fn drop(&mut self) {
        self.0.ended.store(true, Ordering::Release);
    }
}

#[derive(Debug)]
struct Answer(bool);

impl ToSql<Bool, Sqlite> for Answer {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        if !self.0 {
            return Err(MESSAGE.into());
        }
        out.set_value(1_i32);
        Ok(IsNull::No)
    }
}
