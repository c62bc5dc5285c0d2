//! Reflection over typed FHIR values: one static table a type, one trait a value.
//!
//! The generated structs are plain data. Everything that treats all types alike (readers and writers of JSON and
//! XML, FHIRPath, validation, search extraction, `_summary` and `_elements`) goes through [`Complex`] and the
//! [`TypeInfo`] tables, so each rule of a format stands in one place.
//!
//! Invariant: the index of a field in `TypeInfo::fields` is the index that `slot` and `slot_mut` take.

mod generate;
mod info;
mod node;
mod slot;

use std::any::Any;
use std::borrow::Cow;

use crate::generated::Element;
use crate::primitive::{Scalar, ValueError};
use crate::resource::Resource;

pub use info::{Field, JsonToken, PrimitiveType, Shape, TypeInfo, TypeKind, Variant};
pub use node::{Node, Nodes, debug_choice, equal, equal_choices, equal_nodes};

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
