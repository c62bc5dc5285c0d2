//! `retention`: how long what was deleted is kept.

use serde::Deserialize;

use super::refused;
use crate::error::Result;

const DAY: i64 = 86_400_000;

/// How long what was deleted is kept. A deleted resource is out of sight, and its earlier versions are kept until they are purged: see
/// "Erasure" in `docs/operations.md`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct RetentionConfig {
    /// Days after which a resource that was deleted is purged with all its versions, of every organisation; it is looked for once an hour.
    /// The audit trail keeps that it was there. Default: never.
    pub deleted_days: Option<u32>,
}

impl RetentionConfig {
    pub(super) fn check(&self) -> Result<()> {
        match self.deleted_days {
            Some(0) => Err(refused(
                "retention.deleted_days must be at least 1: who deletes something by mistake needs time to put it back.",
            )),
            _ => Ok(()),
        }
    }

    /// How long that is, in milliseconds.
    pub(crate) fn deleted(&self) -> Option<i64> {
        self.deleted_days.map(|days| i64::from(days) * DAY)
    }
}
