//! The rules of narrative (<https://hl7.org/fhir/R4/narrative.html#xhtml>): invariants txt-1 and txt-2.
//!
//! Invariant: what is not listed is not allowed.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// Elements of HTML that a narrative may use: text, lists, tables, links and images.
const ELEMENTS: [&str; 57] = [
    "a",
    "abbr",
    "acronym",
    "address",
    "area",
    "b",
    "bdo",
    "big",
    "blockquote",
    "br",
    "caption",
    "cite",
    "code",
    "col",
    "colgroup",
    "dd",
    "del",
    "dfn",
    "div",
    "dl",
    "dt",
    "em",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "img",
    "ins",
    "kbd",
    "li",
    "map",
    "ol",
    "p",
    "pre",
    "q",
    "s",
    "samp",
    "small",
    "span",
    "strike",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "tt",
    "u",
    "ul",
];

/// Further elements that HTML 4 has for text.
const MORE_ELEMENTS: [&str; 2] = ["center", "var"];

/// Attributes that a narrative may use; those of events and forms are not among them.
const ATTRIBUTES: [&str; 57] = [
    "abbr",
    "accesskey",
    "align",
    "alt",
    "axis",
    "bgcolor",
    "border",
    "cellhalign",
    "cellpadding",
    "cellspacing",
    "cellvalign",
    "char",
    "charoff",
    "charset",
    "cite",
    "class",
    "clear",
    "color",
    "cols",
    "colspan",
    "compact",
    "coords",
    "datetime",
    "dir",
    "frame",
    "headers",
    "height",
    "href",
    "hreflang",
    "hspace",
    "id",
    "idref",
    "ismap",
    "lang",
    "longdesc",
    "name",
    "nohref",
    "noshade",
    "nowrap",
    "rel",
    "rev",
    "rowspan",
    "rules",
    "scope",
    "shape",
    "size",
    "span",
    "src",
    "start",
    "style",
    "summary",
    "tabindex",
    "title",
    "type",
    "usemap",
    "valign",
    "value",
];

/// Further attributes: of layout, and of XML.
const MORE_ATTRIBUTES: [&str; 5] = ["vspace", "width", "xml:lang", "xml:space", "xmlns"];

/// Schemes that a link must not have.
const SCRIPTS: [&str; 2] = ["javascript:", "vbscript:"];

/// Whether the text is one `div` of the elements and attributes allowed, with some content to read or see.
pub(super) fn is_narrative(xhtml: &str) -> bool {
    check(xhtml).unwrap_or(false)
}

/// `None` where the text is not well formed or has what is not allowed.
fn check(xhtml: &str) -> Option<bool> {
    let mut reader = Reader::from_str(xhtml);
    let mut depth = 0usize;
    let (mut ended, mut content) = (false, false);
    loop {
        match reader.read_event().ok()? {
            Event::Start(element) => {
                begin(&element, depth, ended)?;
                depth += 1;
            }
            Event::Empty(element) => {
                begin(&element, depth, ended)?;
                content |= element.name().as_ref() == "img";
                ended |= depth == 0;
            }
            Event::End(_) => {
                depth = depth.checked_sub(1)?;
                ended |= depth == 0;
            }
            Event::Text(text) => {
                let blank = text.trim().is_empty();
                if depth == 0 && !blank {
                    return None;
                }
                content |= !blank;
            }
            Event::GeneralRef(_) | Event::CData(_) if depth > 0 => content = true,
            Event::Comment(_) => {}
            Event::Eof => return Some(ended && depth == 0 && content),
            // Declarations, processing instructions and document types have no place in a resource.
            _ => return None,
        }
    }
}

fn begin(element: &BytesStart<'_>, depth: usize, ended: bool) -> Option<()> {
    let name = element.name();
    let name: &str = name.as_ref();
    let allowed = ELEMENTS.contains(&name) || MORE_ELEMENTS.contains(&name);
    if !allowed || ended || (depth == 0 && name != "div") {
        return None;
    }
    for attribute in element.attributes() {
        let attribute = attribute.ok()?;
        let key: &str = attribute.key.as_ref();
        if !ATTRIBUTES.contains(&key) && !MORE_ATTRIBUTES.contains(&key) {
            return None;
        }
        let value: String = attribute
            .value
            .chars()
            .filter(|c| !c.is_whitespace())
            .flat_map(char::to_lowercase)
            .collect();
        if matches!(key, "href" | "src") && SCRIPTS.iter().any(|s| value.starts_with(s)) {
            return None;
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::is_narrative;

    #[test]
    fn formatting_is_allowed_and_scripts_are_not() {
        let div = |inner: &str| format!(r#"<div xmlns="http://www.w3.org/1999/xhtml">{inner}</div>"#);
        for good in [
            "text",
            "<p>a <b>b</b></p>",
            r#"<img src="a.png" alt="a"/>"#,
            "&#160;",
            "<a href=\"b\">c</a>",
        ] {
            assert!(is_narrative(&div(good)), "{good}");
        }
        for bad in [
            "",
            "  ",
            "<script>x</script>",
            r#"<p onclick="x()">a</p>"#,
            "<form/>a",
            r#"<a href=" JavaScript:x()">a</a>"#,
            "<p>a",
            "<?php a?>b",
        ] {
            assert!(!is_narrative(&div(bad)), "{bad}");
        }
        for bad in [
            "",
            "text",
            "<p>a</p>",
            "<div>a</div><div>b</div>",
            "<div>a</div>b",
            "<!DOCTYPE x><div>a</div>",
        ] {
            assert!(!is_narrative(bad), "{bad}");
        }
    }
}
