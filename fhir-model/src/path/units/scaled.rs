//! Numbers with a decimal exponent, for the factors of units: from 1e-34 to 1e24 without loss of digits.

use std::cmp::Ordering;
use std::ops::Mul;

use rust_decimal::Decimal;

/// `mantissa` times ten to the `exponent`; the mantissa is zero or from 1 to below 10 in size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::path) struct Scaled {
    mantissa: Decimal,
    exponent: i32,
}

impl Scaled {
    pub(in crate::path) const ONE: Scaled = Scaled {
        mantissa: Decimal::ONE,
        exponent: 0,
    };

    pub(in crate::path) fn new(value: Decimal, exponent: i32) -> Self {
        if value.is_zero() {
            return Scaled {
                mantissa: Decimal::ZERO,
                exponent: 0,
            };
        }
        let mut mantissa = value.normalize();
        let digits = mantissa.mantissa().unsigned_abs().ilog10();
        let shift = digits as i32 - mantissa.scale() as i32;
        match mantissa.set_scale(digits) {
            Ok(()) => Scaled {
                mantissa,
                exponent: exponent.saturating_add(shift),
            },
            Err(_) => Scaled {
                mantissa: value,
                exponent,
            },
        }
    }

    /// Reads `12`, `0.5`, `1e3` or `1.66e-24`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (digits, exponent) = text.split_once('e').unwrap_or((text, "0"));
        Some(Scaled::new(digits.parse().ok()?, exponent.parse().ok()?))
    }

    /// Ten to that power.
    pub(super) fn ten(exponent: i32) -> Self {
        Scaled {
            mantissa: Decimal::ONE,
            exponent,
        }
    }

    /// The power with a whole exponent of zero or more.
    pub(super) fn power(self, exponent: u32) -> Self {
        (0..exponent).fold(Scaled::ONE, |product, _| product * self)
    }

    /// The quotient, rounded to 28 digits; `None` for division by zero.
    pub(in crate::path) fn divide(self, other: Scaled) -> Option<Self> {
        let quotient = self.mantissa.checked_div(other.mantissa)?;
        Some(Scaled::new(quotient, self.exponent - other.exponent))
    }

    /// The nearest binary fraction.
    pub(super) fn to_f64(self) -> f64 {
        let text = format!("{}e{}", self.mantissa, self.exponent);
        text.parse().unwrap_or(f64::NAN)
    }

    /// The sum, where it is not beyond the range of a decimal.
    pub(in crate::path) fn to_decimal(self) -> Option<Decimal> {
        shifted(self.mantissa, self.exponent).map(|d| d.normalize())
    }
}

impl Mul for Scaled {
    type Output = Scaled;
    fn mul(self, other: Scaled) -> Scaled {
        // Both are below 10, so the product is in range.
        let product = self.mantissa.checked_mul(other.mantissa).unwrap_or(Decimal::ZERO);
        Scaled::new(product, self.exponent.saturating_add(other.exponent))
    }
}

impl PartialOrd for Scaled {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        let signs = (self.mantissa.is_zero(), self.mantissa.is_sign_negative());
        let others = (other.mantissa.is_zero(), other.mantissa.is_sign_negative());
        let size = self.exponent.cmp(&other.exponent);
        Some(match (signs, others) {
            ((true, _), _) | (_, (true, _)) | ((_, true), (_, false)) | ((_, false), (_, true)) => {
                self.mantissa.cmp(&other.mantissa)
            }
            ((_, false), _) => size.then(self.mantissa.cmp(&other.mantissa)),
            ((_, true), _) => size.reverse().then(self.mantissa.cmp(&other.mantissa)),
        })
    }
}

/// The decimal point moved by that many places to the right (to the left below zero).
fn shifted(value: Decimal, places: i32) -> Option<Decimal> {
    let mut result = value;
    if places <= 0 {
        let scale = value.scale().checked_add(places.unsigned_abs())?;
        if scale <= 28 {
            result.set_scale(scale).ok()?;
            return Some(result);
        }
        // More places than fit: the last ones are rounded away.
        let mut small = value.round_dp(28u32.saturating_sub(places.unsigned_abs()));
        small
            .set_scale((small.scale() + places.unsigned_abs()).min(28))
            .ok()?;
        return (!small.is_zero() || value.is_zero()).then_some(small);
    }
    let places = places.unsigned_abs();
    let kept = value.scale().min(places);
    result.set_scale(value.scale() - kept).ok()?;
    for _ in kept..places {
        result = result.checked_mul(Decimal::TEN)?;
    }
    Some(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Scaled {
        Scaled::parse(text).unwrap()
    }

    #[test]
    fn products_and_quotients_keep_their_digits() {
        assert_eq!(
            (of("7000") * of("64.79891")).to_decimal(),
            Some("453592.37".parse().unwrap())
        );
        assert_eq!(of("1e-24") * of("1e24"), Scaled::ONE);
        assert_eq!(
            of("6.02e23").divide(of("2e23")).unwrap().to_decimal(),
            Some("3.01".parse().unwrap())
        );
        assert_eq!(
            of("0.00025"),
            Scaled {
                mantissa: "2.5".parse().unwrap(),
                exponent: -4
            }
        );
        assert_eq!(of("2.0").power(10), of("1024"));
        assert_eq!(of("1e60").to_decimal(), None);
    }

    #[test]
    fn order_follows_sign_then_size() {
        let sorted = ["-1e5", "-2", "-0.1", "0", "0.002", "1", "9.99", "10", "1e30"];
        for pair in sorted.windows(2) {
            assert!(of(pair[0]) < of(pair[1]), "{pair:?}");
        }
    }
}
