//! Validation of FHIR R4 resources (<https://hl7.org/fhir/R4/validation.html>), in layers.
//!
//! A layer is one file and one line in [`LAYERS`]. All layers share one walk over the resource; each is asked about
//! every complex value and every primitive met, and adds [`Finding`]s that name their place.
//!
//! ```
//! use fhir_model::{Observation, Resource};
//! use fhir_validate::Validator;
//!
//! let findings = Validator::new().validate(&Resource::from(Observation::default()));
//! assert_eq!(findings[0].expression, "Observation.status");
//! ```
//!
//! [`schema`] writes JSON Schemas of the same types, for those who validate elsewhere.
//!
//! Invariant: validation never changes what it looks at, and what it says depends on nothing else.

mod finding;
mod format;
pub mod schema;
mod structure;
pub mod terminology;
mod walk;

pub use finding::{Breach, Finding};

use fhir_model::Resource;
use fhir_model::reflect::{Complex, PrimitiveNode, PrimitiveType};
use walk::Place;

/// One layer of validation: what it looks at, and what a breach of it means.
pub struct Layer {
    /// Its name, such as `structure`.
    pub name: &'static str,
    /// What a breach of it is: of the shape of the data, or of a rule.
    pub breach: Breach,
    complex: fn(&dyn Complex, &mut Place<'_>),
    primitive: fn(PrimitiveType, &dyn PrimitiveNode, &mut Place<'_>),
}

/// The layers, in the order in which they look at a value.
pub const LAYERS: &[Layer] = &[structure::LAYER, format::LAYER];

/// Checks resources against the base definitions of R4.
#[derive(Clone, Debug)]
pub struct Validator {
    max_findings: usize,
}

impl Default for Validator {
    fn default() -> Self {
        Validator::new()
    }
}

impl Validator {
    /// All layers; stops after 100 findings.
    pub fn new() -> Self {
        Validator { max_findings: 100 }
    }

    /// The same, but it stops after that many findings.
    pub fn with_max_findings(mut self, max: usize) -> Self {
        self.max_findings = max;
        self
    }

    /// Everything that is wrong with the resource, in the order of its elements, up to the limit. Empty means valid.
    pub fn validate(&self, resource: &Resource) -> Vec<Finding> {
        walk::resource(resource.as_complex(), self.max_findings)
    }
}

#[cfg(test)]
mod tests;
