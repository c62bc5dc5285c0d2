//! White space in JSON text: taken out, or put in. The text itself is copied, never parsed.

/// The same JSON without insignificant white space. The input must be JSON.
pub fn compact(json: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(json.len());
    compact_into(json, &mut out);
    out
}

/// Appends the JSON without insignificant white space. The input must be JSON tokens.
pub(crate) fn compact_into(json: &[u8], out: &mut Vec<u8>) {
    let mut rest = json;
    while let Some(quote) = memchr::memchr(b'"', rest) {
        let (between, from_quote) = rest.split_at(quote);
        out.extend(between.iter().filter(|b| !b.is_ascii_whitespace()));
        let (string, after) = from_quote.split_at(string_length(from_quote));
        out.extend_from_slice(string);
        rest = after;
    }
    out.extend(rest.iter().filter(|b| !b.is_ascii_whitespace()));
}

/// The length of the string literal that the text begins with, quotes included.
fn string_length(text: &[u8]) -> usize {
    let mut at = 1;
    while let Some(found) = text.get(at..).and_then(|t| memchr::memchr2(b'"', b'\\', t)) {
        at += found + 1;
        if text.get(at - 1) == Some(&b'"') {
            return at;
        }
        at += 1;
    }
    text.len()
}

/// The same JSON with a line a value and two spaces a level. The input must be JSON.
pub fn pretty(json: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(json.len() * 2);
    let mut depth = 0usize;
    let mut rest = json.trim_ascii_start();
    while let Some(&byte) = rest.first() {
        let length = if byte == b'"' { string_length(rest) } else { 1 };
        let (token, after) = rest.split_at(length);
        let after = after.trim_ascii_start();
        let closes_next = matches!(after.first(), Some(b'}' | b']'));
        out.extend_from_slice(token);
        match byte {
            b'{' | b'[' if !closes_next => {
                depth += 1;
                new_line(&mut out, depth);
            }
            b',' => new_line(&mut out, depth),
            b':' => out.push(b' '),
            b'{' | b'[' => {}
            _ if closes_next => {
                depth = depth.saturating_sub(1);
                new_line(&mut out, depth);
            }
            _ => {}
        }
        rest = after;
    }
    out
}

fn new_line(out: &mut Vec<u8>, depth: usize) {
    out.push(b'\n');
    out.resize(out.len() + depth * 2, b' ');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_goes_and_strings_stay() {
        let json = br#" { "a" : [ 1 , "x \" y\\" , { } ] , "b" : { "c" : null } } "#;
        let compacted = compact(json);
        assert_eq!(compacted, br#"{"a":[1,"x \" y\\",{}],"b":{"c":null}}"#);
        assert_eq!(compact(&pretty(&compacted)), compacted);
        let text = String::from_utf8(pretty(br#"{"a":[1,{"b":[]}]}"#)).unwrap();
        assert_eq!(
            text,
            "{\n  \"a\": [\n    1,\n    {\n      \"b\": []\n    }\n  ]\n}"
        );
    }
}
