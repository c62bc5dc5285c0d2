//! Values of type number (<https://hl7.org/fhir/R4/search.html#number>), read exactly: their digits say how precisely they are meant.
//!
//! `100` means 99.5 up to 100.5, `100.00` means 99.995 up to 100.005, and `1e2`, as the specification has it, 95 up to 105: the upper end
//! is not included. Comparisons other than `eq`, `ne` and `ap` take the number as exact.

use super::super::facet::Facet;
use super::prefix;
use crate::error::Result;
use crate::search::malformed;
use crate::store::{Compare, Criterion, Test};

/// The most digits that are read.
const MAX_DIGITS: usize = 30;

/// The greatest power of ten, either way.
const MAX_POWER: i32 = 400;

/// A number as digits and a power of ten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Exact {
    digits: i128,
    power: i32,
}

impl Exact {
    /// The nearest double.
    pub(super) fn to_f64(self) -> f64 {
        format!("{}e{}", self.digits, self.power)
            .parse()
            .unwrap_or(f64::NAN)
    }

    /// The number without a power of ten.
    pub(super) fn to_text(self) -> String {
        let sign = if self.digits < 0 { "-" } else { "" };
        let digits = self.digits.unsigned_abs().to_string();
        match usize::try_from(self.power) {
            Ok(zeros) => format!("{sign}{digits}{}", "0".repeat(zeros)),
            Err(_) => {
                let places = usize::try_from(self.power.unsigned_abs()).unwrap_or_default();
                let digits = format!("{digits:0>width$}", width = places + 1);
                let (whole, fraction) = digits.split_at(digits.len() - places);
                format!("{sign}{whole}.{fraction}")
            }
        }
    }
}

/// What a number with a prefix asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) compare: Compare,
    pub(super) low: Exact,
    pub(super) high: Exact,
    /// The upper end is not included.
    pub(super) is_open: bool,
}

impl Asked {
    /// Reads a number, after a prefix where no comparison is given.
    pub(super) fn read(compare: Option<Compare>, value: &str) -> Option<Asked> {
        let (compare, text) = compare.map_or_else(|| prefix::split(value), |compare| (compare, value));
        let (number, half) = read(text)?;
        let spread = match compare {
            Compare::Eq | Compare::Ne => half,
            // A tenth of the number, and no less than its own digits leave open.
            Compare::Ap => tenth(number, half),
            _ => Exact {
                digits: 0,
                power: half.power,
            },
        };
        let digits = number
            .digits
            .checked_mul(10_i128.checked_pow(number.power.abs_diff(spread.power))?)?;
        let end = |digits| Exact {
            digits,
            power: spread.power,
        };
        Some(Asked {
            compare,
            low: end(digits.checked_sub(spread.digits)?),
            high: end(digits.checked_add(spread.digits)?),
            is_open: matches!(compare, Compare::Eq | Compare::Ne),
        })
    }

    /// The ends, both included.
    pub(super) fn ends(&self, low: f64, high: f64) -> (f64, f64) {
        match self.is_open && high.next_down() >= low {
            true => (low, high.next_down()),
            false => (low, high),
        }
    }
}

/// Compares with a number.
pub(super) fn compared(facet: &Facet<'_>, compare: Option<Compare>, value: &str) -> Result<Criterion> {
    let asked = Asked::read(compare, value).ok_or_else(|| {
        malformed(
            facet.code,
            value,
            &format!("a number such as 100, 5.40 or 1e-3, {}", prefix::EXPECTED),
        )
    })?;
    let (low, high) = asked.ends(asked.low.to_f64(), asked.high.to_f64());
    Ok(Criterion {
        parameter: facet.number,
        test: Test::Number(asked.compare, low, high),
    })
}

/// A number, and half of its last digit as the distance that it leaves open.
fn read(text: &str) -> Option<(Exact, Exact)> {
    let (mantissa, power) = match text.split_once(['e', 'E']) {
        Some((mantissa, power)) => (mantissa, Some(power_of(power)?)),
        None => (text, None),
    };
    // A plus sign of a query arrives as a space; numbers have none in front, so neither is taken.
    let (negative, unsigned) = mantissa
        .strip_prefix('-')
        .map_or((false, mantissa), |rest| (true, rest));
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let all_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let is_number =
        !whole.is_empty() && all_digits(whole) && all_digits(fraction) && !unsigned.ends_with('.');
    if !is_number || whole.trim_start_matches('0').len() + fraction.len() > MAX_DIGITS {
        return None;
    }
    let digits: i128 = format!("{whole}{fraction}").parse().ok()?;
    let places = i32::try_from(fraction.len()).ok()?;
    let number = Exact {
        digits: if negative { -digits } else { digits },
        power: power.unwrap_or(0) - places,
    };
    // `1e2` is meant as `1.0e2`: the specification's own reading.
    let step = if power.is_some() && places == 0 {
        number.power - 1
    } else {
        number.power
    };
    let half = Exact {
        digits: 5,
        power: step - 1,
    };
    (number.power.abs() <= MAX_POWER && number.to_f64().is_finite()).then_some((number, half))
}

fn power_of(text: &str) -> Option<i32> {
    // The plus sign may have come through a form's decoding as a space.
    let unsigned = text.strip_prefix(['-', '+', ' ']).unwrap_or(text);
    let is_power = (1..=4).contains(&unsigned.len()) && unsigned.bytes().all(|b| b.is_ascii_digit());
    let power: i32 = if is_power {
        unsigned.parse().ok()?
    } else {
        return None;
    };
    Some(if text.starts_with('-') { -power } else { power })
}

fn tenth(number: Exact, half: Exact) -> Exact {
    let more = number.power.abs_diff(half.power).saturating_sub(1);
    let tenth = 10_i128.checked_pow(more).and_then(|scale| {
        number
            .digits
            .unsigned_abs()
            .try_into()
            .ok()
            .and_then(|d: i128| d.checked_mul(scale))
    });
    Exact {
        digits: tenth.unwrap_or(half.digits).max(half.digits),
        power: half.power,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(value: &str) -> Option<(Compare, String, String)> {
        let asked = Asked::read(None, value)?;
        Some((asked.compare, asked.low.to_text(), asked.high.to_text()))
    }

    #[test]
    fn digits_say_how_precisely_a_number_is_meant() {
        let cases = [
            ("100", Compare::Eq, "99.5", "100.5"),
            ("100.00", Compare::Eq, "99.995", "100.005"),
            ("1e2", Compare::Eq, "95", "105"),
            ("1.0e2", Compare::Eq, "95", "105"),
            ("1.00e2", Compare::Eq, "99.5", "100.5"),
            ("ne0.0", Compare::Ne, "-0.05", "0.05"),
            ("-5", Compare::Eq, "-5.5", "-4.5"),
            ("5.4e-3", Compare::Eq, "0.00535", "0.00545"),
            ("ap100", Compare::Ap, "90", "110"),
            ("ap-100", Compare::Ap, "-110", "-90"),
            ("ap1", Compare::Ap, "0.5", "1.5"),
        ];
        for (value, compare, low, high) in cases {
            let (found, found_low, found_high) = ends(value).unwrap_or_else(|| panic!("{value}"));
            let number = |text: &str| text.parse::<f64>().unwrap();
            assert_eq!(found, compare, "{value}");
            assert_eq!(
                (number(&found_low), number(&found_high)),
                (number(low), number(high)),
                "{value}"
            );
        }
    }

    #[test]
    fn ordered_comparisons_take_the_number_as_exact() {
        for prefix in ["gt", "lt", "ge", "le", "sa", "eb"] {
            let (_, low, high) = ends(&format!("{prefix}100")).unwrap();
            assert_eq!((low.parse(), high.parse()), (Ok(100.0), Ok(100.0)), "{prefix}");
        }
    }

    #[test]
    fn the_upper_end_is_not_included_and_the_lower_is() {
        let asked = Asked::read(None, "100").unwrap();
        let (low, high) = asked.ends(asked.low.to_f64(), asked.high.to_f64());
        assert_eq!(low, 99.5);
        assert!(high < 100.5 && high > 100.499_999);
    }

    #[test]
    fn what_is_no_number_is_none() {
        for text in [
            "", "e", "1e", "--1", "+1", "1.", ".5", "1e99999", "1e400", "0x1", "NaN", "inf", "1,5", "1_0",
            "gt", "1 2", "١",
        ] {
            assert_eq!(ends(text), None, "{text}");
        }
        assert_eq!(ends(&"9".repeat(31)), None);
    }
}
