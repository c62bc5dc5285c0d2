//! Tokens (<https://hl7.org/fhir/R4/search.html#token>).

use serde_json::Value;

use super::{Found, text};
use crate::data::SYSTEMS;
use crate::query::Sought;

/// Systems of the data besides, in whose codes case counts by their own definitions.
const EXACT: [&str; 5] = [
    "http://unitsofmeasure.org",
    "http://terminology.hl7.org/CodeSystem/v3-ActCode",
    "http://terminology.hl7.org/CodeSystem/condition-clinical",
    "http://terminology.hl7.org/CodeSystem/condition-ver-status",
    "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical",
];

/// Whether case counts in the codes of a system; where it does not say so, it does not.
pub(crate) fn is_exact(system: Option<&str>) -> bool {
    let known = |system: &str| SYSTEMS.iter().any(|(url, exact, _)| *url == system && *exact);
    system.is_some_and(|system| EXACT.contains(&system) || known(system))
}

fn same_code(system: Option<&str>, code: &str, sought: &str) -> bool {
    match is_exact(system) {
        true => code == sought,
        false => code.to_lowercase() == sought.to_lowercase(),
    }
}

/// System and code of each token of a value; a code that is not there is empty.
pub(super) fn tokens(found: &Found) -> Vec<(Option<String>, String)> {
    let part = |value: &Value, name: &str| value[name].as_str().map(str::to_owned);
    let of = |value: &Value, code: &str| (part(value, "system"), part(value, code).unwrap_or_default());
    match found.kind.as_str() {
        "CodeableConcept" => match found.value["coding"].as_array() {
            Some(codings) => codings.iter().map(|coding| of(coding, "code")).collect(),
            None => vec![(None, String::new())],
        },
        "Coding" => vec![of(&found.value, "code")],
        "Identifier" => vec![of(&found.value, "value")],
        "ContactPoint" => vec![(None, part(&found.value, "value").unwrap_or_default())],
        _ => vec![(None, found.value.as_str().unwrap_or_default().to_owned())],
    }
}

pub(super) fn matches(found: &Found, modifier: Option<&str>, sought: &Sought) -> bool {
    match (modifier, sought) {
        (Some("text"), Sought::Text(sought)) => words(found)
            .iter()
            .any(|words| text::plain(words).starts_with(&text::plain(sought))),
        (_, Sought::OfType { system, code, value }) => {
            let has_value = found.value["value"]
                .as_str()
                .is_some_and(|own| same_code(None, own, value));
            let codings = found.value["type"]["coding"]
                .as_array()
                .cloned()
                .unwrap_or_default();
            let is_type = |coding: &Value| {
                coding["system"] == **system
                    && coding["code"]
                        .as_str()
                        .is_some_and(|own| same_code(Some(system), own, code))
            };
            has_value && codings.iter().any(is_type)
        }
        (_, Sought::Token { system, code }) => tokens(found)
            .iter()
            .any(|own| is(own, system.as_deref(), code.as_deref())),
        _ => false,
    }
}

/// Whether a token is one that is looked for.
pub(super) fn is(own: &(Option<String>, String), system: Option<&str>, code: Option<&str>) -> bool {
    let (own_system, own_code) = (own.0.as_deref(), own.1.as_str());
    let in_system = match system {
        None => true,
        Some("") => own_system.is_none(),
        Some(system) => own_system == Some(system),
    };
    in_system && code.is_none_or(|code| !own_code.is_empty() && same_code(own_system, own_code, code))
}

/// The words beside the codes.
fn words(found: &Found) -> Vec<String> {
    let value = &found.value;
    let mut words = vec![
        value["text"].clone(),
        value["display"].clone(),
        value["type"]["text"].clone(),
    ];
    let codings = value["coding"].as_array().cloned().unwrap_or_default();
    words.extend(codings.iter().map(|coding| coding["display"].clone()));
    words
        .iter()
        .filter_map(|words| words.as_str().map(str::to_owned))
        .collect()
}
