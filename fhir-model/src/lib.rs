//! The FHIR R4 model.
//!
//! - Typed structs for every resource and datatype of R4 4.0.1 ([`Patient`] and so on), written by `xtask codegen`
//!   from the definitions, and [`Resource`], an enum over all of them.
//! - [`json`] and [`xml`]: lossless readers and writers.
//! - [`reflect`]: one trait and one table a type, for code that treats all types alike.
//!
//! Building, writing, reading and matching:
//!
//! ```
//! use fhir_model::{HumanName, Patient, Resource, json};
//!
//! let amira = Patient {
//!     name: vec![HumanName { family: "Khan".into(), given: vec!["Amira".into()], ..HumanName::default() }],
//!     gender: "female".into(),
//!     birth_date: "1988-03-14".parse()?,
//!     ..Patient::default()
//! };
//! let text = json::to_string(&amira.into());
//! match json::from_str(&text)? {
//!     Resource::Patient(patient) => assert!(patient.name[0].family == "Khan"),
//!     other => panic!("a {} came back", other.type_name()),
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A [`Primitive`] holds a value, an id and extensions; a list is a `Vec`; any other optional element is an
//! `Option`, boxed where it has elements of its own (`into()` does both); a choice such as `deceased[x]` is an `Option`
//! of an enum.

pub mod date;
pub mod decimal;
pub mod definitions;
pub mod generated;
pub mod json;
pub mod path;
pub mod primitive;
pub mod read;
pub mod reflect;
pub mod resource;
pub mod spelling;
pub mod xml;

pub use date::{Date, DateTime, Instant, Time};
pub use decimal::Decimal;
pub use generated::*;
pub use primitive::{Primitive, Str, ValueError};
pub use resource::type_info;
