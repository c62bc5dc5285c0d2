//! Separators and escapes in values: `\,` `\$` `\|` `\\` (<https://hl7.org/fhir/R4/search.html#escaping>).

/// The parts between separators that are not escaped; at least one. Escapes stay in the parts.
pub(super) fn split(text: &str, separator: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut begin = 0;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        if escaped {
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if c == separator {
            parts.push(text.get(begin..at).unwrap_or_default());
            begin = at + c.len_utf8();
        }
    }
    parts.push(text.get(begin..).unwrap_or_default());
    parts
}

/// The text without escapes. A backslash before any other character stands for itself.
pub(super) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match (c, rest.peek()) {
            ('\\', Some(&next @ (',' | '$' | '|' | '\\'))) => {
                out.push(next);
                rest.next();
            }
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_that_are_escaped_do_not_separate() {
        assert_eq!(split("a,b", ','), ["a", "b"]);
        assert_eq!(split(r"a\,b,c", ','), [r"a\,b", "c"]);
        assert_eq!(split(r"a\\,b", ','), [r"a\\", "b"]);
        assert_eq!(split("", ','), [""]);
        assert_eq!(split(",", ','), ["", ""]);
        assert_eq!(split("é$ü", '$'), ["é", "ü"]);
    }

    #[test]
    fn escapes_stand_for_their_character_and_other_backslashes_for_themselves() {
        assert_eq!(plain(r"a\,b\$c\|d\\e"), r"a,b$c|d\e");
        assert_eq!(plain(r"C:\dir\"), r"C:\dir\");
        assert_eq!(plain(r"\\,"), r"\,");
    }
}
