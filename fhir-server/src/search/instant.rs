//! [`last_updated`]: when a resource last changed, compared with dates of a query
//! (<https://hl7.org/fhir/R4/search.html#lastUpdated>); and the [`Span`] of time that a date stands for.
//!
//! The store keeps times in whole milliseconds, so bounds given more finely are rounded inwards.

use fhir_model::date::Parts;
use fhir_model::{Date, DateTime, Time};
use jiff::tz::TimeZone;

use super::malformed;
use crate::context::Millis;
use crate::error::Result;
use crate::store::Filter;

/// The span of time that a date covers, in microseconds, first and last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    first: i64,
    last: i64,
}

impl Span {
    /// Reads a date, or a date and time; seconds and zone may be left out.
    pub(crate) fn parse(name: &str, text: &str, zone: &TimeZone) -> Result<Span> {
        // A plus sign that was not escaped arrives as a space, which no date has.
        let span = parts(&text.replace(' ', "+")).and_then(|parts| parts.interval(zone));
        let (first, last) = span.ok_or_else(|| {
            malformed(
                name,
                text,
                "a date such as 2026, 2026-11, 2026-11-23 or 2026-11-23T09:30:00Z (a + sign as %2B)",
            )
        })?;
        Ok(Span { first, last })
    }

    /// The first millisecond within.
    pub(crate) fn first(self) -> Millis {
        Millis(-(-self.first).div_euclid(1000))
    }

    /// The last millisecond within.
    pub(crate) fn last(self) -> Millis {
        Millis(self.last.div_euclid(1000))
    }

    /// The same, wider by a tenth of its distance from now.
    fn about(self, now: Millis) -> Span {
        let now = now.0.saturating_mul(1000);
        let slack = |edge: i64| edge.abs_diff(now).try_into().unwrap_or(i64::MAX) / 10;
        let slack = slack(self.first).max(slack(self.last));
        Span {
            first: self.first.saturating_sub(slack),
            last: self.last.saturating_add(slack),
        }
    }
}

fn parts(text: &str) -> Option<Parts> {
    if let Ok(full) = text.parse::<DateTime>() {
        return Some(full.parts());
    }
    let (date, rest) = text.split_once('T')?;
    let date = date.parse::<Date>().ok()?.parts();
    date.day?;
    let zone_at = rest.find(['Z', '+', '-']).unwrap_or(rest.len());
    let (clock, zone) = rest.split_at_checked(zone_at)?;
    let minutes_only = clock.len() == "hh:mm".len();
    let time = if minutes_only {
        format!("{clock}:00")
    } else {
        clock.to_owned()
    };
    let time = time.parse::<Time>().ok()?.parts();
    let offset = match zone {
        "" => None,
        // The zone is read as that of a full date and time.
        zone => Some(
            format!("2000-01-01T00:00:00{zone}")
                .parse::<DateTime>()
                .ok()?
                .parts()
                .offset?,
        ),
    };
    let second = if minutes_only { None } else { time.second };
    Some(Parts {
        hour: time.hour,
        minute: time.minute,
        second,
        nanosecond: time.nanosecond,
        offset,
        ..date
    })
}

/// The filter of one value of `_lastUpdated`: a prefix and a date.
pub(crate) fn last_updated(text: &str, zone: &TimeZone, now: Millis) -> Result<Filter> {
    let (prefix, date) = match text.get(..2) {
        Some(prefix) if prefix.bytes().all(|b| b.is_ascii_lowercase()) => text.split_at(2),
        _ => ("eq", text),
    };
    let span = Span::parse("_lastUpdated", date, zone)?;
    let within = |from, to| Filter::LastUpdated { from, to };
    // The value of a resource is one instant, so that `gt` and `sa`, and `lt` and `eb`, say the same.
    let filter = match prefix {
        "eq" => within(Some(span.first()), Some(span.last())),
        "ne" => Filter::Not(Box::new(within(Some(span.first()), Some(span.last())))),
        "gt" | "sa" => within(Some(Millis(span.last().0.saturating_add(1))), None),
        "lt" | "eb" => within(None, Some(Millis(span.first().0.saturating_sub(1)))),
        "ge" => within(Some(span.first()), None),
        "le" => within(None, Some(span.last())),
        "ap" => {
            let about = span.about(now);
            within(Some(about.first()), Some(about.last()))
        }
        _ => {
            let expected = "a prefix eq, ne, gt, lt, ge, le, sa, eb or ap, or none, before the date";
            return Err(malformed("_lastUpdated", text, expected));
        }
    };
    Ok(filter)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Key, ResourceType};

    fn london() -> TimeZone {
        TimeZone::get("Europe/London").unwrap()
    }

    fn at(text: &str) -> Millis {
        Span::parse("x", text, &london()).unwrap().first()
    }

    /// Whether a resource changed at `changed` matches.
    fn matches(value: &str, changed: &str) -> bool {
        let key = Key {
            resource_type: ResourceType::from_name("Patient").unwrap(),
            id: "1".into(),
        };
        last_updated(value, &london(), at("2026-11-23T12:00:00Z"))
            .unwrap()
            .admits(&key, at(changed))
    }

    #[test]
    fn each_prefix_compares_with_the_whole_span_of_a_partial_date() {
        let (before, first, last, after) = (
            "2026-03-09T23:59:59.999Z",
            "2026-03-10T00:00:00.000Z",
            "2026-03-10T23:59:59.999Z",
            "2026-03-11T00:00:00.000Z",
        );
        let expected = [
            ("2026-03-10", [false, true, true, false]),
            ("eq2026-03-10", [false, true, true, false]),
            ("ne2026-03-10", [true, false, false, true]),
            ("gt2026-03-10", [false, false, false, true]),
            ("sa2026-03-10", [false, false, false, true]),
            ("lt2026-03-10", [true, false, false, false]),
            ("eb2026-03-10", [true, false, false, false]),
            ("ge2026-03-10", [false, true, true, true]),
            ("le2026-03-10", [true, true, true, false]),
        ];
        for (value, wanted) in expected {
            assert_eq!(
                [before, first, last, after].map(|changed| matches(value, changed)),
                wanted,
                "{value}"
            );
        }
    }

    #[test]
    fn dates_without_a_zone_are_british() {
        assert_eq!(at("2026-07-01"), at("2026-06-30T23:00:00Z"));
        assert_eq!(at("2026-07-01T10:30"), at("2026-07-01T09:30:00Z"));
        assert_eq!(at("2026-01-01T10:30:15"), at("2026-01-01T10:30:15+00:00"));
    }

    #[test]
    fn a_minute_covers_its_sixty_seconds() {
        assert!(matches("2026-03-10T10:30Z", "2026-03-10T10:30:59.999Z"));
        assert!(!matches("2026-03-10T10:30Z", "2026-03-10T10:31:00Z"));
        assert!(matches("2026-03-10T10:30+01:00", "2026-03-10T09:30:00Z"));
        assert!(matches("2026-03-10T10:30 01:00", "2026-03-10T09:30:00Z"));
    }

    #[test]
    fn bounds_finer_than_a_millisecond_are_exact() {
        let stored = "2026-03-10T10:30:00.123Z";
        assert!(
            matches("2026-03-10T10:30:00.123Z", stored) && matches("2026-03-10T10:30:00.123000Z", stored)
        );
        assert!(
            !matches("2026-03-10T10:30:00.1234Z", stored) && matches("lt2026-03-10T10:30:00.1234Z", stored)
        );
        assert!(
            !matches("ge2026-03-10T10:30:00.1234Z", stored)
                && !matches("gt2026-03-10T10:30:00.1234Z", stored)
        );
        assert!(matches("2026-03-10T10:30:00Z", stored));
    }

    #[test]
    fn about_reaches_a_tenth_of_the_distance_from_now() {
        assert!(matches("ap2026-11-13T12:00:00Z", "2026-11-12T12:30:00Z"));
        assert!(!matches("ap2026-11-13T12:00:00Z", "2026-11-12T11:30:00Z"));
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for bad in [
            "",
            "yesterday",
            "2026-13",
            "2026-02-30",
            "2026-02T10:00",
            "2026-02-03T10",
            "xx2026",
            "eq",
            "2026-02-03T25:00",
            "ge2026-02-03T10:00:00+15:00",
        ] {
            assert!(last_updated(bad, &london(), Millis(0)).is_err(), "{bad}");
        }
    }
}
