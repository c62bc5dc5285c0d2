//! `terminology`: code systems that the operator has licences for.

use std::path::PathBuf;

use serde::Deserialize;

/// Code systems that the operator has licences for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct TerminologyConfig {
    /// The folder in which `fhir-server terminology load` keeps releases of SNOMED CT and dm+d, and in which the server finds
    /// them when it starts. Their concepts are held in memory, for all tenants. Default: none, and nothing but what is
    /// built in is held.
    pub folder: Option<PathBuf>,
}
