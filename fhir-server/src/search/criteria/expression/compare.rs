//! What an operator of `_filter` means for a type of parameter (<https://hl7.org/fhir/R4/search_filter.html#ops>).
//!
//! `ne` is true where one value differs.

use std::borrow::Cow;

use fhir_model::definitions::SearchParamType as Kind;

use super::super::facet::Facet;
use super::super::{Scope, any_of, not, value};
use super::Operator;
use crate::error::{Error, ErrorCode, Result};
use crate::search::{malformed, text};
use crate::store::{Aspect, Criterion, Filter, ParameterNumber, Test, ValueKind};

/// Resources with a value that compares so.
pub(in super::super) fn compare(
    scope: &Scope<'_>,
    facet: &Facet<'_>,
    operator: Operator,
    text: &str,
) -> Result<Filter> {
    scope.spend(1, facet.code)?;
    match operator {
        Operator::Pr => {
            let present = value::present(facet);
            return Ok(if value::is_missing(facet.code, text)? {
                present
            } else {
                not(present)
            });
        }
        _ if text.trim().is_empty() => return Err(malformed(facet.code, text, "a value that is not empty")),
        _ => {}
    }
    match facet.kind {
        Kind::String => string(facet, operator, text),
        Kind::Token => token(scope, facet, operator, text),
        Kind::Reference => reference(scope, facet, operator, text),
        Kind::Uri => uri(scope, facet, operator, text),
        Kind::Date | Kind::Number | Kind::Quantity => ordered(scope, facet, operator, text),
        Kind::Composite | Kind::Special => match operator {
            Operator::Eq => value::filter(scope, facet, None, text),
            _ => Err(takes(facet, operator, "eq and pr")),
        },
    }
}

fn string(facet: &Facet<'_>, operator: Operator, value: &str) -> Result<Filter> {
    match operator {
        Operator::Eq => words(facet, facet.number, value, Test::Folded),
        Operator::Ne => Ok(differs(facet, words(facet, facet.number, value, Test::Folded)?)),
        Operator::Co => words(facet, facet.number, value, Test::Contains),
        Operator::Sw => words(facet, facet.number, value, Test::StartsWith),
        Operator::Ew => words(facet, facet.number, value, Test::EndsWith),
        _ => Err(takes(facet, operator, "eq, ne, co, sw, ew and pr")),
    }
}

fn token(scope: &Scope<'_>, facet: &Facet<'_>, operator: Operator, text: &str) -> Result<Filter> {
    let limit = scope.limits.codes;
    let text = &*with_system(text);
    match operator {
        Operator::Eq => equal(scope, facet, text),
        Operator::Ne => Ok(differs(facet, equal(scope, facet, text)?)),
        Operator::Co | Operator::Sw | Operator::Ew => beside(facet, operator, text),
        Operator::In => value::token::of_concepts(scope, facet, value::token::members(scope, facet, text)?),
        Operator::Ni => {
            let members =
                value::token::of_concepts(scope, facet, value::token::members(scope, facet, text)?)?;
            Ok(differs(facet, members))
        }
        Operator::Ss => {
            let (system, code) = value::token::one_concept(facet, text)?;
            value::token::of_concepts(scope, facet, scope.terminology.below(&system, &code, limit)?)
        }
        Operator::Sb => {
            let (system, code) = value::token::one_concept(facet, text)?;
            value::token::of_concepts(scope, facet, scope.terminology.above(&system, &code, limit)?)
        }
        _ => Err(takes(
            facet,
            operator,
            "eq, ne, co, sw, ew, in, ni, ss, sb and pr",
        )),
    }
}

/// The value with its system written out, where that is one of the names that `_filter` knows
/// (<https://hl7.org/fhir/R4/search_filter.html#values>).
fn with_system(text: &str) -> Cow<'_, str> {
    const NAMES: [(&str, &str); 4] = [
        ("loinc|", "http://loinc.org|"),
        ("snomed|", "http://snomed.info/sct|"),
        ("rxnorm|", "http://www.nlm.nih.gov/research/umls/rxnorm|"),
        ("ucum|", "http://unitsofmeasure.org|"),
    ];
    let named = NAMES
        .iter()
        .find_map(|(name, system)| Some((*system, text.strip_prefix(name)?)));
    named.map_or(Cow::Borrowed(text), |(system, code)| {
        Cow::Owned(format!("{system}{code}"))
    })
}

fn reference(scope: &Scope<'_>, facet: &Facet<'_>, operator: Operator, text: &str) -> Result<Filter> {
    match operator {
        Operator::Eq | Operator::Re => equal(scope, facet, text),
        Operator::Ne => Ok(differs(facet, equal(scope, facet, text)?)),
        Operator::Co | Operator::Sw | Operator::Ew => beside(facet, operator, text),
        _ => Err(takes(facet, operator, "eq, ne, re, co, sw, ew and pr")),
    }
}

fn uri(scope: &Scope<'_>, facet: &Facet<'_>, operator: Operator, text: &str) -> Result<Filter> {
    match operator {
        Operator::Eq | Operator::Re => equal(scope, facet, text),
        Operator::Ne => Ok(differs(facet, equal(scope, facet, text)?)),
        _ => Err(takes(facet, operator, "eq, ne, re and pr")),
    }
}

fn ordered(scope: &Scope<'_>, facet: &Facet<'_>, operator: Operator, text: &str) -> Result<Filter> {
    match (operator.compare(), operator) {
        (Some(compare), _) => {
            let any = value::alternatives(scope, facet, Some(compare), text)?;
            Ok(any_of(any.into_iter().map(Filter::Has).collect()))
        }
        (None, Operator::Po) if facet.kind == Kind::Date => {
            Ok(Filter::Has(value::overlapping(scope, facet, text.trim())?))
        }
        (None, _) => Err(takes(
            facet,
            operator,
            match facet.kind {
                Kind::Date => "eq, ne, gt, lt, ge, le, sa, eb, ap, po and pr",
                _ => "eq, ne, gt, lt, ge, le, sa, eb, ap and pr",
            },
        )),
    }
}

fn equal(scope: &Scope<'_>, facet: &Facet<'_>, text: &str) -> Result<Filter> {
    let any = value::alternatives(scope, facet, None, text)?;
    Ok(any_of(any.into_iter().map(Filter::Has).collect()))
}

/// There is a value that is not one of those.
fn differs(facet: &Facet<'_>, equal: Filter) -> Filter {
    let mut tests = Vec::new();
    tests_of(equal, &mut tests);
    let has = |parameter, test| Filter::Has(Criterion { parameter, test });
    let other = has(facet.number, Test::NoneOf(tests));
    if facet.kind != Kind::Reference {
        return other;
    }
    // A reference that nothing but an identifier tells of is to something else.
    let logical = has(
        facet.number.of(Aspect::Identifier),
        Test::Exists(ValueKind::Token),
    );
    let literal = facet
        .rows
        .iter()
        .map(|kind| has(facet.number, Test::Exists(*kind)));
    any_of(vec![other, logical.and(not(any_of(literal.collect())))])
}

fn tests_of(equal: Filter, tests: &mut Vec<Test>) {
    match equal {
        Filter::Has(criterion) => tests.push(criterion.test),
        Filter::Or(any) => any.into_iter().for_each(|one| tests_of(one, tests)),
        // None at all: every value differs.
        _ => {}
    }
}

/// The words beside a code or a reference.
fn beside(facet: &Facet<'_>, operator: Operator, text: &str) -> Result<Filter> {
    let test = match operator {
        Operator::Co => Test::Contains,
        Operator::Sw => Test::StartsWith,
        _ => Test::EndsWith,
    };
    words(facet, facet.number.of(Aspect::Text), text, test)
}

fn words(
    facet: &Facet<'_>,
    parameter: ParameterNumber,
    value: &str,
    test: fn(String) -> Test,
) -> Result<Filter> {
    let folded = text::fold(value);
    if folded.is_empty() {
        return Err(malformed(
            facet.code,
            value,
            "text with a letter, digit or sign that can be seen",
        ));
    }
    Ok(Filter::Has(Criterion {
        parameter,
        test: test(folded),
    }))
}

fn takes(facet: &Facet<'_>, operator: Operator, takes: &str) -> Error {
    does_not_compare(
        facet.code,
        operator,
        &format!("{takes}, being of type {}", facet.kind.code()),
    )
}

/// The error of an operator that the parameter's type does not have.
pub(in super::super) fn does_not_compare(code: &str, operator: Operator, takes: &str) -> Error {
    let text = format!("In _filter, {code} takes {takes}; not {}.", operator.name());
    Error::new(ErrorCode::Value, text).at("http._filter")
}
