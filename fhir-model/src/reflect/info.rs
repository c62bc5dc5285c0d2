//! The facts of a type and its elements, as static tables.

/// The primitive datatypes of FHIR R4 (<https://hl7.org/fhir/R4/datatypes.html#primitive>).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each variant is the FHIR type of the same name")]
pub enum PrimitiveType {
    Base64Binary,
    Boolean,
    Canonical,
    Code,
    Date,
    DateTime,
    Decimal,
    Id,
    Instant,
    Integer,
    Markdown,
    Oid,
    PositiveInt,
    String,
    Time,
    UnsignedInt,
    Uri,
    Url,
    Uuid,
    Xhtml,
}

/// Which JSON token carries a primitive (<https://hl7.org/fhir/R4/json.html#primitive>).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonToken {
    /// `"…"`
    String,
    /// a JSON number, whose text is kept
    Number,
    /// `true` or `false`
    Boolean,
}

impl PrimitiveType {
    /// Every primitive type.
    pub const ALL: [PrimitiveType; 20] = {
        use PrimitiveType::*;
        [
            Base64Binary,
            Boolean,
            Canonical,
            Code,
            Date,
            DateTime,
            Decimal,
            Id,
            Instant,
            Integer,
            Markdown,
            Oid,
            PositiveInt,
            String,
            Time,
            UnsignedInt,
            Uri,
            Url,
            Uuid,
            Xhtml,
        ]
    };

    /// The name in the specification, such as `dateTime`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Base64Binary => "base64Binary",
            Self::Boolean => "boolean",
            Self::Canonical => "canonical",
            Self::Code => "code",
            Self::Date => "date",
            Self::DateTime => "dateTime",
            Self::Decimal => "decimal",
            Self::Id => "id",
            Self::Instant => "instant",
            Self::Integer => "integer",
            Self::Markdown => "markdown",
            Self::Oid => "oid",
            Self::PositiveInt => "positiveInt",
            Self::String => "string",
            Self::Time => "time",
            Self::UnsignedInt => "unsignedInt",
            Self::Uri => "uri",
            Self::Url => "url",
            Self::Uuid => "uuid",
            Self::Xhtml => "xhtml",
        }
    }

    /// The type of that name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|t| t.name() == name)
    }

    /// The JSON token that carries a value of this type.
    pub const fn json_token(self) -> JsonToken {
        match self {
            Self::Boolean => JsonToken::Boolean,
            Self::Decimal | Self::Integer | Self::PositiveInt | Self::UnsignedInt => JsonToken::Number,
            _ => JsonToken::String,
        }
    }

    /// The type that this one specialises: `code`, `id` and `markdown` are strings, `url` is a `uri`, and so on.
    pub const fn base(self) -> Option<PrimitiveType> {
        match self {
            Self::Code | Self::Id | Self::Markdown => Some(Self::String),
            Self::Canonical | Self::Oid | Self::Url | Self::Uuid => Some(Self::Uri),
            Self::PositiveInt | Self::UnsignedInt => Some(Self::Integer),
            _ => None,
        }
    }
}

/// What a complex type is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TypeKind {
    /// A resource, such as `Patient`.
    Resource,
    /// A datatype, such as `HumanName`.
    DataType,
    /// A component that belongs to one type, such as `Patient.contact`.
    Backbone,
}

/// The facts of one complex type.
#[derive(Debug)]
pub struct TypeInfo {
    /// The specification's name; a backbone element has its path, such as `Patient.contact`.
    pub name: &'static str,
    /// Resource, datatype or backbone element.
    pub kind: TypeKind,
    /// The type it specialises, such as `DomainResource`, `BackboneElement` or `Quantity`.
    pub base: &'static str,
    /// Its elements in the order of the definition, inherited ones first.
    pub fields: &'static [Field],
}

impl TypeInfo {
    /// The index and facts of the element `name` (a choice by its stem, such as `value`).
    pub fn field(&self, name: &str) -> Option<(usize, &'static Field)> {
        self.fields.iter().enumerate().find(|(_, f)| f.name == name)
    }
}

impl PartialEq for TypeInfo {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

/// The facts of one element of a type.
#[derive(Debug)]
pub struct Field {
    /// Name in JSON and XML; a choice has its stem (`value` for `value[x]`).
    pub name: &'static str,
    /// Least number of occurrences.
    pub min: u32,
    /// Greatest number of occurrences; `u32::MAX` stands for `*`.
    pub max: u32,
    /// What it holds.
    pub shape: Shape,
    /// Part of the summary view (`isSummary`).
    pub summary: bool,
    /// A modifier element (`isModifier`).
    pub modifier: bool,
    /// In XML an attribute (`Element.id`, `Extension.url`); such a value has no id and no extensions of its own.
    pub attribute: bool,
}

impl Field {
    /// The `max` of an element that repeats without limit.
    pub const MANY: u32 = u32::MAX;

    pub(crate) const fn new(name: &'static str, min: u32, max: u32, shape: Shape) -> Self {
        Field {
            name,
            min,
            max,
            shape,
            summary: false,
            modifier: false,
            attribute: false,
        }
    }

    pub(crate) const fn summary(self) -> Self {
        Field {
            summary: true,
            ..self
        }
    }

    pub(crate) const fn modifier(self) -> Self {
        Field {
            modifier: true,
            ..self
        }
    }

    pub(crate) const fn attribute(self) -> Self {
        Field {
            attribute: true,
            ..self
        }
    }

    /// Whether the element repeats.
    pub const fn is_list(&self) -> bool {
        self.max > 1
    }
}

/// What an element holds.
#[derive(Debug)]
pub enum Shape {
    /// A primitive value with an optional id and extensions.
    Primitive(PrimitiveType),
    /// A datatype or a backbone element.
    Complex(&'static TypeInfo),
    /// One of several types, named in JSON by stem and type (`valueQuantity`).
    Choice(&'static [Variant]),
    /// Any resource (`contained`, `Bundle.entry.resource`, `Parameters.parameter.resource`).
    Resource,
}

/// One type that a choice can take.
#[derive(Debug)]
pub struct Variant {
    /// The JSON and XML name, such as `valueQuantity`.
    pub name: &'static str,
    /// The type's name, such as `Quantity` or `dateTime`.
    pub type_name: &'static str,
    /// A primitive or a complex type.
    pub shape: Shape,
}
