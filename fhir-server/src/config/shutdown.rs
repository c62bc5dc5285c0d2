//! `shutdown`: how the server ends.

use std::time::Duration;

use serde::Deserialize;

use super::duration;

/// How the server ends after SIGTERM.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ShutdownConfig {
    /// How long it goes on taking connections while `/readyz` says 503, so that load balancers look elsewhere first.
    /// Default: 5 s.
    #[serde(deserialize_with = "duration::deserialize")]
    pub drain: Duration,
    /// How long requests under way may take to end after that. Default: 30 s.
    #[serde(deserialize_with = "duration::deserialize")]
    pub grace: Duration,
}

impl Default for ShutdownConfig {
    fn default() -> Self {
        ShutdownConfig {
            drain: Duration::from_secs(5),
            grace: Duration::from_secs(30),
        }
    }
}
