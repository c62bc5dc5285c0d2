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
const ANY: &str = "Resource";

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
    let document = document()?;
    let mut parts = BTreeMap::new();
    let mut waiting = vec![type_name.to_owned()];
    while let Some(name) = waiting.pop() {
        let Some((name, text)) = document.parts.get_key_value(name.as_str()) else {
            return Err(serde::de::Error::custom(format!("{name} is not in the document")));
        };
        if parts.contains_key(*name) {
            continue;
        }
        let mut part: Json = serde_json::from_str(text.get())?;
        if *name == ANY {
            any(&mut part);
        }
        references(&part, &mut waiting);
        parts.insert((*name).to_owned(), part);
    }
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
fn references(json: &Json, found: &mut Vec<String>) {
    let name = json
        .get("$ref")
        .and_then(Json::as_str)
        .and_then(|to| to.strip_prefix("#/$defs/"));
    found.extend(name.map(str::to_owned));
    for inner in json.items().iter().chain(json.members().iter().map(|(_, v)| v)) {
        references(inner, found);
    }
}
