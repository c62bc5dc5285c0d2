//! The JSON Schema layer: what the schema that is published for a resource's type says of it ([`schema::published`]), so that
//! what a supplier's own validation refuses by that schema is refused here too.
//!
//! Each resource, also one inside another, is held against the schema of its own type, after the other layers; what they have
//! told of a place already is not told again. A schema is compiled when its type is first met, once in a process.
//!
//! Invariant: nothing is compiled or parsed twice, and of a resource with very many values the first error only is told.

mod view;

use std::collections::{BTreeMap, HashSet};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use fhir_model::Resource;
use fhir_model::reflect::{Complex, Node, Nodes};
use jsonschema::error::ValidationErrorKind as Kind;
use jsonschema::json::Node as _;
use jsonschema::{PatternOptions, ValidationError, Validator};
use serde_json::Value;

use self::view::{Key, Reflected, View};
use crate::finding::Severity;
use crate::layer::Layer;
use crate::place::Step;
use crate::run::{Report, Run};
use crate::schema;
use crate::terminology::nearest;

/// Values of a resource up to which all errors are gathered: they are made before the first can be seen.
const MAX_VALUES: usize = 10_000;
/// Letters of a value that a message shows.
const MAX_SHOWN: usize = 80;
/// Codes that a message shows.
const MAX_CODES: usize = 12;

/// The schema of a type, once it is compiled, or why it cannot be.
#[derive(Default)]
struct Compiled {
    validator: OnceLock<Result<Validator<Reflected>, String>>,
    times: AtomicUsize,
}

/// Holds a resource, without those in it, against the schema of its type.
pub(crate) fn check(run: &mut Run, value: &dyn Complex) {
    if run.is_full() {
        return;
    }
    let name = value.type_info().name;
    match of_type(name) {
        Ok(validator) if validator.is_valid(View::Complex(value)) => {}
        Ok(validator) => tell(run, value, validator),
        Err(reason) => run.report(Report::error(
            Layer::JsonSchema,
            format!("the schema of {name} cannot be used: {reason}"),
        )),
    }
}

fn compiled(type_name: &str) -> Option<&'static Compiled> {
    static SCHEMAS: OnceLock<BTreeMap<&'static str, Compiled>> = OnceLock::new();
    let all = || {
        let types = Resource::TYPES.iter();
        types.map(|name| (*name, Compiled::default())).collect()
    };
    SCHEMAS.get_or_init(all).get(type_name)
}

fn of_type(name: &str) -> Result<&'static Validator<Reflected>, &'static str> {
    let compiled = compiled(name).ok_or("R4 has no such resource type")?;
    let made = compiled.validator.get_or_init(|| {
        compiled.times.fetch_add(1, Ordering::Relaxed);
        compile(name)
    });
    made.as_ref().map_err(String::as_str)
}

/// How often the schema of a type was compiled.
#[cfg(test)]
fn times_compiled(type_name: &str) -> usize {
    compiled(type_name).map_or(0, |compiled| compiled.times.load(Ordering::Relaxed))
}

/// Patterns run in linear time.
fn compile(name: &str) -> Result<Validator<Reflected>, String> {
    let document = schema::published(name).map_err(|e| e.to_string())?;
    let document = serde_json::to_value(document.ok_or("there is none")?).map_err(|e| e.to_string())?;
    jsonschema::options_for::<Reflected>()
        .with_pattern_options(PatternOptions::regex())
        .build(&document)
        .map_err(|e| e.to_string())
}

fn tell(run: &mut Run, value: &dyn Complex, validator: &Validator<Reflected>) {
    let mut told: HashSet<String> = run
        .findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
        .map(|finding| finding.expression.clone())
        .collect();
    let root = View::Complex(value);
    if count(value, MAX_VALUES) < MAX_VALUES {
        for error in validator.iter_errors(root) {
            one(run, value, &error, &mut told);
        }
    } else if let Err(error) = validator.validate(root) {
        one(run, value, &error, &mut told);
    }
}

/// The values of a resource, those of resources in it too, up to a number.
fn count(value: &dyn Complex, most: usize) -> usize {
    let mut found = 0;
    for index in 0..value.type_info().fields.len() {
        for node in Nodes::of(value, index) {
            found += 1;
            if found >= most {
                return found;
            }
            found += match node {
                Node::Complex(inner) => count(inner, most - found),
                Node::Primitive(_, primitive) => {
                    primitive.extras().map_or(0, |extras| count(extras, most - found))
                }
            };
        }
    }
    found
}

/// Tells an error where none is told of its place yet.
fn one(run: &mut Run, value: &dyn Complex, error: &ValidationError<'_>, told: &mut HashSet<String>) {
    let root = value.type_info().name;
    let (mut steps, at) = locate(value, error.instance_path().as_str());
    let missing = missing(error);
    if let (Some(name), View::Complex(at)) = (missing.or_else(|| unexpected(error)), at)
        && let Some((_, field, _)) = view::field(at.type_info(), Key::new(name).name())
    {
        steps.push(Step::named(field.name, None));
    }
    let depth = steps.len();
    steps.into_iter().for_each(|step| run.place.push(step));
    if told.insert(run.place.expression()) {
        let (message, near) = words(error, at, missing);
        let rule = format!("schemas/{root}.json#{}", error.schema_path().as_str());
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

/// What a JSON pointer leads to, and the steps there.
fn locate<'a>(root: &'a dyn Complex, pointer: &str) -> (Vec<Step>, View<'a>) {
    let (mut steps, mut at) = (Vec::new(), View::Complex(root));
    let mut names = pointer.split('/').skip(1).peekable();
    while let Some(name) = names.next() {
        let View::Complex(value) = at else { break };
        let key = Key::new(name);
        let Some((index, field, _)) = view::field(value.type_info(), key.name()) else {
            break;
        };
        let Some(mut inner) = jsonschema::json::Object::get(&value, &key) else {
            break;
        };
        let position = names.peek().and_then(|next| next.parse().ok());
        match (inner.as_array(), position) {
            (Some(items), Some(position)) => {
                names.next();
                inner = items.at(position).unwrap_or(inner);
                steps.push(Step::to(value, index, field, position));
            }
            (Some(_), None) => steps.push(Step::named(field.name, None)),
            (None, _) => steps.push(Step::to(value, index, field, 0)),
        }
        at = inner;
    }
    (steps, at)
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
        (Some(number), _) => jsonschema::json::JsonNumber::as_str(&number).into_owned(),
        (_, Some(value)) => value.to_string(),
        _ => "the value".to_owned(),
    }
}

#[cfg(test)]
mod tests;
