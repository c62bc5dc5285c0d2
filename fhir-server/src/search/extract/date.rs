//! Rows of date parameters (<https://hl7.org/fhir/R4/search.html#date>): the span of a date, of a period, and of a timing from its first
//! moment to its last.

use fhir_model::date::Parts;
use fhir_model::path::Value;
use fhir_model::primitive::Scalar;
use fhir_model::reflect::{Complex, Node};
use fhir_model::{Period, Timing, TimingRepeatBounds};
use jiff::tz::TimeZone;

use super::rows::{Rows, TooMany};
use crate::search::span;
use crate::store::IndexValue;

pub(super) fn rows(value: &Value<'_>, rows: &mut Rows<'_>) -> Result<(), TooMany> {
    let zone = rows.zone();
    let found = match value {
        Value::Node(Node::Primitive(_, primitive)) => primitive
            .scalar()
            .and_then(parts)
            .and_then(|parts| span::of_parts(&parts, zone)),
        Value::Node(Node::Complex(complex)) => of_complex(*complex, zone),
        Value::Date(date) => span::of_parts(&date.parts(), zone),
        Value::DateTime(at) => span::of_parts(&at.parts(), zone),
        _ => None,
    };
    match found {
        Some((first, last)) => rows.push(IndexValue::Date { first, last }),
        None => Ok(()),
    }
}

fn parts(scalar: Scalar<'_>) -> Option<Parts> {
    match scalar {
        Scalar::Date(date) => Some(date.parts()),
        Scalar::DateTime(at) => Some(at.parts()),
        Scalar::Instant(at) => Some(at.parts()),
        _ => None,
    }
}

fn of_complex(complex: &dyn Complex, zone: &TimeZone) -> Option<(i64, i64)> {
    let any = complex.as_any();
    any.downcast_ref()
        .map(|period| of_period(period, zone))
        .or_else(|| any.downcast_ref().map(|timing| of_timing(timing, zone)))?
}

/// From the start's first moment to the end's last; what is not said is open. A period that says neither says nothing.
fn of_period(period: &Period, zone: &TimeZone) -> Option<(i64, i64)> {
    let of = |at: &fhir_model::Primitive<fhir_model::DateTime>| {
        let at = at.value.as_ref()?;
        span::of_parts(&at.parts(), zone)
    };
    match (of(&period.start), of(&period.end)) {
        (None, None) => None,
        (start, end) => Some((
            start.map_or(span::OPEN_START, |s| s.0),
            end.map_or(span::OPEN_END, |e| e.1),
        )),
    }
}

/// The events and the bounds of the repetition together. Repetitions without bounds in time say nothing of when.
fn of_timing(timing: &Timing, zone: &TimeZone) -> Option<(i64, i64)> {
    let events = timing.event.iter().filter_map(|event| {
        let at = event.value.as_ref()?;
        span::of_parts(&at.parts(), zone)
    });
    let bounds = match timing.repeat.as_ref().and_then(|repeat| repeat.bounds.as_ref()) {
        Some(TimingRepeatBounds::Period(period)) => of_period(period, zone),
        _ => None,
    };
    events.chain(bounds).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
}
