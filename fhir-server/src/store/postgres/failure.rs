//! What PostgreSQL's failures mean to a caller.
//!
//! diesel keeps few of the SQLSTATE codes and always the message, so some classes are told apart by messages, as
//! PostgreSQL writes them in English; `start` warns where a database speaks another language.

use diesel::result::{DatabaseErrorKind, Error as Diesel};

use crate::error::{Error, ErrorCode};

/// The classes of failure that are treated apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// No space left.
    Full,
    /// The connection is lost, or the database takes no work.
    Gone,
    /// All connections are in use, or another writer holds the tenant for long.
    Busy,
    /// The database asks to try the transaction once more.
    Again,
    /// A unique index has it already.
    Unique,
    /// The statement ran too long.
    Ended,
    /// A fault of our own.
    Other,
}

/// The class of a failure.
pub(super) fn class(error: &Diesel) -> Class {
    let Diesel::DatabaseError(kind, information) = error else {
        return Class::Other;
    };
    match kind {
        DatabaseErrorKind::UniqueViolation => return Class::Unique,
        DatabaseErrorKind::SerializationFailure => return Class::Again,
        DatabaseErrorKind::UnableToSendCommand
        | DatabaseErrorKind::ClosedConnection
        | DatabaseErrorKind::ReadOnlyTransaction => return Class::Gone,
        _ => {}
    }
    of_message(information.message())
}

fn of_message(message: &str) -> Class {
    let has = |texts: &[&str]| texts.iter().any(|t| message.contains(t));
    if has(&["deadlock detected", "could not serialize access"]) {
        Class::Again
    } else if has(&["due to lock timeout"]) {
        Class::Busy
    } else if has(&["due to statement timeout", "due to user request"]) {
        Class::Ended
    } else if has(&["No space left on device", "Disk quota exceeded"]) {
        Class::Full
    } else if has(&[
        "terminating connection",
        "the database system is",
        "idle-in-transaction timeout",
    ]) {
        Class::Gone
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
            "The database's disk is full; nothing was changed. Try again later.",
        ),
        Class::Gone => Error::new(
            ErrorCode::Unavailable,
            "The database does not answer; nothing was changed. Try again later.",
        ),
        Class::Busy | Class::Again => Error::new(
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

/// The connection was lost between COMMIT and its answer.
pub(super) fn unknown() -> Error {
    Error::new(
        ErrorCode::Timeout,
        "The database was lost while it made the change durable: the change was made as a whole, or not at all, and which is \
         not known. Read what you meant to change before you send it again.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_succeed_later_says_so_and_what_is_not_known_is_not_called_unchanged() {
        for (class, status) in [
            (Class::Full, 507),
            (Class::Gone, 503),
            (Class::Busy, 503),
            (Class::Again, 503),
            (Class::Ended, 503),
            (Class::Other, 500),
        ] {
            assert_eq!(error_of_class(class).code.facts().status, status, "{class:?}");
        }
        let unknown = unknown();
        assert_eq!(unknown.code.facts().status, 504);
        assert!(!unknown.to_string().contains("nothing was changed"));
    }

    #[test]
    fn messages_tell_the_class() {
        for (message, wanted) in [
            ("deadlock detected", Class::Again),
            ("canceling statement due to lock timeout", Class::Busy),
            ("canceling statement due to statement timeout", Class::Ended),
            (
                "could not extend file \"base/5/1\": No space left on device",
                Class::Full,
            ),
            ("terminating connection due to administrator command", Class::Gone),
            ("the database system is shutting down", Class::Gone),
            ("relation \"x\" does not exist", Class::Other),
        ] {
            assert_eq!(of_message(message), wanted, "{message}");
        }
    }
}
