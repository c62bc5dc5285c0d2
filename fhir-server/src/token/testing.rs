//! Keys and tokens for tests, made when they are first wanted.

use std::sync::LazyLock;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm as Library, EncodingKey};
use serde_json::{Value, json};

/// A key of a test, with its name.
pub(crate) struct TestKey {
    pub(crate) kid: &'static str,
    pub(crate) secret: EncodingKey,
    algorithm: Library,
}

impl TestKey {
    fn rsa(kid: &'static str, algorithm: Library) -> TestKey {
        let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let der: Pkcs8V1Der<'static> = pair.as_der().unwrap();
        TestKey {
            kid,
            secret: EncodingKey::from_rsa_der(super::pkcs1(der.as_ref()).unwrap()),
            algorithm,
        }
    }

    fn ec(kid: &'static str, algorithm: Library) -> TestKey {
        let kind = match algorithm {
            Library::ES384 => &ECDSA_P384_SHA384_FIXED_SIGNING,
            _ => &ECDSA_P256_SHA256_FIXED_SIGNING,
        };
        let pair = EcdsaKeyPair::generate(kind).unwrap();
        let der = pair.to_pkcs8v1().unwrap();
        TestKey {
            kid,
            secret: EncodingKey::from_ec_der(der.as_ref()),
            algorithm,
        }
    }

    /// The public half.
    pub(crate) fn jwk(&self) -> Value {
        let jwk = Jwk::from_encoding_key(&self.secret, self.algorithm).unwrap();
        let mut jwk = serde_json::to_value(&jwk).unwrap();
        jwk["kid"] = json!(self.kid);
        // One RSA key is used with three algorithms.
        jwk.as_object_mut().unwrap().remove("alg");
        jwk
    }

    /// A token with that header and those claims.
    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        self.sign_text(&header.to_string(), &claims.to_string())
    }

    /// The same, of texts that may be no JSON.
    pub(crate) fn sign_text(&self, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", encoded(header), encoded(claims));
        let named = serde_json::from_str::<Value>(header).unwrap_or_default();
        let algorithm = match named["alg"].as_str() {
            Some("RS384") => Library::RS384,
            Some("RS512") => Library::RS512,
            Some("ES384") => Library::ES384,
            Some("ES256") => Library::ES256,
            _ => self.algorithm,
        };
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &self.secret, algorithm).unwrap();
        format!("{message}.{signature}")
    }
}

/// Text in base64url.
pub(crate) fn encoded(text: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

/// The RSA key of the issuer in tests.
pub(crate) static RSA: LazyLock<TestKey> = LazyLock::new(|| TestKey::rsa("rsa-1", Library::RS256));
/// Its EC keys.
pub(crate) static P256: LazyLock<TestKey> = LazyLock::new(|| TestKey::ec("ec-256", Library::ES256));
pub(crate) static P384: LazyLock<TestKey> = LazyLock::new(|| TestKey::ec("ec-384", Library::ES384));
/// The key of somebody else.
pub(crate) static STRANGER: LazyLock<TestKey> = LazyLock::new(|| TestKey::rsa("rsa-1", Library::RS256));

/// The key set of the issuer.
pub(crate) fn jwks() -> Value {
    json!({ "keys": [RSA.jwk(), P256.jwk(), P384.jwk()] })
}
