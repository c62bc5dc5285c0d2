//! What the schemas need beyond the tables of `fhir-model`: the bindings and reference targets of elements, the forms of
//! primitive types, and the codes of value sets. Read from the committed definitions.

use std::collections::HashMap;
use std::fmt;

use fhir_model::definitions::packed;
use serde::Deserialize;
use serde::de::DeserializeOwned;

const PROFILE_BASE: &str = "http://hl7.org/fhir/StructureDefinition/";
const REGEX: &str = "http://hl7.org/fhir/StructureDefinition/regex";

/// The definitions of R4, unpacked. Takes some tens of milliseconds and megabytes; make one, use it and drop it.
#[derive(Debug)]
pub struct Definitions {
    /// By path, such as `Patient.gender` or `Patient.deceased[x]`.
    elements: HashMap<String, ElementFacts>,
    /// By the name of the primitive type.
    regexes: HashMap<String, String>,
    /// By url.
    pub(super) value_sets: HashMap<String, ValueSet>,
    /// By url.
    pub(super) code_systems: HashMap<String, CodeSystem>,
}

/// Why the definitions cannot be read; a fault of the build.
#[derive(Debug)]
pub struct DefinitionsError(String);

impl fmt::Display for DefinitionsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the R4 definitions cannot be read: {}", self.0)
    }
}
impl std::error::Error for DefinitionsError {}

/// What a schema says of an element beyond its type and cardinality.
#[derive(Debug, Default)]
pub(super) struct ElementFacts {
    pub(super) binding: Option<Binding>,
    /// Resource types that a reference may point to; empty for any.
    pub(super) targets: Vec<String>,
}

/// Which codes an element takes (<https://hl7.org/fhir/R4/terminologies.html#strength>).
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Binding {
    pub(super) strength: String,
    pub(super) value_set: Option<String>,
}

impl Definitions {
    /// The definitions of R4 4.0.1 as committed with `fhir-model`.
    ///
    /// # Errors
    /// The committed files are not what they should be.
    pub fn r4() -> Result<Self, DefinitionsError> {
        let mut definitions = Definitions {
            elements: HashMap::new(),
            regexes: HashMap::new(),
            value_sets: by_url(read(packed::VALUE_SETS)?, |v: &ValueSet| &v.url),
            code_systems: by_url(read(packed::CODE_SYSTEMS)?, |c: &CodeSystem| &c.url),
        };
        for structure in read::<StructureDefinition>(packed::TYPES)? {
            if structure.kind != "logical" {
                definitions.add(structure);
            }
        }
        Ok(definitions)
    }

    fn add(&mut self, structure: StructureDefinition) {
        for element in structure.snapshot.element {
            let regex = element
                .types
                .iter()
                .flat_map(|t| &t.extension)
                .find(|x| x.url == REGEX);
            if let Some(regex) = regex.and_then(|x| x.value_string.clone()) {
                self.regexes.insert(structure.type_name.clone(), regex);
            }
            let targets = element.types.iter().flat_map(|t| &t.target_profile);
            let targets = targets
                .filter_map(|t| t.strip_prefix(PROFILE_BASE))
                .map(str::to_owned);
            let facts = ElementFacts {
                targets: targets.collect(),
                binding: element.binding,
            };
            if facts.binding.is_some() || !facts.targets.is_empty() {
                self.elements.insert(element.path, facts);
            }
        }
    }

    /// The facts of the element at that path, if it has any.
    pub(super) fn element(&self, path: &str) -> Option<&ElementFacts> {
        self.elements.get(path)
    }

    /// The regular expression that the specification gives for a primitive type, unanchored.
    pub(super) fn regex(&self, primitive: &str) -> Option<&str> {
        self.regexes.get(primitive).map(String::as_str)
    }
}

fn by_url<T>(items: Vec<T>, url: impl Fn(&T) -> &String) -> HashMap<String, T> {
    items.into_iter().map(|item| (url(&item).clone(), item)).collect()
}

fn read<T: DeserializeOwned>(packed: &[u8]) -> Result<Vec<T>, DefinitionsError> {
    let text = zstd::decode_all(packed).map_err(|e| DefinitionsError(e.to_string()))?;
    let lines = text.split(|b| *b == b'\n').filter(|line| !line.is_empty());
    lines
        .map(|line| serde_json::from_slice(line).map_err(|e| DefinitionsError(e.to_string())))
        .collect()
}

#[derive(Deserialize)]
struct StructureDefinition {
    kind: String,
    #[serde(rename = "type")]
    type_name: String,
    #[serde(default)]
    snapshot: Snapshot,
}

#[derive(Default, Deserialize)]
struct Snapshot {
    element: Vec<Element>,
}

#[derive(Deserialize)]
struct Element {
    path: String,
    #[serde(default, rename = "type")]
    types: Vec<Type>,
    binding: Option<Binding>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Type {
    #[serde(default)]
    target_profile: Vec<String>,
    #[serde(default)]
    extension: Vec<Extension>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Extension {
    url: String,
    value_string: Option<String>,
}

/// A value set, as far as its codes need it.
#[derive(Debug, Deserialize)]
pub(super) struct ValueSet {
    pub(super) id: String,
    pub(super) url: String,
    #[serde(default)]
    pub(super) compose: Compose,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Compose {
    #[serde(default)]
    pub(super) include: Vec<Include>,
    #[serde(default)]
    pub(super) exclude: Vec<serde::de::IgnoredAny>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Include {
    pub(super) system: Option<String>,
    #[serde(default)]
    pub(super) concept: Vec<Concept>,
    #[serde(default)]
    pub(super) filter: Vec<serde::de::IgnoredAny>,
    #[serde(default)]
    pub(super) value_set: Vec<String>,
}

/// A code system, as far as its codes need it.
#[derive(Debug, Deserialize)]
pub(super) struct CodeSystem {
    pub(super) url: String,
    pub(super) content: String,
    #[serde(default)]
    pub(super) concept: Vec<Concept>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Concept {
    pub(super) code: String,
    #[serde(default)]
    pub(super) concept: Vec<Concept>,
}
