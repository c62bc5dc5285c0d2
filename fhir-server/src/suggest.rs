//! "Did you mean": the resource type, or the search parameter, that an unknown one was probably meant to be.

use fhir_model::Resource;
use fhir_model::spelling::distance;

/// The type nearest to what was sent: another case, a plural, or up to two letters off.
pub(crate) fn resource_type(sent: &str) -> Option<&'static str> {
    if sent.len() > 64 {
        return None;
    }
    let types = || Resource::TYPES.iter().copied();
    let singular = sent.strip_suffix("ies").map(|stem| format!("{stem}y"));
    let candidates = [
        Some(sent),
        sent.strip_suffix('s'),
        sent.strip_suffix("es"),
        singular.as_deref(),
    ];
    for candidate in candidates.into_iter().flatten() {
        if let Some(name) = types().find(|name| name.eq_ignore_ascii_case(candidate)) {
            return Some(name);
        }
    }
    nearest(sent, types())
}

/// The one nearest to what was sent: another case, or up to two letters off.
pub(crate) fn nearest<'n>(sent: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    if !(4..=64).contains(&sent.len()) {
        return None;
    }
    let near = names.map(|name| (distance(name, sent), name)).min()?;
    (near.0 <= 2).then_some(near.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_meant() {
        for (sent, meant) in [
            ("patient", "Patient"),
            ("PATIENT", "Patient"),
            ("Patients", "Patient"),
            ("Pateint", "Patient"),
            ("observations", "Observation"),
            ("Obsevation", "Observation"),
        ] {
            assert_eq!(resource_type(sent), Some(meant), "{sent}");
        }
    }

    #[test]
    fn does_not_guess_wildly() {
        for sent in ["", "x", "Customer", "favicon.ico", &"P".repeat(100_000)] {
            assert_eq!(resource_type(sent), None, "{sent:.20}");
        }
    }
}
