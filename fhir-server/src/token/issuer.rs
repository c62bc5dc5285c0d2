//! One authority and its keys: read from a file at the start, or fetched and kept for a while.
//!
//! Invariant: keys are fetched at most once a minute, whatever tokens come; keys that could not be fetched anew for an hour are none.

use std::sync::Arc;
#[cfg(feature = "outbound")]
use std::time::Duration;

#[cfg(feature = "outbound")]
use tokio::sync::Mutex;

use super::{Algorithm, KeySet};
use crate::config::{ClaimsConfig, Config, IssuerConfig};
use crate::context::Millis;
use crate::error::{Error, ErrorCode, Result};
#[cfg(feature = "outbound")]
use crate::outbound::Outbound;

/// How soon keys are fetched again at the earliest, in milliseconds.
#[cfg(feature = "outbound")]
const PAUSE: i64 = 60_000;
/// How long keys are kept where the answer does not ask for less.
#[cfg(feature = "outbound")]
const KEEP: Duration = Duration::from_secs(600);
/// How long they are used where they cannot be fetched anew, in milliseconds.
#[cfg(feature = "outbound")]
const LAST_RESORT: i64 = 3_600_000;

/// One authority: what its tokens are held against.
pub(crate) struct Issuer {
    /// `iss`, letter by letter.
    pub(crate) name: String,
    pub(crate) algorithms: Vec<Algorithm>,
    pub(crate) require_at_jwt: bool,
    pub(crate) claims: ClaimsConfig,
    pub(crate) assurance: Vec<String>,
    source: Source,
}

enum Source {
    /// Known once and for all.
    Fixed(Arc<KeySet>),
    /// Fetched.
    #[cfg(feature = "outbound")]
    Fetched(Box<Fetching>),
}

#[cfg(feature = "outbound")]
struct Fetching {
    url: String,
    outbound: Arc<Outbound>,
    kept: Mutex<Kept>,
}

/// Keys as they were fetched last.
#[cfg(feature = "outbound")]
#[derive(Default)]
struct Kept {
    keys: Option<Arc<KeySet>>,
    fetched: i64,
    fresh_until: i64,
    tried: Option<i64>,
}

impl Issuer {
    /// The authority as configured, its key file read.
    pub(crate) fn open(config: &IssuerConfig, server: &Config) -> Result<Issuer> {
        let source = match (&config.keys_file, &config.jwks_url) {
            (Some(path), _) => Source::Fixed(Arc::new(of_file(config, path)?)),
            (None, Some(url)) => fetched(url, server)?,
            (None, None) => return Err(Error::internal("an issuer without keys")),
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
            source,
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
            source: Source::Fixed(Arc::new(keys)),
        }
    }

    /// Its keys for a token that names that one.
    #[cfg_attr(
        not(feature = "outbound"),
        expect(unused_variables, reason = "nothing is fetched")
    )]
    pub(crate) async fn keys(&self, kid: Option<&str>, algorithm: Algorithm, now: Millis) -> Arc<KeySet> {
        match &self.source {
            Source::Fixed(keys) => keys.clone(),
            #[cfg(feature = "outbound")]
            Source::Fetched(fetching) => fetching.keys(kid, algorithm, now.0).await,
        }
    }
}

fn of_file(config: &IssuerConfig, path: &std::path::Path) -> Result<KeySet> {
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
    })
}

#[cfg(not(feature = "outbound"))]
fn fetched(url: &str, _: &Config) -> Result<Source> {
    let text = format!(
        "The keys at `{url}` cannot be fetched: this build asks no other server. Keep them in a keys_file."
    );
    Err(Error::new(ErrorCode::NotSupported, text))
}

#[cfg(feature = "outbound")]
fn fetched(url: &str, server: &Config) -> Result<Source> {
    let outbound = Arc::new(Outbound::open(&server.outbound.allow)?);
    outbound.check(url)?;
    Ok(Source::Fetched(Box::new(Fetching {
        url: url.to_owned(),
        outbound,
        kept: Mutex::default(),
    })))
}

#[cfg(feature = "outbound")]
impl Fetching {
    async fn keys(&self, kid: Option<&str>, algorithm: Algorithm, now: i64) -> Arc<KeySet> {
        let mut kept = self.kept.lock().await;
        let known = kept
            .keys
            .as_ref()
            .is_some_and(|keys| keys.find(kid, algorithm).is_some());
        let wanted = !known || now >= kept.fresh_until;
        if wanted && kept.tried.is_none_or(|tried| now >= tried.saturating_add(PAUSE)) {
            kept.tried = Some(now);
            self.fetch(&mut kept, now).await;
        }
        if now >= kept.fetched.saturating_add(LAST_RESORT) {
            kept.keys = None;
        }
        kept.keys.clone().unwrap_or_default()
    }

    async fn fetch(&self, kept: &mut Kept, now: i64) {
        let fetched = self.outbound.get(&self.url).await;
        let read = fetched.and_then(|fetched| Ok((KeySet::read(&fetched.body, None)?, fetched.keep)));
        match read {
            Ok((keys, keep)) => {
                let keep = keep.unwrap_or(KEEP).min(KEEP);
                kept.keys = Some(Arc::new(keys));
                kept.fetched = now;
                kept.fresh_until = now.saturating_add(i64::try_from(keep.as_millis()).unwrap_or(i64::MAX));
            }
            Err(error) => tracing::warn!(%error, "the keys of an issuer cannot be fetched"),
        }
    }
}

#[cfg(test)]
#[cfg(feature = "outbound")]
pub(crate) mod tests;
