//! Who a client is: a signed assertion of its own (`private_key_jwt`), a secret (`client_secret_basic`), or its id alone where it has neither
//! (<https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html>,
//! <https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-symmetric.html>).
//!
//! Invariant: an assertion is good once, on whichever process it arrives.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::used;
use super::{App, Authority, Params, Refused};
use crate::engine::Engine;
use crate::token::{Algorithm, Jws};

const KIND: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// Algorithms of assertions.
pub(super) const ALGORITHMS: [Algorithm; 3] = [Algorithm::Rs384, Algorithm::Es384, Algorithm::Rs512];
/// The longest life of an assertion, in seconds, and the leeway for its clock.
const LIFE: i64 = 300;
const LEEWAY: i64 = 10;

impl Authority {
    /// The client of a request. One with neither keys nor a secret tells its `client_id` alone.
    pub(super) async fn client(&self, engine: &Engine, params: &Params, now: i64) -> Result<&App, Refused> {
        let unknown = Refused::client("The client is not known, or does not prove that it is that client.");
        let named = params.get("client_id")?;
        if let Some((id, secret)) = params.basic()? {
            if params.has("client_assertion") || named.is_some_and(|named| named != id) {
                return Err(Refused::request(
                    "A client says who it is in one way, and as one client.",
                ));
            }
            let hashed: [u8; 32] = Sha256::digest(secret).into();
            let is_own = |app: &&App| {
                let own = app.secret.as_ref();
                own.is_some_and(|own| verify_slices_are_equal(own, &hashed).is_ok())
            };
            return self.app(id).filter(is_own).ok_or(unknown);
        }
        let Some(assertion) = params.get("client_assertion")? else {
            let is_public = |app: &&App| app.keys.is_none() && app.secret.is_none();
            return named.and_then(|id| self.app(id)).filter(is_public).ok_or(unknown);
        };
        if params.get("client_assertion_type")? != Some(KIND) {
            return Err(Refused::request(
                "client_assertion_type must be that of a JWT bearer assertion.",
            ));
        }
        let jws = Jws::read(assertion)
            .map_err(|_| Refused::client("The client_assertion is no signed JSON Web Token."))?;
        let text = |name: &str| {
            jws.claims
                .get(name)
                .and_then(Value::as_str)
                .filter(|text| !text.is_empty())
        };
        let app = text("iss").and_then(|id| self.app(id)).ok_or(unknown)?;
        let unsigned = Refused::client("The signature of the client_assertion does not hold.");
        let key = app
            .keys
            .as_ref()
            .filter(|_| ALGORITHMS.contains(&jws.algorithm))
            .and_then(|keys| keys.find(jws.kid.as_deref(), jws.algorithm));
        let key = key.filter(|_| jws.kid.is_some()).ok_or(unsigned)?;
        let holds = jsonwebtoken::crypto::verify(
            jws.signature,
            jws.message.as_bytes(),
            key,
            jws.algorithm.library(),
        );
        if !holds.unwrap_or(false) {
            return Err(Refused::client(
                "The signature of the client_assertion does not hold.",
            ));
        }
        let id = app.config.client_id.as_str();
        if text("sub") != Some(id) || named.is_some_and(|named| named != id) {
            return Err(Refused::client(
                "iss, sub and client_id must all name the client.",
            ));
        }
        // One text, never a list: who reads a list may be meant, or somebody else.
        let for_us = text("aud").is_some_and(|aud| aud == self.name() || aud == self.url("/token"));
        if !for_us {
            return Err(Refused::client(
                "aud must be the URL of the token endpoint, and nothing else.",
            ));
        }
        let jti = text("jti").filter(|jti| jti.len() <= 256);
        let jti = jti.ok_or(Refused::client("jti must be there, with at most 256 characters."))?;
        let until = check_times(&jws, now)?;
        if !used::take(engine, &["assertion", id, jti], until + LEEWAY).await? {
            return Err(Refused::client("The client_assertion was used before (jti)."));
        }
        Ok(app)
    }
}

fn check_times(jws: &Jws<'_>, now: i64) -> Result<i64, Refused> {
    let time = |name: &str| jws.claims.get(name).map(Value::as_i64);
    let Some(Some(until)) = time("exp") else {
        return Err(Refused::client("exp must be there, as a number."));
    };
    if now >= until + LEEWAY || until > now + LIFE + LEEWAY {
        return Err(Refused::client(
            "exp must be in the future, by at most 5 minutes.",
        ));
    }
    for name in ["nbf", "iat"] {
        match time(name) {
            None => {}
            Some(Some(at)) if at <= now + LEEWAY => {}
            Some(_) => {
                return Err(Refused::client(
                    "nbf and iat must be numbers, and not in the future.",
                ));
            }
        }
    }
    Ok(until)
}
