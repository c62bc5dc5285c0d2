//! Structure definitions as the validator keeps them: facts as JSON values, read on first use
//! (<https://hl7.org/fhir/R4/structuredefinition.html>).
//!
//! Invariant: a definition that cannot be used is named with the reason; it never takes others with it.

pub(crate) mod base;
mod store;

pub(crate) use base::unpacked;
pub(crate) use store::{Held, Store};

use serde_json::{Map, Value};

/// The facts of one element, by their names in an ElementDefinition.
pub(crate) type Facts = Map<String, Value>;

/// A structure definition.
#[derive(Clone, Debug, Default)]
pub(crate) struct Definition {
    pub(crate) url: String,
    pub(crate) version: Option<String>,
    /// The type that it describes or constrains, such as `Patient` or `Extension`.
    pub(crate) type_name: String,
    pub(crate) base: Option<String>,
    /// Whether it constrains its base; a specialisation makes a new type.
    pub(crate) is_constraint: bool,
    /// Where an extension may be used.
    pub(crate) contexts: Vec<Context>,
    pub(crate) context_invariants: Vec<String>,
    pub(crate) snapshot: Vec<Facts>,
    pub(crate) differential: Vec<Facts>,
}

/// Where an extension may be used (<https://hl7.org/fhir/R4/defining-extensions.html#context>).
#[derive(Clone, Debug)]
pub(crate) struct Context {
    /// `element`, `fhirpath` or `extension`
    pub(crate) kind: String,
    pub(crate) expression: String,
}

impl Definition {
    /// Reads the facts; `None` where the resource has no url or no type.
    pub(crate) fn read(value: &Value) -> Option<Definition> {
        let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let elements = |part: &str| -> Vec<Facts> {
            let list = value
                .get(part)
                .and_then(|p| p.get("element"))
                .and_then(Value::as_array);
            list.into_iter()
                .flatten()
                .filter_map(|e| e.as_object().cloned())
                .collect()
        };
        Some(Definition {
            url: text("url")?,
            version: text("version"),
            type_name: text("type").map(|t| short_type(&t).to_owned())?,
            base: text("baseDefinition"),
            is_constraint: text("derivation").is_some_and(|d| d == "constraint"),
            contexts: contexts(value),
            context_invariants: strings(value.get("contextInvariant")),
            snapshot: elements("snapshot"),
            differential: elements("differential"),
        })
    }

    /// `url|version`, or the url alone.
    pub(crate) fn canonical(&self) -> String {
        match &self.version {
            Some(version) => format!("{}|{version}", self.url),
            None => self.url.clone(),
        }
    }
}

fn contexts(value: &Value) -> Vec<Context> {
    let one = |context: &Value| {
        if let Some(expression) = context.as_str() {
            // The form before R4: a bare path.
            return Some(Context {
                kind: "element".into(),
                expression: expression.into(),
            });
        }
        let text = |name: &str| context.get(name).and_then(Value::as_str).map(str::to_owned);
        Some(Context {
            kind: text("type").unwrap_or_else(|| "element".into()),
            expression: text("expression")?,
        })
    };
    list(value.get("context")).iter().filter_map(one).collect()
}

/// The items of an array, or none.
pub(crate) fn list(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The strings of an array, or the one string.
pub(crate) fn strings(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(text)) => vec![text.clone()],
        other => list(other)
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
    }
}

/// A type's name without the prefix that logical models and newer releases give it.
pub(crate) fn short_type(name: &str) -> &str {
    name.strip_prefix("http://hl7.org/fhir/StructureDefinition/")
        .or_else(|| name.strip_prefix("http://hl7.org/fhirpath/"))
        .unwrap_or(name)
}

/// The text of an element's fact.
pub(crate) fn text<'f>(facts: &'f Facts, name: &str) -> Option<&'f str> {
    facts.get(name).and_then(Value::as_str)
}

/// The value of a fact that is a choice, such as `fixed[x]`, with the type that its name tells.
pub(crate) fn choice<'f>(facts: &'f Facts, stem: &str) -> Option<(&'f str, &'f Value)> {
    facts.iter().find_map(|(name, value)| {
        let kind = name.strip_prefix(stem)?;
        kind.starts_with(|c: char| c.is_ascii_uppercase())
            .then_some((kind, value))
    })
}

/// The value of the extension with that url in a list of extensions.
pub(crate) fn extension<'v>(extensions: &'v [Value], url: &str) -> Option<&'v Value> {
    let found = extensions
        .iter()
        .find(|x| x.get("url").and_then(Value::as_str) == Some(url))?;
    found
        .as_object()?
        .iter()
        .find(|(name, _)| name.starts_with("value"))
        .map(|(_, value)| value)
}
