//! Dates and times plus and minus durations (<https://hl7.org/fhirpath/N1/#datetime-arithmetic>).
//!
//! Above seconds the arithmetic is the calendar's: a month later is the same day of the next month, or its last.
//! A duration finer than the date is converted to the date's precision, and what is left over is dropped.
//!
//! Invariant: a result names a day that the calendar has, or there is no result.

use jiff::{Span, civil};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::error::Error;
use super::quantity::{Calendar, Quantity, Unit};
use super::temporal::{Clock, Date, DateTime, Time, date_parts};
use super::value::System;
use crate::date::{Parts, Precision};

const NANOSECONDS_A_DAY: i128 = 86_400_000_000_000;

/// The date or time moved by a duration.
///
/// # Errors
/// The unit is not a duration that fits the value, or the result is beyond the years 1 to 9999.
pub(super) fn add(
    value: System<'_>,
    amount: &Quantity<'_>,
    subtract: bool,
) -> Result<System<'static>, Error> {
    let unit = duration(&amount.unit)?;
    let number = if subtract { -amount.value } else { amount.value };
    let date_unit = unit <= Calendar::Day;
    match value {
        System::Date(date) if date_unit => {
            let clock = moved(
                Clock {
                    parts: date.0,
                    digits: 0,
                },
                number,
                unit,
            )?;
            Ok(System::Date(Date::of(clock.parts)))
        }
        System::DateTime(at) => Ok(System::DateTime(DateTime(moved(at.0, number, unit)?))),
        System::Time(time) if !date_unit => Ok(System::Time(turned(time, number, unit)?)),
        System::Date(_) => Err(Error::execution(format!(
            "a date moves by years, months, weeks or days, not by a {}; use toDateTime() for shorter durations",
            unit.name()
        ))),
        _ => Err(Error::execution(format!(
            "a time moves by hours, minutes, seconds or milliseconds, not by a {}",
            unit.name()
        ))),
    }
}

fn duration(unit: &Unit<'_>) -> Result<Calendar, Error> {
    let code = match unit {
        Unit::Calendar(calendar) | Unit::Duration(calendar) => return Ok(*calendar),
        Unit::Ucum(code) => code,
        Unit::Other(_, code) => {
            return Err(Error::execution(format!(
                "'{code}' is not a duration; dates move by `1 month`, `2 days` …"
            )));
        }
    };
    match Calendar::of_ucum(code) {
        Some(calendar) if calendar.varies() => Err(Error::execution(format!(
            "'{code}' is a duration of fixed length; dates move by the calendar: write `{}`",
            calendar.name()
        ))),
        Some(calendar) => Ok(calendar),
        None => Err(Error::execution(format!(
            "'{code}' is not a duration; dates move by `1 month`, `2 days` …"
        ))),
    }
}

fn out_of_range() -> Error {
    Error::execution("the result is beyond the years 0001 to 9999")
}

/// The whole part of a number.
fn whole(number: Decimal) -> Result<i64, Error> {
    number.trunc().to_i64().ok_or_else(out_of_range)
}

/// The unit of the smallest part given.
fn finest(precision: Precision) -> Calendar {
    match precision {
        Precision::Year => Calendar::Year,
        Precision::Month => Calendar::Month,
        Precision::Day => Calendar::Day,
        Precision::Hour => Calendar::Hour,
        Precision::Minute => Calendar::Minute,
        Precision::Second => Calendar::Second,
        Precision::Fraction => Calendar::Millisecond,
    }
}

/// The number of `to` units that a number of `from` units makes, whole ones only.
fn coarser(number: Decimal, from: Calendar, to: Calendar) -> Result<i64, Error> {
    // Above seconds a fraction counts for nothing, so it is dropped before the conversion.
    let number = if from < Calendar::Second {
        Decimal::from(whole(number)?)
    } else {
        number
    };
    let factor = match (from, to) {
        (Calendar::Month, Calendar::Year) => (1, 12),
        _ => (from.milliseconds(), to.milliseconds()),
    };
    let total = number.checked_mul(factor.0.into()).ok_or_else(out_of_range)?;
    whole(total / Decimal::from(factor.1))
}

fn moved(clock: Clock, number: Decimal, unit: Calendar) -> Result<Clock, Error> {
    let precision = finest(clock.parts.precision());
    let (number, unit) = match unit {
        // Weeks are seven days whatever the precision.
        Calendar::Week => (
            Decimal::from(whole(number)?.checked_mul(7).ok_or_else(out_of_range)?),
            Calendar::Day,
        ),
        unit => (number, unit),
    };
    if unit > precision && precision < Calendar::Millisecond {
        return moved_by(clock, coarser(number, unit, precision)?.into(), precision);
    }
    moved_by(clock, number, unit)
}

fn moved_by(clock: Clock, number: Decimal, unit: Calendar) -> Result<Clock, Error> {
    let mut parts = clock.parts;
    match unit {
        Calendar::Year => add_months(
            &mut parts,
            whole(number)?.checked_mul(12).ok_or_else(out_of_range)?,
        )?,
        Calendar::Month => add_months(&mut parts, whole(number)?)?,
        Calendar::Week | Calendar::Day => add_days(&mut parts, whole(number)?)?,
        _ => {
            let days = add_nanoseconds(&mut parts, nanoseconds(number, unit)?)?;
            add_days(&mut parts, days)?;
        }
    }
    Ok(Clock {
        parts,
        digits: clock.digits,
    })
}

fn add_months(parts: &mut Parts, months: i64) -> Result<(), Error> {
    let now = i64::from(parts.year) * 12 + i64::from(parts.month.unwrap_or(1)) - 1;
    let then = now.checked_add(months).ok_or_else(out_of_range)?;
    let year = i16::try_from(then.div_euclid(12))
        .ok()
        .filter(|y| (1..=9999).contains(y))
        .ok_or_else(out_of_range)?;
    let month = i8::try_from(then.rem_euclid(12) + 1).map_err(|_| out_of_range())?;
    let first = civil::Date::new(year, month, 1).map_err(|_| out_of_range())?;
    parts.year = year;
    parts.month = parts.month.map(|_| month);
    parts.day = parts.day.map(|day| day.min(first.days_in_month()));
    Ok(())
}

fn add_days(parts: &mut Parts, days: i64) -> Result<(), Error> {
    if days == 0 {
        return Ok(());
    }
    let moved = || {
        let date = civil::Date::new(parts.year, parts.month?, parts.day?).ok()?;
        let date = date.checked_add(Span::new().try_days(days).ok()?).ok()?;
        (1..=9999).contains(&date.year()).then_some(date)
    };
    let date = date_parts(moved().ok_or_else(out_of_range)?);
    *parts = Parts {
        year: date.year,
        month: date.month,
        day: date.day,
        ..*parts
    };
    Ok(())
}

fn nanoseconds(number: Decimal, unit: Calendar) -> Result<i128, Error> {
    let number = if unit < Calendar::Second {
        Decimal::from(whole(number)?)
    } else {
        number
    };
    let factor = Decimal::from(unit.milliseconds() * 1_000_000);
    number
        .checked_mul(factor)
        .and_then(|n| n.trunc().to_i128())
        .ok_or_else(out_of_range)
}

/// Moves the time of day and gives the days that it passes.
fn add_nanoseconds(parts: &mut Parts, nanoseconds: i128) -> Result<i64, Error> {
    let part = |value: Option<i8>| i128::from(value.unwrap_or(0));
    let seconds = part(parts.hour) * 3600 + part(parts.minute) * 60 + part(parts.second);
    let total = seconds * 1_000_000_000 + i128::from(parts.nanosecond.unwrap_or(0)) + nanoseconds;
    let of_day = total.rem_euclid(NANOSECONDS_A_DAY);
    let (seconds, fraction) = (of_day / 1_000_000_000, of_day % 1_000_000_000);
    let small = |value: i128| i8::try_from(value).unwrap_or(0);
    parts.hour = parts.hour.map(|_| small(seconds / 3600));
    parts.minute = parts.minute.map(|_| small(seconds / 60 % 60));
    parts.second = parts.second.map(|_| small(seconds % 60));
    parts.nanosecond = parts.nanosecond.map(|_| i32::try_from(fraction).unwrap_or(0));
    i64::try_from(total.div_euclid(NANOSECONDS_A_DAY)).map_err(|_| out_of_range())
}

/// A time moved round the clock.
fn turned(time: Time, number: Decimal, unit: Calendar) -> Result<Time, Error> {
    let precision = finest(time.0.parts.precision());
    let (number, unit) = if unit > precision && precision < Calendar::Millisecond {
        (coarser(number, unit, precision)?.into(), precision)
    } else {
        (number, unit)
    };
    let mut clock = time.0;
    add_nanoseconds(&mut clock.parts, nanoseconds(number, unit)?)?;
    Ok(Time::of(clock))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::borrow::Cow;

    fn add_text(value: &str, amount: &str, unit: &'static str) -> Result<String, Error> {
        let value = match value.strip_prefix('T') {
            Some(time) => System::Time(Time::parse(time).unwrap()),
            None if value.contains('T') => System::DateTime(DateTime::parse(value).unwrap()),
            None => System::Date(Date::parse(value).unwrap()),
        };
        let amount = Quantity {
            value: amount.parse().unwrap(),
            unit: Unit::of_text(Cow::Borrowed(unit)),
        };
        Ok(match add(value, &amount, false)? {
            System::Date(date) => date.to_string(),
            System::DateTime(at) => at.to_string(),
            System::Time(time) => time.to_string(),
            other => format!("{other:?}"),
        })
    }

    #[test]
    fn calendar_durations_follow_the_calendar() {
        for (value, amount, unit, expected) in [
            ("2012-02-29", "1", "year", "2013-02-28"),
            ("2013-01-31", "1", "month", "2013-02-28"),
            ("2013-01-31", "-2", "months", "2012-11-30"),
            ("2014", "23", "months", "2015"),
            ("2014", "24", "months", "2016"),
            ("2016", "365", "days", "2017"),
            ("2014-03", "59", "days", "2014-04"),
            ("2014-12-25", "7.9", "days", "2015-01-01"),
            ("2014T", "9000", "hours", "2015"),
            ("2014-01-01T23:30", "31", "minutes", "2014-01-02T00:01"),
            ("2014-01-01T23:30", "59", "seconds", "2014-01-01T23:30"),
            (
                "2014-01-01T00:00:00.000Z",
                "0.25",
                "s",
                "2014-01-01T00:00:00.250Z",
            ),
            ("2014-01-01T00:00:00", "1.9", "seconds", "2014-01-01T00:00:01"),
            (
                "2014-01-01T00:00:00+10:00",
                "-1",
                "second",
                "2013-12-31T23:59:59+10:00",
            ),
            ("2000-02-28T10Z", "2", "weeks", "2000-03-13T10Z"),
            ("T23:00:00", "2", "hours", "01:00:00"),
            ("T23", "119", "minutes", "00"),
        ] {
            assert_eq!(
                add_text(value, amount, unit).unwrap(),
                expected,
                "{value} + {amount} {unit}"
            );
        }
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        for (value, amount, unit) in [
            ("2014-01-01", "1", "hour"),
            ("2014-01-01", "1", "mo"),
            ("2014-01-01", "1", "cm"),
            ("9999-12-31", "1", "day"),
            ("0001-01-01", "-1", "day"),
            ("2014-01-01", "79228162514264337593543950335", "days"),
            ("2014-01-01", "99999999999", "years"),
            ("T10:00", "1", "day"),
        ] {
            assert!(
                add_text(value, amount, unit).is_err(),
                "{value} + {amount} {unit}"
            );
        }
    }
}
