//! A token without the way through the browser, for who holds the key: `fhir-server token`.

use std::path::Path;

use serde_json::json;

use super::key::SigningKey;
use super::sign::USER_LIFE;
use super::{PATH, Person, sign};
use crate::context::{Clock, PrincipalKind, SystemClock};
use crate::error::{Error, ErrorCode, Result};
use crate::interaction::uri::split_origin;
use crate::random;
use crate::scopes::Scopes;

/// The client that such tokens are given to.
const CLIENT: &str = "fhir-server-token";

/// What is wanted of a token.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Wanted {
    /// For whom.
    pub person: Person,
    /// The FHIR base.
    pub base: String,
    /// What it allows.
    pub scopes: Scopes,
    /// The patient in context.
    pub patient: Option<String>,
    /// The purpose of use.
    pub purpose: Option<String>,
}

impl Wanted {
    /// All that the person may grant, for the purpose that is theirs.
    pub fn new(person: Person, base: impl Into<String>) -> Self {
        let scopes = match person.kind() {
            PrincipalKind::Clinician => "user/*.cruds",
            _ => "patient/*.cruds",
        };
        Wanted {
            scopes: Scopes::read(scopes),
            patient: person.patient.clone(),
            purpose: Some(person.purpose().to_owned()),
            base: base.into(),
            person,
        }
    }
}

/// An access token, signed with the key in that file, which is made where it is not there.
///
/// # Errors
/// The key cannot be read or kept, or the base is no URL.
pub fn mint(key_file: &Path, wanted: &Wanted) -> Result<String> {
    let (origin, _) = split_origin(&wanted.base).ok_or_else(|| {
        Error::new(
            ErrorCode::Value,
            format!("`{}` is no URL of a FHIR base.", wanted.base),
        )
    })?;
    // The server calls itself by its address.
    let origin = origin.replacen("://localhost", "://127.0.0.1", 1);
    let now = SystemClock.now().0.div_euclid(1000);
    let mut claims = json!({
        "iss": format!("{origin}{PATH}"),
        "aud": wanted.base,
        "client_id": CLIENT,
        "sub": wanted.person.user.id,
        "iat": now,
        "exp": now + USER_LIFE,
        "jti": random::uuid().to_string(),
        "scope": wanted.scopes.to_string(),
        "family": random::uuid().to_string(),
    });
    if let Some(members) = claims.as_object_mut() {
        members.extend(sign::about(&wanted.person));
        members.extend(wanted.patient.iter().map(|id| ("patient".to_owned(), json!(id))));
        members.extend(
            wanted
                .purpose
                .iter()
                .map(|code| ("purpose_of_use".to_owned(), json!(code))),
        );
    }
    SigningKey::open(Some(key_file))?.sign("at+jwt", &claims)
}
