//! Search (<https://hl7.org/fhir/R4/search.html>): what can be searched for, the index rows of a resource, and what a query asks of
//! them.
//!
//! Invariant: this module is pure: no store, no HTTP, no clock of its own.

pub(crate) mod care_date;
pub(crate) mod case;
pub(crate) mod compartment;
pub(crate) mod criteria;
pub(crate) mod describe;
pub(crate) mod extract;
pub(crate) mod instant;
mod narrow;
pub(crate) mod registry;
pub(crate) mod span;
pub(crate) mod sphere;
pub(crate) mod terminology;
pub(crate) mod text;
pub(crate) mod ucum;

pub(crate) use narrow::narrow;

pub use criteria::Limits;
pub use extract::{Surroundings, index};
pub use terminology::{Concept, Terminology};

use crate::error::{Error, ErrorCode};

/// A value that is not of its parameter's form.
pub(crate) fn malformed(name: &str, value: &str, expected: &str) -> Error {
    let short: String = value.chars().take(60).collect();
    Error::new(
        ErrorCode::Value,
        format!("{short:?} is no value for {name}: expected {expected}."),
    )
    .at(format!("http.{name}"))
}
