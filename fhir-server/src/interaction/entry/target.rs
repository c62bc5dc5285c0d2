//! What a method and a URL in an entry ask (<https://hl7.org/fhir/R4/http.html#summary>).

use super::Method;
use crate::error::{Error, ErrorCode, Result};
use crate::interaction::{Interaction, Request, uri};
use crate::store::{Key, ResourceType};

/// An interaction, and the type, id and version that it is on.
type Target<'u> = (Interaction, Option<&'u str>, Option<&'u str>, Option<&'u str>);

/// The request that a method and a URL stand for; the URL is relative to the base, or begins with it.
pub(super) fn read(method: Method, url: &str, base: &str) -> Result<Request> {
    let below = below(url, base)?;
    let (path, query) = below.split_once('?').unwrap_or((below, ""));
    let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    if let (Method::Get | Method::Head, &[of_type, id, member]) = (method, segments.as_slice())
        && !member.starts_with(['_', '$'])
        && ![of_type, id, member].contains(&"")
    {
        return compartment(of_type, id, member, query, base);
    }
    if let (Method::Post, &[of_type, id, member, "_search"]) = (method, segments.as_slice()) {
        return compartment(of_type, id, member, query, base);
    }
    let (segments, operation) = match segments.split_last() {
        Some((last, above)) if last.starts_with('$') => (above, last.strip_prefix('$')),
        _ => (segments.as_slice(), None),
    };
    let (interaction, of_type, id, version) = match operation {
        Some(_) => target_of_operation(method, segments).ok_or_else(|| nothing(url))?,
        None => target(method, segments, url)?,
    };
    let mut request = Request::new(interaction, base);
    request.operation = operation.map(str::to_owned);
    request.safe = matches!(method, Method::Get | Method::Head);
    request.resource_type = of_type.map(resource_type).transpose()?;
    request.id = id.map(checked_id).transpose()?;
    request.version = version.map(str::to_owned);
    request.query = parameters(query)?;
    Ok(request)
}

/// A search of the compartment around a resource.
fn compartment(of_type: &str, id: &str, member: &str, query: &str, base: &str) -> Result<Request> {
    let member = match member {
        "*" => None,
        name => Some(resource_type(name)?),
    };
    let interaction = match member {
        Some(_) => Interaction::SearchType,
        None => Interaction::SearchSystem,
    };
    let mut request = Request::new(interaction, base);
    request.resource_type = member;
    request.compartment = Some(Key {
        resource_type: resource_type(of_type)?,
        id: checked_id(id)?,
    });
    request.query = parameters(query)?;
    Ok(request)
}

/// The parameters of a query, `_format` and `_pretty` apart.
fn parameters(query: &str) -> Result<Vec<(String, String)>> {
    let parameters =
        uri::decode_query(query).filter(|all| !all.iter().any(|(n, v)| n.contains('\0') || v.contains('\0')));
    let mut parameters = parameters.ok_or_else(|| bad("The query has an escape that is not UTF-8 text."))?;
    parameters.retain(|(name, _)| name != "_format" && name != "_pretty");
    Ok(parameters)
}

/// The URL without the base.
fn below<'u>(url: &'u str, base: &str) -> Result<&'u str> {
    match url
        .strip_prefix(base)
        .filter(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
    {
        Some(rest) => Ok(rest),
        None if url.split('?').next().is_some_and(|path| path.contains("://")) => Err(bad(format!(
            "The URL {url:?} is not one of this server: send it relative to the base, such as Patient/1."
        ))),
        None => Ok(url),
    }
}

fn target<'u>(method: Method, segments: &[&'u str], url: &str) -> Result<Target<'u>> {
    use Interaction as I;
    Ok(match (method, segments) {
        (Method::Get | Method::Head, segments) => {
            return target_to_read(segments).ok_or_else(|| nothing(url));
        }
        (Method::Post, ["_search"]) => (I::SearchSystem, None, None, None),
        (Method::Post, &[of_type, "_search"]) => (I::SearchType, Some(of_type), None, None),
        (Method::Post, &[of_type]) if !of_type.is_empty() => (I::Create, Some(of_type), None, None),
        (Method::Put, &[of_type, id]) => (I::Update, Some(of_type), Some(id), None),
        (Method::Patch, &[of_type, id]) => (I::Patch, Some(of_type), Some(id), None),
        (Method::Delete, &[of_type, id]) => (I::Delete, Some(of_type), Some(id), None),
        (Method::Put, &[of_type]) if !of_type.is_empty() => (I::Update, Some(of_type), None, None),
        (Method::Delete, &[of_type]) if !of_type.is_empty() => (I::Delete, Some(of_type), None, None),
        (Method::Patch, &[of_type]) if !of_type.is_empty() => (I::Patch, Some(of_type), None, None),
        _ => return Err(nothing(url)),
    })
}

fn target_of_operation<'u>(method: Method, segments: &[&'u str]) -> Option<Target<'u>> {
    if !matches!(method, Method::Get | Method::Head | Method::Post) {
        return None;
    }
    let operation = Interaction::Operation;
    Some(match segments {
        [] => (operation, None, None, None),
        &[of_type] => (operation, Some(of_type), None, None),
        &[of_type, id] => (operation, Some(of_type), Some(id), None),
        _ => return None,
    })
}

fn target_to_read<'u>(segments: &[&'u str]) -> Option<Target<'u>> {
    use Interaction as I;
    Some(match segments {
        [""] => (I::SearchSystem, None, None, None),
        ["metadata"] => (I::Capabilities, None, None, None),
        ["_history"] => (I::HistorySystem, None, None, None),
        &[of_type] => (I::SearchType, Some(of_type), None, None),
        &[of_type, "_history"] => (I::HistoryType, Some(of_type), None, None),
        &[of_type, id] => (I::Read, Some(of_type), Some(id), None),
        &[of_type, id, "_history"] => (I::HistoryInstance, Some(of_type), Some(id), None),
        &[of_type, id, "_history", version] => (I::Vread, Some(of_type), Some(id), Some(version)),
        _ => return None,
    })
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

fn bad(text: impl Into<String>) -> Error {
    Error::new(ErrorCode::Value, text).at("http.url")
}

fn nothing(url: &str) -> Error {
    bad(format!(
        "The URL {url:?} stands for nothing that an entry with this method can ask."
    ))
}
