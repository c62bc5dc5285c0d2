//! The functions: one row each in [`TABLE`], one file a family.
//!
//! Invariant: the table is sorted by name and has each function once.

mod component;
mod conversion;
mod encoding;
mod existence;
mod fhir;
mod filtering;
mod html;
mod math;
mod pattern;
mod sort;
mod strings;
mod subsetting;
mod tree;
mod utility;

use std::borrow::Cow;

use super::error::Error;
use super::eval::{Evaluator, Scope};
use super::plan::{Call, Expr};
use super::value::{Collection, System, Value};

/// A function of the language or of FHIR.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Empty,
    Exists,
    All,
    AllTrue,
    AnyTrue,
    AllFalse,
    AnyFalse,
    SubsetOf,
    SupersetOf,
    Count,
    Distinct,
    IsDistinct,
    Not,
    Where,
    Select,
    Repeat,
    OfType,
    Is,
    As,
    Iif,
    Aggregate,
    Sort,
    Single,
    First,
    Last,
    Tail,
    Skip,
    Take,
    Intersect,
    Exclude,
    Union,
    Combine,
    ToBoolean,
    ConvertsToBoolean,
    ToInteger,
    ConvertsToInteger,
    ToDecimal,
    ConvertsToDecimal,
    ToString,
    ConvertsToString,
    ToDate,
    ConvertsToDate,
    ToDateTime,
    ConvertsToDateTime,
    ToTime,
    ConvertsToTime,
    ToQuantity,
    ConvertsToQuantity,
    IndexOf,
    LastIndexOf,
    Substring,
    StartsWith,
    EndsWith,
    Contains,
    Upper,
    Lower,
    Replace,
    Length,
    ToChars,
    Trim,
    Split,
    Join,
    Matches,
    MatchesFull,
    ReplaceMatches,
    Encode,
    Decode,
    Escape,
    Unescape,
    Abs,
    Ceiling,
    Exp,
    Floor,
    Ln,
    Log,
    Power,
    Round,
    Sqrt,
    Truncate,
    Children,
    Descendants,
    Trace,
    Now,
    TimeOfDay,
    Today,
    DefineVariable,
    LowBoundary,
    HighBoundary,
    Precision,
    Comparable,
    Type,
    YearOf,
    MonthOf,
    DayOf,
    HourOf,
    MinuteOf,
    SecondOf,
    MillisecondOf,
    TimezoneOffsetOf,
    DateOf,
    TimeOf,
    Extension,
    HasValue,
    GetValue,
    Resolve,
    ElementDefinition,
    Slice,
    CheckModifiers,
    ConformsTo,
    MemberOf,
    Subsumes,
    SubsumedBy,
    HtmlChecks,
}

/// The file a function is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    Existence,
    Filtering,
    Subsetting,
    Conversion,
    String,
    Pattern,
    Encoding,
    Math,
    Tree,
    Utility,
    Component,
    Fhir,
}

/// Name, function, least and greatest number of arguments, family.
#[rustfmt::skip]
static TABLE: [(&str, Function, usize, usize, Family); 113] = [
    ("abs", Function::Abs, 0, 0, Family::Math),
    ("aggregate", Function::Aggregate, 1, 2, Family::Filtering),
    ("all", Function::All, 1, 1, Family::Existence),
    ("allFalse", Function::AllFalse, 0, 0, Family::Existence),
    ("allTrue", Function::AllTrue, 0, 0, Family::Existence),
    ("anyFalse", Function::AnyFalse, 0, 0, Family::Existence),
    ("anyTrue", Function::AnyTrue, 0, 0, Family::Existence),
    ("as", Function::As, 1, 1, Family::Filtering),
    ("ceiling", Function::Ceiling, 0, 0, Family::Math),
    ("checkModifiers", Function::CheckModifiers, 0, 64, Family::Fhir),
    ("children", Function::Children, 0, 0, Family::Tree),
    ("combine", Function::Combine, 1, 1, Family::Subsetting),
    ("comparable", Function::Comparable, 1, 1, Family::Utility),
    ("conformsTo", Function::ConformsTo, 1, 1, Family::Fhir),
    ("contains", Function::Contains, 1, 1, Family::String),
    ("convertsToBoolean", Function::ConvertsToBoolean, 0, 0, Family::Conversion),
    ("convertsToDate", Function::ConvertsToDate, 0, 0, Family::Conversion),
    ("convertsToDateTime", Function::ConvertsToDateTime, 0, 0, Family::Conversion),
    ("convertsToDecimal", Function::ConvertsToDecimal, 0, 0, Family::Conversion),
    ("convertsToInteger", Function::ConvertsToInteger, 0, 0, Family::Conversion),
    ("convertsToQuantity", Function::ConvertsToQuantity, 0, 1, Family::Conversion),
    ("convertsToString", Function::ConvertsToString, 0, 0, Family::Conversion),
    ("convertsToTime", Function::ConvertsToTime, 0, 0, Family::Conversion),
    ("count", Function::Count, 0, 0, Family::Existence),
    ("dateOf", Function::DateOf, 0, 0, Family::Component),
    ("dayOf", Function::DayOf, 0, 0, Family::Component),
    ("decode", Function::Decode, 1, 1, Family::Encoding),
    ("defineVariable", Function::DefineVariable, 1, 2, Family::Utility),
    ("descendants", Function::Descendants, 0, 0, Family::Tree),
    ("distinct", Function::Distinct, 0, 0, Family::Existence),
    ("elementDefinition", Function::ElementDefinition, 0, 0, Family::Fhir),
    ("empty", Function::Empty, 0, 0, Family::Existence),
    ("encode", Function::Encode, 1, 1, Family::Encoding),
    ("endsWith", Function::EndsWith, 1, 1, Family::String),
    ("escape", Function::Escape, 1, 1, Family::Encoding),
    ("exclude", Function::Exclude, 1, 1, Family::Subsetting),
    ("exists", Function::Exists, 0, 1, Family::Existence),
    ("exp", Function::Exp, 0, 0, Family::Math),
    ("extension", Function::Extension, 1, 1, Family::Fhir),
    ("first", Function::First, 0, 0, Family::Subsetting),
    ("floor", Function::Floor, 0, 0, Family::Math),
    ("getValue", Function::GetValue, 0, 0, Family::Fhir),
    ("hasValue", Function::HasValue, 0, 0, Family::Fhir),
    ("highBoundary", Function::HighBoundary, 0, 1, Family::Utility),
    ("hourOf", Function::HourOf, 0, 0, Family::Component),
    ("htmlChecks", Function::HtmlChecks, 0, 0, Family::Fhir),
    ("iif", Function::Iif, 2, 3, Family::Filtering),
    ("indexOf", Function::IndexOf, 1, 1, Family::String),
    ("intersect", Function::Intersect, 1, 1, Family::Subsetting),
    ("is", Function::Is, 1, 1, Family::Filtering),
    ("isDistinct", Function::IsDistinct, 0, 0, Family::Existence),
    ("join", Function::Join, 0, 1, Family::String),
    ("last", Function::Last, 0, 0, Family::Subsetting),
    ("lastIndexOf", Function::LastIndexOf, 1, 1, Family::String),
    ("length", Function::Length, 0, 0, Family::String),
    ("ln", Function::Ln, 0, 0, Family::Math),
    ("log", Function::Log, 1, 1, Family::Math),
    ("lowBoundary", Function::LowBoundary, 0, 1, Family::Utility),
    ("lower", Function::Lower, 0, 0, Family::String),
    ("matches", Function::Matches, 1, 1, Family::Pattern),
    ("matchesFull", Function::MatchesFull, 1, 1, Family::Pattern),
    ("memberOf", Function::MemberOf, 1, 1, Family::Fhir),
    ("millisecondOf", Function::MillisecondOf, 0, 0, Family::Component),
    ("minuteOf", Function::MinuteOf, 0, 0, Family::Component),
    ("monthOf", Function::MonthOf, 0, 0, Family::Component),
    ("not", Function::Not, 0, 0, Family::Existence),
    ("now", Function::Now, 0, 0, Family::Utility),
    ("ofType", Function::OfType, 1, 1, Family::Filtering),
    ("power", Function::Power, 1, 1, Family::Math),
    ("precision", Function::Precision, 0, 0, Family::Utility),
    ("repeat", Function::Repeat, 1, 1, Family::Filtering),
    ("replace", Function::Replace, 2, 2, Family::String),
    ("replaceMatches", Function::ReplaceMatches, 2, 2, Family::Pattern),
    ("resolve", Function::Resolve, 0, 0, Family::Fhir),
    ("round", Function::Round, 0, 1, Family::Math),
    ("secondOf", Function::SecondOf, 0, 0, Family::Component),
    ("select", Function::Select, 1, 1, Family::Filtering),
    ("single", Function::Single, 0, 0, Family::Subsetting),
    ("skip", Function::Skip, 1, 1, Family::Subsetting),
    ("slice", Function::Slice, 2, 2, Family::Fhir),
    ("sort", Function::Sort, 0, 16, Family::Filtering),
    ("split", Function::Split, 1, 1, Family::String),
    ("sqrt", Function::Sqrt, 0, 0, Family::Math),
    ("startsWith", Function::StartsWith, 1, 1, Family::String),
    ("subsetOf", Function::SubsetOf, 1, 1, Family::Existence),
    ("substring", Function::Substring, 1, 2, Family::String),
    ("subsumedBy", Function::SubsumedBy, 1, 1, Family::Fhir),
    ("subsumes", Function::Subsumes, 1, 1, Family::Fhir),
    ("supersetOf", Function::SupersetOf, 1, 1, Family::Existence),
    ("tail", Function::Tail, 0, 0, Family::Subsetting),
    ("take", Function::Take, 1, 1, Family::Subsetting),
    ("timeOf", Function::TimeOf, 0, 0, Family::Component),
    ("timeOfDay", Function::TimeOfDay, 0, 0, Family::Utility),
    ("timezoneOffsetOf", Function::TimezoneOffsetOf, 0, 0, Family::Component),
    ("toBoolean", Function::ToBoolean, 0, 0, Family::Conversion),
    ("toChars", Function::ToChars, 0, 0, Family::String),
    ("toDate", Function::ToDate, 0, 0, Family::Conversion),
    ("toDateTime", Function::ToDateTime, 0, 0, Family::Conversion),
    ("toDecimal", Function::ToDecimal, 0, 0, Family::Conversion),
    ("toInteger", Function::ToInteger, 0, 0, Family::Conversion),
    ("toQuantity", Function::ToQuantity, 0, 1, Family::Conversion),
    ("toString", Function::ToString, 0, 0, Family::Conversion),
    ("toTime", Function::ToTime, 0, 0, Family::Conversion),
    ("today", Function::Today, 0, 0, Family::Utility),
    ("trace", Function::Trace, 1, 2, Family::Utility),
    ("trim", Function::Trim, 0, 0, Family::String),
    ("truncate", Function::Truncate, 0, 0, Family::Math),
    ("type", Function::Type, 0, 0, Family::Utility),
    ("unescape", Function::Unescape, 1, 1, Family::Encoding),
    ("union", Function::Union, 1, 1, Family::Subsetting),
    ("upper", Function::Upper, 0, 0, Family::String),
    ("where", Function::Where, 1, 1, Family::Filtering),
    ("yearOf", Function::YearOf, 0, 0, Family::Component),
];

impl Function {
    /// The function of that name.
    pub(super) fn of_name(name: &str) -> Option<Self> {
        let index = TABLE.binary_search_by(|row| row.0.cmp(name)).ok()?;
        TABLE.get(index).map(|row| row.1)
    }

    fn row(self) -> (&'static str, usize, usize, Family) {
        let row = TABLE.iter().find(|row| row.1 == self);
        row.map_or(("", 0, 0, Family::Utility), |(name, _, least, most, family)| {
            (*name, *least, *most, *family)
        })
    }

    /// The name as written.
    pub(super) fn name(self) -> &'static str {
        self.row().0
    }

    /// The least and the greatest number of arguments.
    pub(super) fn arity(self) -> (usize, usize) {
        let (_, least, most, _) = self.row();
        (least, most)
    }

    /// The family that it belongs to.
    pub(super) fn family(self) -> Family {
        self.row().3
    }

    /// Whether the argument is a type, not an expression.
    pub(super) fn takes_type(self) -> bool {
        matches!(self, Function::Is | Function::As | Function::OfType)
    }

    /// A name that is spelt alike, for messages.
    pub(super) fn like(name: &str) -> Option<&'static str> {
        TABLE
            .iter()
            .map(|row| row.0)
            .find(|known| known.eq_ignore_ascii_case(name))
    }
}

impl<'a> Evaluator<'a> {
    /// Runs a function on its input.
    pub(super) fn call(
        &mut self,
        call: &'a Call,
        input: Collection<'a>,
        scope: Scope<'a, '_>,
    ) -> Result<Collection<'a>, Error> {
        match call.family {
            Family::Existence => self.existence(call, input, scope),
            Family::Filtering => self.filtering(call, input, scope),
            Family::Subsetting => self.subsetting(call, input, scope),
            Family::Conversion => self.conversion(call, input, scope),
            Family::String => self.strings(call, input, scope),
            Family::Pattern => self.pattern(call, input, scope),
            Family::Encoding => self.encoding(call, input, scope),
            Family::Math => self.math(call, input, scope),
            Family::Tree => self.tree(call.function, input),
            Family::Utility => self.utility(call, input, scope),
            Family::Component => component::component(call.function, &input),
            Family::Fhir => self.fhir(call, input, scope),
        }
    }

    /// An argument that is evaluated once, with the focus of the caller; empty where it is not given.
    fn argument(
        &mut self,
        call: &'a Call,
        index: usize,
        scope: Scope<'a, '_>,
    ) -> Result<Collection<'a>, Error> {
        match call.args.get(index) {
            Some(arg) => self.scoped(arg, scope),
            None => Ok(Collection::new()),
        }
    }

    /// An argument that must be one string.
    fn string_argument(
        &mut self,
        call: &'a Call,
        index: usize,
        scope: Scope<'a, '_>,
    ) -> Result<Option<Cow<'a, str>>, Error> {
        let values = self.argument(call, index, scope)?;
        one_string(&values, || argument_name(call, index))
    }

    /// An argument that must be one integer.
    fn integer_argument(
        &mut self,
        call: &'a Call,
        index: usize,
        scope: Scope<'a, '_>,
    ) -> Result<Option<i32>, Error> {
        let values = self.argument(call, index, scope)?;
        match one(&values, || argument_name(call, index))?.map(Value::system) {
            None => Ok(None),
            Some(Some(System::Integer(value))) => Ok(Some(value)),
            _ => Err(Error::execution(format!(
                "{} must be an integer",
                argument_name(call, index)
            ))),
        }
    }
}

fn argument_name(call: &Call, index: usize) -> String {
    format!("argument {} of {}()", index + 1, call.function.name())
}

fn input_name(call: &Call) -> String {
    format!("the input of {}()", call.function.name())
}

/// The one item of a collection, if it is not empty.
///
/// # Errors
/// There are several.
pub(super) fn one<'c, 'a>(
    values: &'c [Value<'a>],
    what: impl Fn() -> String,
) -> Result<Option<&'c Value<'a>>, Error> {
    match values {
        [] => Ok(None),
        [value] => Ok(Some(value)),
        several => Err(Error::execution(format!(
            "{} must be a single item, here are {}; pick one with first() or go through them with select()",
            what(),
            several.len()
        ))),
    }
}

/// The one string of a collection, if it is not empty; an element without value counts as empty.
fn one_string<'a>(values: &[Value<'a>], what: impl Fn() -> String) -> Result<Option<Cow<'a, str>>, Error> {
    let Some(value) = one(values, &what)? else {
        return Ok(None);
    };
    match text_of(value) {
        Some(text) => Ok(Some(text)),
        None if super::compare::is_bare(value) => Ok(None),
        None => Err(Error::execution(format!(
            "{} must be a string, here is a {}",
            what(),
            value.describe()
        ))),
    }
}

/// The text of a string value or string-like element, borrowed from the data where it can be.
fn text_of<'a>(value: &Value<'a>) -> Option<Cow<'a, str>> {
    use crate::primitive::Scalar;
    use crate::reflect::Node;
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Node(Node::Primitive(_, primitive)) => match primitive.scalar()? {
            Scalar::String(text) => Some(Cow::Borrowed(text)),
            _ => None,
        },
        _ => None,
    }
}

/// Whether an expression is `-x`, which `sort` reads as descending.
pub(super) fn descending(expr: &Expr) -> Option<&Expr> {
    match &expr.kind {
        super::plan::Kind::Polarity {
            negative: true,
            operand,
        } => Some(operand),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_by_name() {
        assert!(TABLE.is_sorted_by(|a, b| a.0 < b.0));
    }
}
