//! Which web pages of other origins may call (<https://fetch.spec.whatwg.org/#http-cors-protocol>).
//!
//! Invariant: an origin is allowed only when it is configured letter by letter; only the CapabilityStatement is for all.
//! Credentials are never allowed: access tokens go in `Authorization`.

use actix_web::http::header::{self, HeaderMap, HeaderValue};

use crate::config::ListenConfig;

const EXPOSED: &str = "ETag, Last-Modified, Location, Content-Location, Preference-Applied, Retry-After, \
                       X-Request-ID, X-Correlation-ID";
const ACCEPTED: &str = "Accept, Authorization, Content-Type, Idempotency-Key, If-Match, If-Modified-Since, \
                        If-None-Exist, If-None-Match, Prefer, X-Break-Glass-Reason, X-Correlation-ID, X-Provenance, \
                        X-Purpose-Of-Use, X-Relationship-Reason, X-Request-ID, X-Security-Context";

/// Adds to an answer what a browser needs to hand it to a page, if it may. `allow` holds the methods of the path;
/// `public` says that it is for every origin.
pub(crate) fn add(
    config: &ListenConfig,
    request: &HeaderMap,
    public: bool,
    allow: &str,
    answer: &mut HeaderMap,
) {
    answer.append(header::VARY, HeaderValue::from_static("Origin"));
    let Some(origin) = request.get(header::ORIGIN) else {
        return;
    };
    let named = origin
        .to_str()
        .is_ok_and(|origin| config.allowed_origins.iter().any(|o| o == origin));
    if !named && !public {
        return;
    }
    let allowed = if named {
        origin.clone()
    } else {
        HeaderValue::from_static("*")
    };
    answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
    answer.insert(
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static(EXPOSED),
    );
    if let Ok(methods) = HeaderValue::from_str(allow)
        && request.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
    {
        answer.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
        answer.insert(
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            HeaderValue::from_static(ACCEPTED),
        );
        answer.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(origin: &'static str, public: bool) -> HeaderMap {
        let config = ListenConfig {
            allowed_origins: vec!["https://app.example.nhs.uk".into()],
            ..ListenConfig::default()
        };
        let mut request = HeaderMap::new();
        request.insert(header::ORIGIN, HeaderValue::from_static(origin));
        request.insert(
            header::ACCESS_CONTROL_REQUEST_METHOD,
            HeaderValue::from_static("PUT"),
        );
        let mut answer = HeaderMap::new();
        add(&config, &request, public, "GET, PUT", &mut answer);
        answer
    }

    #[test]
    fn a_named_origin_is_allowed_and_told_the_methods() {
        let headers = answer("https://app.example.nhs.uk", false);
        assert_eq!(
            headers.get("access-control-allow-origin").unwrap(),
            "https://app.example.nhs.uk"
        );
        assert_eq!(headers.get("access-control-allow-methods").unwrap(), "GET, PUT");
        assert!(!headers.contains_key("access-control-allow-credentials"));
    }

    #[test]
    fn a_variant_of_a_named_origin_is_refused() {
        for origin in [
            "null",
            "*",
            "http://app.example.nhs.uk",
            "https://app.example.nhs.uk:8443",
            "https://app.example.nhs.uk.evil.example",
            "https://evil.example?https://app.example.nhs.uk",
            "https://APP.example.nhs.uk",
            "https://app.example.nhs.uk/",
        ] {
            let headers = answer(origin, false);
            assert!(!headers.contains_key("access-control-allow-origin"), "{origin}");
            assert_eq!(headers.get("vary").unwrap(), "Origin");
        }
    }

    #[test]
    fn the_capability_statement_is_for_every_origin() {
        assert_eq!(
            answer("https://else.example", true)
                .get("access-control-allow-origin")
                .unwrap(),
            "*"
        );
    }
}
