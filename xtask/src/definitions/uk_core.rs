//! `xtask definitions-uk-core`: trims UK Core to facts, for `fhir-validate/definitions/`.
//!
//! Invariant: no concept of SNOMED CT, LOINC or dm+d comes through; where a value set lists some, a filter that nobody evaluates
//! stands in their place, so that the set is not taken for a wider one.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::{ZSTD_LEVEL, facts, lines, package};
use crate::{Context, Result};

/// Systems whose concepts are licensed.
const LICENSED: [&str; 4] = [
    "http://snomed.info/sct",
    "http://loinc.org",
    "https://dmd.nhs.uk",
    "http://hl7.org/fhir/sid/icd-10",
];
/// Types of which STU3 staging gives what STU2 does not have.
const DRAFTS: [&str; 3] = ["Consent", "OperationOutcome", "AuditEvent"];

/// Writes the files.
///
/// # Errors
/// A package cannot be read, or a file cannot be written.
pub fn write(root: &Path, released: &Path, staging: &Path) -> Result<()> {
    let folder = root.join("fhir-validate/definitions");
    for (file, definitions) in trimmed(released, staging)? {
        let path = folder.join(file);
        let text = lines(&definitions);
        fs::create_dir_all(path.parent().unwrap_or(&folder)).context(path.display())?;
        let packed = zstd::encode_all(text.as_bytes(), ZSTD_LEVEL).context(file)?;
        println!(
            "{file}: {} definitions, {} bytes, {} compressed",
            definitions.len(),
            text.len(),
            packed.len()
        );
        fs::write(&path, packed).context(path.display())?;
    }
    Ok(())
}

/// Compares the committed files with what [`write()`] would make.
///
/// # Errors
/// As [`write()`]; and if a file holds something else, with its name.
pub fn check(root: &Path, released: &Path, staging: &Path) -> Result<()> {
    for (file, definitions) in trimmed(released, staging)? {
        let path = root.join("fhir-validate/definitions").join(file);
        let packed = fs::read(&path).context(path.display())?;
        let text = zstd::decode_all(packed.as_slice()).context(file)?;
        if text != lines(&definitions).as_bytes() {
            return Err(format!(
                "{file} is not what `cargo xtask definitions-uk-core` makes of the packages"
            ));
        }
    }
    Ok(())
}

fn trimmed(released: &Path, staging: &Path) -> Result<BTreeMap<&'static str, BTreeMap<String, String>>> {
    let mut files: BTreeMap<&str, BTreeMap<String, String>> = BTreeMap::new();
    for resource in package::resources(released)? {
        let file = match text(&resource, "resourceType") {
            "StructureDefinition" => "ukcore-stu2/structures.ndjson.zst",
            "CodeSystem" | "ValueSet" => "ukcore-stu2/terminology.ndjson.zst",
            _ => continue,
        };
        add(&mut files, file, &resource)?;
    }
    for resource in package::resources(staging)? {
        let is_profile = text(&resource, "resourceType") == "StructureDefinition"
            && text(&resource, "type") != "Extension";
        if is_profile && DRAFTS.contains(&text(&resource, "type")) {
            add(&mut files, "ukcore-stu3/drafts.ndjson.zst", &resource)?;
        }
    }
    Ok(files)
}

fn add(
    files: &mut BTreeMap<&'static str, BTreeMap<String, String>>,
    file: &'static str,
    resource: &Value,
) -> Result<()> {
    // Examples of the package are no definitions, and have no url.
    let Some(url) = resource.get("url").and_then(Value::as_str) else {
        return Ok(());
    };
    let mut facts = facts::of(resource)?;
    if facts.get("snapshot").is_some()
        && let Some(object) = facts.as_object_mut()
    {
        object.remove("differential");
    }
    drop_licensed(&mut facts);
    files
        .entry(file)
        .or_default()
        .insert(url.to_owned(), facts.to_string());
    Ok(())
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn drop_licensed(facts: &mut Value) {
    if LICENSED.contains(&text(facts, "url")) || LICENSED.contains(&text(facts, "supplements")) {
        facts.as_object_mut().and_then(|object| object.remove("concept"));
    }
    for part in ["include", "exclude"] {
        let parts = facts
            .pointer_mut(&format!("/compose/{part}"))
            .and_then(Value::as_array_mut);
        for part in parts.into_iter().flatten() {
            let is_licensed = LICENSED.contains(&text(part, "system"));
            if let Some(object) = part
                .as_object_mut()
                .filter(|o| is_licensed && o.contains_key("concept"))
            {
                object.remove("concept");
                object.insert(
                    "filter".into(),
                    json!([{"property": "listed", "op": "=", "value": "concepts are not held"}]),
                );
            }
        }
    }
}
