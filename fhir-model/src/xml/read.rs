//! Reads FHIR XML into typed values, by the tables of [`crate::reflect`] (<https://hl7.org/fhir/R4/xml.html>).
//!
//! What is not well formed ends the reading. All else that is wrong is collected, each with its place: unknown elements
//! and attributes, wrong order, repeated single elements, bad values, stray text, empty elements.
//!
//! Invariant: an element's children are taken in the definition's order, so the value never depends on anything but the
//! text; nothing is dropped without an issue or a report.

mod primitive;
mod problems;

use super::chars::decode;
use super::expected::Expected;
use super::path::Step;
use super::scan::{Fault, Scanner, Token};
use super::scope::Namespace;
use super::tag::{Attribute, Tag};
use crate::primitive::{Primitive, Str};
use crate::read::{
    Budget, FoundIssue, IssueKind, Limits, Partial, ReadOptions, UnknownElement, UnknownElements,
    did_you_mean, locate, quoted,
};
use crate::reflect::{ChoiceNodeMut, Complex, ComplexList, Field, Shape, Slot, SlotMut};
use crate::resource::Resource;

/// Reads a document.
pub(super) fn read(xml: &[u8], options: &ReadOptions) -> Partial<Resource> {
    if xml.len() > options.limits.bytes {
        let message = format!("The text is longer than {} bytes", options.limits.bytes);
        return alone(xml, Fault::limit(0, message));
    }
    let text = match decode(xml) {
        Ok(text) => text,
        Err(fault) => return alone(xml, fault),
    };
    let mut reader = Reader::new(text, options);
    // Where reading stopped, or there is no value, there is an issue.
    let value = reader.document().ok().flatten();
    Partial {
        value,
        unknown: reader.unknown,
        issues: locate(text.as_bytes(), reader.issues).issues,
    }
}

/// What there is of a text that was not looked into.
fn alone(xml: &[u8], fault: Fault) -> Partial<Resource> {
    let Fault { kind, at, message } = fault;
    let found = FoundIssue {
        kind,
        path: String::new(),
        message,
        offset: at,
    };
    Partial {
        value: None,
        unknown: Vec::new(),
        issues: locate(xml, vec![found]).issues,
    }
}

/// The widest primitive: lists of primitives are charged alike, whatever they hold.
const PRIMITIVE: usize = size_of::<Primitive<Str>>();

/// Reading is over: the issues say why.
struct Stop;

type Outcome<T = ()> = Result<T, Stop>;

struct Reader<'a> {
    scanner: Scanner<'a>,
    limits: &'a Limits,
    lenient: bool,
    elements: usize,
    budget: Budget,
    path: Vec<Step<'a>>,
    issues: Vec<FoundIssue>,
    unknown: Vec<UnknownElement>,
    /// The place after the text that was last found where none belongs, so that it counts once.
    stray_until: usize,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str, options: &'a ReadOptions) -> Self {
        let limits = &options.limits;
        Reader {
            // A primitive is an element in XML but not a level in JSON: one more, so that both take the same resources.
            scanner: Scanner::new(text, limits.depth.saturating_add(1)),
            limits,
            lenient: options.unknown == UnknownElements::Report,
            elements: 0,
            budget: Budget::new(limits, text.len()),
            path: Vec::new(),
            issues: Vec::new(),
            unknown: Vec::new(),
            stray_until: 0,
        }
    }

    fn document(&mut self) -> Outcome<Option<Resource>> {
        let mut resource = None;
        loop {
            match self.next()? {
                Token::Start(tag) => resource = self.resource(&tag)?,
                Token::Eof => return Ok(resource),
                // The scanner lets only white space through outside the root.
                Token::Text { .. } | Token::End(_) => {}
            }
        }
    }

    /// A resource whose start tag was read.
    fn resource(&mut self, tag: &Tag<'a>) -> Outcome<Option<Resource>> {
        let found = if tag.bound.namespace == Namespace::Fhir {
            Resource::new(tag.local)
        } else {
            None
        };
        let Some(mut resource) = found else {
            self.not_a_resource(tag)?;
            return self.skip(tag).map(|_| None);
        };
        self.pay(tag.start, |b| b.boxed(size_of_val(resource.as_complex())))?;
        let root = self.path.is_empty();
        if root {
            self.path.push(Step {
                name: resource.type_name(),
                index: None,
            });
        }
        for attribute in tag.content_attributes() {
            // Hints to schemas are let pass at the root, and never followed.
            if !(root && self.is_schema_hint(attribute)) {
                self.unknown_attribute(resource.type_name(), attribute)?;
            }
        }
        self.children(resource.as_complex_mut())?;
        if root {
            self.path.pop();
        }
        Ok(Some(resource))
    }

    fn is_schema_hint(&self, attribute: &Attribute<'_>) -> bool {
        let named = matches!(attribute.local, "schemaLocation" | "noNamespaceSchemaLocation");
        let bound = self.scanner.resolve(attribute.prefix);
        named && bound.is_some_and(|b| b.namespace == Namespace::SchemaInstance)
    }

    fn not_a_resource(&mut self, tag: &Tag<'a>) -> Outcome {
        let name = quoted(tag.local);
        let message = match tag.bound.namespace {
            Namespace::Fhir => {
                let hint = did_you_mean(tag.local, Resource::TYPES.iter().copied());
                format!("There is no resource type {name} in FHIR R4{hint}")
            }
            _ => format!("{name} is not in the namespace of FHIR: declare xmlns=\"http://hl7.org/fhir\""),
        };
        self.issue(IssueKind::Unknown, tag.start, message)
    }

    /// `contained`, `Bundle.entry.resource` and their like: an element around one resource.
    fn wrapped(&mut self, tag: &Tag<'a>) -> Outcome<Option<Resource>> {
        for attribute in tag.content_attributes() {
            self.unknown_attribute("an element around a resource", attribute)?;
        }
        let (mut resource, mut count) = (None, 0);
        loop {
            match self.next()? {
                Token::Start(inner) if count == 0 => {
                    count = 1;
                    resource = self.resource(&inner)?;
                }
                Token::Start(inner) => {
                    let message = "There must be one resource here, not several";
                    self.issue(IssueKind::Structure, inner.start, message.to_owned())?;
                    self.skip(&inner)?;
                }
                Token::Text { raw, start } => self.stray_text(raw, start)?,
                Token::End(_) | Token::Eof => break,
            }
        }
        if count == 0 {
            self.issue(
                IssueKind::Structure,
                tag.start,
                "There must be a resource here".to_owned(),
            )?;
        }
        Ok(resource)
    }

    /// A datatype or backbone element whose start tag was read.
    fn complex(&mut self, target: &mut dyn Complex, tag: &Tag<'a>) -> Outcome {
        let attributes = self.attributes(target, tag)?;
        let children = self.children(target)?;
        self.never_empty(tag, attributes || children)
    }

    /// Takes in the attributes; whether there are any.
    fn attributes(&mut self, target: &mut dyn Complex, tag: &Tag<'a>) -> Outcome<bool> {
        let mut any = false;
        for attribute in tag.content_attributes() {
            any = true;
            let named = |f: &Field| f.attribute && attribute.prefix.is_empty() && f.name == attribute.local;
            let field = target.type_info().fields.iter().position(named);
            match field.and_then(|index| target.slot_mut(index)) {
                Some(SlotMut::Primitive(node)) => self.value(node, attribute.local, attribute)?,
                _ => self.unknown_attribute(target.type_info().name, attribute)?,
            }
        }
        Ok(any)
    }

    /// Takes in the children up to the end tag; whether there are any.
    fn children(&mut self, target: &mut dyn Complex) -> Outcome<bool> {
        let (mut any, mut next) = (false, 0);
        loop {
            match self.next()? {
                Token::Start(tag) => {
                    any = true;
                    self.child(target, &mut next, &tag)?;
                }
                Token::Text { raw, start } => self.stray_text(raw, start)?,
                Token::End(_) | Token::Eof => return Ok(any),
            }
        }
    }

    /// One child; `next` is the index of the first element that may still come.
    fn child(&mut self, target: &mut dyn Complex, next: &mut usize, tag: &Tag<'a>) -> Outcome {
        let info = target.type_info();
        let Some(found) = Expected::find(info, *next, tag) else {
            return self.unknown_element(info, tag);
        };
        if found.index >= *next {
            *next = found.index + usize::from(!found.field.is_list());
        } else if !found.field.is_list() && !matches!(target.slot(found.index), Slot::Absent) {
            self.issue(IssueKind::Duplicate, tag.start, found.twice(tag))?;
            return self.skip(tag).map(drop);
        } else {
            let follower = info.fields.get(found.index + 1).map_or("", |f| f.name);
            let message = format!(
                "{:?} comes too late: the order of elements is fixed, and {follower:?} and all after it come later",
                tag.local
            );
            self.issue(IssueKind::Order, tag.start, message)?;
        }
        self.fill(target, &found, tag)
    }

    /// Reads an element into its place.
    fn fill(&mut self, target: &mut dyn Complex, found: &Expected, tag: &Tag<'a>) -> Outcome {
        let index = match target.slot_mut(found.index) {
            Some(SlotMut::Primitives(list)) => Some(list.len()),
            Some(SlotMut::Complexes(list)) => Some(list.len()),
            Some(SlotMut::Resources(list)) => Some(list.len()),
            _ => None,
        };
        self.path.push(Step {
            name: found.field.name,
            index,
        });
        let at = tag.start;
        match (target.slot_mut(found.index), found.shape) {
            (Some(SlotMut::Primitive(node)), Shape::Primitive(t)) => self.primitive(node, *t, tag)?,
            (Some(SlotMut::Primitives(list)), Shape::Primitive(t)) => {
                self.pay(at, |b| b.item(list.len(), PRIMITIVE))?;
                self.primitive(list.push(), *t, tag)?;
            }
            (Some(SlotMut::Complex(slot)), _) => {
                let value = slot.get_or_insert();
                self.pay(at, |b| b.boxed(size_of_val(&*value)))?;
                self.complex(value, tag)?;
            }
            (Some(SlotMut::Complexes(list)), _) => self.item(list, tag)?,
            (Some(SlotMut::Choice(slot)), shape) => match (slot.select(found.variant), shape) {
                (Some(ChoiceNodeMut::Primitive(node)), Shape::Primitive(t)) => {
                    self.primitive(node, *t, tag)?
                }
                (Some(ChoiceNodeMut::Complex(value)), _) => {
                    self.pay(at, |b| b.boxed(size_of_val(&*value)))?;
                    self.complex(value, tag)?;
                }
                _ => self.skip(tag).map(drop)?,
            },
            (Some(SlotMut::Resource(slot)), _) => *slot = self.wrapped(tag)?,
            (Some(SlotMut::Resources(list)), _) => {
                self.pay(at, |b| b.item(list.len(), size_of::<Resource>()))?;
                list.extend(self.wrapped(tag)?);
            }
            // The table and the struct agree, so one of the above holds.
            (Some(SlotMut::Primitive(_) | SlotMut::Primitives(_)) | None, _) => self.skip(tag).map(drop)?,
        }
        self.path.pop();
        Ok(())
    }
    /// One more item of a list of datatypes or backbone elements.
    fn item(&mut self, list: &mut dyn ComplexList, tag: &Tag<'a>) -> Outcome {
        let index = list.len();
        // The size of the items is known from the first on.
        if let Some(before) = list.at(0) {
            self.pay(tag.start, |b| b.item(index, size_of_val(before)))?;
        }
        match list.push() {
            Some(item) => {
                if index == 0 {
                    self.pay(tag.start, |b| b.item(0, size_of_val(&*item)))?;
                }
                self.complex(item, tag)
            }
            None => self.skip(tag).map(drop),
        }
    }
}
