//! `outbound`: which other servers this one may ask for something.

use serde::Deserialize;

use super::refused;
use crate::error::Result;

/// Which other servers this one may ask for something that the configuration names, such as the keys of an issuer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct OutboundConfig {
    /// Their origins: `https://`, the host, and the port where it is not 443. Default: none, so that nothing is ever asked.
    pub allow: Vec<String>,
}

impl OutboundConfig {
    pub(super) fn check(&self) -> Result<()> {
        let is_origin = |origin: &str| {
            origin.strip_prefix("https://").is_some_and(|rest| {
                !rest.is_empty()
                    && !rest.ends_with(":443")
                    && rest
                        .bytes()
                        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.:[]".contains(&b))
            })
        };
        match self.allow.iter().find(|origin| !is_origin(origin)) {
            None => Ok(()),
            Some(wrong) => Err(refused(format!(
                "outbound.allow holds `{wrong}`; each must be https, a host in small letters and perhaps a port, such as \
                 `https://as.example.nhs.uk`. There is no wildcard."
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_https_and_never_a_wildcard() {
        let config = |origin: &str| OutboundConfig {
            allow: vec![origin.into()],
        };
        config("https://as.example").check().unwrap();
        config("https://as.example:8443").check().unwrap();
        for bad in [
            "*",
            "https://*",
            "http://as.example",
            "https://as.example/",
            "https://as.example:443",
            "https://AS.example",
            "as.example",
        ] {
            assert!(config(bad).check().is_err(), "{bad}");
        }
    }
}
