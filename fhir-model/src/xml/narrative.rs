//! The narrative's `<div>`: carried as its source text (<https://hl7.org/fhir/R4/narrative.html>).
//!
//! JSON holds the narrative as a string that begins with `<div xmlns="http://www.w3.org/1999/xhtml">`; XML holds it as
//! an element. Both ways the text stays as it is: references, comments, white space, order and quotes of attributes.
//! Only what one form has and the other cannot is rewritten:
//!
//! - from XML: prefixes (`<h:div>`) and a default namespace declared further out, because the string stands alone;
//! - to XML: a missing `xmlns`, and HTML's entities (`&nbsp;`), which become the number of their character (`&#160;`),
//!   as the specification asks of authors.
//!
//! Invariant: what is written to XML is one well-formed `div` element in the XHTML namespace, or nothing is written.

use std::borrow::Cow;

use super::chars::{first_unfit, is_space, unfit_message};
use super::scan::{End, Fault, HtmlEntities, Scanner, Token};
use super::scope::Namespace;
use super::tag::Tag;

/// How deep elements may be nested in a narrative.
pub(super) const MAX_DEPTH: usize = 128;

const DECLARATION: &str = " xmlns=\"http://www.w3.org/1999/xhtml\"";

/// A part of the source and what stands in its stead.
struct Edit {
    start: usize,
    end: usize,
    text: Cow<'static, str>,
}

/// Reads on from the start tag of a `div` to its end, and gives the text as JSON holds it.
///
/// # Errors
/// The document is not well formed; or the narrative depends on declarations outside it and holds elements or attributes of
/// another namespace.
pub(super) fn capture<'a>(scanner: &mut Scanner<'a>, div: &Tag<'a>) -> Result<Cow<'a, str>, Fault> {
    let base = scanner.depth();
    let outer_limit = std::mem::replace(&mut scanner.max_depth, base + MAX_DEPTH - 1);
    let mut capture = Capture {
        base,
        edits: Vec::new(),
        rewrite: !div.prefix.is_empty(),
        obstacle: None,
    };
    capture.start_tag(scanner, div);
    let end = loop {
        match scanner.next()? {
            Token::Start(tag) => capture.start_tag(scanner, &tag),
            Token::End(end) => {
                capture.end_tag(scanner, end);
                if scanner.depth() < base {
                    break end.end;
                }
            }
            Token::Text { .. } => {}
            Token::Eof => return Err(Fault::new(div.start, "The narrative has no end")),
        }
    };
    scanner.max_depth = outer_limit;
    let source = scanner.source(div.start, end);
    match (capture.rewrite, capture.obstacle) {
        (false, _) => Ok(Cow::Borrowed(source)),
        (true, Some(obstacle)) => Err(obstacle),
        (true, None) => Ok(Cow::Owned(apply(source, div.start, &capture.edits))),
    }
}

/// What is learnt on the way through a narrative.
struct Capture {
    /// The depth of the `div`.
    base: usize,
    /// What a rewriting would change.
    edits: Vec<Edit>,
    /// Whether the text would not stand alone.
    rewrite: bool,
    /// What a rewriting could not carry.
    obstacle: Option<Fault>,
}

impl Capture {
    fn start_tag(&mut self, scanner: &Scanner<'_>, tag: &Tag<'_>) {
        let name = tag.start + 1;
        self.uses(tag.bound.depth);
        self.drop_prefix(name, tag.prefix);
        if tag.bound.namespace != Namespace::Xhtml {
            self.cannot_carry(tag.start);
        }
        if self.base == scanner.depth() {
            let after_name = name + tag.prefix.len() + usize::from(!tag.prefix.is_empty()) + tag.local.len();
            self.edits.push(Edit {
                start: after_name,
                end: after_name,
                text: Cow::Borrowed(DECLARATION),
            });
        }
        for attribute in &tag.attributes {
            if attribute.declared().is_some() {
                // The white space before it goes too.
                let start = attribute.start.saturating_sub(1);
                self.edits.push(Edit {
                    start,
                    end: attribute.end(),
                    text: Cow::Borrowed(""),
                });
            } else if !matches!(attribute.prefix, "" | "xml") {
                self.uses(scanner.resolve(attribute.prefix).map_or(0, |bound| bound.depth));
                self.cannot_carry(attribute.start);
            }
        }
    }

    fn end_tag(&mut self, scanner: &Scanner<'_>, end: End) {
        let name = scanner.source(end.start + 2, end.end);
        if let Some((prefix, _)) = name.split_once(':') {
            self.drop_prefix(end.start + 2, prefix);
        }
    }

    /// Notes the depth of a declaration that is relied on.
    fn uses(&mut self, declared_at: usize) {
        self.rewrite |= declared_at < self.base;
    }

    fn drop_prefix(&mut self, start: usize, prefix: &str) {
        if !prefix.is_empty() {
            self.edits.push(Edit {
                start,
                end: start + prefix.len() + 1,
                text: Cow::Borrowed(""),
            });
        }
    }

    fn cannot_carry(&mut self, at: usize) {
        let message = "The narrative relies on namespaces declared outside it and holds more than XHTML; \
                       declare all its namespaces on the div";
        self.obstacle.get_or_insert_with(|| Fault::new(at, message));
    }
}

/// The source with its edits made; places count from `offset`.
fn apply(source: &str, offset: usize, edits: &[Edit]) -> String {
    let mut text = String::with_capacity(source.len() + DECLARATION.len());
    let mut from = 0;
    for edit in edits {
        let (start, end) = (edit.start.saturating_sub(offset), edit.end.saturating_sub(offset));
        text.push_str(source.get(from..start).unwrap_or_default());
        text.push_str(&edit.text);
        from = end;
    }
    text.push_str(source.get(from..).unwrap_or_default());
    text
}

/// The narrative as XML holds it, from the string that JSON holds.
///
/// # Errors
/// The string is not one well-formed `div` element in the XHTML namespace; the place counts from its beginning.
pub(super) fn to_xml(div: &str) -> Result<Cow<'_, str>, Fault> {
    if let Some((at, c)) = first_unfit(div) {
        return Err(Fault::new(at, unfit_message(c)));
    }
    let text = div.trim_matches(|c: char| u8::try_from(c).is_ok_and(is_space));
    if !text.starts_with('<') {
        return Err(Fault::new(0, "The narrative must be a <div> element"));
    }
    let mut scanner = Scanner::new(text, MAX_DEPTH);
    scanner.html_entities = HtmlEntities::Collected(Vec::new());
    let mut edits = match scanner.next()? {
        Token::Start(tag) if tag.start == 0 => declaration(&tag)?,
        _ => return Err(Fault::new(0, "The narrative must begin with <div")),
    };
    let end = loop {
        match scanner.next()? {
            Token::End(end) if scanner.depth() == 0 => break end.end,
            _ => {}
        }
    };
    if end != text.len() {
        return Err(Fault::new(
            end,
            "The narrative must end with its </div>".to_owned(),
        ));
    }
    if let HtmlEntities::Collected(found) = scanner.html_entities {
        let number = |c| Cow::Owned(format!("&#{};", u32::from(c)));
        edits.extend(found.into_iter().map(|(start, end, c)| Edit {
            start,
            end,
            text: number(c),
        }));
    }
    if edits.is_empty() {
        Ok(Cow::Borrowed(text))
    } else {
        Ok(Cow::Owned(apply(text, 0, &edits)))
    }
}

/// The edit that gives a `div` without a namespace its own.
fn declaration(div: &Tag<'_>) -> Result<Vec<Edit>, Fault> {
    let at = "<div".len();
    match (div.local, div.bound.namespace) {
        ("div", Namespace::Xhtml) => Ok(Vec::new()),
        ("div", Namespace::None) if !div.attributes.iter().any(|a| a.declared() == Some("")) => {
            Ok(vec![Edit {
                start: at,
                end: at,
                text: Cow::Borrowed(DECLARATION),
            }])
        }
        ("div", _) => Err(Fault::new(
            0,
            "The namespace of the div must be http://www.w3.org/1999/xhtml".to_owned(),
        )),
        _ => Err(Fault::new(0, "The narrative must be a <div> element")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn captured(document: &str) -> Result<String, String> {
        let mut scanner = Scanner::new(document, 8);
        loop {
            match scanner.next().map_err(|f| f.message)? {
                Token::Start(tag) if tag.local == "div" => {
                    let text = capture(&mut scanner, &tag).map_err(|f| f.message)?.into_owned();
                    while !matches!(scanner.next().map_err(|f| f.message)?, Token::Eof) {}
                    return Ok(text);
                }
                Token::Eof => panic!("no div"),
                _ => {}
            }
        }
    }

    #[test]
    fn a_div_that_stands_alone_is_carried_as_written() {
        for div in [
            "<div xmlns=\"http://www.w3.org/1999/xhtml\">a&#160;&amp;<!-- c --> <br/>\r\n<![CDATA[<x>]]></div>",
            "<div  class='a' xmlns='http://www.w3.org/1999/xhtml' ><p xml:lang=\"cy\">b</p >\n</div>",
            "<div xmlns=\"http://www.w3.org/1999/xhtml\" xmlns:s=\"http://www.w3.org/2000/svg\"><s:svg s:a=''/></div>",
            "<div xmlns=\"http://www.w3.org/1999/xhtml\"/>",
        ] {
            assert_eq!(captured(&format!("<text>{div}</text>")).unwrap(), div);
            assert_eq!(to_xml(div).unwrap(), div);
        }
    }

    #[test]
    fn prefixes_and_outer_declarations_are_made_plain() {
        let plain = "<div xmlns=\"http://www.w3.org/1999/xhtml\" id=\"d\"><p>a<br/></p></div>";
        for document in [
            "<h:t xmlns:h='http://www.w3.org/1999/xhtml'><h:div id=\"d\"><h:p>a<h:br/></h:p></h:div></h:t>",
            "<t><h:div xmlns:h='http://www.w3.org/1999/xhtml' id=\"d\"><h:p>a<h:br/></h:p></h:div></t>",
            "<f:t xmlns:f='x' xmlns='http://www.w3.org/1999/xhtml'><div id=\"d\"><p>a<br/></p></div></f:t>",
            "<t xmlns:h='http://www.w3.org/1999/xhtml'><div xmlns='http://www.w3.org/1999/xhtml' id=\"d\">\
             <h:p>a<br/></h:p></div></t>",
        ] {
            assert_eq!(captured(document).unwrap(), plain, "{document}");
        }
    }

    #[test]
    fn what_cannot_stand_alone_is_refused() {
        let document = "<t xmlns:s='http://www.w3.org/2000/svg'><div xmlns='http://www.w3.org/1999/xhtml'><s:svg/></div></t>";
        assert!(captured(document).unwrap_err().contains("declared outside"));
    }

    #[test]
    fn a_string_gets_its_namespace_and_html_entities_their_numbers() {
        assert_eq!(
            to_xml(" <div title=\"&eacute;\">a&nbsp;b</div>\n").unwrap(),
            "<div xmlns=\"http://www.w3.org/1999/xhtml\" title=\"&#233;\">a&#160;b</div>"
        );
    }

    #[test]
    fn a_string_that_is_not_one_div_is_refused() {
        let deep = format!(
            "<div>{}{}</div>",
            "<b>".repeat(MAX_DEPTH),
            "</b>".repeat(MAX_DEPTH)
        );
        for bad in [
            "",
            "text",
            "<p/>",
            "<div>",
            "<div></p>",
            "<div/><div/>",
            "<div/>text",
            "<!-- a --><div/>",
            "<div/><!-- a -->",
            "<?xml version=\"1.0\"?><div/>",
            "<!DOCTYPE div><div/>",
            "<div>&xxe;</div>",
            "<div>\u{1}</div>",
            "<div a=1/>",
            "<div><br></div>",
            "<div xmlns=\"\"/>",
            "<div xmlns=\"http://hl7.org/fhir\"/>",
            "<h:div/>",
            "<div>a & b</div>",
            "<div>]]></div>",
            "<div></div><text/>",
            "</div>",
            "\u{FEFF}<div/>",
            &deep,
        ] {
            assert!(to_xml(bad).is_err(), "{bad}");
        }
    }
}
