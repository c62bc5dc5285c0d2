//! Makes resources findable that an earlier release wrote, or that were written before full text was kept, before the first search is
//! answered.

use fhir_model::json;

use super::Engine;
use crate::context::TenantId;
use crate::error::{Error, Result};
use crate::search::passage::passages;
use crate::search::{Surroundings, index};
use crate::store::{self, Commit, Refusal, Write};

impl Engine {
    /// Makes the index rows of all resources that lack them; how many resources that were. It may be stopped and goes on from there.
    ///
    /// # Errors
    /// A resource cannot be read, or the store failed. What was done stays done.
    pub async fn reindex(&self) -> Result<u64> {
        let full_text = self.settings.search.full_text;
        if self.store.full_text().await? != full_text {
            let commit = Commit::new(Vec::new(), vec![Write::FullText(full_text)]);
            let committed = self.store.commit(TenantId::DEFAULT, commit).await;
            committed.map_err(|refusal| match refusal {
                Refusal::Failed(error) => error,
                other => Error::internal(format!("full text was refused: {other:?}")),
            })?;
        }
        let around = Surroundings {
            zone: &self.settings.zone,
            bases: &self.settings.bases,
        };
        let extract = |body: &store::StoredBody, _: store::ResourceType| {
            let resource =
                json::from_slice(&body.json).map_err(|error| Error::internal(error.to_string()))?;
            let index = index(&resource, &around)?;
            Ok(match full_text {
                true => index.with_passages(passages(&resource)),
                false => index,
            })
        };
        let progress =
            |done| tracing::info!(resources = done, "making what an earlier release wrote findable");
        store::reindex(&*self.store, &extract, &progress).await
    }
}
