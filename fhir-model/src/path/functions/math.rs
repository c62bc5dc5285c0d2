//! Functions on numbers (<https://hl7.org/fhirpath/#math>). What a number cannot hold is empty.
//!
//! Roots, powers with fractions, exponentials and logarithms are computed in binary floating point and rounded to 15
//! digits; all else is exact.

use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};

use super::{Function, input_name, one};
use crate::path::compare::{is_bare, number};
use crate::path::error::Error;
use crate::path::eval::{Evaluator, Scope};
use crate::path::plan::Call;
use crate::path::quantity::Quantity;
use crate::path::value::{Collection, System, Value};

impl<'a> Evaluator<'a> {
    pub(super) fn math(
        &mut self,
        call: &'a Call,
        input: Collection<'a>,
        scope: Scope<'a, '_>,
    ) -> Result<Collection<'a>, Error> {
        let Some(value) = one(&input, || input_name(call))? else {
            return Ok(Collection::new());
        };
        let not_a_number = || {
            let name = call.function.name();
            Error::execution(format!("{name}() takes a number, here is {}", value.describe()))
        };
        let system = match value.system() {
            Some(system) => system,
            None if is_bare(value) => return Ok(Collection::new()),
            None => return Err(not_a_number()),
        };
        if let (Function::Abs, System::Quantity(quantity)) = (call.function, &system) {
            let unit = quantity.unit.clone().into_owned();
            return Ok(unit
                .map(|unit| {
                    Value::Quantity(Quantity {
                        value: quantity.value.abs(),
                        unit,
                    })
                })
                .into());
        }
        let decimal = number(&system).ok_or_else(not_a_number)?;
        Ok(match call.function {
            Function::Abs => match system {
                System::Integer(value) => value.checked_abs().map(Value::Integer).into(),
                _ => Value::Decimal(decimal.abs()).into(),
            },
            Function::Ceiling => integer(decimal.ceil()),
            Function::Floor => integer(decimal.floor()),
            Function::Truncate => integer(decimal.trunc()),
            Function::Sqrt => sqrt(decimal),
            Function::Exp => of_float(decimal.to_f64().map(f64::exp)),
            Function::Ln => of_float(decimal.to_f64().filter(|x| *x > 0.0).map(f64::ln)),
            Function::Round => {
                let places = self.integer_argument(call, 0, scope)?.unwrap_or(0);
                let places = u32::try_from(places)
                    .map_err(|_| Error::execution("round() takes a precision of zero or more"))?;
                Value::Decimal(decimal.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero))
                    .into()
            }
            function => {
                let argument = self.argument(call, 0, scope)?;
                let Some(argument) = one(&argument, || super::argument_name(call, 0))? else {
                    return Ok(Collection::new());
                };
                let Some(by) = argument.system() else {
                    return Ok(Collection::new());
                };
                let by_decimal = number(&by).ok_or_else(|| {
                    let name = function.name();
                    Error::execution(format!(
                        "{name}() takes a number as argument, here is {}",
                        argument.describe()
                    ))
                })?;
                match (function, system, by) {
                    (Function::Power, System::Integer(base), System::Integer(exponent)) if exponent >= 0 => {
                        let exponent = u32::try_from(exponent).unwrap_or(0);
                        base.checked_pow(exponent).map(Value::Integer).into()
                    }
                    (Function::Power, ..) => power(decimal, by_decimal),
                    _ => log(decimal, by_decimal),
                }
            }
        })
    }
}

fn integer<'a>(value: Decimal) -> Collection<'a> {
    value.to_i32().map(Value::Integer).into()
}

fn of_float<'a>(value: Option<f64>) -> Collection<'a> {
    value
        .filter(|v| v.is_finite())
        .and_then(|v| Decimal::try_from(v).ok())
        .map(Value::Decimal)
        .into()
}

/// The root of the floating point number, made exact by two steps of Newton's method where digits allow.
fn sqrt<'a>(value: Decimal) -> Collection<'a> {
    if value.is_zero() {
        return Value::Decimal(Decimal::ZERO).into();
    }
    let first = value
        .to_f64()
        .filter(|x| *x > 0.0)
        .and_then(|x| Decimal::try_from(x.sqrt()).ok());
    let better = |x: Decimal| x.checked_add(value.checked_div(x)?)?.checked_div(Decimal::TWO);
    first
        .map(|x| better(x).and_then(better).unwrap_or(x).normalize())
        .map(Value::Decimal)
        .into()
}

fn power<'a>(base: Decimal, exponent: Decimal) -> Collection<'a> {
    let whole = exponent.normalize().scale() == 0;
    match exponent.to_i32().filter(|_| whole) {
        // Exact as long as the digits last.
        Some(count @ 0..=1000) => (0..count)
            .try_fold(Decimal::ONE, |product, _| product.checked_mul(base))
            .map(Value::Decimal)
            .into(),
        _ => of_float(base.to_f64().zip(exponent.to_f64()).map(|(b, e)| b.powf(e))),
    }
}

fn log<'a>(value: Decimal, base: Decimal) -> Collection<'a> {
    let positive = value > Decimal::ZERO && base > Decimal::ZERO && base != Decimal::ONE;
    let logarithm = |value: f64, base: f64| {
        if base == 10.0 {
            value.log10()
        } else if base == 2.0 {
            value.log2()
        } else {
            value.ln() / base.ln()
        }
    };
    of_float(
        value
            .to_f64()
            .zip(base.to_f64())
            .filter(|_| positive)
            .map(|(v, b)| logarithm(v, b)),
    )
}
