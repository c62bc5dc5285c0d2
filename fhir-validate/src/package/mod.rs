//! FHIR packages: definitions in an npm-style archive (<https://confluence.hl7.org/display/FHIR/NPM+Package+Specification>).
//!
//! Invariant: an archive is read in memory within bounds; nothing is written, and no entry names a place to write to.

mod archive;

pub use archive::{Limits, PackageError};

use fhir_model::read::{IssueKind, ReadOptions};
use serde_json::Value;

/// What a package holds.
#[derive(Debug, Default)]
pub struct Package {
    /// Its name, such as `fhir.r4.ukcore.stu2`.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Names and versions of the packages that it builds on.
    pub dependencies: Vec<(String, String)>,
    /// Its conformance resources, as JSON.
    pub resources: Vec<Value>,
    /// Members that could not be read, each with the reason.
    pub skipped: Vec<(String, String)>,
}

/// Resource types that define something.
const DEFINITIONS: [&str; 11] = [
    "StructureDefinition",
    "ValueSet",
    "CodeSystem",
    "ConceptMap",
    "Questionnaire",
    "SearchParameter",
    "OperationDefinition",
    "CapabilityStatement",
    "CompartmentDefinition",
    "NamingSystem",
    "ImplementationGuide",
];

impl Package {
    /// Reads a gzipped tar.
    ///
    /// # Errors
    /// It is not such an archive, has a member that leads elsewhere, or exceeds a limit.
    pub fn read(tgz: &[u8], limits: &Limits) -> Result<Package, PackageError> {
        let mut package = Package::default();
        archive::read(tgz, limits, |path, bytes| package.member(path, bytes))?;
        Ok(package)
    }

    fn member(&mut self, path: &str, bytes: &[u8]) {
        let inside = path.strip_prefix("package/").unwrap_or(path);
        if inside == "package.json" {
            return self.manifest(path, bytes);
        }
        // Folders within hold examples, schemas and other things that define nothing.
        if inside.contains('/') || inside.starts_with('.') {
            return;
        }
        let value = if inside.ends_with(".json") {
            serde_json::from_slice(bytes).map_err(|e| e.to_string())
        } else if inside.ends_with(".xml") {
            of_xml(bytes)
        } else {
            return;
        };
        match value {
            Ok(value) => self.resource(value),
            Err(reason) => self.skipped.push((path.to_owned(), reason)),
        }
    }

    fn resource(&mut self, value: Value) {
        let kind = value
            .get("resourceType")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if DEFINITIONS.contains(&kind) {
            self.resources.push(value);
        }
    }

    fn manifest(&mut self, path: &str, bytes: &[u8]) {
        match serde_json::from_slice::<Value>(bytes) {
            Ok(manifest) => {
                let text = |name: &str| {
                    manifest
                        .get(name)
                        .and_then(Value::as_str)
                        .unwrap_or_default()
                        .to_owned()
                };
                (self.name, self.version) = (text("name"), text("version"));
                let dependencies = manifest
                    .get("dependencies")
                    .and_then(Value::as_object)
                    .into_iter()
                    .flatten();
                self.dependencies = dependencies
                    .filter_map(|(name, version)| Some((name.clone(), version.as_str()?.to_owned())))
                    .collect();
            }
            Err(error) => self.skipped.push((path.to_owned(), error.to_string())),
        }
    }
}

/// A definition in XML as JSON; elements that R4 does not have are left out, and those in the wrong order are taken.
///
/// # Errors
/// What else is wrong with the text.
pub fn of_xml(bytes: &[u8]) -> Result<Value, String> {
    let partial = fhir_model::xml::read_partial(bytes, &ReadOptions::lenient());
    let refused = partial
        .issues
        .iter()
        .filter(|issue| issue.kind != IssueKind::Order);
    let refused: Vec<String> = refused.map(ToString::to_string).collect();
    match partial.value {
        Some(value) if refused.is_empty() => {
            serde_json::from_str(&fhir_model::json::to_string(&value)).map_err(|e| e.to_string())
        }
        _ => Err(refused.join("; ")),
    }
}
