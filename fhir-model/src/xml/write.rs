//! Writes any resource as FHIR XML, elements in the order of the definition (<https://hl7.org/fhir/R4/xml.html>).
//!
//! Line breaks and tabs in values are written as references (`&#10;`), because a reader turns plain ones into spaces.
//!
//! Invariant: what is written is well formed and reads back as the same value; where that cannot be, nothing is
//! written and the error names the place.

use std::fmt;

use super::chars::{first_unfit, unfit_message};
use super::narrative;
use super::path::{Step, render};
use super::scope::FHIR;
use crate::reflect::{
    ChoiceNode, Complex, Field, PrimitiveNode, PrimitiveType, Shape, Slot, TypeInfo, TypeKind,
};
use crate::resource::Resource;

/// White space between elements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// None.
    #[default]
    Compact,
    /// A line an element and two spaces a level.
    Pretty,
}

/// Why a value cannot be written as XML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriteError {
    /// The place as a FHIRPath, such as `Patient.text.div`.
    pub path: String,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}
impl std::error::Error for WriteError {}

type Outcome<T = ()> = Result<T, WriteError>;

/// Which elements to write, asked for each element that has content: type, field, and levels below the root.
type Select<'s> = &'s mut dyn FnMut(&'static TypeInfo, &'static Field, usize) -> bool;

/// The XML of a resource, without white space.
///
/// # Errors
/// The resource holds what XML cannot carry: a control character in a string, or a narrative that is not XML.
///
/// ```
/// use fhir_model::{Patient, Resource, xml};
/// let patient = Patient { active: true.into(), ..Patient::default() };
/// let text = xml::to_string(&Resource::from(patient))?;
/// assert!(text.ends_with(r#"<Patient xmlns="http://hl7.org/fhir"><active value="true"/></Patient>"#));
/// # Ok::<(), xml::WriteError>(())
/// ```
pub fn to_string(resource: &Resource) -> Result<String, WriteError> {
    let mut out = String::with_capacity(1024);
    write_selected(resource, Layout::Compact, &mut out, &mut |_, _, _| true)?;
    Ok(out)
}

/// The XML of a resource, without white space, as UTF-8.
///
/// # Errors
/// As [`to_string`].
pub fn to_vec(resource: &Resource) -> Result<Vec<u8>, WriteError> {
    to_string(resource).map(String::into_bytes)
}

/// The XML of a resource, a line an element.
///
/// # Errors
/// As [`to_string`].
pub fn to_string_pretty(resource: &Resource) -> Result<String, WriteError> {
    let mut out = String::with_capacity(1024);
    write_selected(resource, Layout::Pretty, &mut out, &mut |_, _, _| true)?;
    Ok(out)
}

/// Appends the XML of those elements that `select` lets through; it is asked the type, the element, and how many levels
/// below the root it stands (0 for the elements of the root).
///
/// # Errors
/// As [`to_string`]; what was appended until then is no document.
pub fn write_selected(
    resource: &Resource,
    layout: Layout,
    out: &mut String,
    select: Select<'_>,
) -> Result<(), WriteError> {
    out.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
    let path = vec![Step {
        name: resource.type_name(),
        index: None,
    }];
    let mut writer = Writer {
        out,
        select,
        pretty: layout == Layout::Pretty,
        depth: 0,
        indent: 0,
        path,
    };
    writer.resource(resource.as_complex())?;
    if layout == Layout::Pretty {
        out.push('\n');
    }
    Ok(())
}

struct Writer<'o, 's> {
    out: &'o mut String,
    select: Select<'s>,
    pretty: bool,
    /// Levels of values, as `select` counts them.
    depth: usize,
    /// Levels of elements.
    indent: usize,
    path: Vec<Step<'static>>,
}

impl Writer<'_, '_> {
    fn resource(&mut self, resource: &dyn Complex) -> Outcome {
        let name = resource.type_info().name;
        self.open(name);
        if self.indent == 0 {
            self.out.push_str(" xmlns=\"");
            self.out.push_str(FHIR);
            self.out.push('"');
        }
        self.attributes(resource)?;
        self.content(name, |writer| writer.children(resource))
    }

    /// Begins a start tag, which stays open for attributes.
    fn open(&mut self, name: &str) {
        self.new_line();
        self.out.push('<');
        self.out.push_str(name);
    }

    fn new_line(&mut self) {
        if self.pretty {
            self.out.push('\n');
            self.out.extend(std::iter::repeat_n("  ", self.indent));
        }
    }

    /// Ends the start tag, writes what is within, and the end tag; an empty element if nothing is.
    fn content(&mut self, name: &str, write: impl FnOnce(&mut Self) -> Outcome) -> Outcome {
        let before = self.out.len();
        self.out.push('>');
        let within = self.out.len();
        self.indent += 1;
        write(self)?;
        self.indent -= 1;
        if self.out.len() == within {
            self.out.truncate(before);
            self.out.push_str("/>");
            return Ok(());
        }
        self.new_line();
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push('>');
        Ok(())
    }

    fn attributes(&mut self, value: &dyn Complex) -> Outcome {
        let info = value.type_info();
        for (index, field) in info.fields.iter().enumerate().filter(|(_, f)| f.attribute) {
            if let Slot::Primitive(node) = value.slot(index)
                && let Some(text) = node.text()
                && (self.select)(info, field, self.depth)
            {
                self.step(field.name, None, |writer| writer.attribute(field.name, &text))?;
            }
        }
        Ok(())
    }

    fn children(&mut self, value: &dyn Complex) -> Outcome {
        let info = value.type_info();
        for (index, field) in info.fields.iter().enumerate().filter(|(_, f)| !f.attribute) {
            let slot = value.slot(index);
            if !matches!(slot, Slot::Absent) && (self.select)(info, field, self.depth) {
                self.field(field, slot)?;
            }
        }
        Ok(())
    }

    fn field(&mut self, field: &'static Field, slot: Slot<'_>) -> Outcome {
        let name = field.name;
        match (slot, &field.shape) {
            (Slot::Primitive(p), Shape::Primitive(t)) => self.step(name, None, |w| w.primitive(name, *t, p)),
            (Slot::Primitives(list), Shape::Primitive(t)) => {
                (0..list.len()).try_for_each(|i| match list.at(i) {
                    Some(p) => self.step(name, Some(i), |w| w.primitive(name, *t, p)),
                    None => Ok(()),
                })
            }
            (Slot::Complex(c), _) => self.step(name, None, |w| w.complex(name, c)),
            (Slot::Complexes(list), _) => (0..list.len()).try_for_each(|i| match list.at(i) {
                Some(c) => self.step(name, Some(i), |w| w.complex(name, c)),
                None => Ok(()),
            }),
            (Slot::Choice(index, node), Shape::Choice(variants)) => {
                let Some(variant) = variants.get(index) else {
                    return Ok(());
                };
                self.step(name, None, |w| match (node, &variant.shape) {
                    (ChoiceNode::Primitive(p), Shape::Primitive(t)) => w.primitive(variant.name, *t, p),
                    (ChoiceNode::Complex(c), _) => w.complex(variant.name, c),
                    _ => Ok(()),
                })
            }
            _ => Ok(()),
        }
    }

    /// Writes with that step on the path.
    fn step(
        &mut self,
        name: &'static str,
        index: Option<usize>,
        write: impl FnOnce(&mut Self) -> Outcome,
    ) -> Outcome {
        self.path.push(Step { name, index });
        write(self)?;
        self.path.pop();
        Ok(())
    }

    /// A datatype, a backbone element, or an element around a resource. One without content is left out.
    fn complex(&mut self, name: &str, value: &dyn Complex) -> Outcome {
        let before = self.out.len();
        self.open(name);
        let opened = self.out.len();
        self.depth += 1;
        if value.type_info().kind == TypeKind::Resource {
            self.content(name, |w| w.resource(value))?;
        } else {
            self.attributes(value)?;
            let bare = self.out.len() == opened;
            self.content(name, |w| w.children(value))?;
            if bare && self.out.len() == opened + "/>".len() {
                self.out.truncate(before);
            }
        }
        self.depth -= 1;
        Ok(())
    }

    fn primitive(&mut self, name: &str, t: PrimitiveType, node: &dyn PrimitiveNode) -> Outcome {
        if t == PrimitiveType::Xhtml {
            return self.narrative(node);
        }
        let text = node.text();
        if text.is_none() && node.extras().is_none() {
            return Ok(());
        }
        self.open(name);
        if let Some(id) = node.extras().and_then(|extras| extras.id.as_deref()) {
            self.attribute("id", id)?;
        }
        if let Some(text) = text {
            self.attribute("value", &text)?;
        }
        self.depth += 1;
        self.content(name, |w| match node.extras() {
            Some(extras) => w.children(extras),
            None => Ok(()),
        })?;
        self.depth -= 1;
        Ok(())
    }

    fn narrative(&mut self, node: &dyn PrimitiveNode) -> Outcome {
        if node.extras().is_some() {
            return self.error("XML has no place for an id or extensions beside a narrative");
        }
        let Some(text) = node.text() else { return Ok(()) };
        match narrative::to_xml(&text) {
            Ok(div) => {
                self.new_line();
                self.out.push_str(&div);
                Ok(())
            }
            Err(fault) => {
                let at = text.get(..fault.at).map_or(0, |before| before.chars().count()) + 1;
                self.error(format!(
                    "The narrative cannot be written as XML: {} (at character {at})",
                    fault.message
                ))
            }
        }
    }

    fn attribute(&mut self, name: &str, value: &str) -> Outcome {
        if value.is_empty() {
            return self.error("XML cannot carry an empty string; leave the element out");
        }
        if let Some((_, c)) = first_unfit(value) {
            return self.error(unfit_message(c));
        }
        self.out.push(' ');
        self.out.push_str(name);
        self.out.push_str("=\"");
        escape(value, self.out);
        self.out.push('"');
        Ok(())
    }

    fn error<T>(&self, message: impl Into<String>) -> Outcome<T> {
        Err(WriteError {
            path: render(&self.path),
            message: message.into(),
        })
    }
}

/// Appends an attribute's value, which is to stand in double quotes.
fn escape(value: &str, out: &mut String) {
    let mut from = 0;
    for (i, byte) in value.bytes().enumerate() {
        let reference = match byte {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'"' => "&quot;",
            b'\t' => "&#9;",
            b'\n' => "&#10;",
            b'\r' => "&#13;",
            _ => continue,
        };
        out.push_str(value.get(from..i).unwrap_or_default());
        out.push_str(reference);
        from = i + 1;
    }
    out.push_str(value.get(from..).unwrap_or_default());
}
