//! Rows of quantity parameters (<https://hl7.org/fhir/R4/search.html#quantity>): quantities with what their comparator leaves open, ranges,
//! amounts of money, the values of sampled data; and the same in UCUM's base units where the unit is UCUM's.

use fhir_model::path::Value;
use fhir_model::reflect::{Complex, Node};
use fhir_model::{Age, Count, Decimal, Distance, Duration, Money, Quantity, Range, SampledData};

use super::rows::{Rows, TooMany};
use crate::search::ucum;
use crate::store::{Aspect, IndexValue};

/// The system of the codes of currencies.
const CURRENCIES: &str = "urn:iso:std:iso:4217";

/// An amount: bounds as decimals, those that are open absent, and the unit.
#[derive(Clone, Copy, Debug, Default)]
struct Amount<'q> {
    low: Option<&'q Decimal>,
    high: Option<&'q Decimal>,
    /// The comparator of a quantity, which excludes the bound: `<` and `>`.
    exclusive: bool,
    system: Option<&'q str>,
    code: Option<&'q str>,
    unit: Option<&'q str>,
}

pub(super) fn rows(value: &Value<'_>, rows: &mut Rows<'_>) -> Result<(), TooMany> {
    let Value::Node(Node::Complex(complex)) = value else {
        return Ok(());
    };
    if let Some(sampled) = complex.as_any().downcast_ref::<SampledData>() {
        return of_sampled(sampled, rows);
    }
    if let Some(range) = complex.as_any().downcast_ref::<Range>() {
        return of_range(range, rows);
    }
    match amount(*complex) {
        Some(amount) => push(&amount, rows),
        None => Ok(()),
    }
}

/// The bounds of a quantity or range, whatever its unit.
pub(super) fn bounds(complex: &dyn Complex) -> Option<(f64, f64)> {
    if let Some(range) = complex.as_any().downcast_ref::<Range>() {
        let end = |end: &Option<Box<Quantity>>| {
            end.as_deref()
                .and_then(|q| q.value.value.as_ref())
                .map(Decimal::to_f64)
        };
        let (low, high) = (end(&range.low), end(&range.high));
        return (low.is_some() || high.is_some())
            .then(|| (low.unwrap_or(f64::NEG_INFINITY), high.unwrap_or(f64::INFINITY)));
    }
    amount(complex).map(|amount| amount.spread(Decimal::to_f64))
}

macro_rules! quantities {
    ($any:ident: $($name:ty),*) => {
        $(if let Some(q) = $any.downcast_ref::<$name>() {
            let value = q.value.value.as_ref()?;
            return Some(compared(value, q.comparator.as_str(), q.system.as_str(), q.code.as_str(), q.unit.as_str()));
        })*
    };
}

/// A quantity, one of the types that specialise it, or an amount of money.
fn amount(complex: &dyn Complex) -> Option<Amount<'_>> {
    let any = complex.as_any();
    quantities!(any: Quantity, Age, Duration, Count, Distance);
    let money = any.downcast_ref::<Money>()?;
    let value = money.value.value.as_ref()?;
    let code = money.currency.as_str();
    Some(compared(value, None, code.map(|_| CURRENCIES), code, None))
}

fn compared<'q>(
    value: &'q Decimal,
    comparator: Option<&str>,
    system: Option<&'q str>,
    code: Option<&'q str>,
    unit: Option<&'q str>,
) -> Amount<'q> {
    let below = matches!(comparator, Some("<" | "<="));
    let above = matches!(comparator, Some(">" | ">="));
    Amount {
        low: (!below).then_some(value),
        high: (!above).then_some(value),
        exclusive: matches!(comparator, Some("<" | ">")),
        system,
        code,
        unit,
    }
}

impl Amount<'_> {
    /// Both bounds as numbers. An excluded bound is the next number after it.
    fn spread(&self, number: impl Fn(&Decimal) -> f64) -> (f64, f64) {
        let low = self.low.map_or(f64::NEG_INFINITY, &number);
        let high = self.high.map_or(f64::INFINITY, &number);
        match (self.exclusive, self.low) {
            (false, _) => (low, high),
            (true, None) => (low, high.next_down()),
            (true, Some(_)) => (low.next_up(), high),
        }
    }
}

fn push(amount: &Amount<'_>, rows: &mut Rows<'_>) -> Result<(), TooMany> {
    let (low, high) = amount.spread(Decimal::to_f64);
    let owned = |text: Option<&str>| text.map(str::to_owned);
    rows.push(IndexValue::Quantity {
        low,
        high,
        system: owned(amount.system),
        code: owned(amount.code),
        unit: owned(amount.unit),
    })?;
    push_canonical(amount, rows)
}

/// The amount in base units, where its unit is one of UCUM that converts.
fn push_canonical(amount: &Amount<'_>, rows: &mut Rows<'_>) -> Result<(), TooMany> {
    let Some(code) = amount.code.filter(|_| amount.system == Some(ucum::SYSTEM)) else {
        return Ok(());
    };
    let base = |bound: Option<&Decimal>| bound.map(|b| ucum::canonical(b.as_str(), code));
    let low = base(amount.low);
    // Both ends of a quantity are one number.
    let is_same = amount
        .low
        .zip(amount.high)
        .is_some_and(|(low, high)| std::ptr::eq(low, high));
    let high = if is_same { low.clone() } else { base(amount.high) };
    let units = match (&low, &high) {
        (Some(None), _) | (_, Some(None)) | (None, None) => return Ok(()),
        (Some(Some((_, units))), _) | (_, Some(Some((_, units)))) => units.clone(),
    };
    let number = |bound: &Option<Option<(f64, String)>>, open| {
        bound.as_ref().and_then(Option::as_ref).map_or(open, |b| b.0)
    };
    let (mut low, mut high) = (number(&low, f64::NEG_INFINITY), number(&high, f64::INFINITY));
    if amount.exclusive {
        match amount.low {
            None => high = high.next_down(),
            Some(_) => low = low.next_up(),
        }
    }
    rows.push_aspect(Aspect::Canonical, in_base_units(low, high, units))
}

fn in_base_units(low: f64, high: f64, units: String) -> IndexValue {
    IndexValue::Quantity {
        low,
        high,
        system: None,
        code: Some(units),
        unit: None,
    }
}

/// From low to high. Where the ends are in different units, only base units can hold both.
fn of_range(range: &Range, rows: &mut Rows<'_>) -> Result<(), TooMany> {
    let end = |end: &'_ Option<Box<Quantity>>| end.as_deref().filter(|q| q.value.value.is_some()).cloned();
    match (end(&range.low), end(&range.high)) {
        (None, None) => Ok(()),
        (Some(low), Some(high)) if unit_of(&low) != unit_of(&high) => {
            let base = |q: &Quantity| {
                let code = q
                    .code
                    .as_str()
                    .filter(|_| q.system.as_str() == Some(ucum::SYSTEM))?;
                ucum::canonical(q.value.value.as_ref()?.as_str(), code)
            };
            match (base(&low), base(&high)) {
                (Some((low, units)), Some((high, same))) if units == same => {
                    rows.push_aspect(Aspect::Canonical, in_base_units(low, high, units))
                }
                _ => Ok(()),
            }
        }
        (low, high) => {
            let Some(either) = low.as_ref().or(high.as_ref()) else {
                return Ok(());
            };
            let amount = Amount {
                low: low.as_ref().and_then(|q| q.value.value.as_ref()),
                high: high.as_ref().and_then(|q| q.value.value.as_ref()),
                exclusive: false,
                system: either.system.as_str(),
                code: either.code.as_str(),
                unit: either.unit.as_str(),
            };
            push(&amount, rows)
        }
    }
}

/// A unit by its code, else by its words.
fn unit_of(quantity: &Quantity) -> (Option<&str>, Option<&str>) {
    match quantity.code.as_str() {
        Some(code) => (quantity.system.as_str(), Some(code)),
        None => (None, quantity.unit.as_str()),
    }
}

/// From the least sample to the greatest: `origin` plus the samples times `factor`
/// (<https://hl7.org/fhir/R4/datatypes.html#SampledData>). `L` and `U` are samples beyond the limits of detection, `E` is none.
fn of_sampled(sampled: &SampledData, rows: &mut Rows<'_>) -> Result<(), TooMany> {
    let Some(origin) = sampled.origin.as_deref() else {
        return Ok(());
    };
    let number = |decimal: Option<&Decimal>| decimal.and_then(Decimal::rounded);
    let one = Decimal::from(1);
    let factor = sampled.factor.value.as_ref().unwrap_or(&one);
    let (Some(zero), Some(factor)) = (number(origin.value.value.as_ref()), number(Some(factor))) else {
        return Ok(());
    };
    let value = |sample: &str| -> Option<Decimal> {
        let sample = sample.parse::<Decimal>().ok()?.rounded()?;
        Some(sample.checked_mul(factor)?.checked_add(zero)?.into())
    };
    let (mut low, mut high): (Option<Decimal>, Option<Decimal>) = (None, None);
    let (mut below, mut above) = (false, false);
    for sample in sampled.data.as_str().unwrap_or_default().split_ascii_whitespace() {
        match sample {
            "L" => below = true,
            "U" => above = true,
            _ => {
                let Some(value) = value(sample) else { continue };
                if low.as_ref().is_none_or(|low| value.compare(low).is_lt()) {
                    low = Some(value.clone());
                }
                if high.as_ref().is_none_or(|high| value.compare(high).is_gt()) {
                    high = Some(value);
                }
            }
        }
    }
    if low.is_none() && !below && !above {
        return Ok(());
    }
    let amount = Amount {
        low: low.as_ref().or(high.as_ref()).filter(|_| !below),
        high: high.as_ref().filter(|_| !above),
        exclusive: false,
        system: origin.system.as_str(),
        code: origin.code.as_str(),
        unit: origin.unit.as_str(),
    };
    push(&amount, rows)
}
