//! The JSON Schema layer: what the schema that is published for a resource's type says of it ([`schema::published`]), so that
//! what a supplier's own validation refuses by that schema is refused here too.
//!
//! Each value of a resource is held against the part of the schema that is about its type (`part.rs`), which comes to the same as
//! holding the resource against the whole: parts refer to each other by the types of values, and nothing else. It runs after the
//! other layers; what they have told of a place already is not told again.
//!
//! [`schema::published`]: crate::schema::published()
//!
//! Invariant: nothing is compiled or parsed twice, and no more errors are made than one value can have.

mod part;
mod view;

use std::collections::HashSet;

use fhir_model::reflect::{Complex, Node, Nodes, TypeKind};
use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind as Kind;
use jsonschema::json::{JsonNumber, Node as _, Object};
use serde_json::Value;

use self::part::of_type;
use self::view::{Key, View};
use crate::finding::Severity;
use crate::layer::Layer;
use crate::place::Step;
use crate::run::{Report, Run};
use crate::terminology::nearest;

/// Letters of a value that a message shows.
const MAX_SHOWN: usize = 80;
/// Codes that a message shows.
const MAX_CODES: usize = 12;

/// Holds a resource, without those in it, against the schema of its type.
pub(crate) fn check(run: &mut Run, resource: &dyn Complex) {
    if run.is_full() || fits(resource) {
        return;
    }
    let mut told = Told {
        root: resource.type_info().name,
        places: run
            .findings
            .iter()
            .filter(|finding| finding.severity == Severity::Error)
            .map(|finding| finding.expression.clone())
            .collect(),
    };
    complex(run, resource, &mut told);
}

/// Whether there is nothing to tell.
fn fits(value: &dyn Complex) -> bool {
    let fits_alone = |name, view| of_type(name).is_ok_and(|validator| validator.is_valid(view));
    fits_alone(value.type_info().name, View::known(value))
        && (0..value.type_info().fields.len()).all(|index| {
            Nodes::of(value, index).all(|node| match node {
                Node::Complex(inner) => inner.type_info().kind == TypeKind::Resource || fits(inner),
                Node::Primitive(kind, primitive) => {
                    (primitive.scalar().is_none() || fits_alone(kind.name(), View::Scalar(kind, primitive)))
                        && primitive.extras().is_none_or(|extras| fits(extras))
                }
            })
        })
}

/// What has been told.
struct Told {
    root: &'static str,
    places: HashSet<String>,
}

fn complex(run: &mut Run, value: &dyn Complex, told: &mut Told) {
    alone(run, value.type_info().name, View::known(value), told);
    for (index, field) in value.type_info().fields.iter().enumerate() {
        for (position, node) in Nodes::of(value, index).enumerate() {
            if run.is_full() {
                return;
            }
            run.within(Step::to(value, index, field, position), |run| match node {
                Node::Complex(inner) if inner.type_info().kind == TypeKind::Resource => {}
                Node::Complex(inner) => complex(run, inner, told),
                Node::Primitive(kind, primitive) => {
                    if primitive.scalar().is_some() {
                        alone(run, kind.name(), View::Scalar(kind, primitive), told);
                    }
                    if let Some(extras) = primitive.extras() {
                        complex(run, extras, told);
                    }
                }
            });
        }
    }
}

/// Tells what is wrong with one value.
fn alone(run: &mut Run, name: &'static str, view: View<'_>, told: &mut Told) {
    match of_type(name) {
        Ok(validator) if validator.is_valid(view) => {}
        Ok(validator) => validator
            .iter_errors(view)
            .for_each(|error| one(run, name, view, &error, told)),
        Err(reason) => run.report(Report::error(
            Layer::JsonSchema,
            format!("the schema of {name} cannot be used: {reason}"),
        )),
    }
}

/// Tells an error where none is told of its place yet.
fn one(run: &mut Run, name: &'static str, view: View<'_>, error: &ValidationError<'_>, told: &mut Told) {
    let (mut steps, at) = locate(view, error.instance_path().as_str());
    let missing = missing(error);
    if let (Some(name), View::Known(at, _)) = (missing.or_else(|| unexpected(error)), at)
        && let Some(field) = view::field(at.type_info(), Key::new(name).name())
    {
        steps.push(Step::named(field.name, None));
    }
    let depth = steps.len();
    steps.into_iter().for_each(|step| run.place.push(step));
    if told.places.insert(run.place.expression()) {
        let (message, near) = words(error, at, missing);
        let (root, path) = (told.root, error.schema_path().as_str());
        let rule = match path.starts_with("/$defs/") {
            true => format!("schemas/{root}.json#{path}"),
            false => format!("schemas/{root}.json#/$defs/{name}{path}"),
        };
        run.report(Report::error(Layer::JsonSchema, message).rule(rule).near(near));
    }
    for _ in 0..depth {
        run.place.pop();
    }
}

/// The member that is missing: itself, or the first of those of which one must be there.
fn missing<'e>(error: &'e ValidationError<'_>) -> Option<&'e str> {
    match error.kind() {
        Kind::Required { property } => property.as_str(),
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
            context.iter().flatten().find_map(missing)
        }
        _ => None,
    }
}

/// The member that should not be there.
fn unexpected<'e>(error: &'e ValidationError<'_>) -> Option<&'e str> {
    match error.kind() {
        Kind::AdditionalProperties { unexpected } => unexpected.first().map(String::as_str),
        _ => None,
    }
}

/// What a JSON pointer from a value leads to, and the steps there: a member, or an item of it.
fn locate<'a>(from: View<'a>, pointer: &str) -> (Vec<Step>, View<'a>) {
    let mut names = pointer.split('/').skip(1);
    let (View::Known(value, _), Some(name)) = (from, names.next()) else {
        return (Vec::new(), from);
    };
    let key = Key::new(name);
    let mut fields = value.type_info().fields.iter().enumerate();
    let found = fields.find(|(index, _)| Nodes::of(value, *index).name == key.name());
    let (Some((index, field)), Some(member)) = (found, from.as_object().and_then(|object| object.get(&key)))
    else {
        return (Vec::new(), from);
    };
    let position = names.next().and_then(|position| position.parse().ok());
    match (member.as_array(), position) {
        (Some(items), Some(position)) => (
            vec![Step::to(value, index, field, position)],
            items.at(position).unwrap_or(member),
        ),
        (Some(_), None) => (vec![Step::named(field.name, None)], member),
        (None, _) => (vec![Step::to(value, index, field, 0)], member),
    }
}

/// What is wrong, and the nearest right code.
fn words(error: &ValidationError<'_>, at: View<'_>, missing: Option<&str>) -> (String, Option<String>) {
    let shown = shown(at);
    let text = match error.kind() {
        _ if missing.is_some() => {
            let name = missing.unwrap_or_default();
            format!("the schema asks for {name:?}, which is missing; add it")
        }
        Kind::AdditionalProperties { .. } => {
            let name = unexpected(error).unwrap_or_default();
            format!("the schema has no {name:?} here; leave it out")
        }
        Kind::Enum { options } => return of_codes(&shown, at, options),
        Kind::Pattern { pattern } => {
            format!("{shown} is not of the form that the schema asks for: {pattern}")
        }
        Kind::MaxLength { limit } => {
            format!("the value is longer than the {limit} characters that the schema allows; shorten it")
        }
        Kind::Minimum { limit } => {
            format!("{shown} is less than {limit}, the least that the schema allows")
        }
        Kind::Maximum { limit } => {
            format!("{shown} is more than {limit}, the most that the schema allows")
        }
        kind => {
            let keyword = kind.keyword();
            format!(
                "the value is not as {keyword} of the schema asks; the rule names its place in the schema"
            )
        }
    };
    (text, None)
}

fn of_codes(shown: &str, at: View<'_>, options: &Value) -> (String, Option<String>) {
    let codes: Vec<&str> = options
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let near = at
        .as_string()
        .and_then(|text| nearest(&text, codes.iter().copied()));
    let first: Vec<&str> = codes.iter().copied().take(MAX_CODES).collect();
    let more = match codes.len() > MAX_CODES {
        true => format!(" and {} more", codes.len() - MAX_CODES),
        false => String::new(),
    };
    let list = first.join(", ");
    (
        format!("{shown} is none of the codes of the schema; use one of {list}{more}"),
        near,
    )
}

/// A value as a message shows it.
fn shown(at: View<'_>) -> String {
    if let Some(text) = at.as_string() {
        let mut start: String = text.chars().take(MAX_SHOWN).collect();
        if start.len() < text.len() {
            start.push('…');
        }
        return format!("{start:?}");
    }
    match (at.as_number(), at.as_boolean()) {
        (Some(number), _) => number.as_str().into_owned(),
        (_, Some(value)) => value.to_string(),
        _ => "the value".to_owned(),
    }
}

#[cfg(test)]
mod tests;
