//! The value of an operation: of a datatype, a resource, or one of a type without a name, given by its parts; and whether
//! it fits where it goes.

use fhir_model::json::{Text, Tree};
use fhir_model::reflect::{PrimitiveType, Shape, TypeInfo, Variant};
use fhir_model::type_info;

use super::edit;
use super::operation::Parts;
use super::target::Element;
use crate::error::Result;
use crate::patch::shortened;

/// A value as it stands in the Parameters resource.
pub(super) enum Value<'p, 't> {
    /// `value[x]` and its id and extensions.
    Typed {
        type_name: String,
        value: Option<&'p Tree<'t>>,
        extras: Option<&'p Tree<'t>>,
    },
    /// The elements of a type without a name, such as `Patient.contact`.
    Parts(&'p [Tree<'t>]),
    /// A resource.
    Resource(&'p Tree<'t>),
}

/// A value under its name in JSON, as it goes into the document.
pub(super) struct Fitted<'t> {
    pub(super) name: &'static str,
    /// `None` for a primitive with an id or extensions only.
    pub(super) value: Option<Tree<'t>>,
    /// The id and extensions of a primitive.
    pub(super) extras: Option<Tree<'t>>,
}

impl<'p, 't> Value<'p, 't> {
    /// Reads the part `value`.
    pub(super) fn read(part: &'p Tree<'t>, parts: &Parts<'p, 't>) -> Result<Self> {
        Value::of(part)
            .ok_or_else(|| parts.wrong("the part value has neither a value[x], nor parts, nor a resource"))
    }

    fn of(part: &'p Tree<'t>) -> Option<Self> {
        if let Some(resource) = part.get("resource") {
            return Some(Value::Resource(resource));
        }
        let typed = part.members().iter().find_map(|(name, _)| {
            let name = name.value();
            let name = name.strip_prefix('_').unwrap_or(&name);
            name.strip_prefix("value").map(str::to_owned)
        });
        match typed {
            Some(suffix) => Some(Value::Typed {
                type_name: type_of(&suffix),
                value: part.get(&format!("value{suffix}")),
                extras: part.get(&format!("_value{suffix}")),
            }),
            None => Some(Value::Parts(part.get("part")?.items())),
        }
    }

    /// The memory that it takes.
    pub(super) fn weight(&self) -> usize {
        match self {
            Value::Typed { value, extras, .. } => {
                value.map_or(0, Tree::weight) + extras.map_or(0, Tree::weight)
            }
            Value::Parts(parts) => parts.iter().map(Tree::weight).sum(),
            Value::Resource(resource) => resource.weight(),
        }
    }

    /// The value as that element, or why it does not fit.
    pub(super) fn fit(&self, element: &Element) -> std::result::Result<Fitted<'t>, String> {
        let Some(field) = element.field else {
            return Err(format!("{} has no such element", element.holder.name));
        };
        match (&field.shape, element.variant) {
            (Shape::Choice(_), Some(variant)) => self.fit_shape(variant.name, &variant.shape, element),
            (Shape::Choice(variants), None) => {
                let variant = self.choose(variants, element)?;
                self.fit_shape(variant.name, &variant.shape, element)
            }
            (shape, _) => self.fit_shape(field.name, shape, element),
        }
    }

    fn choose(
        &self,
        variants: &'static [Variant],
        element: &Element,
    ) -> std::result::Result<&'static Variant, String> {
        let found = match self {
            Value::Typed { type_name, .. } => variants.iter().find(|v| v.type_name == type_name),
            _ => None,
        };
        found.ok_or_else(|| {
            let mut allowed: Vec<&str> = variants.iter().map(|v| v.type_name).collect();
            allowed.truncate(12);
            self.misfit(&allowed.join(", "), element)
        })
    }

    fn fit_shape(
        &self,
        name: &'static str,
        shape: &'static Shape,
        element: &Element,
    ) -> std::result::Result<Fitted<'t>, String> {
        let whole = |value: Tree<'t>| {
            Ok(Fitted {
                name,
                value: Some(value),
                extras: None,
            })
        };
        match (shape, self) {
            (Shape::Resource, Value::Resource(resource)) => whole((*resource).clone()),
            (Shape::Resource, _) => Err(self.misfit("a resource", element)),
            (
                Shape::Primitive(wanted),
                Value::Typed {
                    type_name,
                    value,
                    extras,
                },
            ) => {
                // The types of primitives differ in which texts they take; reading the result checks that.
                let fits = PrimitiveType::from_name(type_name)
                    .is_some_and(|t| t.json_token() == wanted.json_token());
                match fits {
                    true => Ok(Fitted {
                        name,
                        value: value.cloned(),
                        extras: extras.cloned(),
                    }),
                    false => Err(self.misfit(wanted.name(), element)),
                }
            }
            (
                Shape::Complex(info),
                Value::Typed {
                    type_name,
                    value: Some(value),
                    ..
                },
            ) => match is_a(type_name, info) {
                true => whole((*value).clone()),
                false => Err(self.misfit(info.name, element)),
            },
            (Shape::Complex(info), Value::Parts(parts)) => whole(assemble(info, parts)?),
            (Shape::Complex(info), _) => Err(self.misfit(info.name, element)),
            (Shape::Primitive(wanted), _) => Err(self.misfit(wanted.name(), element)),
            (Shape::Choice(_), _) => Err(self.misfit("one type", element)),
        }
    }

    fn misfit(&self, wanted: &str, element: &Element) -> String {
        let given = match self {
            Value::Typed { type_name, .. } => shortened(type_name),
            Value::Parts(_) => "a value given by parts".to_owned(),
            Value::Resource(_) => "a resource".to_owned(),
        };
        format!(
            "the value is of type {given}, and {} takes {wanted}",
            element.shown()
        )
    }
}

/// The type that a suffix of `value[x]` names: `DateTime` is `dateTime`, `HumanName` is itself.
fn type_of(suffix: &str) -> String {
    let mut chars = suffix.chars();
    let lower: String = chars
        .next()
        .into_iter()
        .flat_map(char::to_lowercase)
        .chain(chars)
        .collect();
    match PrimitiveType::from_name(&lower) {
        Some(primitive) => primitive.name().to_owned(),
        None => suffix.to_owned(),
    }
}

/// Whether a value of that type can stand for one of the other: the profiles of Quantity have its form.
fn is_a(type_name: &str, wanted: &TypeInfo) -> bool {
    wanted.name == type_name
        || wanted.base == type_name
        || type_info(type_name).is_some_and(|given| given.base == wanted.name)
}

/// A value of a type without a name, by its parts. Parts nest no deeper than the Parameters resource was read.
fn assemble<'t>(info: &'static TypeInfo, parts: &[Tree<'t>]) -> std::result::Result<Tree<'t>, String> {
    let mut object = Tree::Object(Vec::<(Text<'t>, Tree<'t>)>::new());
    for part in parts {
        let name = part.get("name").and_then(Tree::as_str).unwrap_or_default();
        let element = Element::named(info, &name)?;
        let value = Value::of(part).ok_or_else(|| format!("the part {name:?} has no value"))?;
        let fitted = value.fit(&element)?;
        edit::put(&mut object, &element, fitted)?;
    }
    match object.members() {
        [] => Err(format!("a value of {} needs at least one part", info.name)),
        _ => Ok(object),
    }
}
