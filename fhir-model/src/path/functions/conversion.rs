//! Conversions between System types (<https://hl7.org/fhirpath/N1/#conversion>).

use std::borrow::Cow;

use rust_decimal::Decimal;

use super::{Function, input_name, one};
use crate::path::error::Error;
use crate::path::eval::{Evaluator, Scope};
use crate::path::plan::Call;
use crate::path::quantity::{self, Calendar, Quantity, Unit};
use crate::path::temporal::{Date, DateTime, Time};
use crate::path::value::{Collection, System, Value};

impl<'a> Evaluator<'a> {
    pub(super) fn conversion(
        &mut self,
        call: &'a Call,
        input: Collection<'a>,
        scope: Scope<'a, '_>,
    ) -> Result<Collection<'a>, Error> {
        let Some(value) = one(&input, || input_name(call))? else {
            return Ok(Collection::new());
        };
        let function = call.function;
        let converted = match function {
            Function::ToQuantity | Function::ConvertsToQuantity => {
                let unit = self.string_argument(call, 0, scope)?;
                self.to_quantity(value, unit)
            }
            _ => convert(function, value),
        };
        Ok(if tests_only(function) {
            Value::Boolean(converted.is_some()).into()
        } else {
            converted.into()
        })
    }

    fn to_quantity(&self, value: &Value<'a>, unit: Option<Cow<'a, str>>) -> Option<Value<'a>> {
        let quantity = match value.system()? {
            System::Boolean(value) => Quantity::number(Decimal::new(if value { 10 } else { 0 }, 1)),
            System::Integer(value) => Quantity::number(value.into()),
            System::Decimal(value) => Quantity::number(value),
            System::String(text) => parse_quantity(text)?,
            System::Quantity(_) => Quantity::of(value)?,
            _ => return None,
        };
        let quantity = match unit {
            Some(unit) => quantity::convert(&quantity, Unit::of_text(unit), self.env.units())?,
            None => Quantity {
                value: quantity.value,
                unit: quantity.unit.into_owned()?,
            },
        };
        Some(Value::Quantity(quantity))
    }
}

/// Whether the function asks if the conversion is possible.
fn tests_only(function: Function) -> bool {
    matches!(
        function,
        Function::ConvertsToBoolean
            | Function::ConvertsToInteger
            | Function::ConvertsToDecimal
            | Function::ConvertsToString
            | Function::ConvertsToDate
            | Function::ConvertsToDateTime
            | Function::ConvertsToTime
            | Function::ConvertsToQuantity
    )
}

fn convert<'a>(function: Function, value: &Value<'a>) -> Option<Value<'a>> {
    match function {
        Function::ToBoolean | Function::ConvertsToBoolean => to_boolean(value.system()?).map(Value::Boolean),
        Function::ToInteger | Function::ConvertsToInteger => to_integer(value.system()?).map(Value::Integer),
        Function::ToDecimal | Function::ConvertsToDecimal => to_decimal(value.system()?).map(Value::Decimal),
        Function::ToDate | Function::ConvertsToDate => to_date(value.system()?).map(Value::Date),
        Function::ToDateTime | Function::ConvertsToDateTime => {
            to_date_time(value.system()?).map(Value::DateTime)
        }
        Function::ToTime | Function::ConvertsToTime => to_time(value.system()?).map(Value::Time),
        _ => value.text().map(Value::String),
    }
}

fn to_boolean(value: System<'_>) -> Option<bool> {
    match value {
        System::Boolean(value) => Some(value),
        System::Integer(1) => Some(true),
        System::Integer(0) => Some(false),
        System::Decimal(value) if value == Decimal::ONE => Some(true),
        System::Decimal(value) if value.is_zero() => Some(false),
        System::String(text) => match text.to_ascii_lowercase().as_str() {
            "true" | "t" | "yes" | "y" | "1" | "1.0" => Some(true),
            "false" | "f" | "no" | "n" | "0" | "0.0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

fn to_integer(value: System<'_>) -> Option<i32> {
    match value {
        System::Boolean(value) => Some(i32::from(value)),
        System::Integer(value) => Some(value),
        System::String(text) if is_number(text, false) => text.parse().ok(),
        _ => None,
    }
}

fn to_decimal(value: System<'_>) -> Option<Decimal> {
    match value {
        System::Boolean(value) => Some(Decimal::new(if value { 10 } else { 0 }, 1)),
        System::Integer(value) => Some(value.into()),
        System::Decimal(value) => Some(value),
        System::String(text) if is_number(text, true) => text.parse().ok(),
        _ => None,
    }
}

/// Whether the text has the form of a number: a sign, digits, and where allowed a point and digits.
fn is_number(text: &str, fraction: bool) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    match unsigned.split_once('.') {
        Some((whole, part)) => fraction && digits(whole) && digits(part),
        None => digits(unsigned),
    }
}

fn to_date(value: System<'_>) -> Option<Date> {
    match value {
        System::Date(date) => Some(date),
        System::DateTime(at) => Some(Date::of(at.parts())),
        System::String(text) => Date::parse(text),
        _ => None,
    }
}

fn to_date_time(value: System<'_>) -> Option<DateTime> {
    match value {
        System::Date(date) => Some(DateTime::of_date(date)),
        System::DateTime(at) => Some(at),
        // The bare `T` at the end belongs to the literal only.
        System::String(text) if !text.ends_with('T') => DateTime::parse(text),
        _ => None,
    }
}

fn to_time(value: System<'_>) -> Option<Time> {
    match value {
        System::Time(time) => Some(time),
        System::String(text) => Time::parse(text),
        _ => None,
    }
}

/// Reads `4.5 'mg'`, `4 days` or `4`.
fn parse_quantity(text: &str) -> Option<Quantity<'static>> {
    let end = text
        .find(|c: char| !(c.is_ascii_digit() || matches!(c, '+' | '-' | '.')))
        .unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end)?;
    if !is_number(number, true) {
        return None;
    }
    let value = number.parse().ok()?;
    let unit = unit.trim_start_matches([' ', '\t', '\r', '\n']);
    let unit = match unit.strip_prefix('\'').map(|rest| rest.strip_suffix('\'')) {
        Some(Some(code)) if !code.is_empty() && !code.contains('\'') => {
            Unit::of_text(Cow::Owned(code.to_owned()))
        }
        Some(_) => return None,
        None if unit.is_empty() => return Some(Quantity::number(value)),
        None => Unit::Calendar(Calendar::of_keyword(unit)?),
    };
    Some(Quantity { value, unit })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_become_quantities_by_the_grammar() {
        for (text, expected) in [
            ("1", "1 '1'"),
            ("-1.50", "-1.50 '1'"),
            ("4 days", "4 days"),
            ("1day", "1 day"),
            ("10 'mm[Hg]'", "10 'mm[Hg]'"),
            ("+3'mg'", "3 'mg'"),
        ] {
            assert_eq!(parse_quantity(text).unwrap().to_string(), expected);
        }
        for text in [
            "", "mg", "1 wk", "1 ''", "1 'mg", "1 mg'", "1.", "1.a", "--1", "1 'm' x", "1 'a'b'",
        ] {
            assert_eq!(parse_quantity(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_in_strings_have_one_form() {
        for text in ["1", "+1", "-12"] {
            assert!(is_number(text, false), "{text}");
        }
        for text in ["", "+", "1.0", " 1", "1 ", "0x1", "1e3", "٣"] {
            assert!(!is_number(text, false), "{text}");
        }
        assert!(is_number("1.0", true) && !is_number("1.", true) && !is_number(".5", true));
    }
}
