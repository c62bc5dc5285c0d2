//! Answers about codes, from what is held (<https://hl7.org/fhir/R4/terminology-module.html>).

/// Answers about codes, from what is held.
pub trait Terminology: Send + Sync {
    /// Whether the code is in the value set (canonical URL, `|version` allowed).
    fn validate_code(&self, value_set: &str, code: &CodeQuery<'_>) -> Membership;
    /// Whether the code exists in its own system.
    fn look_up(&self, code: &CodeQuery<'_>) -> Known;
}

/// A code that is asked about.
#[derive(Clone, Copy, Debug)]
pub struct CodeQuery<'a> {
    /// `None` for a `code` element: the system is inferred from the value set.
    pub system: Option<&'a str>,
    /// The version of the system.
    pub version: Option<&'a str>,
    /// The code.
    pub code: &'a str,
    /// The display that came with it.
    pub display: Option<&'a str>,
}

/// Whether a code is in a value set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Membership {
    /// It is.
    Member {
        /// The system that it comes from.
        system: String,
        /// Its display, if one is held.
        display: Option<String>,
        /// Whether the display that came with it is one of its own; true where none came or none is held.
        display_is_right: bool,
        /// Whether it is no longer to be used.
        inactive: bool,
    },
    /// It is not.
    NotMember {
        /// Why.
        reason: NotMember,
        /// A code in the value set that is spelt nearly so.
        near: Option<String>,
    },
    /// It is not known, since something is not held.
    Unchecked {
        /// What is not held.
        reason: String,
    },
}

/// Why a code is not in a value set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotMember {
    /// Its system does not have it.
    UnknownCode,
    /// Its system has it, the value set does not.
    UnknownInValueSet,
    /// The value set takes no codes from its system.
    WrongSystem,
    /// It is there with other upper and lower case.
    WrongCase,
    /// It only groups others.
    Abstract,
}

/// Whether a code exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// It does.
    Yes {
        /// Its display, if one is held.
        display: Option<String>,
        /// Whether the display that came with it is one of its own; true where none came or none is held.
        display_is_right: bool,
    },
    /// It does not.
    No {
        /// A code that is spelt nearly so.
        near: Option<String>,
    },
    /// It is not known, since the system is not held.
    Unchecked {
        /// What is not held.
        reason: String,
    },
}
