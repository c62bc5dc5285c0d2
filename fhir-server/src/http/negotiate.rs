//! Which format an answer has: `_format`, else `Accept` with its q-values
//! (<https://hl7.org/fhir/R4/http.html#mime-type>, RFC 9110 section 12.5.1).

use super::media_type::MediaType;
use crate::error::{Error, ErrorCode, Result};
use crate::interaction::Format;

/// The format of the answer.
///
/// # Errors
/// [`ErrorCode::NotAcceptable`]: neither JSON nor XML fits.
pub(crate) fn format(format_parameter: Option<&str>, accept: Option<&str>) -> Result<Format> {
    match (format_parameter, accept) {
        (Some(name), _) => from_parameter(name),
        (None, Some(accept)) if !accept.trim().is_empty() => from_accept(accept),
        _ => Ok(Format::Json),
    }
}

/// The format of an error's answer: what was asked for, else JSON.
pub(crate) fn error_format(format_parameter: Option<&str>, accept: Option<&str>) -> Format {
    format(format_parameter, accept).unwrap_or_default()
}

/// Whether `Accept` names a type that is not one of FHIR's.
pub(crate) fn names_other_types(accept: &str) -> bool {
    ranges(accept).any(|(range, _)| format_of(&range).is_none() && range.essence != "*/*")
}

/// Whether `Accept` asks for the content of a Binary in its own media type rather than for the resource
/// (<https://hl7.org/fhir/R4/binary.html#rest>).
pub(crate) fn wants_native(accept: Option<&str>, content_type: &str) -> bool {
    let native = MediaType::parse(content_type);
    let (mut best_native, mut best_fhir) = (0, 0);
    for (range, q) in ranges(accept.unwrap_or_default()) {
        match format_of(&range) {
            Some(_) => best_fhir = best_fhir.max(q),
            None if range.essence == "*/*" => {}
            None if native.as_ref().is_some_and(|n| covers(&range, n)) => best_native = best_native.max(q),
            None => {}
        }
    }
    best_native > best_fhir
}

fn from_parameter(name: &str) -> Result<Format> {
    // An unescaped `+` in a query is a space by the time it gets here.
    let name = name.trim().replace(' ', "+");
    let known = match name.as_str() {
        "json" => Some(Format::Json),
        "xml" => Some(Format::Xml),
        _ => MediaType::parse(&name).and_then(|m| format_of(&m).filter(|_| acceptable_parameters(&m))),
    };
    known.ok_or_else(|| {
        let text = format!(
            "The server cannot answer in `_format={}`; it answers in `json` (application/fhir+json) and `xml` \
             (application/fhir+xml), FHIR version 4.0.",
            shown(&name)
        );
        Error::new(ErrorCode::NotAcceptable, text).at("http._format")
    })
}

fn from_accept(accept: &str) -> Result<Format> {
    let (mut json, mut xml, mut any, mut browser) = (None, None, None, false);
    for (range, q) in ranges(accept) {
        match format_of(&range) {
            Some(Format::Json) => json = json.max(Some(q)),
            Some(Format::Xml) => xml = xml.max(Some(q)),
            None if matches!(range.essence.as_str(), "*/*" | "application/*") => any = any.max(Some(q)),
            None => browser |= range.essence == "text/html",
        }
    }
    // A browser names XML after HTML out of habit; JSON is what its reader wants to see.
    let json = if browser && any > Some(0) {
        json.or(Some(1000))
    } else {
        json.or(any)
    };
    let (json, xml) = (json.unwrap_or(0), xml.or(any).unwrap_or(0));
    match (json, xml) {
        (0, 0) => Err(Error::new(
            ErrorCode::NotAcceptable,
            format!(
                "The server cannot answer in what `Accept: {}` asks for; it answers in application/fhir+json and \
                 application/fhir+xml, FHIR version 4.0, UTF-8.",
                shown(accept)
            ),
        )
        .at("http.accept")),
        (json, xml) if xml > json => Ok(Format::Xml),
        _ => Ok(Format::Json),
    }
}

/// The media ranges with their weights in thousandths; those that ask for another version or charset are left out.
fn ranges(accept: &str) -> impl Iterator<Item = (MediaType, u32)> {
    accept.split(',').filter_map(|part| {
        let range = MediaType::parse(part)?;
        let q = match range.parameter("q") {
            Some(q) => weight(q)?,
            None => 1000,
        };
        acceptable_parameters(&range).then_some((range, q))
    })
}

fn weight(q: &str) -> Option<u32> {
    let q: f32 = q.parse().ok()?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and 1000"
    )]
    (0.0..=1.0).contains(&q).then(|| (q * 1000.0).round() as u32)
}

fn acceptable_parameters(media_type: &MediaType) -> bool {
    media_type.is_version_4_0() && media_type.is_utf_8()
}

/// The format that a media type stands for, the aliases that people send included.
pub(crate) fn format_of(media_type: &MediaType) -> Option<Format> {
    match media_type.essence.as_str() {
        "application/fhir+json" | "application/json" | "text/json" | "application/json+fhir" => {
            Some(Format::Json)
        }
        "application/fhir+xml" | "application/xml" | "text/xml" | "application/xml+fhir" => Some(Format::Xml),
        _ => None,
    }
}

fn covers(range: &MediaType, media_type: &MediaType) -> bool {
    match range.essence.strip_suffix("/*") {
        Some(top) => media_type.essence.split('/').next() == Some(top),
        None => range.essence == media_type.essence,
    }
}

/// What the client sent, short enough for a message.
fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(accept: &str) -> Option<Format> {
        format(None, Some(accept)).ok()
    }

    #[test]
    fn nothing_asked_is_json() {
        assert_eq!(format(None, None).unwrap(), Format::Json);
        assert_eq!(accepted(""), Some(Format::Json));
        assert_eq!(accepted("*/*"), Some(Format::Json));
    }

    #[test]
    fn the_aliases_that_people_send_are_known() {
        for name in [
            "json",
            "application/json",
            "application/fhir+json",
            "application/fhir json",
            "text/json",
        ] {
            assert_eq!(
                format(Some(name), Some("application/fhir+xml")).unwrap(),
                Format::Json,
                "{name}"
            );
        }
        for name in [
            "xml",
            "text/xml",
            "application/xml",
            "application/fhir+xml",
            "application/fhir xml;charset=utf-8",
        ] {
            assert_eq!(format(Some(name), None).unwrap(), Format::Xml, "{name}");
        }
    }

    #[test]
    fn the_greatest_weight_wins_and_json_breaks_the_tie() {
        for (accept, expected) in [
            ("application/fhir+xml", Format::Xml),
            ("application/fhir+json;q=0.5, application/fhir+xml", Format::Xml),
            ("application/fhir+json, application/fhir+xml", Format::Json),
            ("application/fhir+xml;q=0.1, */*;q=0.5", Format::Json),
            ("application/fhir+json;q=0, */*", Format::Xml),
            ("APPLICATION/FHIR+XML", Format::Xml),
            ("application/fhir+xml; fhirVersion=4.0", Format::Xml),
            ("application/fhir+json; version=1.4.0", Format::Json),
            ("text/plain, application/xml", Format::Xml),
            (
                "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
                Format::Json,
            ),
        ] {
            assert_eq!(accepted(accept), Some(expected), "{accept}");
        }
    }

    #[test]
    fn what_cannot_be_given_is_406() {
        for accept in [
            "text/html",
            "application/fhir+json;q=0",
            "application/fhir+json; fhirVersion=5.0",
            "application/fhir+json; charset=utf-16",
            "application/fhir+turtle",
            "nonsense",
        ] {
            let error = format(None, Some(accept)).unwrap_err();
            assert_eq!(error.code, ErrorCode::NotAcceptable, "{accept}");
        }
        for name in [
            "html",
            "ttl",
            "text/turtle",
            "",
            "application/fhir+json;fhirVersion=3.0",
            "\r\nX: y",
        ] {
            assert_eq!(
                format(Some(name), None).unwrap_err().code,
                ErrorCode::NotAcceptable,
                "{name}"
            );
        }
    }

    #[test]
    fn an_error_always_finds_a_format() {
        assert_eq!(error_format(Some("html"), None), Format::Json);
        assert_eq!(error_format(None, Some("application/fhir+xml")), Format::Xml);
    }

    #[test]
    fn a_binary_goes_out_natively_only_where_its_type_is_asked_for() {
        for (accept, native) in [
            ("application/pdf", true),
            ("image/png, application/pdf;q=0.5", true),
            ("application/*", true),
            ("*/*", false),
            ("application/fhir+json", false),
            ("application/fhir+json, application/pdf;q=0.5", false),
            ("application/pdf, application/fhir+json;q=0.5", true),
            ("image/png", false),
        ] {
            assert_eq!(wants_native(Some(accept), "application/pdf"), native, "{accept}");
        }
        assert!(!wants_native(None, "application/pdf"));
        assert!(
            names_other_types("application/fhir+json, image/*") && !names_other_types("text/xml, */*;q=0.1")
        );
    }
}
