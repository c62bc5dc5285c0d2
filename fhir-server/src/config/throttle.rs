//! `throttle`: how many requests a minute.

use serde::Deserialize;

use super::refused;
use crate::error::Result;

/// How many requests a minute; beyond it 429, with `Retry-After`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ThrottleConfig {
    /// Requests of one caller: of a client for one user, or without a token of one address. Default: no limit.
    pub requests: Option<u32>,
    /// Requests with a token that does not do, of one address; who has a good one is not held up. Default: 100.
    pub bad_tokens: Option<u32>,
}

impl Default for ThrottleConfig {
    fn default() -> Self {
        ThrottleConfig {
            requests: None,
            bad_tokens: Some(100),
        }
    }
}

impl ThrottleConfig {
    pub(super) fn check(&self) -> Result<()> {
        match self.requests == Some(0) || self.bad_tokens == Some(0) {
            true => Err(refused(
                "throttle.requests and throttle.bad_tokens must be at least 1.",
            )),
            false => Ok(()),
        }
    }
}
