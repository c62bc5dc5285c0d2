//! Code systems whose codes are made by a rule and not listed: languages, media types, units, URIs
//! (<https://hl7.org/fhir/R4/terminologies-systems.html>).
//!
//! Invariant: what the rule cannot decide is undecided, never wrong.

use fhir_model::path::units::{Ucum, Units};

use super::language;

/// A code system that is known by its rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// `urn:ietf:bcp:47`.
    Language,
    /// `urn:ietf:bcp:13`.
    MediaType,
    /// `http://unitsofmeasure.org`.
    Unit,
    /// `urn:ietf:rfc:3986`.
    Uri,
}

/// Special units of UCUM, on scales of their own, that do not convert by a factor: codes with one are not looked into.
const SPECIAL_UNITS: [&str; 16] = [
    "[pH]",
    "Np",
    "B[",
    "B",
    "bit_s",
    "[p'diop]",
    "%[slope]",
    "[hp'_X]",
    "[hp'_C]",
    "[hp'_M]",
    "[hp'_Q]",
    "[degRe]",
    "[m/s2/Hz^(1/2)]",
    "[kp_",
    "[EID_",
    "[CCID_",
];
/// The families of media types (RFC 6838, and those registered since).
const MEDIA_TYPES: [&str; 11] = [
    "application",
    "audio",
    "font",
    "haptics",
    "image",
    "message",
    "model",
    "multipart",
    "text",
    "video",
    "example",
];

impl Rule {
    /// The rule of the code system of that URL.
    pub(super) fn of(url: &str) -> Option<Rule> {
        Some(match url {
            "urn:ietf:bcp:47" => Rule::Language,
            "urn:ietf:bcp:13" => Rule::MediaType,
            "http://unitsofmeasure.org" => Rule::Unit,
            "urn:ietf:rfc:3986" => Rule::Uri,
            _ => return None,
        })
    }

    /// The code system's URL.
    pub(super) fn url(self) -> &'static str {
        match self {
            Rule::Language => "urn:ietf:bcp:47",
            Rule::MediaType => "urn:ietf:bcp:13",
            Rule::Unit => "http://unitsofmeasure.org",
            Rule::Uri => "urn:ietf:rfc:3986",
        }
    }

    /// Whether the code is one of the system; `None` where the rule cannot tell.
    pub(super) fn has(self, code: &str) -> Option<bool> {
        match self {
            Rule::Language => Some(language::is_tag(code)),
            Rule::MediaType => Some(is_media_type(code)),
            Rule::Uri => Some(!code.is_empty() && !code.contains(char::is_whitespace)),
            Rule::Unit if Ucum.canonical(code).is_some() => Some(true),
            Rule::Unit if code.len() > 200 || SPECIAL_UNITS.iter().any(|s| code.contains(s)) => None,
            Rule::Unit => Some(false),
        }
    }
}

/// `type/subtype`, with parameters after `;`. A FHIR short form such as `json` is none.
fn is_media_type(code: &str) -> bool {
    let full = code.split(';').next().unwrap_or("").trim();
    let token = |t: &str| {
        !t.is_empty()
            && t.bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&b))
    };
    full.split_once('/').is_some_and(|(family, name)| {
        let known = MEDIA_TYPES.iter().any(|m| m.eq_ignore_ascii_case(family)) || family.starts_with("x-");
        known && (token(name) || name == "*")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_held_against_the_rule_of_their_system() {
        let cases = [
            (Rule::Language, "en-GB", Some(true)),
            (Rule::Language, "english language", Some(false)),
            (
                Rule::MediaType,
                "application/fhir+json; fhirVersion=4.0",
                Some(true),
            ),
            (Rule::MediaType, "pdf", Some(false)),
            (Rule::MediaType, "picture/png", Some(false)),
            (Rule::Unit, "mm[Hg]", Some(true)),
            (Rule::Unit, "mmHg", Some(false)),
            (Rule::Unit, "[pH]", None),
            (Rule::Uri, "urn:oid:1.2.3", Some(true)),
            (Rule::Uri, "not a uri", Some(false)),
        ];
        for (rule, code, expected) in cases {
            assert_eq!(rule.has(code), expected, "{code}");
            assert_eq!(Rule::of(rule.url()), Some(rule));
        }
    }
}
