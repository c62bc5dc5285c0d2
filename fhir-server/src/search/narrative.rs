//! The text of a narrative (<https://hl7.org/fhir/R4/narrative.html>) as a reader sees it: XHTML without its tags.

/// Elements that may stand within a word.
const INLINE: [&str; 17] = [
    "a", "abbr", "b", "big", "cite", "code", "em", "font", "i", "q", "small", "span", "strike", "strong",
    "sub", "tt", "u",
];

/// The text, with a space where an element that is not inline begins or ends.
pub(super) fn text(xhtml: &str) -> String {
    let mut text = String::with_capacity(xhtml.len());
    let mut rest = xhtml;
    while let Some(at) = rest.find(['<', '&']) {
        let (before, from) = rest.split_at(at);
        text.push_str(before);
        rest = match from.starts_with('<') {
            true => tag(from, &mut text),
            false => reference(from, &mut text),
        };
    }
    text.push_str(rest);
    text
}

/// Passes over a tag or a comment; gives what comes after it.
fn tag<'x>(from: &'x str, text: &mut String) -> &'x str {
    if let Some(comment) = from.strip_prefix("<!--") {
        return comment.split_once("-->").map_or("", |(_, after)| after);
    }
    let mut quote = None;
    let end = from.char_indices().find(|(_, c)| match quote {
        Some(open) => {
            if *c == open {
                quote = None;
            }
            false
        }
        None => {
            if matches!(c, '"' | '\'') {
                quote = Some(*c);
            }
            *c == '>'
        }
    });
    let (inside, after) = match end {
        Some((at, _)) => (from.get(1..at), from.get(at + 1..)),
        None => (from.get(1..), None),
    };
    let inside = inside.unwrap_or_default().trim_start_matches('/');
    let name = inside.split(|c: char| !c.is_ascii_alphanumeric()).next();
    let name = name.unwrap_or_default().to_ascii_lowercase();
    if !INLINE.contains(&name.as_str()) {
        text.push(' ');
    }
    after.unwrap_or_default()
}

/// Resolves a character reference; one that is not known is a space. Gives what comes after it.
fn reference<'x>(from: &'x str, text: &mut String) -> &'x str {
    let known = from.get(1..).and_then(|rest| rest.split_once(';'));
    let Some((name, after)) = known.filter(|(name, _)| name.len() <= 10 && !name.contains([' ', '<', '&']))
    else {
        text.push('&');
        return from.get(1..).unwrap_or_default();
    };
    let number = name.strip_prefix('#').and_then(|number| {
        let point = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16),
            None => number.parse(),
        };
        char::from_u32(point.ok()?)
    });
    text.push(match (name, number) {
        ("amp", _) => '&',
        ("lt", _) => '<',
        ("gt", _) => '>',
        ("quot", _) => '"',
        ("apos", _) => '\'',
        (_, Some(c)) => c,
        _ => ' ',
    });
    after
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_reader_sees_is_the_text() {
        for (xhtml, wanted) in [
            ("<div>Bone <b>me</b>tastases</div>", " Bone metastases "),
            ("<p>one</p><p title=\"a>b\">two</p>", " one  two "),
            ("a<!-- no <b>x</b> -->b", "ab"),
            ("&lt;5 &amp; caf&#233; &#xE9;&nbsp;x &; & y", "<5 & café é x  & y"),
            ("<td>1</td><td>2</td>", " 1  2 "),
            ("open <b", "open "),
            ("", ""),
        ] {
            let found = text(xhtml);
            let squeeze = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert_eq!(squeeze(&found), squeeze(wanted), "{xhtml}");
        }
    }
}
