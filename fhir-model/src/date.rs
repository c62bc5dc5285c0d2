//! Partial dates and times, kept as written (<https://hl7.org/fhir/R4/datatypes.html#dateTime>).
//!
//! Each type holds its text and reads the parts on demand, so that fractions of any length, `Z` and `+00:00`, and
//! the precision come back as they came in. `==` compares the text; the `compare` methods compare as FHIRPath does
//! (unknown where one is less precise than the other); `interval` gives the first and last instant covered.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, civil};

use crate::primitive::{Str, ValueError};

/// How much of a date or time was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Precision {
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
    Fraction,
}

/// The parts of a date, date-time or time as written. Absent parts are `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Parts {
    /// 1 to 9999; 0 in a time
    pub year: i16,
    /// 1 to 12
    pub month: Option<i8>,
    /// 1 to 31
    pub day: Option<i8>,
    /// 0 to 23
    pub hour: Option<i8>,
    /// 0 to 59
    pub minute: Option<i8>,
    /// 0 to 60 (a leap second is allowed)
    pub second: Option<i8>,
    /// nanoseconds, further digits cut off; `None` where no fraction was written
    pub nanosecond: Option<i32>,
    /// minutes east of UTC
    pub offset: Option<i32>,
}

impl Parts {
    /// The smallest part given.
    pub fn precision(&self) -> Precision {
        if self.nanosecond.is_some() {
            Precision::Fraction
        } else if self.second.is_some() {
            Precision::Second
        } else if self.minute.is_some() {
            Precision::Minute
        } else if self.hour.is_some() {
            Precision::Hour
        } else if self.day.is_some() {
            Precision::Day
        } else if self.month.is_some() {
            Precision::Month
        } else {
            Precision::Year
        }
    }

    /// The first and the last microsecond covered, in microseconds since 1970-01-01T00:00:00Z. `zone` is used where
    /// none was written. `None` where the calendar cannot hold it.
    pub fn interval(&self, zone: &TimeZone) -> Option<(i64, i64)> {
        let zone = match self.offset {
            Some(minutes) => TimeZone::fixed(Offset::from_seconds(minutes.checked_mul(60)?).ok()?),
            None => zone.clone(),
        };
        let date = civil::Date::new(self.year, self.month.unwrap_or(1), self.day.unwrap_or(1)).ok()?;
        let start = date.at(
            self.hour.unwrap_or(0),
            self.minute.unwrap_or(0),
            self.second.unwrap_or(0).min(59),
            self.nanosecond.unwrap_or(0),
        );
        let micros = |at: civil::DateTime| microsecond(at, &zone);
        let first = micros(start)?;
        let after = match self.precision() {
            Precision::Year if self.year == 9999 => None,
            Precision::Year => micros(civil::Date::new(self.year + 1, 1, 1).ok()?.at(0, 0, 0, 0)),
            Precision::Month if self.year == 9999 && self.month == Some(12) => None,
            Precision::Month => micros(date.last_of_month().tomorrow().ok()?.at(0, 0, 0, 0)),
            Precision::Day => date.tomorrow().ok().and_then(|next| micros(next.at(0, 0, 0, 0))),
            Precision::Hour => Some(first + 3_600_000_000),
            Precision::Minute => Some(first + 60_000_000),
            Precision::Second => Some(first + 1_000_000),
            Precision::Fraction => Some(first + 1),
        };
        // The calendar ends with the year 9999.
        Some((first, after.map_or(253_402_300_799_999_999, |end| end - 1)))
    }
}

/// Microseconds since 1970-01-01T00:00:00Z. Timestamps end a day before the calendar does; on that day the zone's last offset holds.
fn microsecond(at: civil::DateTime, zone: &TimeZone) -> Option<i64> {
    if let Ok(timestamp) = zone.to_timestamp(at) {
        return Some(timestamp.as_microsecond());
    }
    let local = at.duration_since(civil::date(1970, 1, 1).at(0, 0, 0, 0));
    let offset = i64::from(zone.to_offset(Timestamp::MAX).seconds()) * 1_000_000;
    i64::try_from(local.as_micros()).ok()?.checked_sub(offset)
}

/// Compares part by part from the largest; `None` where all common parts are equal and one has more.
/// Seconds and their fraction are one part, as FHIRPath has it.
fn compare_parts(a: &Parts, b: &Parts) -> Option<Ordering> {
    let seconds = |p: &Parts| {
        p.second
            .map(|s| i64::from(s) * 1_000_000_000 + i64::from(p.nanosecond.unwrap_or(0)))
    };
    let parts = |p: &Parts| {
        [
            Some(i64::from(p.year)),
            p.month.map(i64::from),
            p.day.map(i64::from),
            p.hour.map(i64::from),
            p.minute.map(i64::from),
            seconds(p),
        ]
    };
    for (x, y) in parts(a).into_iter().zip(parts(b)) {
        match (x, y) {
            (Some(x), Some(y)) if x == y => {}
            (Some(x), Some(y)) => return Some(x.cmp(&y)),
            (None, None) => return Some(Ordering::Equal),
            _ => return None,
        }
    }
    Some(Ordering::Equal)
}

/// Compares two dates or date-times as FHIRPath does; with an offset on both, in UTC. Where only one has an offset,
/// the answer is unknown unless more than a day lies between them.
pub fn compare(a: &Parts, b: &Parts) -> Option<Ordering> {
    match (a.offset, b.offset) {
        (Some(_), Some(_)) => compare_parts(&to_utc(a)?, &to_utc(b)?),
        (None, None) => compare_parts(a, b),
        _ if a.hour.is_none() || b.hour.is_none() => compare_parts(a, b),
        _ => {
            let (a_first, a_last) = a.interval(&TimeZone::UTC)?;
            let (b_first, b_last) = b.interval(&TimeZone::UTC)?;
            let slack = 14 * 3_600_000_000;
            if a_last + slack < b_first {
                Some(Ordering::Less)
            } else if b_last + slack < a_first {
                Some(Ordering::Greater)
            } else {
                None
            }
        }
    }
}

/// The same instant in UTC, precision kept.
fn to_utc(parts: &Parts) -> Option<Parts> {
    let (Some(hour), Some(offset)) = (parts.hour, parts.offset) else {
        return Some(*parts);
    };
    let local = civil::Date::new(parts.year, parts.month?, parts.day?).ok()?.at(
        hour,
        parts.minute.unwrap_or(0),
        0,
        0,
    );
    let utc = local.checked_sub(jiff::Span::new().minutes(offset)).ok()?;
    Some(Parts {
        year: utc.year(),
        month: Some(utc.month()),
        day: Some(utc.day()),
        hour: Some(utc.hour()),
        minute: parts.minute.map(|_| utc.minute()),
        offset: Some(0),
        ..*parts
    })
}

/// A cursor over the text of a date or time.
struct Scan<'a>(&'a [u8]);

impl Scan<'_> {
    fn eat(&mut self, byte: u8) -> bool {
        match self.0.split_first() {
            Some((first, rest)) if *first == byte => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }

    /// Exactly `count` digits, as a number in the range.
    fn digits(&mut self, count: usize, range: std::ops::RangeInclusive<i16>) -> Option<i16> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        let mut value: i16 = 0;
        for d in digits {
            value = value * 10 + i16::from(d.is_ascii_digit().then(|| d - b'0')?);
        }
        self.0 = rest;
        range.contains(&value).then_some(value)
    }

    fn two(&mut self, range: std::ops::RangeInclusive<i16>) -> Option<i8> {
        self.digits(2, range).and_then(|v| i8::try_from(v).ok())
    }

    /// `YYYY`, `YYYY-MM` or `YYYY-MM-DD`, a day that the month has.
    fn date(&mut self) -> Option<Parts> {
        let mut parts = Parts {
            year: self.digits(4, 1..=9999)?,
            ..Parts::default()
        };
        if self.eat(b'-') {
            parts.month = Some(self.two(1..=12)?);
            if self.eat(b'-') {
                parts.day = Some(self.two(1..=31)?);
                civil::Date::new(parts.year, parts.month?, parts.day?).ok()?;
            }
        }
        Some(parts)
    }

    /// `hh:mm:ss` with an optional fraction.
    fn time(&mut self, parts: &mut Parts) -> Option<()> {
        parts.hour = Some(self.two(0..=23)?);
        self.eat(b':').then_some(())?;
        parts.minute = Some(self.two(0..=59)?);
        self.eat(b':').then_some(())?;
        parts.second = Some(self.two(0..=60)?);
        if self.eat(b'.') {
            let count = self.0.iter().take_while(|b| b.is_ascii_digit()).count();
            let (digits, rest) = self.0.split_at_checked(count).filter(|_| count > 0)?;
            let nine = digits.iter().chain(std::iter::repeat(&b'0')).take(9);
            parts.nanosecond = Some(nine.fold(0, |n, d| n * 10 + i32::from(d - b'0')));
            self.0 = rest;
        }
        Some(())
    }

    /// `Z` or `+hh:mm` up to fourteen hours.
    fn offset(&mut self, parts: &mut Parts) -> Option<()> {
        if self.eat(b'Z') {
            parts.offset = Some(0);
            return Some(());
        }
        let sign = if self.eat(b'+') {
            1
        } else {
            self.eat(b'-').then_some(-1)?
        };
        let hours = i32::from(self.two(0..=14)?);
        self.eat(b':').then_some(())?;
        let minutes = i32::from(self.two(0..=59)?);
        (hours < 14 || minutes == 0).then_some(())?;
        parts.offset = Some(sign * (hours * 60 + minutes));
        Some(())
    }
}

fn parse_date(text: &str) -> Option<Parts> {
    let mut scan = Scan(text.as_bytes());
    let parts = scan.date()?;
    scan.0.is_empty().then_some(parts)
}

fn parse_date_time(text: &str) -> Option<Parts> {
    let mut scan = Scan(text.as_bytes());
    let mut parts = scan.date()?;
    if parts.day.is_some() && scan.eat(b'T') {
        scan.time(&mut parts)?;
        scan.offset(&mut parts)?;
    }
    scan.0.is_empty().then_some(parts)
}

fn parse_instant(text: &str) -> Option<Parts> {
    parse_date_time(text).filter(|p| p.hour.is_some())
}

fn parse_time(text: &str) -> Option<Parts> {
    let mut scan = Scan(text.as_bytes());
    let mut parts = Parts::default();
    scan.time(&mut parts)?;
    scan.0.is_empty().then_some(parts)
}

macro_rules! date_type {
    ($(#[$doc:meta])* $name:ident, $parse:ident, $expected:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash)]
        pub struct $name(Str);

        impl $name {
            /// The text, as written.
            pub fn as_str(&self) -> &str {
                &self.0
            }
            /// The parts, as written.
            pub fn parts(&self) -> Parts {
                $parse(&self.0).unwrap_or_default()
            }
            /// The smallest part given.
            pub fn precision(&self) -> Precision {
                self.parts().precision()
            }
            /// Compares as FHIRPath does: `None` where the answer depends on parts or a zone not given.
            pub fn compare(&self, other: &Self) -> Option<Ordering> {
                compare(&self.parts(), &other.parts())
            }
        }
        impl FromStr for $name {
            type Err = ValueError;
            fn from_str(text: &str) -> Result<Self, ValueError> {
                match $parse(text) {
                    Some(_) => Ok($name(Str::from(text))),
                    None => Err(ValueError { expected: $expected }),
                }
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

date_type!(
    /// `date`: a year, a month or a day.
    Date, parse_date, "a date that the calendar has: YYYY, YYYY-MM or YYYY-MM-DD"
);
date_type!(
    /// `dateTime`: a date, or a date and time with seconds and a zone.
    DateTime, parse_date_time,
    "a date-time: YYYY, YYYY-MM, YYYY-MM-DD, or YYYY-MM-DDThh:mm:ss with optional fraction and a zone (Z or +hh:mm)"
);
date_type!(
    /// `instant`: a date and time with seconds and a zone.
    Instant, parse_instant, "an instant: YYYY-MM-DDThh:mm:ss with optional fraction and a zone (Z or +hh:mm)"
);
date_type!(
    /// `time`: a time of day with seconds.
    Time, parse_time, "a time of day: hh:mm:ss with optional fraction, no zone"
);

impl Date {
    /// The year.
    pub fn year(&self) -> i16 {
        self.parts().year
    }
}

macro_rules! interval {
    ($($name:ident),*) => {$(
        impl $name {
            /// The first and the last microsecond covered, in microseconds since 1970-01-01T00:00:00Z; `zone` is used
            /// where none was written.
            pub fn interval(&self, zone: &TimeZone) -> Option<(i64, i64)> {
                self.parts().interval(zone)
            }
        }
    )*};
}
interval!(Date, DateTime, Instant);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partial_dates_parse_and_keep_their_text() {
        for good in ["2012", "2012-02", "2012-02-29", "0001", "9999-12-31"] {
            assert_eq!(good.parse::<Date>().unwrap().as_str(), good);
        }
        for bad in [
            "",
            "12",
            "0000",
            "2012-13",
            "2011-02-29",
            "2012-2",
            "2012-02-29T",
            "10000",
            "2012-",
            "2012-02-01Z",
        ] {
            assert!(bad.parse::<Date>().is_err(), "{bad}");
        }
        for good in [
            "2012-02-29T23:59:60.123456789012Z",
            "2015-02-07T13:28:17-05:00",
            "2015-02-07T13:28:17+14:00",
        ] {
            assert_eq!(good.parse::<DateTime>().unwrap().as_str(), good);
        }
        for bad in [
            "2015-02-07T13:28",
            "2015-02-07T13:28:17",
            "2015-02-07T24:00:00Z",
            "2015-02-07T13:28:17+14:01",
        ] {
            assert!(bad.parse::<DateTime>().is_err(), "{bad}");
        }
        assert!("2015".parse::<Instant>().is_err());
        assert!("12:00:00.5".parse::<Time>().is_ok());
        assert!("12:00".parse::<Time>().is_err());
    }

    #[test]
    fn comparison_is_unknown_where_precision_decides() {
        let compare = |a: &str, b: &str| a.parse::<DateTime>().unwrap().compare(&b.parse().unwrap());
        assert_eq!(compare("2012", "2013-01"), Some(Ordering::Less));
        assert_eq!(compare("2012", "2012-01"), None);
        assert_eq!(
            compare("2012-01-01T10:00:00Z", "2012-01-01T11:00:00+01:00"),
            Some(Ordering::Equal)
        );
        assert_eq!(
            compare("2012-01-01T10:00:00.0Z", "2012-01-01T10:00:00Z"),
            Some(Ordering::Equal)
        );
    }

    #[test]
    fn intervals_cover_the_partial_date() {
        let interval = |d: &str| d.parse::<DateTime>().unwrap().interval(&TimeZone::UTC).unwrap();
        assert_eq!(interval("1970"), (0, 31_536_000_000_000 - 1));
        assert_eq!(interval("1970-01-01T00:00:01Z"), (1_000_000, 1_999_999));
        assert_eq!(interval("9999").1, 253_402_300_799_999_999);
        assert_eq!(
            interval("9999-12-31"),
            (253_402_214_400_000_000, 253_402_300_799_999_999)
        );
        assert_eq!(interval("9999-12-30").1, 253_402_214_399_999_999);
        assert_eq!(interval("9999-12-31T23:00:00-01:00").0, 253_402_300_800_000_000);
        assert_eq!(interval("1970-01-01T01:00:00+01:00").0, 0);
    }
}
