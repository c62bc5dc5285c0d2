//! Reflection over typed FHIR values: one static table a type, one trait a value.
//!
//! The generated structs are plain data. Everything that treats all types alike (readers and writers of JSON and
//! XML, FHIRPath, validation, search extraction, `_summary` and `_elements`) goes through [`Complex`] and the
//! [`TypeInfo`] tables, so each rule of a format stands in one place.
//!
//! Invariant: the index of a field in `TypeInfo::fields` is the index that `slot` and `slot_mut` take.

use std::any::Any;
use std::borrow::Cow;
use std::fmt;

use crate::generated::Element;
use crate::primitive::{Scalar, ValueError};
use crate::resource::Resource;

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

/// A value with elements: a resource, a datatype or a backbone element.
pub trait Complex: Any + Send + Sync {
    /// The facts of this value's type.
    fn type_info(&self) -> &'static TypeInfo;
    /// What the element with that index holds; `Slot::Absent` when empty or out of range.
    fn slot(&self, field: usize) -> Slot<'_>;
    /// The element with that index, to fill; `None` when out of range.
    fn slot_mut(&mut self, field: usize) -> Option<SlotMut<'_>>;
    /// For downcasting to the struct.
    fn as_any(&self) -> &dyn Any;
    /// For downcasting to the struct.
    fn as_any_mut(&mut self) -> &mut dyn Any;
}

/// A primitive value, dynamically typed.
pub trait PrimitiveNode: Send + Sync {
    /// The value, if there is one (a primitive may have extensions only).
    fn scalar(&self) -> Option<Scalar<'_>>;
    /// Sets the value from its lexical form (the text of a JSON token without quotes, or of an XML attribute).
    ///
    /// # Errors
    /// The text is not of this type's form.
    fn parse(&mut self, text: &str) -> Result<(), ValueError>;
    /// The id and extensions (the `_birthDate` of JSON), if there are any.
    fn extras(&self) -> Option<&Element>;
    /// The id and extensions, made if absent; `None` where the type allows none.
    fn extras_mut(&mut self) -> Option<&mut Element>;
    /// The lexical form of the value.
    fn text(&self) -> Option<Cow<'_, str>> {
        self.scalar().map(|s| s.text())
    }
}

/// A list of primitives; an item may have no value (JSON `null`).
pub trait PrimitiveList {
    /// Number of items.
    fn len(&self) -> usize;
    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The item at that index.
    fn at(&self, index: usize) -> Option<&dyn PrimitiveNode>;
    /// The item at that index, to fill.
    fn at_mut(&mut self, index: usize) -> Option<&mut dyn PrimitiveNode>;
    /// Appends an empty item and gives it to fill.
    fn push(&mut self) -> &mut dyn PrimitiveNode;
}

/// A list of complex values.
pub trait ComplexList {
    /// Number of items.
    fn len(&self) -> usize;
    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The item at that index.
    fn at(&self, index: usize) -> Option<&dyn Complex>;
    /// The item at that index, to change.
    fn at_mut(&mut self, index: usize) -> Option<&mut dyn Complex>;
    /// Appends an empty item and gives it to fill; `None` for a list of resources, whose type is not known yet.
    fn push(&mut self) -> Option<&mut dyn Complex>;
    /// Drops every item.
    fn clear(&mut self);
}

/// What an element holds, to read.
#[derive(Clone, Copy)]
pub enum Slot<'a> {
    /// Nothing.
    Absent,
    /// One primitive, present by value, id or extension.
    Primitive(&'a dyn PrimitiveNode),
    /// A list of primitives, not empty.
    Primitives(&'a dyn PrimitiveList),
    /// One complex value or resource.
    Complex(&'a dyn Complex),
    /// A list of complex values or resources, not empty.
    Complexes(&'a dyn ComplexList),
    /// A choice: the index in `Shape::Choice` and what it holds.
    Choice(usize, ChoiceNode<'a>),
}

/// What a choice holds.
#[derive(Clone, Copy)]
pub enum ChoiceNode<'a> {
    /// A primitive.
    Primitive(&'a dyn PrimitiveNode),
    /// A datatype.
    Complex(&'a dyn Complex),
}

/// What an element holds, to fill.
pub enum SlotMut<'a> {
    /// One primitive.
    Primitive(&'a mut dyn PrimitiveNode),
    /// A list of primitives.
    Primitives(&'a mut dyn PrimitiveList),
    /// One complex value.
    Complex(&'a mut dyn ComplexSlot),
    /// A list of complex values.
    Complexes(&'a mut dyn ComplexList),
    /// A choice.
    Choice(&'a mut dyn ChoiceSlot),
    /// One resource of any type.
    Resource(&'a mut Option<Resource>),
    /// Resources of any type.
    Resources(&'a mut Vec<Resource>),
}

/// What a choice holds, to fill.
pub enum ChoiceNodeMut<'a> {
    /// A primitive.
    Primitive(&'a mut dyn PrimitiveNode),
    /// A datatype.
    Complex(&'a mut dyn Complex),
}

/// An optional complex value.
pub trait ComplexSlot {
    /// The value, made empty if absent.
    fn get_or_insert(&mut self) -> &mut dyn Complex;
    /// Removes the value.
    fn clear(&mut self);
}

/// An optional choice.
pub trait ChoiceSlot {
    /// The variant in use.
    fn variant(&self) -> Option<usize>;
    /// Makes it that variant (kept if it is already) and gives the value to fill; `None` when out of range.
    fn select(&mut self, variant: usize) -> Option<ChoiceNodeMut<'_>>;
    /// Removes the value.
    fn clear(&mut self);
}

/// A generated choice enum.
pub trait Choice: Sized {
    /// An empty value of that variant.
    fn of_variant(variant: usize) -> Option<Self>;
    /// The variant's index and value.
    fn node(&self) -> (usize, ChoiceNode<'_>);
    /// The variant's index and value, to fill.
    fn node_mut(&mut self) -> (usize, ChoiceNodeMut<'_>);
}

/// A field type of a generated struct.
pub trait AsSlot {
    /// The content, to read.
    fn slot(&self) -> Slot<'_>;
    /// The content, to fill.
    fn slot_mut(&mut self) -> SlotMut<'_>;
}

impl<T: Complex + Default> AsSlot for Option<Box<T>> {
    fn slot(&self) -> Slot<'_> {
        match self {
            Some(value) => Slot::Complex(&**value),
            None => Slot::Absent,
        }
    }
    fn slot_mut(&mut self) -> SlotMut<'_> {
        SlotMut::Complex(self)
    }
}

impl<T: Complex + Default> ComplexSlot for Option<Box<T>> {
    fn get_or_insert(&mut self) -> &mut dyn Complex {
        &mut **self.get_or_insert_with(Box::default)
    }
    fn clear(&mut self) {
        *self = None;
    }
}

impl<T: Complex + Default> AsSlot for Vec<T> {
    fn slot(&self) -> Slot<'_> {
        if self.is_empty() {
            Slot::Absent
        } else {
            Slot::Complexes(self)
        }
    }
    fn slot_mut(&mut self) -> SlotMut<'_> {
        SlotMut::Complexes(self)
    }
}

impl<T: Complex + Default> ComplexList for Vec<T> {
    fn len(&self) -> usize {
        Vec::len(self)
    }
    fn at(&self, index: usize) -> Option<&dyn Complex> {
        self.get(index).map(|v| v as &dyn Complex)
    }
    fn at_mut(&mut self, index: usize) -> Option<&mut dyn Complex> {
        self.get_mut(index).map(|v| v as &mut dyn Complex)
    }
    fn push(&mut self) -> Option<&mut dyn Complex> {
        Vec::push(self, T::default());
        self.last_mut().map(|v| v as &mut dyn Complex)
    }
    fn clear(&mut self) {
        Vec::clear(self);
    }
}

impl AsSlot for Option<Resource> {
    fn slot(&self) -> Slot<'_> {
        match self {
            Some(resource) => Slot::Complex(resource.as_complex()),
            None => Slot::Absent,
        }
    }
    fn slot_mut(&mut self) -> SlotMut<'_> {
        SlotMut::Resource(self)
    }
}

impl AsSlot for Vec<Resource> {
    fn slot(&self) -> Slot<'_> {
        if self.is_empty() {
            Slot::Absent
        } else {
            Slot::Complexes(self)
        }
    }
    fn slot_mut(&mut self) -> SlotMut<'_> {
        SlotMut::Resources(self)
    }
}

impl ComplexList for Vec<Resource> {
    fn len(&self) -> usize {
        Vec::len(self)
    }
    fn at(&self, index: usize) -> Option<&dyn Complex> {
        self.get(index).map(Resource::as_complex)
    }
    fn at_mut(&mut self, index: usize) -> Option<&mut dyn Complex> {
        self.get_mut(index).map(Resource::as_complex_mut)
    }
    fn push(&mut self) -> Option<&mut dyn Complex> {
        None
    }
    fn clear(&mut self) {
        Vec::clear(self);
    }
}

impl<C: Choice> ChoiceSlot for Option<C> {
    fn variant(&self) -> Option<usize> {
        self.as_ref().map(|c| c.node().0)
    }
    fn select(&mut self, variant: usize) -> Option<ChoiceNodeMut<'_>> {
        if ChoiceSlot::variant(self) != Some(variant) {
            *self = Some(C::of_variant(variant)?);
        }
        self.as_mut().map(|c| c.node_mut().1)
    }
    fn clear(&mut self) {
        *self = None;
    }
}

/// One value met while walking: a primitive with its FHIR type, or a complex value.
#[derive(Clone, Copy)]
pub enum Node<'a> {
    /// A primitive.
    Primitive(PrimitiveType, &'a dyn PrimitiveNode),
    /// A resource, datatype or backbone element.
    Complex(&'a dyn Complex),
}

impl<'a> Node<'a> {
    /// The type's name: `dateTime`, `HumanName`, `Patient.contact`, `Patient`.
    pub fn type_name(self) -> &'static str {
        match self {
            Node::Primitive(t, _) => t.name(),
            Node::Complex(c) => c.type_info().name,
        }
    }
}

impl fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Node::Primitive(t, p) => write!(f, "{}({:?})", t.name(), p.text()),
            Node::Complex(c) => write!(f, "{}", c.type_info().name),
        }
    }
}

/// The values of one element: none, one or several, each as a [`Node`].
///
/// `name` is the JSON name in use: the field's, or the variant's for a choice.
#[derive(Clone, Copy)]
pub struct Nodes<'a> {
    /// The JSON and XML name in use.
    pub name: &'static str,
    primitive: Option<PrimitiveType>,
    slot: Slot<'a>,
    next: usize,
}

impl<'a> Nodes<'a> {
    /// The values of the element with that index.
    pub fn of(complex: &'a dyn Complex, field: usize) -> Nodes<'a> {
        let slot = complex.slot(field);
        let Some(info) = complex.type_info().fields.get(field) else {
            return Nodes {
                name: "",
                primitive: None,
                slot: Slot::Absent,
                next: 0,
            };
        };
        let (name, primitive) = match (&info.shape, slot) {
            (Shape::Choice(variants), Slot::Choice(i, _)) => match variants.get(i) {
                Some(v) => (v.name, primitive_of(&v.shape)),
                None => (info.name, None),
            },
            (shape, _) => (info.name, primitive_of(shape)),
        };
        Nodes {
            name,
            primitive,
            slot,
            next: 0,
        }
    }

    /// How many values there are in all.
    pub fn count_all(&self) -> usize {
        match self.slot {
            Slot::Absent => 0,
            Slot::Primitives(list) => list.len(),
            Slot::Complexes(list) => list.len(),
            _ => 1,
        }
    }

    fn at(&self, index: usize) -> Option<Node<'a>> {
        let primitive = |p| self.primitive.map(|t| Node::Primitive(t, p));
        match self.slot {
            Slot::Absent => None,
            Slot::Primitives(list) => list.at(index).and_then(primitive),
            Slot::Complexes(list) => list.at(index).map(Node::Complex),
            _ if index > 0 => None,
            Slot::Primitive(p) | Slot::Choice(_, ChoiceNode::Primitive(p)) => primitive(p),
            Slot::Complex(c) | Slot::Choice(_, ChoiceNode::Complex(c)) => Some(Node::Complex(c)),
        }
    }
}

impl<'a> Iterator for Nodes<'a> {
    type Item = Node<'a>;
    fn next(&mut self) -> Option<Node<'a>> {
        let node = self.at(self.next)?;
        self.next += 1;
        Some(node)
    }
}

fn primitive_of(shape: &Shape) -> Option<PrimitiveType> {
    match shape {
        Shape::Primitive(t) => Some(*t),
        _ => None,
    }
}

/// Whether two values have the same type and equal content, decimals compared by their text.
pub fn equal(a: &dyn Complex, b: &dyn Complex) -> bool {
    a.type_info() == b.type_info()
        && (0..a.type_info().fields.len()).all(|i| {
            let (x, y) = (Nodes::of(a, i), Nodes::of(b, i));
            x.name == y.name && x.count_all() == y.count_all() && x.zip(y).all(|(m, n)| equal_nodes(m, n))
        })
}

fn equal_nodes(a: Node<'_>, b: Node<'_>) -> bool {
    match (a, b) {
        (Node::Primitive(t, p), Node::Primitive(u, q)) => {
            t == u && p.scalar() == q.scalar() && p.extras() == q.extras()
        }
        (Node::Complex(c), Node::Complex(d)) => equal(c, d),
        _ => false,
    }
}

/// Whether two choices have the same type and equal content.
#[doc(hidden)]
pub fn equal_choices(a: (usize, ChoiceNode<'_>), b: (usize, ChoiceNode<'_>)) -> bool {
    a.0 == b.0
        && match (a.1, b.1) {
            (ChoiceNode::Primitive(p), ChoiceNode::Primitive(q)) => {
                p.scalar() == q.scalar() && p.extras() == q.extras()
            }
            (ChoiceNode::Complex(c), ChoiceNode::Complex(d)) => equal(c, d),
            _ => false,
        }
}

/// Writes what a choice holds as its variant's name and content.
#[doc(hidden)]
pub fn debug_choice(variant: &str, node: ChoiceNode<'_>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "{variant}(")?;
    match node {
        ChoiceNode::Primitive(p) => match p.text() {
            Some(text) => write!(f, "{text:?}")?,
            None => f.write_str("null")?,
        },
        ChoiceNode::Complex(c) => crate::json::debug(c, f)?,
    }
    f.write_str(")")
}

/// Writes the reflective parts of a generated struct.
#[macro_export]
#[doc(hidden)]
macro_rules! complex {
    ($name:ident, $info:ident; $($index:literal $field:ident),* $(,)?) => {
        impl $crate::reflect::Complex for $name {
            fn type_info(&self) -> &'static $crate::reflect::TypeInfo {
                &$info
            }
            fn slot(&self, field: usize) -> $crate::reflect::Slot<'_> {
                match field {
                    $($index => $crate::reflect::AsSlot::slot(&self.$field),)*
                    _ => $crate::reflect::Slot::Absent,
                }
            }
            fn slot_mut(&mut self, field: usize) -> Option<$crate::reflect::SlotMut<'_>> {
                match field {
                    $($index => Some($crate::reflect::AsSlot::slot_mut(&mut self.$field)),)*
                    _ => None,
                }
            }
            fn as_any(&self) -> &dyn std::any::Any {
                self
            }
            fn as_any_mut(&mut self) -> &mut dyn std::any::Any {
                self
            }
        }
        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                $crate::reflect::equal(self, other)
            }
        }
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                $crate::json::debug(self, f)
            }
        }
    };
}

/// Writes the reflective parts of a generated choice enum; `P` marks a primitive, `C` a boxed datatype.
#[macro_export]
#[doc(hidden)]
macro_rules! choice {
    ($name:ident; $($index:literal $kind:ident $variant:ident),* $(,)?) => {
        impl $crate::reflect::Choice for $name {
            fn of_variant(variant: usize) -> Option<Self> {
                match variant {
                    $($index => Some(Self::$variant(Default::default())),)*
                    _ => None,
                }
            }
            fn node(&self) -> (usize, $crate::reflect::ChoiceNode<'_>) {
                match self {
                    $(Self::$variant(value) => ($index, $crate::choice!(@node $kind value)),)*
                }
            }
            fn node_mut(&mut self) -> (usize, $crate::reflect::ChoiceNodeMut<'_>) {
                match self {
                    $(Self::$variant(value) => ($index, $crate::choice!(@node_mut $kind value)),)*
                }
            }
        }
        impl $crate::reflect::AsSlot for Option<$name> {
            fn slot(&self) -> $crate::reflect::Slot<'_> {
                match self.as_ref().map($crate::reflect::Choice::node) {
                    Some((variant, node)) => $crate::reflect::Slot::Choice(variant, node),
                    None => $crate::reflect::Slot::Absent,
                }
            }
            fn slot_mut(&mut self) -> $crate::reflect::SlotMut<'_> {
                $crate::reflect::SlotMut::Choice(self)
            }
        }
        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                use $crate::reflect::Choice;
                $crate::reflect::equal_choices(self.node(), other.node())
            }
        }
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                use $crate::reflect::Choice;
                let name = match self {
                    $(Self::$variant(_) => stringify!($variant),)*
                };
                $crate::reflect::debug_choice(name, self.node().1, f)
            }
        }
    };
    (@node P $value:ident) => { $crate::reflect::ChoiceNode::Primitive($value) };
    (@node C $value:ident) => { $crate::reflect::ChoiceNode::Complex(&**$value) };
    (@node_mut P $value:ident) => { $crate::reflect::ChoiceNodeMut::Primitive($value) };
    (@node_mut C $value:ident) => { $crate::reflect::ChoiceNodeMut::Complex(&mut **$value) };
}
