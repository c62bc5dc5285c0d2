//! Whether the case of a system's codes counts in a search.
//!
//! R4 (<https://hl7.org/fhir/R4/search.html#token>): where a system says nothing of it, search without regard to case, as finding too
//! much is safer than finding too little.

use std::borrow::Cow;

/// Systems below these addresses say that case counts.
///
/// - `http://hl7.org/fhir/`, `http://terminology.hl7.org/CodeSystem/`: `CodeSystem.caseSensitive` of R4's own definitions;
/// - `https://fhir.hl7.org.uk/CodeSystem/`: the same of UK Core's.
const COUNTS_BELOW: [&str; 4] = [
    "http://hl7.org/fhir/",
    "http://terminology.hl7.org/CodeSystem/",
    "http://terminology.hl7.org/fhir/CodeSystem/",
    "https://fhir.hl7.org.uk/CodeSystem/",
];

/// Exceptions to those: the tables of HL7 v2, of which R4 does not say it; and `sid`, where systems of identifiers and the ICD lie.
const OPEN_BELOW: [&str; 2] = [
    "http://terminology.hl7.org/CodeSystem/v2-",
    "http://hl7.org/fhir/sid/",
];

/// Single systems whose case counts: UCUM, in which `mL` and `ML` are a millilitre and a megalitre; the others by their definitions in
/// R4.
const COUNTS: [&str; 8] = [
    "http://unitsofmeasure.org",
    "http://cds-hooks.hl7.org/CodeSystem/indicator",
    "http://dicom.nema.org/resources/ontology/DCM",
    "http://healthit.gov/nhin/purposeofuse",
    "http://hl7.org/fhir/sid/ex-icd-10-procedures",
    "urn:iso-astm:E1762-95:2013",
    "urn:oid:1.2.36.1.2001.1001.101.104.16592",
    "urn:oid:2.16.840.1.113883.3.1937.98.5.8",
];

/// Whether case counts in the codes of that system.
///
/// It does not in SNOMED CT (R4 says so of it), LOINC (its codes are digits and prefixes such as `LA`, which its owner takes in any case),
/// BCP 47 (RFC 5646, 2.1.1) and BCP 13 (RFC 6838, 4.2), and wherever the system does not say it: identifiers, ISO's countries and currencies,
/// local systems.
pub(crate) fn counts(system: &str) -> bool {
    if COUNTS.contains(&system) {
        return true;
    }
    let below = |prefixes: &[&str]| prefixes.iter().any(|prefix| system.starts_with(prefix));
    below(&COUNTS_BELOW) && !below(&OPEN_BELOW)
}

/// A code in the spelling that the index keeps: as written where case counts, else in lower case. No system is one that says nothing.
pub(crate) fn spelling<'c>(system: Option<&str>, code: &'c str) -> Cow<'c, str> {
    if system.is_some_and(counts) {
        Cow::Borrowed(code)
    } else {
        lower(code)
    }
}

/// A code in lower case.
pub(crate) fn lower(code: &str) -> Cow<'_, str> {
    let is_lower = |c: char| !c.is_ascii_uppercase() && (c.is_ascii() || c.to_lowercase().eq([c]));
    if code.chars().all(is_lower) {
        Cow::Borrowed(code)
    } else {
        Cow::Owned(code.to_lowercase())
    }
}

/// The type of an identifier and its value as the code that the index keeps for `:of-type`; the system beside it is the type's.
pub(crate) fn of_type(system: Option<&str>, code: &str, value: &str) -> String {
    format!("{}|{}", spelling(system, code), lower(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_counts_where_the_system_says_so() {
        for system in [
            "http://unitsofmeasure.org",
            "http://hl7.org/fhir/administrative-gender",
            "http://terminology.hl7.org/CodeSystem/v3-ActCode",
            "http://terminology.hl7.org/CodeSystem/condition-clinical",
        ] {
            assert!(counts(system), "{system}");
        }
        for system in [
            "http://snomed.info/sct",
            "http://loinc.org",
            "urn:ietf:bcp:47",
            "http://terminology.hl7.org/CodeSystem/v2-0203",
            "http://hl7.org/fhir/sid/us-ssn",
            "https://fhir.nhs.uk/Id/nhs-number",
            "",
        ] {
            assert!(!counts(system), "{system}");
        }
    }

    #[test]
    fn codes_are_lowered_where_case_does_not_count() {
        assert_eq!(spelling(Some("http://unitsofmeasure.org"), "mL"), "mL");
        assert_eq!(spelling(Some("http://loinc.org"), "LA6576-8"), "la6576-8");
        assert_eq!(spelling(None, "ÉA"), "éa");
        assert!(matches!(lower("éa-1"), Cow::Borrowed(_)));
        let v2 = Some("http://terminology.hl7.org/CodeSystem/v2-0203");
        assert_eq!(of_type(v2, "MR", "A1"), "mr|a1");
    }

    #[test]
    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    fn every_system_of_r4_is_taken_as_its_definition_says() {
        let text = zstd::decode_all(fhir_model::definitions::packed::CODE_SYSTEMS).unwrap();
        let lines = std::str::from_utf8(&text).unwrap().lines();
        let mut seen = 0;
        for line in lines {
            let system: serde_json::Value = serde_json::from_str(line).unwrap();
            let url = system["url"].as_str().unwrap();
            let said = system["caseSensitive"].as_bool().unwrap_or(false);
            // A supplement of a code system adds no codes.
            if system["content"] != "supplement" {
                assert_eq!(counts(url), said, "{url}");
                seen += 1;
            }
        }
        assert!(seen > 1000, "{seen}");
    }
}
