//! [`published`]: the JSON Schema of one resource type, as suppliers get it and as the server enforces it.
//!
//! It is a part of `openapi/fhir-r4.schema.json`: the type, and all that it refers to. A resource inside another is any
//! object with the name of a type there, so that each document stays small; its own document tells the rest.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::Json;

/// The committed document; a test holds it against what the definitions give.
const COMMITTED: &str = include_str!("../../../openapi/fhir-r4.schema.json");

/// What takes any resource.
pub(crate) const ANY: &str = "Resource";

/// The committed document, its parts not read yet.
#[derive(Deserialize)]
struct Document {
    #[serde(rename = "$schema")]
    dialect: String,
    #[serde(borrow, rename = "$defs")]
    parts: BTreeMap<&'static str, &'static RawValue>,
}

/// The JSON Schema (draft 2020-12) of a resource type, with all that it refers to; `None` for what is no resource type of R4.
///
/// A resource with others in it is valid where its own document takes it and each of the others is taken by the document
/// of its type.
///
/// ```
/// let patient = fhir_validate::schema::published("Patient")?.unwrap();
/// assert_eq!(patient.get("$ref").unwrap().as_str(), Some("#/$defs/Patient"));
/// assert!(fhir_validate::schema::published("Hospital")?.is_none());
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// # Errors
/// A fault of the build: the committed document cannot be read.
pub fn published(type_name: &str) -> Result<Option<Json>, serde_json::Error> {
    if !fhir_model::Resource::TYPES.contains(&type_name) {
        return Ok(None);
    }
    let mut parts = BTreeMap::new();
    let mut waiting = vec![type_name.to_owned()];
    while let Some(name) = waiting.pop() {
        if parts.contains_key(&name) {
            continue;
        }
        let part = part(&name)?;
        waiting.extend(references(&part));
        parts.insert(name, part);
    }
    let document = document()?;
    Ok(Some(Json::object([
        ("$schema", Json::from(document.dialect.as_str())),
        (
            "title",
            Json::from(format!("FHIR R4 (4.0.1) {type_name} as JSON")),
        ),
        ("$ref", Json::from(format!("#/$defs/{type_name}"))),
        ("$defs", Json::Object(parts.into_iter().collect())),
    ])))
}

fn document() -> Result<&'static Document, serde_json::Error> {
    static DOCUMENT: OnceLock<Document> = OnceLock::new();
    if let Some(document) = DOCUMENT.get() {
        return Ok(document);
    }
    let read = serde_json::from_str(COMMITTED)?;
    Ok(DOCUMENT.get_or_init(|| read))
}

/// Takes out what a resource of each type must be.
fn any(part: &mut Json) {
    if let Json::Object(members) = part {
        members.retain(|(name, _)| name != "allOf");
    }
    part.set(
        "description",
        "A resource of any type. The document of its type tells the rest.",
    );
}

/// The names of the parts that a part refers to.
fn references(json: &Json) -> Vec<String> {
    let mut found: Vec<String> = reference(json).map(str::to_owned).into_iter().collect();
    for inner in json.items().iter().chain(json.members().iter().map(|(_, v)| v)) {
        found.extend(references(inner));
    }
    found
}

/// The name of the part that this itself refers to.
pub(crate) fn reference(json: &Json) -> Option<&str> {
    json.get("$ref")?.as_str()?.strip_prefix("#/$defs/")
}

/// A part of the published schemas: a type, a primitive type, a list of codes, or any resource.
///
/// # Errors
/// There is none of that name, or it cannot be read.
pub(crate) fn part(name: &str) -> Result<Json, serde_json::Error> {
    let Some(text) = document()?.parts.get(name) else {
        return Err(serde::de::Error::custom(format!("the document has no {name}")));
    };
    let mut part: Json = serde_json::from_str(text.get())?;
    if name == ANY {
        any(&mut part);
    }
    Ok(part)
}

/// The names of all parts.
///
/// # Errors
/// The document cannot be read.
pub(crate) fn names() -> Result<impl Iterator<Item = &'static str>, serde_json::Error> {
    Ok(document()?.parts.keys().copied())
}
