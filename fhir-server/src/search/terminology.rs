//! [`Terminology`]: which codes belong to a value set or lie above or below a code, for the modifiers `:in`, `:not-in`, `:above`
//! and `:below` of tokens (<https://hl7.org/fhir/R4/search.html#token>).

use crate::error::Result;

/// A code with its system.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Concept {
    /// The canonical URL of the system; `None` is no system.
    pub system: Option<String>,
    /// The code.
    pub code: String,
}

/// Answers about code systems and value sets. Answers hold at most `limit` codes; of more, the answer is the error
/// [`crate::error::ErrorCode::TooCostly`].
pub trait Terminology: Send + Sync {
    /// The codes of a value set, by canonical URL (with `|version` or without) or by a reference `ValueSet/id`.
    ///
    /// # Errors
    /// The value set is not known, cannot be listed, or has more codes than the limit.
    fn members(&self, value_set: &str, limit: usize) -> Result<Vec<Concept>>;

    /// The code and all that it subsumes.
    ///
    /// # Errors
    /// The system or the code is not known, or there are more codes than the limit.
    fn below(&self, system: &str, code: &str, limit: usize) -> Result<Vec<Concept>>;

    /// The code and all that subsume it.
    ///
    /// # Errors
    /// As [`Terminology::below`].
    fn above(&self, system: &str, code: &str, limit: usize) -> Result<Vec<Concept>>;
}
