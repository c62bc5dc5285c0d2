//! `listen`: where and under which address the server answers.

use std::net::SocketAddr;

use serde::Deserialize;

use super::{TlsConfig, refused};
use crate::error::Result;

/// Where and under which address the server answers.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ListenConfig {
    /// Address and port. Default: `127.0.0.1:8080`. Port 0 lets the system choose.
    pub bind: SocketAddr,
    /// A second address that answers `/livez`, `/readyz` and `/metrics`, apart from the load on the first. Default:
    /// none; then `/metrics` is not served at all. Keep it off the public network.
    pub metrics_bind: Option<SocketAddr>,
    /// The path under which the FHIR base stands. Default: `/fhir`.
    pub base_path: String,
    /// The FHIR base as clients see it, such as `https://fhir.example.nhs.uk/fhir`, for `Location`, `fullUrl` and links.
    /// Default: made from the request's `Host` header, with `http`, or `https` where `tls` is set. Set it behind a proxy that ends TLS.
    pub public_base_url: Option<String>,
    /// TLS on the main listener. Default: none; then a proxy ends it.
    pub tls: Option<TlsConfig>,
    /// Threads that answer requests. Default: one a processor.
    pub workers: Option<usize>,
    /// Connections at the same time; further ones wait in the system's queue. Default: 4,096.
    pub max_connections: usize,
    /// Web origins whose pages may call the FHIR API from a browser, each exactly as the browser sends it, such as
    /// `https://app.example.nhs.uk`. Default: none. `/metadata` is open to every origin.
    pub allowed_origins: Vec<String>,
}

impl Default for ListenConfig {
    fn default() -> Self {
        ListenConfig {
            bind: SocketAddr::from(([127, 0, 0, 1], 8080)),
            metrics_bind: None,
            base_path: "/fhir".into(),
            public_base_url: None,
            tls: None,
            workers: None,
            max_connections: 4096,
            allowed_origins: Vec::new(),
        }
    }
}

impl ListenConfig {
    pub(super) fn check(&self) -> Result<()> {
        check_base_path(&self.base_path)?;
        if let Some(url) = &self.public_base_url {
            check_base_url(url)?;
        }
        if self.workers == Some(0) || self.max_connections == 0 {
            return Err(refused(
                "listen.workers and listen.max_connections must be at least 1.",
            ));
        }
        for origin in &self.allowed_origins {
            check_origin(origin)?;
        }
        Ok(())
    }
}

fn check_base_path(path: &str) -> Result<()> {
    let segments = path.strip_prefix('/').filter(|rest| !rest.is_empty());
    let good = |s: &str| {
        !s.is_empty()
            && s.bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b))
    };
    if segments.is_some_and(|rest| rest.split('/').all(|s| good(s) && s != "." && s != "..")) {
        return Ok(());
    }
    Err(refused(format!(
        "listen.base_path is `{path}`; it must be a path such as `/fhir` or `/FHIR/R4`, without a slash at the end."
    )))
}

fn check_base_url(url: &str) -> Result<()> {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    let clean = |s: &str| {
        !s.starts_with('/')
            && s.bytes()
                .all(|b| b.is_ascii_graphic() && !b"?#@\\\"<>".contains(&b))
    };
    if rest.is_some_and(|s| !s.is_empty() && clean(s) && !s.ends_with('/')) {
        return Ok(());
    }
    Err(refused(format!(
        "listen.public_base_url is `{url}`; it must be an absolute http or https URL without query, fragment, user or \
         slash at the end."
    )))
}

fn check_origin(origin: &str) -> Result<()> {
    let rest = origin
        .strip_prefix("https://")
        .or_else(|| origin.strip_prefix("http://"));
    if rest.is_some_and(|s| {
        !s.is_empty()
            && s.bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-.:[]".contains(&b))
    }) {
        return Ok(());
    }
    Err(refused(format!(
        "listen.allowed_origins holds `{origin}`; each must be scheme, host and port only, such as \
         `https://app.example.nhs.uk`. There is no wildcard."
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_path_is_absolute_and_clean() {
        for good in ["/fhir", "/FHIR/R4", "/a-b/c.d"] {
            check_base_path(good).unwrap();
        }
        for bad in [
            "", "/", "fhir", "/fhir/", "//fhir", "/a/../b", "/a b", "/{x}", "/a?b",
        ] {
            check_base_path(bad).unwrap_err();
        }
    }

    #[test]
    fn a_public_base_url_is_absolute_and_clean() {
        for good in [
            "https://fhir.example.nhs.uk/fhir",
            "http://localhost:8080/fhir",
            "https://x",
        ] {
            check_base_url(good).unwrap();
        }
        for bad in [
            "",
            "x",
            "ftp://x",
            "https://",
            "https://x/",
            "https://u@x",
            "https://x/?a",
            "https:///x",
            "https://x\n",
        ] {
            check_base_url(bad).unwrap_err();
        }
    }

    #[test]
    fn an_origin_is_never_a_wildcard() {
        check_origin("https://app.example.nhs.uk").unwrap();
        check_origin("http://localhost:3000").unwrap();
        for bad in ["*", "null", "https://*", "https://a/b", "app.example.nhs.uk"] {
            check_origin(bad).unwrap_err();
        }
    }
}
