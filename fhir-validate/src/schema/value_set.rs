//! The codes of a value set, where R4 itself enumerates them (<https://hl7.org/fhir/R4/valueset.html#compositions>).
//!
//! Invariant: a list is whole or not given: a value set that filters, imports, excludes or names a code system whose
//! content is not here has no list.

use super::definition::{Concept, Definitions, Include};

/// A value set whose codes are all known.
pub(super) struct Codes<'d> {
    /// Its id, such as `administrative-gender`.
    pub(super) id: &'d str,
    /// In the order of the definition, without repeats.
    pub(super) codes: Vec<&'d str>,
}

/// The codes of the value set with that canonical url (a version after `|` is not looked at).
pub(super) fn codes<'d>(definitions: &'d Definitions, canonical: &str) -> Option<Codes<'d>> {
    let url = canonical.split('|').next().unwrap_or(canonical);
    let value_set = definitions.value_sets.get(url)?;
    let compose = &value_set.compose;
    if compose.include.is_empty() || !compose.exclude.is_empty() {
        return None;
    }
    let mut codes = Vec::new();
    for include in &compose.include {
        for code in included(definitions, include)? {
            if !codes.contains(&code) {
                codes.push(code);
            }
        }
    }
    (!codes.is_empty()).then_some(Codes {
        id: &value_set.id,
        codes,
    })
}

fn included<'d>(definitions: &'d Definitions, include: &'d Include) -> Option<Vec<&'d str>> {
    if !include.filter.is_empty() || !include.value_set.is_empty() {
        return None;
    }
    let mut codes = Vec::new();
    if !include.concept.is_empty() {
        collect(&include.concept, &mut codes);
        return Some(codes);
    }
    let system = definitions.code_systems.get(include.system.as_deref()?)?;
    (system.content == "complete").then(|| collect(&system.concept, &mut codes))?;
    Some(codes)
}

fn collect<'d>(concepts: &'d [Concept], codes: &mut Vec<&'d str>) {
    for concept in concepts {
        codes.push(&concept.code);
        collect(&concept.concept, codes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "http://hl7.org/fhir/ValueSet/";

    fn list<'d>(definitions: &'d Definitions, id: &str) -> Option<Vec<&'d str>> {
        codes(definitions, &format!("{BASE}{id}|4.0.1")).map(|c| c.codes)
    }

    #[test]
    fn codes_come_whole_and_in_order_or_not_at_all() {
        let r4 = Definitions::r4().unwrap();
        assert_eq!(
            list(&r4, "administrative-gender").unwrap(),
            ["male", "female", "other", "unknown"]
        );
        assert_eq!(
            list(&r4, "units-of-time").unwrap(),
            ["s", "min", "h", "d", "wk", "mo", "a"]
        );
        // Several systems, and a system with a hierarchy.
        let all_types = list(&r4, "all-types").unwrap();
        assert!(
            all_types.contains(&"Patient") && all_types.contains(&"dateTime") && all_types.contains(&"Any")
        );
        assert!(list(&r4, "issue-type").unwrap().contains(&"code-invalid"));
        // Systems that R4 does not hold.
        assert_eq!(list(&r4, "mimetypes"), None);
        assert_eq!(list(&r4, "currencies"), None);
        assert_eq!(list(&r4, "no-such-set"), None);
    }
}
