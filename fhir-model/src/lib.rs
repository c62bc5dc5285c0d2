//! The FHIR R4 model.
//!
//! - Typed structs for every resource and datatype of R4 4.0.1 ([`Patient`] and so on), written by `xtask codegen`
//!   from the definitions, and [`Resource`], an enum over all of them.
//! - [`json`] and [`xml`]: lossless readers and writers.
//! - [`reflect`]: one trait and one table a type, for code that treats all types alike.

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
pub mod xml;

pub use date::{Date, DateTime, Instant, Time};
pub use decimal::Decimal;
pub use generated::*;
pub use primitive::{Primitive, Str, ValueError};
pub use resource::type_info;
