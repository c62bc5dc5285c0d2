//! Purging: all that there is of a patient goes for good where an operator asks, and what was deleted long ago where that is configured.
//!
//! Invariant: each removal is told in the trail, by its own commit.
//! Invariant: the patient goes last: a purge that was interrupted is asked for again, and goes on from there.

use fhir_model::json;

use super::{Conditions, Engine, Session, not_found};
use crate::audit::Record;
use crate::context::{Context, Millis, Principal, TenantId};
use crate::error::{Error, Result};
use crate::search::Surroundings;
use crate::search::belongs::PATIENT;
use crate::search::extract::index_under;
use crate::store::{
    Commit, Erasable, ErasureQuery, Filter, HistoryQuery, HistoryScope, Index, Key, Outcome, Refusal,
    Snapshot, Write,
};

/// Resources of one commit at most: others come to write between.
const TOGETHER: usize = 100;
/// Resources that stay and are named at most.
const MOST_NAMED: usize = 20;
/// How often it is looked again for what others have written meanwhile.
const LOOKS: usize = 8;

/// What was taken away.
#[derive(Default)]
pub(crate) struct Purged {
    /// Resources.
    pub(crate) resources: u64,
    /// Their versions, deletions included.
    pub(crate) versions: i64,
    /// What is another patient's too, and stays: the first of them.
    pub(crate) shared: Vec<Key>,
    /// Whether there are more of those.
    pub(crate) more: bool,
}

impl Session {
    /// Takes away the patient and all that is theirs alone, deleted resources and earlier versions included. What is another patient's too
    /// stays.
    ///
    /// # Errors
    /// There never was such a patient, or a condition does not hold; or the store failed, and what was taken away by then is gone.
    pub(crate) async fn purge_patient(&mut self, patient: &Key, conditions: &Conditions) -> Result<Purged> {
        let stored = self.snapshot().await?.read(patient, &Filter::All).await?;
        let Some(stored) = stored else {
            return Err(not_found(patient));
        };
        conditions.check(patient, &stored)?;
        let mut purged = Purged::default();
        for _ in 0..LOOKS {
            self.purge_what_is_theirs(patient, &mut purged).await?;
            self.purge_together(patient, std::slice::from_ref(patient), &mut purged)
                .await?;
            if self.erasable(patient, false, 1).await?.is_empty() {
                break;
            }
        }
        purged.shared = self.erasable(patient, true, MOST_NAMED + 1).await?;
        purged.more = purged.shared.len() > MOST_NAMED;
        purged.shared.truncate(MOST_NAMED);
        purged.shared.sort();
        Ok(purged)
    }

    async fn purge_what_is_theirs(&mut self, patient: &Key, purged: &mut Purged) -> Result<()> {
        loop {
            self.check_deadline()?;
            let mut keys = self.erasable(patient, false, TOGETHER + 1).await?;
            keys.retain(|key| key != patient);
            keys.truncate(TOGETHER);
            if keys.is_empty() {
                return Ok(());
            }
            self.purge_together(patient, &keys, purged).await?;
        }
    }

    /// What is the patient's: theirs alone, or another's too.
    async fn erasable(&self, patient: &Key, shared: bool, count: usize) -> Result<Vec<Key>> {
        let which = Erasable::Of {
            parameter: PATIENT,
            to: patient.clone(),
            shared,
        };
        // As it is now, not as it was when the session first looked.
        self.drop_snapshot();
        self.snapshot()
            .await?
            .erasable(&ErasureQuery::new(which, count))
            .await
    }

    async fn purge_together(&mut self, patient: &Key, keys: &[Key], purged: &mut Purged) -> Result<()> {
        let told = self.told_of_purge(keys, &patient.id);
        self.drop_snapshot();
        let done = purge(
            &self.engine,
            (self.context.tenant, self.context.deadline),
            keys,
            told,
        )
        .await?;
        purged.resources += done.resources;
        purged.versions += done.versions;
        Ok(())
    }
}

impl Engine {
    /// Takes away what was deleted in that tenant before that time; how many resources that were.
    ///
    /// # Errors
    /// The store failed. What was taken away by then is gone.
    pub(crate) async fn purge_deleted(&self, tenant: TenantId, before: Millis) -> Result<u64> {
        let mut context = Context::new(Principal::system("retention"), "retention");
        context.tenant = tenant;
        let mut count = 0;
        loop {
            let query = ErasureQuery::new(Erasable::Deleted(before), TOGETHER);
            let keys = self.store.snapshot(tenant).await?.erasable(&query).await?;
            if keys.is_empty() {
                return Ok(count);
            }
            let told = match self.settings.audit.enabled {
                true => keys
                    .iter()
                    .map(|key| Record::of_server(&context).removal(&context, key))
                    .collect(),
                false => Vec::new(),
            };
            count += purge(self, (tenant, None), &keys, told).await?.resources;
        }
    }
}

impl Engine {
    /// What the versions of a resource could be found by.
    async fn earlier(&self, tenant: TenantId, view: &dyn Snapshot, key: &Key) -> Result<Index> {
        let registry = self.registry(tenant, view).await?;
        let around = Surroundings {
            zone: &self.settings.zone,
            bases: &self.settings.bases,
        };
        let mut query = HistoryQuery::new(HistoryScope::Instance(key.clone()), TOGETHER, Filter::All);
        let mut rows = Vec::new();
        loop {
            let versions = view.history(&query).await?;
            for body in versions.iter().filter_map(|version| version.body.as_ref()) {
                // What cannot be read any more was found by nothing.
                let Ok(resource) = json::from_slice(&body.json) else {
                    continue;
                };
                let index = index_under(&registry, &key.id, &resource, &around)?;
                let contained = index.contained().iter().flat_map(|one| one.index.rows());
                rows.extend(index.rows().iter().chain(contained).cloned());
            }
            // Most versions have most rows in common.
            rows = Index::new(rows).rows().to_vec();
            match versions.last() {
                Some(last) if versions.len() == TOGETHER => query.before = Some(last.stamp),
                _ => return Ok(Index::new(rows)),
            }
        }
    }
}

/// Takes those away in one commit that tells of it.
async fn purge(
    engine: &Engine,
    (tenant, deadline): (TenantId, Option<std::time::Instant>),
    keys: &[Key],
    told: Vec<crate::store::AuditEntry>,
) -> Result<Purged> {
    let mut writes = Vec::with_capacity(keys.len() + told.len());
    let view = engine.store.snapshot(tenant).await?;
    for key in keys {
        writes.push(Write::Purge {
            key: key.clone(),
            earlier: engine.earlier(tenant, view.as_ref(), key).await?,
        });
    }
    drop(view);
    writes.extend(told.into_iter().map(Write::Audit));
    let mut commit = Commit::new(Vec::new(), writes);
    commit.deadline = deadline;
    let outcomes = engine
        .store
        .commit(tenant, commit)
        .await
        .map_err(|refusal| match refusal {
            Refusal::Failed(error) => error,
            other => Error::internal(format!("a purge was refused: {other:?}")),
        })?;
    // Whoever indexes for search parameters looks again at those that there are.
    engine.stored_definition.notify_one();
    let mut purged = Purged::default();
    for outcome in outcomes {
        if let Outcome::Purged {
            versions: versions @ 1..,
        } = outcome
        {
            purged.resources += 1;
            purged.versions += versions;
        }
    }
    Ok(purged)
}
