//! The sealer: chains the rows of each tenant's audit trail in batches, within a second.
//!
//! Several processes may seal one database: of two seals with one number the database takes the first, and who comes second begins
//! again from there.

use crate::audit::chain;
use crate::audit::verify::{self, Verified};
use crate::context::TenantId;
use crate::error::{Error, Result};
use crate::store::{AuditEntry, AuditQuery, AuditSeal, AuditTest, Commit, Refusal, Write};

use super::Engine;

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
