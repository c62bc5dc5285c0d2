//! Dates (<https://hl7.org/fhir/R4/search.html#date>): the time that is said against the time that is asked for, both from their first
//! millisecond to their last.

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use serde_json::Value;

use super::Found;
use crate::query::Sought;

/// First and last millisecond.
pub(crate) type Span = (i64, i64);

/// The span of a date, of a period, of all that a timing names.
pub(crate) fn span_of(found: &Found) -> Option<Span> {
    match found.kind.as_str() {
        "Period" => of_period(&found.value),
        "Timing" => {
            let events = found.value["event"].as_array().cloned().unwrap_or_default();
            let events = events.iter().filter_map(|event| of_text(event.as_str()?));
            let bounds = of_period(&found.value["repeat"]["boundsPeriod"]);
            events.chain(bounds).reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
        }
        _ => of_text(found.value.as_str()?),
    }
}

fn of_period(period: &Value) -> Option<Span> {
    let end = |name: &str| period[name].as_str().and_then(of_text);
    match (end("start"), end("end")) {
        (None, None) => None,
        (start, end) => Some((start.map_or(i64::MIN, |s| s.0), end.map_or(i64::MAX, |e| e.1))),
    }
}

/// The span that a text leaves open; where it has no zone, that of London.
pub(crate) fn of_text(text: &str) -> Option<Span> {
    let (date, time) = text
        .split_once('T')
        .map_or((text, None), |(date, time)| (date, Some(time)));
    let numbers: Vec<i16> = date.split('-').map(str::parse).collect::<Result<_, _>>().ok()?;
    let small = |at: usize| i8::try_from(*numbers.get(at).unwrap_or(&1)).unwrap();
    let first = DateTime::new(numbers[0], small(1), small(2), 0, 0, 0, 0).ok()?;
    let Some(time) = time else {
        let after = match numbers.len() {
            1 => DateTime::new(numbers[0] + 1, 1, 1, 0, 0, 0, 0).ok()?,
            2 if numbers[1] == 12 => DateTime::new(numbers[0] + 1, 1, 1, 0, 0, 0, 0).ok()?,
            2 => DateTime::new(numbers[0], small(1) + 1, 1, 0, 0, 0, 0).ok()?,
            _ => first.tomorrow().ok()?,
        };
        return Some((millis(first, None)?, millis(after, None)? - 1));
    };
    of_time(first, time)
}

/// A day and a time on it, with seconds, a fraction and a zone or without.
fn of_time(day: DateTime, time: &str) -> Option<Span> {
    let at = time.find(['Z', '+', '-']).unwrap_or(time.len());
    let (clock, zone) = time.split_at(at);
    let mut parts = clock.split(':');
    let (hour, minute) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let minute = DateTime::new(day.year(), day.month(), day.day(), hour, minute, 0, 0).ok()?;
    let start = millis(minute, Some(zone).filter(|zone| !zone.is_empty()))?;
    let Some(seconds) = parts.next() else {
        return Some((start, start + 59_999));
    };
    let (whole, fraction) = seconds
        .split_once('.')
        .map_or((seconds, None), |(whole, fraction)| (whole, Some(fraction)));
    let start = start + whole.parse::<i64>().ok()? * 1000;
    match fraction {
        None => Some((start, start + 999)),
        Some(fraction) => {
            let part: i64 = format!("{fraction:0<3}")[..3].parse().ok()?;
            Some((start + part, start + part))
        }
    }
}

/// A time on the wall, in an offset or in London.
fn millis(wall: DateTime, zone: Option<&str>) -> Option<i64> {
    let zone = match zone {
        None => TimeZone::get("Europe/London").ok()?,
        Some("Z") => TimeZone::UTC,
        Some(offset) => {
            let minutes = offset[1..3].parse::<i32>().ok()? * 60 + offset[4..].parse::<i32>().ok()?;
            let sign = if offset.starts_with('-') { -60 } else { 60 };
            TimeZone::fixed(Offset::from_seconds(minutes * sign).ok()?)
        }
    };
    Some(wall.to_zoned(zone).ok()?.timestamp().as_millisecond())
}

/// Whether a span is as is asked for.
pub(crate) fn passes((first, last): Span, sought: &Sought, now: i64) -> bool {
    let Sought::Date { prefix, text } = sought else {
        return false;
    };
    let (from, to) = of_text(text).unwrap_or_else(|| panic!("no date: {text}"));
    let is_within = from <= first && last <= to;
    match *prefix {
        "" | "eq" => is_within,
        "ne" => !is_within,
        "gt" => last > to,
        "lt" => first < from,
        "ge" => last > to || is_within,
        "le" => first < from || is_within,
        "sa" => first > to,
        "eb" => last < from,
        "ap" => {
            // A tenth of how far it is from now, wherever it is farthest.
            let slack = (from - now).abs().max((to - now).abs()) / 10;
            first <= to + slack && last >= from - slack
        }
        other => panic!("no prefix: {other}"),
    }
}
