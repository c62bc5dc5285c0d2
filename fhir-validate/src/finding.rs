//! [`Finding`]: one thing that is wrong, or worth knowing, and where.

/// What was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Breach {
    /// The shape that the definitions give the data: required elements, cardinalities, forms of values.
    Shape,
    /// A rule about well-shaped data: an invariant, a required binding.
    Rule,
}

/// How bad a finding is (<https://hl7.org/fhir/R4/valueset-issue-severity.html>).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Something could not be checked, or is worth knowing.
    Information,
    /// It may be wrong; the resource is valid all the same.
    Warning,
    /// The resource is not valid.
    Error,
}

impl Severity {
    /// The code in an OperationOutcome.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Information => "information",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// One thing that is wrong with a resource, or worth knowing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The layer that found it, such as `structure`.
    pub layer: &'static str,
    /// What was broken.
    pub breach: Breach,
    /// How bad it is.
    pub severity: Severity,
    /// Whether a profile asks for it, or the definition of an extension; otherwise R4 itself does.
    pub by_profile: bool,
    /// The place as a FHIRPath, such as `Patient.name[0].given[1]`.
    pub expression: String,
    /// What is wrong, with the value, and the cure.
    pub message: String,
    /// The rule: the key of an invariant, the url of a profile or of a value set.
    pub rule: Option<String>,
    /// The nearest right spelling, where one is near.
    pub near: Option<String>,
    /// Line and column of the text, both from 1, where the finding is of the text.
    pub position: Option<(u32, u32)>,
}
