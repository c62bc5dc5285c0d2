//! Signed tokens in compact form (RFC 7515): their parts, and the algorithms that are known.
//!
//! Invariant: a token that is encrypted, compressed or has extensions that must be understood is refused before anything in it is used.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::{Json, MAX_TOKEN, invalid};
use crate::error::Result;

/// The algorithms of signatures that are accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Algorithm {
    Rs256,
    Rs384,
    Rs512,
    Es256,
    Es384,
}

impl Algorithm {
    pub(crate) const ALL: [Algorithm; 5] = [Self::Rs256, Self::Rs384, Self::Rs512, Self::Es256, Self::Es384];

    /// Its name in `alg`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
        }
    }

    /// The algorithm of exactly that name.
    pub(crate) fn of_name(name: &str) -> Option<Algorithm> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }

    /// The library's name of it.
    pub(crate) const fn library(self) -> jsonwebtoken::Algorithm {
        match self {
            Self::Rs256 => jsonwebtoken::Algorithm::RS256,
            Self::Rs384 => jsonwebtoken::Algorithm::RS384,
            Self::Rs512 => jsonwebtoken::Algorithm::RS512,
            Self::Es256 => jsonwebtoken::Algorithm::ES256,
            Self::Es384 => jsonwebtoken::Algorithm::ES384,
        }
    }
}

/// A token taken apart; nothing of it is verified.
pub(crate) struct Jws<'t> {
    /// The header's `alg`.
    pub(crate) algorithm: Algorithm,
    /// The header's `kid`.
    pub(crate) kid: Option<String>,
    /// The header's `typ`.
    pub(crate) kind: Option<String>,
    /// What it claims.
    pub(crate) claims: Map<String, Value>,
    /// What is signed.
    pub(crate) message: &'t str,
    /// The signature, encoded.
    pub(crate) signature: &'t str,
}

impl<'t> Jws<'t> {
    /// Takes a token apart.
    pub(crate) fn read(token: &'t str) -> Result<Self> {
        if token.len() > MAX_TOKEN {
            return Err(invalid("it is longer than 8 KiB."));
        }
        let (message, signature) = token.rsplit_once('.').ok_or_else(not_signed)?;
        let (header, claims) = message.split_once('.').ok_or_else(not_signed)?;
        if claims.contains('.') || header.is_empty() || claims.is_empty() || signature.is_empty() {
            return Err(not_signed());
        }
        let header = object(header)?;
        if ["crit", "b64", "enc", "zip"]
            .iter()
            .any(|name| header.contains_key(*name))
        {
            return Err(invalid(
                "its header asks for an extension that this server does not know.",
            ));
        }
        let text = |name: &str| match header.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(invalid("a value of its header is not of its type.")),
        };
        let algorithm = text("alg")?.and_then(|name| Algorithm::of_name(&name));
        Ok(Jws {
            algorithm: algorithm
                .ok_or_else(|| invalid("it is not signed by an algorithm that is accepted."))?,
            kid: text("kid")?,
            kind: text("typ")?,
            claims: object(claims)?,
            message,
            signature,
        })
    }
}

fn not_signed() -> crate::error::Error {
    invalid("it is no signed JSON Web Token of three parts.")
}

fn object(encoded: &str) -> Result<Map<String, Value>> {
    URL_SAFE_NO_PAD
        .decode(encoded)
        .ok()
        .and_then(|bytes| Json::object(&bytes))
        .ok_or_else(|| invalid("a part of it is no JSON object, or a name stands twice in it."))
}
