//! What is kept of each definition: an allow-list of elements, so that prose never comes through by oversight.

use serde_json::{Map, Value};

use crate::Result;

/// The elements to keep of an object, and the extensions (by url) to keep on it.
struct Keep {
    whole: &'static [&'static str],
    parts: &'static [(&'static str, &'static Keep)],
    extensions: &'static [&'static str],
}

const fn keep(whole: &'static [&'static str], parts: &'static [(&'static str, &'static Keep)]) -> Keep {
    Keep {
        whole,
        parts,
        extensions: &[],
    }
}

static STRUCTURE: Keep = keep(
    &[
        "resourceType",
        "id",
        "url",
        "version",
        "name",
        "status",
        "kind",
        "abstract",
        "type",
        "baseDefinition",
        "derivation",
        "context",
        "contextInvariant",
    ],
    &[("snapshot", &ELEMENTS), ("differential", &ELEMENTS)],
);
static ELEMENTS: Keep = keep(&[], &[("element", &ELEMENT)]);
/// A trailing `*` stands for the types of a choice, as in `fixedCode`.
static ELEMENT: Keep = keep(
    &[
        "id",
        "path",
        "sliceName",
        "min",
        "max",
        "base",
        "contentReference",
        "defaultValue*",
        "fixed*",
        "pattern*",
        "minValue*",
        "maxValue*",
        "maxLength",
        "isModifier",
        "isSummary",
        "mustSupport",
        "representation",
    ],
    &[
        ("slicing", &SLICING),
        ("type", &TYPE),
        ("constraint", &CONSTRAINT),
        ("binding", &BINDING),
    ],
);
static SLICING: Keep = keep(&["discriminator", "ordered", "rules"], &[]);
static TYPE: Keep = Keep {
    whole: &[
        "code",
        "profile",
        "_profile",
        "targetProfile",
        "aggregation",
        "versioning",
    ],
    parts: &[],
    extensions: &[
        "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type",
        "http://hl7.org/fhir/StructureDefinition/regex",
    ],
};
static CONSTRAINT: Keep = Keep {
    whole: &["key", "severity", "expression", "source"],
    parts: &[],
    extensions: &["http://hl7.org/fhir/StructureDefinition/elementdefinition-bestpractice"],
};
static BINDING: Keep = Keep {
    whole: &["strength", "valueSet"],
    parts: &[],
    extensions: &["http://hl7.org/fhir/StructureDefinition/elementdefinition-maxValueSet"],
};

static SEARCH_PARAMETER: Keep = keep(
    &[
        "resourceType",
        "id",
        "url",
        "version",
        "name",
        "status",
        "code",
        "base",
        "type",
        "expression",
        "target",
        "multipleOr",
        "multipleAnd",
        "comparator",
        "modifier",
        "chain",
    ],
    &[("component", &SEARCH_COMPONENT)],
);
static SEARCH_COMPONENT: Keep = keep(&["definition", "expression"], &[]);

static COMPARTMENT: Keep = keep(
    &[
        "resourceType",
        "id",
        "url",
        "version",
        "name",
        "status",
        "code",
        "search",
    ],
    &[("resource", &COMPARTMENT_RESOURCE)],
);
static COMPARTMENT_RESOURCE: Keep = keep(&["code", "param"], &[]);

static OPERATION: Keep = keep(
    &[
        "resourceType",
        "id",
        "url",
        "version",
        "name",
        "status",
        "kind",
        "affectsState",
        "code",
        "base",
        "resource",
        "system",
        "type",
        "instance",
        "inputProfile",
        "outputProfile",
    ],
    &[("parameter", &PARAMETER), ("overload", &OVERLOAD)],
);
static PARAMETER: Keep = Keep {
    whole: &["name", "use", "min", "max", "type", "targetProfile", "searchType"],
    parts: &[
        ("binding", &BINDING),
        ("referencedFrom", &REFERENCED_FROM),
        ("part", &PARAMETER),
    ],
    extensions: &["http://hl7.org/fhir/StructureDefinition/operationdefinition-allowed-type"],
};
static REFERENCED_FROM: Keep = keep(&["source", "sourceId"], &[]);
static OVERLOAD: Keep = keep(&["parameterName"], &[]);

static CODE_SYSTEM: Keep = keep(
    &[
        "resourceType",
        "id",
        "url",
        "version",
        "name",
        "status",
        "caseSensitive",
        "valueSet",
        "hierarchyMeaning",
        "compositional",
        "versionNeeded",
        "content",
        "supplements",
    ],
    &[
        ("property", &PROPERTY),
        ("filter", &FILTER),
        ("concept", &CONCEPT),
    ],
);
static PROPERTY: Keep = keep(&["code", "uri", "type"], &[]);
static FILTER: Keep = keep(&["code", "operator"], &[]);
static CONCEPT: Keep = keep(
    &["code", "display"],
    &[("property", &CONCEPT_PROPERTY), ("concept", &CONCEPT)],
);
static CONCEPT_PROPERTY: Keep = keep(
    &[
        "code",
        "valueCode",
        "valueCoding",
        "valueInteger",
        "valueBoolean",
        "valueDateTime",
        "valueDecimal",
    ],
    &[],
);

static VALUE_SET: Keep = keep(
    &[
        "resourceType",
        "id",
        "url",
        "version",
        "name",
        "status",
        "immutable",
    ],
    &[("compose", &COMPOSE)],
);
static COMPOSE: Keep = keep(
    &["lockedDate", "inactive"],
    &[("include", &INCLUDE), ("exclude", &INCLUDE)],
);
static INCLUDE: Keep = keep(
    &["system", "version", "filter", "valueSet"],
    &[("concept", &INCLUDED_CONCEPT)],
);
static INCLUDED_CONCEPT: Keep = keep(&["code", "display"], &[]);

static CONCEPT_MAP: Keep = keep(
    &[
        "resourceType",
        "id",
        "url",
        "version",
        "name",
        "status",
        "sourceUri",
        "sourceCanonical",
        "targetUri",
        "targetCanonical",
    ],
    &[("group", &MAP_GROUP)],
);
static MAP_GROUP: Keep = keep(
    &["source", "sourceVersion", "target", "targetVersion"],
    &[("element", &MAP_ELEMENT), ("unmapped", &MAP_UNMAPPED)],
);
static MAP_ELEMENT: Keep = keep(&["code"], &[("target", &MAP_TARGET)]);
static MAP_TARGET: Keep = keep(
    &["code", "equivalence"],
    &[("dependsOn", &MAP_OTHER), ("product", &MAP_OTHER)],
);
static MAP_OTHER: Keep = keep(&["property", "system", "value"], &[]);
static MAP_UNMAPPED: Keep = keep(&["mode", "code", "url"], &[]);

/// The facts of a definition.
pub(super) fn of(resource: &Value) -> Result<Value> {
    let kind = resource
        .get("resourceType")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let keep = match kind {
        "StructureDefinition" => &STRUCTURE,
        "SearchParameter" => &SEARCH_PARAMETER,
        "CompartmentDefinition" => &COMPARTMENT,
        "OperationDefinition" => &OPERATION,
        "CodeSystem" => &CODE_SYSTEM,
        "ValueSet" => &VALUE_SET,
        "ConceptMap" => &CONCEPT_MAP,
        _ => return Err(format!("no facts are known for {kind}")),
    };
    let mut facts = trimmed(resource, keep);
    match kind {
        "CodeSystem" if !is_hl7_system(&facts, "url") || names_a_third_party(resource) => {
            drop_displays(&mut facts)
        }
        "ValueSet" => {
            for part in ["include", "exclude"] {
                let parts = facts
                    .pointer_mut(&format!("/compose/{part}"))
                    .and_then(Value::as_array_mut);
                parts
                    .into_iter()
                    .flatten()
                    .filter(|p| !is_hl7_system(p, "system"))
                    .for_each(drop_displays);
            }
        }
        _ => {}
    }
    Ok(facts)
}

fn trimmed(value: &Value, keep: &Keep) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.iter().map(|item| trimmed(item, keep)).collect()),
        Value::Object(object) => {
            let facts = object
                .iter()
                .filter_map(|(name, value)| Some((name.clone(), fact(name, value, keep)?)));
            Value::Object(facts.collect::<Map<_, _>>())
        }
        other => other.clone(),
    }
}

fn fact(name: &str, value: &Value, keep: &Keep) -> Option<Value> {
    if name == "extension" {
        let url = |x: &Value| {
            x.get("url")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let kept = value
            .as_array()?
            .iter()
            .filter(|x| keep.extensions.contains(&url(x).as_str()));
        let kept: Vec<Value> = kept.cloned().collect();
        return (!kept.is_empty()).then_some(Value::Array(kept));
    }
    if let Some((_, part)) = keep.parts.iter().find(|(part, _)| *part == name) {
        return Some(trimmed(value, part));
    }
    let listed = |pattern: &&str| match pattern.strip_suffix('*') {
        Some(stem) => name
            .strip_prefix(stem)
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_uppercase())),
        None => *pattern == name,
    };
    keep.whole.iter().any(listed).then(|| value.clone())
}

/// Whether HL7 itself defines the system, so that its displays may be given on.
fn is_hl7_system(value: &Value, key: &str) -> bool {
    let system = value.get(key).and_then(Value::as_str).unwrap_or_default();
    [
        "http://hl7.org/fhir/",
        "http://terminology.hl7.org/",
        "http://cds-hooks.hl7.org/",
    ]
    .iter()
    .any(|base| system.starts_with(base))
}

/// Whether the copyright statement names an owner other than HL7, whose codes are kept without their displays.
fn names_a_third_party(resource: &Value) -> bool {
    let copyright = resource
        .get("copyright")
        .and_then(Value::as_str)
        .unwrap_or_default();
    ["SNOMED", "LOINC", "DICOM", "ASTM", "ISO Standard", "IHE", "UB04"]
        .iter()
        .any(|name| copyright.contains(name))
}

fn drop_displays(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(drop_displays),
        Value::Object(object) => {
            object.remove("display");
            object.values_mut().for_each(drop_displays);
        }
        _ => {}
    }
}
