//! What can go wrong with a FHIRPath expression, and where.

use std::fmt;

/// An error of a FHIRPath expression. The offset counts bytes from the start of the expression.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The text is not a FHIRPath expression; found while compiling.
    Syntax {
        /// Where the reader stopped.
        offset: usize,
        /// What was met and what was expected.
        message: String,
    },
    /// The expression cannot make sense: an unknown function, element or type, or operands of the wrong types;
    /// found while compiling or by [`Expression::check`](super::Expression::check).
    Semantic {
        /// The place of the name or operator.
        offset: usize,
        /// What is wrong and what to write instead.
        message: String,
    },
    /// The expression failed on these data, such as several items where one is allowed.
    Execution {
        /// The place of the function or operator, where known.
        offset: Option<usize>,
        /// What was met and what was expected.
        message: String,
    },
    /// A limit of [`Limits`](super::Limits), or of the length or depth of an expression, was reached.
    Limit {
        /// Which limit, and its value.
        message: String,
    },
}

impl Error {
    pub(super) fn syntax(offset: usize, message: impl Into<String>) -> Self {
        Error::Syntax {
            offset,
            message: message.into(),
        }
    }
    pub(super) fn semantic(offset: usize, message: impl Into<String>) -> Self {
        Error::Semantic {
            offset,
            message: message.into(),
        }
    }
    pub(super) fn execution(message: impl Into<String>) -> Self {
        Error::Execution {
            offset: None,
            message: message.into(),
        }
    }
    pub(super) fn limit(message: impl Into<String>) -> Self {
        Error::Limit {
            message: message.into(),
        }
    }

    /// The same error, at that offset unless it has one already.
    pub(super) fn or_at(self, at: usize) -> Self {
        match self {
            Error::Execution {
                offset: None,
                message,
            } => Error::Execution {
                offset: Some(at),
                message,
            },
            other => other,
        }
    }

    /// The place in the expression, in bytes from its start, where known.
    pub fn offset(&self) -> Option<usize> {
        match self {
            Error::Syntax { offset, .. } | Error::Semantic { offset, .. } => Some(*offset),
            Error::Execution { offset, .. } => *offset,
            Error::Limit { .. } => None,
        }
    }

    /// What went wrong, without the place.
    pub fn message(&self) -> &str {
        match self {
            Error::Syntax { message, .. }
            | Error::Semantic { message, .. }
            | Error::Execution { message, .. }
            | Error::Limit { message } => message,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self {
            Error::Syntax { .. } => "syntax error",
            Error::Semantic { .. } => "semantic error",
            Error::Execution { .. } => "execution error",
            Error::Limit { .. } => "limit reached",
        };
        match self.offset() {
            Some(offset) => write!(f, "FHIRPath {kind} at offset {offset}: {}", self.message()),
            None => write!(f, "FHIRPath {kind}: {}", self.message()),
        }
    }
}

impl std::error::Error for Error {}
