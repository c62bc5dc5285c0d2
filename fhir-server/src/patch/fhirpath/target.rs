//! What a path selects: one element, or one list, and what its type allows there.

use fhir_model::Resource;
use fhir_model::path::{Environment, Expression, Limits, Location, Step, Value};
use fhir_model::reflect::{Complex, Field, Node, Nodes, Shape, TypeInfo, Variant};
use fhir_model::type_info;

use crate::patch::shortened;

type Found<T> = Result<T, String>;

/// An element that a path selects.
pub(super) struct Selected {
    pub(super) location: Location,
    /// The type that its own elements are of.
    info: &'static TypeInfo,
    /// Its elements of the resource that are there more than once or at all are counted in it.
    counts: Vec<usize>,
}

/// An element of a type: where a value goes.
#[derive(Clone, Copy)]
pub(super) struct Element {
    /// The type that has it.
    pub(super) holder: &'static TypeInfo,
    pub(super) field: Option<&'static Field>,
    /// The one type of a choice that was asked for by its name in JSON.
    pub(super) variant: Option<&'static Variant>,
    /// How many values it has already.
    pub(super) count: usize,
}

/// A list that a path selects.
pub(super) struct List {
    /// What holds it.
    pub(super) holder: Location,
    pub(super) element: Element,
    pub(super) length: usize,
}

/// What to say of a path that selects nothing.
pub(super) fn nothing(path: &str) -> String {
    format!("`{}` selects nothing of this resource", shortened(path))
}

/// The one element that a path selects, if it selects one.
pub(super) fn one(path: &str, resource: &Resource, limits: &Limits) -> Found<Option<Selected>> {
    let environment = Environment::new().with_limits(limits.clone());
    let expression = Expression::compile(path).map_err(|error| error.to_string())?;
    let found = expression
        .evaluate(resource, &environment)
        .map_err(|error| error.to_string())?;
    match &*found {
        [] => Ok(None),
        [value] => {
            let (location, node) = locate(value, resource)?;
            let extras = match node {
                Node::Complex(complex) => Some(complex),
                Node::Primitive(_, primitive) => primitive.extras().map(|e| e as &dyn Complex),
            };
            let element = || type_info("Element").ok_or_else(|| "there is no type Element".to_owned());
            let info = extras.map_or_else(element, |e| Ok(e.type_info()))?;
            let count = |at| extras.map_or(0, |e| Nodes::of(e, at).count_all());
            Ok(Some(Selected {
                location,
                info,
                counts: (0..info.fields.len()).map(count).collect(),
            }))
        }
        several => Err(format!(
            "the path selects {} elements, and must select one: narrow it by an index such as [0], or by where(…)",
            several.len()
        )),
    }
}

/// The one list that a path selects, all of it; an absent list is an empty one where the path ends in its name.
pub(super) fn list(path: &str, resource: &Resource, limits: &Limits) -> Found<List> {
    let environment = Environment::new().with_limits(limits.clone());
    let expression = Expression::compile(path).map_err(|error| error.to_string())?;
    let found = expression
        .evaluate(resource, &environment)
        .map_err(|error| error.to_string())?;
    let Some(first) = found.first() else {
        return absent(path, resource, limits);
    };
    let no_list = || "the path must select a whole list, such as `Patient.name`".to_owned();
    let (location, _) = locate(first, resource)?;
    let (holder, last) = location.split_last().ok_or_else(no_list)?;
    let element = Element::of_step(&last);
    let length = found.len();
    for (index, value) in found.iter().enumerate() {
        let there = locate(value, resource)?.0.split_last().ok_or_else(no_list)?;
        if there.0 != holder || there.1.index != Some(index) || there.1.element != last.element {
            return Err(no_list());
        }
    }
    // The item after the last must not exist, or the path selects only the beginning of the list.
    match one_of(&holder, resource).map(|complex| element.count_in(complex)) {
        Some(whole) if whole == length => Ok(List {
            holder,
            element,
            length,
        }),
        _ => Err(no_list()),
    }
}

/// An empty list, by the path of what holds it and its name.
fn absent(path: &str, resource: &Resource, limits: &Limits) -> Found<List> {
    let (above, name) = path.rsplit_once('.').ok_or_else(|| nothing(path))?;
    let plain = name.bytes().all(|b| b.is_ascii_alphanumeric());
    let holder = match plain {
        true => one(above, resource, limits)?,
        false => None,
    };
    let holder = holder.ok_or_else(|| nothing(path))?;
    let element = holder.element(name)?;
    match element.field {
        Some(field) if field.is_list() && element.count == 0 => Ok(List {
            holder: holder.location,
            element,
            length: 0,
        }),
        _ => Err(nothing(path)),
    }
}

fn locate<'v>(value: &Value<'v>, resource: &Resource) -> Found<(Location, Node<'v>)> {
    let outside =
        || "the path must select an element of the resource itself, not a computed value".to_owned();
    let node = value.node().ok_or_else(outside)?;
    let location = Location::of(resource.as_complex(), node).ok_or_else(outside)?;
    Ok((location, node))
}

/// What stands at a location, or its id and extensions where that is a primitive.
fn one_of<'r>(location: &Location, resource: &'r Resource) -> Option<&'r dyn Complex> {
    let mut at = resource.as_complex();
    for step in location.steps() {
        let (field, _) = at.type_info().field(step.element)?;
        at = match Nodes::of(at, field).nth(step.index.unwrap_or(0))? {
            Node::Complex(complex) => complex,
            Node::Primitive(_, primitive) => primitive.extras()?,
        };
    }
    Some(at)
}

impl Selected {
    /// Its element of that name: as in a path (`value`), in a definition (`value[x]`) or in JSON (`valueString`).
    pub(super) fn element(&self, name: &str) -> Found<Element> {
        let mut element = Element::named(self.info, name)?;
        let at = self
            .info
            .fields
            .iter()
            .position(|f| element.field.is_some_and(|e| std::ptr::eq(e, f)));
        element.count = at.and_then(|at| self.counts.get(at)).copied().unwrap_or(0);
        Ok(element)
    }
}

impl Element {
    /// The element of that name in a type.
    pub(super) fn named(holder: &'static TypeInfo, name: &str) -> Found<Element> {
        let stem = name.strip_suffix("[x]").unwrap_or(name);
        let by_stem = holder.field(stem).map(|(_, field)| (field, None));
        let found = by_stem.or_else(|| {
            holder.fields.iter().find_map(|field| match &field.shape {
                Shape::Choice(variants) => {
                    let variant = variants.iter().find(|v| v.name == name)?;
                    Some((field, Some(variant)))
                }
                _ => None,
            })
        });
        match found {
            Some((field, variant)) => Ok(Element {
                holder,
                field: Some(field),
                variant,
                count: 0,
            }),
            None => Err(format!("{} has no element {:?}", holder.name, shortened(name))),
        }
    }

    /// The element that a step goes to.
    pub(super) fn of_step(step: &Step) -> Element {
        Element {
            holder: step.holder,
            field: step.holder.field(step.element).map(|(_, field)| field),
            variant: None,
            count: 0,
        }
    }

    fn count_in(&self, complex: &dyn Complex) -> usize {
        let at = self.field.and_then(|field| complex.type_info().field(field.name));
        at.map_or(0, |(at, _)| Nodes::of(complex, at).count_all())
    }

    /// Its place for messages: `Patient.name`.
    pub(super) fn shown(&self) -> String {
        format!("{}.{}", self.holder.name, self.field.map_or("", |f| f.name))
    }

    /// Whether it repeats.
    pub(super) fn is_list(&self) -> bool {
        self.field.is_some_and(Field::is_list)
    }
}
