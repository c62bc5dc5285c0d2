//! The fixed layer: fixed values, patterns, and the least and greatest values and lengths that profiles ask
//! (<https://hl7.org/fhir/R4/elementdefinition-definitions.html#ElementDefinition.fixed_x_>).

use std::cmp::Ordering;

use fhir_model::primitive::Scalar;
use fhir_model::reflect::{Complex, Node, Nodes, PrimitiveNode, Shape};
use jiff::Zoned;
use serde_json::{Map, Value};

use crate::format::quoted;
use crate::layer::Layer;
use crate::program::{Program, Rule};
use crate::run::{Report, Run};

pub(crate) fn check(run: &mut Run, now: Option<&Zoned>, program: &Program, rule: &Rule, value: Node<'_>) {
    let by = || format!("the profile {}", program.canonical);
    let mut problem = None;
    if let Some(wanted) = rule.fixed.as_ref().filter(|w| !equals(value, w)) {
        problem = Some(format!(
            "the value {}is not the one that {} fixes: {wanted}",
            shown(value),
            by()
        ));
    }
    if let Some(wanted) = rule.pattern.as_ref().filter(|w| !contains(value, w)) {
        problem = Some(format!(
            "the value {}lacks what {} asks of it: {wanted}",
            shown(value),
            by()
        ));
    }
    if let Some(least) = rule
        .min_value
        .as_ref()
        .filter(|l| order(value, l, now, true) == Some(Ordering::Less))
    {
        problem = Some(format!(
            "the value {}is less than {least}, the least that {} allows",
            shown(value),
            by()
        ));
    }
    if let Some(most) = rule
        .max_value
        .as_ref()
        .filter(|m| order(value, m, now, false) == Some(Ordering::Greater))
    {
        problem = Some(format!(
            "the value {}is greater than {most}, the greatest that {} allows",
            shown(value),
            by()
        ));
    }
    if let Some(message) = problem {
        run.report(Report::error(Layer::Fixed, message).rule(program.url.as_str()));
    }
    check_text(run, program, rule, value);
}

fn check_text(run: &mut Run, program: &Program, rule: &Rule, value: Node<'_>) {
    let Node::Primitive(_, primitive) = value else {
        return;
    };
    let Some(text) = primitive.text() else { return };
    let by = &program.canonical;
    let length = text.chars().count();
    let mut problems = Vec::new();
    if let Some(most) = rule.max_length.filter(|most| length > *most) {
        problems.push(format!(
            "the value has {length} characters; the profile {by} allows at most {most}"
        ));
    }
    if let Some(least) = rule.min_length.filter(|least| length < *least) {
        problems.push(format!(
            "the value has {length} characters; the profile {by} wants at least {least}"
        ));
    }
    if let Some(regex) = rule.regex.as_ref().filter(|regex| !regex.is_match(&text)) {
        problems.push(format!(
            "{} is not of the form {} that the profile {by} asks for",
            quoted(&text),
            regex.as_str()
        ));
    }
    for message in problems {
        run.report(Report::error(Layer::Fixed, message).rule(program.url.as_str()));
    }
}

fn shown(value: Node<'_>) -> String {
    match value {
        Node::Primitive(_, primitive) => primitive
            .text()
            .map(|t| format!("{} ", quoted(&t)))
            .unwrap_or_default(),
        Node::Complex(_) => String::new(),
    }
}

/// Whether a value is exactly the wanted one: the same elements with the same content.
pub(crate) fn equals(value: Node<'_>, wanted: &Value) -> bool {
    compare(value, wanted, true)
}

/// Whether a value has at least what is wanted: arrays may have more items, objects more elements.
pub(crate) fn contains(value: Node<'_>, wanted: &Value) -> bool {
    compare(value, wanted, false)
}

fn compare(value: Node<'_>, wanted: &Value, exactly: bool) -> bool {
    match (value, wanted) {
        (Node::Primitive(_, primitive), wanted) => is_scalar(primitive, wanted),
        (Node::Complex(complex), Value::Object(wanted)) => compare_complex(complex, wanted, exactly),
        _ => false,
    }
}

fn is_scalar(primitive: &dyn PrimitiveNode, wanted: &Value) -> bool {
    match (primitive.scalar(), wanted) {
        (Some(Scalar::Decimal(have)), Value::Number(wanted)) => wanted
            .to_string()
            .parse()
            .is_ok_and(|w| have.compare(&w) == Ordering::Equal),
        (Some(have), Value::String(wanted)) => have.text() == wanted.as_str(),
        (Some(have), Value::Number(_) | Value::Bool(_)) => have.text() == wanted.to_string().as_str(),
        _ => false,
    }
}

fn compare_complex(value: &dyn Complex, wanted: &Map<String, Value>, exactly: bool) -> bool {
    let info = value.type_info();
    let mut met = 0;
    for (name, wanted) in wanted {
        if name.starts_with('_') || name == "resourceType" {
            continue;
        }
        let field = info.fields.iter().position(|f| match &f.shape {
            Shape::Choice(variants) => variants.iter().any(|v| v.name == name),
            _ => f.name == name,
        });
        let Some(index) = field else { return false };
        let nodes = Nodes::of(value, index);
        if nodes.name != name {
            return false;
        }
        met += 1;
        let fits = match wanted {
            Value::Array(items) if exactly => {
                nodes.count_all() == items.len() && nodes.zip(items).all(|(n, w)| compare(n, w, true))
            }
            Value::Array(items) => items
                .iter()
                .all(|w| nodes.into_iter().any(|n| compare(n, w, false))),
            one => nodes.count_all() == 1 && nodes.into_iter().all(|n| compare(n, one, exactly)),
        };
        if !fits {
            return false;
        }
    }
    !exactly
        || (0..info.fields.len())
            .filter(|i| Nodes::of(value, *i).count_all() > 0)
            .count()
            == met
}

/// How a value compares with a limit; `None` where it cannot be compared.
fn order(value: Node<'_>, limit: &Value, now: Option<&Zoned>, is_least: bool) -> Option<Ordering> {
    match (value, limit) {
        (Node::Primitive(_, primitive), Value::Object(amount)) => {
            crate::compare::from_now(primitive.scalar()?, amount, now?, is_least)
        }
        (Node::Primitive(_, primitive), limit) => {
            crate::compare::scalar(primitive.scalar()?, &crate::compare::text(limit)?)
        }
        (Node::Complex(complex), Value::Object(limit)) => crate::compare::quantity(complex, limit),
        _ => None,
    }
}
