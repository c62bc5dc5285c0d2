//! Value sets that are not written down, since their URL says all (<https://hl7.org/fhir/R4/snomedct.html#implicit>).

use fhir_model::{ValueSet, ValueSetCompose, ValueSetComposeInclude, ValueSetComposeIncludeFilter};

use super::library::Library;

const SNOMED: &str = "http://snomed.info/sct";
const UCUM: &str = "http://unitsofmeasure.org";

/// The value set that the URL implies: of SNOMED CT by `?fhir_vs`, of UCUM by `/vs`, or of all codes of a code system
/// that names it in `CodeSystem.valueSet`.
pub(super) fn value_set(library: &Library, url: &str) -> Option<ValueSet> {
    let include = if let Some((base, query)) = url.split_once("?fhir_vs") {
        snomed(base, query)?
    } else if url.strip_prefix(UCUM) == Some("/vs") {
        include(UCUM, None, None)
    } else {
        include(&library.system_of_whole(url)?, None, None)
    };
    Some(ValueSet {
        url: url.into(),
        status: "active".into(),
        compose: ValueSetCompose {
            include: vec![include],
            ..ValueSetCompose::default()
        }
        .into(),
        ..ValueSet::default()
    })
}

fn snomed(base: &str, query: &str) -> Option<ValueSetComposeInclude> {
    // The edition, and the version of it, are in the URL before the query.
    let version = match base.strip_prefix(SNOMED)? {
        "" => None,
        rest if rest.starts_with('/') => Some(base),
        _ => return None,
    };
    let filter = match query.strip_prefix('=') {
        None if query.is_empty() => None,
        None => return None,
        Some("refset") => Some(("memberOf", "exists", "true")),
        Some(of) => match of.split_once('/')? {
            ("isa", id) => Some(("concept", "is-a", id)),
            ("refset", id) => Some(("memberOf", "=", id)),
            ("ecl", constraint) => Some(("constraint", "=", constraint)),
            _ => return None,
        },
    };
    Some(include(SNOMED, version, filter))
}

fn include(
    system: &str,
    version: Option<&str>,
    filter: Option<(&str, &str, &str)>,
) -> ValueSetComposeInclude {
    let filter = filter.map(|(property, op, value)| ValueSetComposeIncludeFilter {
        property: property.into(),
        op: op.into(),
        value: value.into(),
        ..ValueSetComposeIncludeFilter::default()
    });
    ValueSetComposeInclude {
        system: system.into(),
        version: version.map(Into::into).unwrap_or_default(),
        filter: filter.into_iter().collect(),
        ..ValueSetComposeInclude::default()
    }
}
