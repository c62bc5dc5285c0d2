//! `encode`, `decode`, `escape` and `unescape` (<https://hl7.org/fhirpath/#additional-string-functions>).

use super::{Function, input_name, one_string};
use crate::path::error::Error;
use crate::path::eval::{Evaluator, Scope};
use crate::path::plan::Call;
use crate::path::value::Collection;

impl<'a> Evaluator<'a> {
    pub(super) fn encoding(
        &mut self,
        call: &'a Call,
        input: Collection<'a>,
        scope: Scope<'a, '_>,
    ) -> Result<Collection<'a>, Error> {
        let text = one_string(&input, || input_name(call))?;
        let format = self.string_argument(call, 0, scope)?;
        let Some((text, format)) = text.zip(format) else {
            return Ok(Collection::new());
        };
        self.meter.charge(text.len() / 16)?;
        let result = match (call.function, &*format) {
            (Function::Encode, "hex") => text.bytes().flat_map(hex_digits).collect(),
            (Function::Encode, "base64") => encode_base64(text.as_bytes(), STANDARD),
            (Function::Encode, "urlbase64") => encode_base64(text.as_bytes(), URL),
            (Function::Decode, "hex") => decoded(decode_hex(&text), &format)?,
            (Function::Decode, "base64") => decoded(decode_base64(&text, STANDARD), &format)?,
            (Function::Decode, "urlbase64") => decoded(decode_base64(&text, URL), &format)?,
            (Function::Escape, "html") => escape_html(&text),
            (Function::Escape, "json") => escape_json(&text),
            (Function::Unescape, "html") => unescape_html(&text),
            (Function::Unescape, "json") => unescape_json(&text),
            (function, other) => {
                let known = match function {
                    Function::Encode | Function::Decode => "hex, base64 and urlbase64",
                    _ => "html and json",
                };
                return Err(Error::execution(format!(
                    "{}() knows {known}, not `{other}`",
                    function.name()
                )));
            }
        };
        self.text(result)
    }
}

fn decoded(bytes: Option<Vec<u8>>, format: &str) -> Result<String, Error> {
    bytes
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| Error::execution(format!("the text is not a string encoded as {format}")))
}

fn hex_digits(byte: u8) -> [char; 2] {
    [byte >> 4, byte & 15].map(|d| char::from_digit(u32::from(d), 16).unwrap_or('0'))
}

fn decode_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let bytes = text.as_bytes();
    if !bytes.len().is_multiple_of(2) {
        return None;
    }
    bytes
        .chunks_exact(2)
        .map(|pair| match pair {
            [high, low] => Some(digit(*high)? * 16 + digit(*low)?),
            _ => None,
        })
        .collect()
}

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn encode_base64(bytes: &[u8], alphabet: &[u8; 64]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = (0..3).fold(0u32, |group, i| {
            group << 8 | u32::from(chunk.get(i).copied().unwrap_or(0))
        });
        for place in 0..4 {
            let index = (group >> (18 - 6 * place) & 63) as usize;
            let c = alphabet.get(index).copied().unwrap_or(b'A');
            text.push(if place <= chunk.len() { char::from(c) } else { '=' });
        }
    }
    text
}

fn decode_base64(text: &str, alphabet: &[u8; 64]) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let digits = text
        .strip_suffix("==")
        .or_else(|| text.strip_suffix('='))
        .unwrap_or(text);
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    for chunk in digits.as_bytes().chunks(4) {
        let mut group = 0u32;
        for place in 0..4 {
            let digit = match chunk.get(place) {
                Some(byte) => alphabet.iter().position(|a| a == byte)?,
                None => 0,
            };
            group = group << 6 | u32::try_from(digit).ok()?;
        }
        let count = chunk.len().checked_sub(1).filter(|c| *c > 0)?;
        bytes.extend(group.to_be_bytes().into_iter().skip(1).take(count));
    }
    Some(bytes)
}

fn escape_html(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => result.push_str("&lt;"),
            '>' => result.push_str("&gt;"),
            '&' => result.push_str("&amp;"),
            '"' => result.push_str("&quot;"),
            '\'' => result.push_str("&#39;"),
            c if c.is_ascii() => result.push(c),
            c => result.push_str(&format!("&#{};", u32::from(c))),
        }
    }
    result
}

fn unescape_html(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        result.push_str(rest.get(..at).unwrap_or(""));
        rest = rest.get(at..).unwrap_or("");
        // The longest entity that is known has eight characters before the semicolon.
        let end = rest.bytes().take(12).position(|b| b == b';');
        let c = end.and_then(|end| entity(rest.get(1..end)?).map(|c| (c, end)));
        match c {
            Some((c, end)) => {
                result.push(c);
                rest = rest.get(end + 1..).unwrap_or("");
            }
            None => {
                result.push('&');
                rest = rest.get(1..).unwrap_or("");
            }
        }
    }
    result.push_str(rest);
    result
}

fn entity(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(code);
    }
    Some(match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => '\u{a0}',
        _ => return None,
    })
}

fn escape_json(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' => result.push_str("\\\""),
            '\\' => result.push_str("\\\\"),
            '\n' => result.push_str("\\n"),
            '\r' => result.push_str("\\r"),
            '\t' => result.push_str("\\t"),
            '\u{c}' => result.push_str("\\f"),
            '\u{8}' => result.push_str("\\b"),
            c if c.is_control() => result.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => result.push(c),
        }
    }
    result
}

fn unescape_json(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        result.push_str(rest.get(..at).unwrap_or(""));
        rest = rest.get(at + 1..).unwrap_or("");
        let Some(c) = rest.chars().next() else { break };
        rest = rest.get(c.len_utf8()..).unwrap_or("");
        match c {
            'n' => result.push('\n'),
            'r' => result.push('\r'),
            't' => result.push('\t'),
            'f' => result.push('\u{c}'),
            'b' => result.push('\u{8}'),
            'u' => match unicode(rest) {
                Some((c, after)) => {
                    result.push(c);
                    rest = after;
                }
                None => result.push('u'),
            },
            other => result.push(other),
        }
    }
    result.push_str(rest);
    result
}

/// The character of four hexadecimal digits, or of two groups that are a pair of surrogates, and what follows.
fn unicode(rest: &str) -> Option<(char, &str)> {
    let unit = |text: &str| u16::from_str_radix(text.get(..4)?, 16).ok();
    let first = unit(rest)?;
    if let Some(c) = char::from_u32(u32::from(first)) {
        return Some((c, rest.get(4..)?));
    }
    let low = rest.get(4..)?.strip_prefix("\\u")?;
    let c = char::decode_utf16([first, unit(low)?]).next()?.ok()?;
    Some((c, low.get(4..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_come_back() {
        for text in ["", "f", "fo", "foo", "foob", "subjects?_d", "żółć", "\u{0}\u{7f}"] {
            let (standard, url) = (
                encode_base64(text.as_bytes(), STANDARD),
                encode_base64(text.as_bytes(), URL),
            );
            assert_eq!(decode_base64(&standard, STANDARD).unwrap(), text.as_bytes());
            assert_eq!(decode_base64(&url, URL).unwrap(), text.as_bytes());
            let hex: String = text.bytes().flat_map(hex_digits).collect();
            assert_eq!(decode_hex(&hex).unwrap(), text.as_bytes());
            assert_eq!(unescape_json(&escape_json(text)), text);
            assert_eq!(unescape_html(&escape_html(text)), text);
        }
        assert_eq!(encode_base64(b"foob", STANDARD), "Zm9vYg==");
        for bad in ["a", "ab=", "====", "a===", "Zm9vYg=", "Zm9*"] {
            assert_eq!(decode_base64(bad, STANDARD), None, "{bad}");
        }
    }

    #[test]
    fn what_is_no_escape_stays() {
        assert_eq!(unescape_html("a & b &wibble; &#xZ; &"), "a & b &wibble; &#xZ; &");
        assert_eq!(unescape_json(r"\u00e9 \ud83d\ude00 \q \"), "é 😀 q ");
    }
}
