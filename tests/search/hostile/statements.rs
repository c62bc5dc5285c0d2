//! The text of every statement that a database is asked, as the database library saw it before the values were bound.

use std::collections::HashSet;
use std::sync::Mutex;

use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};

static SEEN: Mutex<Option<HashSet<String>>> = Mutex::new(None);

/// Writes down statements of the connections that are made from now on.
pub(crate) fn record() {
    SEEN.lock().unwrap().get_or_insert_default();
    let recorder =
        || -> Option<Box<dyn Instrumentation>> { Some(Box::new(note as fn(InstrumentationEvent<'_>))) };
    set_default_instrumentation(recorder).unwrap();
}

fn note(event: InstrumentationEvent<'_>) {
    let text = match event {
        InstrumentationEvent::StartQuery { query, .. } => query.to_string(),
        InstrumentationEvent::CacheQuery { sql, .. } => sql.to_owned(),
        _ => return,
    };
    // What comes after is values.
    let sql = text.split(" -- binds: ").next().unwrap_or_default();
    let mut seen = SEEN.lock().unwrap();
    let seen = seen.get_or_insert_default();
    if !seen.contains(sql) {
        seen.insert(sql.to_owned());
    }
}

/// All different statements so far.
pub(crate) fn seen() -> Vec<String> {
    SEEN.lock().unwrap().iter().flatten().cloned().collect()
}
