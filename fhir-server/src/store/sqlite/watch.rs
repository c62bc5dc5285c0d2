//! Ends a statement that runs too long or that nobody waits for any more.
//!
//! SQLite asks `within_time()`, a function of ours, once for each row that a list or a count looks at; its error ends
//! the statement. It is not deterministic to SQLite, so it is not asked once for all rows.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use diesel::result::QueryResult;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{BigInt, Bool};
use diesel::sqlite::{Sqlite, SqliteConnection};

/// The condition that statements have in them.
pub(super) const CONDITION: &str = " AND within_time()";
/// What SQLite says of a statement that was ended.
pub(super) const MESSAGE: &str = "the statement ran too long";
/// The clock is read once in so many questions.
const EVERY: u32 = 64;

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
    until: Mutex<Option<Instant>>,
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

    /// The statements from now on end in that time, and at once when what this gives is dropped.
    pub(super) fn start(self: &Arc<Self>, time: Duration) -> Leash {
        *self.until.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now().checked_add(time);
        self.ended.store(false, Ordering::Release);
        Leash(self.clone())
    }

    /// How many rows have been looked at, of lists and counts: it begins again after four billions.
    pub(super) fn looked_at(&self) -> u32 {
        self.asked.load(Ordering::Relaxed)
    }

    fn go_on(&self) -> bool {
        if self.asked.fetch_add(1, Ordering::Relaxed).is_multiple_of(EVERY) {
            let until = *self.until.lock().unwrap_or_else(PoisonError::into_inner);
            if until.is_some_and(|until| Instant::now() >= until) {
                self.ended.store(true, Ordering::Release);
            }
        }
        !self.ended.load(Ordering::Acquire)
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
