//! `X-Request-ID` and `X-Correlation-ID`: taken where they have their form, echoed in every answer.
//!
//! Invariant: nothing is echoed that has not been checked letter by letter.

use actix_web::http::header::{HeaderMap, HeaderName};
use uuid::Uuid;

use crate::error::{Error, ErrorCode, Result};
use crate::interaction::ReplayKey;
use crate::random;

/// The header of the request's id.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The header of the id that ties requests of several systems together.
pub(crate) const CORRELATION_ID: HeaderName = HeaderName::from_static("x-correlation-id");

/// The request's id: the client's where it is a UUID, else one of our own.
pub(crate) fn request_id(headers: &HeaderMap) -> String {
    let sent = headers.get(&REQUEST_ID).and_then(|v| v.to_str().ok());
    match sent.map(|text| (text, Uuid::try_parse(text))) {
        Some((text, Ok(_))) if text.len() == 36 => text.to_owned(),
        Some((text, _)) => {
            let made = random::uuid().to_string();
            // What was sent may name somebody.
            tracing::debug!(request_id = %made, length = text.len(), "X-Request-ID is no UUID; another was made");
            made
        }
        None => random::uuid().to_string(),
    }
}

/// The correlation id, where one was sent.
///
/// # Errors
/// It is not 1 to 128 of the characters allowed.
pub(crate) fn correlation_id(headers: &HeaderMap) -> Result<Option<String>> {
    let Some(value) = headers.get(&CORRELATION_ID) else {
        return Ok(None);
    };
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._:/-".contains(&b);
    match value.to_str() {
        Ok(text) if (1..=128).contains(&text.len()) && text.bytes().all(allowed) => Ok(Some(text.to_owned())),
        _ => {
            let text =
                "The header `X-Correlation-ID` must be 1 to 128 letters, digits and `.`, `_`, `:`, `/`, `-`.";
            Err(Error::new(ErrorCode::Value, text).at("http.x-correlation-id"))
        }
    }
}

/// The header of the key by which a write that is sent again is known.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// What a write that is sent again is known by: its `Idempotency-Key`, else an `X-Request-ID` of the client's own.
///
/// # Errors
/// The key is not 1 to 128 letters that can be seen, or stands twice.
pub(crate) fn replay_key(headers: &HeaderMap) -> Result<Option<ReplayKey>> {
    let mut keys = headers.get_all(&IDEMPOTENCY_KEY);
    match (keys.next().map(|key| key.to_str()), keys.next()) {
        (None, _) => {
            let sent = headers.get(&REQUEST_ID).and_then(|v| v.to_str().ok());
            let id = sent.filter(|text| text.len() == 36 && Uuid::try_parse(text).is_ok());
            Ok(id.map(|id| ReplayKey::RequestId(id.to_ascii_lowercase())))
        }
        (Some(Ok(key)), None)
            if (1..=128).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic() || b == b' ') =>
        {
            Ok(Some(ReplayKey::Key(key.to_owned())))
        }
        _ => {
            let text = "The header `Idempotency-Key` must stand once, with 1 to 128 letters of ASCII; a UUID will do.";
            Err(Error::new(ErrorCode::Value, text).at("http.idempotency-key"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    fn headers(name: HeaderName, value: &[u8]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_bytes(value).unwrap());
        headers
    }

    #[test]
    fn a_uuid_is_kept_and_all_else_replaced() {
        let sent = "60e0b220-8136-4ca5-ae46-1d97ef59d068";
        assert_eq!(request_id(&headers(REQUEST_ID, sent.as_bytes())), sent);
        for bad in [
            "1",
            "60e0b22081364ca5ae461d97ef59d068",
            "{60e0b220-8136-4ca5-ae46-1d97ef59d068}",
            "",
            "<script>",
        ] {
            let made = request_id(&headers(REQUEST_ID, bad.as_bytes()));
            assert_ne!(made, bad);
            assert!(Uuid::try_parse(&made).is_ok());
        }
        assert_ne!(request_id(&HeaderMap::new()), request_id(&HeaderMap::new()));
    }

    #[test]
    fn a_correlation_id_is_checked() {
        assert_eq!(correlation_id(&HeaderMap::new()).unwrap(), None);
        let good = "a/B-1.2_3:4";
        assert_eq!(
            correlation_id(&headers(CORRELATION_ID, good.as_bytes()))
                .unwrap()
                .as_deref(),
            Some(good)
        );
        let long = [b'a'; 129];
        for bad in [&b""[..], b"a b", b"a;b", b"\xff", &long] {
            assert_eq!(
                correlation_id(&headers(CORRELATION_ID, bad)).unwrap_err().code,
                ErrorCode::Value
            );
        }
    }
}
