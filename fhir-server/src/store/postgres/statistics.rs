//! Keeps what the planner knows of the tables near to what is in them.
//!
//! PostgreSQL counts a table again when autovacuum comes by, every minute at the most. Before it has come once, the planner takes every
//! condition for one that gives a single row, and one index for as good as another: over a few hundred resources that were written just now, a
//! sort took longer than a request may. So a table that grew by half is counted (`ANALYZE`) soon after the commits that made it grow: often
//! while it is small, where that takes a few milliseconds, and more and more rarely afterwards.
//!
//! Invariant: no commit and no read waits for it, and what another session is counting is left to that.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use diesel::sql_types::{Nullable, Text};

use super::core::Core;
use super::failure;
use crate::error::Result;
use crate::store::sql::Statement;

/// Between two looks at least.
const INTERVAL: Duration = Duration::from_millis(500);

/// The tables of the schema that this user may count, and that were never counted or have half as many pages again as when they were.
const GROWN: &str = "SELECT string_agg(format('%I.%I', current_schema(), relname), ', ') FROM pg_class \
    WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' AND pg_has_role(relowner, 'USAGE') \
    AND (CASE WHEN reltuples < 0 THEN pg_relation_size(oid) > 0 \
    ELSE pg_relation_size(oid) / current_setting('block_size')::bigint > relpages + relpages / 2 + 1 END)";

/// When the tables were last looked at.
pub(super) struct Upkeep {
    looked: Option<Instant>,
    /// Batches that had been committed then.
    batches: u64,
    is_at_work: Arc<AtomicBool>,
}

impl Upkeep {
    /// Nothing was looked at: a database may have been restored, which leaves it without statistics.
    pub(super) fn new() -> Self {
        Upkeep {
            looked: None,
            batches: 0,
            is_at_work: Arc::default(),
        }
    }

    /// Has the tables looked at where something was written since the last time, apart from whoever calls.
    pub(super) fn tend(&mut self, core: &Arc<Core>) {
        let batches = core.batches.load(Ordering::Relaxed);
        let is_due = match self.looked {
            None => true,
            Some(looked) => looked.elapsed() >= INTERVAL && batches != self.batches,
        };
        if !is_due || self.is_at_work.swap(true, Ordering::AcqRel) {
            return;
        }
        (self.looked, self.batches) = (Some(Instant::now()), batches);
        let (core, is_at_work) = (core.clone(), self.is_at_work.clone());
        let runtime = core.runtime.clone();
        runtime.spawn(async move {
            if let Err(error) = count(&core).await {
                tracing::debug!(cause = ?error.cause, "the tables were not counted");
            }
            is_at_work.store(false, Ordering::Release);
        });
    }
}

async fn count(core: &Core) -> Result<()> {
    let lent = core.guarded(core.writers.lend()).await??;
    let link = lent.link()?;
    let grown: Option<Option<String>> = core
        .guarded(link.first(Statement::<Nullable<Text>>::new(GROWN, [])))
        .await?
        .map_err(failure::error)?;
    if let Some(tables) = grown.flatten() {
        let sql = format!("ANALYZE (SKIP_LOCKED) {tables}");
        core.guarded(link.batch(&sql)).await?.map_err(failure::error)?;
    }
    lent.give_back();
    Ok(())
}
