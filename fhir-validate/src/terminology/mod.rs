//! Codes and what they mean: the terminology service of FHIR (<https://hl7.org/fhir/R4/terminology-service.html>).
//!
//! [`Terminology`] is what a validator asks; it never fails: what is not held is [`Membership::Unchecked`], with the reason.
//!
//! Invariant: a code is never called wrong because its code system is not held, or only in part.

mod add_error;
mod bits;
mod build;
mod canonical;
mod code_system;
mod compose;
mod display;
mod expression;
mod extension;
mod filter;
mod implicit;
mod issue;
mod language;
mod library;
mod membership;
mod near;
pub mod operation;
mod packed;
pub mod release;
mod rule;
mod set;
mod status;
mod twin;

pub use add_error::AddError;
pub use issue::{Cause, Refusal};
pub use library::Library;
pub(crate) use near::nearest;

/// Answers questions about codes, from whatever it holds.
pub trait Terminology: Send + Sync {
    /// Whether the code is in the value set, given by its canonical URL, with `|version` or without.
    fn validate_code(&self, value_set: &str, code: &CodeQuery<'_>) -> Membership;

    /// Whether the code is in its own code system, and how that displays it. Without a system: [`Known::Unchecked`].
    fn look_up(&self, code: &CodeQuery<'_>) -> Known;
}

/// A code as a resource states it: of a Coding, or of an element of type `code`.
#[derive(Clone, Copy, Debug, Default)]
pub struct CodeQuery<'a> {
    /// The code system's URL. `None` for an element of type `code`: it is inferred from the value set.
    pub system: Option<&'a str>,
    /// The version of the code system, where stated.
    pub version: Option<&'a str>,
    /// The code itself, as written.
    pub code: &'a str,
    /// The display, where stated: then the answer says whether it is right.
    pub display: Option<&'a str>,
}

/// Whether a code is in a value set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Membership {
    /// It is.
    Member {
        /// The code system that the value set takes it from.
        system: String,
        /// The display that the code system or the value set gives it.
        display: Option<String>,
        /// Whether the stated display is one of the code's: true if none was stated or none is known.
        display_is_right: bool,
        /// Whether the code is no longer to be used.
        inactive: bool,
    },
    /// It is not.
    NotMember {
        /// What is wrong with it.
        reason: NotMember,
        /// The code of the value set that is spelled nearly so, where there is one.
        near: Option<String>,
    },
    /// It cannot be told from what is held.
    Unchecked {
        /// What is missing, in words for a reader: the value set, the code system, its version.
        reason: String,
    },
}

/// Why a code is not in a value set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotMember {
    /// Its code system does not have it.
    UnknownCode,
    /// Its code system has it, the value set does not.
    UnknownInValueSet,
    /// The value set has this code from another code system only.
    WrongSystem,
    /// The code system, which is case sensitive, has it in other letters.
    WrongCase,
    /// It only groups others, and is not to be recorded.
    Abstract,
}

/// Whether a code is in its code system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// It is.
    Yes {
        /// The display that the code system gives it.
        display: Option<String>,
        /// Whether the stated display is one of the code's: true if none was stated or none is known.
        display_is_right: bool,
    },
    /// It is not.
    No {
        /// The code of the system that is spelled nearly so, where there is one.
        near: Option<String>,
    },
    /// It cannot be told from what is held.
    Unchecked {
        /// What is missing, in words for a reader.
        reason: String,
    },
}

#[cfg(test)]
mod tests;
