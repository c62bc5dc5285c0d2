//! [`Explanation`]: how a store went about a search, for whoever operates it.
//!
//! Invariant: it tells how many rows there are of what the caller may not see, so that only an operator is ever given one.

use std::time::Duration;

use super::Filter;

/// How a search was answered.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Explanation {
    /// The parts of the filter of which an index gives the resources, and how many each gives as far as that was counted.
    pub considered: Vec<(Filter, Option<u64>)>,
    /// What the search was driven by, in words.
    pub driven_by: String,
    /// What was asked of the database, in that order.
    pub statements: Vec<Asked>,
}

/// A statement that the database answered.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Asked {
    /// Its text; a question mark stands for a value.
    pub sql: String,
    /// The database's plan, line by line.
    pub plan: Vec<String>,
    /// The rows of its answer.
    pub rows: usize,
    /// The rows of tables and indexes that were looked at, as far as the database tells.
    pub looked_at: u64,
    /// How long it took.
    pub took: Duration,
}
