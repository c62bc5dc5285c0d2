//! Character references and attribute values (<https://www.w3.org/TR/xml/#sec-references>).
//!
//! Only the five predefined entities exist, because a document type declaration is refused. HTML's names (`&nbsp;`)
//! are no part of XML: <https://hl7.org/fhir/R4/narrative.html> asks for the character itself or its number. They are
//! known here all the same, so that an error can name the cure and a narrative that came as JSON can be written.
//!
//! Invariant: nothing expands; a reference stands for one character.

use std::borrow::Cow;

use memchr::{memchr, memchr3};

use super::chars::is_char;
use super::entities::html_entity;

/// What a reference stands for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Reference {
    /// A character: predefined, or by number.
    Char(char),
    /// An entity of HTML, which XML does not know.
    Html(char),
}

/// Reads what stands between `&` and `;`.
///
/// # Errors
/// It is neither a predefined entity, nor a number of a character that XML can carry, nor a name of HTML.
pub(super) fn reference(name: &str) -> Result<Reference, String> {
    let c = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => match name.strip_prefix('#') {
            Some(number) => return numbered(number).map(Reference::Char),
            None => {
                return html_entity(name)
                    .map(Reference::Html)
                    .ok_or_else(|| undeclared(name));
            }
        },
    };
    Ok(Reference::Char(c))
}

fn undeclared(name: &str) -> String {
    let shown: String = name.chars().take(40).collect();
    format!(
        "The entity &{shown}; is not declared; XML has only &amp; &lt; &gt; &quot; &apos; and numbers such as &#160;"
    )
}

/// The message for an entity that HTML knows and XML does not.
pub(super) fn html_message(name: &str, c: char) -> String {
    format!(
        "The entity &{name}; is not declared in XML; write &#{};",
        u32::from(c)
    )
}

fn numbered(number: &str) -> Result<char, String> {
    let (digits, radix) = match number.strip_prefix('x') {
        Some(hex) => (hex, 16),
        None => (number, 10),
    };
    let mut code: u32 = 0;
    for c in digits.chars() {
        // Beyond the last character the exact number does not matter, only that it stays too large.
        code = c
            .to_digit(radix)
            .map_or(u32::MAX, |d| code.saturating_mul(radix).saturating_add(d));
    }
    char::from_u32(code)
        .filter(|c| is_char(*c) && !digits.is_empty())
        .ok_or_else(|| "The character reference names no character that XML can carry".to_owned())
}

/// One reference in a text: where its `&` stands, how long it is, and what it stands for.
pub(super) struct Found<'a> {
    pub(super) at: usize,
    pub(super) name: &'a str,
    pub(super) reference: Reference,
}

impl Found<'_> {
    /// The place after its `;`.
    pub(super) fn end(&self) -> usize {
        self.at + self.name.len() + 2
    }
}

/// The first reference at or after `from`.
///
/// # Errors
/// The place and what is wrong with it.
pub(super) fn next_reference(text: &str, from: usize) -> Result<Option<Found<'_>>, (usize, String)> {
    let rest = text.get(from..).unwrap_or_default();
    let Some(offset) = memchr(b'&', rest.as_bytes()) else {
        return Ok(None);
    };
    let at = from + offset;
    let after = rest.get(offset + 1..).unwrap_or_default();
    let name = memchr3(b';', b'&', b'<', after.as_bytes())
        .filter(|end| after.as_bytes().get(*end) == Some(&b';'))
        .and_then(|end| after.get(..end))
        .ok_or_else(|| {
            (
                at,
                "An ampersand that begins no reference; write &amp;".to_owned(),
            )
        })?;
    let reference = reference(name).map_err(|message| (at, message))?;
    Ok(Some(Found { at, name, reference }))
}

/// The value of an attribute whose references are known to be good: references replaced, and each literal line
/// break and tab read as a space, as XML's normalisation asks.
pub(super) fn attribute_value(raw: &str) -> Cow<'_, str> {
    if !raw.bytes().any(|b| matches!(b, b'&' | b'\t' | b'\n' | b'\r')) {
        return Cow::Borrowed(raw);
    }
    let mut value = String::with_capacity(raw.len());
    let mut from = 0;
    while let Ok(Some(found)) = next_reference(raw, from) {
        push_normalised(&mut value, raw.get(from..found.at).unwrap_or_default());
        let (Reference::Char(c) | Reference::Html(c)) = found.reference;
        value.push(c);
        from = found.end();
    }
    push_normalised(&mut value, raw.get(from..).unwrap_or_default());
    Cow::Owned(value)
}

fn push_normalised(value: &mut String, literal: &str) {
    let mut after_return = false;
    for c in literal.chars() {
        match c {
            '\n' if after_return => {}
            '\t' | '\n' | '\r' => value.push(' '),
            _ => value.push(c),
        }
        after_return = c == '\r';
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_five_entities_and_numbers_are_known() {
        let all = "&amp;&lt;&gt;&quot;&apos;&#65;&#x1F600;&#0000000000000000000066;";
        assert_eq!(attribute_value(all), "&<>\"'A\u{1F600}B");
        assert_eq!(reference("nbsp"), Ok(Reference::Html('\u{A0}')));
    }

    #[test]
    fn what_is_no_character_is_refused() {
        for bad in [
            "#",
            "#x",
            "#0",
            "#8",
            "#xD800",
            "#x110000",
            "#99999999999999",
            "#+65",
            "#X41",
            "#xFFFE",
            "xxe",
            "",
        ] {
            assert!(reference(bad).is_err(), "{bad}");
        }
        for bad in ["&", "a & b", "&amp", "&a&lt;", "& amp;"] {
            assert!(next_reference(bad, 0).is_err(), "{bad}");
        }
    }

    #[test]
    fn literal_line_breaks_become_spaces_and_references_survive() {
        assert_eq!(attribute_value("a\r\nb\tc\rd\n\ne"), "a b c d  e");
        assert_eq!(attribute_value("a&#10;b&#13;&#10;c&#9;"), "a\nb\r\nc\t");
    }
}
