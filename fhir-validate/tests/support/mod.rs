//! Where the shared data are, and reading them.

use std::fs;
use std::path::{Path, PathBuf};

use fhir_validate::package::{Limits, Package};
use serde_json::Value;

/// A folder or file of the shared data, which are not part of the project; `None`, said aloud, where they are not there.
pub(crate) fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data").join(name);
    if path.exists() {
        return Some(path);
    }
    println!("SKIPPED (needs ../shared/data/{name})");
    None
}

/// A package of the shared data.
pub(crate) fn package(name: &str) -> Option<Package> {
    let path = shared(&format!("packages/{name}.tgz"))?;
    let package = Package::read(&fs::read(path).unwrap(), &Limits::default()).unwrap();
    assert_eq!(package.skipped, []);
    Some(package)
}

/// A definition in JSON or XML.
pub(crate) fn definition(path: &Path) -> Result<Value, String> {
    let bytes = fs::read(path).unwrap();
    if path.extension().is_some_and(|e| e == "xml") {
        fhir_validate::package::of_xml(&bytes)
    } else {
        serde_json::from_slice(&bytes).map_err(|e| e.to_string())
    }
}
