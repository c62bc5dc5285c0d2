//! An XML tree for comparing: names with their namespaces, attributes without order, no comments, no white space between
//! elements. Within a narrative white space counts.

use std::collections::BTreeMap;

use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::ResolveResult;
use quick_xml::reader::NsReader;

const XHTML: &str = "http://www.w3.org/1999/xhtml";

#[derive(Debug, PartialEq, Eq, Default)]
pub(crate) struct Node {
    /// `{namespace}name`
    name: String,
    attributes: BTreeMap<String, String>,
    children: Vec<Item>,
}

#[derive(Debug, PartialEq, Eq)]
enum Item {
    Node(Node),
    Text(String),
}

impl Node {
    /// The root of a document.
    pub(crate) fn parse(xml: &str) -> Node {
        let mut reader = NsReader::from_str(xml);
        let mut open = vec![Node::default()];
        loop {
            let event = reader.read_event().unwrap();
            match event {
                Event::Start(ref tag) => open.push(start(&reader, tag)),
                Event::Empty(ref tag) => open
                    .last_mut()
                    .unwrap()
                    .children
                    .push(Item::Node(start(&reader, tag))),
                Event::End(_) => {
                    let node = open.pop().unwrap();
                    open.last_mut().unwrap().children.push(Item::Node(node));
                }
                Event::Text(text) => open.last_mut().unwrap().text(&text.xml10_content()),
                Event::CData(text) => open.last_mut().unwrap().text(&text.xml10_content()),
                Event::GeneralRef(reference) => {
                    let text = match reference.resolve_char_ref().unwrap() {
                        Some(c) => c.to_string(),
                        None => quick_xml::escape::unescape(&format!("&{};", &*reference))
                            .unwrap()
                            .into_owned(),
                    };
                    open.last_mut().unwrap().text(&text);
                }
                Event::Eof => break,
                _ => {}
            }
        }
        match open
            .pop()
            .unwrap()
            .children
            .into_iter()
            .find(|i| matches!(i, Item::Node(_)))
        {
            Some(Item::Node(root)) => root,
            _ => panic!("no root"),
        }
    }

    fn text(&mut self, text: &str) {
        if !self.name.starts_with(&format!("{{{XHTML}}}")) && text.trim().is_empty() {
            return;
        }
        match self.children.last_mut() {
            Some(Item::Text(before)) => before.push_str(text),
            _ => self.children.push(Item::Text(text.to_owned())),
        }
    }

    /// The first place where the two differ.
    pub(crate) fn difference(&self, other: &Node) -> Option<String> {
        if self == other {
            return None;
        }
        if self.name != other.name || self.attributes != other.attributes {
            return Some(format!(
                "{} {:?} != {} {:?}",
                self.name, self.attributes, other.name, other.attributes
            ));
        }
        let inner = self
            .children
            .iter()
            .zip(&other.children)
            .find_map(|(a, b)| match (a, b) {
                (Item::Node(a), Item::Node(b)) => a.difference(b),
                _ if a == b => None,
                _ => Some(format!("{a:?} != {b:?}")),
            });
        let counts = || format!("{} != {} children", self.children.len(), other.children.len());
        Some(format!("{}/{}", self.name, inner.unwrap_or_else(counts)))
    }
}

fn start(reader: &NsReader<&[u8]>, tag: &BytesStart<'_>) -> Node {
    let name = |(namespace, local): (ResolveResult<'_>, quick_xml::name::LocalName<'_>)| match namespace {
        ResolveResult::Bound(namespace) => format!("{{{}}}{}", namespace.as_ref(), local.as_ref()),
        ResolveResult::Unbound => local.as_ref().to_owned(),
        ResolveResult::Unknown(prefix) => panic!("unknown prefix {prefix:?}"),
    };
    let mut node = Node {
        name: name(reader.resolver().resolve_element(tag.name())),
        ..Node::default()
    };
    for attribute in tag.attributes().map(Result::unwrap) {
        if attribute.key.as_namespace_binding().is_none() {
            let key = name(reader.resolver().resolve_attribute(attribute.key));
            let value = attribute
                .normalized_value(XmlVersion::Explicit1_0)
                .unwrap()
                .into_owned();
            node.attributes.insert(key, value);
        }
    }
    node
}
