//! Percent decoding (RFC 3986, section 2.1), strict: a broken escape or a text that is not UTF-8 is `None`.

/// Decodes; `plus` reads `+` as a space, as in queries and forms.
pub(crate) fn decode(raw: &str, plus: bool) -> Option<String> {
    let escaped = |b: u8| b == b'%' || (plus && b == b'+');
    if !raw.bytes().any(escaped) {
        return Some(raw.to_owned());
    }
    let mut out = Vec::with_capacity(raw.len());
    let mut bytes = raw.bytes();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'%' => hex(bytes.next()?)? << 4 | hex(bytes.next()?)?,
            b'+' if plus => b' ',
            _ => byte,
        });
    }
    String::from_utf8(out).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|d| u8::try_from(d).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_escapes_and_plus() {
        assert_eq!(decode("a%20b+c", true).as_deref(), Some("a b c"));
        assert_eq!(decode("a%20b+c", false).as_deref(), Some("a b+c"));
        assert_eq!(decode("%C3%A9%2B", true).as_deref(), Some("é+"));
        assert_eq!(decode("plain", true).as_deref(), Some("plain"));
    }

    #[test]
    fn refuses_broken_escapes() {
        for raw in ["%", "%4", "%4g", "%+1", "%ff", "%C3"] {
            assert_eq!(decode(raw, true), None, "{raw}");
        }
    }
}
