//! `xtask terminology`: trims HL7's terminology (THO, <https://terminology.hl7.org>) to facts, as [`super`] does R4's.
//!
//! Input is the published package `hl7.terminology.r4`. Output is one file a kind in `fhir-validate/definitions/tho/`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{Files, facts, file_of, lines, pack, package};
use crate::{Context, Result};

/// The folder of the trimmed terminology.
pub fn folder(root: &Path) -> PathBuf {
    root.join("fhir-validate/definitions/tho")
}

/// Trims the package into [`folder`], and prints what was written.
///
/// # Errors
/// A file cannot be read, is not what it should be, or cannot be written.
pub fn write(root: &Path, package: &Path) -> Result<()> {
    pack(&folder(root), &trimmed(package)?)
}

/// Compares the committed files with what [`write()`] would make of the package.
///
/// # Errors
/// As [`write()`]; and if a file holds something else, with its name.
pub fn check(root: &Path, package: &Path) -> Result<()> {
    for (file, definitions) in trimmed(package)? {
        let path = folder(root).join(file);
        let packed = std::fs::read(&path).context(path.display())?;
        if zstd::decode_all(packed.as_slice()).context(file)? != lines(&definitions).as_bytes() {
            return Err(format!(
                "{file} is not what `cargo xtask terminology` makes of the package"
            ));
        }
    }
    Ok(())
}

fn trimmed(package: &Path) -> Result<Files> {
    let mut files = Files::new();
    for resource in package::resources(package)? {
        let kind = resource.get("resourceType").and_then(Value::as_str);
        let (Some("CodeSystem" | "ValueSet"), Some(file)) = (kind, file_of(&resource)) else {
            continue;
        };
        let facts = facts::of(&resource)?;
        let text = |name| facts.get(name).and_then(Value::as_str).unwrap_or_default();
        let key = format!("{}|{}", text("url"), text("version"));
        let definitions: &mut BTreeMap<String, String> = files.entry(file).or_default();
        if definitions.insert(key.clone(), facts.to_string()).is_some() {
            return Err(format!("{key} is defined twice"));
        }
    }
    Ok(files)
}
