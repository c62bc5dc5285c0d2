//! `log`: what is logged, and how.

use serde::Deserialize;

/// What is logged, and how. Logs go to standard error and hold neither queries nor content.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct LogConfig {
    /// One line of text or one JSON object an event. Default: text.
    pub format: LogFormat,
    /// `error`, `warn`, `info`, `debug` or `trace`, or finer: `info,fhir_server::store=debug`. Default: `info`.
    pub level: String,
}

/// The form of a log line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// for people
    #[default]
    Text,
    /// for machines
    Json,
}

impl Default for LogConfig {
    fn default() -> Self {
        LogConfig {
            format: LogFormat::Text,
            level: "info".into(),
        }
    }
}
