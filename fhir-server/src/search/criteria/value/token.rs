//! Values of type token (<https://hl7.org/fhir/R4/search.html#token>): `code`, `system|code`, `|code` and `system|`.

use super::super::facet::Facet;
use super::super::modifier::Modifier;
use super::super::{Scope, any_of, escape};
use super::string;
use crate::error::{Error, ErrorCode, Result};
use crate::search::terminology::Concept;
use crate::search::{case, malformed};
use crate::store::{Aspect, Criterion, Filter, ParameterNumber, SystemTest, Test};

/// Resources with one of the values. Codes of one system make one test.
pub(super) fn filter(
    scope: &Scope<'_>,
    facet: &Facet<'_>,
    modifier: Option<Modifier>,
    values: &[&str],
) -> Result<Filter> {
    if modifier == Some(Modifier::Text) {
        scope.spend(values.len(), facet.code)?;
        let each = values
            .iter()
            .map(|value| string::text_of(facet, value).map(Filter::Has));
        return Ok(any_of(each.collect::<Result<_>>()?));
    }
    let mut tests = Tests::default();
    for value in values {
        let value = value.trim();
        scope.spend(1, facet.code)?;
        match modifier {
            Some(Modifier::In | Modifier::NotIn) => {
                let members = members(scope, facet, &escape::plain(value))?;
                tests.add_concepts(scope, facet, members)?;
            }
            Some(Modifier::Below) => {
                let (system, code) = concept(facet, value)?;
                let below = scope.terminology.below(&system, &code, scope.limits.codes);
                tests.add_concepts(scope, facet, below.map_err(|e| at(e, facet))?)?;
            }
            Some(Modifier::Above) => {
                let (system, code) = concept(facet, value)?;
                let above = scope.terminology.above(&system, &code, scope.limits.codes);
                tests.add_concepts(scope, facet, above.map_err(|e| at(e, facet))?)?;
            }
            Some(Modifier::OfType) => tests.add(of_type(facet, value)?),
            _ => tests.add(read(facet, value)?),
        }
    }
    let number = match modifier {
        Some(Modifier::OfType) => facet.number.of(Aspect::OfType),
        _ => facet.number,
    };
    Ok(any_of(tests.criteria(number).map(Filter::Has).collect()))
}

/// The codes of a value set: by its canonical URL, else as a resource of this server.
pub(in super::super) fn members(
    scope: &Scope<'_>,
    facet: &Facet<'_>,
    value_set: &str,
) -> Result<Vec<Concept>> {
    let found = scope.terminology.members(value_set, scope.limits.codes);
    let below = |base: &String| value_set.strip_prefix(base)?.strip_prefix('/');
    let found = match (found, scope.bases.iter().find_map(below)) {
        (Err(error), Some(own)) if error.code != ErrorCode::TooCostly => scope
            .terminology
            .members(own, scope.limits.codes)
            .map_err(|_| error),
        (found, _) => found,
    };
    found.map_err(|error| at(error, facet))
}

/// The error at the parameter.
fn at(error: Error, facet: &Facet<'_>) -> Error {
    error.at(format!("http.{}", facet.code))
}

/// The tests of one value.
pub(super) fn alternatives(facet: &Facet<'_>, value: &str) -> Result<Vec<Criterion>> {
    let mut tests = Tests::default();
    tests.add(read(facet, value)?);
    Ok(tests.criteria(facet.number).collect())
}

/// `:identifier` of a reference: a token of the identifier in it.
pub(super) fn identifier(facet: &Facet<'_>, value: &str) -> Result<Vec<Criterion>> {
    let mut tests = Tests::default();
    tests.add(read(facet, value)?);
    Ok(tests.criteria(facet.number.of(Aspect::Identifier)).collect())
}

/// A system, and spellings of a code of it.
type Token = (SystemTest, Option<Vec<String>>);

/// Tests of one parameter, by system.
#[derive(Default)]
pub(in super::super) struct Tests(Vec<Token>);

impl Tests {
    fn add(&mut self, (system, code): Token) {
        match (self.0.iter_mut().find(|(s, _)| *s == system), code) {
            (Some((_, Some(codes))), Some(code)) => {
                codes.extend(code);
                codes.sort_unstable();
                codes.dedup();
            }
            // Any code of the system has been asked for.
            (Some((_, all)), None) => *all = None,
            (Some((_, None)), Some(_)) => {}
            (None, code) => self.0.push((system, code)),
        }
    }

    fn add_concepts(
        &mut self,
        scope: &Scope<'_>,
        facet: &Facet<'_>,
        mut concepts: Vec<Concept>,
    ) -> Result<()> {
        scope.spend(concepts.len(), facet.code)?;
        concepts.sort_unstable();
        concepts.dedup();
        for same_system in concepts.chunk_by(|a, b| a.system == b.system) {
            let codes = same_system
                .iter()
                .map(|c| case::spelling(c.system.as_deref(), &c.code).into_owned());
            // A code without a system, and one of a code element whose system nobody writes, are found by the code alone.
            let system = same_system.first().and_then(|c| c.system.clone());
            let system = system.map_or(SystemTest::Any, SystemTest::Is);
            self.add((system, Some(codes.collect())));
        }
        Ok(())
    }

    fn criteria(self, parameter: ParameterNumber) -> impl Iterator<Item = Criterion> {
        let test = move |(system, code)| Criterion {
            parameter,
            test: Test::Token { system, code },
        };
        self.0.into_iter().map(test)
    }
}

fn read(facet: &Facet<'_>, value: &str) -> Result<Token> {
    let no = || {
        let expected = "code, system|code, |code or system| (a bar within a code as \\|)";
        malformed(facet.code, value, expected)
    };
    let parts = escape::split(value, '|');
    let (system, code) = match parts.as_slice() {
        [code] => (SystemTest::Any, escape::plain(code)),
        ["", code] if !code.is_empty() => (SystemTest::Absent, escape::plain(code)),
        [system, ""] if !system.is_empty() => return Ok((SystemTest::Is(escape::plain(system)), None)),
        [system, code] if !system.is_empty() => (SystemTest::Is(escape::plain(system)), escape::plain(code)),
        _ => return Err(no()),
    };
    let spellings = spellings(&system, code);
    Ok((system, Some(spellings)))
}

/// A code as the index may have it: where its system is not known, both as asked and in lower case.
fn spellings(system: &SystemTest, code: String) -> Vec<String> {
    let lower = match system {
        SystemTest::Is(url) => return vec![case::spelling(Some(url), &code).into_owned()],
        SystemTest::Any | SystemTest::Absent => case::lower(&code).into_owned(),
    };
    if lower == code {
        vec![code]
    } else {
        vec![lower, code]
    }
}

/// `:of-type`: `system|code|value`.
fn of_type(facet: &Facet<'_>, value: &str) -> Result<Token> {
    match escape::split(value, '|').as_slice() {
        [system, code, value] if ![system, code, value].iter().any(|part| part.is_empty()) => {
            let system = escape::plain(system);
            let code = of_type_code(&system, &escape::plain(code), &escape::plain(value));
            Ok((SystemTest::Is(system), Some(vec![code])))
        }
        _ => {
            let expected = "system|code|value: system and code of the identifier's type, and its value";
            Err(malformed(facet.code, value, expected))
        }
    }
}

/// The code of a row of the aspect `OfType`: the type's code, a bar, the value.
fn of_type_code(system: &str, code: &str, value: &str) -> String {
    format!("{}|{}", case::spelling(Some(system), code), case::lower(value))
}

/// `system|code` of one concept.
fn concept(facet: &Facet<'_>, value: &str) -> Result<(String, String)> {
    match escape::split(value, '|').as_slice() {
        [system, code] if !system.is_empty() && !code.is_empty() => {
            Ok((escape::plain(system), escape::plain(code)))
        }
        _ => Err(malformed(
            facet.code,
            value,
            "system|code of the concept to start from",
        )),
    }
}

/// Resources with a code that the terminology lists, for `_filter`.
pub(in super::super) fn of_concepts(
    scope: &Scope<'_>,
    facet: &Facet<'_>,
    concepts: Vec<Concept>,
) -> Result<Filter> {
    let mut tests = Tests::default();
    tests.add_concepts(scope, facet, concepts)?;
    Ok(any_of(tests.criteria(facet.number).map(Filter::Has).collect()))
}

/// System and code of a value of `_filter`.
pub(in super::super) fn one_concept(facet: &Facet<'_>, value: &str) -> Result<(String, String)> {
    concept(facet, value)
}
