//! [`Layer`]: the parts of validation, each of which can be switched off.

use crate::finding::Breach;

/// A part of validation. What each does stands in the file of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Layer {
    /// Required elements and cardinalities.
    Structure,
    /// The forms of primitive values.
    Format,
    /// Fixed values, patterns, least and greatest values of profiles.
    Fixed,
    /// What profiles ask: cardinalities, types, slices.
    Profile,
    /// Codes and value sets.
    Binding,
    /// Rules in FHIRPath.
    Invariant,
    /// What references point to.
    Reference,
    /// Links and languages of narratives.
    Narrative,
    /// Which extensions are used, and where.
    Extension,
    /// What Bundles ask beyond their elements.
    Bundle,
    /// Answers against their questionnaire.
    Questionnaire,
    /// What definitions ask beyond their elements: profiles, code systems, value sets.
    Conformance,
    /// Identifiers with check digits: NHS numbers.
    Identifier,
    /// The JSON Schema that is published for the type.
    JsonSchema,
}

/// Every layer.
pub const LAYERS: &[Layer] = &[
    Layer::Structure,
    Layer::Format,
    Layer::Fixed,
    Layer::Profile,
    Layer::Binding,
    Layer::Invariant,
    Layer::Reference,
    Layer::Narrative,
    Layer::Extension,
    Layer::Bundle,
    Layer::Questionnaire,
    Layer::Conformance,
    Layer::Identifier,
    Layer::JsonSchema,
];

impl Layer {
    /// Its name, such as `structure`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Structure => "structure",
            Self::Format => "format",
            Self::Fixed => "fixed",
            Self::Profile => "profile",
            Self::Binding => "binding",
            Self::Invariant => "invariant",
            Self::Reference => "reference",
            Self::Narrative => "narrative",
            Self::Extension => "extension",
            Self::Bundle => "bundle",
            Self::Questionnaire => "questionnaire",
            Self::Conformance => "conformance",
            Self::Identifier => "identifier",
            Self::JsonSchema => "json-schema",
        }
    }

    /// What a breach of it is: of the shape of the data, or of a rule.
    pub const fn breach(self) -> Breach {
        match self {
            Self::Structure | Self::Format | Self::JsonSchema => Breach::Shape,
            _ => Breach::Rule,
        }
    }

    /// The layer of that name.
    pub fn from_name(name: &str) -> Option<Layer> {
        LAYERS.iter().copied().find(|layer| layer.name() == name)
    }
}

/// A set of layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LayerSet(u16);

impl LayerSet {
    /// Every layer.
    pub(crate) const ALL: LayerSet = LayerSet((1 << LAYERS.len()) - 1);
    /// What needs the static tables only.
    pub(crate) const SHAPE: LayerSet = LayerSet(1 << Layer::Structure as u16 | 1 << Layer::Format as u16);

    pub(crate) const fn has(self, layer: Layer) -> bool {
        self.0 & (1 << layer as u16) != 0
    }

    pub(crate) const fn without(self, layer: Layer) -> LayerSet {
        LayerSet(self.0 & !(1 << layer as u16))
    }
}
