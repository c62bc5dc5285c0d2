//! Values and collections of values, the only thing that expressions take and give.
//!
//! Invariant: values borrow; no resource is copied into a collection.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;

use rust_decimal::Decimal;

use super::quantity::Quantity;
use super::temporal::{Date, DateTime, Time};
use super::types::{FhirType, SystemType};
use crate::primitive::Scalar;
use crate::reflect::{Complex, Node, PrimitiveType};
use crate::resource::Resource;

/// One item of a collection: an element of a resource, borrowed, or a value of a System type.
#[derive(Clone)]
#[non_exhaustive]
pub enum Value<'a> {
    /// A resource or one of its elements.
    Node(Node<'a>),
    /// `System.Boolean`
    Boolean(bool),
    /// `System.Integer`
    Integer(i32),
    /// `System.Decimal`
    Decimal(Decimal),
    /// `System.String`
    String(Cow<'a, str>),
    /// `System.Date`
    Date(Date),
    /// `System.DateTime`
    DateTime(DateTime),
    /// `System.Time`
    Time(Time),
    /// `System.Quantity`
    Quantity(Quantity<'a>),
    /// What `type()` gives.
    Type(Type),
    /// A resource of which only the type is known: what `resolve()` gives where the resolver does not have the
    /// content. It answers `is`, and has no elements.
    Unread(&'static str),
}

/// The type of a value, as `type()` tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Type {
    /// `FHIR` or `System`
    pub namespace: &'static str,
    /// The name in that namespace.
    pub name: &'static str,
    /// The type it specialises, with its namespace.
    pub base: (&'static str, &'static str),
}

impl<'a> Value<'a> {
    /// The element or resource, if it is one.
    pub fn node(&self) -> Option<Node<'a>> {
        match self {
            Value::Node(node) => Some(*node),
            _ => None,
        }
    }

    /// The complex element or resource, if it is one.
    pub(super) fn complex(&self) -> Option<&'a dyn Complex> {
        match self {
            Value::Node(Node::Complex(complex)) => Some(*complex),
            _ => None,
        }
    }

    /// The value of a primitive element or of a System type, to compute with. `None` for a complex element, for an
    /// element with extensions only, and for a number beyond what a decimal holds. See also
    /// [`Quantity::of`] for the conversion of FHIR quantities.
    pub(super) fn system(&self) -> Option<System<'_>> {
        Some(match self {
            Value::Node(Node::Primitive(_, primitive)) => System::of_scalar(primitive.scalar()?)?,
            Value::Node(Node::Complex(_)) => System::Quantity(Quantity::of(self)?),
            Value::Boolean(value) => System::Boolean(*value),
            Value::Integer(value) => System::Integer(*value),
            Value::Decimal(value) => System::Decimal(*value),
            Value::String(text) => System::String(text),
            Value::Date(value) => System::Date(*value),
            Value::DateTime(value) => System::DateTime(*value),
            Value::Time(value) => System::Time(*value),
            Value::Quantity(value) => System::Quantity(value.borrowed()),
            Value::Type(_) | Value::Unread(_) => return None,
        })
    }

    /// The text of a string value or of a string-like element.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            Value::Node(Node::Primitive(_, primitive)) => match primitive.scalar()? {
                Scalar::String(text) => Some(text),
                _ => None,
            },
            _ => None,
        }
    }

    /// The truth value of a boolean or of a boolean element.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Boolean(value) => Some(*value),
            Value::Node(Node::Primitive(PrimitiveType::Boolean, primitive)) => match primitive.scalar()? {
                Scalar::Boolean(value) => Some(value),
                _ => None,
            },
            _ => None,
        }
    }

    /// The text that `toString()` gives; `None` for complex values.
    pub fn text(&self) -> Option<Cow<'a, str>> {
        Some(match self {
            Value::Node(Node::Primitive(_, primitive)) => primitive.text()?,
            Value::Node(Node::Complex(_)) => Cow::Owned(Quantity::of(self)?.to_string()),
            Value::Boolean(value) => Cow::Borrowed(if *value { "true" } else { "false" }),
            Value::Integer(value) => Cow::Owned(value.to_string()),
            Value::Decimal(value) => Cow::Owned(value.to_string()),
            Value::String(text) => text.clone(),
            Value::Date(value) => Cow::Owned(value.to_string()),
            Value::DateTime(value) => Cow::Owned(value.to_string()),
            Value::Time(value) => Cow::Owned(value.to_string()),
            Value::Quantity(value) => Cow::Owned(value.to_string()),
            Value::Type(_) | Value::Unread(_) => return None,
        })
    }

    /// The type of the value.
    pub fn type_of(&self) -> Type {
        let system = match self {
            Value::Node(node) => return Type::fhir(FhirType::of_node(*node)),
            Value::Unread(name) => return Type::fhir(FhirType::Complex(name)),
            Value::Boolean(_) => SystemType::Boolean,
            Value::Integer(_) => SystemType::Integer,
            Value::Decimal(_) => SystemType::Decimal,
            Value::String(_) => SystemType::String,
            Value::Date(_) => SystemType::Date,
            Value::DateTime(_) => SystemType::DateTime,
            Value::Time(_) => SystemType::Time,
            Value::Quantity(_) => SystemType::Quantity,
            Value::Type(_) => SystemType::Any,
        };
        Type {
            namespace: "System",
            name: system.name(),
            base: ("System", "Any"),
        }
    }

    /// The type in words, for messages.
    pub(super) fn describe(&self) -> String {
        let Type { namespace, name, .. } = self.type_of();
        format!("{namespace}.{name}")
    }
}

impl Type {
    /// Components that belong to one type (`Patient.contact`) have no name of their own: they are BackboneElements
    /// or Elements.
    fn fhir(fhir: FhirType) -> Type {
        let named = |t: FhirType| {
            if t.name().contains('.') {
                t.base().unwrap_or(t)
            } else {
                t
            }
        };
        let named = named(fhir);
        let base = named.base().map_or(("System", "Any"), |b| ("FHIR", b.name()));
        Type {
            namespace: "FHIR",
            name: named.name(),
            base,
        }
    }
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Node(node) => fmt::Debug::fmt(node, f),
            Value::String(text) => fmt::Debug::fmt(text, f),
            Value::Date(value) => fmt::Debug::fmt(value, f),
            Value::DateTime(value) => fmt::Debug::fmt(value, f),
            Value::Time(value) => fmt::Debug::fmt(value, f),
            Value::Type(value) => write!(f, "{}.{}", value.namespace, value.name),
            Value::Unread(name) => write!(f, "{name} (not read)"),
            other => f.write_str(other.text().as_deref().unwrap_or("")),
        }
    }
}

/// A value of a System type, to compute with.
#[derive(Clone, Debug)]
pub(super) enum System<'v> {
    Boolean(bool),
    Integer(i32),
    Decimal(Decimal),
    String(&'v str),
    Date(Date),
    DateTime(DateTime),
    Time(Time),
    Quantity(Quantity<'v>),
}

impl<'v> System<'v> {
    pub(super) fn of_scalar(scalar: Scalar<'v>) -> Option<Self> {
        Some(match scalar {
            Scalar::Boolean(value) => System::Boolean(value),
            Scalar::Integer(value) => System::Integer(value),
            Scalar::Unsigned(value) => System::Integer(i32::try_from(value).ok()?),
            Scalar::Decimal(value) => System::Decimal(decimal(value)?),
            Scalar::String(text) => System::String(text),
            Scalar::Date(value) => System::Date(Date::parse(value.as_str())?),
            Scalar::DateTime(value) => System::DateTime(DateTime::of_fhir(value.parts(), value.as_str())),
            Scalar::Instant(value) => System::DateTime(DateTime::of_fhir(value.parts(), value.as_str())),
            Scalar::Time(value) => System::Time(Time::parse(value.as_str())?),
        })
    }

    /// The same value for a collection.
    pub(super) fn into_value<'a>(self) -> Value<'a>
    where
        'v: 'a,
    {
        match self {
            System::Boolean(value) => Value::Boolean(value),
            System::Integer(value) => Value::Integer(value),
            System::Decimal(value) => Value::Decimal(value),
            System::String(text) => Value::String(Cow::Borrowed(text)),
            System::Date(value) => Value::Date(value),
            System::DateTime(value) => Value::DateTime(value),
            System::Time(value) => Value::Time(value),
            System::Quantity(value) => Value::Quantity(value),
        }
    }
}

/// The value of a FHIR decimal; beyond 28 digits it is rounded, beyond the range there is none.
pub(super) fn decimal(value: &crate::Decimal) -> Option<Decimal> {
    value.rounded()
}

/// An ordered collection of values. It dereferences to a slice; none and one item need no allocation.
#[derive(Clone, Debug, Default)]
pub struct Collection<'a>(Items<'a>);

#[derive(Clone, Debug, Default)]
enum Items<'a> {
    #[default]
    None,
    One(Value<'a>),
    Many(Vec<Value<'a>>),
}

impl<'a> Collection<'a> {
    /// The empty collection.
    pub const fn new() -> Self {
        Collection(Items::None)
    }

    /// Appends an item.
    pub fn push(&mut self, value: Value<'a>) {
        match &mut self.0 {
            Items::Many(items) => items.push(value),
            Items::None => self.0 = Items::One(value),
            Items::One(_) => {
                let Items::One(first) = std::mem::take(&mut self.0) else {
                    return;
                };
                let mut items = Vec::with_capacity(4);
                items.extend([first, value]);
                self.0 = Items::Many(items);
            }
        }
    }

    /// The items, in a slice.
    pub fn as_slice(&self) -> &[Value<'a>] {
        match &self.0 {
            Items::None => &[],
            Items::One(value) => std::slice::from_ref(value),
            Items::Many(items) => items,
        }
    }

    /// The items, in a vector.
    pub fn into_vec(self) -> Vec<Value<'a>> {
        match self.0 {
            Items::None => Vec::new(),
            Items::One(value) => vec![value],
            Items::Many(items) => items,
        }
    }

    /// Keeps the first items only.
    pub(super) fn truncate(&mut self, count: usize) {
        match &mut self.0 {
            Items::Many(items) => items.truncate(count),
            Items::One(_) if count == 0 => self.0 = Items::None,
            _ => {}
        }
    }
}

impl<'a> Deref for Collection<'a> {
    type Target = [Value<'a>];
    fn deref(&self) -> &[Value<'a>] {
        self.as_slice()
    }
}

impl<'a> FromIterator<Value<'a>> for Collection<'a> {
    fn from_iter<I: IntoIterator<Item = Value<'a>>>(values: I) -> Self {
        let mut collection = Collection::new();
        values.into_iter().for_each(|v| collection.push(v));
        collection
    }
}

impl<'a> IntoIterator for Collection<'a> {
    type Item = Value<'a>;
    type IntoIter = IntoIter<'a>;
    fn into_iter(self) -> IntoIter<'a> {
        match self.0 {
            Items::None => IntoIter {
                first: None,
                rest: None,
            },
            Items::One(value) => IntoIter {
                first: Some(value),
                rest: None,
            },
            Items::Many(items) => IntoIter {
                first: None,
                rest: Some(items.into_iter()),
            },
        }
    }
}

impl<'c, 'a> IntoIterator for &'c Collection<'a> {
    type Item = &'c Value<'a>;
    type IntoIter = std::slice::Iter<'c, Value<'a>>;
    fn into_iter(self) -> Self::IntoIter {
        self.as_slice().iter()
    }
}

/// The items of a collection, taken out.
#[derive(Debug)]
pub struct IntoIter<'a> {
    first: Option<Value<'a>>,
    rest: Option<std::vec::IntoIter<Value<'a>>>,
}

impl<'a> Iterator for IntoIter<'a> {
    type Item = Value<'a>;
    fn next(&mut self) -> Option<Value<'a>> {
        self.first.take().or_else(|| self.rest.as_mut()?.next())
    }
}

impl<'a> From<Value<'a>> for Collection<'a> {
    fn from(value: Value<'a>) -> Self {
        Collection(Items::One(value))
    }
}
impl<'a> From<Option<Value<'a>>> for Collection<'a> {
    fn from(value: Option<Value<'a>>) -> Self {
        Collection(value.map_or(Items::None, Items::One))
    }
}
impl<'a> From<Vec<Value<'a>>> for Collection<'a> {
    fn from(values: Vec<Value<'a>>) -> Self {
        Collection(Items::Many(values))
    }
}
impl<'a> From<Node<'a>> for Collection<'a> {
    fn from(node: Node<'a>) -> Self {
        Value::Node(node).into()
    }
}
impl<'a> From<&'a dyn Complex> for Collection<'a> {
    fn from(complex: &'a dyn Complex) -> Self {
        Node::Complex(complex).into()
    }
}
impl<'a, T: Complex> From<&'a T> for Collection<'a> {
    fn from(complex: &'a T) -> Self {
        Node::Complex(complex).into()
    }
}
impl<'a> From<&'a Resource> for Collection<'a> {
    fn from(resource: &'a Resource) -> Self {
        Node::Complex(resource.as_complex()).into()
    }
}
impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Value::Boolean(value)
    }
}
impl From<i32> for Value<'_> {
    fn from(value: i32) -> Self {
        Value::Integer(value)
    }
}
impl From<Decimal> for Value<'_> {
    fn from(value: Decimal) -> Self {
        Value::Decimal(value)
    }
}
impl From<String> for Value<'_> {
    fn from(value: String) -> Self {
        Value::String(Cow::Owned(value))
    }
}
impl<'a> From<&'a str> for Value<'a> {
    fn from(value: &'a str) -> Self {
        Value::String(Cow::Borrowed(value))
    }
}
impl From<()> for Collection<'_> {
    fn from((): ()) -> Self {
        Collection::new()
    }
}
