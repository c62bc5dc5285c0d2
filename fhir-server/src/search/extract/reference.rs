//! Rows of reference parameters (<https://hl7.org/fhir/R4/search.html#reference>): references to resources of this server, whether
//! relative or absolute, and to elsewhere; canonicals; the identifiers of logical references for `:identifier`.
//!
//! A reference to a contained resource is a row of its own fragment: what is contained is found by `_contained` alone.

use fhir_model::path::{ByReferenceType, Resolved, Resolver, Value};
use fhir_model::primitive::Scalar;
use fhir_model::reflect::{Complex, Node, Nodes, PrimitiveType, TypeKind};
use fhir_model::{Identifier, Reference, Resource};

use super::rows::{Rows, TooMany};
use super::{token, uri};
use crate::search::registry::Use;
use crate::store::{Aspect, IndexValue, ResourceType};

pub(super) fn rows(value: &Value<'_>, rows: &mut Rows<'_>) -> Result<(), TooMany> {
    match value {
        Value::Node(Node::Complex(complex)) => of_complex(*complex, rows),
        Value::Node(Node::Primitive(PrimitiveType::Canonical, _)) => match value.as_str() {
            Some(text) => rows.push(local(text, &[]).unwrap_or_else(|| uri::canonical(text))),
            None => Ok(()),
        },
        other => match other.as_str() {
            Some(text) => rows.push(of_text(text, rows.bases())),
            None => Ok(()),
        },
    }
}

/// Whether a value counts for a parameter: a reference by the type that it is to, a resource in place of one by its own.
///
/// A logical reference without a type may be to any, and counts: finding too much is safer than finding too little.
pub(super) fn is_wanted(value: &Value<'_>, used: &Use, resource: &Resource) -> bool {
    let Value::Node(Node::Complex(complex)) = value else {
        return true;
    };
    let info = complex.type_info();
    if info.kind == TypeKind::Resource {
        let targets = &used.parameter.targets;
        return targets.is_empty() || targets.iter().any(|t| t.name() == info.name);
    }
    let Some(wanted) = used.referring_to else {
        return true;
    };
    match complex.as_any().downcast_ref::<Reference>() {
        Some(reference) => type_of(reference, resource).is_none_or(|name| name == wanted.name()),
        None => true,
    }
}

/// The name of the type that a reference is to: of the contained resource, by the look of its text, or as it says itself. `None` for a
/// logical reference that does not say it; of a text that does not tell, the empty name.
fn type_of<'r>(reference: &'r Reference, resource: &'r Resource) -> Option<&'r str> {
    let said = reference.type_.as_str();
    let Some(text) = reference.reference.as_str() else {
        return said;
    };
    if let Some(id) = text.strip_prefix('#') {
        return Some(contained(resource, id).unwrap_or_default());
    }
    match ByReferenceType.resolve(text, said) {
        Some(Resolved::Type(name)) => Some(name),
        _ => Some(""),
    }
}

/// The type of the contained resource with that id; the empty id is the resource itself.
fn contained(resource: &Resource, id: &str) -> Option<&'static str> {
    if id.is_empty() {
        return Some(resource.type_name());
    }
    let complex = resource.as_complex();
    let (field, _) = complex.type_info().field("contained")?;
    Nodes::of(complex, field).find_map(|node| match node {
        Node::Complex(one) => (id_of(one)? == id).then(|| one.type_info().name),
        Node::Primitive(..) => None,
    })
}

fn id_of(complex: &dyn Complex) -> Option<&str> {
    text_of(complex, "id")
}

/// The text of an element of a resource.
pub(super) fn text_of<'c>(complex: &'c dyn Complex, name: &str) -> Option<&'c str> {
    let (field, _) = complex.type_info().field(name)?;
    match Nodes::of(complex, field).next()? {
        Node::Primitive(_, primitive) => match primitive.scalar()? {
            Scalar::String(id) => Some(id),
            _ => None,
        },
        Node::Complex(_) => None,
    }
}

fn of_complex(complex: &dyn Complex, rows: &mut Rows<'_>) -> Result<(), TooMany> {
    let any = complex.as_any();
    if let Some(reference) = any.downcast_ref::<Reference>() {
        return of_reference(reference, rows);
    }
    if let Some(identifier) = any.downcast_ref::<Identifier>() {
        return rows.push_aspect(Aspect::Identifier, token::of_identifier_value(identifier));
    }
    // A resource in place of a reference: the first entry of a document or message.
    match of_resource(complex) {
        Some(row) => rows.push(row),
        None => Ok(()),
    }
}

fn of_reference(reference: &Reference, rows: &mut Rows<'_>) -> Result<(), TooMany> {
    let text = reference.reference.as_str();
    if let Some(text) = text {
        rows.push(of_text(text, rows.bases()))?;
    }
    match &reference.identifier {
        Some(identifier) => rows.push_aspect(Aspect::Identifier, token::of_identifier_value(identifier)),
        // In words alone: nothing to find it by, and not missing.
        None if text.is_none() && reference.display.as_str().is_some() => rows.push(uri::plain("")),
        None => Ok(()),
    }
}

fn of_resource(complex: &dyn Complex) -> Option<IndexValue> {
    let info = complex.type_info();
    if info.kind != TypeKind::Resource {
        return None;
    }
    Some(IndexValue::Reference {
        resource_type: ResourceType::from_name(info.name)?,
        id: id_of(complex)?.to_owned(),
        version: None,
    })
}

/// The row of a reference's text. `bases` are the addresses of this server.
fn of_text(text: &str, bases: &[String]) -> IndexValue {
    local(text, bases).unwrap_or_else(|| elsewhere(text))
}

/// `Type/id` or `Type/id/_history/version`, also below an address of this server.
fn local(text: &str, bases: &[String]) -> Option<IndexValue> {
    let below = bases
        .iter()
        .find_map(|base| text.strip_prefix(base.as_str())?.strip_prefix('/'));
    let relative = below.unwrap_or(text);
    let relative = relative.split_once('#').map_or(relative, |(path, _)| path);
    let mut steps = relative.split('/');
    let resource_type = ResourceType::from_name(steps.next()?)?;
    let id = steps.next().filter(|id| is_id(id))?;
    let version = match (steps.next(), steps.next(), steps.next()) {
        (None, ..) => None,
        (Some("_history"), Some(version), None) if is_id(version) => Some(version.to_owned()),
        _ => return None,
    };
    Some(IndexValue::Reference {
        resource_type,
        id: id.to_owned(),
        version,
    })
}

/// A reference to a resource of another server has a version apart, so that it is found without one; any other text is kept whole.
fn elsewhere(text: &str) -> IndexValue {
    let split = text
        .rsplit_once("/_history/")
        .filter(|(before, version)| is_id(version) && before.contains("://"));
    IndexValue::Uri {
        uri: split.map_or(text, |(before, _)| before).to_owned(),
        version: split.map(|(_, version)| version.to_owned()),
    }
}

/// Whether the text has the form of a logical id (<https://hl7.org/fhir/R4/datatypes.html#id>).
fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.')
}
