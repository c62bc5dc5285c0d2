//! One authority and its keys.

use std::sync::{Arc, PoisonError, RwLock};

use super::{Algorithm, KeySet};
use crate::config::{ClaimsConfig, IssuerConfig};
use crate::error::{Error, ErrorCode, Result};

/// One authority: what its tokens are held against.
pub(crate) struct Issuer {
    /// `iss`, letter by letter.
    pub(crate) name: String,
    pub(crate) algorithms: Vec<Algorithm>,
    pub(crate) require_at_jwt: bool,
    pub(crate) claims: ClaimsConfig,
    pub(crate) assurance: Vec<String>,
    keys: RwLock<Arc<KeySet>>,
}

impl Issuer {
    /// The authority as configured, its key file read.
    pub(crate) fn open(config: &IssuerConfig) -> Result<Issuer> {
        let keys = match &config.keys_file {
            Some(path) => {
                let text = crate::secret_file::read_public(path)?;
                KeySet::read(&text, config.key_id.as_deref()).map_err(|error| {
                    let why = error.issues.first().map(|issue| issue.diagnostics.clone());
                    let text = format!(
                        "The keys of the issuer `{}` in {}: {}",
                        config.issuer,
                        path.display(),
                        why.unwrap_or_default()
                    );
                    Error::new(ErrorCode::Invalid, text)
                })?
            }
            None => {
                let text = format!(
                    "The issuer `{}` has a jwks_url, and fetching keys is not offered: keep them in a keys_file.",
                    config.issuer
                );
                return Err(Error::new(ErrorCode::NotSupported, text));
            }
        };
        Ok(Issuer {
            name: config.issuer.clone(),
            algorithms: config
                .algorithms
                .iter()
                .filter_map(|name| Algorithm::of_name(name))
                .collect(),
            require_at_jwt: config.require_at_jwt,
            claims: config.claims.clone(),
            assurance: config.assurance.clone(),
            keys: RwLock::new(Arc::new(keys)),
        })
    }

    /// An authority of the server's own, with those keys.
    #[cfg(feature = "authority")]
    pub(crate) fn own(name: String, algorithm: Algorithm, keys: KeySet) -> Issuer {
        Issuer {
            name,
            algorithms: vec![algorithm],
            require_at_jwt: true,
            claims: ClaimsConfig::default(),
            assurance: Vec::new(),
            keys: RwLock::new(Arc::new(keys)),
        }
    }

    /// Its keys as they are now.
    pub(crate) fn keys(&self) -> Arc<KeySet> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
