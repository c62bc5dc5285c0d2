//! What the client prefers. `Prefer` (RFC 7240; <https://hl7.org/fhir/R4/http.html#ops>): `return` and `handling` are honoured, `respond-async` is
//! answered as not offered, preferences that FHIR does not know are ignored.
//! `Accept-Language` is the language of displays.

use actix_web::http::header::{ACCEPT_LANGUAGE, HeaderMap};

use crate::error::{Error, ErrorCode, Result};
use crate::interaction::{PreferReturn, Request};

/// Reads the preferences into the request.
pub(crate) fn read_into(request: &mut Request, headers: &HeaderMap) -> Result<()> {
    request.accept_language = headers
        .get(ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok().map(str::to_owned));
    for line in headers.get_all("prefer") {
        let line = line
            .to_str()
            .map_err(|_| refused("The header `Prefer` must be ASCII."))?;
        for preference in line.split(',') {
            // What follows a semicolon are parameters of the preference; FHIR defines none.
            let preference = preference.split(';').next().unwrap_or_default();
            let (name, value) = preference.split_once('=').unwrap_or((preference, ""));
            read_one(
                request,
                &name.trim().to_ascii_lowercase(),
                value.trim().trim_matches('"'),
            )?;
        }
    }
    Ok(())
}

/// The first preference of a name counts (RFC 7240, section 2).
fn read_one(request: &mut Request, name: &str, value: &str) -> Result<()> {
    match (name, value) {
        ("return", _) => {
            let preferred = match value {
                "minimal" => PreferReturn::Minimal,
                "representation" => PreferReturn::Representation,
                "OperationOutcome" => PreferReturn::OperationOutcome,
                _ => {
                    return Err(refused(
                        "`Prefer: return=` must be `minimal`, `representation` or `OperationOutcome`.",
                    ));
                }
            };
            request.prefer_return.get_or_insert(preferred);
        }
        ("handling", "strict" | "lenient") => {
            request.strict_handling.get_or_insert(value == "strict");
        }
        ("handling", _) => return Err(refused("`Prefer: handling=` must be `strict` or `lenient`.")),
        ("respond-async", _) => {
            let text = "The server does not offer `Prefer: respond-async`; send the request without it.";
            return Err(Error::new(ErrorCode::NotSupported, text).at("http.prefer"));
        }
        _ => {}
    }
    Ok(())
}

/// What `Preference-Applied` says of an answer to that request.
pub(crate) fn applied(request: &Request) -> Option<String> {
    use crate::interaction::Interaction::{Create, Patch, SearchSystem, SearchType, Transaction, Update};
    let mut applied = Vec::new();
    if matches!(request.interaction, Create | Update | Patch | Transaction) {
        applied.extend(request.prefer_return.map(|preferred| match preferred {
            PreferReturn::Minimal => "return=minimal",
            PreferReturn::Representation => "return=representation",
            PreferReturn::OperationOutcome => "return=OperationOutcome",
        }));
    }
    if matches!(request.interaction, SearchType | SearchSystem) {
        applied.extend(request.strict_handling.map(|strict| match strict {
            true => "handling=strict",
            false => "handling=lenient",
        }));
    }
    (!applied.is_empty()).then(|| applied.join(", "))
}

fn refused(diagnostics: &str) -> Error {
    Error::new(ErrorCode::Value, diagnostics).at("http.prefer")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interaction::Interaction;
    use actix_web::http::header::{HeaderName, HeaderValue};

    fn read(interaction: Interaction, lines: &[&str]) -> Result<Request> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(
                HeaderName::from_static("prefer"),
                HeaderValue::from_str(line).unwrap(),
            );
        }
        let mut request = Request::new(interaction, "http://x");
        read_into(&mut request, &headers).map(|()| request)
    }

    #[test]
    fn reads_return_and_handling() {
        let request = read(Interaction::Create, &["return=minimal; x=1, handling=strict"]).unwrap();
        assert_eq!(request.prefer_return, Some(PreferReturn::Minimal));
        assert_eq!(request.strict_handling, Some(true));
        assert_eq!(applied(&request).as_deref(), Some("return=minimal"));
        let request = read(
            Interaction::SearchType,
            &["Handling=\"lenient\"", "return=representation"],
        )
        .unwrap();
        assert_eq!(applied(&request).as_deref(), Some("handling=lenient"));
    }

    #[test]
    fn the_first_of_a_name_counts() {
        let request = read(Interaction::Create, &["return=minimal", "return=representation"]).unwrap();
        assert_eq!(request.prefer_return, Some(PreferReturn::Minimal));
    }

    #[test]
    fn async_is_answered_as_not_offered() {
        for line in ["respond-async", "return=minimal, respond-async; wait=10"] {
            assert_eq!(
                read(Interaction::Create, &[line]).unwrap_err().code,
                ErrorCode::NotSupported
            );
        }
    }

    #[test]
    fn a_known_name_with_an_unknown_value_is_refused_and_an_unknown_name_ignored() {
        for line in ["return=all", "return", "handling=maybe"] {
            assert_eq!(
                read(Interaction::Create, &[line]).unwrap_err().code,
                ErrorCode::Value,
                "{line}"
            );
        }
        let request = read(Interaction::Create, &["wait=5, , foo"]).unwrap();
        assert_eq!((applied(&request), request.prefer_return), (None, None));
    }
}
