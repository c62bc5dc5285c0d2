//! Writes the OpenAPI document and the JSON Schemas into a folder: `openapi FOLDER`. `cargo xtask openapi` calls it.

use std::path::PathBuf;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder: PathBuf = std::env::args_os().nth(1).ok_or("usage: openapi FOLDER")?.into();
    std::fs::create_dir_all(&folder)?;
    let base_path = fhir_server::Config::default().listen.base_path;
    std::fs::write(
        folder.join("openapi.json"),
        fhir_server::openapi::document(&base_path)?,
    )?;
    std::fs::write(
        folder.join("fhir-r4.schema.json"),
        fhir_server::openapi::json_schema()?,
    )?;
    Ok(())
}
