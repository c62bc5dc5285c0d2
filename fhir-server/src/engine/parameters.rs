//! The search parameters that a session works with: R4's and the tenant's own.
//!
//! Invariant: a search is read against the parameters of its own view of the data.
//! Invariant: a write is indexed for the parameters that hold when it is committed: the commit expects the epoch that it was indexed at, and
//! what was prepared under another is prepared again.

use std::sync::{Arc, PoisonError};

use fhir_model::{Resource, json};

use super::knowledge::definitions;
use super::{Engine, Session, place};
use crate::error::{Error, ErrorCode, Result};
use crate::search::Surroundings;
use crate::search::extract::index_under;
use crate::search::passage::with_words;
use crate::search::registry::{Definition, Numbering, Pass, Registry, search_parameter};
use crate::store::{Expect, Index, Snapshot, Write};

use super::conditions::{self, Reason};
use super::write::Staged;

/// Search parameters, of which epoch, and whether that is the view's.
#[derive(Clone)]
pub(super) struct Working {
    epoch: i64,
    registry: Arc<Registry>,
    is_of_view: bool,
}

/// The registry of the tenant whose data that is.
pub(super) async fn registry_of(snapshot: &dyn Snapshot) -> Result<Registry> {
    let Some(of) = search_parameter() else {
        return Ok(Registry::r4().clone());
    };
    let note = snapshot.note(of).await?;
    let numbering = Numbering::read(note.as_deref()).map_err(Error::internal)?;
    let stored = definitions(snapshot, of, usize::MAX)
        .await?
        .into_iter()
        .filter_map(|version| {
            let body = version.body?;
            let resource = json::from_slice(&body.json).ok()?;
            Some(Definition {
                id: version.key.id,
                stamp: version.stamp,
                resource: resource.get::<fhir_model::SearchParameter>()?.clone(),
            })
        });
    Ok(Registry::with_added(stored.collect(), &numbering))
}

impl Engine {
    /// The search parameters of a tenant, as that view has them.
    pub(super) async fn registry(
        &self,
        tenant: crate::context::TenantId,
        view: &dyn Snapshot,
    ) -> Result<Arc<Registry>> {
        let epochs = view.marks().await?.epochs;
        let found = self
            .knowledge
            .search
            .get(tenant, &epochs, || registry_of(view))
            .await?;
        Ok(found.unwrap_or_else(Registry::shared))
    }
}

impl Session {
    /// The search parameters of the view that all reads of the request share.
    ///
    /// # Errors
    /// The store failed.
    pub(crate) async fn searchable(&self) -> Result<Arc<Registry>> {
        let known = self.working().filter(|working| working.is_of_view);
        if let Some(known) = known {
            return Ok(known.registry);
        }
        let epochs = self.epochs().await?;
        let view = self.snapshot().await?;
        let search = &self.engine.knowledge.search;
        let found = search
            .get(self.sees(), &epochs, || registry_of(view.as_ref()))
            .await?;
        let registry = match found {
            None => Registry::shared(),
            Some(registry) if registry.is_rising() => {
                let pass = self.numbering().await?.pass;
                Arc::new(registry.with_percent(pass.as_ref().map_or(0, Pass::percent)))
            }
            Some(registry) => registry,
        };
        self.set_working(Working {
            epoch: search_parameter().map_or(0, |of| epochs.of(of)),
            registry: registry.clone(),
            is_of_view: true,
        });
        Ok(registry)
    }

    /// What is noted of the numbers of the tenant's own search parameters.
    ///
    /// # Errors
    /// The store failed.
    pub(crate) async fn numbering(&self) -> Result<Numbering> {
        let Some(of) = search_parameter() else {
            return Ok(Numbering::default());
        };
        let note = self.snapshot().await?.note(of).await?;
        Numbering::read(note.as_deref()).map_err(Error::internal)
    }

    /// The parameters to index with, and their epoch: the last that this process has heard of. The commit finds out whether they hold.
    fn indexed_with(&self) -> Working {
        if let Some(working) = self.working() {
            return working;
        }
        let newest = self.engine.knowledge.search.newest(self.sees());
        let (epoch, registry) = match newest {
            Some((epochs, registry)) => (epochs.first().copied().unwrap_or_default(), registry),
            None => (0, Registry::shared()),
        };
        let working = Working {
            epoch,
            registry,
            is_of_view: false,
        };
        self.set_working(working.clone());
        working
    }

    /// What the resource can be found by, and as of which epoch. A SearchParameter that could not take effect is refused.
    pub(super) fn index_of(&self, resource: &Resource, id: &str, path: &str) -> Result<(Index, i64)> {
        let Working {
            mut epoch,
            registry,
            is_of_view,
        } = self.indexed_with();
        if let Some(definition) = resource.get::<fhir_model::SearchParameter>()
            && let Err(fault) = registry.check(definition, id)
        {
            if is_of_view {
                let error = Error::new(ErrorCode::Unprocessable, fault.text);
                return Err(error.at(format!("{path}.{}", fault.element)));
            }
            // What this process knows may be old: no commit has this epoch, so it is looked at again as things are.
            epoch = -1;
        }
        let around = Surroundings {
            zone: &self.settings().zone,
            bases: &self.bases,
        };
        let index =
            index_under(&registry, id, resource, &around).map_err(|error| error.at(path.to_owned()))?;
        let index = with_words(index, resource, self.settings().search.full_text);
        Ok((index, epoch))
    }

    /// Prepares again what was prepared under another epoch. What follows from a search cannot be: it begins again.
    pub(super) async fn prepare_again(&self, staged: &mut [Staged]) -> Result<()> {
        self.drop_snapshot();
        self.searchable().await?;
        let is_found = |(expect, _): &(Expect, Reason)| matches!(expect, Expect::Matches { .. });
        if staged.iter().any(|one| one.expects.iter().any(is_found)) {
            return Err(conditions::unmet(None, &Reason::Matches, None));
        }
        for one in staged.iter_mut() {
            let (Some(key), Some(body)) = (&one.key, &one.body) else {
                continue;
            };
            let resource =
                json::from_slice(&body.json).map_err(|error| Error::internal(error.to_string()))?;
            let indexed = self.index_of(&resource, &key.id, key.resource_type.name());
            let (fresh, epoch) = indexed.map_err(|error| match one.entry {
                Some(entry) => place::in_entry(error, entry),
                None => error,
            })?;
            if let Some(Write::Create { index, .. } | Write::Update { index, .. }) = &mut one.write {
                *index = fresh;
            }
            one.epochs = vec![epoch];
        }
        Ok(())
    }

    fn working(&self) -> Option<Working> {
        self.working
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn set_working(&self, working: Working) {
        *self.working.lock().unwrap_or_else(PoisonError::into_inner) = Some(working);
    }
}
