//! The sealer: chains the rows of each tenant's audit trail in batches, within a second, and brings them into the lists of their patients.
//!
//! A row is written in sequence; the lists lie in another order, and each place there is a page of its own. So they are brought up to
//! many rows at once, sorted, in small commits between which others come to write.
//!
//! Several processes may seal one database: of two seals with one number the database takes the first, and who comes second begins
//! again from there.

use std::time::Instant;

use crate::audit::chain;
use crate::audit::verify::{self, Verified};
use crate::context::TenantId;
use crate::error::{Error, Result};
use crate::store::{AuditEntry, AuditLists, AuditQuery, AuditSeal, AuditTest, Commit, Refusal, Write};

use super::Engine;

/// Places that are brought into the lists after each other, sorted: the more, the more of them lie beside each other.
const ROUND: usize = 16_384;
/// Places of one commit: a few milliseconds in which nobody else writes.
const TOGETHER: usize = 256;

impl Engine {
    /// Seals what has no seal yet, of every tenant; the new seals.
    ///
    /// # Errors
    /// The store failed. What was sealed stays sealed.
    pub async fn seal(&self) -> Result<Vec<(TenantId, AuditSeal)>> {
        let mut sealed = Vec::new();
        for tenant in self.store.audited().await? {
            while let Some(seal) = self.seal_batch(tenant).await? {
                let full = usize::try_from(seal.count).is_ok_and(|count| count >= chain::BATCH);
                sealed.push((tenant, seal));
                if !full {
                    break;
                }
            }
        }
        Ok(sealed)
    }

    /// Adds rows to a tenant's trail that are of no interaction.
    ///
    /// # Errors
    /// The store failed; none was added.
    pub(crate) async fn tell(
        &self,
        tenant: TenantId,
        rows: impl IntoIterator<Item = AuditEntry>,
    ) -> Result<()> {
        let writes = rows.into_iter().map(Write::Audit).collect();
        match self.store.commit(tenant, Commit::new(Vec::new(), writes)).await {
            Ok(_) => Ok(()),
            Err(Refusal::Failed(error)) => Err(error),
            Err(refusal) => Err(Error::internal(format!(
                "a row of the trail was refused: {refusal:?}"
            ))),
        }
    }

    /// Brings rows that wait into the lists of their patients, of every tenant a round; whether more may wait.
    ///
    /// # Errors
    /// The store failed. What is in the lists stays there.
    pub(crate) async fn list_audit(&self) -> Result<bool> {
        let mut more = false;
        for tenant in self.store.audited().await? {
            more |= self.list_round(tenant).await?;
        }
        Ok(more)
    }

    async fn list_round(&self, tenant: TenantId) -> Result<bool> {
        let rows = self.store.snapshot(tenant).await?.audit_waiting(ROUND).await?;
        let stamps: Vec<i64> = rows.iter().map(|row| row.stamp).collect();
        let places = rows
            .into_iter()
            .flat_map(|row| row.patients.into_iter().map(move |id| (row.stamp, id)));
        let mut places: Vec<(i64, String)> = places.collect();
        places.sort_by(|(stamp, id), (other_stamp, other)| (id, stamp).cmp(&(other, other_stamp)));
        let is_full = places.len() >= ROUND;
        while !places.is_empty() {
            let rest = places.split_off(places.len().min(TOGETHER));
            let some = std::mem::replace(&mut places, rest);
            let begun = Instant::now();
            self.list(tenant, some, Vec::new()).await?;
            tokio::time::sleep(begun.elapsed()).await;
        }
        for some in stamps.chunks(TOGETHER) {
            self.list(tenant, Vec::new(), some.to_vec()).await?;
        }
        Ok(is_full)
    }

    async fn list(&self, tenant: TenantId, places: Vec<(i64, String)>, listed: Vec<i64>) -> Result<()> {
        let write = Write::List(AuditLists { places, listed });
        match self
            .store
            .commit(tenant, Commit::new(Vec::new(), vec![write]))
            .await
        {
            Ok(_) => Ok(()),
            Err(Refusal::Failed(error)) => Err(error),
            Err(refusal) => Err(Error::internal(format!(
                "rows of the trail could not be listed: {refusal:?}"
            ))),
        }
    }

    /// One batch; `None` where there is nothing to seal, or another process did.
    async fn seal_batch(&self, tenant: TenantId) -> Result<Option<AuditSeal>> {
        let snapshot = self.store.snapshot(tenant).await?;
        let last = snapshot.audit_seals(None, 1).await?.pop();
        let from = last.as_ref().map_or(0, |last| last.last.saturating_add(1));
        let mut query = AuditQuery::new(vec![AuditTest::Between(from, i64::MAX)], chain::BATCH);
        query.oldest_first = true;
        let rows = snapshot.audit(&query).await?;
        drop(snapshot);
        let Some(seal) = chain::seal(tenant, last.as_ref(), &rows) else {
            return Ok(None);
        };
        let commit = Commit::new(Vec::new(), vec![Write::Seal(seal.clone())]);
        match self.store.commit(tenant, commit).await {
            Ok(_) => Ok(Some(seal)),
            Err(Refusal::Failed(error)) => Err(error),
            Err(Refusal::Write { .. }) => Ok(None),
            Err(refusal) => Err(Error::internal(format!("a seal was refused: {refusal:?}"))),
        }
    }

    /// Reads the whole trail of every tenant and says where it is not what was sealed. `exported` are heads as they were given out:
    /// tenant, number and hexadecimal digits.
    ///
    /// # Errors
    /// The store failed.
    pub async fn verify_audit(&self, exported: &[(i64, i64, String)]) -> Result<Vec<Verified>> {
        verify::verify(self.store.as_ref(), exported).await
    }
}
