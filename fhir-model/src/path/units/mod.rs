//! Units of measure, behind a trait: what comparing, converting and multiplying quantities needs of UCUM
//! (<https://ucum.org/ucum>).
//!
//! [`Ucum`], the built-in, knows every unit of UCUM that converts by a factor, the temperatures, and the units fixed by
//! a procedure. An application with a full UCUM service may put that behind [`Units`] instead.
//!
//! Invariant: a code that is not understood as a whole is unknown; nothing of it is guessed.

mod atoms;
mod scaled;
mod term;

use rust_decimal::Decimal;

pub(super) use scaled::Scaled;
pub(super) use term::{Component, components, write};

/// What is known of a unit: how it is written in base units.
#[derive(Clone, Debug, PartialEq)]
pub struct Canonical {
    /// The factor to base units, as a fraction of two numbers so that ninths and sevenths lose nothing.
    numerator: Scaled,
    denominator: Scaled,
    /// Added to a value before the factor is applied; zero for all units but the temperature scales.
    offset: Decimal,
    /// Base units (or units fixed by a procedure) and their exponents, sorted, none zero.
    dimension: Vec<(String, i32)>,
}

impl Canonical {
    /// A unit of that factor (a fraction) to base units, with the base units and their exponents.
    pub fn new(numerator: Decimal, denominator: Decimal, dimension: Vec<(String, i32)>) -> Self {
        let mut unit = Canonical {
            numerator: Scaled::new(numerator, 0),
            denominator: Scaled::new(denominator, 0),
            offset: Decimal::ZERO,
            dimension,
        };
        unit.tidy();
        unit
    }

    /// Whether values of both units can be compared.
    pub fn is_comparable(&self, other: &Canonical) -> bool {
        self.dimension == other.dimension
    }

    /// Whether the unit is a mere number, such as `1` or `%`.
    pub(super) fn is_number(&self) -> bool {
        self.dimension.is_empty()
    }

    /// A value of this unit and one of another in the same measure, without division: for comparison.
    pub(super) fn common(
        &self,
        value: Decimal,
        other: &Canonical,
        other_value: Decimal,
    ) -> Option<(Scaled, Scaled)> {
        let mine = Scaled::new(value.checked_add(self.offset)?, 0);
        let others = Scaled::new(other_value.checked_add(other.offset)?, 0);
        Some((
            mine * self.numerator * other.denominator,
            others * other.numerator * self.denominator,
        ))
    }

    /// How many of the other unit one of this unit is.
    pub(super) fn ratio(&self, other: &Canonical) -> Option<Scaled> {
        (self.numerator * other.denominator).divide(other.numerator * self.denominator)
    }

    /// A value of this unit in another unit; `None` where they are not comparable or the result is out of range.
    pub fn convert(&self, value: Decimal, other: &Canonical) -> Option<Decimal> {
        if !self.is_comparable(other) {
            return None;
        }
        // Dividing last keeps what can be exact exact.
        let value = Scaled::new(value.checked_add(self.offset)?, 0);
        let value =
            (value * self.numerator * other.denominator).divide(other.numerator * self.denominator)?;
        value
            .to_decimal()?
            .checked_sub(other.offset)
            .map(|v| v.normalize())
    }

    /// A value of this unit as a number of base units, to the nearest binary fraction; `None` beyond the range of a
    /// decimal.
    pub fn to_base(&self, value: Decimal) -> Option<f64> {
        let value = Scaled::new(value.checked_add(self.offset)?, 0);
        Some((value * self.numerator).divide(self.denominator)?.to_f64())
    }

    /// The base units, as a code of UCUM: `g/m3`; `1` for a mere number. The same for all units that are comparable.
    pub fn base_units(&self) -> String {
        write(&self.dimension)
    }

    fn tidy(&mut self) {
        self.dimension.sort();
        self.dimension.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                kept.1 = kept.1.saturating_add(next.1);
            }
            same
        });
        self.dimension.retain(|(_, exponent)| *exponent != 0);
    }
}

/// A source of units.
pub trait Units: Send + Sync {
    /// The unit of that UCUM code in base units; `None` for a code that is not known.
    fn canonical(&self, code: &str) -> Option<Canonical>;
}

/// The built-in units of UCUM.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ucum;

impl Units for Ucum {
    fn canonical(&self, code: &str) -> Option<Canonical> {
        if code.len() > MAX_CODE {
            return None;
        }
        let mut unit = one();
        for component in components(code)? {
            times(&mut unit, &component)?;
        }
        unit.tidy();
        Some(unit)
    }
}

/// Longer codes are not units.
const MAX_CODE: usize = 128;
/// Greater exponents are no measure of anything.
const MAX_EXPONENT: i32 = 64;

/// UCUM's prefixes and their powers of ten.
const PREFIXES: [(&str, i32); 20] = [
    ("Y", 24),
    ("Z", 21),
    ("E", 18),
    ("P", 15),
    ("T", 12),
    ("G", 9),
    ("M", 6),
    ("k", 3),
    ("h", 2),
    ("da", 1),
    ("d", -1),
    ("c", -2),
    ("m", -3),
    ("u", -6),
    ("n", -9),
    ("p", -12),
    ("f", -15),
    ("a", -18),
    ("z", -21),
    ("y", -24),
];

/// The prefixes of powers of 1,024.
const BINARY_PREFIXES: [(&str, u32); 4] = [("Ki", 10), ("Mi", 20), ("Gi", 30), ("Ti", 40)];

/// The base units; all take prefixes.
const BASE: [&str; 7] = ["C", "K", "cd", "g", "m", "rad", "s"];

fn one() -> Canonical {
    Canonical {
        numerator: Scaled::ONE,
        denominator: Scaled::ONE,
        offset: Decimal::ZERO,
        dimension: Vec::new(),
    }
}

/// Multiplies the unit by a component.
fn times(unit: &mut Canonical, component: &Component<'_>) -> Option<()> {
    let part = symbol(component.symbol)?;
    let exponent = component.exponent;
    let (offset_here, offset_before) = (!part.offset.is_zero(), !unit.offset.is_zero());
    // A temperature scale stands alone; within a product it has no meaning.
    if offset_before || (offset_here && (exponent != 1 || *unit != one())) {
        return None;
    }
    let power = exponent.unsigned_abs();
    if power > MAX_EXPONENT.unsigned_abs() {
        return None;
    }
    let (over, under) = (part.numerator.power(power), part.denominator.power(power));
    let (over, under) = if exponent < 0 {
        (under, over)
    } else {
        (over, under)
    };
    unit.numerator = unit.numerator * over;
    unit.denominator = unit.denominator * under;
    unit.offset = part.offset;
    unit.dimension
        .extend(part.dimension.into_iter().map(|(name, e)| (name, e * exponent)));
    Some(())
}

/// The unit of a symbol: a number, a unit, or a prefix and a unit.
fn symbol(text: &str) -> Option<Canonical> {
    if text.bytes().all(|b| b.is_ascii_digit()) {
        return Some(Canonical {
            numerator: Scaled::parse(text)?,
            ..one()
        });
    }
    if let Some((unit, _)) = named(text) {
        return Some(unit);
    }
    let metric = |rest: &str| named(rest).filter(|(_, metric)| *metric).map(|(unit, _)| unit);
    let decimal = PREFIXES.iter().find_map(|(prefix, power)| {
        let unit = metric(text.strip_prefix(prefix)?)?;
        Some((unit, Scaled::ten(*power)))
    });
    let binary = || {
        BINARY_PREFIXES.iter().find_map(|(prefix, power)| {
            let unit = metric(text.strip_prefix(prefix)?)?;
            Some((unit, Scaled::parse("2")?.power(*power)))
        })
    };
    let (unit, factor) = decimal.or_else(binary)?;
    let offset = Scaled::new(unit.offset, 0).divide(factor)?.to_decimal()?;
    Some(Canonical {
        numerator: unit.numerator * factor,
        offset,
        ..unit
    })
}

/// The unit of that very code, and whether it takes prefixes.
fn named(code: &str) -> Option<(Canonical, bool)> {
    let alone = |name: &str| Canonical {
        dimension: vec![(name.to_owned(), 1)],
        ..one()
    };
    if BASE.contains(&code) {
        return Some((alone(code), true));
    }
    if let Ok(index) = atoms::ARBITRARY.binary_search_by(|(c, _)| (*c).cmp(code)) {
        return atoms::ARBITRARY
            .get(index)
            .map(|(_, metric)| (alone(code), *metric));
    }
    if let Some(scale) = temperature(code) {
        return Some((scale, code == "Cel"));
    }
    let index = atoms::ATOMS.binary_search_by(|a| a.code.cmp(code)).ok()?;
    let atom = atoms::ATOMS.get(index)?;
    let mut unit = Canonical {
        numerator: Scaled::parse(atom.value)?,
        ..one()
    };
    for component in components(atom.unit)? {
        times(&mut unit, &component)?;
    }
    Some((unit, atom.metric))
}

/// The temperature scales: kelvins are (value + offset) times a factor.
fn temperature(code: &str) -> Option<Canonical> {
    let (offset, over, under) = match code {
        "Cel" => (Decimal::new(27315, 2), 1, 1),
        "[degF]" => (Decimal::new(45967, 2), 5, 9),
        "[degRe]" => (Decimal::new(21852, 2), 5, 4),
        _ => return None,
    };
    Some(Canonical {
        offset,
        ..Canonical::new(over.into(), under.into(), vec![("K".to_owned(), 1)])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn convert(value: &str, from: &str, to: &str) -> Option<String> {
        let (from, to) = (Ucum.canonical(from)?, Ucum.canonical(to)?);
        from.convert(value.parse().unwrap(), &to).map(|d| d.to_string())
    }

    #[test]
    fn tables_are_sorted_and_every_unit_resolves() {
        assert!(atoms::ATOMS.is_sorted_by(|a, b| a.code < b.code));
        assert!(atoms::ARBITRARY.is_sorted());
        for atom in &atoms::ATOMS {
            assert!(Ucum.canonical(atom.code).is_some(), "{}", atom.code);
        }
    }

    #[test]
    fn values_convert_as_ucum_says() {
        for (value, from, to, expected) in [
            ("4", "g", "mg", "4000"),
            ("1", "[in_i]", "cm", "2.54"),
            ("185", "[lb_av]", "kg", "83.91458845"),
            ("37", "Cel", "[degF]", "98.6"),
            ("98.6", "[degF]", "Cel", "37"),
            ("1", "mm[Hg]", "Pa", "133.322"),
            ("5.5", "mmol/L", "mol/m3", "5.5"),
            ("1", "kg.m/s2", "N", "1"),
            ("3", "10*3/uL", "/nL", "3"),
            ("2", "wk", "d", "14"),
            ("50", "%", "1", "0.5"),
            ("1", "{score}", "1", "1"),
            ("60", "{beats}/min", "Hz", "1"),
            ("1", "KiBy", "By", "1024"),
            ("1", "(m/s)2", "m2/s2", "1"),
        ] {
            assert_eq!(
                convert(value, from, to).as_deref(),
                Some(expected),
                "{value} {from} to {to}"
            );
        }
    }

    #[test]
    fn units_of_other_dimensions_and_unknown_units_do_not_convert() {
        for (from, to) in [
            ("cm", "s"),
            ("[IU]", "mg"),
            ("m", "m2"),
            ("Cel", "[lb_av]"),
            ("wibble", "m"),
            ("m", ""),
        ] {
            assert_eq!(convert("1", from, to), None, "{from} to {to}");
        }
        for code in [
            "m//s",
            "m.",
            "(m",
            "m)",
            "kwk",
            "m2000",
            "Cel2",
            "Cel.m",
            "m^2",
            &"(".repeat(100),
            "1e3",
            "é",
        ] {
            assert_eq!(Ucum.canonical(code), None, "{code}");
        }
    }
}
