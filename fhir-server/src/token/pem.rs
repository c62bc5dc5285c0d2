//! A public key in PEM (RFC 7468): the SubjectPublicKeyInfo of an RSA key, or of an EC key on P-256 or P-384.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::keys::Public;

const RSA: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01];
const EC: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01];
const P256: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07];
const P384: &[u8] = &[0x2B, 0x81, 0x04, 0x00, 0x22];

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
#[cfg(any(test, feature = "authority"))]
const OCTET_STRING: u8 = 0x04;
const OBJECT_IDENTIFIER: u8 = 0x06;
const SEQUENCE: u8 = 0x30;

/// The key; `None` where the text holds anything else.
pub(super) fn public_key(text: &[u8]) -> Option<Public> {
    let text = std::str::from_utf8(text).ok()?.trim();
    let inner = text
        .strip_prefix("-----BEGIN PUBLIC KEY-----")?
        .strip_suffix("-----END PUBLIC KEY-----")?;
    let base64: String = inner.split_ascii_whitespace().collect();
    let der = STANDARD.decode(base64).ok()?;
    let mut info = whole(&der, SEQUENCE)?;
    let mut algorithm = take(&mut info, SEQUENCE)?;
    let key = take(&mut info, BIT_STRING)?.strip_prefix(&[0])?;
    let kind = take(&mut algorithm, OBJECT_IDENTIFIER)?;
    if !info.is_empty() {
        return None;
    }
    if kind == RSA {
        let mut numbers = whole(key, SEQUENCE)?;
        let n = take(&mut numbers, INTEGER)?.to_vec();
        let e = take(&mut numbers, INTEGER)?.to_vec();
        return numbers.is_empty().then_some(Public::Rsa { n, e });
    }
    let curve = (kind == EC)
        .then(|| take(&mut algorithm, OBJECT_IDENTIFIER))
        .flatten()?;
    let length = match curve {
        P256 => 32,
        P384 => 48,
        _ => return None,
    };
    let point = key.strip_prefix(&[4])?;
    let (x, y) = point.split_at_checked(length)?;
    Some(Public::Ec {
        x: x.to_vec(),
        y: y.to_vec(),
    })
}

/// The RSA key (PKCS#1) inside a private key in PKCS#8.
#[cfg(any(test, feature = "authority"))]
pub(crate) fn pkcs1(pkcs8: &[u8]) -> Option<&[u8]> {
    let mut info = whole(pkcs8, SEQUENCE)?;
    take(&mut info, INTEGER)?;
    let mut algorithm = take(&mut info, SEQUENCE)?;
    let is_rsa = take(&mut algorithm, OBJECT_IDENTIFIER)? == RSA;
    let key = take(&mut info, OCTET_STRING)?;
    is_rsa.then_some(key)
}

/// The content of a value that is all there is.
fn whole(mut bytes: &[u8], tag: u8) -> Option<&[u8]> {
    let content = take(&mut bytes, tag)?;
    bytes.is_empty().then_some(content)
}

/// The content of the next value of DER, which must have that tag.
fn take<'d>(bytes: &mut &'d [u8], tag: u8) -> Option<&'d [u8]> {
    let rest = bytes.strip_prefix(&[tag])?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7F => (usize::from(first), rest),
        0x81 | 0x82 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x0F))?;
            (digits.iter().fold(0, |n, b| n << 8 | usize::from(*b)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    *bytes = rest;
    Some(content)
}
