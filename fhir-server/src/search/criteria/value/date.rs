//! Values of type date (<https://hl7.org/fhir/R4/search.html#date>): the span that a date leaves open against that of the resource.

use super::super::Scope;
use super::super::facet::Facet;
use super::prefix;
use crate::error::Result;
use crate::search::{malformed, span};
use crate::store::{Compare, Criterion, Test};

/// Compares with a span of time.
pub(super) fn compared(
    scope: &Scope<'_>,
    facet: &Facet<'_>,
    compare: Option<Compare>,
    value: &str,
) -> Result<Criterion> {
    let (compare, text) = compare.map_or_else(|| prefix::split(value), |compare| (compare, value));
    let (first, last) = span::of_date_text(text, scope.zone)
        .map_err(|expected| malformed(facet.code, value, &format!("{expected}, {}", prefix::EXPECTED)))?;
    let (first, last) = match compare {
        Compare::Ap => about(first, last, scope.now.0),
        _ => (first, last),
    };
    Ok(Criterion {
        parameter: facet.number,
        test: Test::Date(compare, first, last),
    })
}

/// The span, wider on both sides by a tenth of its distance from now.
fn about(first: i64, last: i64, now: i64) -> (i64, i64) {
    let distance = first.abs_diff(now).max(last.abs_diff(now));
    let slack = i64::try_from(distance / 10).unwrap_or(i64::MAX);
    (first.saturating_sub(slack), last.saturating_add(slack))
}

/// Overlaps with a span of time, as `po` of `_filter` asks.
pub(in super::super) fn overlapping(scope: &Scope<'_>, facet: &Facet<'_>, value: &str) -> Result<Criterion> {
    let (first, last) = span::of_date_text(value, scope.zone)
        .map_err(|expected| malformed(facet.code, value, &expected.to_string()))?;
    Ok(Criterion {
        parameter: facet.number,
        test: Test::Date(Compare::Ap, first, last),
    })
}
