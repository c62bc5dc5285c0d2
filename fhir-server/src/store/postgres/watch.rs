//! Watches whether the database answers, over a connection of its own, and renews the lease on the node number.
//!
//! A database that is stopped, cut off or gone is found within two seconds, and found again within half a second of its
//! return. An answer to anybody counts: a slow machine is not taken for a dead database. Between two looks the statistics are kept.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio::time::timeout;

use super::core::Core;
use super::link::Link;
use super::node::Lease;
use super::start;
use super::statistics::Upkeep;
use crate::error::Result;

const INTERVAL: Duration = Duration::from_millis(300);
const PATIENCE: Duration = Duration::from_secs(1);
const RENEWAL: Duration = Duration::from_secs(15);

/// Watches until told to end, beginning with that connection; then gives the node number back.
pub(super) async fn watch(core: Arc<Core>, link: Link, mut lease: Lease, mut end: oneshot::Receiver<()>) {
    let mut renewed = Instant::now();
    let mut link = Some(link);
    let mut upkeep = Upkeep::new();
    // Also where the store is gone without a word.
    while let Err(_elapsed) = timeout(INTERVAL, &mut end).await {
        let Some(open) = &link else {
            link = reconnected(&core).await;
            continue;
        };
        let is_due = renewed.elapsed() >= RENEWAL;
        match timeout(PATIENCE, sign(&core, open, is_due.then_some(&mut lease))).await {
            Ok(Ok(())) => {
                upkeep.tend(&core);
                if is_due {
                    renewed = Instant::now();
                }
            }
            Ok(Err(error)) => {
                tracing::warn!(cause = ?error.cause, "the watch over the database lost its connection");
                link = reconnected(&core).await;
            }
            Err(_) if core.silence() < PATIENCE => {}
            Err(_) => {
                core.set_up(false);
                link = None;
            }
        }
    }
    if let Some(link) = &link
        && !matches!(timeout(PATIENCE, lease.end(link)).await, Ok(Ok(())))
    {
        tracing::debug!("the node number is not given back; its lease will run out");
    }
}

async fn reconnected(core: &Core) -> Option<Link> {
    let link = match core.connector.connect().await {
        Ok(link) => Some(link),
        Err(error) => {
            tracing::debug!(cause = ?error.cause, "the database is not back yet");
            None
        }
    };
    core.set_up(link.is_some());
    link
}

/// A sign of life, and the lease renewed where that is due.
async fn sign(core: &Core, link: &Link, lease: Option<&mut Lease>) -> Result<()> {
    start::ping(link).await?;
    if let Some(lease) = lease {
        core.node.store(lease.renew(link).await?, Ordering::Relaxed);
    }
    Ok(())
}
