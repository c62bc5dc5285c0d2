//! The codes of consents: canonical addresses of systems, purposes and sensitivities with what lies below them.
//!
//! The hierarchies are those of R4's v3-ActReason (purposes of use) and v3-ActCode (information sensitivity).

use super::super::label::CONFIDENTIALITY;

/// The system of purposes.
pub(crate) const ACT_REASON: &str = "http://terminology.hl7.org/CodeSystem/v3-ActReason";
/// The system of types as classes of data.
pub(crate) const RESOURCE_TYPES: &str = "http://hl7.org/fhir/resource-types";

/// Purposes, each with the one above it.
const PURPOSES: &[(&str, &str)] = &[
    ("CAREMGT", "HOPERAT"),
    ("DONAT", "HOPERAT"),
    ("FRAUD", "HOPERAT"),
    ("GOV", "HOPERAT"),
    ("HACCRED", "HOPERAT"),
    ("HCOMPL", "HOPERAT"),
    ("HDECD", "HOPERAT"),
    ("HDIRECT", "HOPERAT"),
    ("HDM", "HOPERAT"),
    ("HLEGAL", "HOPERAT"),
    ("HOUTCOMS", "HOPERAT"),
    ("HPRGRP", "HOPERAT"),
    ("HQUALIMP", "HOPERAT"),
    ("HSYSADMIN", "HOPERAT"),
    ("LABELING", "HSYSADMIN"),
    ("METAMGT", "HSYSADMIN"),
    ("MEMADMIN", "HOPERAT"),
    ("MILCDM", "HOPERAT"),
    ("PATADMIN", "HOPERAT"),
    ("PATSFTY", "HOPERAT"),
    ("PERFMSR", "HOPERAT"),
    ("RECORDMGT", "HOPERAT"),
    ("SYSDEV", "HOPERAT"),
    ("HTEST", "SYSDEV"),
    ("TRAIN", "HOPERAT"),
    ("CLMATTCH", "HPAYMT"),
    ("COVAUTH", "HPAYMT"),
    ("COVERAGE", "HPAYMT"),
    ("ELIGDTRM", "COVERAGE"),
    ("ELIGVER", "COVERAGE"),
    ("ENROLLM", "COVERAGE"),
    ("MILDCRG", "COVERAGE"),
    ("REMITADV", "HPAYMT"),
    ("BIORCH", "HRESCH"),
    ("CLINTRCH", "HRESCH"),
    ("CLINTRCHNPC", "CLINTRCH"),
    ("CLINTRCHPC", "CLINTRCH"),
    ("PRECLINTRCH", "CLINTRCH"),
    ("DSRCH", "HRESCH"),
    ("POARCH", "HRESCH"),
    ("TRANSRCH", "HRESCH"),
    ("FAMRQT", "PATRQT"),
    ("PWATRNY", "PATRQT"),
    ("SUPNWK", "PATRQT"),
    ("DISASTER", "PUBHLTH"),
    ("THREAT", "PUBHLTH"),
    ("CLINTRL", "TREAT"),
    ("COC", "TREAT"),
    ("ETREAT", "TREAT"),
    ("BTG", "ETREAT"),
    ("ERTREAT", "ETREAT"),
    ("POPHLTH", "TREAT"),
];
/// Purposes with none above them.
const FIRST_PURPOSES: &[&str] = &[
    "HMARKT", "HOPERAT", "HPAYMT", "HRESCH", "PATRQT", "PUBHLTH", "TREAT",
];

/// Sensitivities, each with the one above it.
const SENSITIVITIES: &[(&str, &str)] = &[
    ("BH", "SPI"),
    ("COGN", "BH"),
    ("DVD", "BH"),
    ("EMOTDIS", "BH"),
    ("MH", "SPI"),
    ("PSY", "SPI"),
    ("PSYTHPN", "SPI"),
    ("SUD", "SPI"),
    ("ETHUD", "SUD"),
    ("OPIOIDUD", "SUD"),
];

/// Confidentiality, the lowest first.
const CONFIDENTIALITIES: [&str; 6] = ["U", "L", "M", "N", "R", "V"];

/// A system's own address, where a known other spelling of it was written.
pub(crate) fn canonical(system: &str) -> String {
    let known = [
        "terminology.hl7.org/",
        "hl7.org/",
        "www.hl7.org/",
        "snomed.info/",
        "loinc.org",
        "unitsofmeasure.org",
    ];
    let plain = system.trim();
    match plain.strip_prefix("https://") {
        Some(rest) if known.iter().any(|host| rest.starts_with(host)) => format!("http://{rest}"),
        _ => plain.to_owned(),
    }
}

/// Whether it is a purpose of use.
pub(crate) fn is_purpose(code: &str) -> bool {
    FIRST_PURPOSES.contains(&code) || PURPOSES.iter().any(|(one, _)| *one == code)
}

/// Whether the first purpose is the second or lies below it.
pub(crate) fn is_for(purpose: &str, wanted: &str) -> bool {
    is_below(PURPOSES, purpose, wanted)
}

fn is_below(tree: &[(&str, &str)], code: &str, wanted: &str) -> bool {
    let mut at = Some(code);
    while let Some(one) = at {
        if one == wanted {
            return true;
        }
        at = tree
            .iter()
            .find(|(below, _)| *below == one)
            .map(|(_, above)| *above);
    }
    false
}

/// A sensitivity and all that lies below it.
pub(crate) fn sensitivities(code: &str) -> Vec<String> {
    let below = SENSITIVITIES.iter().map(|(one, _)| *one);
    let below = below.filter(|one| *one != code && is_below(SENSITIVITIES, one, code));
    std::iter::once(code).chain(below).map(str::to_owned).collect()
}

/// The levels of confidentiality from that one upwards, or those above it; `None` where it is none.
pub(crate) fn from_level(code: &str, itself: bool) -> Option<Vec<String>> {
    let at = CONFIDENTIALITIES.iter().position(|one| *one == code)?;
    let from = if itself { at } else { at + 1 };
    Some(
        CONFIDENTIALITIES
            .iter()
            .skip(from)
            .map(|&s| s.to_owned())
            .collect(),
    )
}

/// Whether the system is that of levels of confidentiality.
pub(crate) fn is_confidentiality(system: &str) -> bool {
    system == CONFIDENTIALITY
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn purposes_and_sensitivities_include_what_lies_below_them() {
        assert!(is_for("BTG", "TREAT") && is_for("TREAT", "TREAT") && !is_for("TREAT", "BTG"));
        assert!(is_for("CLINTRCHPC", "HRESCH") && !is_for("HRESCH", "TREAT"));
        assert_eq!(sensitivities("SUD"), ["SUD", "ETHUD", "OPIOIDUD"]);
        assert_eq!(sensitivities("HIV"), ["HIV"]);
        assert!(sensitivities("SPI").contains(&"OPIOIDUD".to_owned()));
        assert_eq!(from_level("R", false).unwrap(), ["V"]);
        assert_eq!(from_level("R", true).unwrap(), ["R", "V"]);
        assert_eq!(from_level("X", true), None);
    }

    #[test]
    fn other_spellings_of_known_systems_are_those_systems() {
        assert_eq!(
            canonical("https://terminology.hl7.org/CodeSystem/v3-ActReason"),
            ACT_REASON
        );
        assert_eq!(
            canonical("https://fhir.nhs.uk/Id/nhs-number"),
            "https://fhir.nhs.uk/Id/nhs-number"
        );
    }
}
