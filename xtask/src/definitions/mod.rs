//! `xtask definitions`: trims the official R4 4.0.1 definitions to facts and keeps them small.
//!
//! Input is the published package `hl7.fhir.r4.core` and the Bundle `search-parameters.json` of the specification.
//! Output is one file a kind in `fhir-model/definitions/r4/`: NDJSON sorted by url, compressed with zstd.
//!
//! Invariant: the same input gives the same bytes, and no prose of the specification comes through.

mod facts;
mod package;
pub mod terminology;
pub mod uk_core;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::{Context, Result};

/// Highest level that needs no more than the default window to decompress.
const ZSTD_LEVEL: i32 = 19;

/// The folder of the trimmed definitions.
pub fn folder(root: &Path) -> PathBuf {
    root.join("fhir-model/definitions/r4")
}

/// File name, and its definitions by url, each the text of a line.
type Files = BTreeMap<&'static str, BTreeMap<String, String>>;

/// Trims the package and the bundle into [`folder`], and prints what was written.
///
/// # Errors
/// A file cannot be read, is not what it should be, or cannot be written.
pub fn write(root: &Path, package: &Path, search_parameters: &Path) -> Result<()> {
    pack(&folder(root), &trimmed(package, search_parameters)?)
}

/// Writes the files into a folder, packed.
fn pack(folder: &Path, files: &Files) -> Result<()> {
    fs::create_dir_all(folder).context(folder.display())?;
    for (file, definitions) in files {
        let text = lines(definitions);
        let packed = zstd::encode_all(text.as_bytes(), ZSTD_LEVEL).context(file)?;
        let (count, size) = (definitions.len(), packed.len());
        println!(
            "{file}: {count} definitions, {} bytes, {size} compressed",
            text.len()
        );
        let path = folder.join(file);
        fs::write(&path, packed).context(path.display())?;
    }
    Ok(())
}

/// Compares the committed files with what [`write()`] would make of the package and the bundle.
///
/// # Errors
/// As [`write()`]; and if a file holds something else, with its name.
pub fn check(root: &Path, package: &Path, search_parameters: &Path) -> Result<()> {
    for (file, definitions) in trimmed(package, search_parameters)? {
        if text(root, file)? != lines(&definitions).as_bytes() {
            return Err(format!(
                "{file} is not what `cargo xtask definitions` makes of the package"
            ));
        }
    }
    Ok(())
}

fn trimmed(package: &Path, search_parameters: &Path) -> Result<Files> {
    let mut files = Files::new();
    let mut resources = package::resources(package)?;
    // The specification's own list of search parameters is the Bundle; the package mixes in those of examples.
    resources.retain(|r| r.get("resourceType").is_some_and(|t| t != "SearchParameter"));
    resources.extend(package::bundle(search_parameters)?);
    for resource in &resources {
        let Some(file) = file_of(resource) else { continue };
        let facts = facts::of(resource)?;
        let url = facts
            .get("url")
            .and_then(Value::as_str)
            .ok_or("a definition without url")?;
        if files
            .entry(file)
            .or_default()
            .insert(url.to_owned(), facts.to_string())
            .is_some()
        {
            return Err(format!("{url} is defined twice"));
        }
    }
    Ok(files)
}

fn lines(definitions: &BTreeMap<String, String>) -> String {
    definitions
        .values()
        .flat_map(|line| [line.as_str(), "\n"])
        .collect()
}

/// Where a definition is kept; `None` for kinds that are not.
fn file_of(resource: &Value) -> Option<&'static str> {
    let text = |name| resource.get(name).and_then(Value::as_str);
    Some(match text("resourceType")? {
        "StructureDefinition" if text("derivation") != Some("constraint") => "types.ndjson.zst",
        "StructureDefinition" if text("type") == Some("Extension") => "extensions.ndjson.zst",
        "StructureDefinition" => "profiles.ndjson.zst",
        "SearchParameter" => "search_parameters.ndjson.zst",
        "CompartmentDefinition" => "compartments.ndjson.zst",
        "OperationDefinition" => "operations.ndjson.zst",
        "CodeSystem" => "code_systems.ndjson.zst",
        "ValueSet" => "value_sets.ndjson.zst",
        "ConceptMap" => "concept_maps.ndjson.zst",
        _ => return None,
    })
}

/// Reads one of the trimmed files, definition by definition.
///
/// # Errors
/// The file cannot be read or does not hold what `T` describes.
pub fn read<T: serde::de::DeserializeOwned>(root: &Path, file: &str) -> Result<Vec<T>> {
    let text = text(root, file)?;
    let lines = text.split(|b| *b == b'\n').filter(|line| !line.is_empty());
    lines
        .map(|line| serde_json::from_slice(line).context(file))
        .collect()
}

fn text(root: &Path, file: &str) -> Result<Vec<u8>> {
    let path = folder(root).join(file);
    let packed = fs::read(&path).context(path.display())?;
    zstd::decode_all(packed.as_slice()).context(path.display())
}
