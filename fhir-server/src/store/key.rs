//! [`Key`]: which resource, as its type and logical id (<https://hl7.org/fhir/R4/resource.html#id>).

/// The name of an R4 resource type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ResourceType(&'static str);

impl ResourceType {
    /// The type of that name, exactly as the specification writes it.
    pub fn from_name(name: &str) -> Option<Self> {
        let index = fhir_model::Resource::TYPES.binary_search(&name).ok()?;
        fhir_model::Resource::TYPES.get(index).map(|n| ResourceType(n))
    }
    /// Every type of R4, by name.
    pub fn all() -> impl Iterator<Item = ResourceType> {
        fhir_model::Resource::TYPES.iter().copied().map(ResourceType)
    }
    /// The specification's name.
    pub fn name(self) -> &'static str {
        self.0
    }
    /// A small number that stands for it in index rows: its place among R4's types by name, from 1. R4 is frozen.
    pub fn number(self) -> i16 {
        let index = fhir_model::Resource::TYPES
            .binary_search(&self.0)
            .unwrap_or_default();
        i16::try_from(index + 1).unwrap_or(i16::MAX)
    }
    /// The type that number stands for.
    pub(crate) fn from_number(number: i16) -> Option<Self> {
        let index = usize::try_from(number).ok()?.checked_sub(1)?;
        fhir_model::Resource::TYPES.get(index).map(|n| ResourceType(n))
    }
    /// How many types there are, which is the greatest number of one.
    #[cfg(any(feature = "postgres", feature = "sqlite"))]
    pub(crate) fn count() -> i16 {
        i16::try_from(fhir_model::Resource::TYPES.len()).unwrap_or(i16::MAX)
    }
}

/// Whether the text has the form of a logical id (<https://hl7.org/fhir/R4/datatypes.html#id>).
pub fn is_id(text: &str) -> bool {
    let is_of_form = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
    (1..=64).contains(&text.len()) && text.bytes().all(is_of_form)
}

/// Type and id of a resource.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// The type.
    pub resource_type: ResourceType,
    /// The logical id.
    pub id: String,
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.resource_type.name(), self.id)
    }
}
