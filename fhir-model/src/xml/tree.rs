//! Any XML document as a tree that keeps text and attributes as they were written, for changes to a document of which all
//! else stays. The same is refused as in a resource: document type declarations, undeclared entities and so on.
//!
//! Invariant: a tree that was read is no deeper than the limits allow, so that walking it needs a bounded stack.

use std::borrow::Cow;
use std::sync::Arc;

use super::chars::decode;
use super::reference::attribute_value;
use super::scan::{Fault, Scanner, Token};
use super::tag::{self, Tag};
use crate::read::{FoundIssue, Limits, ReadError, locate};

/// What an element holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// An element.
    Element(Element),
    /// Text as written: references and sections stay.
    Text(String),
    /// What stands between `<!--` and `-->`.
    Comment(String),
    /// What stands between `<?` and `?>`.
    Instruction(String),
}

/// An element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    /// Its name.
    pub name: Name,
    /// The namespaces that it declares.
    pub declarations: Vec<Declaration>,
    /// Its attributes, declarations of namespaces left out.
    pub attributes: Vec<Attribute>,
    /// What it holds, in order.
    pub children: Vec<Node>,
}

/// The name of an element or attribute.
#[derive(Clone, Debug)]
pub struct Name {
    /// As written before the colon, or empty.
    pub prefix: String,
    /// After the colon.
    pub local: String,
    /// The namespace that the prefix stands for; empty for none.
    pub namespace: Arc<str>,
}

/// Two names are equal whatever their prefixes.
impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.local == other.local && self.namespace == other.namespace
    }
}
impl Eq for Name {}

/// A declaration of a namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declaration {
    /// The prefix; empty for the default namespace.
    pub prefix: String,
    /// What it stands for.
    pub namespace: Arc<str>,
}

/// An attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Its name; without a prefix it has no namespace.
    pub name: Name,
    /// Its value.
    pub value: String,
}

impl Node {
    /// The element, if it is one.
    pub fn element(&self) -> Option<&Element> {
        match self {
            Node::Element(element) => Some(element),
            _ => None,
        }
    }
}

impl Element {
    /// The text of the element and all below it, references replaced: what XPath calls its string value.
    pub fn text(&self) -> String {
        let mut out = String::new();
        for child in &self.children {
            match child {
                Node::Element(element) => out.push_str(&element.text()),
                Node::Text(raw) => out.push_str(&plain(raw)),
                Node::Comment(_) | Node::Instruction(_) => {}
            }
        }
        out
    }

    /// The attribute of that local name, without a namespace.
    pub fn attribute(&self, local: &str) -> Option<&str> {
        let found = self
            .attributes
            .iter()
            .find(|a| a.name.local == local && a.name.namespace.is_empty());
        found.map(|a| a.value.as_str())
    }

    /// The memory that it takes, in bytes, about.
    pub fn weight(&self) -> usize {
        let own = std::mem::size_of::<Element>() + self.name.local.len();
        let attributes: usize = self
            .attributes
            .iter()
            .map(|a| std::mem::size_of::<Attribute>() + a.value.len())
            .sum();
        let children: usize = self
            .children
            .iter()
            .map(|child| match child {
                Node::Element(element) => element.weight(),
                Node::Text(t) | Node::Comment(t) | Node::Instruction(t) => {
                    t.len() + std::mem::size_of::<Node>()
                }
            })
            .sum();
        own + attributes + children
    }

    /// Levels of elements, this one counted.
    pub fn depth(&self) -> usize {
        let below = self.children.iter().filter_map(Node::element);
        1 + below.map(Element::depth).max().unwrap_or(0)
    }

    /// The document, without a declaration.
    pub fn to_xml(&self) -> String {
        let mut out = String::new();
        self.write(&mut out, &mut Vec::new());
        out
    }

    fn write<'s>(&'s self, out: &mut String, scope: &mut Vec<(&'s str, &'s str)>) {
        let outside = scope.len();
        out.push('<');
        out.push_str(&tag::qualified(&self.name.prefix, &self.name.local));
        for declaration in &self.declarations {
            declare(&declaration.prefix, &declaration.namespace, scope, out);
        }
        let names = self
            .attributes
            .iter()
            .map(|a| &a.name)
            .filter(|n| !n.prefix.is_empty());
        for name in std::iter::once(&self.name).chain(names) {
            if in_scope(scope, &name.prefix) != &*name.namespace {
                declare(&name.prefix, &name.namespace, scope, out);
            }
        }
        for attribute in &self.attributes {
            out.push(' ');
            out.push_str(&tag::qualified(&attribute.name.prefix, &attribute.name.local));
            out.push_str("=\"");
            escape(&attribute.value, out);
            out.push('"');
        }
        if self.children.is_empty() {
            out.push_str("/>");
        } else {
            out.push('>');
            for child in &self.children {
                match child {
                    Node::Element(element) => element.write(out, scope),
                    Node::Text(raw) => out.push_str(raw),
                    Node::Comment(text) => out.extend(["<!--", text, "-->"]),
                    Node::Instruction(text) => out.extend(["<?", text, "?>"]),
                }
            }
            out.extend(["</", &tag::qualified(&self.name.prefix, &self.name.local), ">"]);
        }
        scope.truncate(outside);
    }
}

fn in_scope<'s>(scope: &[(&'s str, &'s str)], prefix: &str) -> &'s str {
    if prefix == "xml" {
        return "http://www.w3.org/XML/1998/namespace";
    }
    let found = scope.iter().rev().find(|(known, _)| *known == prefix);
    found.map_or("", |(_, namespace)| namespace)
}

/// Declares a namespace unless the same element did before.
fn declare<'s>(prefix: &'s str, namespace: &'s str, scope: &mut Vec<(&'s str, &'s str)>, out: &mut String) {
    if in_scope(scope, prefix) == namespace {
        return;
    }
    out.push_str(if prefix.is_empty() { " xmlns" } else { " xmlns:" });
    out.push_str(prefix);
    out.push_str("=\"");
    escape(namespace, out);
    out.push('"');
    scope.push((prefix, namespace));
}

fn escape(value: &str, out: &mut String) {
    for c in value.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '"' => out.push_str("&quot;"),
            '\t' => out.push_str("&#9;"),
            '\n' => out.push_str("&#10;"),
            '\r' => out.push_str("&#13;"),
            c => out.push(c),
        }
    }
}

/// Text as written, its references replaced and its sections opened.
pub(super) fn plain(raw: &str) -> Cow<'_, str> {
    let Some(start) = raw.find("<![CDATA[") else {
        return match raw.contains('&') {
            true => Cow::Owned(references(raw)),
            false => Cow::Borrowed(raw),
        };
    };
    let (before, rest) = raw.split_at(start);
    let section = rest.strip_prefix("<![CDATA[").unwrap_or(rest);
    let (inside, after) = section.split_once("]]>").unwrap_or((section, ""));
    Cow::Owned(references(before) + inside + &plain(after))
}

/// Line breaks and tabs stay, which in an attribute would become spaces.
fn references(raw: &str) -> String {
    raw.split_inclusive(['\t', '\n', '\r'])
        .map(|piece| {
            let text = piece.trim_end_matches(['\t', '\n', '\r']);
            let (_, end) = piece.split_at(text.len());
            attribute_value(text).into_owned() + end
        })
        .collect()
}

/// Reads a document.
pub(super) fn read(xml: &[u8], limits: &Limits) -> Result<Element, ReadError> {
    let fail = |fault: Fault| {
        let found = FoundIssue {
            kind: fault.kind,
            path: String::new(),
            message: fault.message,
            offset: fault.at,
        };
        locate(xml, vec![found])
    };
    if xml.len() > limits.bytes {
        let message = format!("The text has more than {} bytes", limits.bytes);
        return Err(fail(Fault::limit(0, message)));
    }
    let source = decode(xml).map_err(fail)?;
    Builder {
        scanner: Scanner::new(source, limits.depth),
        scope: Vec::new(),
        open: Vec::new(),
        elements: limits.elements,
        at: 0,
    }
    .document()
    .map_err(fail)
}

struct Builder<'a> {
    scanner: Scanner<'a>,
    /// Prefixes, what they stand for, and at which depth they were declared.
    scope: Vec<(&'a str, Arc<str>, usize)>,
    /// The elements whose end was not met yet.
    open: Vec<Element>,
    elements: usize,
    /// The end of the last token.
    at: usize,
}

impl<'a> Builder<'a> {
    fn document(mut self) -> Result<Element, Fault> {
        let mut root = None;
        loop {
            match self.scanner.next()? {
                Token::Start(tag) => {
                    self.passed_over(tag.start);
                    self.at = tag.end;
                    let element = self.element(&tag)?;
                    self.open.push(element);
                }
                Token::End(end) => {
                    self.passed_over(end.start);
                    self.at = end.end;
                    let depth = self.open.len();
                    self.scope.retain(|(_, _, declared)| *declared < depth);
                    if let Some(done) = self.open.pop() {
                        match self.open.last_mut() {
                            Some(parent) => parent.children.push(Node::Element(done)),
                            None => root = Some(done),
                        }
                    }
                }
                Token::Text { raw, start } => {
                    self.passed_over(start);
                    self.at = start + raw.len();
                    self.text(raw);
                }
                Token::Eof => return root.ok_or_else(|| Fault::new(0, "There is no element")),
            }
        }
    }

    fn text(&mut self, raw: &str) {
        let Some(parent) = self.open.last_mut() else {
            return;
        };
        match parent.children.last_mut() {
            Some(Node::Text(before)) => before.push_str(raw),
            _ => parent.children.push(Node::Text(raw.to_owned())),
        }
    }

    /// Comments and instructions, which the scanner checks and passes over, up to a place.
    fn passed_over(&mut self, to: usize) {
        let mut rest = self.scanner.source(self.at, to);
        while let Some(parent) = self.open.last_mut() {
            let (open, close) = match rest.get(..2) {
                Some("<!") => ("<!--", "-->"),
                Some("<?") => ("<?", "?>"),
                _ => return,
            };
            let Some((text, after)) = rest.strip_prefix(open).and_then(|r| r.split_once(close)) else {
                return;
            };
            parent.children.push(match open {
                "<?" => Node::Instruction(text.to_owned()),
                _ => Node::Comment(text.to_owned()),
            });
            rest = after;
        }
    }

    fn element(&mut self, tag: &Tag<'a>) -> Result<Element, Fault> {
        let beyond = || Fault::limit(tag.start, "The document has too many elements");
        self.elements = self
            .elements
            .checked_sub(1 + tag.attributes.len())
            .ok_or_else(beyond)?;
        let depth = self.open.len() + 1;
        let mut declarations = Vec::new();
        for attribute in &tag.attributes {
            if let Some(prefix) = attribute.declared() {
                let namespace: Arc<str> = attribute_value(attribute.raw).into();
                declarations.push(Declaration {
                    prefix: prefix.to_owned(),
                    namespace: namespace.clone(),
                });
                self.scope.push((prefix, namespace, depth));
            }
        }
        let attributes = tag.content_attributes().map(|attribute| Attribute {
            name: Name {
                namespace: match attribute.prefix {
                    "" => Arc::from(""),
                    prefix => self.namespace(prefix),
                },
                prefix: attribute.prefix.to_owned(),
                local: attribute.local.to_owned(),
            },
            value: attribute_value(attribute.raw).into_owned(),
        });
        Ok(Element {
            attributes: attributes.collect(),
            name: Name {
                namespace: self.namespace(tag.prefix),
                prefix: tag.prefix.to_owned(),
                local: tag.local.to_owned(),
            },
            declarations,
            children: Vec::new(),
        })
    }

    /// What a prefix stands for; the scanner has refused undeclared ones.
    fn namespace(&self, prefix: &str) -> Arc<str> {
        let found = self.scope.iter().rev().find(|(known, ..)| *known == prefix);
        match found {
            Some((_, namespace, _)) => namespace.clone(),
            None => Arc::from(in_scope(&[], prefix)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::IssueKind;

    fn read(text: &str) -> Result<Element, ReadError> {
        super::read(text.as_bytes(), &Limits::default())
    }

    #[test]
    fn a_document_comes_back_as_it_was() {
        for text in [
            r#"<a xmlns="x:y"><!-- c --><b v="1 &amp; &quot;2&quot;"/>t &#160;<![CDATA[<&]]> u<?pi d?></a>"#,
            r#"<p:a xmlns:p="x:y" p:b="1" b="2"><c xml:lang="en"/><p:d xmlns:p="x:z"/><p:e/></p:a>"#,
            "<a>\n  <b/>\n</a>",
        ] {
            assert_eq!(read(text).unwrap().to_xml(), text);
        }
    }

    #[test]
    fn namespaces_go_with_the_elements_that_are_moved() {
        let outer = read(r#"<p:a xmlns:p="x:y"><p:b><c/></p:b></p:a>"#).unwrap();
        let inner = outer.children[0].element().unwrap();
        assert_eq!(inner.to_xml(), r#"<p:b xmlns:p="x:y"><c/></p:b>"#);
        let inner = read(r#"<a xmlns="x:y"><b xmlns=""/></a>"#).unwrap();
        assert_eq!(&*inner.children[0].element().unwrap().name.namespace, "");
        assert_eq!(inner.to_xml(), r#"<a xmlns="x:y"><b xmlns=""/></a>"#);
    }

    #[test]
    fn the_text_of_an_element_has_its_references_replaced() {
        let element = read("<a>1 &lt; <b>2</b><!-- no -->\n<![CDATA[&amp;]]>&#65;</a>").unwrap();
        assert_eq!(element.text(), "1 < 2\n&amp;A");
        assert_eq!(element.depth(), 2);
    }

    #[test]
    fn what_is_refused_in_a_resource_is_refused_here() {
        for bad in [
            "",
            "<a>",
            "<!DOCTYPE a><a/>",
            "<a>&nbsp;</a>",
            "<p:a/>",
            "<a/><b/>",
            "<a b='1' b='2'/>",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
        let limits = Limits {
            depth: 2,
            elements: 3,
            ..Limits::default()
        };
        let kind = |text: &str| super::read(text.as_bytes(), &limits).map_err(|e| e.issues[0].kind);
        assert!(kind("<a><b/><b/></a>").is_ok());
        assert_eq!(kind("<a><b><c/></b></a>"), Err(IssueKind::Limit));
        assert_eq!(kind("<a><b/><b/><b/></a>"), Err(IssueKind::Limit));
    }
}
