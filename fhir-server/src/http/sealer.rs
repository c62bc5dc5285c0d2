//! What a server does for its audit trail beside answering: writes the counts of strangers' requests, seals, and gives the heads out.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use actix_web::rt;
use futures_util::future::join;

use super::State;
use super::strangers::Place;
use crate::audit::{StrangerCount, hexadecimal};
use crate::context::TenantId;
use crate::error::{Error, Result};
use crate::store::AuditSeal;

/// How often it looks for rows without a seal.
const PAUSE: Duration = Duration::from_millis(500);
/// Turns of listing when the server ends, at most: what still waits then, waits for its next start.
const LAST_TURNS: usize = 16;
/// Heads that wait where they cannot be written; what is beyond stays in the database.
const MOST_HEADS: usize = 10_000;

/// Tends the trail until it is dropped.
pub(crate) async fn tend(state: &State) {
    let sealing = async {
        let mut sealer = Sealer::default();
        loop {
            rt::time::sleep(PAUSE).await;
            sealer.turn(state, false).await;
        }
    };
    // Seals do not wait for lists.
    let listing = async {
        let mut lister = Lister::default();
        loop {
            if !lister.turn(state).await {
                rt::time::sleep(PAUSE).await;
            }
        }
    };
    join(sealing, listing).await;
}

/// Tends it a last time.
pub(super) async fn end(state: &State) {
    Sealer::default().turn(state, true).await;
    let mut lister = Lister::default();
    for _ in 0..LAST_TURNS {
        if !lister.turn(state).await {
            break;
        }
    }
}

/// What it remembers from one turn to the next.
#[derive(Default)]
pub(super) struct Sealer {
    trail: Trouble,
    file: Trouble,
    heads: Vec<(TenantId, AuditSeal)>,
}

/// Whether something fails: said once when it begins, and once when it is over.
#[derive(Default)]
struct Trouble(bool);

impl Trouble {
    /// What is to be said now of how it went, if anything: whether it works.
    fn news(&mut self, works: bool) -> Option<bool> {
        let was = std::mem::replace(&mut self.0, !works);
        (was == works).then_some(works)
    }
}

impl Sealer {
    /// Writes and seals what there is; `last` leaves no count for later.
    pub(super) async fn turn(&mut self, state: &State, last: bool) {
        if !state.config.audit.enabled {
            return;
        }
        let sealed = match tell_strangers(state, last).await {
            Ok(()) => state.engine.seal().await,
            Err(error) => Err(error),
        };
        let works = sealed.is_ok();
        match (self.trail.news(works), sealed) {
            (Some(false), Err(error)) => {
                tracing::warn!(%error, "the audit trail could not be sealed; it is tried again twice a second");
            }
            (Some(true), Ok(seals)) => {
                tracing::info!("the audit trail is sealed again");
                self.give_out(state, seals);
            }
            (_, Ok(seals)) => self.give_out(state, seals),
            (_, Err(_)) => {}
        }
    }

    fn give_out(&mut self, state: &State, seals: Vec<(TenantId, AuditSeal)>) {
        for (tenant, seal) in &seals {
            tracing::debug!(tenant = tenant.0, seal = seal.number, rows = seal.count, head = %hexadecimal(&seal.head), "sealed");
        }
        let Some(path) = state.config.audit.heads.as_deref() else {
            return;
        };
        let room = MOST_HEADS.saturating_sub(self.heads.len());
        self.heads.extend(seals.into_iter().take(room));
        if self.heads.is_empty() {
            return;
        }
        let written = append(path, &self.heads, &state.clock.now().to_instant());
        match (self.file.news(written.is_ok()), written) {
            (Some(false), Err(error)) => {
                tracing::error!(%error, path = %path.display(), "heads of the audit trail could not be written; it is tried again");
            }
            (Some(true), Ok(())) => {
                tracing::info!(path = %path.display(), "heads of the audit trail are written again");
                self.heads.clear();
            }
            (_, Ok(())) => self.heads.clear(),
            (_, Err(_)) => {}
        }
    }
}

/// Brings rows into the lists of their patients.
#[derive(Default)]
struct Lister(Trouble);

impl Lister {
    /// One round; whether rows may wait still.
    async fn turn(&mut self, state: &State) -> bool {
        if !state.config.audit.enabled {
            return false;
        }
        let listed = state.engine.list_audit().await;
        match (self.0.news(listed.is_ok()), &listed) {
            (Some(false), Err(error)) => {
                tracing::warn!(%error, "rows of the audit trail could not be brought into the lists of patients; it is tried again");
            }
            (Some(true), Ok(_)) => {
                tracing::info!("rows of the audit trail are brought into the lists of patients again")
            }
            _ => {}
        }
        listed.unwrap_or(false)
    }
}

/// Writes the counts of past minutes, or all; those that cannot be written wait.
async fn tell_strangers(state: &State, all: bool) -> Result<()> {
    let mut of: BTreeMap<TenantId, Vec<(Place, StrangerCount)>> = BTreeMap::new();
    for (place, count) in state.strangers.take(state.clock.now(), all) {
        of.entry(place.1).or_default().push((place, count));
    }
    let mut told = Ok(());
    for (tenant, counts) in of {
        let rows = counts.iter().map(|(_, count)| count.clone().entry());
        if let Err(error) = state.engine.tell(tenant, rows).await {
            state.strangers.put_back(counts);
            told = Err(error);
        }
    }
    told
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trouble_is_said_when_it_begins_and_when_it_is_over() {
        let mut trouble = Trouble::default();
        let told: Vec<_> = [true, false, false, false, true, true, false]
            .into_iter()
            .map(|works| trouble.news(works))
            .collect();
        let expected = [None, Some(false), None, None, Some(true), None, Some(false)];
        assert_eq!(told, expected);
    }
}
