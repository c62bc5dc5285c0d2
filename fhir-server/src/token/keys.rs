//! Public keys of issuers: JSON Web Key Sets (RFC 7517).
//!
//! Invariant: a key is for the algorithms of its own kind, and for that one alone which it names; weak keys and secrets are no keys.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::DecodingKey;
use serde_json::{Map, Value};

use super::{Algorithm, Json, pem};
use crate::error::{Error, ErrorCode, Result};

/// Bits of the modulus of an RSA key, at least and at most.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;
/// Keys of a set at most.
const MAX_KEYS: usize = 64;

/// The keys of one issuer.
#[derive(Clone, Debug, Default)]
pub(crate) struct KeySet(Vec<Key>);

#[derive(Clone)]
struct Key {
    kid: Option<String>,
    algorithms: Vec<Algorithm>,
    key: DecodingKey,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Key({:?}, {:?})", self.kid, self.algorithms)
    }
}

impl KeySet {
    /// Reads a JSON Web Key Set, or a public key in PEM that tokens name by `key_id`.
    ///
    /// # Errors
    /// It is neither, holds a weak key or a secret, or two keys of one id.
    pub(crate) fn read(text: &[u8], key_id: Option<&str>) -> Result<KeySet> {
        match text.trim_ascii_start().starts_with(b"-----BEGIN") {
            true => {
                let key = pem::public_key(text)
                    .ok_or_else(|| refused("the PEM holds no public key of RSA or EC".into()))?;
                Ok(KeySet(vec![Key::of_public(
                    key_id.map(str::to_owned),
                    None,
                    key,
                )?]))
            }
            false => KeySet::of_jwks(text),
        }
    }

    fn of_jwks(text: &[u8]) -> Result<KeySet> {
        let set = Json::object(text).ok_or_else(|| refused("it is no JSON object".into()))?;
        let Some(Value::Array(all)) = set.get("keys") else {
            return Err(refused("it has no array `keys`".into()));
        };
        if all.len() > MAX_KEYS {
            return Err(refused(format!("it holds more than {MAX_KEYS} keys")));
        }
        let mut keys: Vec<Key> = Vec::new();
        for jwk in all.iter().filter_map(Value::as_object) {
            let Some(key) = Key::of_jwk(jwk)? else { continue };
            if keys.iter().any(|other| other.kid == key.kid) {
                return Err(refused("two of its keys have the same kid, or none".into()));
            }
            keys.push(key);
        }
        match keys.is_empty() {
            true => Err(refused("it holds no key of RSA or EC for signatures".into())),
            false => Ok(KeySet(keys)),
        }
    }

    /// The key that a token names; without a name, the only one there is.
    pub(crate) fn find(&self, kid: Option<&str>, algorithm: Algorithm) -> Option<&DecodingKey> {
        let found = match kid {
            Some(kid) => self.0.iter().find(|key| key.kid.as_deref() == Some(kid)),
            None => match self.0.as_slice() {
                [only] => Some(only),
                _ => None,
            },
        };
        found
            .filter(|key| key.algorithms.contains(&algorithm))
            .map(|key| &key.key)
    }
}

/// A public key by its numbers.
pub(super) enum Public {
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    /// The coordinates; their length tells the curve.
    Ec {
        x: Vec<u8>,
        y: Vec<u8>,
    },
}

impl Key {
    /// A key of a set; `None` where it is not for signatures, or of a kind that is not used.
    fn of_jwk(jwk: &Map<String, Value>) -> Result<Option<Key>> {
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        let number = |name: &str| text(name).and_then(|t| URL_SAFE_NO_PAD.decode(t).ok());
        if text("use").is_some_and(|used| used != "sig") {
            return Ok(None);
        }
        let public = match text("kty") {
            Some("RSA") => number("n").zip(number("e")).map(|(n, e)| Public::Rsa { n, e }),
            Some("EC") if matches!(text("crv"), Some("P-256" | "P-384")) => {
                number("x").zip(number("y")).map(|(x, y)| Public::Ec { x, y })
            }
            Some("EC") => {
                return Err(refused(
                    "it holds a key of a curve other than P-256 and P-384".into(),
                ));
            }
            Some("oct") => return Err(refused("it holds a shared secret".into())),
            _ => return Ok(None),
        };
        if ["d", "p", "q"].iter().any(|private| jwk.contains_key(*private)) {
            return Err(refused("it holds a private key".into()));
        }
        let public = public.ok_or_else(|| refused("a key in it lacks its numbers".into()))?;
        let named = match text("alg") {
            None => None,
            Some(name) => match Algorithm::of_name(name) {
                Some(algorithm) => Some(algorithm),
                None => return Ok(None),
            },
        };
        Key::of_public(text("kid").map(str::to_owned), named, public).map(Some)
    }

    fn of_public(kid: Option<String>, named: Option<Algorithm>, public: Public) -> Result<Key> {
        let (own, key): (&[Algorithm], _) = match public {
            Public::Rsa { n, e } => {
                let n = n.trim_ascii_zeros();
                let bits = (n.len() * 8).saturating_sub(n.first().map_or(0, |b| b.leading_zeros() as usize));
                if !RSA_BITS.contains(&bits) {
                    return Err(refused(format!(
                        "it holds an RSA key of {bits} bits; 2048 to 8192 are accepted"
                    )));
                }
                (
                    &[Algorithm::Rs256, Algorithm::Rs384, Algorithm::Rs512],
                    DecodingKey::from_rsa_raw_components(n, &e),
                )
            }
            Public::Ec { x, y } => {
                let own: &[Algorithm] = match (x.len(), y.len()) {
                    (32, 32) => &[Algorithm::Es256],
                    (48, 48) => &[Algorithm::Es384],
                    _ => {
                        return Err(refused(
                            "the coordinates of a key in it have the wrong length".into(),
                        ));
                    }
                };
                let key =
                    DecodingKey::from_ec_components(&URL_SAFE_NO_PAD.encode(&x), &URL_SAFE_NO_PAD.encode(&y));
                (
                    own,
                    key.map_err(|cause| refused("a key in it cannot be read".into()).with_cause(cause))?,
                )
            }
        };
        let algorithms: Vec<_> = own
            .iter()
            .copied()
            .filter(|one| named.is_none_or(|named| named == *one))
            .collect();
        match algorithms.is_empty() {
            true => Err(refused(
                "a key in it names an algorithm of another kind of key".into(),
            )),
            false => Ok(Key { kid, algorithms, key }),
        }
    }
}

/// Bytes of a number without zeros in front.
trait Number {
    fn trim_ascii_zeros(&self) -> &[u8];
}

impl Number for Vec<u8> {
    fn trim_ascii_zeros(&self) -> &[u8] {
        let zeros = self.iter().take_while(|b| **b == 0).count();
        self.get(zeros..).unwrap_or_default()
    }
}

fn refused(why: String) -> Error {
    Error::new(ErrorCode::Invalid, format!("A key set is refused: {why}."))
}
