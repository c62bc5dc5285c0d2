//! `deadlines`: what takes too long.

use std::time::Duration;

use serde::Deserialize;

use super::{duration, refused};
use crate::error::Result;

/// What takes too long. A number counts seconds; `"500ms"`, `"2m"` and the like are read too.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct DeadlinesConfig {
    /// For the request line and headers to come in. Default: 30 s.
    #[serde(deserialize_with = "duration::deserialize")]
    pub header: Duration,
    /// For the whole body to come in. Default: 30 s.
    #[serde(deserialize_with = "duration::deserialize")]
    pub body: Duration,
    /// How long a body may come in slower than `limits.body_bytes_per_second`. Default: 5 s.
    #[serde(deserialize_with = "duration::deserialize")]
    pub body_grace: Duration,
    /// From the end of the body to the start of the answer. Default: 30 s.
    #[serde(deserialize_with = "duration::deserialize")]
    pub request: Duration,
    /// How long a client may take nothing of an answer that waits for it. Default: 30 s.
    #[serde(deserialize_with = "duration::deserialize")]
    pub write: Duration,
    /// How long an idle connection stays open for a next request. Default: 60 s.
    #[serde(deserialize_with = "duration::deserialize")]
    pub keep_alive: Duration,
}

impl Default for DeadlinesConfig {
    fn default() -> Self {
        let half_minute = Duration::from_secs(30);
        DeadlinesConfig {
            header: half_minute,
            body: half_minute,
            body_grace: Duration::from_secs(5),
            request: half_minute,
            write: half_minute,
            keep_alive: Duration::from_secs(60),
        }
    }
}

impl DeadlinesConfig {
    /// The longest that an honest connection goes without a byte of an answer: idle, then a whole slow request.
    pub(crate) fn silence(&self) -> Duration {
        self.keep_alive + self.header + self.body + self.request
    }

    pub(super) fn check(&self) -> Result<()> {
        let all = [self.header, self.body, self.request, self.write, self.keep_alive];
        let sane = Duration::from_millis(1)..=Duration::from_secs(24 * 3600);
        if all.iter().any(|d| !sane.contains(d)) {
            return Err(refused(
                "Each of deadlines.* must be at least a millisecond and at most a day.",
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_durations_in_their_units() {
        let read: DeadlinesConfig = serde_json::from_str(r#"{"header":5,"request":"1500ms"}"#).unwrap();
        assert_eq!(
            (read.header, read.request),
            (Duration::from_secs(5), Duration::from_millis(1500))
        );
        assert_eq!(read.body, Duration::from_secs(30));
    }

    #[test]
    fn a_deadline_of_nothing_is_refused() {
        DeadlinesConfig {
            request: Duration::ZERO,
            ..Default::default()
        }
        .check()
        .unwrap_err();
        DeadlinesConfig::default().check().unwrap();
    }
}
