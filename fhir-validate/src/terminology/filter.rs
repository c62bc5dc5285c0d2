//! The filters of a value set, over the concepts that are held (<https://hl7.org/fhir/R4/valueset.html#filters>).
//!
//! Invariant: a regular expression takes linear time and bounded memory; a hierarchy that runs in circles ends.

use regex::{Regex, RegexBuilder};

use super::bits::Bits;
use super::code_system::CodeSystem;
use super::expression;

/// The largest compiled regular expression, in bytes.
const MAX_COMPILED: usize = 1 << 20;

/// A filter as a value set states it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Filter {
    pub(super) property: String,
    pub(super) op: String,
    pub(super) value: String,
}

/// Which concepts a filter takes.
///
/// # Errors
/// What is wrong with the filter, in words.
pub(super) fn apply(system: &CodeSystem, filter: &Filter) -> Result<Bits, String> {
    let Filter { property, op, value } = filter;
    let len = system.len();
    // R4 says `concept`; value sets say `code` for the same.
    let of_code = matches!(property.as_str(), "concept" | "code");
    Ok(match op.as_str() {
        "is-a" if of_code => below(system, value, true),
        "descendent-of" if of_code => below(system, value, false),
        "is-not-a" if of_code => below(system, value, true).complement(),
        "child-of" if of_code => {
            let children = system.find(value).map_or(&[][..], |i| system.children(i));
            Bits::of(len, |i| children.contains(&i))
        }
        "descendent-leaf" if of_code => {
            let mut leaves = below(system, value, false);
            leaves.intersect(&Bits::of(len, |i| system.children(i).is_empty()));
            leaves
        }
        "generalizes" if of_code => walk(system, &only(system, value), true, |i| system.parents(i)),
        "=" if is_constraint(system, property) => expression::apply(system, value)?,
        "=" => matching(system, property, |text| text == value),
        "in" => {
            let wanted: Vec<&str> = value.split(',').map(str::trim).collect();
            matching(system, property, |text| wanted.contains(&text))
        }
        "not-in" => {
            let refused: Vec<&str> = value.split(',').map(str::trim).collect();
            matching(system, property, |text| refused.contains(&text)).complement()
        }
        "regex" => {
            let regex = compile(value)?;
            matching(system, property, |text| regex.is_match(text))
        }
        "exists" => {
            let there = matching(system, property, |_| true);
            match value.as_str() {
                "true" => there,
                "false" => there.complement(),
                other => return Err(format!("exists takes true or false, not '{other}'")),
            }
        }
        other => {
            return Err(format!(
                "the filter operator '{other}' cannot be used with the property '{property}'"
            ));
        }
    })
}

/// A whole-text regular expression.
fn compile(pattern: &str) -> Result<Regex, String> {
    RegexBuilder::new(&format!(r"\A(?:{pattern})\z"))
        .size_limit(MAX_COMPILED)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => format!("the regular expression '{pattern}' is too large"),
            other => format!("'{pattern}' is not a regular expression that can be used: {other}"),
        })
}

/// The concepts below one, itself too or not.
fn below(system: &CodeSystem, code: &str, itself: bool) -> Bits {
    walk(system, &only(system, code), itself, |i| system.children(i))
}

/// The concept of that code, if there is one.
fn only(system: &CodeSystem, code: &str) -> Bits {
    let mut only = Bits::none(system.len());
    if let Some(index) = system.find(code) {
        only.add(index);
    }
    only
}

/// Whether the property stands for an expression constraint (<https://hl7.org/fhir/R4/snomedct.html#filters>).
fn is_constraint(system: &CodeSystem, property: &str) -> bool {
    system.head.url == "http://snomed.info/sct" && matches!(property, "constraint" | "expression")
}

/// All that is reached from some concepts, step by step, those themselves too or not.
pub(super) fn walk<'s>(
    system: &'s CodeSystem,
    from: &Bits,
    itself: bool,
    next: impl Fn(u32) -> &'s [u32],
) -> Bits {
    let mut found = if itself {
        from.clone()
    } else {
        Bits::none(system.len())
    };
    let mut open: Vec<u32> = from.iter().flat_map(|i| next(i).to_vec()).collect();
    while let Some(index) = open.pop() {
        if found.add(index) {
            open.extend_from_slice(next(index));
        }
    }
    found
}

/// The concepts that have a value of the property which is as wanted.
fn matching(system: &CodeSystem, property: &str, wanted: impl Fn(&str) -> bool) -> Bits {
    let codes = |indexes: &[u32]| indexes.iter().any(|i| wanted(system.code(*i)));
    Bits::of(system.len(), |i| match property {
        "concept" | "code" => wanted(system.code(i)),
        "display" => system.display(i).is_some_and(&wanted),
        "definition" => system.definition(i).is_some_and(&wanted),
        "parent" => codes(system.parents(i)),
        "child" => codes(system.children(i)),
        "inactive" if !system.values(i).any(|(p, _)| p == "inactive") => {
            wanted(if system.is_inactive(i) { "true" } else { "false" })
        }
        _ => system
            .values(i)
            .any(|(p, value)| p == property && wanted(&value.text())),
    })
}
