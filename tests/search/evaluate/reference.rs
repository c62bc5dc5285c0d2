//! References (<https://hl7.org/fhir/R4/search.html#reference>).

use serde_json::Value;

use super::{Found, token};
use crate::front::BASE;
use crate::query::Sought;

/// Type and id of the resource of this server that a reference leads to.
pub(crate) fn target(found: &Found) -> Option<(String, String)> {
    let text = found.value["reference"].as_str()?;
    let (kind, id, _) = local(text)?;
    Some((kind, id))
}

/// The id of the resource that a reference leads to inside its own.
pub(crate) fn inside(found: &Found) -> Option<&str> {
    found.value["reference"].as_str()?.strip_prefix('#')
}

/// Type, id and version in `Type/id` and `Type/id/_history/version`, below this server's base too.
fn local(text: &str) -> Option<(String, String, Option<String>)> {
    let below = text.strip_prefix(&format!("{BASE}/")).unwrap_or(text);
    let steps: Vec<&str> = below.split('/').collect();
    let is_type = |name: &str| {
        fhir_model::type_info(name).is_some() && name.starts_with(|c: char| c.is_ascii_uppercase())
    };
    match steps.as_slice() {
        [kind, id] if is_type(kind) => Some(((*kind).to_owned(), (*id).to_owned(), None)),
        [kind, id, "_history", version] if is_type(kind) => {
            Some(((*kind).to_owned(), (*id).to_owned(), Some((*version).to_owned())))
        }
        _ => None,
    }
}

/// Whether a reference is to a resource of that type, as far as it says: one that does not say it may be to any.
pub(super) fn may_be(reference: &Value, within: &Value, kind: &str) -> bool {
    let Some(text) = reference["reference"].as_str() else {
        return reference["type"].as_str().is_none_or(|said| said == kind);
    };
    if let Some(id) = text.strip_prefix('#') {
        let contained = within["contained"].as_array().cloned().unwrap_or_default();
        return contained
            .iter()
            .any(|one| one["id"] == *id && one["resourceType"] == *kind);
    }
    let (before, _) = text.split_once("/_history/").unwrap_or((text, ""));
    before.rsplit('/').nth(1) == Some(kind)
}

pub(super) fn matches(found: &Found, modifier: Option<&str>, sought: &Sought) -> bool {
    match (modifier, sought) {
        (Some("identifier"), Sought::Token { system, code }) => {
            let identifier = &found.value["identifier"];
            let part = |name: &str| identifier[name].as_str().map(str::to_owned);
            let own = (part("system"), part("value").unwrap_or_default());
            !identifier.is_null() && token::is(&own, system.as_deref(), code.as_deref())
        }
        (named, Sought::Reference(sought)) => {
            let Some(own) = found.value["reference"].as_str() else {
                return false;
            };
            match (local(own), local(sought)) {
                (Some((kind, id, version)), Some(asked)) => {
                    let named_too = named.is_none_or(|named| named == kind);
                    named_too
                        && kind == asked.0
                        && id == asked.1
                        && asked.2.is_none_or(|asked| Some(asked) == version)
                }
                // An id alone is that of a resource of this server, of any type or of the type that is named.
                (Some((kind, id, _)), None) => named.is_none_or(|named| named == kind) && id == *sought,
                (None, None) => own == sought,
                (None, Some(_)) => false,
            }
        }
        _ => false,
    }
}
