//! Quantities in UCUM's base units (<https://ucum.org/ucum>), so that `5 mg` finds `0.005 g`.
//!
//! The units are those of [`fhir_model::path::units`], which FHIRPath compares quantities with: one truth for both, exact fractions
//! in decimals up to the last step.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use fhir_model::Decimal;
use fhir_model::path::units::{Canonical, Ucum, Units};

/// The system of UCUM's codes.
pub(crate) const SYSTEM: &str = "http://unitsofmeasure.org";

/// A number of that unit as a number of base units, and those; `None` for a unit that is not known or stands on a scale that does not
/// convert by a factor, for text that is no decimal, and for numbers beyond 28 digits before the point.
pub(crate) fn canonical(value: &str, code: &str) -> Option<(f64, String)> {
    let unit = unit(code)?;
    let value: Decimal = value.parse().ok()?;
    Some((unit.canonical.to_base(value.rounded()?)?, unit.base_units.clone()))
}

/// A unit that was worked out.
struct Unit {
    canonical: Canonical,
    base_units: String,
}

/// Units that are kept at most. Records use a few dozen, but each may have words in braces, so that there is no end to them.
const MOST_KEPT: usize = 1_024;

/// The unit of a code. Working it out takes longer than all else that is done with a quantity, so units are kept; where there are more
/// than so many, all are worked out anew.
fn unit(code: &str) -> Option<Arc<Unit>> {
    static KEPT: LazyLock<RwLock<HashMap<String, Arc<Unit>>>> = LazyLock::new(RwLock::default);
    let known = KEPT
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .get(code)
        .cloned();
    if known.is_some() {
        return known;
    }
    let canonical = Ucum.canonical(code)?;
    let base_units = canonical.base_units();
    let unit = Arc::new(Unit {
        canonical,
        base_units,
    });
    let mut kept = KEPT.write().unwrap_or_else(PoisonError::into_inner);
    if kept.len() >= MOST_KEPT {
        kept.clear();
    }
    kept.insert(code.to_owned(), unit.clone());
    Some(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Unit, what one (or that many) of it is in base units.
    const CONVERSIONS: [(&str, &str, &str, f64); 34] = [
        ("1", "mg", "g", 1e-3),
        ("2.5", "kg", "g", 2500.0),
        ("5", "ug", "g", 5e-6),
        ("1", "L", "m3", 1e-3),
        ("1", "l", "m3", 1e-3),
        ("250", "mL", "m3", 2.5e-4),
        ("1", "dL", "m3", 1e-4),
        ("100", "mg/dL", "g/m3", 1000.0),
        ("1", "g/L", "g/m3", 1000.0),
        ("180", "cm", "m", 1.8),
        ("1", "[in_i]", "m", 0.0254),
        ("1", "[ft_i]", "m", 0.3048),
        ("1", "[lb_av]", "g", 453.59237),
        ("1", "[oz_av]", "g", 28.349_523_125),
        ("120", "mm[Hg]", "g/m/s2", 15_998_640.0),
        ("1", "kPa", "g/m/s2", 1e6),
        ("37", "Cel", "K", 310.15),
        ("98.6", "[degF]", "K", 310.15),
        ("72", "/min", "/s", 1.2),
        ("72", "{beats}/min", "/s", 1.2),
        ("1", "h", "s", 3600.0),
        ("1", "d", "s", 86_400.0),
        ("1", "wk", "s", 604_800.0),
        ("1", "a", "s", 31_557_600.0),
        ("1", "mo", "s", 2_629_800.0),
        ("50", "%", "1", 0.5),
        ("1", "10*3/uL", "/m3", 1e12),
        ("1", "10*9/L", "/m3", 1e12),
        ("1", "mol", "1", 6.022_140_76e23),
        ("5", "mmol/L", "/m3", 3.011_070_38e24),
        ("1", "kcal", "g.m2/s2", 4_184_000.0),
        ("1", "[IU]/L", "[iU]/m3", 1000.0),
        ("1", "kg/m2", "g/m2", 1000.0),
        ("60", "mL/min/{1.73_m2}", "m3/s", 1e-6),
    ];

    #[test]
    fn quantities_are_taken_to_base_units() {
        for (value, code, units, expected) in CONVERSIONS {
            let (number, base) = canonical(value, code).unwrap_or_else(|| panic!("{code} is not known"));
            assert_eq!(base, units, "{value} {code}");
            let off = (number - expected).abs() / expected;
            assert!(off < 1e-12, "{value} {code}: {number}, not {expected}");
        }
    }

    #[test]
    fn the_same_quantity_is_the_same_number_to_the_last_bit() {
        for (a, b) in [
            (("0.005", "g"), ("5", "mg")),
            (("98.6", "[degF]"), ("37", "Cel")),
            (("1", "[ft_i]"), ("12", "[in_i]")),
            (("0.1", "g/L"), ("10", "mg/dL")),
            (("1e3", "mL"), ("1.000", "L")),
            (("-4", "Cel"), ("269.15", "K")),
        ] {
            assert_eq!(canonical(a.0, a.1), canonical(b.0, b.1), "{a:?} {b:?}");
        }
    }

    #[test]
    fn more_units_than_are_kept_are_still_known() {
        for n in 0..2 * MOST_KEPT + 3 {
            let found = canonical("1000", &format!("mg{{{n}}}"));
            assert_eq!(found, Some((1.0, "g".to_owned())), "{n}");
        }
    }

    #[test]
    fn what_does_not_convert_has_no_base() {
        for (value, code) in [
            ("7", "[pH]x"),
            ("1", "wibble"),
            ("x", "mg"),
            ("", "mg"),
            ("1e999999999", "mg"),
            ("1", ""),
            ("1", "mg "),
        ] {
            assert_eq!(canonical(value, code), None, "{value} {code}");
        }
    }
}
