//! Search (<https://hl7.org/fhir/R4/search.html>): what can be searched for, the index rows of a resource, and what a query asks of
//! them. Pure: no store, no HTTP.

pub(crate) mod case;
#[cfg_attr(not(test), expect(dead_code, reason = "nothing asks for compartments yet"))]
pub(crate) mod compartment;
pub(crate) mod extract;
pub(crate) mod registry;
pub(crate) mod span;
pub(crate) mod sphere;
pub(crate) mod text;
pub(crate) mod ucum;

pub use extract::{Surroundings, index};
