//! URLs in parts, and their percent escapes (RFC 3986, section 2.1), read strictly: a broken escape or a text that is not UTF-8 is `None`.

/// A URL as its origin (scheme, host and port) and what follows; `None` where it has no scheme.
pub(crate) fn split_origin(url: &str) -> Option<(&str, &str)> {
    let host_at = url.find("://")? + 3;
    let host = url.get(host_at..)?;
    url.split_at_checked(host_at + host.find('/').unwrap_or(host.len()))
}

/// Appends the text, escaped as a name or value in a query.
pub(super) fn encode(text: &str, out: &mut String) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z'
            | b'a'..=b'z'
            | b'0'..=b'9'
            | b'-'
            | b'.'
            | b'_'
            | b'~'
            | b','
            | b':'
            | b'|'
            | b'/'
            | b'$' => {
                out.push(char::from(byte));
            }
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
}

/// A URL with a query of those parameters.
pub(crate) fn with_query(mut url: String, parameters: &[(String, String)]) -> String {
    for (i, (name, value)) in parameters.iter().enumerate() {
        url.push(if i == 0 { '?' } else { '&' });
        encode(name, &mut url);
        url.push('=');
        encode(value, &mut url);
    }
    url
}

/// The parameters of a query, in order; `None` where an escape is broken or the result is not UTF-8.
pub(super) fn decode_query(query: &str) -> Option<Vec<(String, String)>> {
    let pairs = query.split('&').filter(|p| !p.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        Some((decode(name, true)?, decode(value, true)?))
    });
    pairs.collect()
}

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
    fn an_origin_ends_where_the_path_begins() {
        assert_eq!(
            split_origin("http://h:8080/fhir"),
            Some(("http://h:8080", "/fhir"))
        );
        assert_eq!(split_origin("https://h"), Some(("https://h", "")));
        assert_eq!(split_origin("/fhir"), None);
    }

    #[test]
    fn what_is_escaped_comes_back() {
        let parameters = vec![
            ("_id".to_owned(), "a&b=c d+e%é".to_owned()),
            ("x".to_owned(), String::new()),
        ];
        let url = with_query("http://h/fhir/Patient".into(), &parameters);
        assert_eq!(url, "http://h/fhir/Patient?_id=a%26b%3Dc%20d%2Be%25%C3%A9&x=");
        assert_eq!(decode_query(url.split_once('?').unwrap().1).unwrap(), parameters);
    }

    #[test]
    fn broken_escapes_are_nothing() {
        assert!(
            decode_query("a=%4").is_none()
                && decode_query("a=%ff").is_none()
                && decode_query("%zz=1").is_none()
        );
    }

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
