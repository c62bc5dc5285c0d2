//! `sandbox`: sample data and no token, for a first look and for tests.

use serde::Deserialize;

/// Sample data and no token. Never for real patients.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct SandboxConfig {
    /// A caller without a token is the principal `sandbox-clinician`, and an empty database is filled with sample data.
    /// Default: no.
    pub enabled: bool,
    /// Serves the sandbox on addresses other than loopback too, such as inside a container, and to whatever `Host` the
    /// client names. Everyone who reaches the address can read and change everything. Default: no.
    pub open_to_network: bool,
}
