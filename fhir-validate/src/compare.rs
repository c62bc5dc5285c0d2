//! Order of values against limits that definitions give: numbers, dates and times, quantities.
//!
//! Invariant: what cannot be compared (a date that is less precise than its limit, units of other kinds) has no order.

use std::cmp::Ordering;

use fhir_model::date::Precision;
use fhir_model::path::units::{Ucum, Units};
use fhir_model::primitive::Scalar;
use fhir_model::reflect::{Complex, Node};
use fhir_model::{Date, DateTime, Decimal, Time};
use jiff::Zoned;
use serde_json::{Map, Value};

use crate::place::{nodes_of, text_of};

/// The lexical form of a JSON value that stands for a primitive.
pub(crate) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

/// How a primitive compares with a limit in its lexical form.
pub(crate) fn scalar(value: Scalar<'_>, limit: &str) -> Option<Ordering> {
    let number = |text: &str| text.parse::<Decimal>().ok();
    match value {
        Scalar::Integer(have) => Some(number(&have.to_string())?.compare(&number(limit)?)),
        Scalar::Unsigned(have) => Some(number(&have.to_string())?.compare(&number(limit)?)),
        Scalar::Decimal(have) => Some(have.compare(&number(limit)?)),
        Scalar::Date(have) => date_time(have.as_str(), limit),
        Scalar::DateTime(have) => date_time(have.as_str(), limit),
        Scalar::Instant(have) => date_time(have.as_str(), limit),
        Scalar::Time(have) => limit.parse::<Time>().ok().map(|_| {
            have.as_str()
                .trim_end_matches('0')
                .cmp(limit.trim_end_matches('0'))
        }),
        Scalar::String(have) => Some(have.cmp(limit)),
        Scalar::Boolean(_) => None,
    }
}

/// How a date compares with one that lies an amount of time after now, or before it.
pub(crate) fn from_now(
    value: Scalar<'_>,
    amount: &Map<String, Value>,
    now: &Zoned,
    before: bool,
) -> Option<Ordering> {
    let number = amount.get("value").and_then(Value::as_i64)?;
    let number = if before { number.checked_neg()? } else { number };
    let span = jiff::Span::new();
    let span = match amount
        .get("code")
        .or_else(|| amount.get("unit"))
        .and_then(Value::as_str)?
    {
        "a" | "year" | "years" => span.try_years(number),
        "mo" | "month" | "months" => span.try_months(number),
        "wk" | "week" | "weeks" => span.try_weeks(number),
        "d" | "day" | "days" => span.try_days(number),
        "h" | "hour" | "hours" => span.try_hours(number),
        "min" | "minute" | "minutes" => span.try_minutes(number),
        "s" | "second" | "seconds" => span.try_seconds(number),
        _ => return None,
    };
    let limit = now.checked_add(span.ok()?).ok()?;
    let text = match value {
        Scalar::Date(_) => limit.strftime("%Y-%m-%d").to_string(),
        Scalar::DateTime(have) if have.precision() <= Precision::Day => {
            limit.strftime("%Y-%m-%d").to_string()
        }
        _ => limit.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
    };
    scalar(value, &text)
}

fn date_time(have: &str, limit: &str) -> Option<Ordering> {
    if let (Ok(have), Ok(limit)) = (have.parse::<Date>(), limit.parse::<Date>()) {
        return have.compare(&limit);
    }
    have.parse::<DateTime>()
        .ok()?
        .compare(&limit.parse::<DateTime>().ok()?)
}

/// Why two quantities have no order, or the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum QuantityOrder {
    Is(Ordering),
    /// One of them has no coded unit.
    NoUnit,
    /// Their units are of different kinds, or not known.
    Incomparable,
}

/// How a quantity compares with a limit; `None` where it cannot be compared.
pub(crate) fn quantity(value: &dyn Complex, limit: &Map<String, Value>) -> Option<Ordering> {
    let text = |name: &str| limit.get(name).and_then(Value::as_str);
    match quantities(
        value,
        limit.get("value").and_then(self::text).as_deref(),
        text("system"),
        text("code"),
    ) {
        QuantityOrder::Is(order) => Some(order),
        _ => None,
    }
}

/// How a quantity compares with one of that value, system and code.
pub(crate) fn quantities(
    have: &dyn Complex,
    limit: Option<&str>,
    system: Option<&str>,
    code: Option<&str>,
) -> QuantityOrder {
    let number = |text: &str| text.parse::<Decimal>().ok();
    let (Some(mine), Some(limit)) = (decimal_of(have), limit.and_then(number)) else {
        return QuantityOrder::Incomparable;
    };
    let (my_system, my_code) = (text_of(have, "system"), text_of(have, "code"));
    let (Some(my_code), Some(code)) = (my_code, code) else {
        // Two plain numbers without any unit can be compared.
        let plain = my_code.is_none() && code.is_none() && text_of(have, "unit").is_none();
        return if plain {
            QuantityOrder::Is(mine.compare(&limit))
        } else {
            QuantityOrder::NoUnit
        };
    };
    if my_system == system && my_code == code {
        return QuantityOrder::Is(mine.compare(&limit));
    }
    let ucum = Some("http://unitsofmeasure.org");
    if my_system != ucum || system != ucum {
        return QuantityOrder::Incomparable;
    }
    let converted = || {
        let (from, to) = (Ucum.canonical(my_code)?, Ucum.canonical(code)?);
        let mine = from.convert(mine.to_rust_decimal()?, &to)?;
        mine.to_string().parse::<Decimal>().ok()
    };
    converted().map_or(QuantityOrder::Incomparable, |mine| {
        QuantityOrder::Is(mine.compare(&limit))
    })
}

/// The number of a quantity.
pub(crate) fn decimal_of(quantity: &dyn Complex) -> Option<&Decimal> {
    match nodes_of(quantity, "value")?.next()? {
        Node::Primitive(_, primitive) => match primitive.scalar()? {
            Scalar::Decimal(value) => Some(value),
            _ => None,
        },
        Node::Complex(_) => None,
    }
}
