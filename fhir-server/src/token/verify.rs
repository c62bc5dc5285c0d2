//! [`Verifier`]: one token against all that it must be.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::claims::{Life, check_audience, check_times, text};
use super::issuer::Issuer;
use super::jose::Jws;
use super::{clients, invalid, principal};
use crate::config::{Config, TokensConfig};
use crate::context::{Millis, Principal};
use crate::error::{Error, Result};

/// Knows whose tokens are accepted.
pub(crate) struct Verifier {
    config: TokensConfig,
    issuers: Vec<Arc<Issuer>>,
}

/// Where and when a token is used.
pub(crate) struct Asked<'a> {
    /// The FHIR base that the request came to.
    pub(crate) base: &'a str,
    /// What may stand in `aud`.
    pub(crate) audiences: &'a [String],
    /// The time.
    pub(crate) now: Millis,
}

impl Verifier {
    /// Reads the keys of all issuers.
    ///
    /// # Errors
    /// A key file cannot be read, is not safe, or holds what is no key.
    pub(crate) fn open(server: &Config) -> Result<Verifier> {
        let config = &server.tokens;
        self_test()?;
        let issuers = config
            .issuers
            .iter()
            .map(|issuer| Issuer::open(issuer, server).map(Arc::new))
            .collect::<Result<_>>()?;
        Ok(Verifier {
            config: config.clone(),
            issuers,
        })
    }

    /// Who sends the token.
    ///
    /// # Errors
    /// [`InvalidToken`](crate::error::ErrorCode::InvalidToken), or [`Forbidden`](crate::error::ErrorCode::Forbidden) for a valid token
    /// of somebody who may not call.
    pub(crate) async fn principal(
        &self,
        token: &str,
        own: Option<&Issuer>,
        asked: &Asked<'_>,
    ) -> Result<Principal> {
        let jws = Jws::read(token)?;
        let issuer = text(&jws.claims, "iss")?.and_then(|name| {
            let configured = self.issuers.iter().map(Arc::as_ref);
            configured.chain(own).find(|issuer| issuer.name == name)
        });
        let issuer = issuer.ok_or_else(|| invalid("this server does not know who issued it (`iss`)."))?;
        check_signature(&jws, issuer, asked.now).await?;
        check_kind(&jws, issuer)?;
        check_unbound(&jws.claims)?;
        let is_client = principal::is_client(&jws.claims, issuer);
        let most = match is_client {
            true => self.config.max_client_life,
            false => self.config.max_life,
        };
        let life = Life {
            leeway: self.config.leeway,
            most,
        };
        check_times(&jws.claims, asked.now.0.div_euclid(1000), life)?;
        check_audience(&jws.claims, asked.audiences)?;
        let principal = principal::of_claims(&jws.claims, issuer, asked.base)?;
        clients::bound(&self.config.clients, principal)
    }
}

/// The signature, by the key that the issuer's set has for the token's `kid`.
async fn check_signature(jws: &Jws<'_>, issuer: &Issuer, now: Millis) -> Result<()> {
    if !issuer.algorithms.contains(&jws.algorithm) {
        return Err(invalid("its issuer does not sign by that algorithm."));
    }
    let keys = issuer.keys(jws.kid.as_deref(), jws.algorithm, now).await;
    let key = keys
        .find(jws.kid.as_deref(), jws.algorithm)
        .ok_or_else(|| invalid("its issuer has no such key for that algorithm (`kid`)."))?;
    let verified = jsonwebtoken::crypto::verify(
        jws.signature,
        jws.message.as_bytes(),
        key,
        jws.algorithm.library(),
    );
    match verified {
        Ok(true) => Ok(()),
        Ok(false) | Err(_) => Err(invalid("its signature does not hold.")),
    }
}

/// `typ`, so that no token of another kind passes for an access token.
fn check_kind(jws: &Jws<'_>, issuer: &Issuer) -> Result<()> {
    let kind = jws.kind.as_deref().unwrap_or_default().to_ascii_lowercase();
    let is_access = matches!(kind.as_str(), "at+jwt" | "application/at+jwt");
    let is_plain = matches!(kind.as_str(), "" | "jwt");
    if is_access || (!issuer.require_at_jwt && is_plain && !is_id_token(&jws.claims)) {
        return Ok(());
    }
    Err(invalid("it is no access token (`typ` must be `at+jwt`)."))
}

/// A token that is bound to a key of its client (DPoP, RFC 9449; mTLS, RFC 8705) is worth nothing without the proof, which this server cannot
/// check: as a plain bearer token it would do for whoever took it.
fn check_unbound(claims: &Map<String, Value>) -> Result<()> {
    match claims.contains_key("cnf") {
        false => Ok(()),
        true => Err(invalid(
            "it is bound to a key of its client (`cnf`), and this server takes bearer tokens alone.",
        )),
    }
}

fn is_id_token(claims: &Map<String, Value>) -> bool {
    ["nonce", "at_hash", "c_hash"]
        .iter()
        .any(|name| claims.contains_key(*name))
}

/// Verifies a signature that is known to hold, and one that does not: that the library has its arithmetic.
fn self_test() -> Result<()> {
    // Public key, message and signature of a key that was made for this and thrown away.
    const KEYS: &[u8] = include_bytes!("self_test.jwks.json");
    const TOKEN: &str = include_str!("self_test.jwt");
    let failed = || Error::internal("the self-test of signatures failed");
    let keys = super::KeySet::read(KEYS, None)?;
    let jws = Jws::read(TOKEN.trim())?;
    let key = keys.find(jws.kid.as_deref(), jws.algorithm).ok_or_else(failed)?;
    let verify = |message: &str| {
        jsonwebtoken::crypto::verify(jws.signature, message.as_bytes(), key, jws.algorithm.library())
            .unwrap_or(false)
    };
    match verify(jws.message) && !verify("other") {
        true => Ok(()),
        false => Err(failed()),
    }
}
