//! Validation of FHIR R4 resources (<https://hl7.org/fhir/R4/validation.html>), in layers.
//!
//! [`Validator::new`] checks the shape of the data by the static tables, at the least cost:
//!
//! ```
//! use fhir_model::{Observation, Resource};
//! use fhir_validate::Validator;
//!
//! let findings = Validator::new().validate(&Resource::from(Observation::default()));
//! assert_eq!(findings[0].expression, "Observation.status");
//! ```
//!
//! [`Validator::builder`] makes one that knows the definitions of R4, and those of packages that it is given: their
//! invariants, bindings, profiles and extensions. Definitions are compiled once, on first use.
//!
//! ```
//! use fhir_model::{Patient, PatientContact, Resource};
//! use fhir_validate::Validator;
//!
//! let patient = Patient { contact: vec![PatientContact { id: Some("c".into()), ..Default::default() }], ..Default::default() };
//! let findings = Validator::builder().build().validate(&Resource::from(patient));
//! assert!(findings.iter().any(|f| f.rule.as_deref() == Some("pat-1") && f.expression == "Patient.contact[0]"));
//! ```
//!
//! A layer is one file (or folder) and one line in [`LAYERS`]. [`schema`] writes JSON Schemas of the same types, for those
//! who validate elsewhere.
//!
//! Invariant: validation never changes what it looks at, and what it says depends on nothing but what the validator was given.

mod binding;
mod bundle;
mod canonical;
mod compare;
mod conformance;
mod definition;
mod extension;
mod finding;
mod fixed;
mod format;
mod identifier;
pub mod interface;
mod invariant;
mod json_schema;
mod layer;
mod narrative;
mod overrides;
pub mod package;
mod place;
pub mod position;
mod profile;
mod program;
mod questionnaire;
mod reference;
mod rules;
mod run;
pub mod schema;
mod slicing;
mod snapshot;
mod structure;
pub mod terminology;
mod uk_core;
pub mod unread;
mod validator;
mod walk;

pub use finding::{Breach, Finding, Severity};
pub use layer::{LAYERS, Layer};
pub use overrides::{EXCEPTIONS, Exception, Treatment};
pub use reference::Resolver;
pub use validator::{Builder, Options, ReferenceChecks, Validator};

#[cfg(test)]
mod tests;
