//! Dates, date-times, instants and times, two to an input, a line each: kept as written, ordered without contradiction.

#![no_main]

use std::fmt::Debug;
use std::str::FromStr;

use fhir_model::date::Parts;
use fhir_model::path::{Environment, Expression};
use fhir_model::{Date, DateTime, Instant, Time};
use jiff::tz::TimeZone;
use libfuzzer_sys::fuzz_target;

/// Holds what every one of the types promises.
fn check<T: FromStr + Debug + PartialEq>(
    a: &str,
    b: &str,
    text: fn(&T) -> &str,
    parts: fn(&T) -> Parts,
    compare: fn(&T, &T) -> Option<std::cmp::Ordering>,
) {
    let (first, second) = (a.parse::<T>(), b.parse::<T>());
    for (value, written) in [(&first, a), (&second, b)] {
        let Ok(value) = value else { continue };
        assert_eq!(text(value), written);
        assert_eq!(compare(value, value).is_none_or(|o| o.is_eq()), true);
        if parts(value).year > 0
            && let Some((from, to)) = parts(value).interval(&TimeZone::UTC)
        {
            assert!(from <= to, "{written}: {from} to {to}");
        }
    }
    if let (Ok(a), Ok(b)) = (&first, &second) {
        assert_eq!(compare(a, b), compare(b, a).map(|o| o.reverse()), "{a:?} and {b:?}");
    }
}

fuzz_target!(|text: &str| {
    let (a, b) = text.split_once('\n').unwrap_or((text, text));
    check::<Date>(a, b, Date::as_str, Date::parts, Date::compare);
    check::<DateTime>(a, b, DateTime::as_str, DateTime::parts, DateTime::compare);
    check::<Instant>(a, b, Instant::as_str, Instant::parts, Instant::compare);
    check::<Time>(a, b, Time::as_str, Time::parts, Time::compare);
    // FHIRPath reads them by itself, and does sums with them.
    let environment = Environment::new();
    for source in [format!("@{a} < @{b}"), format!("@{a} + {b}"), format!("@{a}.lowBoundary(8) = @{b}.highBoundary(8)")] {
        if let Ok(expression) = Expression::compile(&source) {
            drop(expression.evaluate((), &environment));
        }
    }
});
