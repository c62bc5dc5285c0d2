//! Rows of uri parameters (<https://hl7.org/fhir/R4/search.html#uri>): as written, a canonical in its parts.

use fhir_model::Resource;
use fhir_model::path::Value;
use fhir_model::reflect::{Node, PrimitiveType};

use super::reference::text_of;
use super::rows::{Rows, TooMany};
use crate::store::{Aspect, IndexValue};

pub(super) fn rows(value: &Value<'_>, rows: &mut Rows<'_>) -> Result<(), TooMany> {
    let Some(text) = value.as_str() else {
        return Ok(());
    };
    rows.push(match value {
        Value::Node(Node::Primitive(PrimitiveType::Canonical, _)) => canonical(text),
        _ => plain(text),
    })
}

/// A uri as written.
pub(super) fn plain(text: &str) -> IndexValue {
    IndexValue::Uri {
        uri: text.to_owned(),
        version: None,
    }
}

/// A canonical: `url|version#fragment` (<https://hl7.org/fhir/R4/references.html#canonical>). One that is a fragment alone points into
/// the resource and stays whole.
pub(super) fn canonical(text: &str) -> IndexValue {
    let whole = match text.split_once('#') {
        Some((whole, _)) if !whole.is_empty() => whole,
        _ => text,
    };
    let (uri, version) = whole.split_once('|').unwrap_or((whole, ""));
    IndexValue::Uri {
        uri: uri.to_owned(),
        version: Some(version).filter(|v| !v.is_empty()).map(str::to_owned),
    }
}

/// A row of the canonical URL of a resource with its version, so that references to that version lead here.
pub(super) fn versioned(value: &Value<'_>, resource: &Resource, rows: &mut Rows<'_>) -> Result<(), TooMany> {
    match (value.as_str(), text_of(resource.as_complex(), "version")) {
        (Some(url), Some(version)) => rows.push_aspect(
            Aspect::Versioned,
            IndexValue::Uri {
                uri: url.to_owned(),
                version: Some(version.to_owned()),
            },
        ),
        _ => Ok(()),
    }
}
