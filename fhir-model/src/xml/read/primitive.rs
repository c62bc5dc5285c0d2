//! Primitives: values in attributes, extensions as children, and the narrative.

use super::{Outcome, Reader};
use crate::read::{IssueKind, quoted};
use crate::reflect::{PrimitiveNode, PrimitiveType};
use crate::xml::narrative;
use crate::xml::reference::attribute_value;
use crate::xml::scan::Token;
use crate::xml::tag::{Attribute, Tag};

impl<'a> Reader<'a> {
    /// A primitive: its value in an attribute, its id in another, its extensions as children.
    pub(super) fn primitive(
        &mut self,
        node: &mut dyn PrimitiveNode,
        t: PrimitiveType,
        tag: &Tag<'a>,
    ) -> Outcome {
        if t == PrimitiveType::Xhtml {
            return self.narrative(node, tag);
        }
        let mut any = false;
        for attribute in tag.content_attributes() {
            any = true;
            match (attribute.prefix, attribute.local) {
                ("", "value") => self.value(node, t.name(), attribute)?,
                ("", "id") if node.extras_mut().is_some() => {
                    if let Some(extras) = node.extras_mut() {
                        self.pay(attribute.start, |b| b.boxed(size_of_val(&*extras)))?;
                        self.value(&mut extras.id, "string", attribute)?;
                    }
                }
                _ => self.unknown_attribute(t.name(), attribute)?,
            }
        }
        let mut next = 0;
        loop {
            match self.next()? {
                Token::Start(child) => {
                    any = true;
                    match node.extras_mut() {
                        Some(extras) => {
                            if next == 0 {
                                self.pay(child.start, |b| b.boxed(size_of_val(&*extras)))?;
                            }
                            self.child(extras, &mut next, &child)?;
                        }
                        None => self.skip(&child).map(drop)?,
                    }
                }
                Token::Text { raw, start } => self.stray_text(raw, start)?,
                Token::End(_) | Token::Eof => return self.never_empty(tag, any),
            }
        }
    }

    pub(super) fn narrative(&mut self, node: &mut dyn PrimitiveNode, tag: &Tag<'a>) -> Outcome {
        let text = narrative::capture(&mut self.scanner, tag).map_err(|fault| self.stop(fault))?;
        self.pay(tag.start, |b| b.text(text.len()))?;
        match node.parse(&text) {
            Ok(()) => Ok(()),
            Err(error) => self.issue(
                IssueKind::Value,
                tag.start,
                format!("The narrative is not {}", error.expected),
            ),
        }
    }

    /// Takes in the value of an attribute.
    pub(super) fn value(
        &mut self,
        node: &mut dyn PrimitiveNode,
        type_name: &str,
        attribute: &Attribute<'a>,
    ) -> Outcome {
        let value = attribute_value(attribute.raw);
        if value.is_empty() {
            let message = format!(
                "The attribute {} is empty; leave it out or give it a value",
                attribute.local
            );
            return self.issue(IssueKind::Value, attribute.start, message);
        }
        self.pay(attribute.start, |b| b.text(value.len()))?;
        match node.parse(&value) {
            Ok(()) => Ok(()),
            Err(error) => {
                let message = format!(
                    "{} is not a {type_name}: expected {}",
                    quoted(&value),
                    error.expected
                );
                self.issue(IssueKind::Value, attribute.start, message)
            }
        }
    }
}
