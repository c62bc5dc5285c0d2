//! What may stand in an XML 1.0 document: encoding, characters and names (<https://www.w3.org/TR/xml/#charsets>).
//!
//! FHIR's XML is UTF-8 (<https://hl7.org/fhir/R4/xml.html>); every other encoding is refused by its first bytes, before
//! anything is parsed, so that no payload can hide behind one.
//!
//! Invariant: a text that passed [`decode`] holds only characters that XML 1.0 can carry.

use memchr::memmem;

use super::scan::Fault;

/// First bytes that tell of another encoding, and its name.
const OTHER_ENCODINGS: [(&[u8], &str); 12] = [
    (&[0x00, 0x00, 0xFE, 0xFF], "UTF-32"),
    (&[0xFF, 0xFE, 0x00, 0x00], "UTF-32"),
    (&[0x00, 0x00, 0x00, 0x3C], "UTF-32"),
    (&[0x3C, 0x00, 0x00, 0x00], "UTF-32"),
    (&[0xFE, 0xFF], "UTF-16"),
    (&[0xFF, 0xFE], "UTF-16"),
    (&[0x00, 0x3C], "UTF-16"),
    (&[0x3C, 0x00], "UTF-16"),
    (b"+/v", "UTF-7"),
    (b"+ADw", "UTF-7"),
    (&[0xF7, 0x64, 0x4C], "UTF-1"),
    (&[0x4C, 0x6F, 0xA7, 0x94], "EBCDIC"),
];

const UTF_8_MARK: &[u8] = &[0xEF, 0xBB, 0xBF];

/// The text of a document, its byte order mark dropped.
///
/// # Errors
/// It is not UTF-8, or holds a character that XML 1.0 cannot carry.
pub(super) fn decode(bytes: &[u8]) -> Result<&str, Fault> {
    if let Some((_, name)) = OTHER_ENCODINGS.iter().find(|(mark, _)| bytes.starts_with(mark)) {
        return Err(Fault::new(
            0,
            format!("The document is in {name}; FHIR XML is UTF-8"),
        ));
    }
    let bytes = bytes.strip_prefix(UTF_8_MARK).unwrap_or(bytes);
    let text = std::str::from_utf8(bytes)
        .map_err(|e| Fault::new(e.valid_up_to(), "The document is not valid UTF-8"))?;
    if text.starts_with('\u{FEFF}') {
        return Err(Fault::new(
            0,
            "The document begins with more than one byte order mark",
        ));
    }
    match first_unfit(text) {
        None => Ok(text),
        Some((at, c)) => Err(Fault::new(at, unfit_message(c))),
    }
}

/// Says that XML cannot carry that character.
pub(super) fn unfit_message(c: char) -> String {
    format!("The character U+{:04X} cannot stand in XML", u32::from(c))
}

/// The place of the first character that XML 1.0 cannot carry, not even as a reference, and the character.
pub(super) fn first_unfit(text: &str) -> Option<(usize, char)> {
    let control = text
        .bytes()
        .position(|b| b < 0x20 && !matches!(b, b'\t' | b'\n' | b'\r'));
    let finder = |c: &str| memmem::find(text.as_bytes(), c.as_bytes());
    let at = [control, finder("\u{FFFE}"), finder("\u{FFFF}")]
        .into_iter()
        .flatten()
        .min()?;
    text.get(at..)?.chars().next().map(|c| (at, c))
}

/// Whether XML 1.0 can carry the character, plain or as a reference.
pub(super) fn is_char(c: char) -> bool {
    match c {
        '\t' | '\n' | '\r' => true,
        '\0'..'\u{20}' | '\u{FFFE}' | '\u{FFFF}' => false,
        _ => true,
    }
}

/// White space as XML knows it.
pub(super) fn is_space(b: u8) -> bool {
    matches!(b, b' ' | b'\t' | b'\n' | b'\r')
}

/// Whether the text is white space only.
pub(super) fn is_blank(text: &str) -> bool {
    text.bytes().all(is_space)
}

/// Whether the text is a name without a colon.
pub(super) fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(is_name_start) && chars.all(is_name_char)
}

fn is_name_start(c: char) -> bool {
    matches!(c,
        'a'..='z' | 'A'..='Z' | '_' | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}'
        | '\u{370}'..='\u{37D}' | '\u{37F}'..='\u{1FFF}' | '\u{200C}'..='\u{200D}' | '\u{2070}'..='\u{218F}'
        | '\u{2C00}'..='\u{2FEF}' | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FFFD}'
        | '\u{10000}'..='\u{EFFFF}')
}

fn is_name_char(c: char) -> bool {
    is_name_start(c)
        || matches!(c, '0'..='9' | '-' | '.' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_utf_8_is_read_and_its_mark_is_dropped() {
        assert_eq!(decode(b"\xEF\xBB\xBF<a/>").unwrap(), "<a/>");
        for (mark, name) in OTHER_ENCODINGS {
            assert!(decode(mark).unwrap_err().message.contains(name), "{name}");
        }
        assert!(decode("\u{FEFF}\u{FEFF}<a/>".as_bytes()).is_err());
        assert_eq!(decode(b"<a>\xC3\x28").unwrap_err().at, 3);
    }

    #[test]
    fn characters_that_xml_cannot_carry_are_found() {
        assert_eq!(first_unfit("a\t\n\r\u{85}\u{FFFD}\u{1F600}"), None);
        for (text, at) in [
            ("ab\u{0}", 2),
            ("\u{1F}", 0),
            ("é\u{FFFE}", 2),
            ("\u{FFFF}\u{1}", 0),
        ] {
            assert_eq!(first_unfit(text).map(|f| f.0), Some(at), "{text:?}");
            assert!(!is_char(first_unfit(text).unwrap().1));
        }
    }

    #[test]
    fn names_follow_the_production() {
        assert!(["a", "_a1", "a-b.c", "élan"].into_iter().all(is_name));
        assert!(!["", "1a", "-a", "a:b", "a b", "a\u{D7}"].into_iter().any(is_name));
    }
}
