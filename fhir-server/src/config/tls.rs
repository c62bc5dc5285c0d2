//! `listen.tls`: ending TLS in the server itself.

use std::path::PathBuf;

use serde::Deserialize;

/// TLS 1.2 and 1.3 on the main listener. All files are in PEM; they are read again when they change, and connections go on.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct TlsConfig {
    /// The certificate, and those between it and the authority's.
    pub certificate: PathBuf,
    /// Its private key, which nobody else may read.
    pub key: PathBuf,
    /// The authorities whose certificates clients must show. Default: none; clients need no certificate.
    #[serde(default)]
    pub client_ca: Option<PathBuf>,
    /// The certificates that those authorities took back. Default: none.
    #[serde(default)]
    pub client_crl: Option<PathBuf>,
}

impl TlsConfig {
    /// With that certificate and key.
    pub fn new(certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        TlsConfig {
            certificate: certificate.into(),
            key: key.into(),
            client_ca: None,
            client_crl: None,
        }
    }
}
