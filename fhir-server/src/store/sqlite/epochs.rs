//! [`KnownEpochs`]: when definitions last changed, as far as the writer has asked.
//!
//! Invariant: what is known is what the database holds, or the transaction that is open: this process alone writes.

use std::collections::HashMap;

use diesel::QueryResult;

use super::link::Link;
use crate::context::TenantId;
use crate::store::sql;
use crate::store::{Epochs, ResourceType};

/// Tenants that are kept in memory at most.
const MOST_KNOWN: usize = 1_000;

/// The epochs of the tenants that were written to last.
#[derive(Default)]
pub(super) struct KnownEpochs(HashMap<TenantId, Epochs>);

impl KnownEpochs {
    /// The tenant's, in the transaction that is open.
    pub(super) fn of(&mut self, link: &mut Link, tenant: TenantId) -> QueryResult<Epochs> {
        if let Some(known) = self.0.get(&tenant) {
            return Ok(*known);
        }
        let rows: Vec<sql::EpochRow> = link.rows(sql::epochs(tenant))?;
        let epochs = sql::epochs_of(rows);
        if self.0.len() >= MOST_KNOWN {
            self.0.clear();
        }
        self.0.insert(tenant, epochs);
        Ok(epochs)
    }

    /// A definition of that type, or what is noted about them, has changed under that stamp.
    pub(super) fn moved(
        &mut self,
        link: &mut Link,
        tenant: TenantId,
        resource_type: ResourceType,
        stamp: i64,
    ) -> QueryResult<()> {
        let mut epochs = self.of(link, tenant)?;
        let epoch = epochs.next(resource_type, stamp);
        epochs.set(resource_type, epoch);
        link.run(sql::set_epoch(tenant, resource_type, epoch))?;
        self.0.insert(tenant, epochs);
        Ok(())
    }

    /// The tenant was emptied under that stamp.
    pub(super) fn emptied(&mut self, link: &mut Link, tenant: TenantId, stamp: i64) -> QueryResult<()> {
        let mut epochs = self.of(link, tenant)?;
        epochs.empty(stamp);
        for statement in sql::set_epochs(tenant, &epochs) {
            link.run(statement)?;
        }
        self.0.insert(tenant, epochs);
        Ok(())
    }

    /// A definition was purged under that stamp.
    pub(super) fn purged(&mut self, link: &mut Link, tenant: TenantId, stamp: i64) -> QueryResult<()> {
        let mut epochs = self.of(link, tenant)?;
        epochs.purge(stamp);
        link.run(sql::set_emptied(tenant, &epochs))?;
        self.0.insert(tenant, epochs);
        Ok(())
    }

    /// The transaction, or the end of it, was undone: what was set may be so no more.
    pub(super) fn undo(&mut self) {
        self.0.clear();
    }
}
