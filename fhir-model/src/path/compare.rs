//! Equality, equivalence and order (<https://hl7.org/fhirpath/N1/#equality>).
//!
//! `None` stands for the empty answer: an operand is missing, or precision, zones or units leave it open.
//!
//! Invariant: each pair of items that is compared counts as a step.

use std::cmp::Ordering;

use rust_decimal::{Decimal, RoundingStrategy};

use super::error::Error;
use super::eval::Evaluator;
use super::quantity::{self, Quantity, Relation};
use super::temporal;
use super::value::{System, Value};
use crate::date::Parts;
use crate::reflect::{Complex, Node, Nodes};

/// `None` and the answer of a pair: false decides, an open answer leaves the whole open.
fn and(all: Option<bool>, one: Option<bool>) -> Option<bool> {
    match (all, one) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (None, _) | (_, None) => None,
        _ => Some(true),
    }
}

impl<'a> Evaluator<'a> {
    /// `=` on collections.
    pub(super) fn equal(&mut self, left: &[Value<'a>], right: &[Value<'a>]) -> Result<Option<bool>, Error> {
        if left.is_empty() || right.is_empty() {
            return Ok(None);
        }
        if left.len() != right.len() {
            return Ok(Some(false));
        }
        let mut all = Some(true);
        for (a, b) in left.iter().zip(right) {
            all = and(all, self.equal_items(a, b)?);
            if all == Some(false) {
                break;
            }
        }
        Ok(all)
    }

    /// `=` on two items.
    pub(super) fn equal_items(&mut self, a: &Value<'_>, b: &Value<'_>) -> Result<Option<bool>, Error> {
        self.meter.step()?;
        if let (Some(x), Some(y)) = (a.as_str(), b.as_str()) {
            return Ok(Some(x == y));
        }
        if let (Some(x), Some(y)) = (a.complex(), b.complex()) {
            return match self.equal_complex(x, y)? {
                Some(true) => Ok(Some(true)),
                other => Ok(match (Quantity::of(a), Quantity::of(b)) {
                    (Some(p), Some(q)) => self.equal_quantities(&p, &q),
                    _ => other,
                }),
            };
        }
        match (a.system(), b.system()) {
            (Some(x), Some(y)) => Ok(self.equal_values(x, y)),
            (None, None) => match (a, b) {
                (Value::Type(x), Value::Type(y)) => Ok(Some(x == y)),
                (Value::Node(Node::Primitive(_, p)), Value::Node(Node::Primitive(_, q))) => {
                    match (p.extras(), q.extras()) {
                        (Some(x), Some(y)) if p.scalar().is_none() && q.scalar().is_none() => {
                            self.equal_complex(x, y)
                        }
                        _ => Ok(Some(p.text() == q.text() && p.scalar().is_some())),
                    }
                }
                _ => Ok(Some(false)),
            },
            _ => Ok(Some(false)),
        }
    }

    /// Whether the item equals one of the others.
    pub(super) fn is_among(&mut self, item: &Value<'_>, others: &[Value<'_>]) -> Result<bool, Error> {
        for other in others {
            if self.equal_items(item, other)? == Some(true) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn equal_complex(&mut self, a: &dyn Complex, b: &dyn Complex) -> Result<Option<bool>, Error> {
        let info = a.type_info();
        if info != b.type_info() {
            return Ok(Some(false));
        }
        let mut all = Some(true);
        for index in 0..info.fields.len() {
            let (x, y) = (Nodes::of(a, index), Nodes::of(b, index));
            if x.name != y.name || x.count_all() != y.count_all() {
                return Ok(Some(false));
            }
            for (m, n) in x.zip(y) {
                all = and(all, self.equal_items(&Value::Node(m), &Value::Node(n))?);
                if all == Some(false) {
                    return Ok(all);
                }
            }
        }
        Ok(all)
    }

    fn equal_values(&self, a: System<'_>, b: System<'_>) -> Option<bool> {
        match pair(a, b) {
            Pair::Booleans(x, y) => Some(x == y),
            Pair::Integers(x, y) => Some(x == y),
            Pair::Decimals(x, y) => Some(x == y),
            Pair::Strings(x, y) => Some(x == y),
            Pair::Instants(x, y) => temporal::compare(&x, &y).map(Ordering::is_eq),
            Pair::Quantities(x, y) => self.equal_quantities(&x, &y),
            Pair::Apart => Some(false),
        }
    }

    fn equal_quantities(&self, a: &Quantity<'_>, b: &Quantity<'_>) -> Option<bool> {
        match quantity::relate(a, b, self.env.units()) {
            Relation::Order(order) => Some(order.is_eq()),
            Relation::Apart => Some(false),
            Relation::Unknown => None,
        }
    }

    /// `~` on collections.
    pub(super) fn equivalent(&mut self, left: &[Value<'_>], right: &[Value<'_>]) -> Result<bool, Error> {
        if left.len() != right.len() {
            return Ok(false);
        }
        if let ([a], [b]) = (left, right) {
            return self.equivalent_items(a, b);
        }
        let mut open: Vec<&Value<'_>> = right.iter().collect();
        for a in left {
            let mut found = None;
            for (index, b) in open.iter().enumerate() {
                if self.equivalent_items(a, b)? {
                    found = Some(index);
                    break;
                }
            }
            match found {
                Some(index) => open.swap_remove(index),
                None => return Ok(false),
            };
        }
        Ok(true)
    }

    fn equivalent_items(&mut self, a: &Value<'_>, b: &Value<'_>) -> Result<bool, Error> {
        self.meter.step()?;
        if let (Some(x), Some(y)) = (a.complex(), b.complex()) {
            return Ok(match (Quantity::of(a), Quantity::of(b)) {
                (Some(p), Some(q)) => quantity::equivalent(&p, &q, self.env.units()),
                _ => self.equivalent_complex(x, y)?,
            });
        }
        match (a.system(), b.system()) {
            (Some(x), Some(y)) => Ok(match pair(x, y) {
                Pair::Booleans(x, y) => x == y,
                Pair::Integers(x, y) => x == y,
                Pair::Decimals(x, y) => equivalent_decimals(x, y),
                Pair::Strings(x, y) => equivalent_strings(x, y),
                Pair::Instants(x, y) => temporal::compare(&x, &y).is_some_and(Ordering::is_eq),
                Pair::Quantities(x, y) => quantity::equivalent(&x, &y, self.env.units()),
                Pair::Apart => false,
            }),
            _ => Ok(self.equal_items(a, b)? == Some(true)),
        }
    }

    fn equivalent_complex(&mut self, a: &dyn Complex, b: &dyn Complex) -> Result<bool, Error> {
        let info = a.type_info();
        if info != b.type_info() {
            return Ok(false);
        }
        for index in 0..info.fields.len() {
            let (x, y) = (Nodes::of(a, index), Nodes::of(b, index));
            if x.name != y.name || x.count_all() != y.count_all() {
                return Ok(false);
            }
            if x.count_all() == 0 {
                continue;
            }
            let (x, y): (Vec<_>, Vec<_>) = (x.map(Value::Node).collect(), y.map(Value::Node).collect());
            if !self.equivalent(&x, &y)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// `<` and its kin on two items.
    ///
    /// # Errors
    /// The types have no order or differ.
    pub(super) fn order(&mut self, a: &Value<'_>, b: &Value<'_>) -> Result<Option<Ordering>, Error> {
        self.meter.step()?;
        let unordered = || {
            Error::execution(format!(
                "{} and {} have no order; compare numbers, strings, dates, times or quantities of one type",
                a.describe(),
                b.describe()
            ))
        };
        let (Some(x), Some(y)) = (a.system(), b.system()) else {
            return if is_bare(a) || is_bare(b) {
                Ok(None)
            } else {
                Err(unordered())
            };
        };
        match pair(x, y) {
            Pair::Integers(x, y) => Ok(Some(x.cmp(&y))),
            Pair::Decimals(x, y) => Ok(Some(x.cmp(&y))),
            Pair::Strings(x, y) => Ok(Some(x.cmp(y))),
            Pair::Instants(x, y) => Ok(temporal::compare(&x, &y)),
            Pair::Quantities(x, y) => Ok(match quantity::relate(&x, &y, self.env.units()) {
                Relation::Order(order) => Some(order),
                Relation::Apart | Relation::Unknown => None,
            }),
            Pair::Booleans(..) | Pair::Apart => Err(unordered()),
        }
    }
}

/// Whether it is a primitive element with extensions and no value.
pub(super) fn is_bare(value: &Value<'_>) -> bool {
    matches!(value, Value::Node(Node::Primitive(_, primitive)) if primitive.scalar().is_none())
}

/// Two values brought to one type by the implicit conversions.
enum Pair<'v> {
    Booleans(bool, bool),
    Integers(i32, i32),
    Decimals(Decimal, Decimal),
    Strings(&'v str, &'v str),
    Instants(Parts, Parts),
    Quantities(Quantity<'v>, Quantity<'v>),
    Apart,
}

fn pair<'v>(a: System<'v>, b: System<'v>) -> Pair<'v> {
    use System::{Boolean, Date, DateTime, Integer, Quantity as Q, String, Time};
    match (a, b) {
        (Boolean(x), Boolean(y)) => Pair::Booleans(x, y),
        (Integer(x), Integer(y)) => Pair::Integers(x, y),
        (String(x), String(y)) => Pair::Strings(x, y),
        (Date(x), Date(y)) => Pair::Instants(x.0, y.0),
        (Date(x), DateTime(y)) => Pair::Instants(x.0, y.0.parts),
        (DateTime(x), Date(y)) => Pair::Instants(x.0.parts, y.0),
        (DateTime(x), DateTime(y)) => Pair::Instants(x.0.parts, y.0.parts),
        (Time(x), Time(y)) => Pair::Instants(x.0.parts, y.0.parts),
        (Q(x), Q(y)) => Pair::Quantities(x, y),
        (Q(x), y) => number(&y).map_or(Pair::Apart, |y| Pair::Quantities(x, Quantity::number(y))),
        (x, Q(y)) => number(&x).map_or(Pair::Apart, |x| Pair::Quantities(Quantity::number(x), y)),
        (x, y) => match (number(&x), number(&y)) {
            (Some(x), Some(y)) => Pair::Decimals(x, y),
            _ => Pair::Apart,
        },
    }
}

/// The value of an integer or decimal.
pub(super) fn number(value: &System<'_>) -> Option<Decimal> {
    match value {
        System::Integer(value) => Some(Decimal::from(*value)),
        System::Decimal(value) => Some(*value),
        _ => None,
    }
}

/// Rounded to the decimals of the less precise one, trailing zeros not counted.
fn equivalent_decimals(a: Decimal, b: Decimal) -> bool {
    let scale = a.normalize().scale().min(b.normalize().scale());
    let round = |value: Decimal| value.round_dp_with_strategy(scale, RoundingStrategy::MidpointAwayFromZero);
    round(a) == round(b)
}

/// Case is ignored, and every white space character is as good as another.
fn equivalent_strings(a: &str, b: &str) -> bool {
    let fold = |text: &str| {
        text.chars()
            .flat_map(char::to_lowercase)
            .map(|c| if matches!(c, '\t' | '\r' | '\n') { ' ' } else { c })
            .collect::<String>()
    };
    a == b || fold(a) == fold(b)
}
