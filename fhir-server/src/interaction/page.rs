//! Page links: what the next page needs, sealed with a key kept in the database
//! (<https://hl7.org/fhir/R4/http.html#paging>).
//!
//! Invariant: a link that this database did not make for this tenant, or that was changed, is refused; a good one
//! gives no rights, as each page goes through the policy again, and tells nothing: its mark would show that something was written, seen or not.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::Request;
use super::query::Parameters;
use crate::context::TenantId;
use crate::engine::Session;
use crate::error::{Error, ErrorCode, Result};

/// The parameter that holds a page link's token.
pub(super) const PARAMETER: &str = "_page";

/// The longest token that is looked at.
pub(super) const MAX_TOKEN: usize = 16 * 1024;

/// Where a page goes on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Page {
    /// What is paged through: the interaction, and the path below the base.
    #[serde(rename = "p")]
    pub(super) path: String,
    /// The parameters of the first page that were followed.
    #[serde(rename = "q")]
    pub(super) query: Parameters,
    /// The last row of the page before.
    #[serde(rename = "a")]
    pub(super) after: After,
    /// The high-water mark of the first page.
    #[serde(rename = "m")]
    pub(super) mark: i64,
    /// The total as the first page told it.
    #[serde(rename = "n")]
    pub(super) total: Option<u64>,
    /// The container of which a part was shown, and how much of it.
    #[serde(rename = "i", default, skip_serializing_if = "Option::is_none")]
    pub(super) part: Option<(String, usize)>,
}

/// Which row a page goes on after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum After {
    /// None: the first one still has something to show.
    #[serde(rename = "f")]
    Nothing,
    /// The one with that stamp, of a history.
    #[serde(rename = "s")]
    Stamp(i64),
    /// The one with that cursor, of a search.
    #[serde(rename = "c")]
    Cursor(#[serde(with = "text")] Vec<u8>),
}

/// Bytes as base64url.
mod text {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&URL_SAFE_NO_PAD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(from)?;
        URL_SAFE_NO_PAD.decode(text).map_err(de::Error::custom)
    }
}

impl Page {
    /// The token for a link: the same for the same page, since nothing but the page and the key goes into it.
    pub(super) fn seal(&self, session: &Session) -> Result<String> {
        let content = serde_json::to_vec(self).map_err(Error::internal)?;
        let key = Key::of(session)?;
        let nonce = key.nonce(&content)?;
        let sealed = key.cipher.encrypt(&XNonce::from(nonce), key.payload(&content));
        let sealed = sealed.map_err(|e| Error::internal(e.to_string()))?;
        Ok(URL_SAFE_NO_PAD.encode([nonce.as_slice(), &sealed].concat()))
    }

    /// Where the request goes on, if it is for a further page.
    pub(super) fn of_request(request: &Request, path: &str, session: &Session) -> Result<Option<Page>> {
        match request.query.as_slice() {
            [(name, token)] if name == PARAMETER => Page::open(token, path, session).map(Some),
            several if several.iter().any(|(name, _)| name == PARAMETER) => {
                let text = "A page link holds the whole request: send it as the Bundle gave it, without more parameters.";
                Err(Error::new(ErrorCode::Value, text).at(format!("http.{PARAMETER}")))
            }
            _ => Ok(None),
        }
    }

    /// What a link's token says, if this database made it for this tenant and this path.
    fn open(token: &str, path: &str, session: &Session) -> Result<Page> {
        Page::unsealed(token, session)?.filter(|page| page.path == path).ok_or_else(|| {
            let text = "This page link was not made by this server for this URL, or was changed or cut off on its way: \
                        use the link exactly as the Bundle gave it, or begin again with the first page.";
            Error::new(ErrorCode::Value, text).at(format!("http.{PARAMETER}"))
        })
    }

    fn unsealed(token: &str, session: &Session) -> Result<Option<Page>> {
        if token.len() > MAX_TOKEN {
            return Ok(None);
        }
        let Ok(token) = URL_SAFE_NO_PAD.decode(token) else {
            return Ok(None);
        };
        let Some((nonce, sealed)) = token.split_first_chunk::<NONCE>() else {
            return Ok(None);
        };
        let key = Key::of(session)?;
        let content = key.cipher.decrypt(&XNonce::from(*nonce), key.payload(sealed));
        Ok(content
            .ok()
            .and_then(|content| serde_json::from_slice(&content).ok()))
    }
}

/// Bytes of a nonce of XChaCha20-Poly1305.
const NONCE: usize = 24;

/// What links of a tenant are sealed with.
struct Key {
    cipher: XChaCha20Poly1305,
    /// What nonces are made with.
    mac: Hmac<Sha256>,
    tenant: [u8; 8],
}

impl Key {
    fn of(session: &Session) -> Result<Key> {
        let TenantId(tenant) = session.context().tenant;
        let mac = |what: &[u8]| {
            let mac = Hmac::<Sha256>::new_from_slice(&session.page_secret());
            mac.map(|mac| mac.chain_update(what)).map_err(Error::internal)
        };
        let cipher = mac(b"fhir page link 2: cipher")?.finalize().into_bytes();
        Ok(Key {
            cipher: XChaCha20Poly1305::new(&cipher),
            mac: mac(b"fhir page link 2: nonce")?,
            tenant: tenant.to_be_bytes(),
        })
    }

    /// A nonce that only this content of this tenant has.
    fn nonce(&self, content: &[u8]) -> Result<[u8; NONCE]> {
        let mac = self.mac.clone().chain_update(self.tenant).chain_update(content);
        let mac = mac.finalize().into_bytes();
        let (nonce, _) = mac
            .split_first_chunk::<NONCE>()
            .ok_or_else(|| Error::internal("a digest is shorter than a nonce"))?;
        Ok(*nonce)
    }

    /// What is sealed, for this tenant alone.
    fn payload<'a>(&'a self, content: &'a [u8]) -> Payload<'a, 'a> {
        Payload {
            msg: content,
            aad: &self.tenant,
        }
    }
}
