//! What a field's name stands for on a value of some type, by R4's definitions.

use fhir_model::reflect::{Shape, TypeInfo, TypeKind};
use fhir_model::type_info;

use crate::store::ResourceType;

/// What a field's name stands for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Child {
    /// The name of the value's type (`resourceType`, `__typename`).
    TypeName,
    /// An element: its place in the type's table, and how the values look.
    Element {
        /// place in `TypeInfo::fields`
        field: usize,
        /// what the values are
        kind: ChildKind,
        /// whether there may be several
        is_list: bool,
    },
    /// The id and extensions of a primitive (`_birthDate`).
    Extras {
        /// place in `TypeInfo::fields`
        field: usize,
        /// whether there may be several
        is_list: bool,
    },
    /// The resource that a Reference names (`resource`).
    Target,
    /// A resource of that type, by its id (`Patient(id: …)`).
    Read(ResourceType),
    /// The resources of that type that match (`PatientList(…)`).
    List(ResourceType),
    /// The same as a page (`PatientConnection(…)`).
    Connection(ResourceType),
}

/// What the values of an element are.
#[derive(Clone, Copy, Debug)]
pub(super) enum ChildKind {
    /// Primitives: no selection.
    Primitive,
    /// Values of that type.
    Complex(&'static TypeInfo),
    /// Resources of any type.
    Resource,
}

/// What the name stands for on a value of that type; `None` where it stands for nothing.
pub(super) fn child(info: &'static TypeInfo, name: &str) -> Option<Child> {
    if name == "__typename" || (name == "resourceType" && info.kind == TypeKind::Resource) {
        return Some(Child::TypeName);
    }
    if name == "resource" && info.name == "Reference" {
        return Some(Child::Target);
    }
    if let Some(stem) = name.strip_prefix('_') {
        return match element(info, stem)? {
            Child::Element {
                field,
                kind: ChildKind::Primitive,
                is_list,
            } => Some(Child::Extras { field, is_list }),
            _ => None,
        };
    }
    if let Some(child) = element(info, name) {
        return Some(child);
    }
    match info.kind {
        TypeKind::Resource => search(name),
        _ => None,
    }
}

/// What the name stands for at the server itself.
pub(super) fn system_child(name: &str) -> Option<Child> {
    if name == "__typename" {
        return Some(Child::TypeName);
    }
    ResourceType::from_name(name)
        .map(Child::Read)
        .or_else(|| search(name))
}

/// The names by which a fragment may be on a value of that type: its own, and those that it derives from.
pub(super) fn types(info: &'static TypeInfo) -> Vec<&'static str> {
    let mut names = vec![info.name, info.base];
    if info.kind == TypeKind::Resource {
        names.push("Resource");
    }
    names
}

/// The facts of a resource type.
pub(super) fn info_of(resource_type: ResourceType) -> Option<&'static TypeInfo> {
    type_info(resource_type.name())
}

fn search(name: &str) -> Option<Child> {
    if let Some(stem) = name.strip_suffix("List")
        && let Some(found) = ResourceType::from_name(stem)
    {
        return Some(Child::List(found));
    }
    ResourceType::from_name(name.strip_suffix("Connection")?).map(Child::Connection)
}

fn element(info: &'static TypeInfo, name: &str) -> Option<Child> {
    for (field, facts) in info.fields.iter().enumerate() {
        let shape = match &facts.shape {
            Shape::Choice(variants) => variants.iter().find(|v| v.name == name).map(|v| &v.shape),
            shape => (facts.name == name).then_some(shape),
        };
        let kind = match shape {
            None => continue,
            Some(Shape::Primitive(_)) => ChildKind::Primitive,
            Some(Shape::Complex(info)) => ChildKind::Complex(info),
            Some(Shape::Resource) => ChildKind::Resource,
            Some(Shape::Choice(_)) => return None,
        };
        return Some(Child::Element {
            field,
            kind,
            is_list: facts.is_list(),
        });
    }
    None
}
