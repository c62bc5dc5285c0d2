//! `System.Date`, `System.DateTime` and `System.Time`: partial values with their precision
//! (<https://hl7.org/fhirpath/N1/#date>). Unlike the FHIR types they may stop at the hour or the minute, and a
//! date and time need not have a zone.
//!
//! Invariant: the parts name a day that the calendar has.

use std::cmp::Ordering;
use std::fmt;

use jiff::civil;

use crate::date::{self, Parts, Precision};

/// `System.Date`: a year, a month or a day.
#[derive(Clone, Copy, PartialEq)]
pub struct Date(pub(super) Parts);

/// `System.DateTime`: a date with an optional time, to any precision, and an optional zone.
#[derive(Clone, Copy, PartialEq)]
pub struct DateTime(pub(super) Clock);

/// `System.Time`: a time of day to any precision, without a zone.
#[derive(Clone, Copy, PartialEq)]
pub struct Time(pub(super) Clock);

/// Parts with the number of fraction digits that were written.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Clock {
    pub(super) parts: Parts,
    pub(super) digits: u8,
}

/// The parts of a time have this date, so that times compare as date-times do.
const NO_DATE: Parts = Parts {
    year: 1,
    month: Some(1),
    day: Some(1),
    hour: None,
    minute: None,
    second: None,
    nanosecond: None,
    offset: None,
};

impl Date {
    /// Reads `YYYY`, `YYYY-MM` or `YYYY-MM-DD`.
    pub fn parse(text: &str) -> Option<Self> {
        let (parts, rest) = read_date(text)?;
        rest.is_empty().then_some(Date(parts))
    }

    /// The parts that were given.
    pub fn parts(&self) -> Parts {
        self.0
    }

    pub(super) fn of(parts: Parts) -> Self {
        Date(Parts {
            hour: None,
            minute: None,
            second: None,
            nanosecond: None,
            offset: None,
            ..parts
        })
    }
}

impl DateTime {
    /// Reads a date, with a time after `T` to any precision, and a zone (`Z`, `+hh:mm`) after the time.
    /// A `T` with nothing after it is accepted, as in the literal `@2015T`.
    pub fn parse(text: &str) -> Option<Self> {
        let (mut parts, rest) = read_date(text)?;
        let mut digits = 0;
        let rest = match rest.strip_prefix('T') {
            None | Some("") => rest.trim_start_matches('T'),
            Some(time) => {
                parts.day?;
                let rest = read_time(time, &mut parts, &mut digits)?;
                read_offset(rest, &mut parts)?
            }
        };
        rest.is_empty().then_some(DateTime(Clock { parts, digits }))
    }

    /// The parts that were given.
    pub fn parts(&self) -> Parts {
        self.0.parts
    }

    /// The value of a FHIR `dateTime` or `instant`, which may stand in a leap second.
    pub(super) fn of_fhir(parts: Parts, text: &str) -> Self {
        let fraction = text.split_once('.').map_or("", |(_, fraction)| fraction);
        let digits = fraction.bytes().take_while(u8::is_ascii_digit).count().min(9);
        DateTime(Clock {
            parts,
            digits: u8::try_from(digits).unwrap_or(9),
        })
    }

    pub(super) fn of_date(date: Date) -> Self {
        DateTime(Clock {
            parts: date.0,
            digits: 0,
        })
    }

    pub(super) fn of_zoned(at: &jiff::Zoned) -> Self {
        let minutes = at.offset().seconds() / 60;
        let parts = Parts {
            offset: Some(minutes),
            ..date_parts(at.date())
        };
        DateTime(Clock {
            parts: with_time(parts, at.time()),
            digits: 3,
        })
    }
}

impl Time {
    /// Reads `hh`, `hh:mm`, `hh:mm:ss` or `hh:mm:ss.fff`.
    pub fn parse(text: &str) -> Option<Self> {
        let (mut parts, mut digits) = (NO_DATE, 0);
        let rest = read_time(text, &mut parts, &mut digits)?;
        rest.is_empty().then_some(Time(Clock { parts, digits }))
    }

    /// The parts that were given; the date is without meaning.
    pub fn parts(&self) -> Parts {
        self.0.parts
    }

    pub(super) fn of(clock: Clock) -> Self {
        let Parts {
            hour,
            minute,
            second,
            nanosecond,
            ..
        } = clock.parts;
        Time(Clock {
            parts: Parts {
                hour,
                minute,
                second,
                nanosecond,
                ..NO_DATE
            },
            digits: clock.digits,
        })
    }
}

impl Clock {
    /// Digits of the value as `precision()` counts them: 4 for a year up to 17 for milliseconds; a time has 2 to 9.
    pub(super) fn digit_count(&self, date_digits: i32) -> i32 {
        match self.parts.precision() {
            Precision::Year => 4,
            Precision::Month => 6,
            Precision::Day => 8,
            Precision::Hour => date_digits + 2,
            Precision::Minute => date_digits + 4,
            Precision::Second => date_digits + 6,
            Precision::Fraction => date_digits + 6 + i32::from(self.digits),
        }
    }
}

/// The parts of a calendar day.
pub(super) fn date_parts(date: civil::Date) -> Parts {
    Parts {
        year: date.year(),
        month: Some(date.month()),
        day: Some(date.day()),
        ..Parts::default()
    }
}

/// The parts with a time of day to the millisecond.
pub(super) fn with_time(parts: Parts, time: civil::Time) -> Parts {
    Parts {
        hour: Some(time.hour()),
        minute: Some(time.minute()),
        second: Some(time.second()),
        nanosecond: Some(time.subsec_nanosecond() / 1_000_000 * 1_000_000),
        ..parts
    }
}

/// Compares by parts; `None` where precision or a missing zone leaves the answer open.
pub(super) fn compare(a: &Parts, b: &Parts) -> Option<Ordering> {
    date::compare(a, b)
}

/// That many digits at the start as a number in the range, and what follows.
fn number(text: &str, count: usize, range: std::ops::RangeInclusive<i16>) -> Option<(i16, &str)> {
    let (digits, rest) = text.split_at_checked(count)?;
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let value = digits.parse().ok()?;
    range.contains(&value).then_some((value, rest))
}

fn two(text: &str, range: std::ops::RangeInclusive<i16>) -> Option<(i8, &str)> {
    let (value, rest) = number(text, 2, range)?;
    Some((i8::try_from(value).ok()?, rest))
}

fn read_date(text: &str) -> Option<(Parts, &str)> {
    let (year, rest) = number(text, 4, 1..=9999)?;
    let mut parts = Parts {
        year,
        ..Parts::default()
    };
    let Some(month) = rest.strip_prefix('-') else {
        return Some((parts, rest));
    };
    let (month, rest) = two(month, 1..=12)?;
    parts.month = Some(month);
    let Some(day) = rest.strip_prefix('-') else {
        return Some((parts, rest));
    };
    let (day, rest) = two(day, 1..=31)?;
    civil::Date::new(year, month, day).ok()?;
    parts.day = Some(day);
    Some((parts, rest))
}

fn read_time<'t>(text: &'t str, parts: &mut Parts, digits: &mut u8) -> Option<&'t str> {
    let (hour, rest) = two(text, 0..=23)?;
    parts.hour = Some(hour);
    let Some(minute) = rest.strip_prefix(':') else {
        return Some(rest);
    };
    let (minute, rest) = two(minute, 0..=59)?;
    parts.minute = Some(minute);
    let Some(second) = rest.strip_prefix(':') else {
        return Some(rest);
    };
    let (second, rest) = two(second, 0..=59)?;
    parts.second = Some(second);
    let Some(fraction) = rest.strip_prefix('.') else {
        return Some(rest);
    };
    let count = fraction.bytes().take_while(u8::is_ascii_digit).count();
    let (fraction, rest) = fraction.split_at_checked(count).filter(|_| count > 0)?;
    let nine = fraction.bytes().chain(std::iter::repeat(b'0')).take(9);
    parts.nanosecond = Some(nine.fold(0, |n, d| n * 10 + i32::from(d - b'0')));
    *digits = u8::try_from(count.min(9)).unwrap_or(9);
    Some(rest)
}

fn read_offset<'t>(text: &'t str, parts: &mut Parts) -> Option<&'t str> {
    if let Some(rest) = text.strip_prefix('Z') {
        parts.offset = Some(0);
        return Some(rest);
    }
    let sign = match text.bytes().next() {
        Some(b'+') => 1,
        Some(b'-') => -1,
        _ => return Some(text),
    };
    let (hours, rest) = two(text.get(1..)?, 0..=14)?;
    let (minutes, rest) = two(rest.strip_prefix(':')?, 0..=59)?;
    if hours == 14 && minutes != 0 {
        return None;
    }
    parts.offset = Some(sign * (i32::from(hours) * 60 + i32::from(minutes)));
    Some(rest)
}

fn write_date(parts: &Parts, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "{:04}", parts.year)?;
    for part in [parts.month, parts.day].into_iter().flatten() {
        write!(f, "-{part:02}")?;
    }
    Ok(())
}

fn write_time(clock: &Clock, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let Parts {
        hour,
        minute,
        second,
        nanosecond,
        ..
    } = clock.parts;
    for (part, mark) in [(hour, ""), (minute, ":"), (second, ":")] {
        let Some(part) = part else { return Ok(()) };
        write!(f, "{mark}{part:02}")?;
    }
    if let Some(nanosecond) = nanosecond {
        let width = usize::from(clock.digits).clamp(1, 9);
        write!(f, ".{}", format!("{nanosecond:09}").get(..width).unwrap_or("0"))?;
    }
    Ok(())
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_date(&self.0, f)
    }
}

impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_date(&self.0.parts, f)?;
        if self.0.parts.hour.is_none() {
            return Ok(());
        }
        f.write_str("T")?;
        write_time(&self.0, f)?;
        match self.0.parts.offset {
            None => Ok(()),
            Some(0) => f.write_str("Z"),
            Some(minutes) => {
                let sign = if minutes < 0 { '-' } else { '+' };
                write!(f, "{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
            }
        }
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_time(&self.0, f)
    }
}

macro_rules! debug_as_literal {
    ($($name:ident $prefix:literal),*) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}{self}", $prefix)
            }
        }
    )*};
}
debug_as_literal!(Date "@", DateTime "@", Time "@T");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partial_values_are_read_and_written_as_they_came() {
        for text in ["2014", "2014-02", "2014-02-28"] {
            assert_eq!(Date::parse(text).unwrap().to_string(), text);
        }
        for text in [
            "2014",
            "2014-01-25T14",
            "2014-01-25T14:30",
            "2014-01-25T14:30:14.559+10:00",
            "2014-01-25T14Z",
        ] {
            assert_eq!(DateTime::parse(text).unwrap().to_string(), text);
        }
        for text in ["14", "14:30", "14:30:14", "14:30:14.050"] {
            assert_eq!(Time::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_the_calendar_or_the_clock_lacks_is_refused() {
        for text in ["2014-02-29", "2014-13", "0000", "14", "2014-1", "2014-01-01T"] {
            assert!(Date::parse(text).is_none(), "{text}");
        }
        for text in [
            "2014-01T10",
            "2014-01-01T24",
            "2014-01-01T10:60",
            "2014-01-01T10+15:00",
            "2014-01-01T10+1:00",
        ] {
            assert!(DateTime::parse(text).is_none(), "{text}");
        }
        for text in ["24", "1", "14:3", "14:30:", "14:30:00.", "14:30Z"] {
            assert!(Time::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn precision_is_counted_in_digits() {
        let digits = |text: &str| DateTime::parse(text).unwrap().0.digit_count(8);
        assert_eq!(digits("2014"), 4);
        assert_eq!(digits("2014-01-05T10:30:00.000"), 17);
        assert_eq!(Time::parse("10:30").unwrap().0.digit_count(0), 4);
    }
}
