//! The same links in the typed value.

use fhir_model::json::LinkKind;
use fhir_model::reflect::{
    ChoiceNodeMut, Complex, Field, Node, Nodes, PrimitiveNode, PrimitiveType, Shape, Slot, SlotMut, TypeInfo,
};

type Replace<'r> = &'r dyn Fn(LinkKind, &str) -> Option<String>;

/// Replaces every link that `replace` gives something for.
pub(super) fn rewrite(value: &mut dyn Complex, replace: Replace<'_>) {
    let info = value.type_info();
    for (index, field) in info.fields.iter().enumerate() {
        let variant = match value.slot(index) {
            Slot::Absent => continue,
            Slot::Choice(variant, _) => Some(variant),
            _ => None,
        };
        let kind = kind_of(info, field, variant);
        match value.slot_mut(index) {
            Some(SlotMut::Primitive(p)) => primitive(p, kind, replace),
            Some(SlotMut::Primitives(list)) => {
                for i in 0..list.len() {
                    if let Some(p) = list.at_mut(i) {
                        primitive(p, kind, replace);
                    }
                }
            }
            Some(SlotMut::Complex(slot)) => rewrite(slot.get_or_insert(), replace),
            Some(SlotMut::Complexes(list)) => {
                for i in 0..list.len() {
                    if let Some(c) = list.at_mut(i) {
                        rewrite(c, replace);
                    }
                }
            }
            Some(SlotMut::Choice(slot)) => match variant.and_then(|v| slot.select(v)) {
                Some(ChoiceNodeMut::Primitive(p)) => primitive(p, kind, replace),
                Some(ChoiceNodeMut::Complex(c)) => rewrite(c, replace),
                None => {}
            },
            Some(SlotMut::Resource(Some(resource))) => rewrite(resource.as_complex_mut(), replace),
            Some(SlotMut::Resources(list)) => {
                list.iter_mut().for_each(|r| rewrite(r.as_complex_mut(), replace))
            }
            Some(SlotMut::Resource(None)) | None => {}
        }
    }
}

fn primitive(p: &mut dyn PrimitiveNode, kind: Option<LinkKind>, replace: Replace<'_>) {
    if let Some(kind) = kind
        && let Some(new) = p.text().and_then(|text| replace(kind, &text))
    {
        let parsed = p.parse(&new);
        debug_assert!(
            parsed.is_ok(),
            "links are texts, and reading a text does not fail"
        );
    }
    if p.extras().is_some()
        && let Some(extras) = p.extras_mut()
    {
        rewrite(extras, replace);
    }
}

fn kind_of(info: &TypeInfo, field: &Field, variant: Option<usize>) -> Option<LinkKind> {
    let shape = match (&field.shape, variant) {
        (Shape::Choice(variants), Some(v)) => &variants.get(v)?.shape,
        (shape, _) => shape,
    };
    let Shape::Primitive(primitive) = shape else {
        return None;
    };
    match primitive {
        PrimitiveType::Uri | PrimitiveType::Url | PrimitiveType::Oid | PrimitiveType::Uuid => {
            Some(LinkKind::Uri)
        }
        PrimitiveType::Xhtml => Some(LinkKind::Narrative),
        _ if info.name == "Reference" && field.name == "reference" => Some(LinkKind::Reference),
        _ => None,
    }
}

/// Gives each `Reference.reference` with its place, which begins with `path`.
pub(super) fn references(value: &dyn Complex, path: String, each: &mut dyn FnMut(String, &str)) {
    let info = value.type_info();
    for (index, field) in info.fields.iter().enumerate() {
        for (i, node) in Nodes::of(value, index).enumerate() {
            let place = || match field.is_list() {
                true => format!("{path}.{}[{i}]", field.name),
                false => format!("{path}.{}", field.name),
            };
            match node {
                Node::Complex(c) => references(c, place(), each),
                Node::Primitive(_, p) => {
                    if info.name == "Reference"
                        && field.name == "reference"
                        && let Some(text) = p.text()
                    {
                        each(place(), &text);
                    }
                    if let Some(extras) = p.extras() {
                        references(extras, place(), each);
                    }
                }
            }
        }
    }
}
