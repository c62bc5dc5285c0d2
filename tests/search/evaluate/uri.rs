//! Uris (<https://hl7.org/fhir/R4/search.html#uri>): as written, below and above; of a canonical the version may be left out.

use super::Found;
use crate::query::Sought;

pub(super) fn matches(found: &Found, modifier: Option<&str>, sought: &Sought) -> bool {
    let (Some(own), Sought::Uri(sought)) = (found.value.as_str(), sought) else {
        return false;
    };
    let bare = bare(found).unwrap_or_default();
    match modifier {
        Some("below") => bare == *sought || bare.starts_with(&format!("{}/", sought.trim_end_matches('/'))),
        Some("above") => bare == *sought || sought.starts_with(&format!("{}/", bare.trim_end_matches('/'))),
        _ => bare == *sought || own == sought,
    }
}

/// Without the version of a canonical.
pub(super) fn bare(found: &Found) -> Option<String> {
    let own = found.value.as_str()?;
    Some(match found.kind.as_str() {
        "canonical" => own.split('|').next()?.to_owned(),
        _ => own.to_owned(),
    })
}
