//! What the authority signs: access tokens and id tokens, and the codes, refresh tokens and launches that only it reads.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::context::Told;
use super::key::SigningKey;
use super::{Authority, Person};
use crate::error::{Error, Result};
use crate::random;
use crate::scopes::Scopes;
use crate::token::{Algorithm, Jws};

/// Seconds that an access token of a user lives.
pub(super) const USER_LIFE: i64 = 3600;
/// Seconds that one of a program for itself lives.
pub(super) const CLIENT_LIFE: i64 = 300;

/// What was granted: to which client, for whom.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Grant {
    pub(super) client_id: String,
    /// The id of the user's resource; `None` is the client itself.
    pub(super) person: Option<String>,
    pub(super) scope: String,
    pub(super) patient: Option<String>,
    pub(super) encounter: Option<String>,
    /// What the app is told of its launch beside these.
    #[serde(default)]
    pub(super) told: Option<Told>,
    /// The FHIR base that the app named.
    pub(super) aud: String,
    /// What all tokens of one authorization have in common.
    pub(super) family: String,
    pub(super) nonce: Option<String>,
}

/// Something that only the authority reads.
#[derive(Serialize, Deserialize)]
pub(super) struct Sealed<T> {
    pub(super) jti: String,
    pub(super) exp: i64,
    #[serde(flatten)]
    pub(super) content: T,
}

impl SigningKey {
    /// A signed text of that kind.
    pub(super) fn sign(&self, kind: &str, claims: &Value) -> Result<String> {
        let header = json!({ "alg": Algorithm::Rs256.name(), "typ": kind, "kid": self.kid });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(&header), part(claims));
        let signature =
            jsonwebtoken::crypto::sign(message.as_bytes(), &self.secret, jsonwebtoken::Algorithm::RS256)
                .map_err(Error::internal)?;
        Ok(format!("{message}.{signature}"))
    }
}

impl Authority {
    /// A signed text of that kind.
    pub(super) fn sign(&self, kind: &str, claims: &Value) -> Result<String> {
        self.key.sign(kind, claims)
    }

    /// The claims of a text of that kind that this authority signed, whether it has ended or not.
    pub(super) fn verified(&self, kind: &str, text: &str) -> Option<Map<String, Value>> {
        let jws = Jws::read(text).ok()?;
        let key = self.key.keys.find(jws.kid.as_deref(), jws.algorithm)?;
        let message = jws.message.as_bytes();
        let holds = jsonwebtoken::crypto::verify(jws.signature, message, key, jws.algorithm.library());
        (holds.ok()? && jws.kind.as_deref() == Some(kind)).then_some(jws.claims)
    }

    /// Seals something for the authority itself.
    pub(super) fn seal<T: Serialize>(&self, kind: &str, content: T, exp: i64) -> Result<String> {
        let sealed = Sealed {
            jti: random::uuid().to_string(),
            exp,
            content,
        };
        self.sign(kind, &serde_json::to_value(&sealed).map_err(Error::internal)?)
    }

    /// What was sealed, whether it has ended or not.
    pub(super) fn unseal<T: DeserializeOwned>(&self, kind: &str, text: &str) -> Option<Sealed<T>> {
        serde_json::from_value(Value::Object(self.verified(kind, text)?)).ok()
    }

    /// An access token.
    pub(super) fn access_token(&self, grant: &Grant, now: i64) -> Result<(String, i64)> {
        let person = grant.person.as_deref().and_then(|id| self.person(id));
        let life = if person.is_some() { USER_LIFE } else { CLIENT_LIFE };
        let mut claims = json!({
            "iss": self.name(),
            "aud": grant.aud,
            "client_id": grant.client_id,
            "sub": person.map_or(grant.client_id.as_str(), |person| person.user.id.as_str()),
            "iat": now,
            "exp": now + life,
            "jti": random::uuid().to_string(),
            "scope": grant.scope,
            "family": grant.family,
        });
        if let Some(members) = claims.as_object_mut() {
            members.extend(grant.patient.iter().map(|id| ("patient".into(), json!(id))));
            members.extend(grant.encounter.iter().map(|id| ("encounter".into(), json!(id))));
            members.extend(person.into_iter().flat_map(about));
            if let Some(told) = &grant.told {
                told.tell(members);
            }
            if person.is_none() {
                let app = self.app(&grant.client_id).map(|app| &app.config);
                let organisation = app.and_then(|app| app.organisation.as_ref());
                members.extend(organisation.map(|ods| ("organisation".into(), json!(ods))));
                let purpose = app.and_then(|app| app.purposes.first());
                members.extend(purpose.map(|one| ("purpose_of_use".into(), json!(one))));
            }
        }
        Ok((self.sign("at+jwt", &claims)?, life))
    }

    /// The id token (OpenID Connect), where the app asked for one.
    pub(super) fn id_token(&self, grant: &Grant, now: i64) -> Result<Option<String>> {
        let person = grant.person.as_deref().and_then(|id| self.person(id));
        let scopes = Scopes::read(&grant.scope);
        let (true, Some(person)) = (scopes.has("openid"), person) else {
            return Ok(None);
        };
        let mut claims = json!({
            "iss": self.name(),
            "aud": grant.client_id,
            "sub": person.user.id,
            "iat": now,
            "exp": now + CLIENT_LIFE,
        });
        if let Some(members) = claims.as_object_mut() {
            if scopes.has("fhirUser") || scopes.has("profile") {
                members.insert("fhirUser".into(), json!(format!("{}/{}", grant.aud, person.user)));
            }
            if scopes.has("profile") {
                members.insert("name".into(), json!(person.name));
            }
            members.extend(grant.nonce.iter().map(|nonce| ("nonce".into(), json!(nonce))));
        }
        self.sign("JWT", &claims).map(Some)
    }
}

/// What an access token says of its user.
pub(super) fn about(person: &Person) -> Vec<(String, Value)> {
    let mut claims = vec![
        ("fhirUser".to_owned(), json!(person.user.to_string())),
        ("purpose_of_use".to_owned(), json!(person.purpose())),
    ];
    claims.extend(
        person
            .organisation
            .iter()
            .map(|ods| ("organisation".to_owned(), json!(ods))),
    );
    claims.extend(
        person
            .nhs_number
            .iter()
            .map(|nn| ("nhs_number".to_owned(), json!(nn))),
    );
    if !person.roles.is_empty() {
        claims.push(("roles".to_owned(), json!(person.roles)));
    }
    claims
}
