//! Why a resource cannot be held in a library.

/// Why a resource was not added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AddError {
    /// It is not a CodeSystem, ValueSet or ConceptMap: its type.
    NotTerminology(&'static str),
    /// It has no URL, so that nothing could refer to it: its type.
    NoUrl(&'static str),
}

impl std::fmt::Display for AddError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            AddError::NotTerminology(kind) => {
                write!(f, "{kind} is not a CodeSystem, ValueSet or ConceptMap")
            }
            AddError::NoUrl(kind) => write!(f, "{kind}.url is missing: without it, nothing can refer to it"),
        }
    }
}
impl std::error::Error for AddError {}
