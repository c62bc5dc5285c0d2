//! Makes resources findable that an earlier release wrote, before the first search is answered.

use fhir_model::json;

use super::Engine;
use crate::error::{Error, Result};
use crate::search::{Surroundings, index};
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
        let extract = |body: &store::StoredBody, _: store::ResourceType| {
            let resource =
                json::from_slice(&body.json).map_err(|error| Error::internal(error.to_string()))?;
            index(&resource, &around)
        };
        let progress =
            |done| tracing::info!(resources = done, "making what an earlier release wrote findable");
        store::reindex(&*self.store, &extract, &progress).await
    }
}
