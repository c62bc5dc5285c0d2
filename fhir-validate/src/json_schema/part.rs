//! The parts of the published schemas, each compiled by itself: what a part refers to is left to the part of that type, which is
//! asked of the value there. A list of codes belongs to the part that refers to it.
//!
//! Invariant: a part is compiled when a value of its type first comes, once in a process.

use std::collections::HashMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use fhir_model::reflect::PrimitiveType;
use jsonschema::{PatternOptions, Validator};

use super::view::Reflected;
use crate::schema::Json;
use crate::schema::published::{self, part, reference};

/// The schema of a part, once it is compiled, or why it cannot be.
#[derive(Default)]
struct Compiled {
    validator: OnceLock<Result<Validator<Reflected>, String>>,
    times: AtomicUsize,
}

/// The schema of a type or primitive type, for one value: what is in it is asked by itself.
pub(super) fn of_type(name: &str) -> Result<&'static Validator<Reflected>, &'static str> {
    let compiled = compiled(name)?.ok_or("the document has no such type")?;
    let made = compiled.validator.get_or_init(|| {
        compiled.times.fetch_add(1, Ordering::Relaxed);
        compile(name)
    });
    made.as_ref().map_err(String::as_str)
}

fn compiled(name: &str) -> Result<Option<&'static Compiled>, &'static str> {
    static PARTS: OnceLock<Result<HashMap<&'static str, Compiled>, String>> = OnceLock::new();
    let all = || {
        let names = published::names().map_err(|e| e.to_string())?;
        Ok(names.map(|name| (name, Compiled::default())).collect())
    };
    match PARTS.get_or_init(all) {
        Ok(parts) => Ok(parts.get(name)),
        Err(reason) => Err(reason),
    }
}

/// How often the schema of a type was compiled.
#[cfg(test)]
pub(super) fn times_compiled(name: &str) -> usize {
    let compiled = compiled(name).unwrap();
    compiled.map_or(0, |compiled| compiled.times.load(Ordering::Relaxed))
}

/// Patterns run in linear time.
fn compile(name: &str) -> Result<Validator<Reflected>, String> {
    let schema = alone(name).map_err(|e| e.to_string())?;
    let schema = serde_json::to_value(schema).map_err(|e| e.to_string())?;
    jsonschema::options_for::<Reflected>()
        .with_pattern_options(PatternOptions::regex())
        .build(&schema)
        .map_err(|e| e.to_string())
}

/// The part with the codes that it refers to, and without what it refers to else.
pub(super) fn alone(name: &str) -> Result<Json, serde_json::Error> {
    let mut schema = part(name)?;
    let mut codes = Vec::new();
    cut(&mut schema, &mut codes)?;
    if !codes.is_empty() {
        schema.set("$defs", Json::Object(codes));
    }
    Ok(schema)
}

fn cut(json: &mut Json, codes: &mut Vec<(String, Json)>) -> Result<(), serde_json::Error> {
    if let Some(name) = reference(json).map(str::to_owned) {
        if !is_codes(&name) {
            *json = Json::Bool(true);
        } else if codes.iter().all(|(known, _)| *known != name) {
            codes.push((name.clone(), part(&name)?));
        }
        return Ok(());
    }
    match json {
        Json::Array(items) => items.iter_mut().try_for_each(|item| cut(item, codes)),
        Json::Object(members) => members.iter_mut().try_for_each(|(_, inner)| cut(inner, codes)),
        _ => Ok(()),
    }
}

/// Whether the part of that name is a list of codes: what is left besides types and what takes any resource.
fn is_codes(name: &str) -> bool {
    name != published::ANY
        && PrimitiveType::from_name(name).is_none()
        && fhir_model::type_info(name).is_none()
}
