//! The spans of time that dates cover (<https://hl7.org/fhir/R4/search.html#date>): first and last millisecond since 1970, UTC.
//!
//! Invariant: what is indexed and what is asked for are read by the same rule, so that the same text covers the same span.

use std::fmt;

use fhir_model::date::{DateTime, Parts, Precision};
use fhir_model::path;
use jiff::tz::TimeZone;

/// The start of a span that is open there.
pub(crate) const OPEN_START: i64 = i64::MIN;
/// The end of a span that is open there.
pub(crate) const OPEN_END: i64 = i64::MAX;

/// Text that is no date of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotADate;

impl fmt::Display for NotADate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a date that the calendar has: YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm, with optional seconds and fraction and an \
             optional zone (Z or +hh:mm)",
        )
    }
}

/// The first and last millisecond of a date as a search writes it; `zone` is that of a date without one.
///
/// Beyond FHIR's `dateTime` a search may leave out the seconds and the zone, and the plus sign of a zone may have come through a form's
/// decoding as a space.
///
/// # Errors
/// [`NotADate`] for any other text.
pub(crate) fn of_date_text(text: &str, zone: &TimeZone) -> Result<(i64, i64), NotADate> {
    let parts = match text.parse::<DateTime>() {
        Ok(exact) => exact.parts(),
        Err(_) => lenient(text).ok_or(NotADate)?,
    };
    of_parts(&parts, zone).ok_or(NotADate)
}

/// The first and last millisecond that the parts of a date cover; `None` for a time, and where the calendar cannot hold it.
pub(crate) fn of_parts(parts: &Parts, zone: &TimeZone) -> Option<(i64, i64)> {
    let (first, last) = parts.interval(zone)?;
    Some((first.div_euclid(1000), last.div_euclid(1000)))
}

fn lenient(text: &str) -> Option<Parts> {
    let spaced = text.replacen(' ', "+", 1);
    let parts = path::DateTime::parse(&spaced)?.parts();
    // R4 wants the minutes where the hour is given; `2013T` is FHIRPath's alone.
    let whole = parts.precision() != Precision::Hour && !text.ends_with('T');
    whole.then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(text: &str) -> Result<(i64, i64), NotADate> {
        of_date_text(text, &TimeZone::get("Europe/London").unwrap())
    }

    #[test]
    fn a_date_covers_all_that_its_precision_leaves_open() {
        for (text, first, last) in [
            // London kept summer time all through 1970.
            ("1970", -3_600_000, 31_532_399_999),
            ("2024-02", 1_706_745_600_000, 1_709_251_199_999),
            ("2024-01-15", 1_705_276_800_000, 1_705_363_199_999),
            ("2024-01-15T10:30", 1_705_314_600_000, 1_705_314_659_999),
            ("2024-01-15T10:30:05", 1_705_314_605_000, 1_705_314_605_999),
            ("2024-01-15T10:30:05.25Z", 1_705_314_605_250, 1_705_314_605_250),
            ("2024-01-15T10:30+02:00", 1_705_307_400_000, 1_705_307_459_999),
            ("2024-01-15T10:30 02:00", 1_705_307_400_000, 1_705_307_459_999),
            ("2016-12-31T23:59:60Z", 1_483_228_799_000, 1_483_228_799_999),
            ("1969-12-31T23:59:59.9999Z", -1, -1),
        ] {
            assert_eq!(span(text), Ok((first, last)), "{text}");
        }
    }

    #[test]
    fn days_of_summer_time_start_and_end_with_the_clock_on_the_wall() {
        let hours = |text| span(text).map(|(first, last)| (last + 1 - first) / 3_600_000);
        assert_eq!(hours("2024-03-31"), Ok(23));
        assert_eq!(hours("2024-10-27"), Ok(25));
        assert_eq!(span("2024-07-01").map(|s| s.0), Ok(1_719_788_400_000));
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "24",
            "2024-13",
            "2023-02-29",
            "2024-1",
            "2024T",
            "2024-01-15T",
            "2024-01-15T10",
            "2024-01-15T25:00",
            "2024-01-15 10:30",
            "2024-01-15T10:30+15:00",
            "2024-01-15Z",
            "0000",
            "10000",
            "today",
            "2024-01-15T10:30:00 Z",
        ] {
            assert_eq!(span(text), Err(NotADate), "{text}");
        }
    }
}
