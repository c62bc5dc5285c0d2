//! Values of type reference (<https://hl7.org/fhir/R4/search.html#reference>): `id`, `Type/id`, an absolute URL, or a canonical URL with
//! or without its version.

use super::super::Scope;
use super::super::facet::Facet;
use super::uri;
use crate::error::Result;
use crate::search::criteria::escape;
use crate::search::malformed;
use crate::store::{Criterion, ResourceType, Test, ValueKind, is_id};

/// The tests of one value; `named` is the type after the colon of the parameter's name.
pub(super) fn alternatives(
    scope: &Scope<'_>,
    facet: &Facet<'_>,
    named: Option<ResourceType>,
    value: &str,
) -> Result<Vec<Criterion>> {
    let no = |expected: &str| malformed(facet.code, value, expected);
    let text = escape::plain(value);
    let below_base = scope
        .bases
        .iter()
        .find_map(|base| text.strip_prefix(base.as_str())?.strip_prefix('/'));
    let local = below_base.or((!text.contains(':')).then_some(text.as_str()));
    let mut tests = Vec::with_capacity(2);
    match local.map(Local::read) {
        Some(Some(local)) => {
            let types = match (named, local.resource_type) {
                (Some(named), Some(own)) if named != own => {
                    return Err(no(&format!(
                        "an id, or {}/id, after :{}",
                        named.name(),
                        named.name()
                    )));
                }
                (Some(one), _) | (None, Some(one)) => vec![one],
                (None, None) => Vec::new(),
            };
            if facet.has_rows(ValueKind::Reference) {
                tests.push(Test::Reference {
                    types,
                    id: local.id.to_owned(),
                    version: local.version.map(str::to_owned),
                });
            }
            if !facet.has_rows(ValueKind::Reference) || below_base.is_some() {
                tests.push(uri_test(value));
            }
        }
        _ if named.is_some() => return Err(no("an id of a resource of this server")),
        Some(None) if below_base.is_none() => {
            return Err(no("an id, Type/id with a type of R4, or an absolute URL"));
        }
        _ => tests.push(uri_test(value)),
    }
    let criterion = |test| Criterion {
        parameter: facet.number,
        test,
    };
    Ok(tests.into_iter().map(criterion).collect())
}

/// A canonical with or without its version, or a resource of another server, as the index takes them apart.
fn uri_test(value: &str) -> Test {
    let (uri, version) = uri::versioned(value);
    match uri.rsplit_once("/_history/") {
        Some((before, at)) if version.is_none() && is_id(at) && before.contains("://") => Test::Uri {
            uri: before.to_owned(),
            version: Some(at.to_owned()),
        },
        _ => Test::Uri { uri, version },
    }
}

/// A reference to a resource of this server.
struct Local<'v> {
    resource_type: Option<ResourceType>,
    id: &'v str,
    version: Option<&'v str>,
}

impl<'v> Local<'v> {
    /// Reads `id`, `Type/id` and `Type/id/_history/version`.
    fn read(text: &'v str) -> Option<Self> {
        let parts: Vec<&str> = text.splitn(5, '/').collect();
        let (resource_type, id, version) = match parts.as_slice() {
            [id] => (None, *id, None),
            [name, id] => (Some(ResourceType::from_name(name)?), *id, None),
            [name, id, "_history", version] => (Some(ResourceType::from_name(name)?), *id, Some(*version)),
            _ => return None,
        };
        (is_id(id) && version.is_none_or(is_id)).then_some(Local {
            resource_type,
            id,
            version,
        })
    }
}
