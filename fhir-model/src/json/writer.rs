//! Writes any value as FHIR JSON, elements in the order of the definition.

use crate::generated::Element;
use crate::reflect::{
    ChoiceNode, Complex, Field, JsonToken, PrimitiveList, PrimitiveNode, PrimitiveType, Shape, Slot,
    TypeInfo, TypeKind,
};
use crate::resource::Resource;

/// Which elements to write, asked for each element that has content: type, field, and levels below the root.
type Select<'s> = &'s mut dyn FnMut(&'static TypeInfo, &'static Field, usize) -> bool;

/// The JSON of a resource, without white space.
pub fn to_vec(resource: &Resource) -> Vec<u8> {
    to_vec_of(resource.as_complex())
}

/// The JSON of a resource, without white space.
pub fn to_string(resource: &Resource) -> String {
    String::from_utf8(to_vec(resource)).unwrap_or_default()
}

/// The JSON of any complex value, without white space.
pub fn to_vec_of(value: &dyn Complex) -> Vec<u8> {
    let mut out = Vec::with_capacity(512);
    write(value, &mut out);
    out
}

/// Appends the JSON of any complex value.
pub fn write(value: &dyn Complex, out: &mut Vec<u8>) {
    write_selected(value, out, &mut |_, _, _| true);
}

/// Appends the JSON of those elements that `select` lets through; it is asked the type, the element, and how many
/// levels below the root it stands (0 for the elements of the root).
pub fn write_selected(value: &dyn Complex, out: &mut Vec<u8>, select: Select<'_>) {
    Writer {
        out,
        select,
        depth: 0,
    }
    .complex(value);
}

struct Writer<'o, 's> {
    out: &'o mut Vec<u8>,
    select: Select<'s>,
    depth: usize,
}

impl Writer<'_, '_> {
    fn complex(&mut self, value: &dyn Complex) {
        let info = value.type_info();
        self.out.push(b'{');
        let mut first = true;
        if info.kind == TypeKind::Resource {
            self.name("resourceType", &mut first);
            string(info.name, self.out);
        }
        for (index, field) in info.fields.iter().enumerate() {
            let slot = value.slot(index);
            if !matches!(slot, Slot::Absent) && (self.select)(info, field, self.depth) {
                self.field(field, slot, &mut first);
            }
        }
        self.out.push(b'}');
    }

    fn field(&mut self, field: &'static Field, slot: Slot<'_>, first: &mut bool) {
        match (slot, &field.shape) {
            (Slot::Primitive(p), Shape::Primitive(t)) => self.primitive(field.name, *t, p, first),
            (Slot::Primitives(list), Shape::Primitive(t)) => self.primitives(field.name, *t, list, first),
            (Slot::Complex(c), _) => {
                self.name(field.name, first);
                self.nested(c);
            }
            (Slot::Complexes(list), _) => {
                self.name(field.name, first);
                self.out.push(b'[');
                for i in 0..list.len() {
                    if i > 0 {
                        self.out.push(b',');
                    }
                    if let Some(item) = list.at(i) {
                        self.nested(item);
                    }
                }
                self.out.push(b']');
            }
            (Slot::Choice(index, node), Shape::Choice(variants)) => {
                let Some(variant) = variants.get(index) else {
                    return;
                };
                match (node, &variant.shape) {
                    (ChoiceNode::Primitive(p), Shape::Primitive(t)) => {
                        self.primitive(variant.name, *t, p, first)
                    }
                    (ChoiceNode::Complex(c), _) => {
                        self.name(variant.name, first);
                        self.nested(c);
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }

    fn nested(&mut self, value: &dyn Complex) {
        self.depth += 1;
        self.complex(value);
        self.depth -= 1;
    }

    fn name(&mut self, name: &str, first: &mut bool) {
        if !std::mem::take(first) {
            self.out.push(b',');
        }
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
    }

    fn primitive(&mut self, name: &str, t: PrimitiveType, p: &dyn PrimitiveNode, first: &mut bool) {
        if p.scalar().is_some() {
            self.name(name, first);
            self.scalar(t, p);
        }
        if let Some(extras) = p.extras() {
            self.extras_name(name, first);
            self.extras(extras);
        }
    }

    fn primitives(&mut self, name: &str, t: PrimitiveType, list: &dyn PrimitiveList, first: &mut bool) {
        let items = || (0..list.len()).filter_map(|i| list.at(i));
        if items().any(|p| p.scalar().is_some()) {
            self.name(name, first);
            self.array(items(), |writer, p| match p.scalar() {
                Some(_) => writer.scalar(t, p),
                None => writer.out.extend_from_slice(b"null"),
            });
        }
        if items().any(|p| p.extras().is_some()) {
            self.extras_name(name, first);
            self.array(items(), |writer, p| match p.extras() {
                Some(extras) => writer.extras(extras),
                None => writer.out.extend_from_slice(b"null"),
            });
        }
    }

    fn array<'p>(
        &mut self,
        items: impl Iterator<Item = &'p dyn PrimitiveNode>,
        mut each: impl FnMut(&mut Self, &'p dyn PrimitiveNode),
    ) {
        self.out.push(b'[');
        for (i, item) in items.enumerate() {
            if i > 0 {
                self.out.push(b',');
            }
            each(self, item);
        }
        self.out.push(b']');
    }

    fn extras_name(&mut self, name: &str, first: &mut bool) {
        if !std::mem::take(first) {
            self.out.push(b',');
        }
        self.out.extend_from_slice(b"\"_");
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
    }

    fn extras(&mut self, extras: &Element) {
        self.nested(extras);
    }

    fn scalar(&mut self, t: PrimitiveType, p: &dyn PrimitiveNode) {
        let Some(text) = p.text() else { return };
        match t.json_token() {
            JsonToken::String => string(&text, self.out),
            JsonToken::Number | JsonToken::Boolean => self.out.extend_from_slice(text.as_bytes()),
        }
    }
}

/// Appends a JSON string literal; only what must be escaped is.
pub(super) fn string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut from = 0;
    for (i, byte) in bytes.iter().enumerate() {
        if !matches!(byte, b'"' | b'\\' | 0..=0x1F) {
            continue;
        }
        out.extend_from_slice(bytes.get(from..i).unwrap_or_default());
        from = i + 1;
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            control => out.extend_from_slice(format!("\\u{control:04x}").as_bytes()),
        }
    }
    out.extend_from_slice(bytes.get(from..).unwrap_or_default());
    out.push(b'"');
}
