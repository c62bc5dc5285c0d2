//! Entries of a batch or transaction: each as a request of its own, and its answer as an entry of the response
//! (<https://hl7.org/fhir/R4/bundle.html#transaction>).

use fhir_model::{Bundle, BundleEntry, BundleEntryRequest};

use super::bundle::Members;
use super::{EntityTags, Interaction, Payload, PreferReturn, Request, Response, outcome, uri};
use crate::context::Millis;
use crate::engine::{OutcomeSystems, Session, in_entry};
use crate::error::{Error, ErrorCode, Result, Severity};
use crate::store::ResourceType;

/// The methods, in the order in which a transaction does them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Method {
    Delete,
    Post,
    Put,
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
        let mut request = target(method, asked.url.as_str().unwrap_or_default(), &outer.base)?;
        request.if_match = tags(asked.if_match.as_str(), "http.if-match")?;
        request.if_none_match = tags(asked.if_none_match.as_str(), "http.if-none-match")?;
        request.if_none_exist = asked.if_none_exist.as_str().map(str::to_owned);
        request.if_modified_since = asked.if_modified_since.value.as_ref().and_then(|since| {
            let (first, _) = since.interval(&jiff::tz::TimeZone::UTC)?;
            Some(Millis(first.div_euclid(1000)))
        });
        request.prefer_return = outer.prefer_return.or(Some(PreferReturn::Minimal));
        request.strict_handling = outer.strict_handling;
        let writes = matches!(request.interaction, Interaction::Create | Interaction::Update);
        if writes && entry.resource.is_none() {
            let text = "The entry has no resource: POST and PUT need one.";
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
    target(method(Some(method_name))?, url, base)
}

fn method(name: Option<&str>) -> Result<Method> {
    match name {
        Some("DELETE") => Ok(Method::Delete),
        Some("POST") => Ok(Method::Post),
        Some("PUT") => Ok(Method::Put),
        Some("GET") => Ok(Method::Get),
        Some("HEAD") => Ok(Method::Head),
        Some("PATCH") => Err(Error::new(
            ErrorCode::NotSupported,
            "PATCH is not offered yet: send the whole resource with PUT.",
        )),
        other => {
            let text = format!(
                "{:?} is no method of an entry: send GET, HEAD, POST, PUT or DELETE.",
                other.unwrap_or_default()
            );
            Err(Error::new(ErrorCode::Value, text))
        }
    }
}

/// The request that a method and a URL stand for.
fn target(method: Method, url: &str, base: &str) -> Result<Request> {
    let below = match url
        .strip_prefix(base)
        .filter(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
    {
        Some(rest) => rest,
        None if url.contains("://") => {
            let text = format!(
                "The URL {url:?} is not one of this server: send it relative to the base, such as Patient/1."
            );
            return Err(Error::new(ErrorCode::Value, text).at("http.url"));
        }
        None => url,
    };
    let (path, query) = below.split_once('?').unwrap_or((below, ""));
    let path = path.trim_start_matches('/').trim_end_matches('/');
    let mut segments = path.split('/');
    let parts = [(); 5].map(|()| segments.next());
    if let Some(operation) = path.split('/').find(|s| s.starts_with('$')) {
        return Err(Error::new(
            ErrorCode::NotSupported,
            format!("The operation {operation} is not offered."),
        )
        .at("http.url"));
    }
    let parameters = uri::decode_query(query).ok_or_else(|| {
        Error::new(
            ErrorCode::Value,
            "The query has an escape that is not UTF-8 text.",
        )
        .at("http.url")
    })?;
    let mut request = Request::new(Interaction::SearchSystem, base);
    let reads = matches!(method, Method::Get | Method::Head);
    let (interaction, of_type, id, version) = match (method, parts) {
        (_, [Some("metadata"), None, ..]) if reads => (Interaction::Capabilities, None, None, None),
        (_, [Some("_history"), None, ..]) if reads => (Interaction::HistorySystem, None, None, None),
        (_, [Some(""), None, ..]) if reads => (Interaction::SearchSystem, None, None, None),
        (Method::Post, [Some("_search"), None, ..]) => (Interaction::SearchSystem, None, None, None),
        (Method::Post, [Some(t), Some("_search"), None, ..]) => {
            (Interaction::SearchType, Some(t), None, None)
        }
        (_, [Some(t), Some("_history"), None, ..]) if reads => {
            (Interaction::HistoryType, Some(t), None, None)
        }
        (_, [Some(t), Some(id), Some("_history"), None, _]) if reads => {
            (Interaction::HistoryInstance, Some(t), Some(id), None)
        }
        (_, [Some(t), Some(id), Some("_history"), Some(v), None]) if reads => {
            (Interaction::Vread, Some(t), Some(id), Some(v))
        }
        (_, [Some(t), Some(id), None, ..]) if reads => (Interaction::Read, Some(t), Some(id), None),
        (_, [Some(t), None, ..]) if reads => (Interaction::SearchType, Some(t), None, None),
        (Method::Put, [Some(t), Some(id), None, ..]) => (Interaction::Update, Some(t), Some(id), None),
        (Method::Delete, [Some(t), Some(id), None, ..]) => (Interaction::Delete, Some(t), Some(id), None),
        (Method::Post, [Some(t), None, ..]) if !t.is_empty() => (Interaction::Create, Some(t), None, None),
        (Method::Put | Method::Delete, [Some(t), None, ..]) if ResourceType::from_name(t).is_some() => {
            let text = format!(
                "A conditional update or delete of {t} is not offered yet: search first, then name the id."
            );
            return Err(Error::new(ErrorCode::NotSupported, text).at("http.url"));
        }
        _ => {
            let text = format!("The URL {url:?} stands for nothing that an entry with this method can ask.");
            return Err(Error::new(ErrorCode::Value, text).at("http.url"));
        }
    };
    request.interaction = interaction;
    request.resource_type = of_type.map(resource_type).transpose()?;
    request.id = id.map(checked_id).transpose()?;
    request.version = version.map(str::to_owned);
    request.query = parameters;
    request
        .query
        .retain(|(name, _)| name != "_format" && name != "_pretty");
    Ok(request)
}

fn resource_type(name: &str) -> Result<ResourceType> {
    ResourceType::from_name(name).ok_or_else(|| {
        Error::new(
            ErrorCode::NotFound,
            format!("There is no resource type {name:?} in FHIR R4."),
        )
        .at("http.url")
    })
}

fn checked_id(id: &str) -> Result<String> {
    let good = (1..=64).contains(&id.len())
        && id
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.');
    match good {
        true => Ok(id.to_owned()),
        false => {
            let text = format!("{id:?} is no id: expected 1 to 64 of the characters A-Z a-z 0-9 - .");
            Err(Error::new(ErrorCode::Value, text).at("http.url"))
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

/// The entity tag of a version.
pub(super) fn etag(version: i64) -> String {
    format!("W/\"{version}\"")
}

/// Writes the answer of an entry.
pub(super) fn write_answer(
    members: &mut Members<'_>,
    entry: Option<&Entry>,
    answer: &Result<Response>,
    systems: &OutcomeSystems,
) -> Result<()> {
    let response = match answer {
        Ok(response) => response,
        Err(error) => {
            return members.object("response", |members| {
                members.text("status", &status_line(error.code.facts().status))?;
                members.raw("outcome", &outcome::of_error(error, systems));
                Ok(())
            });
        }
    };
    if let (Payload::Json(json), Some(entry)) = (&response.payload, entry)
        && entry.method != Method::Head
    {
        if let Some(url) = full_url(&entry.request, response) {
            members.text("fullUrl", &url)?;
        }
        members.raw("resource", json);
    }
    members.object("response", |members| {
        members.text("status", &status_line(response.status))?;
        if let Some(location) = &response.location {
            members.text("location", location)?;
        }
        if let Some(version) = response.version {
            members.text("etag", &etag(version))?;
        }
        if let Some(at) = response.last_modified {
            members.text("lastModified", &at.to_instant())?;
        }
        let warns = response.issues.iter().any(|i| i.severity == Severity::Warning);
        if matches!(response.payload, Payload::Outcome)
            || (warns && matches!(response.payload, Payload::None))
        {
            members.raw(
                "outcome",
                &outcome::operation_outcome(None, &response.issues, systems),
            );
        }
        Ok(())
    })
}

/// The URL of the one resource that an answer holds.
fn full_url(request: &Request, response: &Response) -> Option<String> {
    let of_resource = match &response.location {
        Some(location) => location.split("/_history/").next()?.to_owned(),
        None if matches!(request.interaction, Interaction::Read | Interaction::Vread) => {
            request.key().ok()?.to_string()
        }
        None => return None,
    };
    Some(format!("{}/{of_resource}", request.base))
}

/// A status with its words (RFC 9110, section 15).
fn status_line(status: u16) -> String {
    let words = match status {
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        304 => "Not Modified",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        409 => "Conflict",
        410 => "Gone",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        422 => "Unprocessable Content",
        428 => "Precondition Required",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        507 => "Insufficient Storage",
        _ => return status.to_string(),
    };
    format!("{status} {words}")
}
