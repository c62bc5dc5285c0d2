//! Decimals that keep their text: `1.50` stays `1.50` (<https://hl7.org/fhir/R4/datatypes.html#decimal>).

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use crate::primitive::{Str, ValueError};

const EXPECTED: ValueError = ValueError {
    expected: "a decimal number of at most 1,024 characters: digits, with an optional fraction and exponent, such as 1.50",
};
const MAX_LENGTH: usize = 1024;

/// A decimal number, kept as written. `==` compares the text (precision counts); [`Decimal::compare`] the value.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Decimal(Str);

impl Decimal {
    /// The text, as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The value, where it fits 28 significant digits.
    pub fn to_rust_decimal(&self) -> Option<rust_decimal::Decimal> {
        let text = self.as_str();
        if text.contains(['e', 'E']) {
            rust_decimal::Decimal::from_scientific(text).ok()
        } else {
            rust_decimal::Decimal::from_str_exact(text).ok()
        }
    }

    /// The value, rounded to 28 significant digits where there are more; `None` where it is out of that type's range.
    pub fn rounded(&self) -> Option<rust_decimal::Decimal> {
        let text = self.as_str();
        self.to_rust_decimal()
            .or_else(|| rust_decimal::Decimal::from_scientific(text).ok())
            .or_else(|| text.parse().ok())
    }

    /// The nearest binary floating point number.
    pub fn to_f64(&self) -> f64 {
        self.as_str().parse().unwrap_or(f64::NAN)
    }

    /// Digits after the decimal point as written, the exponent taken into account; never below zero.
    pub fn fraction_digits(&self) -> u32 {
        let parts = Parts::of(self.as_str());
        u32::try_from((parts.fraction.len() as i64 - parts.exponent).max(0)).unwrap_or(u32::MAX)
    }

    /// Compares the values exactly, whatever the number of digits: `1.0` equals `1.00`.
    pub fn compare(&self, other: &Decimal) -> Ordering {
        let (a, b) = (Normal::of(self.as_str()), Normal::of(other.as_str()));
        match (a.sign(), b.sign()) {
            (x, y) if x != y => x.cmp(&y),
            (0, _) => Ordering::Equal,
            (1, _) => a.compare_magnitude(&b),
            _ => b.compare_magnitude(&a),
        }
    }
}

/// The pieces of a decimal's text.
struct Parts<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
    exponent: i64,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Self {
        let (negative, rest) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
            Some((m, e)) => (m, e.parse().unwrap_or(0)),
            None => (rest, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        Parts {
            negative,
            whole,
            fraction,
            exponent,
        }
    }
}

/// Significant digits without zeros at either end, and the power of ten of the first.
struct Normal {
    negative: bool,
    digits: Vec<u8>,
    magnitude: i64,
}

impl Normal {
    fn of(text: &str) -> Self {
        let parts = Parts::of(text);
        let all: Vec<u8> = parts.whole.bytes().chain(parts.fraction.bytes()).collect();
        let leading = all.iter().take_while(|d| **d == b'0').count();
        let trailing = all.iter().rev().take_while(|d| **d == b'0').count();
        let digits = all
            .get(leading..all.len().saturating_sub(trailing).max(leading))
            .unwrap_or(&[])
            .to_vec();
        let magnitude = parts.whole.len() as i64 - leading as i64 + parts.exponent;
        Normal {
            negative: parts.negative,
            digits,
            magnitude,
        }
    }

    fn sign(&self) -> i8 {
        match (self.digits.is_empty(), self.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        }
    }

    fn compare_magnitude(&self, other: &Self) -> Ordering {
        self.magnitude
            .cmp(&other.magnitude)
            .then_with(|| self.digits.cmp(&other.digits))
    }
}

impl FromStr for Decimal {
    type Err = ValueError;
    /// Takes what JSON takes for a number: no leading zeros, no plus sign.
    fn from_str(text: &str) -> Result<Self, ValueError> {
        if text.len() <= MAX_LENGTH && is_json_number(text.as_bytes()) {
            Ok(Decimal(Str::from(text)))
        } else {
            Err(EXPECTED)
        }
    }
}

/// Whether the text is a JSON number with an exponent of at most 9 digits.
fn is_json_number(text: &[u8]) -> bool {
    let digits = |from: &[u8]| from.iter().take_while(|b| b.is_ascii_digit()).count();
    let rest = text.strip_prefix(b"-").unwrap_or(text);
    let whole = digits(rest);
    if whole == 0 || (whole > 1 && rest.starts_with(b"0")) {
        return false;
    }
    let mut rest = rest.get(whole..).unwrap_or_default();
    if let Some(after) = rest.strip_prefix(b".") {
        let fraction = digits(after);
        if fraction == 0 {
            return false;
        }
        rest = after.get(fraction..).unwrap_or_default();
    }
    if let Some(after) = rest.strip_prefix(b"e").or_else(|| rest.strip_prefix(b"E")) {
        let after = after
            .strip_prefix(b"-")
            .or_else(|| after.strip_prefix(b"+"))
            .unwrap_or(after);
        let exponent = digits(after);
        return (1..=9).contains(&exponent) && after.len() == exponent;
    }
    rest.is_empty()
}

impl From<i32> for Decimal {
    fn from(value: i32) -> Self {
        Decimal(Str::from(value.to_string()))
    }
}
impl From<rust_decimal::Decimal> for Decimal {
    fn from(value: rust_decimal::Decimal) -> Self {
        Decimal(Str::from(value.to_string()))
    }
}
impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compare(a: &str, b: &str) -> Ordering {
        a.parse::<Decimal>().unwrap().compare(&b.parse().unwrap())
    }

    #[test]
    fn text_is_kept_and_value_compared() {
        let d: Decimal = "1.50".parse().unwrap();
        assert_eq!(d.as_str(), "1.50");
        assert_eq!(d.fraction_digits(), 2);
        assert_ne!(d, "1.5".parse().unwrap());
        assert_eq!(compare("1.50", "1.5"), Ordering::Equal);
        assert_eq!(compare("-0", "0.000"), Ordering::Equal);
        assert_eq!(compare("1e400", "9.9e399"), Ordering::Greater);
        assert_eq!(compare("-2", "-10"), Ordering::Greater);
        assert_eq!(compare("0.002", "2e-3"), Ordering::Equal);
        assert_eq!(compare("100", "1e2"), Ordering::Equal);
        assert_eq!(compare("99", "100"), Ordering::Less);
    }

    #[test]
    fn what_json_refuses_is_refused() {
        for bad in [
            "",
            "-",
            "+1",
            "01",
            "1.",
            ".5",
            "1e",
            "1e+",
            "0x1",
            "NaN",
            "1 ",
            "1e1234567890",
        ] {
            assert!(bad.parse::<Decimal>().is_err(), "{bad}");
        }
    }
}
