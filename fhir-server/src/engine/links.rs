//! References of a transaction's resources to each other: those to a `fullUrl` become references to the resource that
//! the server made or changed (<https://hl7.org/fhir/R4/http.html#trules>).
//!
//! Replaced are `Reference.reference`, elements of type uri, url, oid and uuid that are equal to a `fullUrl`, and `href`
//! and `src` in narrative, each in the text and in the typed value. A version-specific reference stays one; a fragment
//! stays. A relative reference is resolved against the `fullUrl` of its own entry
//! (<https://hl7.org/fhir/R4/bundle.html#references>).

mod narrative;
mod typed;

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use fhir_model::Resource;
use fhir_model::json::{Link, LinkKind};

use super::stored_form::Edit;
use crate::error::{Error, ErrorCode, Issue, Result};

/// What a `fullUrl` of the Bundle stands for on this server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Assigned {
    /// The reference to it, such as `Patient/1`.
    pub(crate) reference: String,
    /// It is new with this transaction, so that its version is 1.
    pub(crate) created: bool,
}

/// The `fullUrl`s of a transaction.
#[derive(Debug, Default)]
pub(crate) struct BundleLinks {
    by_url: HashMap<String, Assigned>,
}

impl BundleLinks {
    /// Adds a `fullUrl`; false where it is there already, and stays as it was.
    pub(crate) fn insert(&mut self, full_url: &str, assigned: Assigned) -> bool {
        match self.by_url.entry(full_url.to_owned()) {
            Entry::Occupied(_) => false,
            Entry::Vacant(place) => {
                place.insert(assigned);
                true
            }
        }
    }

    /// What stands for that link, if it is one to a resource of the Bundle and has to change.
    fn resolve(&self, kind: LinkKind, value: &str, root: Option<&str>) -> Option<String> {
        let new = match kind {
            LinkKind::Uri => self.by_url.get(value)?.reference.clone(),
            LinkKind::Narrative => narrative::rewrite(value, &|target| self.reference(target))?,
            LinkKind::Reference => self
                .reference(value)
                .or_else(|| self.reference(&absolute(value, root?)?))?,
        };
        (new != value).then_some(new)
    }

    /// The reference that stands for one with or without a version and a fragment.
    fn reference(&self, value: &str) -> Option<String> {
        let (target, fragment) = match value.split_once('#') {
            Some((target, _)) => (target, value.get(target.len()..).unwrap_or_default()),
            None => (value, ""),
        };
        if let Some(found) = self.by_url.get(target) {
            return Some(format!("{}{fragment}", found.reference));
        }
        let (target, version) = target.rsplit_once("/_history/")?;
        let found = self.by_url.get(target)?;
        let version = if found.created { "1" } else { version };
        Some(format!("{}/_history/{version}{fragment}", found.reference))
    }

    /// Resolves the links of one resource: changes the typed value and gives the edits of its text. `full_url` is that
    /// of its entry, `path` its place. A Bundle that is stored as a resource is a world of its own: it stays as it is.
    ///
    /// # Errors
    /// A reference that only a resource of the Bundle could resolve, and none does. Each is named with its place.
    pub(crate) fn apply(
        &self,
        text: &[u8],
        links: &[Link],
        resource: &mut Resource,
        full_url: Option<&str>,
        path: &str,
    ) -> Result<Vec<Edit>> {
        if resource.type_name() == "Bundle" {
            return Ok(Vec::new());
        }
        let root = full_url.and_then(root_of);
        let mut edits = Vec::new();
        let mut refused = false;
        for link in links {
            let value = unquoted(text.get(link.span.clone()).unwrap_or_default())?;
            match self.resolve(link.kind, &value, root) {
                Some(new) => {
                    let text = serde_json::to_vec(&new).map_err(Error::internal)?;
                    edits.push(Edit {
                        span: link.span.clone(),
                        text,
                    });
                }
                None => refused |= link.kind == LinkKind::Reference && problem(&value).is_some(),
            }
        }
        if refused {
            return Err(self.refusal(resource, root, path));
        }
        if !edits.is_empty() {
            typed::rewrite(resource.as_complex_mut(), &|kind, value| {
                self.resolve(kind, value, root)
            });
        }
        Ok(edits)
    }

    /// Names every reference that cannot be resolved.
    fn refusal(&self, resource: &Resource, root: Option<&str>, path: &str) -> Error {
        let mut issues = Vec::new();
        typed::references(resource.as_complex(), path.to_owned(), &mut |place, value| {
            if self.resolve(LinkKind::Reference, value, root).is_some() {
                return;
            }
            if let Some(message) = problem(value) {
                issues.push(Issue::new(message).at(place));
            }
        });
        Error {
            code: ErrorCode::Invalid,
            issues,
            cause: None,
        }
    }
}

/// Why a reference that no `fullUrl` of the Bundle matches cannot be stored, if it cannot.
fn problem(value: &str) -> Option<String> {
    let is_of_bundle = value.starts_with("urn:uuid:") || value.starts_with("urn:oid:");
    is_of_bundle.then(|| {
        format!(
            "{value:?} refers to no entry: no fullUrl in this Bundle is equal to it. Add the entry, or refer to a resource by its URL."
        )
    })
}

/// `http://example.org/fhir/` of `http://example.org/fhir/Patient/1`; `None` where the URL is not one of a resource.
fn root_of(full_url: &str) -> Option<&str> {
    let (rest, _) = full_url.rsplit_once('/')?;
    let (root, type_name) = rest.rsplit_once('/')?;
    crate::store::ResourceType::from_name(type_name)?;
    full_url.get(..=root.len())
}

/// A relative reference made absolute; `None` where it is not a relative one to a resource.
fn absolute(value: &str, root: &str) -> Option<String> {
    let (type_name, _) = value.split_once('/')?;
    crate::store::ResourceType::from_name(type_name)?;
    Some(format!("{root}{value}"))
}

/// The string that a JSON literal stands for.
pub(crate) fn unquoted(literal: &[u8]) -> Result<Cow<'_, str>> {
    let inner = literal
        .get(1..literal.len().saturating_sub(1))
        .unwrap_or_default();
    match std::str::from_utf8(inner) {
        Ok(plain) if !plain.contains('\\') => Ok(Cow::Borrowed(plain)),
        _ => serde_json::from_slice(literal)
            .map(Cow::Owned)
            .map_err(Error::internal),
    }
}

#[cfg(test)]
mod tests;
