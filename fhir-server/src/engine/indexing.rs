//! Indexing what is stored for the SearchParameters that a tenant adds: a pass over the tenant's resources, in steps of one commit each,
//! noted beside the definitions, so that it goes on where it stopped, in this process or in another.
//!
//! Invariant: a step is committed only if the definitions and the note are still those that it was made with.
//! Invariant: before a pass begins, writes are indexed for what it is for: the commit that begins it moves the epoch, and a write that was
//! prepared under another epoch is prepared again. So no resource is missed, whichever process writes it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use fhir_model::{Resource, json};
use tokio::task::JoinHandle;

use super::Engine;
use super::parameters::registry_of;
use crate::context::{Clock, TenantId};
use crate::error::{Error, Result};
use crate::search::Surroundings;
use crate::search::extract::extract;
use crate::search::registry::{Added, Numbering, Pass, Registry, Standing, search_parameter};
use crate::store::{
    Commit, Cursor, Expect, Filter, Found, Index, Place, Refusal, ResourceType, SearchQuery, Snapshot, Sort,
    SortKey, Version, Write,
};

/// Resources of one step.
const STEP: usize = 100;
/// How long a pass that another process does may stand still before it is taken over.
const ABANDONED: i64 = 10_000;
/// How often it is looked whether another process has stored a definition.
const LOOK: Duration = Duration::from_secs(5);
/// How often a step is tried at once while definitions change.
#[cfg(test)]
const ATTEMPTS: usize = 64;

/// What a look at a tenant came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Indexed {
    /// All is done, as of that epoch.
    All(i64),
    /// A step was done.
    Step,
    /// Another process is at it.
    Elsewhere,
    /// Something changed meanwhile: look again.
    Again,
}

/// One that indexes.
pub(crate) struct Indexer {
    engine: Engine,
    clock: Arc<dyn Clock>,
    /// What tells it from those of other processes.
    name: String,
}

/// A tenant as it is when a step begins.
struct Look {
    snapshot: Box<dyn Snapshot>,
    epoch: i64,
    note: Option<Vec<u8>>,
    numbering: Numbering,
    registry: Arc<Registry>,
}

/// The task that indexes; it ends with the last engine that shares it.
#[derive(Default)]
pub(super) struct Indexing(Mutex<Option<JoinHandle<()>>>);

impl Indexing {
    fn take(&self) -> Option<JoinHandle<()>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Ends it, between two steps or in the middle of one that is then not committed.
    pub(super) async fn end(&self) {
        if let Some(task) = self.take() {
            task.abort();
            // That it was ended is what was asked for.
            let _ = task.await;
        }
    }
}

impl Drop for Indexing {
    fn drop(&mut self) {
        if let Some(task) = self.take() {
            task.abort();
        }
    }
}

impl Engine {
    /// Begins to index in the background for the SearchParameters that are stored, as long as the engine lasts.
    pub(crate) fn begin_indexing(&self, clock: Arc<dyn Clock>) {
        let mut engine = self.clone();
        engine.indexing = Arc::default();
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            tracing::warn!(
                "without a tokio runtime, resources are not indexed for SearchParameters that are stored"
            );
            return;
        };
        let task = runtime.spawn(Indexer::new(engine, clock).run());
        *self.indexing.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(task);
    }
}

impl Indexer {
    pub(crate) fn new(engine: Engine, clock: Arc<dyn Clock>) -> Self {
        Indexer {
            engine,
            clock,
            name: uuid::Uuid::new_v4().to_string(),
        }
    }

    /// Indexes for all tenants, as definitions come, until the task is ended.
    pub(crate) async fn run(self) {
        let mut settled = HashMap::new();
        loop {
            if let Err(error) = self.all_tenants(&mut settled).await {
                tracing::warn!(%error, "resources could not be indexed for search parameters; it is tried again");
            }
            let woken = self.engine.stored_definition.notified();
            // Whether it was woken or the time has come is all one.
            let _ = tokio::time::timeout(LOOK, woken).await;
        }
    }

    /// A step for each tenant in turn, until no tenant has any left: a large one does not keep the others waiting.
    async fn all_tenants(&self, settled: &mut HashMap<TenantId, i64>) -> Result<()> {
        let Some(of) = search_parameter() else {
            return Ok(());
        };
        let mut goes_on = true;
        while goes_on {
            goes_on = false;
            for (tenant, epoch) in self.engine.store.defining(of).await? {
                if settled.get(&tenant) == Some(&epoch) {
                    continue;
                }
                match self.step(tenant).await {
                    Ok(Indexed::All(epoch)) => drop(settled.insert(tenant, epoch)),
                    Ok(Indexed::Step | Indexed::Again) => goes_on = true,
                    Ok(Indexed::Elsewhere) => {}
                    Err(error) => {
                        tracing::warn!(%error, tenant = tenant.0, "a step of indexing failed; it is tried again")
                    }
                }
                tokio::task::yield_now().await;
            }
        }
        Ok(())
    }

    /// Indexes for a tenant until nothing is left to do; the epoch as of which that is so, or none where another process is at it.
    #[cfg(test)]
    pub(crate) async fn tenant(&self, tenant: TenantId) -> Result<Option<i64>> {
        let mut again = 0;
        loop {
            match self.step(tenant).await? {
                Indexed::All(epoch) => return Ok(Some(epoch)),
                Indexed::Elsewhere => return Ok(None),
                Indexed::Again if again == ATTEMPTS => return Ok(None),
                Indexed::Again => again += 1,
                Indexed::Step => again = 0,
            }
            tokio::task::yield_now().await;
        }
    }

    /// One step for a tenant.
    pub(crate) async fn step(&self, tenant: TenantId) -> Result<Indexed> {
        let Some(look) = self.look(tenant).await? else {
            return Ok(Indexed::All(0));
        };
        let now = self.clock.now().0;
        let mut numbering = look.numbering.clone();
        if numbering.begin(&look.registry, &self.name, now) {
            if let Some(pass) = &mut numbering.pass {
                pass.total = total(look.snapshot.as_ref(), pass).await?;
                tracing::info!(
                    tenant = tenant.0,
                    resources = pass.total,
                    "indexing for search parameters begins"
                );
            }
            return self.commit(tenant, &look, &numbering, Vec::new(), true).await;
        }
        let Some(pass) = &mut numbering.pass else {
            return Ok(Indexed::All(look.epoch));
        };
        if pass.worker != self.name && (0..ABANDONED).contains(&(now - pass.beat)) {
            return Ok(Indexed::Elsewhere);
        }
        pass.worker.clone_from(&self.name);
        pass.beat = now;
        let Some(of) = pass.resource_type() else {
            numbering.finish();
            tracing::info!(tenant = tenant.0, "indexing for search parameters is done");
            return self.commit(tenant, &look, &numbering, Vec::new(), true).await;
        };
        let found = page(look.snapshot.as_ref(), of, pass.stamp).await?;
        match found.last() {
            Some(last) if found.len() == STEP => pass.stamp = last.version.stamp,
            _ => pass.next_type(),
        }
        pass.done += found.len() as u64;
        match self.rows(&look.registry, found).await? {
            Ok(writes) => self.commit(tenant, &look, &numbering, writes, false).await,
            Err(culprits) => {
                // The step is done again without them.
                let mut numbering = look.numbering.clone();
                for (id, why) in culprits {
                    let faulty = look.registry.added().iter().find(|added| added.id == id);
                    faulty
                        .into_iter()
                        .for_each(|added| numbering.give_up(added, &why));
                }
                self.commit(tenant, &look, &numbering, Vec::new(), true).await
            }
        }
    }

    async fn look(&self, tenant: TenantId) -> Result<Option<Look>> {
        let Some(of) = search_parameter() else {
            return Ok(None);
        };
        let snapshot = self.engine.store.snapshot(tenant).await?;
        let epochs = snapshot.marks().await?.epochs;
        let note = snapshot.note(of).await?;
        let numbering = Numbering::read(note.as_deref()).map_err(Error::internal)?;
        let registry = self
            .engine
            .knowledge
            .search
            .get(tenant, &epochs, || registry_of(snapshot.as_ref()))
            .await?;
        Ok(registry.map(|registry| Look {
            epoch: epochs.of(of),
            note,
            numbering,
            registry,
            snapshot,
        }))
    }

    async fn commit(
        &self,
        tenant: TenantId,
        look: &Look,
        numbering: &Numbering,
        mut writes: Vec<Write>,
        moves: bool,
    ) -> Result<Indexed> {
        let Some(of) = search_parameter() else {
            return Ok(Indexed::All(0));
        };
        let expects = vec![Expect::Epoch(of, look.epoch), Expect::Note(of, look.note.clone())];
        let note = numbering.to_note().map_err(Error::internal)?;
        writes.push(Write::Note { of, note, moves });
        match self
            .engine
            .store
            .commit(tenant, Commit::new(expects, writes))
            .await
        {
            Ok(_) => Ok(Indexed::Step),
            Err(Refusal::Expectation { .. }) => Ok(Indexed::Again),
            Err(Refusal::Failed(error)) => Err(error),
            Err(refusal) => Err(Error::internal(format!(
                "a step of indexing was refused: {refusal:?}"
            ))),
        }
    }

    /// The writes of rows, or the ids of the SearchParameters that cannot be evaluated on some resource, and why.
    async fn rows(
        &self,
        registry: &Arc<Registry>,
        found: Vec<Found>,
    ) -> Result<std::result::Result<Vec<Write>, Vec<(String, String)>>> {
        let (registry, settings) = (registry.clone(), self.engine.settings.clone());
        let work = move || {
            let around = Surroundings {
                zone: &settings.zone,
                bases: &settings.bases,
            };
            let mut writes = Vec::with_capacity(found.len());
            for version in found.into_iter().map(|found| found.version) {
                let Some(resource) = resource_of(&version)? else {
                    continue;
                };
                match extract(&registry, &resource, &around) {
                    Ok(index) => writes.push(row(version, index)),
                    Err(error) => match culprits(&registry, &resource, &around, &error) {
                        culprits if culprits.is_empty() => {
                            // The rows that it has, if any, stay: it fails without them too.
                            tracing::error!(%error, stamp = version.stamp, "a resource cannot be indexed");
                        }
                        culprits => return Ok(Err(culprits)),
                    },
                }
            }
            Ok(Ok(writes))
        };
        tokio::task::spawn_blocking(work).await.map_err(Error::internal)?
    }
}

fn resource_of(version: &Version) -> Result<Option<Resource>> {
    let body = version.body.as_ref();
    let read = body.map(|body| json::from_slice(&body.json)).transpose();
    read.map_err(|error| Error::internal(error.to_string()))
}

fn row(version: Version, index: Index) -> Write {
    Write::Index {
        key: version.key,
        stamp: version.stamp,
        index,
    }
}

/// The SearchParameters being indexed that cannot be evaluated on the resource by themselves, and why; all of them where only all together
/// cannot; none where it fails without them.
fn culprits(
    registry: &Registry,
    resource: &Resource,
    around: &Surroundings<'_>,
    error: &Error,
) -> Vec<(String, String)> {
    let rising = registry
        .added()
        .iter()
        .filter(|added| added.standing == Standing::Indexing);
    let alone = |added: &&Added| {
        let alone = Registry::of_parameters(added.parameters.clone());
        let error = extract(&alone, resource, around).err()?;
        Some((added.id.clone(), error.to_string()))
    };
    let faulty: Vec<_> = rising.clone().filter_map(|added| alone(&added)).collect();
    if faulty.is_empty() && extract(Registry::r4(), resource, around).is_ok() {
        return rising
            .map(|added| (added.id.clone(), error.to_string()))
            .collect();
    }
    faulty
}

/// How many resources a pass is about.
async fn total(snapshot: &dyn Snapshot, pass: &Pass) -> Result<u64> {
    let query = SearchQuery::new(None, Filter::Types(pass.types().collect()), 0);
    snapshot.search_total(&query, u64::from(u32::MAX)).await
}

/// The resources of a type that were changed after that stamp, oldest change first.
async fn page(snapshot: &dyn Snapshot, of: ResourceType, after: i64) -> Result<Vec<Found>> {
    let mut query = SearchQuery::new(Some(of), Filter::All, STEP);
    query.sort.push(Sort {
        key: SortKey::LastUpdated,
        descending: false,
    });
    query.after = Some(Cursor {
        values: vec![Place::Number(after)],
        stamp: after,
    });
    snapshot.search(&query).await
}
