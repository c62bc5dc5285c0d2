//! [`reindex`]: makes what resources can be found by, where an earlier release wrote them or search parameters have changed.
//!
//! Invariant: it may stop at any moment and goes on from there; what is written meanwhile is not undone.

use super::{
    Commit, Cursor, Filter, Place, ResourceType, SearchQuery, Sort, SortKey, Store, StoredBody, Write,
};
use crate::context::TenantId;
use crate::error::{Error, Result};

/// Says what a resource can be found by.
pub type Extract<'a> = dyn Fn(TenantId, &StoredBody, ResourceType) -> Result<super::Index> + Send + Sync + 'a;

/// Resources of one commit.
const BATCH: usize = 200;

/// Makes the rows of all resources that lack them, tenant by tenant, oldest change first; how many resources that were. To be done
/// before searches are answered. `progress` is told the number so far after each batch.
///
/// To make them anew for all resources of a tenant, commit [`Write::IndexedTo`]`(Some(0))` first.
///
/// # Errors
/// A resource cannot be read or extracted from, or the database failed. What was done stays done.
pub async fn reindex(
    store: &dyn Store,
    extract: &Extract<'_>,
    progress: &(dyn Fn(u64) + Send + Sync),
) -> Result<u64> {
    let mut done = 0;
    for (tenant, mut stamp) in store.unindexed().await? {
        loop {
            let (count, last) = batch(store, tenant, stamp, extract).await?;
            done += count;
            progress(done);
            match last {
                Some(last) => stamp = last,
                None => break,
            }
        }
    }
    Ok(done)
}

/// The next batch after that stamp: how many, and the stamp of the last; `None` at the end.
async fn batch(
    store: &dyn Store,
    tenant: TenantId,
    after: i64,
    extract: &Extract<'_>,
) -> Result<(u64, Option<i64>)> {
    let mut query = SearchQuery::new(None, Filter::All, BATCH);
    query.sort.push(Sort {
        key: SortKey::LastUpdated,
        descending: false,
    });
    query.after = Some(Cursor {
        values: vec![Place::Number(after)],
        stamp: after,
    });
    let found = store.snapshot(tenant).await?.search(&query).await?;
    let mut writes = Vec::new();
    for version in found.iter().map(|found| &found.version) {
        let Some(body) = &version.body else { continue };
        writes.push(Write::Index {
            key: version.key.clone(),
            stamp: version.stamp,
            index: extract(tenant, body, version.key.resource_type)?,
        });
    }
    let count = writes.len() as u64;
    let last = found.last().map(|found| found.version.stamp);
    writes.push(Write::IndexedTo(last));
    let committed = store.commit(tenant, Commit::new(Vec::new(), writes)).await;
    committed.map_err(|refusal| match refusal {
        super::Refusal::Failed(error) => error,
        other => Error::internal(format!("rows were refused: {other:?}")),
    })?;
    Ok((count, last))
}
