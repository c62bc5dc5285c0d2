//! The structure layer: every required element is there, none occurs too often, and none is empty
//! (<https://hl7.org/fhir/R4/conformance-rules.html#cardinality>).

use fhir_model::reflect::{Complex, Field, Nodes, PrimitiveNode, Shape, TypeKind};

use crate::layer::Layer;
use crate::run::{Report, Run};

pub(crate) fn check(run: &mut Run, value: &dyn Complex) {
    let info = value.type_info();
    for (index, field) in info.fields.iter().enumerate() {
        let count = Nodes::of(value, index).count_all();
        let most = usize::try_from(field.max).unwrap_or(usize::MAX);
        if count < usize::try_from(field.min).unwrap_or(usize::MAX) {
            run.report_in(
                field.name,
                Report::error(Layer::Structure, too_few(info.name, field, count)),
            );
        } else if count > most && field.is_list() {
            let message = format!(
                "{} occurs {count} times; at most {most} are allowed",
                named(field)
            );
            run.report_in(field.name, Report::error(Layer::Structure, message));
        }
    }
}

/// The invariants that every element has, without FHIRPath: none is empty, and an extension has a value or extensions.
pub(crate) fn check_content(run: &mut Run, value: &dyn Complex) {
    let info = value.type_info();
    // What a type needs at least is missed by its cardinality already.
    if info.kind != TypeKind::Resource && info.fields.iter().all(|f| f.min == 0) && run.place.depth() > 0 {
        let mut fields = info.fields.iter().enumerate();
        if fields.all(|(index, field)| field.name == "id" || Nodes::of(value, index).count_all() == 0) {
            run.report(
                Report::error(
                    Layer::Invariant,
                    "the element is empty; give it content or leave it out",
                )
                .rule("ele-1"),
            );
        }
    }
    if info.name == "Extension" {
        check_extension(run, value);
    }
}

/// An extension has a value or extensions, and not both.
fn check_extension(run: &mut Run, value: &dyn Complex) {
    let has = |name: &str| crate::place::nodes_of(value, name).is_some_and(|n| n.count_all() > 0);
    let problem = match (has("value"), has("extension")) {
        (true, true) => "an extension has a value or extensions, not both",
        (false, false) => "an extension needs a value or extensions",
        _ => return,
    };
    run.report(Report::error(Layer::Invariant, problem).rule("ext-1"));
}

/// A primitive without a value needs extensions.
pub(crate) fn check_primitive(run: &mut Run, primitive: &dyn PrimitiveNode) {
    if primitive.scalar().is_none() && primitive.extras().is_none_or(|e| e.extension.is_empty()) {
        run.report(
            Report::error(
                Layer::Invariant,
                "the element has neither a value nor extensions; give it one or leave it out",
            )
            .rule("ele-1"),
        );
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
