//! Which element of a type a start tag means.

use super::scope::Namespace;
use super::tag::Tag;
use crate::read::{did_you_mean, quoted};
use crate::reflect::{Field, PrimitiveType, Shape, TypeInfo};

/// An element of a type, and the variant where it is a choice.
pub(super) struct Expected {
    /// The index in [`TypeInfo::fields`].
    pub(super) index: usize,
    /// The element; a choice by its stem.
    pub(super) field: &'static Field,
    /// The index of the variant; 0 where the element is no choice.
    pub(super) variant: usize,
    /// What it holds; of a choice, what the variant holds.
    pub(super) shape: &'static Shape,
}

impl Expected {
    /// The element that the tag names, looked for from `next` on first, as elements mostly come in order.
    pub(super) fn find(info: &'static TypeInfo, next: usize, tag: &Tag<'_>) -> Option<Expected> {
        let (before, after) = info.fields.split_at(next.min(info.fields.len()));
        let later = after
            .iter()
            .enumerate()
            .map(|(i, field)| (i + before.len(), field));
        later
            .chain(before.iter().enumerate())
            .find_map(|(index, field)| {
                let (variant, shape) = named(field, tag.local)?;
                Some(Expected {
                    index,
                    field,
                    variant,
                    shape,
                })
            })
            .filter(|found| found.namespace() == tag.bound.namespace)
    }

    fn namespace(&self) -> Namespace {
        match self.shape {
            Shape::Primitive(PrimitiveType::Xhtml) => Namespace::Xhtml,
            _ => Namespace::Fhir,
        }
    }

    /// Says that the element is there a second time.
    pub(super) fn twice(&self, tag: &Tag<'_>) -> String {
        match self.field.shape {
            Shape::Choice(_) => format!(
                "A second value for the choice {}[x], as {:?}",
                self.field.name, tag.local
            ),
            _ => format!(
                "The element {:?} stands here a second time; it does not repeat",
                tag.local
            ),
        }
    }

    /// Says that the type has no such element.
    pub(super) fn not_found(info: &'static TypeInfo, tag: &Tag<'_>) -> String {
        let name = quoted(tag.local);
        if let Some((_, shape)) = info.fields.iter().find_map(|field| named(field, tag.local)) {
            let namespace = match shape {
                Shape::Primitive(PrimitiveType::Xhtml) => "http://www.w3.org/1999/xhtml",
                _ => "http://hl7.org/fhir",
            };
            return format!("The element {name} must be in the namespace {namespace}");
        }
        let names = info
            .fields
            .iter()
            .filter(|f| !f.attribute)
            .flat_map(|f| match &f.shape {
                Shape::Choice(variants) => variants.iter().map(|v| v.name).collect::<Vec<_>>(),
                _ => vec![f.name],
            });
        let hint = did_you_mean(tag.local, names);
        format!("There is no element {name} in {}{hint}", info.name)
    }
}

/// The variant's index and what the element holds, if that is its name.
fn named(field: &'static Field, name: &str) -> Option<(usize, &'static Shape)> {
    match &field.shape {
        Shape::Choice(variants) if name.starts_with(field.name) => {
            let (index, variant) = variants.iter().enumerate().find(|(_, v)| v.name == name)?;
            Some((index, &variant.shape))
        }
        Shape::Choice(_) => None,
        shape => (field.name == name && !field.attribute).then_some((0, shape)),
    }
}
