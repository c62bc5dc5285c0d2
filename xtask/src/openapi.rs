//! `xtask openapi`: writes `openapi/`, the OpenAPI document and the JSON Schemas that suppliers download.
//!
//! The server makes both, so this runs an example of its crate; this crate depends on nothing that it generates.

use std::env::temp_dir;
use std::fs;
use std::path::Path;
use std::process::{Command, id};

use crate::{Context, Result};

/// What is in the folder.
const FILES: [&str; 2] = ["openapi.json", "fhir-r4.schema.json"];

/// Writes the files and prints their sizes.
///
/// # Errors
/// The server's crate does not build, or a file cannot be written.
pub fn write(root: &Path) -> Result<()> {
    let folder = root.join("openapi");
    make(root, &folder)?;
    for name in FILES {
        let size = fs::metadata(folder.join(name)).context(name)?.len();
        println!("openapi/{name}: {size} bytes");
    }
    Ok(())
}

/// Compares the committed files with what [`write()`] would put there.
///
/// # Errors
/// As [`write()`]; and if a file differs, with its name.
pub fn check(root: &Path) -> Result<()> {
    let fresh = temp_dir().join(format!("fhir-openapi-{}", id()));
    let compared = make(root, &fresh).and_then(|()| compare(&fresh, &root.join("openapi")));
    let removed = fs::remove_dir_all(&fresh).context(fresh.display());
    compared.and(removed)
}

fn compare(fresh: &Path, committed: &Path) -> Result<()> {
    for name in FILES {
        let wanted = fs::read(fresh.join(name)).context(name)?;
        if wanted != fs::read(committed.join(name)).context(name)? {
            return Err(format!("openapi/{name} is not what `cargo xtask openapi` writes"));
        }
    }
    Ok(())
}

fn make(root: &Path, folder: &Path) -> Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .current_dir(root)
        .args([
            "run",
            "--quiet",
            "--package",
            "fhir-server",
            "--example",
            "openapi",
            "--",
        ])
        .arg(folder)
        .status()
        .context("cargo run")?;
    status
        .success()
        .then_some(())
        .ok_or_else(|| "the document was not written".to_owned())
}
