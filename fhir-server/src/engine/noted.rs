//! What the server keeps for itself: a note that all processes on a database share, beside a type of resources in a tenant without any.

use super::Engine;
use crate::context::TenantId;
use crate::error::{Error, Result};
use crate::store::{Commit, Expect, Refusal, ResourceType, Write};

impl Engine {
    /// What is noted.
    ///
    /// # Errors
    /// The store failed.
    pub(crate) async fn noted(&self, tenant: TenantId, beside: ResourceType) -> Result<Option<Vec<u8>>> {
        self.store.snapshot(tenant).await?.note(beside).await
    }

    /// Notes something in the place of what was noted; `false` where that is something else by now.
    ///
    /// # Errors
    /// The store failed.
    pub(crate) async fn note(
        &self,
        tenant: TenantId,
        beside: ResourceType,
        before: Option<Vec<u8>>,
        note: Vec<u8>,
    ) -> Result<bool> {
        let write = Write::Note {
            of: beside,
            note,
            moves: false,
        };
        let commit = Commit::new(vec![Expect::Note(beside, before)], vec![write]);
        match self.store.commit(tenant, commit).await {
            Ok(_) => Ok(true),
            Err(Refusal::Expectation { .. }) => Ok(false),
            Err(Refusal::Failed(error)) => Err(error),
            Err(refusal) => Err(Error::internal(format!("a note was refused: {refusal:?}"))),
        }
    }
}
