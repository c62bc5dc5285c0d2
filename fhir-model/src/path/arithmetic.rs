//! `+ - * / div mod` and the sign (<https://hl7.org/fhirpath/N1/#math-2>).
//!
//! `None` stands for the empty answer: overflow, division by zero, units that do not fit.

use std::borrow::Cow;

use rust_decimal::Decimal;

use super::compare::{is_bare, number};
use super::date_arithmetic;
use super::error::Error;
use super::plan::Operator;
use super::quantity::{self, Quantity, Unit};
use super::units::{self, Units};
use super::value::{System, Value};

/// The result of an operator on two items.
///
/// # Errors
/// The operator is not defined for the types.
pub(super) fn binary<'a>(
    operator: Operator,
    left: &Value<'a>,
    right: &Value<'a>,
    units: &dyn Units,
) -> Result<Option<Value<'a>>, Error> {
    let undefined = || {
        let cure = match (left.system(), right.system()) {
            (Some(System::Date(_) | System::DateTime(_) | System::Time(_)), Some(System::Integer(_))) => {
                "; give the number a unit, such as `7 days`"
            }
            _ => "",
        };
        Error::execution(format!(
            "`{}` is not defined for {} and {}{cure}",
            operator.sign(),
            left.describe(),
            right.describe()
        ))
    };
    let (Some(a), Some(b)) = (left.system(), right.system()) else {
        return if is_bare(left) || is_bare(right) {
            Ok(None)
        } else {
            Err(undefined())
        };
    };
    match (a, b) {
        (System::Integer(a), System::Integer(b)) => Ok(integers(operator, a, b)),
        (System::String(a), System::String(b)) if operator == Operator::Add => {
            Ok(Some(Value::String(Cow::Owned([a, b].concat()))))
        }
        (date @ (System::Date(_) | System::DateTime(_) | System::Time(_)), System::Quantity(amount)) => {
            match operator {
                Operator::Add => date_arithmetic::add(date, &amount, false).map(|v| Some(v.into_value())),
                Operator::Subtract => date_arithmetic::add(date, &amount, true).map(|v| Some(v.into_value())),
                _ => Err(undefined()),
            }
        }
        (a, b) => match (number(&a), number(&b), a, b) {
            (Some(a), Some(b), ..) => Ok(decimals(operator, a, b)),
            (None, None, System::Quantity(a), System::Quantity(b)) => {
                quantities(operator, &a, &b, units, undefined)
            }
            (Some(a), None, _, System::Quantity(b)) => {
                quantities(operator, &Quantity::number(a), &b, units, undefined)
            }
            (None, Some(b), System::Quantity(a), _) => {
                quantities(operator, &a, &Quantity::number(b), units, undefined)
            }
            _ => Err(undefined()),
        },
    }
}

/// The value with its sign changed.
///
/// # Errors
/// It is not a number or quantity.
pub(super) fn negate<'a>(value: &Value<'a>) -> Result<Option<Value<'a>>, Error> {
    match value.system() {
        Some(System::Integer(value)) => Ok(value.checked_neg().map(Value::Integer)),
        Some(System::Decimal(value)) => Ok(Some(Value::Decimal(-value))),
        Some(System::Quantity(q)) => Ok(q.unit.into_owned().map(|unit| {
            Value::Quantity(Quantity {
                value: -q.value,
                unit,
            })
        })),
        None if is_bare(value) => Ok(None),
        _ => Err(Error::execution(format!(
            "{} has no sign; only numbers and quantities have one",
            value.describe()
        ))),
    }
}

fn integers<'a>(operator: Operator, a: i32, b: i32) -> Option<Value<'a>> {
    let integer = |value: Option<i32>| value.map(Value::Integer);
    match operator {
        Operator::Add => integer(a.checked_add(b)),
        Operator::Subtract => integer(a.checked_sub(b)),
        Operator::Multiply => integer(a.checked_mul(b)),
        Operator::Div => integer(a.checked_div(b)),
        Operator::Mod => integer(a.checked_rem(b)),
        _ => decimals(operator, a.into(), b.into()),
    }
}

fn decimals<'a>(operator: Operator, a: Decimal, b: Decimal) -> Option<Value<'a>> {
    let value = match operator {
        Operator::Add => a.checked_add(b)?,
        Operator::Subtract => a.checked_sub(b)?,
        Operator::Multiply => a.checked_mul(b)?,
        Operator::Divide => a.checked_div(b)?,
        Operator::Mod => a.checked_rem(b)?,
        Operator::Div => return i32::try_from(a.checked_div(b)?.trunc()).ok().map(Value::Integer),
        _ => return None,
    };
    Some(Value::Decimal(value))
}

fn quantities<'a>(
    operator: Operator,
    a: &Quantity<'_>,
    b: &Quantity<'_>,
    units: &dyn Units,
    undefined: impl FnOnce() -> Error,
) -> Result<Option<Value<'a>>, Error> {
    let result = match operator {
        Operator::Add => sum(a, b, false, units),
        Operator::Subtract => sum(a, b, true, units),
        Operator::Multiply => product(a, b, 1, units),
        Operator::Divide => product(a, b, -1, units),
        _ => return Err(undefined()),
    };
    Ok(result.map(Value::Quantity))
}

/// The sum in the finer of the two units.
fn sum<'a>(a: &Quantity<'_>, b: &Quantity<'_>, subtract: bool, units: &dyn Units) -> Option<Quantity<'a>> {
    let one = |unit: &Unit<'a>, other: &Quantity<'_>| {
        quantity::convert(
            &Quantity {
                value: Decimal::ONE,
                unit: other.unit.clone(),
            },
            unit.clone(),
            units,
        )
    };
    let (a_unit, b_unit): (Unit<'a>, Unit<'a>) = (a.unit.clone().into_owned()?, b.unit.clone().into_owned()?);
    // The unit of which the other is a multiple is the finer one.
    let unit = if one(&b_unit, a)?.value >= Decimal::ONE {
        b_unit
    } else {
        a_unit
    };
    let x = quantity::convert(a, unit.clone(), units)?.value;
    let y = quantity::convert(b, unit.clone(), units)?.value;
    let value = if subtract {
        x.checked_sub(y)?
    } else {
        x.checked_add(y)?
    };
    Some(Quantity { value, unit })
}

/// The product, or the quotient with `sign` -1. Units of one dimension are brought to the finer one first, so that
/// `cm` times `m` is `cm2`.
fn product<'a>(a: &Quantity<'_>, b: &Quantity<'_>, sign: i32, units: &dyn Units) -> Option<Quantity<'a>> {
    let plain = |q: &Quantity<'_>| q.unit.code() == Some("1");
    let by = |x: Decimal, y: Decimal| {
        if sign < 0 {
            x.checked_div(y)
        } else {
            x.checked_mul(y)
        }
    };
    if plain(b) {
        return Some(Quantity {
            value: by(a.value, b.value)?,
            unit: a.unit.clone().into_owned()?,
        });
    }
    if plain(a) && sign > 0 {
        return Some(Quantity {
            value: by(a.value, b.value)?,
            unit: b.unit.clone().into_owned()?,
        });
    }
    let mut value = by(a.value, b.value)?;
    let mut parts: Vec<(String, i32)> = Vec::new();
    for (code, sign) in [(a.unit.code()?, 1), (b.unit.code()?, sign)] {
        units.canonical(code)?;
        for component in units::components(code)? {
            value = merge(
                &mut parts,
                component.symbol,
                component.exponent * sign,
                value,
                units,
            )?;
        }
    }
    parts.retain(|(_, exponent)| *exponent != 0);
    Some(Quantity {
        value,
        unit: Unit::Ucum(Cow::Owned(units::write(&parts))),
    })
}

/// Adds a symbol to the parts of a unit; gives the value in the unit that results.
fn merge(
    parts: &mut Vec<(String, i32)>,
    symbol: &str,
    exponent: i32,
    value: Decimal,
    units: &dyn Units,
) -> Option<Decimal> {
    let unit = units.canonical(symbol)?;
    if symbol == "1" {
        return Some(value);
    }
    for (known, power) in parts.iter_mut() {
        if known == symbol {
            *power = power.checked_add(exponent)?;
            return Some(value);
        }
        let other = units.canonical(known)?;
        if unit.is_number() || !unit.is_comparable(&other) {
            continue;
        }
        let ratio = unit.ratio(&other)?.to_decimal()?;
        let value = if ratio >= Decimal::ONE {
            scale(value, ratio, exponent)?
        } else {
            let value = scale(value, other.ratio(&unit)?.to_decimal()?, *power)?;
            *known = symbol.to_owned();
            value
        };
        *power = power.checked_add(exponent)?;
        return Some(value);
    }
    parts.push((symbol.to_owned(), exponent));
    Some(value)
}

/// The value times the ratio to that power.
fn scale(value: Decimal, ratio: Decimal, power: i32) -> Option<Decimal> {
    (0..power.unsigned_abs()).try_fold(value, |v, _| {
        if power < 0 {
            v.checked_div(ratio)
        } else {
            v.checked_mul(ratio)
        }
    })
}
