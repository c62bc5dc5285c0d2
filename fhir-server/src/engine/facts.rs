//! What the policy knows when it decides: gathered once a request from the view that the request reads, and again after a commit.
//!
//! Invariant: without facts nothing is permitted.

use std::sync::{Arc, PoisonError};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::Session;
use crate::error::{Error, ErrorCode, Result};
use crate::policy::{Facts, Records};
use crate::store::{Filter, HistoryQuery, HistoryScope, ResourceType, SearchQuery, Version};

/// Looks up what is stored, for the policy alone.
pub(super) struct Lookup<'s>(pub(super) &'s Session);

impl Records for Lookup<'_> {
    fn find(
        &self,
        resource_type: ResourceType,
        filter: Filter,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<Version>>> {
        async move {
            let query = SearchQuery::new(Some(resource_type), filter, limit);
            let found = self.0.snapshot().await?.search(&query).await?;
            Ok(found.into_iter().map(|found| found.version).collect())
        }
        .boxed()
    }

    fn newest(&self, resource_type: ResourceType) -> BoxFuture<'_, Result<i64>> {
        async move {
            let query = HistoryQuery::new(HistoryScope::Type(resource_type), 1, Filter::All);
            let newest = self.0.snapshot().await?.history(&query).await?;
            Ok(newest.first().map_or(0, |version| version.stamp))
        }
        .boxed()
    }
}

impl Session {
    /// Gathers what the policy has to know, where that is not known yet.
    ///
    /// # Errors
    /// It cannot be known, so nothing is permitted.
    pub(crate) async fn prepare(&self) -> Result<()> {
        if self.facts().is_some() {
            return Ok(());
        }
        let mut facts = Facts::default();
        let lookup = Lookup(self);
        let gathered = self.engine.policy.gather(&self.context, &lookup, &mut facts);
        gathered.await.map_err(|error| match error.code {
            ErrorCode::Unavailable | ErrorCode::Timeout => error,
            _ => undecided(error),
        })?;
        *self.facts.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(facts));
        Ok(())
    }

    /// What the policy knows.
    pub(super) fn facts(&self) -> Option<Arc<Facts>> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Forgets what the policy knows, and what it decided.
    pub(super) fn forget_facts(&self) {
        *self.facts.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.decisions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }
}

/// The answer where the policy cannot decide.
pub(super) fn undecided(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    let reason = "Whether you may do this cannot be decided now, so it is refused.";
    Error::new(ErrorCode::Forbidden, reason).with_cause(cause)
}
