//! `lowBoundary`, `highBoundary` and `precision`: what a value known to some precision may really be
//! (<https://hl7.org/fhirpath/#lowboundaryprecision-integer-decimal--date--datetime--time>).

use jiff::civil;
use rust_decimal::{Decimal, RoundingStrategy};

use super::quantity::Quantity;
use super::temporal::{Clock, Date, DateTime, Time};
use super::value::System;
use crate::date::Parts;

/// Which end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Low,
    High,
}

/// The least or greatest value that the value stands for, to that many digits (decimals after the point, digits of
/// a date or time); without a number, to the greatest precision. `None` for a precision that the type does not have;
/// the outer `None` for types without precision.
pub(super) fn boundary<'v>(value: System<'v>, digits: Option<i32>, end: End) -> Option<Option<System<'v>>> {
    Some(match value {
        System::Integer(value) => of_decimal(value.into(), digits, end).map(System::Decimal),
        System::Decimal(value) => of_decimal(value, digits, end).map(System::Decimal),
        System::Quantity(q) => {
            of_decimal(q.value, digits, end).map(|value| System::Quantity(Quantity { value, unit: q.unit }))
        }
        System::Date(date) => of_clock(
            Clock {
                parts: date.0,
                digits: 0,
            },
            digits.unwrap_or(8),
            end,
            &DATE,
        )
        .map(|c| System::Date(Date(c.parts))),
        System::DateTime(at) => {
            of_clock(at.0, digits.unwrap_or(17), end, &DATE_TIME).map(|c| System::DateTime(DateTime(c)))
        }
        System::Time(time) => {
            of_clock(time.0, digits.unwrap_or(9), end, &TIME).map(|c| System::Time(Time::of(c)))
        }
        System::Boolean(_) | System::String(_) => return None,
    })
}

/// Digits of precision: of a decimal after the point, of a date or time all of them.
pub(super) fn precision(value: &System<'_>) -> Option<i32> {
    match value {
        System::Integer(_) => Some(0),
        System::Decimal(value) => i32::try_from(value.scale()).ok(),
        System::Date(date) => Some(
            Clock {
                parts: date.0,
                digits: 0,
            }
            .digit_count(8),
        ),
        System::DateTime(at) => Some(at.0.digit_count(8)),
        System::Time(time) => Some(time.0.digit_count(0)),
        System::Quantity(_) | System::Boolean(_) | System::String(_) => None,
    }
}

/// Half a step of the last digit below or above, and from there outward to the digits asked for. A boundary of less
/// than half a step at those digits is zero.
fn of_decimal(value: Decimal, digits: Option<i32>, end: End) -> Option<Decimal> {
    let digits = u32::try_from(digits.unwrap_or(8)).ok().filter(|d| *d <= 28)?;
    let half = (value.scale() < 28).then(|| Decimal::new(5, value.scale() + 1))?;
    let bound = match end {
        End::Low => value.checked_sub(half)?,
        End::High => value.checked_add(half)?,
    };
    let mut result = if digits < 28 && bound.abs() < Decimal::new(5, digits + 1) {
        Decimal::ZERO
    } else {
        let outward = match end {
            End::Low => RoundingStrategy::ToNegativeInfinity,
            End::High => RoundingStrategy::ToPositiveInfinity,
        };
        bound.round_dp_with_strategy(digits, outward)
    };
    result.rescale(digits);
    (result.scale() == digits).then_some(result)
}

/// The digit counts at which each type may stop.
const DATE: [i32; 3] = [4, 6, 8];
const DATE_TIME: [i32; 7] = [4, 6, 8, 10, 12, 14, 17];
const TIME: [i32; 4] = [2, 4, 6, 9];

/// Parts that are missing are filled with their least or greatest value; parts beyond the digits are dropped.
fn of_clock(clock: Clock, digits: i32, end: End, stops: &[i32]) -> Option<Clock> {
    if !stops.contains(&digits) {
        return None;
    }
    let time_only = stops.len() == TIME.len();
    let given = clock.parts;
    let choose = |low: i8, high: i8| if end == End::Low { low } else { high };
    // Digits of the date count for nothing in a time.
    let has = |stop: i32| time_only && stop <= 8 || digits + if time_only { 8 } else { 0 } >= stop;
    let month = given.month.unwrap_or(choose(1, 12));
    let last = civil::Date::new(given.year, month, 1).ok()?.days_in_month();
    let fraction = if end == End::Low { 0 } else { 999_000_000 };
    let mut parts = Parts {
        year: given.year,
        ..Parts::default()
    };
    parts.month = has(6).then_some(month);
    parts.day = has(8).then_some(given.day.unwrap_or(choose(1, last)));
    parts.hour = has(10).then_some(given.hour.unwrap_or(choose(0, 23)));
    parts.minute = has(12).then_some(given.minute.unwrap_or(choose(0, 59)));
    parts.second = has(14).then_some(given.second.unwrap_or(choose(0, 59)));
    parts.nanosecond = has(17).then_some(given.nanosecond.unwrap_or(fraction));
    if parts.hour.is_some() && !time_only {
        // Without a zone the value may be anywhere on earth.
        let zone = if end == End::Low { 14 * 60 } else { -12 * 60 };
        parts.offset = given.offset.or(Some(zone));
    }
    Some(Clock {
        parts,
        digits: if has(17) { clock.digits.max(3) } else { 0 },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn low_high(value: &str, digits: i32) -> (String, String) {
        let bound = |end| match of_decimal(value.parse().unwrap(), Some(digits), end) {
            Some(value) => value.to_string(),
            None => "{}".into(),
        };
        (bound(End::Low), bound(End::High))
    }

    #[test]
    fn decimals_reach_half_a_step_outward() {
        for (value, digits, low, high) in [
            ("1.587", 8, "1.58650000", "1.58750000"),
            ("1.587", 2, "1.58", "1.59"),
            ("-1.587", 0, "-2", "-1"),
            ("0", 1, "-0.5", "0.5"),
            ("0.0034", 1, "0.0", "0.0"),
            ("12.34", 1, "12.3", "12.4"),
            ("1", 29, "{}", "{}"),
            ("1", -1, "{}", "{}"),
        ] {
            assert_eq!(
                low_high(value, digits),
                (low.into(), high.into()),
                "{value} to {digits}"
            );
        }
    }

    #[test]
    fn dates_fill_what_is_missing_by_the_calendar() {
        let date = |text: &str, digits, end| match boundary(
            System::DateTime(DateTime::parse(text).unwrap()),
            digits,
            end,
        ) {
            Some(Some(System::DateTime(at))) => at.to_string(),
            _ => "{}".into(),
        };
        assert_eq!(date("2012-02", None, End::High), "2012-02-29T23:59:59.999-12:00");
        assert_eq!(date("2012-02", None, End::Low), "2012-02-01T00:00:00.000+14:00");
        assert_eq!(
            date("2014-01-01T08", Some(17), End::High),
            "2014-01-01T08:59:59.999-12:00"
        );
        assert_eq!(date("2014-01-01T08Z", Some(8), End::Low), "2014-01-01");
        assert_eq!(date("2014", Some(5), End::Low), "{}");
    }
}
