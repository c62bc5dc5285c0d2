//! `sandbox`: sample data and no token, for a first look and for tests.

use std::time::Duration;

use serde::Deserialize;

use super::{TenantConfig, refused};
use crate::error::Result;

/// Numbers of tenants from here on are those of spaces.
pub(crate) const SPACES: i64 = 1_000_000;
/// Spaces that can be configured.
const MOST: usize = 1000;

/// Sample data and no token. Never for real patients.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct SandboxConfig {
    /// A caller without a token is the principal `sandbox-clinician`, and an empty database is filled with sample data.
    /// Default: no.
    pub enabled: bool,
    /// Serves the sandbox on addresses other than loopback too, such as inside a container, and to whatever `Host` the
    /// client names. Everyone who reaches the address can read and change everything. Default: no.
    pub open_to_network: bool,
    /// Spaces that developers may have open at a time, each a sandbox of its own below `/sandbox/<name>`. Default: 16; 0: none.
    pub spaces: usize,
    /// How long nobody asks a space for anything before it is closed. Default: 168h.
    #[serde(deserialize_with = "super::duration::deserialize")]
    pub space_idle: Duration,
}

impl Default for SandboxConfig {
    fn default() -> Self {
        SandboxConfig {
            enabled: false,
            open_to_network: false,
            spaces: 16,
            space_idle: Duration::from_secs(168 * 3600),
        }
    }
}

impl SandboxConfig {
    pub(super) fn check(&self, tenants: &[TenantConfig]) -> Result<()> {
        if self.spaces > MOST || self.space_idle.is_zero() {
            return Err(refused(format!(
                "sandbox.spaces may be {MOST} at most, and sandbox.space_idle must be more than nothing."
            )));
        }
        match self.enabled && tenants.iter().any(|tenant| tenant.number >= SPACES) {
            true => Err(refused(format!(
                "The numbers of tenants from {SPACES} on are those of the sandbox's spaces."
            ))),
            false => Ok(()),
        }
    }
}
