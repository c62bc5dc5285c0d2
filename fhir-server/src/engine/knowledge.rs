//! What the server knows for a tenant, made of the definitions that the tenant stores: [`Knowledge`] holds each kind of it in a
//! [`ByEpoch`], which makes it anew once one of these definitions has changed. To add a kind, add a field.
//!
//! Invariant: what a request uses was made of the definitions that its own view of the data holds: a request that begins after a definition
//! was written is answered by it, on every process.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use super::Session;
use super::known::{self, Known};
use crate::context::TenantId;
use crate::error::Result;
use crate::search::registry::Registry;
use crate::store::{
    Cursor, Epochs, Filter, Found, ResourceType, SearchQuery, Snapshot, Sort, SortKey, Version,
};

/// Tenants for which something is kept at most; then all of it is let go and made again when it is asked for.
const MOST_TENANTS: usize = 200;
/// Definitions that are read at once.
const BATCH: usize = 500;

/// All kinds of it.
#[derive(Debug)]
pub(crate) struct Knowledge {
    /// The search parameters that there are.
    pub(super) search: ByEpoch<Registry>,
    /// Profiles and terminology.
    pub(super) known: ByEpoch<Known>,
}

impl Default for Knowledge {
    fn default() -> Self {
        Knowledge {
            search: ByEpoch::of(&["SearchParameter"]),
            known: ByEpoch::of(&known::TYPES),
        }
    }
}

/// Something that is made of a tenant's definitions of some types.
#[derive(Debug)]
pub(crate) struct ByEpoch<T> {
    types: &'static [&'static str],
    tenants: Mutex<HashMap<TenantId, Arc<Slot<T>>>>,
}

#[derive(Debug)]
struct Slot<T> {
    /// Of which epochs it was made, and what: those of its types, then when the tenant was emptied.
    made: Mutex<Option<Made<T>>>,
    /// Held by whoever makes it, so that others wait for it.
    making: tokio::sync::Mutex<()>,
}

type Made<T> = (Vec<i64>, Arc<T>);

impl<T> ByEpoch<T> {
    /// Nothing is made yet. Names that are none of [`crate::store::DEFINITIONS`] have no epoch.
    pub(crate) fn of(types: &'static [&'static str]) -> Self {
        ByEpoch {
            types,
            tenants: Mutex::default(),
        }
    }

    /// What is made of the tenant's definitions as they were at those epochs; `None` where it never had any.
    ///
    /// # Errors
    /// What `make` fails with.
    pub(crate) async fn get<Making>(
        &self,
        tenant: TenantId,
        epochs: &Epochs,
        make: impl FnOnce() -> Making,
    ) -> Result<Option<Arc<T>>>
    where
        Making: Future<Output = Result<T>>,
    {
        let types = self.types.iter().filter_map(|name| ResourceType::from_name(name));
        let mut wanted: Vec<i64> = types.map(|of| epochs.of(of)).collect();
        if wanted.iter().all(|stamp| *stamp == 0) {
            return Ok(None);
        }
        wanted.push(epochs.emptied());
        let slot = self.slot(tenant);
        let fits = |made: Option<Made<T>>| made.filter(|(of, _)| *of == wanted).map(|(_, made)| made);
        if let Some(made) = fits(slot.newest()) {
            return Ok(Some(made));
        }
        let _making = slot.making.lock().await;
        if let Some(made) = fits(slot.newest()) {
            return Ok(Some(made));
        }
        let made = Arc::new(make().await?);
        slot.keep((wanted, made.clone()));
        Ok(Some(made))
    }

    /// What was made last for the tenant, and of which epochs: others may hold by now. `None` where nothing was.
    pub(crate) fn newest(&self, tenant: TenantId) -> Option<Made<T>> {
        let tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        tenants.get(&tenant)?.newest()
    }

    fn slot(&self, tenant: TenantId) -> Arc<Slot<T>> {
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        if tenants.len() >= MOST_TENANTS && !tenants.contains_key(&tenant) {
            tenants.clear();
        }
        let fresh = || {
            Arc::new(Slot {
                made: Mutex::new(None),
                making: tokio::sync::Mutex::new(()),
            })
        };
        tenants.entry(tenant).or_insert_with(fresh).clone()
    }
}

impl<T> Slot<T> {
    fn newest(&self) -> Option<Made<T>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A request that began earlier does not take away what later ones use.
    fn keep(&self, made: Made<T>) {
        let mut held = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let is_older = |(of, _): &Made<T>| of.iter().zip(&made.0).all(|(a, b)| a <= b);
        if held.as_ref().is_none_or(is_older) {
            *held = Some(made);
        }
    }
}

impl Session {
    /// When the tenant's definitions last changed, in the view that all reads of the request share.
    ///
    /// # Errors
    /// The store failed.
    pub(crate) async fn epochs(&self) -> Result<Epochs> {
        Ok(self.marks().await?.epochs)
    }
}

/// The current resources of a type, oldest change first: all, or more than `most` of them. No policy is asked.
pub(super) async fn definitions(
    snapshot: &dyn Snapshot,
    of: ResourceType,
    most: usize,
) -> Result<Vec<Version>> {
    let mut all: Vec<Version> = Vec::new();
    let mut after: Option<Cursor> = None;
    loop {
        let mut query = SearchQuery::new(Some(of), Filter::All, BATCH);
        query.sort.push(Sort {
            key: SortKey::LastUpdated,
            descending: false,
        });
        query.after = after.take();
        let found = snapshot.search(&query).await?;
        let is_last = found.len() < BATCH;
        after = found.last().map(|found| found.cursor.clone());
        all.extend(found.into_iter().map(|Found { version, .. }| version));
        if is_last || after.is_none() || all.len() > most {
            return Ok(all);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn at(stamp: i64) -> Epochs {
        let mut epochs = Epochs::default();
        epochs.set(ResourceType::from_name("ValueSet").unwrap(), stamp);
        epochs
    }

    async fn get(known: &ByEpoch<usize>, tenant: i64, stamp: i64, makes: &AtomicUsize) -> Option<usize> {
        let make = || async { Ok(makes.fetch_add(1, Ordering::SeqCst)) };
        let made = known.get(TenantId(tenant), &at(stamp), make).await.unwrap();
        made.map(|made| *made)
    }

    #[tokio::test]
    async fn it_is_made_once_an_epoch_and_nothing_is_made_of_nothing() {
        let known = ByEpoch::of(&["CodeSystem", "ValueSet"]);
        let makes = AtomicUsize::new(0);
        assert_eq!(get(&known, 1, 0, &makes).await, None);
        let all = (0..8).map(|_| get(&known, 1, 5, &makes));
        assert_eq!(futures_util::future::join_all(all).await, [Some(0); 8]);
        assert_eq!(get(&known, 1, 6, &makes).await, Some(1));
        assert_eq!(get(&known, 1, 6, &makes).await, Some(1));
        assert_eq!(get(&known, 2, 6, &makes).await, Some(2));
    }

    #[tokio::test]
    async fn a_view_of_before_gets_what_was_then_and_leaves_the_newer_where_it_is() {
        let known = ByEpoch::of(&["ValueSet"]);
        let makes = AtomicUsize::new(0);
        assert_eq!(get(&known, 1, 6, &makes).await, Some(0));
        assert_eq!(get(&known, 1, 5, &makes).await, Some(1));
        assert_eq!(get(&known, 1, 6, &makes).await, Some(0));
    }

    #[tokio::test]
    async fn what_cannot_be_made_is_tried_again() {
        let known: ByEpoch<usize> = ByEpoch::of(&["ValueSet"]);
        let fails = || async { Err(crate::error::Error::internal("no")) };
        assert!(known.get(TenantId(1), &at(1), fails).await.is_err());
        assert_eq!(get(&known, 1, 1, &AtomicUsize::new(4)).await, Some(4));
    }
}
