//! The parts of a rule, read from an element's facts.

use fhir_model::path::Expression;
use serde_json::Value;

use super::{Binding, Check, Constraint, Slicing, SlicingRules, Strength, TypeRule};
use crate::definition::{Facts, extension, list, short_type, strings};
use crate::finding::Severity;
use crate::overrides::{self, Treatment};

const FHIR_TYPE: &str = "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type";
const PROFILE_ELEMENT: &str = "http://hl7.org/fhir/StructureDefinition/elementdefinition-profile-element";
const MAX_VALUE_SET: &str = "http://hl7.org/fhir/StructureDefinition/elementdefinition-maxValueSet";
const BEST_PRACTICE: &str = "http://hl7.org/fhir/StructureDefinition/elementdefinition-bestpractice";
const ADDITIONAL: [&str; 2] = [
    "http://hl7.org/fhir/tools/StructureDefinition/additional-binding",
    "http://hl7.org/fhir/5.0/StructureDefinition/extension-ElementDefinition.binding.additional",
];

/// The types that an element may have.
pub(crate) fn types(facts: &Facts) -> Vec<TypeRule> {
    let one = |kind: &Value| {
        let code = kind.get("code").and_then(Value::as_str).unwrap_or_default();
        let named = extension(list(kind.get("extension")), FHIR_TYPE).and_then(Value::as_str);
        TypeRule {
            code: named.map_or_else(|| short_type(code).to_owned(), |n| short_type(n).to_owned()),
            profiles: profiles(kind),
            targets: strings(kind.get("targetProfile")),
            aggregation: strings(kind.get("aggregation")),
        }
    };
    let mut all: Vec<TypeRule> = Vec::new();
    // Definitions of before R4 repeat a type for each profile and target.
    for kind in list(facts.get("type")).iter().map(one) {
        match all
            .iter_mut()
            .find(|known| known.code == kind.code && !kind.code.is_empty())
        {
            Some(known) => {
                known.profiles.extend(kind.profiles);
                known.targets.extend(kind.targets);
            }
            None => all.push(kind),
        }
    }
    all
}

/// The profiles of a type; one that is meant by an element of it only has the element's id after `#`.
fn profiles(kind: &Value) -> Vec<String> {
    let mut all = strings(kind.get("profile"));
    for (profile, beside) in all.iter_mut().zip(list(kind.get("_profile"))) {
        if let Some(id) = extension(list(beside.get("extension")), PROFILE_ELEMENT).and_then(Value::as_str) {
            profile.push('#');
            profile.push_str(id);
        }
    }
    all
}

/// The constraints of an element. Each expression is compiled.
pub(crate) fn constraints(facts: &Facts) -> Vec<Constraint> {
    let text =
        |constraint: &Value, name: &str| constraint.get(name).and_then(Value::as_str).map(str::to_owned);
    let one = |constraint: &Value| {
        let key = text(constraint, "key")?;
        let expression = text(constraint, "expression")?;
        let is_advice = extension(list(constraint.get("extension")), BEST_PRACTICE).and_then(Value::as_bool)
            == Some(true);
        Some(Constraint {
            // Advice on good practice is no sign that anything is wrong.
            severity: match text(constraint, "severity").as_deref() {
                _ if is_advice => Severity::Information,
                Some("warning") => Severity::Warning,
                _ => Severity::Error,
            },
            human: text(constraint, "human"),
            test: check(&key, &expression),
            key,
        })
    };
    list(facts.get("constraint")).iter().filter_map(one).collect()
}

fn check(key: &str, expression: &str) -> Check {
    let expression = match overrides::treatment(key, expression) {
        Some(Treatment::Elsewhere(_) | Treatment::NotAsked) => return Check::Elsewhere,
        Some(Treatment::Corrected(expression)) => expression,
        Some(Treatment::NeverFires) | None => expression,
    };
    match Expression::compile(expression) {
        Ok(expression) => Check::Path(expression),
        Err(error) => Check::Broken(error.to_string()),
    }
}

/// The bindings of an element: its own, its greatest value set, and additional ones.
pub(crate) fn bindings(facts: &Facts) -> Vec<Binding> {
    let Some(binding) = facts.get("binding") else {
        return Vec::new();
    };
    let value_set = |value: &Value| {
        value
            .get("valueSet")
            .or_else(|| value.get("valueSetUri"))
            .or_else(|| value.pointer("/valueSetReference/reference"))
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    let plain = |strength, value_set| Binding {
        strength,
        value_set,
        usage: Vec::new(),
        any: false,
    };
    let mut all = Vec::new();
    let strength = binding.get("strength").and_then(Value::as_str).and_then(strength);
    if let (Some(strength), Some(url)) = (strength, value_set(binding)) {
        all.push(plain(strength, url));
    }
    let extensions = list(binding.get("extension"));
    if let Some(url) = extension(extensions, MAX_VALUE_SET).and_then(Value::as_str) {
        all.push(plain(Strength::Maximum, url.to_owned()));
    }
    for additional in extensions.iter().filter(|x| {
        x.get("url")
            .and_then(Value::as_str)
            .is_some_and(|u| ADDITIONAL.contains(&u))
    }) {
        all.extend(additional_binding(list(additional.get("extension"))));
    }
    for additional in list(binding.get("additional")) {
        let purpose = additional.get("purpose").and_then(Value::as_str);
        if let (Some(strength), Some(url)) = (purpose.and_then(self::strength), value_set(additional)) {
            all.push(plain(strength, url));
        }
    }
    all
}

/// A further binding, of the extension that carries those of R5.
fn additional_binding(parts: &[Value]) -> Option<Binding> {
    let strength = strength(extension(parts, "purpose")?.as_str()?)?;
    let usage = parts
        .iter()
        .filter(|x| x.get("url").and_then(Value::as_str) == Some("usage"));
    let usage = usage.filter_map(|x| {
        let context = x.get("valueUsageContext")?;
        let code = context.pointer("/code/code")?.as_str()?.to_owned();
        let value = context
            .pointer("/valueCodeableConcept/coding/0/code")?
            .as_str()?
            .to_owned();
        Some((code, value))
    });
    Some(Binding {
        strength,
        value_set: extension(parts, "valueSet")?.as_str()?.to_owned(),
        usage: usage.collect(),
        any: extension(parts, "any").and_then(Value::as_bool).unwrap_or(false),
    })
}

fn strength(code: &str) -> Option<Strength> {
    Some(match code {
        "required" => Strength::Required,
        "maximum" => Strength::Maximum,
        "extensible" => Strength::Extensible,
        "preferred" => Strength::Preferred,
        _ => return None,
    })
}

/// How the values of an element are divided.
pub(crate) fn slicing(facts: &Facts) -> Option<Slicing> {
    let slicing = facts.get("slicing")?;
    let discriminators = list(slicing.get("discriminator"));
    let rules = match slicing.get("rules").and_then(Value::as_str) {
        Some("closed") => SlicingRules::Closed,
        Some("openAtEnd") => SlicingRules::OpenAtEnd,
        _ => SlicingRules::Open,
    };
    Some(Slicing {
        rules,
        ordered: slicing.get("ordered").and_then(Value::as_bool).unwrap_or(false),
        by_position: discriminators
            .iter()
            .any(|d| d.get("type").and_then(Value::as_str) == Some("position")),
        has_discriminators: !discriminators.is_empty(),
    })
}

/// A cardinality: `*` is without bound.
pub(crate) fn cardinality(facts: &Facts) -> (u32, u32) {
    let min = facts
        .get("min")
        .and_then(Value::as_u64)
        .and_then(|n| u32::try_from(n).ok())
        .unwrap_or(0);
    (min, maximum(facts.get("max")))
}

/// The greatest number of occurrences.
pub(crate) fn maximum(value: Option<&Value>) -> u32 {
    value
        .and_then(Value::as_str)
        .and_then(|text| text.parse().ok())
        .unwrap_or(u32::MAX)
}
