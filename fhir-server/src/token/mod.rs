//! Access tokens: from the text in `Authorization` to a [`Principal`](crate::context::Principal) (RFC 6750, 7519, 8725, 9068).
//!
//! Everything about a token is checked here, not by the library, which does the arithmetic of signatures alone.
//!
//! Invariant: what is not exactly as expected is refused; nothing in a token decides how it is checked.

mod claims;
mod clients;
mod issuer;
pub(crate) mod jose;
mod keys;
mod nhs_number;
pub(crate) mod patient;
mod pem;
mod principal;
mod strict;
#[cfg(test)]
pub(crate) mod testing;
mod verify;

#[cfg(feature = "authority")]
pub(crate) use issuer::Issuer;
pub(crate) use jose::Algorithm;
#[cfg(feature = "authority")]
pub(crate) use jose::Jws;
pub(crate) use keys::KeySet;
#[cfg(any(test, feature = "authority"))]
pub(crate) use pem::pkcs1;
pub(crate) use strict::Json;
pub(crate) use verify::{Asked, Verifier};

use crate::error::{Error, ErrorCode};

/// The longest token that is looked at.
pub(crate) const MAX_TOKEN: usize = 8 * 1024;

/// A token that is refused. What was wrong with it helps its client; no part of it is repeated.
fn invalid(why: &str) -> Error {
    let text = format!("The access token is refused: {why}");
    Error::new(ErrorCode::InvalidToken, text).at("http.authorization")
}

/// A token that is in order, of a caller who may not call.
fn forbidden(why: String) -> Error {
    Error::new(ErrorCode::Forbidden, why).at("http.authorization")
}
