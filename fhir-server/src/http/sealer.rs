//! Seals the audit trail while the server runs, and gives the heads out.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use actix_web::rt;

use super::State;
use crate::audit::hexadecimal;
use crate::context::TenantId;
use crate::error::{Error, Result};
use crate::store::AuditSeal;

/// How often it looks for rows without a seal.
const PAUSE: Duration = Duration::from_millis(500);

/// Seals until it is dropped.
pub(super) async fn run(state: &State) {
    loop {
        rt::time::sleep(PAUSE).await;
        once(state).await;
    }
}

/// Seals what there is.
pub(super) async fn once(state: &State) {
    if !state.config.audit.enabled {
        return;
    }
    match state.engine.seal().await {
        Ok(seals) => give_out(state, &seals),
        Err(error) => tracing::warn!(%error, "the audit trail could not be sealed; it is tried again"),
    }
}

fn give_out(state: &State, seals: &[(TenantId, AuditSeal)]) {
    for (tenant, seal) in seals {
        tracing::debug!(tenant = tenant.0, seal = seal.number, rows = seal.count, head = %hexadecimal(&seal.head), "sealed");
    }
    let Some(path) = state.config.audit.heads.as_deref().filter(|_| !seals.is_empty()) else {
        return;
    };
    if let Err(error) = append(path, seals, &state.clock.now().to_instant()) {
        tracing::error!(%error, path = %path.display(), "heads of the audit trail could not be written");
    }
}

/// A line a seal: tenant, number, head, time.
fn append(path: &Path, seals: &[(TenantId, AuditSeal)], at: &str) -> Result<()> {
    let lines = seals.iter().fold(String::new(), |mut text, (tenant, seal)| {
        text.push_str(&format!(
            "{} {} {} {at}\n",
            tenant.0,
            seal.number,
            hexadecimal(&seal.head)
        ));
        text
    });
    let mut file = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .map_err(Error::internal)?;
    file.write_all(lines.as_bytes())
        .and_then(|()| file.sync_data())
        .map_err(Error::internal)
}
