//! Key files: what is a key, and which files are not used (S-003, S-092).

use super::*;
use crate::token::KeySet;
use crate::token::testing::{P256, encoded};

fn read_keys(keys: Value) -> Result<KeySet, String> {
    KeySet::read(json!({ "keys": keys }).to_string().as_bytes(), None).map_err(|error| error.to_string())
}

/// The key with one member in another form.
fn changed(mut key: Value, name: &str, value: Value) -> Value {
    key[name] = value;
    key
}

#[test]
fn weak_keys_and_secrets_are_no_keys_s_003() {
    read_keys(json!([RSA.jwk(), P256.jwk()])).unwrap();
    let rsa = |bits: usize| {
        let mut n = vec![0xFF; bits / 8];
        n[0] = 0x80;
        changed(RSA.jwk(), "n", json!(encoded(n)))
    };
    for (keys, word) in [
        (json!([rsa(512)]), "512 bits"),
        (json!([rsa(1024)]), "1024 bits"),
        (json!([rsa(16384)]), "16384 bits"),
        (
            json!([changed(RSA.jwk(), "n", json!(encoded([0; 256])))]),
            "0 bits",
        ),
        (json!([changed(P256.jwk(), "crv", json!("secp256k1"))]), "curve"),
        (json!([changed(P256.jwk(), "crv", json!("P-521"))]), "curve"),
        (
            json!([changed(P256.jwk(), "x", json!(encoded([1; 31])))]),
            "length",
        ),
        (json!([{ "kty": "oct", "k": "c2VjcmV0", "kid": "a" }]), "secret"),
        (json!([changed(RSA.jwk(), "d", json!("AQAB"))]), "private"),
        (json!([changed(RSA.jwk(), "alg", json!("ES256"))]), "another kind"),
        (json!([RSA.jwk(), RSA.jwk()]), "same kid"),
        (json!([]), "no key"),
        (json!([changed(RSA.jwk(), "use", json!("enc"))]), "no key"),
        (json!([changed(RSA.jwk(), "alg", json!("RS1"))]), "no key"),
    ] {
        let error = read_keys(keys.clone()).unwrap_err();
        assert!(error.contains(word), "{keys}: {error}");
    }
    assert!(KeySet::read(b"{\"keys\":[],\"keys\":[]}", None).is_err());
    assert!(
        KeySet::read(
            b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
            None
        )
        .is_err()
    );
}

#[test]
fn a_public_key_in_pem_is_read() {
    use base64::Engine as _;
    let coordinate = |name: &str| {
        let jwk = P256.jwk();
        base64::engine::general_purpose::URL_SAFE_NO_PAD
            .decode(jwk[name].as_str().unwrap())
            .unwrap()
    };
    let mut der = vec![
        0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06, 0x08, 0x2A, 0x86,
    ];
    der.extend([0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04]);
    der.extend(coordinate("x"));
    der.extend(coordinate("y"));
    let body = base64::engine::general_purpose::STANDARD.encode(der);
    let pem = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n{}\n-----END PUBLIC KEY-----\n",
        &body[..64],
        &body[64..]
    );
    let keys = KeySet::read(pem.as_bytes(), Some("k")).unwrap();
    assert!(keys.find(Some("k"), crate::token::Algorithm::Es256).is_some());
    assert!(keys.find(None, crate::token::Algorithm::Es256).is_some());
    assert!(keys.find(Some("other"), crate::token::Algorithm::Es256).is_none());
    assert!(keys.find(Some("k"), crate::token::Algorithm::Rs256).is_none());
}

#[cfg(unix)]
#[test]
fn a_key_file_that_others_can_change_is_not_used_s_092() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jwks.json");
    std::fs::write(&path, jwks().to_string()).unwrap();
    let open = |mode: u32| {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let mut config = Config::default();
        config.tokens.issuers.push(IssuerConfig::new(ISSUER, &path));
        crate::token::Verifier::open(&config)
            .map(drop)
            .map_err(|error| error.to_string())
    };
    for mode in [0o600, 0o644, 0o400] {
        open(mode).unwrap();
    }
    for mode in [0o666, 0o664, 0o602] {
        assert!(open(mode).unwrap_err().contains("chmod"), "{mode:o}");
    }
    std::fs::remove_file(&path).unwrap();
    let mut config = Config::default();
    config.tokens.issuers.push(IssuerConfig::new(ISSUER, &path));
    let error = crate::token::Verifier::open(&config)
        .map(drop)
        .unwrap_err()
        .to_string();
    assert!(error.contains("cannot be read"), "{error}");
}
