//! Reads published packages (`package/*.json` in a gzipped tar) and bundles.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;
use serde_json::Value;

use crate::{Context, Result};

/// Every JSON resource of a package.
pub(super) fn resources(path: &Path) -> Result<Vec<Value>> {
    let file = File::open(path).context(path.display())?;
    let mut archive = tar::Archive::new(GzDecoder::new(file));
    let mut resources = Vec::new();
    for entry in archive.entries().context(path.display())? {
        let mut entry = entry.context(path.display())?;
        let name = entry.path().context(path.display())?.display().to_string();
        if !name.starts_with("package/") || !name.ends_with(".json") {
            continue;
        }
        let mut text = Vec::new();
        entry.read_to_end(&mut text).context(&name)?;
        let resource: Value = serde_json::from_slice(&text).context(&name)?;
        if resource.get("resourceType").is_some() {
            resources.push(resource);
        }
    }
    Ok(resources)
}

/// Every resource of a gzipped Bundle.
pub(super) fn bundle(path: &Path) -> Result<Vec<Value>> {
    let file = File::open(path).context(path.display())?;
    let mut text = Vec::new();
    GzDecoder::new(file)
        .read_to_end(&mut text)
        .context(path.display())?;
    let mut bundle: Value = serde_json::from_slice(&text).context(path.display())?;
    let entries = bundle
        .get_mut("entry")
        .and_then(Value::as_array_mut)
        .ok_or("the Bundle has no entries")?;
    Ok(entries
        .iter_mut()
        .filter_map(|e| e.get_mut("resource").map(Value::take))
        .collect())
}
