//! Values of type string (<https://hl7.org/fhir/R4/search.html#string>): the beginning, without regard to case and accents.

use super::super::escape;
use super::super::facet::Facet;
use crate::error::Result;
use crate::search::{malformed, text};
use crate::store::{Aspect, Criterion, Test};

/// Begins with the value.
pub(super) fn starts_with(facet: &Facet<'_>, value: &str) -> Result<Criterion> {
    Ok(criterion(facet, Test::StartsWith(folded(facet, value)?)))
}

/// Holds the value anywhere.
pub(super) fn contains(facet: &Facet<'_>, value: &str) -> Result<Criterion> {
    Ok(criterion(facet, Test::Contains(folded(facet, value)?)))
}

/// Is the value, case and accents included. The index finds it as it is folded.
pub(super) fn exact(facet: &Facet<'_>, value: &str) -> Criterion {
    let exact = escape::plain(value);
    let folded = Test::Folded(text::fold(&exact));
    criterion(facet, Test::Every(vec![folded, Test::Exact(exact)]))
}

/// The words beside a code or reference begin with the value.
pub(super) fn text_of(facet: &Facet<'_>, value: &str) -> Result<Criterion> {
    Ok(Criterion {
        parameter: facet.number.of(Aspect::Text),
        test: Test::StartsWith(folded(facet, value)?),
    })
}

fn criterion(facet: &Facet<'_>, test: Test) -> Criterion {
    Criterion {
        parameter: facet.number,
        test,
    }
}

/// The value as the index keeps text. Marks alone would fold to nothing, and nothing is the beginning of everything.
fn folded(facet: &Facet<'_>, value: &str) -> Result<String> {
    let folded = text::fold(&escape::plain(value));
    match folded.is_empty() {
        true => Err(malformed(
            facet.code,
            value,
            "text with a letter, digit or sign that can be seen",
        )),
        false => Ok(folded),
    }
}
