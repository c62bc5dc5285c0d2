//! The conditional headers (<https://hl7.org/fhir/R4/http.html#concurrency>, RFC 9110 section 13).
//!
//! Invariant: a condition that cannot be read is refused; ignoring it would write where the client said not to.

use std::time::UNIX_EPOCH;

use actix_web::http::header::{self, HeaderMap, HeaderName, HttpDate};

use crate::context::Millis;
use crate::error::{Error, ErrorCode, Result};
use crate::interaction::{EntityTags, Request};

/// Reads all of them into the request.
pub(crate) fn read_into(request: &mut Request, headers: &HeaderMap) -> Result<()> {
    request.if_match = entity_tags(headers, &header::IF_MATCH)?;
    request.if_none_match = entity_tags(headers, &header::IF_NONE_MATCH)?;
    request.if_modified_since = modified_since(headers);
    request.if_none_exist = text(headers, &HeaderName::from_static("if-none-exist"))?;
    request.provenance = text(headers, &HeaderName::from_static("x-provenance"))?;
    Ok(())
}

/// `W/"1"`, `"1"`, a list of such, or `*`. The versions of a resource are compared weakly.
fn entity_tags(headers: &HeaderMap, name: &HeaderName) -> Result<Option<EntityTags>> {
    let mut versions = Vec::new();
    let mut any = false;
    for line in headers.get_all(name) {
        let line = line.to_str().map_err(|_| malformed(name))?;
        for tag in line.split(',').map(str::trim).filter(|t| !t.is_empty()) {
            match tag {
                "*" => any = true,
                _ => versions.push(version(tag).ok_or_else(|| malformed(name))?.to_owned()),
            }
        }
    }
    match (any, versions.is_empty()) {
        (true, true) => Ok(Some(EntityTags::Any)),
        (false, false) => Ok(Some(EntityTags::Versions(versions))),
        (false, true) if !headers.contains_key(name) => Ok(None),
        _ => Err(malformed(name)),
    }
}

fn version(tag: &str) -> Option<&str> {
    let quoted = tag.strip_prefix("W/").unwrap_or(tag);
    let version = quoted.strip_prefix('"')?.strip_suffix('"')?;
    let id = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.';
    (!version.is_empty() && version.len() <= 64 && version.bytes().all(id)).then_some(version)
}

/// A date that cannot be read is ignored, as RFC 9110 section 13.1.3 demands: the answer is then the whole resource.
fn modified_since(headers: &HeaderMap) -> Option<Millis> {
    let date: HttpDate = headers
        .get(header::IF_MODIFIED_SINCE)?
        .to_str()
        .ok()?
        .parse()
        .ok()?;
    let since = std::time::SystemTime::from(date)
        .duration_since(UNIX_EPOCH)
        .ok()?;
    i64::try_from(since.as_millis()).ok().map(Millis)
}

/// A header that may stand once.
fn text(headers: &HeaderMap, name: &HeaderName) -> Result<Option<String>> {
    let mut values = headers.get_all(name);
    let Some(value) = values.next() else {
        return Ok(None);
    };
    match (value.to_str(), values.next()) {
        (Ok(value), None) => Ok(Some(value.to_owned())),
        _ => Err(Error::new(
            ErrorCode::Value,
            format!("The header `{name}` must stand once, in ASCII."),
        )
        .at(format!("http.{name}"))),
    }
}

fn malformed(name: &HeaderName) -> Error {
    let text =
        format!("The header `{name}` must be a version such as `W/\"1\"`, a list of versions, or `*`.");
    Error::new(ErrorCode::Value, text).at(format!("http.{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interaction::Interaction;
    use actix_web::http::header::HeaderValue;

    fn read(lines: &[(&'static str, &str)]) -> Result<Request> {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(
                HeaderName::from_static(name),
                HeaderValue::from_bytes(value.as_bytes()).unwrap(),
            );
        }
        let mut request = Request::new(Interaction::Read, "http://x");
        read_into(&mut request, &headers).map(|()| request)
    }

    fn versions(list: &[&str]) -> Option<EntityTags> {
        Some(EntityTags::Versions(list.iter().map(|&v| v.to_owned()).collect()))
    }

    #[test]
    fn reads_every_form_of_entity_tags() {
        assert_eq!(
            read(&[("if-match", "W/\"1\"")]).unwrap().if_match,
            versions(&["1"])
        );
        assert_eq!(
            read(&[("if-match", "\"12\"")]).unwrap().if_match,
            versions(&["12"])
        );
        assert_eq!(
            read(&[("if-match", "W/\"1\", \"2\"")]).unwrap().if_match,
            versions(&["1", "2"])
        );
        let twice = [("if-none-match", "W/\"1\""), ("if-none-match", "W/\"2\"")];
        assert_eq!(read(&twice).unwrap().if_none_match, versions(&["1", "2"]));
        assert_eq!(
            read(&[("if-none-match", "*")]).unwrap().if_none_match,
            Some(EntityTags::Any)
        );
        assert_eq!(read(&[]).unwrap().if_match, None);
    }

    #[test]
    fn a_malformed_condition_is_refused_not_ignored() {
        for value in [
            "",
            "1",
            "W/1",
            "W/\"\"",
            "w/\"1\"",
            "W/\"1",
            "\"a b\"",
            "*, \"1\"",
            "\"é\"",
            "W/\"1\" W/\"2\"",
        ] {
            assert_eq!(
                read(&[("if-match", value)]).unwrap_err().code,
                ErrorCode::Value,
                "{value}"
            );
        }
        let twice = [("if-none-exist", "a=b"), ("if-none-exist", "a=c")];
        assert_eq!(read(&twice).unwrap_err().code, ErrorCode::Value);
    }

    #[test]
    fn reads_a_date_and_ignores_what_is_none() {
        let read_date = |v| read(&[("if-modified-since", v)]).unwrap().if_modified_since;
        assert_eq!(
            read_date("Mon, 23 Nov 2026 09:30:00 GMT"),
            Some(Millis(1_795_426_200_000))
        );
        assert_eq!(read_date("yesterday"), None);
    }
}
