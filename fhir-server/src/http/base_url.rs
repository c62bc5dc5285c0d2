//! The FHIR base as the client sees it: configured, else made from the `Host` header once that is checked.

use std::net::IpAddr;

use actix_web::HttpRequest;
use actix_web::http::Uri;
use actix_web::http::header::{HOST, HeaderMap};

use super::mount::Mount;
use crate::config::Config;
use crate::error::{Error, ErrorCode, Result};

/// The base without a slash at the end; `mounted_at` is the path under which the server is mounted.
///
/// # Errors
/// The `Host` header is missing or malformed, or in the sandbox does not name this machine.
pub(crate) fn base_url(
    config: &Config,
    mount: &Mount,
    http: &HttpRequest,
    mounted_at: &str,
) -> Result<String> {
    of_parts(config, mount, (http.uri(), http.headers()), mounted_at)
}

fn of_parts(
    config: &Config,
    mount: &Mount,
    (uri, headers): (&Uri, &HeaderMap),
    mounted_at: &str,
) -> Result<String> {
    let only_loopback = config.sandbox.enabled && !config.sandbox.open_to_network;
    match &config.listen.public_base_url {
        Some(url) if !only_loopback => Ok(mount.below(config, url)),
        configured => {
            let host = host(uri, headers)?;
            if only_loopback {
                require_loopback(&host)?;
            }
            Ok(configured
                .as_ref()
                .map(|url| mount.below(config, url))
                .unwrap_or_else(|| format!("{}://{host}{mounted_at}", scheme(config))))
        }
    }
}

/// Host and port, each letter of which may stand in a URL.
fn host(uri: &Uri, headers: &HeaderMap) -> Result<String> {
    let mut hosts = headers.get_all(HOST);
    let sent = match (uri.authority(), hosts.next(), hosts.next()) {
        (Some(authority), _, _) => authority.as_str(),
        (None, Some(host), None) => host.to_str().unwrap_or_default(),
        _ => "",
    };
    let (name, port) = split_port(sent);
    let named = !name.is_empty()
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b));
    if named && sent.len() <= 255 && port.is_none_or(|p| p.parse::<u16>().is_ok()) {
        return Ok(sent.to_owned());
    }
    let text = "The request needs one `Host` header with the server's name and port, such as `Host: localhost:8080`.";
    Err(Error::new(ErrorCode::Value, text).at("http.host"))
}

/// The scheme of a base that is made from `Host`.
fn scheme(config: &Config) -> &'static str {
    match config.listen.tls {
        Some(_) => "https",
        None => "http",
    }
}

/// A base on this machine by each of the names that the machine has for itself; of another base, none.
pub(crate) fn on_loopback(base: &str) -> Vec<String> {
    let Some((scheme, rest)) = base.split_once("://") else {
        return Vec::new();
    };
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    if require_loopback(host).is_err() {
        return Vec::new();
    }
    let port = split_port(host)
        .1
        .map_or_else(String::new, |port| format!(":{port}"));
    ["127.0.0.1", "localhost", "[::1]"]
        .map(|name| format!("{scheme}://{name}{port}{path}"))
        .to_vec()
}

fn split_port(host: &str) -> (&str, Option<&str>) {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, Some(port)),
        _ => (host, None),
    }
}

/// A page of another site, whose name its owner points at this machine, must not reach the sandbox (DNS rebinding).
fn require_loopback(host: &str) -> Result<()> {
    let (name, _) = split_port(host);
    let bare = name
        .strip_prefix('[')
        .and_then(|n| n.strip_suffix(']'))
        .unwrap_or(name);
    let loopback = bare.eq_ignore_ascii_case("localhost")
        || bare
            .parse::<IpAddr>()
            .is_ok_and(|ip| ip.to_canonical().is_loopback());
    if loopback {
        return Ok(());
    }
    let text = "The sandbox answers only to requests whose `Host` names this machine: `localhost`, `127.0.0.1` or `[::1]`.";
    Err(Error::new(ErrorCode::Forbidden, text).at("http.host"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    fn with_host(config: &Config, host: &str) -> Result<String> {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_str(host).unwrap());
        let uri = Uri::from_static("/fhir/Patient");
        of_parts(config, &Mount::default(), (&uri, &headers), "/fhir")
    }

    fn sandbox() -> Config {
        let mut config = Config::default();
        config.sandbox.enabled = true;
        config
    }

    #[test]
    fn made_from_the_host_header() {
        let config = Config::default();
        assert_eq!(
            with_host(&config, "fhir.example:8080").unwrap(),
            "http://fhir.example:8080/fhir"
        );
        assert_eq!(with_host(&config, "[::1]:80").unwrap(), "http://[::1]:80/fhir");
        assert_eq!(with_host(&config, "[::1]").unwrap(), "http://[::1]/fhir");
    }

    #[test]
    fn a_malformed_host_is_refused() {
        for host in [
            "",
            "a b",
            "a/b",
            "a@b",
            "a\"b",
            "a:port",
            "a:99999",
            ":80",
            "<x>",
            &"a".repeat(300),
        ] {
            assert_eq!(
                with_host(&Config::default(), host).unwrap_err().code,
                ErrorCode::Value,
                "{host}"
            );
        }
        let twice = {
            let mut headers = HeaderMap::new();
            headers.append(HOST, HeaderValue::from_static("a"));
            headers.append(HOST, HeaderValue::from_static("b"));
            headers
        };
        assert!(
            of_parts(
                &Config::default(),
                &Mount::default(),
                (&Uri::from_static("/"), &twice),
                ""
            )
            .is_err()
        );
    }

    #[test]
    fn the_configured_one_wins() {
        let mut config = Config::default();
        config.listen.public_base_url = Some("https://fhir.example.nhs.uk/r4".into());
        assert_eq!(
            with_host(&config, "evil.example").unwrap(),
            "https://fhir.example.nhs.uk/r4"
        );
    }

    #[test]
    fn a_base_on_loopback_has_three_names() {
        let names = on_loopback("http://127.0.0.1:8080/fhir");
        assert_eq!(
            names,
            [
                "http://127.0.0.1:8080/fhir",
                "http://localhost:8080/fhir",
                "http://[::1]:8080/fhir"
            ]
        );
        assert_eq!(on_loopback("http://localhost"), on_loopback("http://[::1]"));
        for other in ["http://evil.example/fhir", "http://127.0.0.1.evil.example/fhir"] {
            assert!(on_loopback(other).is_empty(), "{other}");
        }
    }

    #[test]
    fn the_sandbox_answers_to_this_machine_only() {
        for host in [
            "localhost:8080",
            "LOCALHOST",
            "127.0.0.1:1",
            "127.1.2.3",
            "[::1]:8080",
        ] {
            with_host(&sandbox(), host).unwrap();
        }
        for host in [
            "evil.example:8080",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "10.0.0.1",
            "[::2]",
        ] {
            assert_eq!(
                with_host(&sandbox(), host).unwrap_err().code,
                ErrorCode::Forbidden,
                "{host}"
            );
        }
        let mut open = sandbox();
        open.sandbox.open_to_network = true;
        with_host(&open, "container:8080").unwrap();
    }
}
