//! Logs to standard error.
//!
//! Invariant: what a panic says is not logged, only where: it may hold what a client sent.

use fhir_server::config::{LogConfig, LogFormat};
use fhir_server::error::{Error, ErrorCode, Result};
use fhir_server::server::QUIET;
use tracing_subscriber::EnvFilter;

/// Begins to log.
pub(super) fn start(config: &LogConfig) -> Result<()> {
    let filter = EnvFilter::try_new(format!("{QUIET},{}", config.level)).map_err(|cause| {
        let text = format!(
            "`{}` is no log level; use error, warn, info, debug or trace.",
            config.level
        );
        Error::new(ErrorCode::Value, text).with_cause(cause)
    })?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let started = match config.format {
        LogFormat::Text => builder.with_ansi(false).try_init(),
        LogFormat::Json => builder
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .try_init(),
    };
    started.map_err(Error::internal)?;
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        tracing::error!(place, "a panic");
    }));
    Ok(())
}
