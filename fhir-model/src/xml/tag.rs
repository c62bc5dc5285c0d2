//! The inside of a start tag: its name and attributes (<https://www.w3.org/TR/xml/#sec-starttags>).
//!
//! Invariant: places are byte offsets in the document; at most [`MAX_ATTRIBUTES`] attributes are taken in.

use memchr::memchr;

use super::chars::{is_name, is_space};
use super::scan::Fault;
use super::scope::Bound;
use crate::read::quoted;

/// How many attributes an element may have. FHIR's own elements have at most two.
const MAX_ATTRIBUTES: usize = 64;

/// One start tag; an empty element has one too, its end follows.
#[derive(Clone, Debug)]
pub(super) struct Tag<'a> {
    /// Its name before the colon, empty if there is none.
    pub(super) prefix: &'a str,
    /// Its name after the colon.
    pub(super) local: &'a str,
    /// Its namespace.
    pub(super) bound: Bound,
    /// Its attributes, namespace declarations among them.
    pub(super) attributes: Vec<Attribute<'a>>,
    /// The place of its `<`.
    pub(super) start: usize,
    /// The place after its `>`.
    pub(super) end: usize,
}

impl<'a> Tag<'a> {
    /// The attributes that are not namespace declarations.
    pub(super) fn content_attributes(&self) -> impl Iterator<Item = &Attribute<'a>> {
        self.attributes.iter().filter(|a| a.declared().is_none())
    }
}

/// One attribute.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attribute<'a> {
    /// Its name before the colon, empty if there is none.
    pub(super) prefix: &'a str,
    /// Its name after the colon.
    pub(super) local: &'a str,
    /// Its value as written between the quotes.
    pub(super) raw: &'a str,
    /// The place of its name.
    pub(super) start: usize,
    /// The place of its value, after the quote.
    pub(super) value_start: usize,
}

impl<'a> Attribute<'a> {
    /// The prefix that it declares (empty for the default namespace), if it is a namespace declaration.
    pub(super) fn declared(&self) -> Option<&'a str> {
        match (self.prefix, self.local) {
            ("", "xmlns") => Some(""),
            ("xmlns", prefix) => Some(prefix),
            _ => None,
        }
    }

    /// The place after its closing quote.
    pub(super) fn end(&self) -> usize {
        self.value_start + self.raw.len() + 1
    }

    /// Its name as written.
    pub(super) fn shown(&self) -> String {
        qualified(self.prefix, self.local)
    }
}

/// A name as written.
pub(super) fn qualified(prefix: &str, local: &str) -> String {
    if prefix.is_empty() {
        local.to_owned()
    } else {
        format!("{prefix}:{local}")
    }
}

/// The fault of an attribute that is there already.
pub(super) fn twice(attribute: &Attribute<'_>) -> Fault {
    Fault::new(
        attribute.start,
        format!(
            "The attribute {} stands here a second time",
            quoted(&attribute.shown())
        ),
    )
}

/// Splits a name at its colon.
///
/// # Errors
/// It is not a name, or has more than one colon.
pub(super) fn split_name(name: &str, at: usize) -> Result<(&str, &str), Fault> {
    let (prefix, local) = name.split_once(':').unwrap_or(("", name));
    let prefix_fits = if name.contains(':') { is_name(prefix) } else { true };
    if prefix_fits && is_name(local) {
        Ok((prefix, local))
    } else {
        let shown: String = name.chars().take(40).collect();
        Err(Fault::new(at, format!("`{shown}` is not an XML name")))
    }
}

/// Reads the attributes in `text`, which begins after the tag's name, at the place `offset` of the document.
///
/// # Errors
/// They are not well formed, or too many.
pub(super) fn attributes(text: &str, offset: usize) -> Result<Vec<Attribute<'_>>, Fault> {
    let mut cursor = Cursor { text, offset, at: 0 };
    let mut found: Vec<Attribute<'_>> = Vec::new();
    loop {
        let spaced = cursor.skip_space();
        if cursor.rest().is_empty() {
            return Ok(found);
        }
        if !spaced {
            return Err(cursor.fault("White space must stand before an attribute"));
        }
        let attribute = cursor.attribute()?;
        if found
            .iter()
            .any(|a| a.prefix == attribute.prefix && a.local == attribute.local)
        {
            return Err(twice(&attribute));
        }
        if found.len() >= MAX_ATTRIBUTES {
            let message = format!("The element has more than {MAX_ATTRIBUTES} attributes");
            return Err(Fault::limit(attribute.start, message));
        }
        found.push(attribute);
    }
}

/// A place in the inside of a tag.
struct Cursor<'a> {
    text: &'a str,
    offset: usize,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn fault(&self, message: &str) -> Fault {
        Fault::new(self.offset + self.at, message.to_owned())
    }

    /// Goes on behind white space; whether there was some.
    fn skip_space(&mut self) -> bool {
        let count = self.rest().bytes().take_while(|b| is_space(*b)).count();
        self.at += count;
        count > 0
    }

    fn attribute(&mut self) -> Result<Attribute<'a>, Fault> {
        let start = self.offset + self.at;
        let name = self
            .rest()
            .split(|c: char| c == '=' || c.is_ascii_whitespace())
            .next()
            .unwrap_or_default();
        let (prefix, local) = split_name(name, start)?;
        self.at += name.len();
        self.skip_space();
        if !self.rest().starts_with('=') {
            return Err(self.fault("An attribute needs a value: `=` is missing"));
        }
        self.at += 1;
        self.skip_space();
        let (value_start, raw) = self.quoted()?;
        Ok(Attribute {
            prefix,
            local,
            raw,
            start,
            value_start,
        })
    }

    /// A quoted value: the place after its quote, and what it holds.
    fn quoted(&mut self) -> Result<(usize, &'a str), Fault> {
        let rest = self.rest();
        let quote = match rest.as_bytes().first() {
            Some(quote @ (b'"' | b'\'')) => *quote,
            _ => return Err(self.fault("An attribute's value must stand in quotes")),
        };
        let inside = rest.get(1..).unwrap_or_default();
        let raw = memchr(quote, inside.as_bytes())
            .and_then(|end| inside.get(..end))
            .ok_or_else(|| self.fault("The closing quote is missing"))?;
        let value_start = self.offset + self.at + 1;
        if let Some(less_than) = memchr(b'<', raw.as_bytes()) {
            return Err(Fault::new(
                value_start + less_than,
                "`<` in an attribute; write &lt;".to_owned(),
            ));
        }
        self.at += raw.len() + 2;
        Ok((value_start, raw))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_read_with_their_places() {
        let found = attributes(" value = 'a\"b'\n f:id=\"\" ", 10).unwrap();
        let seen: Vec<_> = found
            .iter()
            .map(|a| (a.prefix, a.local, a.raw, a.start, a.end()))
            .collect();
        assert_eq!(seen, [("", "value", "a\"b", 11, 24), ("f", "id", "", 26, 33)]);
    }

    #[test]
    fn what_is_not_well_formed_is_refused() {
        for bad in [
            "a='1'",
            " a",
            " a=",
            " a=1",
            " a='1",
            " a='1'b='2'",
            " a='<'",
            " a='1' a='2'",
            " 1='1'",
            " a:b:c='1'",
            " :a='1'",
            " a:='1'",
            " ='1'",
            " a==''",
            " a=\u{201C}1\u{201D}",
        ] {
            assert!(attributes(bad, 0).is_err(), "{bad}");
        }
        let many: String = (0..=MAX_ATTRIBUTES).map(|i| format!(" a{i}=''")).collect();
        assert!(attributes(&many, 0).unwrap_err().message.contains("more than 64"));
    }
}
