//! The key that the authority signs with: RSA, made once and kept in a file that nobody else may read.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::EncodingKey;
use jsonwebtoken::jwk::Jwk;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::error::{Error, ErrorCode, Result};
use crate::secret_file;
use crate::token::{KeySet, pkcs1};

const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";

/// A key to sign with, and its public half.
pub(super) struct SigningKey {
    pub(super) secret: EncodingKey,
    pub(super) kid: String,
    /// The public half as a JSON Web Key Set.
    pub(super) jwks: Value,
    pub(super) keys: KeySet,
}

impl SigningKey {
    /// The key in that file, made where there is none; without a file, a key that ends with the process.
    pub(super) fn open(path: Option<&Path>) -> Result<SigningKey> {
        match path {
            Some(path) if path.exists() => SigningKey::read(path),
            Some(path) => {
                let der = generate()?;
                match keep(path, &der) {
                    // Another process was faster.
                    Err(cause) if cause.kind() == std::io::ErrorKind::AlreadyExists => SigningKey::read(path),
                    Err(cause) => {
                        let text = format!(
                            "The authority's key cannot be kept in {}: {cause}.",
                            path.display()
                        );
                        Err(Error::new(ErrorCode::Invalid, text))
                    }
                    Ok(()) => SigningKey::of_der(&der),
                }
            }
            None => SigningKey::of_der(&generate()?),
        }
    }

    /// The key in that file.
    pub(super) fn read(path: &Path) -> Result<SigningKey> {
        let text = secret_file::read_secret(path)?;
        let der = std::str::from_utf8(&text).ok().and_then(|text| {
            let inner = text.trim().strip_prefix(BEGIN)?.strip_suffix(END)?;
            STANDARD
                .decode(inner.split_ascii_whitespace().collect::<String>())
                .ok()
        });
        let der = der.ok_or_else(|| {
            Error::new(
                ErrorCode::Invalid,
                format!("{} holds no private key in PEM.", path.display()),
            )
        })?;
        SigningKey::of_der(&der)
    }

    /// A key as PKCS#8.
    fn of_der(der: &[u8]) -> Result<SigningKey> {
        let pkcs1 =
            pkcs1(der).ok_or_else(|| Error::new(ErrorCode::Invalid, "The authority's key is no RSA key."))?;
        let secret = EncodingKey::from_rsa_der(pkcs1);
        let jwk = Jwk::from_encoding_key(&secret, jsonwebtoken::Algorithm::RS256).map_err(Error::internal)?;
        let mut jwk = serde_json::to_value(&jwk).map_err(Error::internal)?;
        let digest = Sha256::digest(jwk.to_string());
        let kid: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        if let Some(members) = jwk.as_object_mut() {
            members.insert("kid".into(), json!(kid));
            members.insert("use".into(), json!("sig"));
            members.insert("alg".into(), json!("RS256"));
        }
        let jwks = json!({ "keys": [jwk] });
        let keys = KeySet::read(jwks.to_string().as_bytes(), None)?;
        Ok(SigningKey {
            secret,
            kid,
            jwks,
            keys,
        })
    }
}

fn generate() -> Result<Vec<u8>> {
    let failed = |_| Error::internal("no RSA key could be made");
    let pair = KeyPair::generate(KeySize::Rsa2048).map_err(failed)?;
    let der: Pkcs8V1Der<'static> = pair.as_der().map_err(failed)?;
    Ok(der.as_ref().to_vec())
}

/// Writes a new file that its owner alone can read.
fn keep(path: &Path, der: &[u8]) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    writeln!(file, "{BEGIN}\n{}\n{END}", STANDARD.encode(der))?;
    file.sync_all()
}
