//! Makes resources findable that an earlier release wrote, before the first search is answered.

use std::collections::HashMap;

use fhir_model::json;

use super::Engine;
use crate::context::TenantId;
use crate::error::{Error, Result};
use crate::search::Surroundings;
use crate::search::extract::extract;
use crate::search::registry::Registry;
use crate::store;

impl Engine {
    /// Makes the index rows of all resources that lack them; how many resources that were. It may be stopped and goes on from there.
    ///
    /// # Errors
    /// A resource cannot be read, or the store failed. What was done stays done.
    pub async fn reindex(&self) -> Result<u64> {
        let around = Surroundings {
            zone: &self.settings.zone,
            bases: &self.settings.bases,
        };
        let mut registries = HashMap::new();
        for (tenant, _) in self.store.unindexed().await? {
            let view = self.store.snapshot(tenant).await?;
            registries.insert(tenant, self.registry(tenant, view.as_ref()).await?);
        }
        let extract = |tenant: TenantId, body: &store::StoredBody, _: store::ResourceType| {
            let resource =
                json::from_slice(&body.json).map_err(|error| Error::internal(error.to_string()))?;
            let registry = registries.get(&tenant).map_or(Registry::r4(), AsRef::as_ref);
            extract(registry, &resource, &around)
        };
        let progress =
            |done| tracing::info!(resources = done, "making what an earlier release wrote findable");
        store::reindex(&*self.store, &extract, &progress).await
    }
}
