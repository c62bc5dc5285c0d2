//! What a body is by its `Content-Type`, and whether it looks like that.

use actix_web::http::header::{CONTENT_TYPE, HeaderMap};
use bytes::Bytes;

use super::media_type::MediaType;
use super::negotiate::format_of;
use crate::error::{Error, ErrorCode, Result};
use crate::interaction::{Format, PatchForm, RequestBody};
use crate::patch;

/// What a `Content-Type` announces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// FHIR in JSON or XML.
    Fhir(Format),
    /// A patch in a form that is not FHIR.
    Patch(PatchForm),
    /// A patch of which no more is said than that it is JSON.
    PlainJson,
    /// `application/x-www-form-urlencoded`
    Form,
    /// Another type.
    Other,
}

/// Reads `Content-Type`.
///
/// # Errors
/// [`ErrorCode::UnsupportedMediaType`]: missing, malformed, of another charset or FHIR version.
pub(crate) fn announced(headers: &HeaderMap) -> Result<Content> {
    let mut values = headers.get_all(CONTENT_TYPE);
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(unsupported(
            "The request needs one `Content-Type` header, such as `application/fhir+json`.",
        ));
    };
    let media_type = value.to_str().ok().and_then(MediaType::parse).ok_or_else(|| {
        unsupported("The header `Content-Type` is not a media type such as `application/fhir+json`.")
    })?;
    let content = match format_of(&media_type) {
        Some(format) => Content::Fhir(format),
        None if media_type.essence == "application/x-www-form-urlencoded" => Content::Form,
        None => match PatchForm::of_media_type(&media_type.essence) {
            Some(form) => Content::Patch(form),
            None => return Ok(Content::Other),
        },
    };
    if !media_type.is_utf_8() {
        return Err(unsupported(
            "The server reads UTF-8 only; send the body in UTF-8, with `charset=utf-8` or none.",
        ));
    }
    if !media_type.is_version_4_0() {
        return Err(unsupported(
            "The server reads FHIR version 4.0 only; send `fhirVersion=4.0` or none.",
        ));
    }
    Ok(content)
}

/// Reads `Content-Type` where a patch must be.
///
/// # Errors
/// [`ErrorCode::UnsupportedMediaType`]: it is none of the media types of patches. `application/json` says no more than that it is JSON:
/// there, the body tells which of the three forms in JSON it is.
pub(crate) fn announced_patch(headers: &HeaderMap) -> Result<Content> {
    let fhir = |media_type: MediaType| {
        matches!(
            media_type.essence.as_str(),
            "application/fhir+json" | "application/fhir+xml"
        )
    };
    match announced(headers) {
        Ok(content @ Content::Patch(_)) => Ok(content),
        Ok(Content::Fhir(Format::Json)) if is_plain_json(headers) => Ok(Content::PlainJson),
        Ok(content @ Content::Fhir(_)) if MediaType::parse(sent(headers)).is_some_and(fhir) => Ok(content),
        Err(error) if is_announced(headers) => Err(error),
        _ => Err(not_a_patch(headers)),
    }
}

fn is_plain_json(headers: &HeaderMap) -> bool {
    MediaType::parse(sent(headers)).is_some_and(|media_type| media_type.essence == "application/json")
}

/// The body as the form of patch in JSON that it must be: an array is a JSON Patch, a Parameters resource a FHIRPath Patch, any other object
/// a merge patch. No body is of two of them.
///
/// # Errors
/// It is empty, or neither an array nor an object.
pub(crate) fn patch_by_look(body: Bytes) -> Result<RequestBody> {
    #[derive(serde::Deserialize)]
    struct Head {
        #[serde(rename = "resourceType")]
        resource_type: Option<serde::de::IgnoredAny>,
    }
    let first = body.iter().copied().find(|byte| !byte.is_ascii_whitespace());
    match first {
        Some(b'[') => patch(PatchForm::Json, body),
        Some(b'{') => match serde_json::from_slice::<Head>(&body) {
            Ok(head) if head.resource_type.is_some() => fhir(Format::Json, body),
            _ => patch(PatchForm::Merge, body),
        },
        None => patch(PatchForm::Json, body),
        Some(_) => {
            let text = format!(
                "The body is no patch: as `application/json`, send an array (JSON Patch), an object (JSON Merge Patch) or a Parameters \
                 resource (FHIRPath Patch); or one of {}.",
                patch::TAKEN
            );
            Err(Error::new(ErrorCode::Structure, text).at("http.content-type"))
        }
    }
}

/// The refusal of a type where a patch must be.
pub(crate) fn not_a_patch(headers: &HeaderMap) -> Error {
    let found = match is_announced(headers) {
        true => format!("`Content-Type: {}` is no patch", shown(headers)),
        false => "The request has no `Content-Type`".to_owned(),
    };
    unsupported(&format!("{found}; PATCH takes {}.", patch::TAKEN))
}

/// The body as a patch, a byte order mark taken off.
///
/// # Errors
/// It is empty.
pub(crate) fn patch(form: PatchForm, body: Bytes) -> Result<RequestBody> {
    let body = match body.strip_prefix(b"\xef\xbb\xbf") {
        Some(_) => body.slice(3..),
        None => body,
    };
    if body.trim_ascii().is_empty() {
        let text = "The request has no body; send the patch.";
        return Err(Error::new(ErrorCode::Structure, text));
    }
    Ok(RequestBody::Patch(form, body))
}

/// `Content-Type` as sent.
pub(crate) fn sent(headers: &HeaderMap) -> &str {
    headers
        .get(CONTENT_TYPE)
        .and_then(|v| v.to_str().ok())
        .unwrap_or_default()
}

/// Whether there is a `Content-Type`.
pub(crate) fn is_announced(headers: &HeaderMap) -> bool {
    headers.contains_key(CONTENT_TYPE)
}

/// Refuses content that no `Content-Type` announces.
pub(crate) fn announced_unless_empty(headers: &HeaderMap, body: &[u8]) -> Result<()> {
    match is_announced(headers) || body.is_empty() {
        true => Ok(()),
        false => Err(not_a_form()),
    }
}

/// The refusal of a type where FHIR must be.
pub(crate) fn not_fhir(headers: &HeaderMap) -> Error {
    let later = match announced(headers) {
        Ok(Content::Patch(_)) => ". A patch is sent with the method PATCH",
        _ => "",
    };
    unsupported(&format!(
        "The server cannot read `Content-Type: {}` here; send `application/fhir+json` or `application/fhir+xml`{later}.",
        shown(headers)
    ))
}

/// `Content-Type` as sent, short enough for a message.
fn shown(headers: &HeaderMap) -> String {
    sent(headers)
        .chars()
        .filter(|c| !c.is_control())
        .take(100)
        .collect()
}

/// The refusal of a type where the form of a search must be.
pub(crate) fn not_a_form() -> Error {
    unsupported(
        "A POST to `_search` takes its parameters as `Content-Type: application/x-www-form-urlencoded`.",
    )
}

/// The body as a form.
///
/// # Errors
/// It is not text.
pub(crate) fn form(body: &[u8]) -> Result<&str> {
    let text = "The form is not text; parameters must be UTF-8, percent-encoded.";
    str::from_utf8(body).map_err(|_| Error::new(ErrorCode::Value, text))
}

/// The body as FHIR text, a byte order mark taken off.
///
/// # Errors
/// It is empty, or looks like the other format or another encoding.
pub(crate) fn fhir(format: Format, body: Bytes) -> Result<RequestBody> {
    let body = match body.strip_prefix(b"\xef\xbb\xbf") {
        Some(_) => body.slice(3..),
        None => body,
    };
    if body.starts_with(b"\xff\xfe") || body.starts_with(b"\xfe\xff") {
        return Err(unsupported(
            "The body is UTF-16 by its byte order mark; send it in UTF-8.",
        ));
    }
    let first = body.iter().copied().find(|b| !b.is_ascii_whitespace());
    let hint = match (format, first) {
        (_, None) => "The request has no body; send the resource as JSON or XML.",
        (Format::Json, Some(b'<')) => {
            "`Content-Type` says JSON, but the body looks like XML; send it as `application/fhir+xml`."
        }
        (Format::Xml, Some(b'{' | b'[')) => {
            "`Content-Type` says XML, but the body looks like JSON; send it as `application/fhir+json`."
        }
        _ => return Ok(RequestBody::Fhir(format, body)),
    };
    Err(Error::new(ErrorCode::Structure, hint).at("http.content-type"))
}

fn unsupported(diagnostics: &str) -> Error {
    Error::new(ErrorCode::UnsupportedMediaType, diagnostics).at("http.content-type")
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    fn of(value: &'static str) -> Result<Content> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(value));
        announced(&headers)
    }

    #[test]
    fn knows_the_formats_and_their_aliases() {
        for value in [
            "application/fhir+json",
            "application/json; charset=UTF-8",
            "text/json",
            "Application/FHIR+JSON",
        ] {
            assert_eq!(of(value).unwrap(), Content::Fhir(Format::Json), "{value}");
        }
        for value in [
            "application/fhir+xml;fhirVersion=4.0",
            "application/xml",
            "text/xml",
        ] {
            assert_eq!(of(value).unwrap(), Content::Fhir(Format::Xml), "{value}");
        }
        assert_eq!(of("application/x-www-form-urlencoded").unwrap(), Content::Form);
        assert_eq!(of("image/png").unwrap(), Content::Other);
    }

    #[test]
    fn refuses_what_it_cannot_read() {
        for value in [
            "application/json; charset=utf-7",
            "text/xml;charset=utf-16",
            "application/fhir+json;fhirVersion=5.0",
            "json",
            "",
        ] {
            assert_eq!(
                of(value).unwrap_err().code,
                ErrorCode::UnsupportedMediaType,
                "{value}"
            );
        }
        assert_eq!(
            announced(&HeaderMap::new()).unwrap_err().code,
            ErrorCode::UnsupportedMediaType
        );
    }

    #[test]
    fn a_body_that_looks_like_the_other_format_is_told_so() {
        let body = |format, text: &'static [u8]| fhir(format, Bytes::from_static(text));
        for (format, text, word) in [
            (Format::Json, &b"  <Patient/>"[..], "XML"),
            (Format::Xml, b"\n{\"resourceType\":\"Patient\"}", "JSON"),
            (Format::Json, b" \n", "no body"),
        ] {
            let error = body(format, text).unwrap_err();
            assert!(error.to_string().contains(word), "{error}");
        }
        assert_eq!(
            body(Format::Json, b"\xff\xfe{\0").unwrap_err().code,
            ErrorCode::UnsupportedMediaType
        );
    }

    #[test]
    fn a_utf_8_byte_order_mark_is_taken_off() {
        let read = fhir(Format::Json, Bytes::from_static(b"\xef\xbb\xbf{}")).unwrap();
        assert!(matches!(read, RequestBody::Fhir(Format::Json, text) if &text[..] == b"{}"));
    }
}
