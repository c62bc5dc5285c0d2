//! Values of type uri (<https://hl7.org/fhir/R4/search.html#uri>), and canonical ones with a version after a bar.

use super::super::facet::Facet;
use super::super::{escape, too_costly};
use crate::error::Result;
use crate::store::{Criterion, Test};

/// Where a uri may be cut for `:below` and `:above`.
const BORDERS: [char; 5] = ['/', ':', '#', '?', '.'];

/// The most uris that one may lie below.
const MAX_ABOVE: usize = 100;

/// That uri; `url|version` is one version of it.
pub(super) fn equal(facet: &Facet<'_>, value: &str) -> Criterion {
    let (uri, version) = versioned(value);
    criterion(facet, Test::Uri { uri, version })
}

/// That uri or one below it.
pub(super) fn below(facet: &Facet<'_>, value: &str) -> Criterion {
    criterion(facet, Test::UriBelow(escape::plain(value)))
}

/// That uri or one above it.
pub(super) fn above(facet: &Facet<'_>, value: &str) -> Result<Criterion> {
    let uri = escape::plain(value);
    let mut above: Vec<String> = Vec::new();
    for (at, border) in uri.char_indices().filter(|(_, c)| BORDERS.contains(c)) {
        for end in [at, at + border.len_utf8()] {
            let prefix = uri.get(..end).unwrap_or_default();
            if !prefix.is_empty() && above.last().is_none_or(|last| last != prefix) {
                above.push(prefix.to_owned());
            }
        }
        if above.len() > MAX_ABOVE {
            let text = "The value has too many parts for :above: search for the uris themselves.";
            return Err(too_costly(facet.code, text.to_owned()));
        }
    }
    if above.last() != Some(&uri) {
        above.push(uri);
    }
    Ok(criterion(facet, Test::UriAbove(above)))
}

/// A uri and the version after its last bar that is not escaped.
pub(super) fn versioned(value: &str) -> (String, Option<String>) {
    let parts = escape::split(value, '|');
    match parts.split_last() {
        Some((version, uri)) if !uri.is_empty() => {
            let version = escape::plain(version);
            (
                escape::plain(&uri.join("|")),
                Some(version).filter(|v| !v.is_empty()),
            )
        }
        _ => (escape::plain(value), None),
    }
}

fn criterion(facet: &Facet<'_>, test: Test) -> Criterion {
    Criterion {
        parameter: facet.number,
        test,
    }
}
