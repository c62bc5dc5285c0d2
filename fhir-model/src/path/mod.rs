//! FHIRPath, release 2.0 (<https://hl7.org/fhirpath/N1/>), with the additions of FHIR R4
//! (<https://hl7.org/fhir/R4/fhirpath.html>) and the functions that later releases added for trial use.
//!
//! An [`Expression`] is compiled once and evaluated many times. Evaluation borrows: the values that it gives are
//! elements of the resource itself, or computed values.
//!
//! ```
//! use fhir_model::path::{Environment, Expression};
//! use fhir_model::{HumanName, Patient, Resource};
//!
//! let given = Expression::compile("Patient.name.where(use = 'official').given")?;
//! let name = HumanName { use_: "official".into(), given: vec!["Amy".into()], ..HumanName::default() };
//! let patient = Resource::from(Patient { name: vec![name], ..Patient::default() });
//!
//! let environment = Environment::new();
//! let found = given.evaluate(&patient, &environment)?;
//! assert_eq!(found.first().and_then(|v| v.as_str()), Some("Amy"));
//!
//! given.check("Patient")?;
//! assert!(given.check("Observation").is_err());
//! # Ok::<(), fhir_model::path::Error>(())
//! ```
//!
//! Readings of the specification that differ between engines, as taken here:
//! - `as` and `ofType` keep the specialisations of complex types but not those of primitives: the official tests want
//!   `Patient.gender.ofType(string)` to be empty.
//! - An unknown element name is nothing when evaluated and an error in [`Expression::check`].
//! - `and`, `or` and `implies` do not evaluate a right operand that cannot change the answer.
//! - Quantities of different dimensions are unequal; their order is empty.

mod arithmetic;
mod boundary;
mod check;
mod compare;
mod date_arithmetic;
mod environment;
mod error;
mod eval;
mod expression;
mod functions;
mod lexer;
mod limits;
mod location;
mod parser;
mod plan;
mod quantity;
mod temporal;
mod types;
pub mod units;
mod value;
mod walk;

pub use check::Strictness;
pub use environment::{ByReferenceType, Environment, Profiles, Resolved, Resolver, Terminology, Trace};
pub use error::Error;
pub use expression::Expression;
pub use limits::{Limits, MAX_LENGTH, MAX_NESTING};
pub use location::{Location, Step};
pub use quantity::{Calendar, Quantity, Unit};
pub use temporal::{Date, DateTime, Time};
pub use types::SystemType;
pub use value::{Collection, IntoIter, Type, Value};
