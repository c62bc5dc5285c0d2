//! `cargo xtask dictionary`: trains a dictionary with which the store packs resources.
//!
//! Resources are small and much alike, so that most of what a compressor could save lies in what they share with each
//! other. The dictionary learns that from our own sandbox records, and the names of elements from an empty instance of
//! every type.
//!
//! Invariant: a dictionary never changes once rows were written with it, so that this never writes over a file: a better
//! one gets the next number, and the store learns to read both.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{Context, Result};

/// Longer ones save hardly more; measured on records that were not in the training.
const BYTES: usize = 32 << 10;
/// Elements of elements of elements.
const DEPTH: usize = 3;
/// Elements that most resources lack, or that the records show better.
const LEFT_OUT: [&str; 8] = [
    "id",
    "meta",
    "implicitRules",
    "language",
    "text",
    "contained",
    "extension",
    "modifierExtension",
];

/// Trains on the Bundles of that folder and writes the dictionary to a new file.
///
/// # Errors
/// A file cannot be read or is not a Bundle; the dictionary's file exists.
pub fn train(root: &Path, records: &Path, to: &Path) -> Result<()> {
    if to.exists() {
        return Err(format!(
            "{} exists; a dictionary never changes: name a new one",
            to.display()
        ));
    }
    let mut samples = resources(records)?;
    samples.extend(skeletons(root)?);
    let dictionary = zstd::dict::from_samples(&samples, BYTES).context("training")?;
    println!("{} bytes from {} samples", dictionary.len(), samples.len());
    std::fs::write(to, dictionary).context(to.display())
}

#[derive(Deserialize)]
struct Bundle<'a> {
    #[serde(borrow)]
    entry: Vec<Entry<'a>>,
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow)]
    resource: &'a RawValue,
}

/// The resources in the Bundles of a folder, without white space, their members in their order.
fn resources(folder: &Path) -> Result<Vec<Vec<u8>>> {
    let files = std::fs::read_dir(folder).context(folder.display())?;
    let mut paths: Vec<_> = files.filter_map(|f| f.ok().map(|f| f.path())).collect();
    paths.retain(|p| p.extension().is_some_and(|e| e == "json"));
    paths.sort();
    let mut out = Vec::new();
    for path in paths {
        let text = std::fs::read_to_string(&path).context(path.display())?;
        let bundle: Bundle = serde_json::from_str(&text).context(path.display())?;
        out.extend(
            bundle
                .entry
                .iter()
                .map(|e| without_space(e.resource.get()).into_bytes()),
        );
    }
    Ok(out)
}

fn without_space(text: &str) -> String {
    let (mut out, mut quoted, mut escaped) = (String::new(), false, false);
    for c in text.chars() {
        if quoted || !c.is_ascii_whitespace() {
            out.push(c);
        }
        quoted ^= c == '"' && !escaped;
        escaped = quoted && c == '\\' && !escaped;
    }
    out
}

#[derive(Deserialize)]
struct Definition {
    #[serde(rename = "type")]
    name: String,
    kind: String,
    #[serde(rename = "abstract")]
    is_abstract: bool,
    #[serde(default)]
    snapshot: Snapshot,
}

#[derive(Deserialize, Default)]
struct Snapshot {
    element: Vec<Element>,
}

#[derive(Deserialize)]
struct Element {
    path: String,
    #[serde(default)]
    max: String,
    #[serde(default, rename = "type")]
    types: Vec<Code>,
}

#[derive(Deserialize)]
struct Code {
    code: String,
}

/// The elements of each path: name, whether it repeats, and its first type.
type Elements = BTreeMap<String, Vec<(String, bool, String)>>;

/// One instance of every resource type, with every element and no content.
fn skeletons(root: &Path) -> Result<Vec<Vec<u8>>> {
    let path = root.join("fhir-model/definitions/r4/types.ndjson.zst");
    let packed = std::fs::read(&path).context(path.display())?;
    let text = String::from_utf8(zstd::decode_all(packed.as_slice()).context(path.display())?)
        .context(path.display())?;
    let (mut elements, mut types) = (Elements::new(), Vec::new());
    for line in text.lines() {
        let definition: Definition = serde_json::from_str(line).context(path.display())?;
        if definition.kind == "resource" && !definition.is_abstract {
            types.push(definition.name);
        }
        for element in definition.snapshot.element {
            let Some((parent, name)) = element.path.rsplit_once('.') else {
                continue;
            };
            let code = element
                .types
                .into_iter()
                .next()
                .map(|t| t.code)
                .unwrap_or_default();
            let row = (name.to_owned(), element.max != "1", code);
            elements.entry(parent.to_owned()).or_default().push(row);
        }
    }
    let skeleton = |name: &String| {
        let members = members(&elements, name, 0);
        format!("{{\"resourceType\":\"{name}\",{members}}}").into_bytes()
    };
    Ok(types.iter().map(skeleton).collect())
}

fn members(elements: &Elements, path: &str, depth: usize) -> String {
    let mut out = Vec::new();
    for (name, repeats, code) in elements.get(path).into_iter().flatten() {
        if LEFT_OUT.contains(&name.as_str()) {
            continue;
        }
        let value = match code.as_str() {
            "boolean" => "true".to_owned(),
            "integer" | "positiveInt" | "unsignedInt" | "decimal" => "1".to_owned(),
            "Reference" => r#"{"reference":""}"#.to_owned(),
            "CodeableConcept" => r#"{"coding":[{"system":"","code":"","display":""}]}"#.to_owned(),
            "Identifier" => r#"{"system":"","value":""}"#.to_owned(),
            "Period" => r#"{"start":"","end":""}"#.to_owned(),
            "Quantity" => r#"{"value":1,"unit":"","system":"","code":""}"#.to_owned(),
            "BackboneElement" | "Element" if depth < DEPTH => {
                format!("{{{}}}", members(elements, &format!("{path}.{name}"), depth + 1))
            }
            _ => r#""""#.to_owned(),
        };
        let name = match name.strip_suffix("[x]") {
            Some(stem) => stem.to_owned() + &capital(code),
            None => name.clone(),
        };
        out.push(if *repeats {
            format!("\"{name}\":[{value}]")
        } else {
            format!("\"{name}\":{value}")
        });
    }
    out.join(",")
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters
        .next()
        .into_iter()
        .flat_map(char::to_uppercase)
        .chain(letters)
        .collect()
}
