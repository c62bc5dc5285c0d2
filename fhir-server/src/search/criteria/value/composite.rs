//! Values of type composite (<https://hl7.org/fhir/R4/search.html#composite>): a value for each part, with `$` between. All parts must
//! match within one group of values of the resource.

use super::super::facet::Facet;
use super::super::{Scope, any_of, escape, too_costly};
use super::alternatives;
use crate::error::Result;
use crate::search::malformed;
use crate::store::{Criterion, Filter};

/// The most ways in which the parts of one value may be read.
const MAX_WAYS: usize = 64;

/// Resources with one of the values.
pub(super) fn filter(scope: &Scope<'_>, facet: &Facet<'_>, values: &[&str]) -> Result<Filter> {
    let mut any = Vec::new();
    for value in values {
        any.extend(groups(scope, facet, value)?.into_iter().map(Filter::Group));
    }
    Ok(any_of(any))
}

/// The groups of tests of one value, any of which suffices.
fn groups(scope: &Scope<'_>, facet: &Facet<'_>, value: &str) -> Result<Vec<Vec<Criterion>>> {
    let texts = escape::split(value, '$');
    if texts.len() != facet.parts.len() || texts.iter().any(|text| text.trim().is_empty()) {
        let kinds: Vec<&str> = facet.parts.iter().map(|part| part.kind.code()).collect();
        let expected = format!(
            "{} values with $ between: {} (a dollar sign within a value as \\$)",
            kinds.len(),
            kinds.join(", ")
        );
        return Err(malformed(facet.code, value, &expected));
    }
    let mut groups = vec![Vec::new()];
    for (part, text) in facet.parts.iter().zip(texts) {
        let any = alternatives(scope, &facet.part(part), None, text)?;
        groups = groups
            .iter()
            .flat_map(|group: &Vec<Criterion>| {
                any.iter().map(|one| group.iter().chain([one]).cloned().collect())
            })
            .collect();
        if groups.len() > MAX_WAYS {
            return Err(too_costly(
                facet.code,
                format!("The parameter {} has too many parts.", facet.code),
            ));
        }
    }
    Ok(groups)
}
