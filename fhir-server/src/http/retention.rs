//! Purges what was deleted long ago, where that is configured: once an hour, of every organisation.

use std::time::Duration;

use actix_web::rt;

use super::State;
use super::mount::Mount;
use crate::context::Millis;

/// How long after the start it is looked for first; so long it takes a server that restarts again and again to settle.
const FIRST: Duration = Duration::from_secs(60);
/// How often it is looked for.
const PAUSE: Duration = Duration::from_secs(3600);

/// Purges until it is dropped; not at all where nothing is configured.
pub(super) async fn tend(state: &State) {
    if state.config.retention.deleted().is_none() {
        return;
    }
    rt::time::sleep(FIRST).await;
    loop {
        turn(state).await;
        rt::time::sleep(PAUSE).await;
    }
}

/// Looks once; how many resources were purged.
pub(super) async fn turn(state: &State) -> u64 {
    let Some(kept) = state.config.retention.deleted() else {
        return 0;
    };
    let before = Millis(state.clock.now().0.saturating_sub(kept));
    let mut purged = 0;
    for mount in Mount::all(&state.config) {
        match state.engine.purge_deleted(mount.tenant, before).await {
            Ok(0) => {}
            Ok(resources) => {
                tracing::info!(
                    tenant = mount.tenant.0,
                    resources,
                    "what was deleted long ago is purged"
                );
                purged += resources;
            }
            Err(error) => {
                tracing::warn!(%error, tenant = mount.tenant.0, "what was deleted long ago could not be purged; it is tried again in an hour");
            }
        }
    }
    purged
}
