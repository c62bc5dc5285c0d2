//! Entries of a batch or transaction: each as a request of its own, and its answer as an entry of the response
//! (<https://hl7.org/fhir/R4/bundle.html#transaction>).

mod answer;
mod target;

pub(super) use answer::{etag, write_answer};

use fhir_model::{Bundle, BundleEntry, BundleEntryRequest};

use super::{EntityTags, Interaction, PreferReturn, Request};
use crate::context::Millis;
use crate::engine::{Session, in_entry};
use crate::error::{Error, ErrorCode, Result};

/// The methods, in the order in which a transaction does them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Method {
    Delete,
    Post,
    Put,
    Patch,
    Get,
    Head,
}

/// An entry as a request.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Its index in the Bundle.
    pub(super) index: usize,
    /// Its method.
    pub(super) method: Method,
    /// The request, without a body: the resource is part of the Bundle that was read.
    pub(super) request: Request,
}

impl Entry {
    /// Reads an entry of the Bundle that `outer` brought.
    pub(super) fn read(index: usize, entry: &BundleEntry, outer: &Request) -> Result<Entry> {
        Entry::parse(index, entry, outer).map_err(|error| in_entry(error, index))
    }

    fn parse(index: usize, entry: &BundleEntry, outer: &Request) -> Result<Entry> {
        let asked = entry.request.as_deref().ok_or_else(|| {
            let text =
                "The entry has no request: each entry of a batch or transaction needs a method and a URL.";
            Error::new(ErrorCode::Required, text).at(format!("Bundle.entry[{index}].request"))
        })?;
        let method = method(asked.method.as_str())?;
        let mut request = target::read(method, asked.url.as_str().unwrap_or_default(), &outer.base)?;
        request.if_match = tags(asked.if_match.as_str(), "http.if-match")?;
        request.if_none_match = tags(asked.if_none_match.as_str(), "http.if-none-match")?;
        request.if_none_exist = asked.if_none_exist.as_str().map(str::to_owned);
        request.if_modified_since = asked.if_modified_since.value.as_ref().and_then(|since| {
            let (first, _) = since.interval(&jiff::tz::TimeZone::UTC)?;
            Some(Millis(first.div_euclid(1000)))
        });
        request.prefer_return = outer.prefer_return.or(Some(PreferReturn::Minimal));
        request.strict_handling = outer.strict_handling;
        let writes = matches!(
            request.interaction,
            Interaction::Create | Interaction::Update | Interaction::Patch
        );
        if writes && entry.resource.is_none() {
            let text = "The entry has no resource: POST and PUT need one, and PATCH a Parameters resource or a Binary.";
            return Err(Error::new(ErrorCode::Required, text).at(format!("Bundle.entry[{index}].resource")));
        }
        Ok(Entry {
            index,
            method,
            request,
        })
    }
}

/// Refuses a Bundle with more in it than the limits allow, or to which the entries were not read.
pub(super) fn check_limits(bundle: &Bundle, session: &Session) -> Result<()> {
    let settings = session.settings();
    let entries = bundle.entry.len();
    if entries > settings.bundle_entries {
        let text = format!(
            "The Bundle has {entries} entries; at most {} are taken at once.",
            settings.bundle_entries
        );
        return Err(Error::new(ErrorCode::TooLarge, text).at("Bundle.entry"));
    }
    let searches = bundle
        .entry
        .iter()
        .filter(|e| e.request.as_deref().is_some_and(searches))
        .count();
    if searches > settings.bundle_searches {
        let limit = settings.bundle_searches;
        let text =
            format!("The Bundle has {searches} searches and histories; at most {limit} are done at once.");
        return Err(Error::new(ErrorCode::TooLarge, text).at("Bundle.entry"));
    }
    Ok(())
}

/// Whether an entry asks for more than one resource.
fn searches(asked: &BundleEntryRequest) -> bool {
    let url = asked.url.as_str().unwrap_or_default();
    let path = url.split('?').next().unwrap_or_default();
    let lists =
        url.contains('?') || path.ends_with("_search") || path.ends_with("_history") || !path.contains('/');
    let reads = matches!(asked.method.as_str(), Some("GET" | "HEAD")) || path.ends_with("_search");
    lists && reads
}

/// The request that a method and a URL stand for.
#[cfg(test)]
pub(super) fn request_of(method_name: &str, url: &str, base: &str) -> Result<Request> {
    target::read(method(Some(method_name))?, url, base)
}

fn method(name: Option<&str>) -> Result<Method> {
    match name {
        Some("DELETE") => Ok(Method::Delete),
        Some("POST") => Ok(Method::Post),
        Some("PUT") => Ok(Method::Put),
        Some("GET") => Ok(Method::Get),
        Some("HEAD") => Ok(Method::Head),
        Some("PATCH") => Ok(Method::Patch),
        other => {
            let text = format!(
                "{:?} is no method of an entry: send GET, HEAD, POST, PUT, PATCH or DELETE.",
                other.unwrap_or_default()
            );
            Err(Error::new(ErrorCode::Value, text))
        }
    }
}

/// Entity tags: `W/"1"`, a list of them, or `*`.
fn tags(text: Option<&str>, place: &str) -> Result<Option<EntityTags>> {
    let Some(text) = text else { return Ok(None) };
    if text.trim() == "*" {
        return Ok(Some(EntityTags::Any));
    }
    let one = |tag: &str| {
        let tag = tag.trim();
        let version = tag
            .strip_prefix("W/")
            .unwrap_or(tag)
            .strip_prefix('"')?
            .strip_suffix('"')?;
        (!version.is_empty() && !version.contains('"')).then(|| version.to_owned())
    };
    match text.split(',').map(one).collect() {
        Some(versions) => Ok(Some(EntityTags::Versions(versions))),
        None => {
            let text = format!("{text:?} is no entity tag: expected a version such as W/\"1\", or *.");
            Err(Error::new(ErrorCode::Value, text).at(place))
        }
    }
}
