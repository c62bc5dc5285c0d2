//! Numbers and quantities (<https://hl7.org/fhir/R4/search.html#number>, <https://hl7.org/fhir/R4/search.html#quantity>), in whole
//! numbers of the least step that there can be, so that nothing is ever rounded.

use serde_json::Value;

use super::Found;
use crate::query::{Sought, Unit};

/// Steps of one: twelve digits behind the point, and two for ends that are not included.
const ONE: i128 = 2_000_000_000_000;
/// No end.
const OPEN: i128 = i128::MAX / 4;

const UCUM: &str = "http://unitsofmeasure.org";

/// Units of UCUM as a dimension and how many of its least unit they are.
const SCALES: [(&str, &str, i128); 17] = [
    ("ug", "mass", 1),
    ("mg", "mass", 1000),
    ("g", "mass", 1_000_000),
    ("kg", "mass", 1_000_000_000),
    ("mm", "length", 1),
    ("cm", "length", 10),
    ("m", "length", 1000),
    ("mL", "volume", 1),
    ("L", "volume", 1000),
    ("min", "time", 1),
    ("h", "time", 60),
    ("d", "time", 1440),
    // A year of UCUM is 365.25 days, and a twelfth of it a month.
    ("mo", "time", 43_830),
    ("a", "time", 525_960),
    ("/min", "rate", 1),
    ("{beats}/min", "rate", 1),
    ("%", "share", 1),
];

/// An amount: its ends, both included, in steps, and its unit.
#[derive(Clone, Debug)]
pub(crate) struct Amount {
    pub(super) low: i128,
    pub(super) high: i128,
    system: Option<String>,
    code: Option<String>,
    unit: Option<String>,
}

/// The amount of an element.
pub(crate) fn of(found: &Found) -> Option<Amount> {
    match &found.value {
        Value::String(text) => Some(Amount {
            low: steps(text),
            high: steps(text),
            system: None,
            code: None,
            unit: None,
        }),
        value if found.kind == "Range" => of_range(value),
        value => of_quantity(value),
    }
}

fn of_quantity(value: &Value) -> Option<Amount> {
    let number = steps(&value["value"].as_number()?.to_string());
    let (low, high) = match value["comparator"].as_str() {
        Some("<") => (-OPEN, number - 1),
        Some("<=") => (-OPEN, number),
        Some(">") => (number + 1, OPEN),
        Some(">=") => (number, OPEN),
        _ => (number, number),
    };
    let part = |name: &str| value[name].as_str().map(str::to_owned);
    Some(Amount {
        low,
        high,
        system: part("system"),
        code: part("code"),
        unit: part("unit"),
    })
}

/// From its low to its high; an end that is not there is open.
fn of_range(range: &Value) -> Option<Amount> {
    let (low, high) = (of_quantity(&range["low"]), of_quantity(&range["high"]));
    let either = low.clone().or(high.clone())?;
    Some(Amount {
        low: low.map_or(-OPEN, |low| low.low),
        high: high.map_or(OPEN, |high| high.high),
        ..either
    })
}

/// A decimal without an exponent in steps.
fn steps(text: &str) -> i128 {
    let (negative, digits) = text
        .strip_prefix('-')
        .map_or((false, text), |digits| (true, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let scaled: i128 = format!("{whole}{fraction:0<12}")
        .parse()
        .unwrap_or_else(|_| panic!("no plain decimal: {text}"));
    assert!(fraction.len() <= 12, "too many digits: {text}");
    2 * if negative { -scaled } else { scaled }
}

/// The ends of a value that are numbers, included or not.
pub(crate) fn ends(found: &Found) -> Vec<i128> {
    let amount = of(found);
    let ends = amount.iter().flat_map(|amount| {
        [
            amount.low - amount.low.rem_euclid(2),
            amount.high + amount.high.rem_euclid(2),
        ]
    });
    ends.filter(|end| end.abs() < OPEN - 1).collect()
}

/// Steps as a decimal without zeros at its end.
pub(crate) fn decimal(steps: i128) -> String {
    let scaled = steps / 2;
    let digits = format!("{:0>13}", scaled.abs());
    let (whole, fraction) = digits.split_at(digits.len() - 12);
    let sign = if scaled < 0 { "-" } else { "" };
    let text = format!("{sign}{whole}.{fraction}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A number of one unit of UCUM as one of another, where that is a short decimal.
pub(crate) fn convert(number: &str, from: &str, to: &str) -> Option<String> {
    let scale = |code: &str| SCALES.iter().find(|(unit, ..)| *unit == code);
    let ((_, dimension, own), (_, same, other)) = (scale(from)?, scale(to)?);
    let exact = steps(number) * own;
    let is_short = dimension == same && exact % (other * 2_000_000) == 0;
    is_short.then(|| decimal(exact / other))
}

pub(super) fn matches(found: &Found, sought: &Sought) -> bool {
    let Some(amount) = of(found) else { return false };
    match sought {
        Sought::Number { prefix, text } => passes((amount.low, amount.high), prefix, text, 1),
        Sought::Quantity { prefix, number, unit } => match unit {
            Unit::Any => passes((amount.low, amount.high), prefix, number, 1),
            Unit::Named(name) => {
                let is_it = [&amount.code, &amount.unit]
                    .iter()
                    .any(|own| own.as_ref() == Some(name));
                is_it && passes((amount.low, amount.high), prefix, number, 1)
            }
            Unit::Coded(system, code) => of_unit(&amount, prefix, number, system, code),
        },
        _ => false,
    }
}

fn of_unit(amount: &Amount, prefix: &str, number: &str, system: &str, code: &str) -> bool {
    if amount.system.as_deref() != Some(system) {
        return false;
    }
    let own = amount.code.as_deref().unwrap_or_default();
    let scale = |code: &str| SCALES.iter().find(|(unit, ..)| *unit == code && system == UCUM);
    match (scale(own), scale(code)) {
        (Some((_, dimension, own)), Some((_, asked, scale))) if dimension == asked => {
            // An end that is not included stays one step away from its number.
            let scaled = |end: i128| match end.abs() {
                OPEN => end,
                _ => {
                    let exact = (end + end.rem_euclid(2) * nudge(amount, end)) * own;
                    exact - end.rem_euclid(2) * nudge(amount, end)
                }
            };
            passes((scaled(amount.low), scaled(amount.high)), prefix, number, *scale)
        }
        _ => own == code && passes((amount.low, amount.high), prefix, number, 1),
    }
}

/// Which way the number lies from an end that is not included.
fn nudge(amount: &Amount, end: i128) -> i128 {
    if end == amount.high { 1 } else { -1 }
}

/// Compares ends in steps with a number that so many steps stand for.
fn passes((low, high): (i128, i128), prefix: &str, number: &str, scale: i128) -> bool {
    let exact = steps(number) * scale;
    // Half of the last digit that is written.
    let places = number.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    let half = ONE / 10_i128.pow(u32::try_from(places).unwrap()) / 2 * scale;
    let is_equal = exact - half <= low && high < exact + half;
    let is_exactly = low == exact && high == exact;
    match prefix {
        "" | "eq" => is_equal,
        "ne" => !is_equal,
        "gt" => high > exact,
        "lt" => low < exact,
        "ge" => high > exact || is_exactly,
        "le" => low < exact || is_exactly,
        "sa" => low > exact,
        "eb" => high < exact,
        "ap" => {
            let slack = (exact.abs() / 10).max(half);
            low <= exact + slack && high >= exact - slack
        }
        other => panic!("no prefix: {other}"),
    }
}
