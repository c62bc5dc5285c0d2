//! What SQLite's failures mean to a caller.
//!
//! diesel hands on SQLite's message and not its code, so the classes are told apart by the messages, which SQLite keeps
//! stable: they are the texts of `sqlite3_errstr`.

use std::io::ErrorKind;

use diesel::result::{DatabaseErrorKind, Error as Diesel};

use crate::error::{Error, ErrorCode};

/// The classes of failure that are treated apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// No space left.
    Full,
    /// A read, write or sync failed.
    Io,
    /// Another process holds the file.
    Busy,
    /// The file is not a sound database.
    Damaged,
    /// A unique index has it already.
    Unique,
    /// The statement ran too long, or nobody waited for it any more.
    Ended,
    /// A fault of our own.
    Other,
}

impl Class {
    /// Whether a transaction in which it happened is lost as a whole.
    pub(super) fn loses_transaction(self) -> bool {
        matches!(self, Class::Full | Class::Io | Class::Busy | Class::Damaged)
    }
}

/// The class of a failure.
pub(super) fn class(error: &Diesel) -> Class {
    let Diesel::DatabaseError(kind, information) = error else {
        return Class::Other;
    };
    if matches!(kind, DatabaseErrorKind::UniqueViolation) {
        return Class::Unique;
    }
    let message = information.message();
    let starts = |texts: &[&str]| texts.iter().any(|t| message.starts_with(t));
    if starts(&["database or disk is full"]) {
        Class::Full
    } else if starts(&[
        "disk I/O error",
        "unable to open database file",
        "attempt to write a readonly database",
    ]) {
        Class::Io
    } else if starts(&[
        "database is locked",
        "database table is locked",
        "locking protocol",
    ]) {
        Class::Busy
    } else if starts(&[
        "database disk image is malformed",
        "malformed database schema",
        "file is not a database",
    ]) {
        Class::Damaged
    } else if starts(&[super::watch::MESSAGE]) {
        Class::Ended
    } else {
        Class::Other
    }
}

/// The error that a caller sees.
pub(super) fn error(cause: Diesel) -> Error {
    let class = class(&cause);
    tracing::error!(?class, %cause, "the database failed");
    error_of_class(class).with_cause(cause)
}

/// The same, without a cause of its own.
pub(super) fn error_of_class(class: Class) -> Error {
    match class {
        Class::Full => Error::new(
            ErrorCode::StorageFull,
            "The disk is full; nothing was changed. Try again later.",
        ),
        Class::Io | Class::Damaged => Error::new(
            ErrorCode::Unavailable,
            "The database does not answer; the change was not acknowledged. Try again later.",
        ),
        Class::Busy => Error::new(
            ErrorCode::Unavailable,
            "The database is busy; nothing was changed. Try again.",
        ),
        Class::Ended => Error::new(
            ErrorCode::TooSlow,
            "The query took longer than this server lets a query take, and was ended. The same again will not help: name a \
             parameter that few resources pass (an identifier, a patient, a shorter range of dates), or send _total=none.",
        ),
        Class::Unique | Class::Other => Error::new(
            ErrorCode::Internal,
            "The server failed to handle this request; nothing was changed by it.",
        ),
    }
}

/// The class of an I/O failure that was met outside SQLite.
pub(super) fn class_of_io(error: &std::io::Error) -> Class {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Class::Full,
        _ => Class::Io,
    }
}
