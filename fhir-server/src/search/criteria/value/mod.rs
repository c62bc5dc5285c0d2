//! Values of parameters, by type (<https://hl7.org/fhir/R4/search.html#ptypes>), one file a type.

mod composite;
mod date;
mod near;
pub(super) mod number;
mod prefix;
mod quantity;
mod reference;
mod string;
pub(super) mod token;
mod uri;

pub(super) use date::overlapping;

use fhir_model::definitions::SearchParamType as Kind;

use super::facet::Facet;
use super::modifier::Modifier;
use super::{Scope, any_of, escape, not, too_costly};
use crate::error::{Error, Result};
use crate::search::malformed;
use crate::store::{Aspect, Compare, Criterion, Filter, Test, ValueKind};

/// Resources with a value that is one of those with commas between.
pub(super) fn filter(
    scope: &Scope<'_>,
    facet: &Facet<'_>,
    modifier: Option<Modifier>,
    text: &str,
) -> Result<Filter> {
    if modifier == Some(Modifier::Missing) {
        let present = present(facet);
        return Ok(if is_missing(facet.code, text)? {
            not(present)
        } else {
            present
        });
    }
    let values = escape::split(text, ',');
    scope.check_values(values.len(), facet.code)?;
    if values.iter().any(|v| v.trim().is_empty()) {
        return Err(malformed(
            facet.code,
            text,
            "a value on each side of a comma (a comma within a value as \\,)",
        ));
    }
    let any = match facet.kind {
        Kind::Token => token::filter(scope, facet, modifier, &values)?,
        Kind::Composite => composite::filter(scope, facet, &values)?,
        _ => {
            let mut any = Vec::with_capacity(values.len());
            for value in values {
                let criteria = match modifier {
                    None => alternatives(scope, facet, None, value)?,
                    Some(modifier) => modified(facet, scope, modifier, value)?,
                };
                any.extend(criteria.into_iter().map(Filter::Has));
            }
            any_of(any)
        }
    };
    Ok(match modifier {
        Some(Modifier::Not | Modifier::NotIn) => not(any),
        _ => any,
    })
}

/// The tests of one value, any of which suffices. `compare` goes before a prefix in the value, which is then none.
pub(super) fn alternatives(
    scope: &Scope<'_>,
    facet: &Facet<'_>,
    compare: Option<Compare>,
    value: &str,
) -> Result<Vec<Criterion>> {
    scope.spend(1, facet.code)?;
    let trimmed = value.trim();
    match facet.kind {
        Kind::String => Ok(vec![string::starts_with(facet, value)?]),
        Kind::Token => token::alternatives(facet, trimmed),
        Kind::Reference => reference::alternatives(scope, facet, None, trimmed),
        Kind::Uri => Ok(vec![uri::equal(facet, trimmed)]),
        Kind::Date => Ok(vec![date::compared(scope, facet, compare, trimmed)?]),
        Kind::Number => Ok(vec![number::compared(facet, compare, trimmed)?]),
        Kind::Quantity => Ok(vec![quantity::compared(facet, compare, trimmed)?]),
        Kind::Special if facet.has_rows(ValueKind::Position) => Ok(vec![near::within(facet, trimmed)?]),
        // A composite within a composite, which R4 does not have; specials without rows are not offered.
        Kind::Composite | Kind::Special => {
            Err(Error::internal("a parameter that no value can be compared with"))
        }
    }
}

fn modified(facet: &Facet<'_>, scope: &Scope<'_>, modifier: Modifier, value: &str) -> Result<Vec<Criterion>> {
    scope.spend(1, facet.code)?;
    match modifier {
        Modifier::Exact => Ok(vec![string::exact(facet, value)]),
        Modifier::Contains => Ok(vec![string::contains(facet, value)?]),
        Modifier::Text => Ok(vec![string::text_of(facet, value)?]),
        Modifier::Identifier => token::identifier(facet, value.trim()),
        Modifier::Type(named) => reference::alternatives(scope, facet, Some(named), value.trim()),
        Modifier::Below => Ok(vec![uri::below(facet, value.trim())]),
        Modifier::Above => Ok(vec![uri::above(facet, value.trim())?]),
        Modifier::Missing | Modifier::Not | Modifier::In | Modifier::NotIn | Modifier::OfType => {
            Err(Error::internal("a modifier of another type of parameter"))
        }
    }
}

/// Resources with any value.
pub(super) fn present(facet: &Facet<'_>) -> Filter {
    let has = |parameter, kind| {
        Filter::Has(Criterion {
            parameter,
            test: Test::Exists(kind),
        })
    };
    let mut any: Vec<Filter> = facet.rows.iter().map(|kind| has(facet.number, *kind)).collect();
    if facet.kind == Kind::Reference {
        any.push(has(facet.number.of(Aspect::Identifier), ValueKind::Token));
    }
    any_of(any)
}

/// `true` or `false`.
pub(super) fn is_missing(code: &str, text: &str) -> Result<bool> {
    match text.trim() {
        "true" => Ok(true),
        "false" => Ok(false),
        other => Err(malformed(code, other, "true or false")),
    }
}

impl Scope<'_> {
    /// Refuses more values with commas between than the limit.
    pub(super) fn check_values(&self, values: usize, code: &str) -> Result<()> {
        match values <= self.limits.values {
            true => Ok(()),
            false => Err(too_costly(
                code,
                format!(
                    "The parameter {code} has {values} values; the limit is {}: search in several steps.",
                    self.limits.values
                ),
            )),
        }
    }
}
