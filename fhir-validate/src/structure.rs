//! The structure layer: every required element is there, and none occurs too often
//! (<https://hl7.org/fhir/R4/conformance-rules.html#cardinality>).

use fhir_model::reflect::{Complex, Field, Nodes, PrimitiveNode, PrimitiveType, Shape};

use crate::Layer;
use crate::finding::Breach;
use crate::walk::Place;

pub(crate) const LAYER: Layer = Layer {
    name: "structure",
    breach: Breach::Shape,
    complex,
    primitive: |_: PrimitiveType, _: &dyn PrimitiveNode, _| {},
};

fn complex(value: &dyn Complex, place: &mut Place<'_>) {
    let info = value.type_info();
    for (index, field) in info.fields.iter().enumerate() {
        let most = usize::try_from(field.max).unwrap_or(usize::MAX);
        if field.min == 0 && !(2..usize::MAX).contains(&most) {
            continue;
        }
        let count = Nodes::of(value, index).count_all();
        if count < usize::try_from(field.min).unwrap_or(usize::MAX) {
            place.find_in(field.name, too_few(info.name, field, count));
        } else if count > most {
            place.find_in(
                field.name,
                format!(
                    "{} occurs {count} times; at most {most} are allowed",
                    named(field)
                ),
            );
        }
    }
}

fn too_few(type_name: &str, field: &Field, count: usize) -> String {
    match field.min {
        1 => format!("{type_name} needs the element {}, which is missing", named(field)),
        min => format!(
            "{type_name} needs the element {} at least {min} times; it occurs {count} times",
            named(field)
        ),
    }
}

/// The element's name as the definitions write it.
fn named(field: &Field) -> String {
    match field.shape {
        Shape::Choice(_) => format!("{:?}", format!("{}[x]", field.name)),
        _ => format!("{:?}", field.name),
    }
}
