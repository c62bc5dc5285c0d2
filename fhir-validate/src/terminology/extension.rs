//! The extensions that the terminology service acts on or passes on, by their URLs
//! (<https://hl7.org/fhir/R4/codesystem-profiles.html>, <https://hl7.org/fhir/R4/valueset-profiles.html>).

use fhir_model::{AnyValue, Extension};

pub(super) const STANDARDS_STATUS: &str =
    "http://hl7.org/fhir/StructureDefinition/structuredefinition-standards-status";
pub(super) const SUPPLEMENT: &str = "http://hl7.org/fhir/StructureDefinition/valueset-supplement";
pub(super) const EXPANSION_PARAMETER: &str =
    "http://hl7.org/fhir/StructureDefinition/valueset-expansion-parameter";
pub(super) const UNCLOSED: &str = "http://hl7.org/fhir/StructureDefinition/valueset-unclosed";
pub(super) const UNCLOSED_REASON: &str = "http://hl7.org/fhir/StructureDefinition/valueset-unclosed-reason";
/// The message's key, so that clients tell apart issues of one code.
pub(super) const MESSAGE_ID: &str = "http://hl7.org/fhir/StructureDefinition/operationoutcome-message-id";
/// `ValueSet.expansion.property` of R5, as R4 carries it.
pub(super) const PROPERTY: &str =
    "http://hl7.org/fhir/5.0/StructureDefinition/extension-ValueSet.expansion.property";
/// `ValueSet.expansion.contains.property` of R5, as R4 carries it.
pub(super) const CONTAINS_PROPERTY: &str =
    "http://hl7.org/fhir/5.0/StructureDefinition/extension-ValueSet.expansion.contains.property";
const DEPRECATED: &str = "http://hl7.org/fhir/StructureDefinition/valueset-deprecated";

/// Passed on with a concept of a code system: how it is shown.
const KEPT_OF_CONCEPT: [&str; 2] = [
    "http://hl7.org/fhir/StructureDefinition/rendering-style",
    "http://hl7.org/fhir/StructureDefinition/rendering-xhtml",
];
/// Passed on with a concept of a value set: how it is shown there, and what the value set says of it.
const KEPT_OF_LISTED: [&str; 5] = [
    "http://hl7.org/fhir/StructureDefinition/rendering-style",
    "http://hl7.org/fhir/StructureDefinition/rendering-xhtml",
    "http://hl7.org/fhir/StructureDefinition/valueset-concept-definition",
    DEPRECATED,
    STANDARDS_STATUS,
];
/// Passed on with a designation.
const KEPT_OF_DESIGNATION: [&str; 2] = [
    "http://hl7.org/fhir/StructureDefinition/coding-sctdescid",
    STANDARDS_STATUS,
];
/// Those that say how concepts are shown and sorted, with the code of the property that says the same in an expansion.
const SORTED: [(&str, &str); 7] = [
    (
        "http://hl7.org/fhir/StructureDefinition/codesystem-label",
        "label",
    ),
    ("http://hl7.org/fhir/StructureDefinition/valueset-label", "label"),
    (
        "http://hl7.org/fhir/StructureDefinition/codesystem-conceptOrder",
        "order",
    ),
    (
        "http://hl7.org/fhir/StructureDefinition/valueset-conceptOrder",
        "order",
    ),
    ("http://hl7.org/fhir/StructureDefinition/itemWeight", "weight"),
    ("http://hl7.org/fhir/StructureDefinition/ordinalValue", "weight"),
    (
        "http://hl7.org/fhir/StructureDefinition/codesystem-ordinalValue",
        "weight",
    ),
];

/// What an extension of [`SORTED`] says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Sorted {
    /// A label.
    Text(String),
    /// An order or a weight, as written.
    Number(String),
}

/// The first extension of that URL.
pub(super) fn find<'a>(extensions: &'a [Extension], url: &str) -> Option<&'a Extension> {
    extensions.iter().find(|x| x.url.as_deref() == Some(url))
}

/// The text of the first extension of that URL.
pub(super) fn code<'a>(extensions: &'a [Extension], url: &str) -> Option<&'a str> {
    text(find(extensions, url)?.value.as_ref()?)
}

/// The text of a value that is written as one.
pub(super) fn text(value: &AnyValue) -> Option<&str> {
    match value {
        AnyValue::Code(t)
        | AnyValue::String(t)
        | AnyValue::Uri(t)
        | AnyValue::Url(t)
        | AnyValue::Canonical(t)
        | AnyValue::Id(t)
        | AnyValue::Markdown(t)
        | AnyValue::Oid(t)
        | AnyValue::Uuid(t) => t.as_str(),
        _ => None,
    }
}

/// Label, order and weight, with the code of the property that stands for each.
pub(super) fn sort_properties(extensions: &[Extension]) -> Vec<(&'static str, Sorted)> {
    let sorted = extensions.iter().filter_map(|x| {
        let (_, property) = SORTED.iter().find(|(url, _)| x.url.as_deref() == Some(*url))?;
        let value = match x.value.as_ref()? {
            AnyValue::Integer(n) => Sorted::Number(n.value?.to_string()),
            AnyValue::PositiveInt(n) | AnyValue::UnsignedInt(n) => Sorted::Number(n.value?.to_string()),
            AnyValue::Decimal(n) => Sorted::Number(n.value.as_ref()?.as_str().to_owned()),
            other => Sorted::Text(text(other)?.to_owned()),
        };
        Some((*property, value))
    });
    sorted.collect()
}

/// Whether a value set marks a concept as one to move away from.
pub(super) fn is_deprecated(extensions: &[Extension]) -> bool {
    let marked = find(extensions, DEPRECATED).and_then(|x| x.value.as_ref());
    let marked = marked.is_some_and(|v| match v {
        AnyValue::Boolean(yes) => yes.value == Some(true),
        other => text(other) == Some("true"),
    });
    marked
        || matches!(
            code(extensions, STANDARDS_STATUS),
            Some("deprecated" | "withdrawn")
        )
}

pub(super) fn kept_of_concept(extensions: &[Extension]) -> Vec<Extension> {
    kept(extensions, &KEPT_OF_CONCEPT)
}

pub(super) fn kept_of_listed(extensions: &[Extension]) -> Vec<Extension> {
    kept(extensions, &KEPT_OF_LISTED)
}

pub(super) fn kept_of_designation(extensions: &[Extension]) -> Vec<Extension> {
    kept(extensions, &KEPT_OF_DESIGNATION)
}

fn kept(extensions: &[Extension], urls: &[&str]) -> Vec<Extension> {
    let kept = extensions
        .iter()
        .filter(|x| x.url.as_deref().is_some_and(|u| urls.contains(&u)));
    kept.cloned().collect()
}

/// An extension with that value.
pub(super) fn new(url: &str, value: AnyValue) -> Extension {
    Extension {
        url: Some(url.into()),
        value: Some(value),
        ..Extension::default()
    }
}
