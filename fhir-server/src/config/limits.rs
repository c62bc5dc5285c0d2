//! `limits`: what is too large or too many.

use serde::Deserialize;

use super::refused;
use crate::error::Result;

/// What is too large or too many. Sizes are in bytes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct LimitsConfig {
    /// A request body, after inflating. Reading one takes at most 32 times as much memory; beyond that it is refused with 413.
    /// Default: 16 MiB.
    pub body_bytes: usize,
    /// Levels of objects, arrays or elements within each other in a body. Default: 64.
    pub depth: usize,
    /// The content of a Binary sent in its own media type. Default: 16 MiB.
    pub binary_bytes: usize,
    /// How many times larger than its compressed form a body may become. Default: 100.
    pub inflate_ratio: usize,
    /// All request bodies that are in memory at the same time; above it the answer is 503. Default: 512 MiB.
    pub bodies_in_flight_bytes: usize,
    /// A query string, or the form of a `_search`. Default: 64 KiB.
    pub query_bytes: usize,
    /// Parameters in one query. Default: 256.
    pub query_parameters: usize,
    /// The slowest a body may come in, in bytes a second, once `deadlines.body_grace` is over. Default: 1,024.
    pub body_bytes_per_second: usize,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        LimitsConfig {
            body_bytes: 16 * 1024 * 1024,
            depth: 64,
            binary_bytes: 16 * 1024 * 1024,
            inflate_ratio: 100,
            bodies_in_flight_bytes: 512 * 1024 * 1024,
            query_bytes: 64 * 1024,
            query_parameters: 256,
            body_bytes_per_second: 1024,
        }
    }
}

impl LimitsConfig {
    pub(super) fn check(&self) -> Result<()> {
        let largest = self.body_bytes.max(self.binary_bytes);
        if self.bodies_in_flight_bytes < largest {
            return Err(refused(format!(
                "limits.bodies_in_flight_bytes is {}; it must hold at least one body of {largest} bytes.",
                self.bodies_in_flight_bytes
            )));
        }
        if self.inflate_ratio == 0 || self.body_bytes_per_second == 0 {
            return Err(refused(
                "limits.inflate_ratio and limits.body_bytes_per_second must be at least 1.",
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_that_could_never_come_in_is_refused() {
        let limits = LimitsConfig {
            body_bytes: 2000,
            binary_bytes: 10,
            bodies_in_flight_bytes: 1999,
            ..Default::default()
        };
        limits.check().unwrap_err();
        LimitsConfig {
            bodies_in_flight_bytes: 2000,
            ..limits
        }
        .check()
        .unwrap();
    }
}
