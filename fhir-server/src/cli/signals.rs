//! When the server is to end: SIGTERM (with time for load balancers), SIGINT or Ctrl-C (promptly).

use fhir_server::error::{Error, Result};
use fhir_server::server::Ending;

/// Resolves with the first signal.
#[cfg(unix)]
pub(super) fn end() -> Result<impl Future<Output = Ending> + 'static> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).map_err(Error::internal)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Error::internal)?;
    Ok(async move {
        let terminated = std::pin::pin!(terminate.recv());
        let interrupted = std::pin::pin!(interrupt.recv());
        match futures_util::future::select(terminated, interrupted).await {
            futures_util::future::Either::Left(_) => Ending::Drained,
            futures_util::future::Either::Right(_) => Ending::Prompt,
        }
    })
}

/// Resolves with Ctrl-C.
#[cfg(not(unix))]
pub(super) fn end() -> Result<impl Future<Output = Ending> + 'static> {
    Ok(async {
        match tokio::signal::ctrl_c().await {
            Ok(()) => Ending::Prompt,
            Err(_) => std::future::pending().await,
        }
    })
}
