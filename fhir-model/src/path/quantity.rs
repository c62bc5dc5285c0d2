//! `System.Quantity`: a number with a unit of UCUM or a calendar duration
//! (<https://hl7.org/fhirpath/N1/#quantity>), and how FHIR quantities become one.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

use rust_decimal::{Decimal, RoundingStrategy};

use super::units::{self, Canonical, Units};
use super::value::{Value, decimal};
use crate::primitive::Scalar;
use crate::reflect::{Complex, Node, Nodes};

/// The code system of UCUM.
pub(super) const UCUM: &str = "http://unitsofmeasure.org";

/// A number with a unit.
#[derive(Clone, Debug, PartialEq)]
pub struct Quantity<'a> {
    /// The number.
    pub value: Decimal,
    /// The unit.
    pub unit: Unit<'a>,
}

/// A unit of a quantity.
#[derive(Clone, Debug, PartialEq)]
pub enum Unit<'a> {
    /// A code of UCUM, such as `mg`; `1` for a mere number.
    Ucum(Cow<'a, str>),
    /// A calendar duration, such as `4 days`.
    Calendar(Calendar),
    /// A duration from a FHIR quantity with a code of UCUM: FHIR maps it to the calendar duration, and it still is
    /// the UCUM duration, so it compares with both.
    Duration(Calendar),
    /// Another unit of a FHIR quantity (its system and code, or its text): comparable with the same only.
    Other(Option<&'a str>, &'a str),
}

/// The calendar durations, from the longest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Calendar {
    Year,
    Month,
    Week,
    Day,
    Hour,
    Minute,
    Second,
    Millisecond,
}

impl Calendar {
    /// Name, code of the like duration in UCUM, and milliseconds outside a calendar: a year counts 365 days, a
    /// month 30.
    const ALL: [(Calendar, &'static str, &'static str, i64); 8] = [
        (Calendar::Year, "year", "a", 365 * 86_400_000),
        (Calendar::Month, "month", "mo", 30 * 86_400_000),
        (Calendar::Week, "week", "wk", 7 * 86_400_000),
        (Calendar::Day, "day", "d", 86_400_000),
        (Calendar::Hour, "hour", "h", 3_600_000),
        (Calendar::Minute, "minute", "min", 60_000),
        (Calendar::Second, "second", "s", 1000),
        (Calendar::Millisecond, "millisecond", "ms", 1),
    ];

    fn row(self) -> (&'static str, &'static str, i64) {
        Self::ALL
            .iter()
            .find(|(c, ..)| *c == self)
            .map_or(("", "", 1), |(_, name, code, ms)| (*name, *code, *ms))
    }

    /// The duration of a keyword, singular or plural.
    pub(super) fn of_keyword(word: &str) -> Option<Self> {
        let singular = |name: &str| word == name || word.strip_suffix('s') == Some(name);
        Self::ALL
            .iter()
            .find(|(_, name, ..)| singular(name))
            .map(|(c, ..)| *c)
    }

    pub(super) fn of_ucum(code: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(_, _, ucum, _)| *ucum == code)
            .map(|(c, ..)| *c)
    }

    /// The code of the duration in UCUM.
    pub(super) fn ucum(self) -> &'static str {
        self.row().1
    }

    /// The name, singular.
    pub fn name(self) -> &'static str {
        self.row().0
    }

    pub(super) fn milliseconds(self) -> i64 {
        self.row().2
    }

    /// Whether its length depends on where in the calendar it stands.
    pub(super) fn varies(self) -> bool {
        matches!(self, Calendar::Year | Calendar::Month)
    }
}

impl<'a> Unit<'a> {
    /// The unit of that text: a calendar keyword or a code of UCUM.
    pub(super) fn of_text(text: Cow<'a, str>) -> Self {
        match Calendar::of_keyword(&text) {
            Some(calendar) => Unit::Calendar(calendar),
            None => Unit::Ucum(text),
        }
    }

    fn of_code(code: &'a str) -> Self {
        match Calendar::of_ucum(code) {
            Some(calendar) => Unit::Duration(calendar),
            None => Unit::Ucum(Cow::Borrowed(code)),
        }
    }

    /// The code of UCUM that stands for the unit; none for units that are not of UCUM.
    pub(super) fn code(&self) -> Option<&str> {
        match self {
            Unit::Ucum(code) => Some(code),
            Unit::Calendar(calendar) | Unit::Duration(calendar) => Some(calendar.ucum()),
            Unit::Other(..) => None,
        }
    }

    /// The calendar duration that it is or may be taken for.
    pub(super) fn calendar(&self) -> Option<Calendar> {
        match self {
            Unit::Calendar(calendar) | Unit::Duration(calendar) => Some(*calendar),
            _ => None,
        }
    }

    pub(super) fn into_owned<'b>(self) -> Option<Unit<'b>> {
        Some(match self {
            Unit::Ucum(code) => Unit::Ucum(Cow::Owned(code.into_owned())),
            Unit::Calendar(calendar) => Unit::Calendar(calendar),
            Unit::Duration(calendar) => Unit::Duration(calendar),
            Unit::Other(..) => return None,
        })
    }
}

impl<'a> Quantity<'a> {
    /// A mere number.
    pub(super) fn number(value: Decimal) -> Self {
        Quantity {
            value,
            unit: Unit::Ucum(Cow::Borrowed("1")),
        }
    }

    /// The quantity of a value: a System quantity, or a FHIR quantity without a comparator
    /// (<https://hl7.org/fhir/R4/fhirpath.html#quantity>).
    pub(super) fn of(value: &Value<'a>) -> Option<Quantity<'a>> {
        let complex = match value {
            Value::Quantity(quantity) => return Some(quantity.clone()),
            Value::Node(Node::Complex(complex)) => *complex,
            _ => return None,
        };
        let info = complex.type_info();
        if info.name != "Quantity" && info.base != "Quantity" {
            return None;
        }
        let number = match member(complex, "value")? {
            Scalar::Decimal(number) => decimal(number)?,
            _ => return None,
        };
        if member(complex, "comparator").is_some() {
            return None;
        }
        let text = |name| match member(complex, name) {
            Some(Scalar::String(text)) => Some(text),
            _ => None,
        };
        let unit = match (text("system"), text("code"), text("unit")) {
            (Some(UCUM), Some(code), _) => Unit::of_code(code),
            (system, Some(code), _) => Unit::Other(system, code),
            (_, None, Some(unit)) => Unit::Other(None, unit),
            (_, None, None) => Unit::Ucum(Cow::Borrowed("1")),
        };
        Some(Quantity { value: number, unit })
    }

    pub(super) fn borrowed(&self) -> Quantity<'_> {
        let unit = match &self.unit {
            Unit::Ucum(code) => Unit::Ucum(Cow::Borrowed(code)),
            Unit::Calendar(calendar) => Unit::Calendar(*calendar),
            Unit::Duration(calendar) => Unit::Duration(*calendar),
            Unit::Other(system, code) => Unit::Other(*system, code),
        };
        Quantity {
            value: self.value,
            unit,
        }
    }
}

/// The value of a single primitive element.
fn member<'a>(complex: &'a dyn Complex, name: &str) -> Option<Scalar<'a>> {
    let (index, _) = complex.type_info().field(name)?;
    match Nodes::of(complex, index).next()? {
        Node::Primitive(_, primitive) => primitive.scalar(),
        Node::Complex(_) => None,
    }
}

/// How two quantities stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Relation {
    /// Same dimension.
    Order(Ordering),
    /// Units of different dimensions.
    Apart,
    /// A unit that is not known, or a calendar duration against a definite one above weeks.
    Unknown,
}

/// Compares two quantities; calendar durations above weeks do not compare with definite ones.
pub(super) fn relate(a: &Quantity<'_>, b: &Quantity<'_>, units: &dyn Units) -> Relation {
    match common(a, b, units, false) {
        Ok(pair) => pair.order().map_or(Relation::Unknown, Relation::Order),
        Err(relation) => relation,
    }
}

/// Whether two quantities are equivalent: equal where both are rounded to the decimals of the one that is known less
/// precisely, in that one's unit. Calendar and definite durations count as the same.
pub(super) fn equivalent(a: &Quantity<'_>, b: &Quantity<'_>, units: &dyn Units) -> bool {
    let Ok(pair) = common(a, b, units, true) else {
        return false;
    };
    pair.equivalent(a.value, b.value).unwrap_or(false)
}

/// Two values in one measure.
struct Pair {
    a: Canonical,
    b: Canonical,
    values: (Decimal, Decimal),
}

impl Pair {
    fn order(&self) -> Option<Ordering> {
        let (x, y) = self.a.common(self.values.0, &self.b, self.values.1)?;
        x.partial_cmp(&y)
    }

    fn equivalent(&self, a: Decimal, b: Decimal) -> Option<bool> {
        let round = |value: Decimal, scale| {
            value.round_dp_with_strategy(scale, RoundingStrategy::MidpointAwayFromZero)
        };
        let (a_scale, b_scale) = (a.normalize().scale(), b.normalize().scale());
        // One step of the last decimal of each, in one measure.
        let step = |scale| Decimal::new(1, scale);
        let plain = |unit: &Canonical| unit.ratio(&self.b);
        let (a_step, b_step) = (
            units::Scaled::new(step(a_scale), 0) * plain(&self.a)?,
            units::Scaled::new(step(b_scale), 0) * plain(&self.b)?,
        );
        let (x, y, scale) = if a_step >= b_step {
            (a, self.b.convert(b, &self.a)?, a_scale)
        } else {
            (self.a.convert(a, &self.b)?, b, b_scale)
        };
        Some(round(x, scale) == round(y, scale))
    }
}

/// Both quantities with their units resolved against each other.
fn common(a: &Quantity<'_>, b: &Quantity<'_>, units: &dyn Units, lenient: bool) -> Result<Pair, Relation> {
    let values = (a.value, b.value);
    if a.unit == b.unit {
        let same = Canonical::new(Decimal::ONE, Decimal::ONE, Vec::new());
        return Ok(Pair {
            a: same.clone(),
            b: same,
            values,
        });
    }
    let varies = |unit: &Unit<'_>| unit.calendar().is_some_and(Calendar::varies);
    let (a_unit, b_unit) = match (&a.unit, &b.unit) {
        (Unit::Other(..), _) | (_, Unit::Other(..)) => return Err(Relation::Unknown),
        (Unit::Duration(x), Unit::Duration(y)) => (definite(x.ucum(), units)?, definite(y.ucum(), units)?),
        (x, y) => match (x.calendar(), y.calendar()) {
            (Some(x), Some(y)) => (of_calendar(x, y), of_calendar(y, x)),
            (Some(_), None) if matches!(x, Unit::Duration(_)) => resolve(x, y, units)?,
            (None, Some(_)) if matches!(y, Unit::Duration(_)) => resolve(x, y, units)?,
            (Some(calendar), None) => against_definite(calendar, y, units, lenient, varies(x))?,
            (None, Some(calendar)) => {
                let (y, x) = against_definite(calendar, x, units, lenient, varies(y))?;
                (x, y)
            }
            (None, None) => resolve(x, y, units)?,
        },
    };
    if !a_unit.is_comparable(&b_unit) {
        return Err(Relation::Apart);
    }
    Ok(Pair {
        a: a_unit,
        b: b_unit,
        values,
    })
}

fn resolve(x: &Unit<'_>, y: &Unit<'_>, units: &dyn Units) -> Result<(Canonical, Canonical), Relation> {
    let of = |unit: &Unit<'_>| definite(unit.code().unwrap_or(""), units);
    Ok((of(x)?, of(y)?))
}

fn definite(code: &str, units: &dyn Units) -> Result<Canonical, Relation> {
    units.canonical(code).ok_or(Relation::Unknown)
}

fn seconds(milliseconds: i64) -> Canonical {
    Canonical::new(milliseconds.into(), 1000.into(), vec![("s".to_owned(), 1)])
}

/// A calendar duration in a measure that it shares with another: years and months in months, others in seconds.
fn of_calendar(calendar: Calendar, other: Calendar) -> Canonical {
    match calendar {
        Calendar::Year if other.varies() => seconds(12 * Calendar::Month.milliseconds()),
        _ => seconds(calendar.milliseconds()),
    }
}

/// A calendar duration and a unit of UCUM. Above weeks they have no common measure; for equivalence a year is one `a`
/// and a month one `mo`.
fn against_definite(
    calendar: Calendar,
    other: &Unit<'_>,
    units: &dyn Units,
    lenient: bool,
    varies: bool,
) -> Result<(Canonical, Canonical), Relation> {
    let code = other.code().unwrap_or("");
    let theirs = definite(code, units)?;
    let above_weeks = Calendar::of_ucum(code).is_some_and(Calendar::varies);
    if lenient {
        return Ok((definite(calendar.ucum(), units)?, theirs));
    }
    if theirs.is_comparable(&seconds(1)) && (varies || above_weeks) {
        return Err(Relation::Unknown);
    }
    Ok((seconds(calendar.milliseconds()), theirs))
}

/// Whether two units are of one dimension; `None` where one is not known.
pub(super) fn comparable(a: &Unit<'_>, b: &Unit<'_>, units: &dyn Units) -> Option<bool> {
    if a == b {
        return Some(true);
    }
    let (a, b) = (units.canonical(a.code()?)?, units.canonical(b.code()?)?);
    Some(a.is_comparable(&b))
}

/// The quantity in another unit; `None` where there is no way.
pub(super) fn convert<'a>(
    quantity: &Quantity<'_>,
    unit: Unit<'a>,
    units: &dyn Units,
) -> Option<Quantity<'a>> {
    let to = Quantity {
        value: Decimal::ONE,
        unit,
    };
    let pair = common(quantity, &to, units, false).ok()?;
    let value = pair.a.convert(quantity.value, &pair.b)?;
    Some(Quantity { value, unit: to.unit })
}

impl fmt::Display for Quantity<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.value)?;
        match &self.unit {
            Unit::Calendar(calendar) => {
                let plural = if self.value.abs() == Decimal::ONE { "" } else { "s" };
                write!(f, "{}{plural}", calendar.name())
            }
            Unit::Ucum(code) => write!(f, "'{code}'"),
            Unit::Duration(calendar) => write!(f, "'{}'", calendar.ucum()),
            Unit::Other(_, code) => write!(f, "'{code}'"),
        }
    }
}
