//! From StructureDefinitions to the structs, fields and choices that are rendered.

use super::definition::{Element, StructureDefinition, Type};
use super::name;
use crate::Result;

/// A choice of more types than this is the open type list (<https://hl7.org/fhir/R4/datatypes.html#open>).
const OPEN_CHOICE: usize = 40;
const FHIR_TYPE: &str = "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type";
const PROFILE_BASE: &str = "http://hl7.org/fhir/StructureDefinition/";

/// One generated file: a type with its backbone elements.
pub(super) struct Unit {
    pub name: String,
    pub is_resource: bool,
    /// The type itself first.
    pub structs: Vec<Struct>,
}

pub(super) struct Struct {
    /// `PatientContact`
    pub rust_name: String,
    /// `Patient.contact`
    pub path: String,
    /// Variant of `TypeKind`.
    pub kind: &'static str,
    pub base: String,
    pub fields: Vec<Field>,
}

pub(super) struct Field {
    /// `value` for `value[x]`
    pub name: String,
    pub path: String,
    pub min: u32,
    /// `None` for `*`
    pub max: Option<u32>,
    pub shape: Shape,
    /// The types as the documentation names them.
    pub types: String,
    pub binding: Option<(String, Option<String>)>,
    pub summary: bool,
    pub modifier: bool,
    pub attribute: bool,
}

impl Field {
    pub(super) fn is_list(&self) -> bool {
        self.max.is_none_or(|max| max > 1)
    }
}

pub(super) enum Shape {
    /// The FHIR type's name.
    Primitive(String),
    /// The struct's name.
    Complex(String),
    Choice(Vec<Variant>),
    /// The open type list, in its order.
    Open(Vec<Variant>),
    Resource,
}

#[derive(PartialEq)]
pub(super) struct Variant {
    pub type_name: String,
    pub is_primitive: bool,
}

/// The Rust type of a primitive's value.
pub(super) fn value_type(primitive: &str) -> &'static str {
    match primitive {
        "boolean" => "bool",
        "integer" => "i32",
        "unsignedInt" | "positiveInt" => "u32",
        "decimal" => "Decimal",
        "date" => "Date",
        "dateTime" => "DateTime",
        "instant" => "Instant",
        "time" => "Time",
        _ => "Str",
    }
}

fn is_primitive(type_name: &str) -> bool {
    type_name.starts_with(|c: char| c.is_ascii_lowercase())
}

/// Every type that becomes a struct, sorted by name.
pub(super) fn types(definitions: &[StructureDefinition]) -> Result<Vec<Unit>> {
    let concrete = definitions.iter().filter(|d| match d.kind.as_str() {
        "resource" => !d.is_abstract,
        "complex-type" => !d.is_abstract || d.type_name == "Element",
        _ => false,
    });
    let mut units = concrete.map(unit).collect::<Result<Vec<_>>>()?;
    units.sort_by(|a, b| a.name.cmp(&b.name));
    let mut names: Vec<&str> = units
        .iter()
        .flat_map(|u| &u.structs)
        .map(|s| s.rust_name.as_str())
        .collect();
    names.sort_unstable();
    match names.iter().zip(names.iter().skip(1)).find(|(a, b)| a == b) {
        Some((name, _)) => Err(format!("two structs would be called {name}")),
        None => Ok(units),
    }
}

fn unit(definition: &StructureDefinition) -> Result<Unit> {
    let elements = &definition.snapshot.element;
    let is_resource = definition.kind == "resource";
    let (_, inner) = elements
        .split_first()
        .ok_or_else(|| format!("{} has no snapshot", definition.type_name))?;
    let base = definition
        .base_definition
        .as_deref()
        .unwrap_or_default()
        .trim_start_matches(PROFILE_BASE);
    let mut structs = vec![Struct {
        rust_name: name::camel_path(&definition.type_name),
        path: definition.type_name.clone(),
        kind: if is_resource { "Resource" } else { "DataType" },
        base: base.to_owned(),
        fields: fields(&definition.type_name, inner)?,
    }];
    for element in inner.iter().filter(|e| has_children(e, inner)) {
        structs.push(Struct {
            rust_name: name::camel_path(&element.path),
            path: element.path.clone(),
            kind: "Backbone",
            base: element.types.first().map(|t| t.code.clone()).unwrap_or_default(),
            fields: fields(&element.path, inner)?,
        });
    }
    Ok(Unit {
        name: definition.type_name.clone(),
        is_resource,
        structs,
    })
}

/// The part of `path` below `parent`, if it is a child of it and not a deeper descendant.
fn child_of<'a>(path: &'a str, parent: &str) -> Option<&'a str> {
    let name = path.strip_prefix(parent)?.strip_prefix('.')?;
    (!name.contains('.')).then_some(name)
}

fn has_children(element: &Element, all: &[Element]) -> bool {
    all.iter().any(|e| child_of(&e.path, &element.path).is_some())
}

fn fields(parent: &str, all: &[Element]) -> Result<Vec<Field>> {
    all.iter()
        .filter(|e| child_of(&e.path, parent).is_some())
        .map(|e| field(e, all))
        .collect()
}

fn field(element: &Element, all: &[Element]) -> Result<Field> {
    let name = element
        .path
        .rsplit('.')
        .next()
        .unwrap_or_default()
        .trim_end_matches("[x]")
        .to_owned();
    let max = match element.max.as_str() {
        "*" => None,
        digits => Some(
            digits
                .parse()
                .map_err(|e| format!("{} has max {digits}: {e}", element.path))?,
        ),
    };
    let binding = element
        .binding
        .as_ref()
        .map(|b| (b.strength.clone(), b.value_set.clone()));
    Ok(Field {
        name,
        path: element.path.clone(),
        min: element.min,
        max,
        shape: shape(element, all)?,
        types: documented_types(element),
        binding,
        summary: element.is_summary,
        modifier: element.is_modifier,
        attribute: element.representation.iter().any(|r| r == "xmlAttr")
            || base_path(element) == "Element.id",
    })
}

fn base_path(element: &Element) -> &str {
    element
        .base
        .as_ref()
        .map_or(element.path.as_str(), |base| base.path.as_str())
}

fn shape(element: &Element, all: &[Element]) -> Result<Shape> {
    if let Some(reference) = &element.content_reference {
        return Ok(Shape::Complex(name::camel_path(
            reference.trim_start_matches('#'),
        )));
    }
    if element.path.ends_with("[x]") {
        let mut variants: Vec<Variant> = Vec::new();
        for type_name in element.types.iter().map(|t| t.code.clone()) {
            let variant = Variant {
                is_primitive: is_primitive(&type_name),
                type_name,
            };
            if !variants.contains(&variant) {
                variants.push(variant);
            }
        }
        let open = variants.len() > OPEN_CHOICE;
        return Ok(if open {
            Shape::Open(variants)
        } else {
            Shape::Choice(variants)
        });
    }
    let [only] = element.types.as_slice() else {
        return Err(format!("{} has {} types", element.path, element.types.len()));
    };
    let type_name = type_name(element, only);
    Ok(match type_name.as_str() {
        "Resource" => Shape::Resource,
        _ if has_children(element, all) => Shape::Complex(name::camel_path(&element.path)),
        "BackboneElement" | "Element" => return Err(format!("{} has no elements", element.path)),
        primitive if is_primitive(primitive) => Shape::Primitive(type_name),
        _ => Shape::Complex(type_name),
    })
}

/// The FHIR type of an element that the definition gives as a FHIRPath system type.
fn type_name(element: &Element, only: &Type) -> String {
    if !only.code.starts_with("http://hl7.org/fhirpath/") {
        return only.code.clone();
    }
    // The definition says `string`; the specification's text says `id` (https://hl7.org/fhir/R4/resource.html#id).
    if base_path(element) == "Resource.id" {
        return "id".to_owned();
    }
    let named = only
        .extension
        .iter()
        .find(|x| x.url == FHIR_TYPE)
        .and_then(|x| x.value_url.clone());
    named.unwrap_or_else(|| "string".to_owned())
}

fn documented_types(element: &Element) -> String {
    if let Some(reference) = &element.content_reference {
        return format!("as `{}`", reference.trim_start_matches('#'));
    }
    if element.types.len() > OPEN_CHOICE {
        return "any datatype".to_owned();
    }
    let described = element.types.iter().map(|t| {
        let targets: Vec<&str> = t
            .target_profile
            .iter()
            .map(|p| p.strip_prefix(PROFILE_BASE).unwrap_or(p))
            .collect();
        match targets.as_slice() {
            [] => type_name(element, t),
            targets => format!("{}({})", t.code, targets.join(" \\| ")),
        }
    });
    described.collect::<Vec<_>>().join(" \\| ")
}
