//! [`Finding`]: one thing that is wrong, and where.

/// What was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Breach {
    /// The shape that the definitions give the data: required elements, cardinalities, forms of values.
    Shape,
    /// A rule about well-shaped data: an invariant, a required binding.
    Rule,
}

/// One thing that is wrong with a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The layer that found it, such as `structure`.
    pub layer: &'static str,
    /// What was broken.
    pub breach: Breach,
    /// The place as a FHIRPath, such as `Patient.name[0].given[1]`.
    pub expression: String,
    /// What is wrong, with the value, and the cure.
    pub message: String,
}
