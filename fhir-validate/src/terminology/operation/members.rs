//! The codes of a compiled value set, one by one (<https://hl7.org/fhir/R4/valueset.html#expansion>).
//!
//! Invariant: no more than [`MAX_QUESTIONS`] questions are asked about codes, whatever the value set says.

use std::collections::HashSet;

use crate::terminology::canonical;
use crate::terminology::code_system::Content;
use crate::terminology::issue::{Cause, Issue, Refusal, no_code_system, no_value_set};
use crate::terminology::set::{Clause, Compiled, Gap, Hit, Import, Key, Selection, Source, Verdict};

/// Questions for one expansion: each code that is looked at, each clause that it is held against.
const MAX_QUESTIONS: usize = 20_000_000;

/// All codes of the value set, in the order of its rules, without repeats.
///
/// # Errors
/// They cannot be known from what is held, or are too many.
pub(super) fn of(compiled: &Compiled) -> Result<Vec<Hit<'_>>, Refusal> {
    let mut budget = MAX_QUESTIONS;
    members(compiled, &mut budget)
}

fn members<'a>(compiled: &'a Compiled, budget: &mut usize) -> Result<Vec<Hit<'a>>, Refusal> {
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    for clause in &compiled.include {
        for hit in candidates(clause, compiled.exclude_weight(), budget)? {
            let Some(code) = hit.code() else { continue };
            if compiled.inactive == Some(false) && hit.is_inactive() {
                continue;
            }
            let key = Key {
                system: hit.source.url(),
                version: hit.source.version(),
                code,
            };
            if is_kept(compiled, clause, key)?
                && seen.insert((hit.source.url(), hit.source.version(), code_of(&hit)))
            {
                found.push(hit);
            }
        }
    }
    Ok(found)
}

/// The code for as long as the value set lives.
fn code_of<'a>(hit: &Hit<'a>) -> Option<&'a str> {
    match (hit.source.held(), hit.concept, hit.listed) {
        (Some(system), Some(index), _) => Some(system.code(index)),
        (_, _, Some(listed)) => Some(&listed.code),
        _ => None,
    }
}

/// The codes that a clause picks, before its imports are asked.
fn candidates<'a>(clause: &'a Clause, excludes: usize, budget: &mut usize) -> Result<Vec<Hit<'a>>, Refusal> {
    let Some(source) = &clause.system else {
        return match clause.imports.first() {
            Some(Import::Held(compiled)) => {
                let found = members(compiled, budget)?;
                charge(found.len(), clause, excludes, budget)?;
                Ok(found)
            }
            Some(Import::NotHeld(url)) => Err(gap(&Gap::ValueSet(url.clone()))),
            None => Ok(Vec::new()),
        };
    };
    let hit = |concept, listed, picked| Hit {
        source,
        concept,
        listed,
        picked,
        pinned: clause.pinned,
    };
    let found: Vec<Hit<'a>> = match (&clause.selection, source) {
        (Selection::Undecided(reason), _) => return Err(gap(&Gap::Filter(reason.clone()))),
        (Selection::Listed(listing), _) => {
            let complete = source.held().is_some_and(|s| s.head.content == Content::Complete);
            let items = listing.items.iter().filter(|l| l.concept.is_some() || !complete);
            items.map(|l| hit(l.concept, Some(l), true)).collect()
        }
        (Selection::All, Source::Held(system)) => {
            (0..system.len()).map(|i| hit(Some(i), None, false)).collect()
        }
        (Selection::Filtered(bits), Source::Held(_)) => {
            bits.iter().map(|i| hit(Some(i), None, true)).collect()
        }
        (_, Source::Missing { url, version }) => {
            return Err(gap(&Gap::CodeSystem {
                url: url.clone(),
                version: version.clone(),
            }));
        }
        (_, Source::Rule(rule)) => {
            return Err(too_costly(format!(
                "The codes of {} are made by rules and without end, so that they cannot be listed",
                rule.url()
            )));
        }
    };
    charge(found.len(), clause, excludes, budget)?;
    Ok(found)
}

/// Takes from the budget what it costs to hold that many codes against the imports of their clause, and the excludes.
fn charge(codes: usize, clause: &Clause, excludes: usize, budget: &mut usize) -> Result<(), Refusal> {
    let imports = clause.imports.iter().map(|import| match import {
        Import::Held(other) => other.weight,
        Import::NotHeld(_) => 1,
    });
    let each = 1 + excludes + imports.sum::<usize>();
    let questions = codes.saturating_mul(each);
    *budget = budget.checked_sub(questions).ok_or_else(|| {
        too_costly("The value set has too many codes, or too many rules, to be listed".to_owned())
    })?;
    Ok(())
}

/// Whether all imports of the clause have the code, and no exclude.
fn is_kept(compiled: &Compiled, clause: &Clause, key: Key<'_>) -> Result<bool, Refusal> {
    for import in &clause.imports {
        let verdict = match import {
            Import::Held(other) => other.verdict(key),
            Import::NotHeld(url) => Verdict::Unknown(Gap::ValueSet(url.clone())),
        };
        match verdict {
            Verdict::In(_) => {}
            Verdict::Out => return Ok(false),
            Verdict::Unknown(missing) => return Err(gap(&missing)),
        }
    }
    match compiled.excluded(key) {
        Verdict::In(_) => Ok(false),
        Verdict::Out => Ok(true),
        Verdict::Unknown(missing) => Err(gap(&missing)),
    }
}

/// What is missing, as a reason that there is no expansion.
fn gap(gap: &Gap) -> Refusal {
    match gap {
        Gap::ValueSet(url) => Refusal::new(Cause::NotFound, no_value_set(url)),
        Gap::CodeSystem { url, version } => {
            let text = format!(
                "A definition for CodeSystem '{}' could not be found, so the value set cannot be expanded",
                canonical::join(url, version.as_deref())
            );
            let issue = Issue::error("not-found", "not-found", "UNKNOWN_CODESYSTEM_EXP", text);
            Refusal::new(Cause::NotFound, issue)
        }
        Gap::Fragment(system) => Refusal::new(
            Cause::Unprocessable,
            no_code_system(&system.head.url, system.head.version.as_deref(), &[]),
        ),
        Gap::Filter(reason) => {
            let issue = Issue::error("processing", "vs-invalid", "VALUESET_FILTER", reason.clone());
            Refusal::new(Cause::Unprocessable, issue)
        }
    }
}

pub(super) fn too_costly(text: String) -> Refusal {
    let issue = Issue::error("too-costly", "too-costly", "VALUESET_TOO_COSTLY", text);
    Refusal::new(Cause::TooCostly, issue)
}
