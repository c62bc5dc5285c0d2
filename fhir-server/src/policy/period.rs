//! Periods against the time of a request.
//!
//! Invariant: a period that cannot be read is told apart from one that has passed: the caller decides what is safe.

use fhir_model::Period;
use fhir_model::primitive::Primitive;
use jiff::tz::TimeZone;

use crate::context::Millis;
use crate::search::span;

/// The first and last millisecond of a period, open where nothing is said; `None` where a date of it has no value.
pub(crate) fn span_of(period: &Period, zone: &TimeZone) -> Option<(i64, i64)> {
    let of = |at: &Primitive<fhir_model::DateTime>, open: i64, end: bool| match (&at.value, at.is_absent()) {
        (None, true) => Some(open),
        (None, false) => None,
        (Some(at), _) => {
            let (first, last) = span::of_parts(&at.parts(), zone)?;
            Some(if end { last } else { first })
        }
    };
    Some((
        of(&period.start, span::OPEN_START, false)?,
        of(&period.end, span::OPEN_END, true)?,
    ))
}

/// Whether the time lies in the period; without a period it does.
pub(crate) fn holds(period: Option<&Period>, now: Millis, zone: &TimeZone) -> Option<bool> {
    match period {
        None => Some(true),
        Some(period) => span_of(period, zone).map(|(first, last)| (first..=last).contains(&now.0)),
    }
}
