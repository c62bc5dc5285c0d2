//! The audit trail of a session: what each interaction leaves, and when that is written.
//!
//! What an interaction writes is told in its own commit; an interaction that wrote nothing, or failed, is told by a row of its own,
//! committed before the answer leaves. An entry of a Bundle is an interaction too.
//!
//! Invariant: an interaction is told once, whether it succeeds, is refused or fails.

use std::sync::PoisonError;

use super::Session;
use super::write::Staged;
use crate::audit::Record;
use crate::context::{Millis, PrincipalKind};
use crate::error::{Error, ErrorCode, Result};
use crate::interaction::{Interaction, Request, Response};
use crate::search::compartment::membership;
use crate::search::registry::Registry;
use crate::store::{
    AuditAction, AuditEntry, AuditQuery, AuditRow, AuditTest, Commit, Index, IndexValue, Key,
    ParameterNumber, ResourceType, Version, Write,
};

/// Resources of one interaction whose patients are looked up, at most.
const MOST_SEEN: usize = 5000;

/// An interaction that runs.
pub(crate) struct Unit {
    interaction: Interaction,
    action: AuditAction,
    resource_type: Option<ResourceType>,
    key: Option<Key>,
    record: Record,
    /// It is in a commit already.
    told: bool,
    /// What it has read.
    seen: Vec<Key>,
}

/// What is to be told.
#[derive(Default)]
pub(super) struct Trail {
    unit: Option<Unit>,
    pending: Vec<AuditEntry>,
}

impl Session {
    /// Whether interactions are told.
    pub(crate) fn is_audited(&self) -> bool {
        self.engine.settings.audit.enabled
    }

    /// An interaction begins, inside the one that this gives back, if any.
    pub(crate) fn begin(&self, request: &Request, entry: bool) -> Option<Unit> {
        if !self.is_audited() || request.interaction == Interaction::Capabilities {
            return None;
        }
        let mut record = Record::of(&self.context, request);
        record.entry = entry;
        record.patients = request.patients();
        let unit = Unit {
            interaction: request.interaction,
            action: action_of(request),
            resource_type: request.resource_type,
            key: request.key().ok(),
            record,
            told: false,
            seen: Vec::new(),
        };
        self.trail().unit.replace(unit)
    }

    /// The interaction has ended so; the one around it goes on.
    pub(crate) async fn end(&self, around: Option<Unit>, answer: &Result<Response>) {
        let Some(mut unit) = std::mem::replace(&mut self.trail().unit, around) else {
            return;
        };
        if unit.told {
            return;
        }
        // It wrote nothing. What the server reads for itself is nobody's access.
        let is_own = self.context.principal.kind == PrincipalKind::System;
        if answer.is_ok() && (is_own || !self.tells_reads()) {
            return;
        }
        match answer {
            Ok(response) => {
                unit.record.status = response.status;
                unit.record.version = response.version;
                // Where it cannot be told whom it was about, the row is written all the same: the next commit fails then too.
                let about = self.patients_of(&unit.seen).await.unwrap_or_default();
                add(&mut unit.record.patients, about);
            }
            Err(error) => unit.record.status = error.code.facts().status,
        }
        let row = self.row(&unit);
        self.trail().pending.push(row);
    }

    /// The request failed outside its interaction: refused before it began, given up at its deadline, or by a panic. What entries
    /// of it had ended before is told too; what it wrote has told itself, with the commit.
    ///
    /// # Errors
    /// The store failed: the answer must not leave.
    pub(crate) async fn failed(&mut self, request: &Request, answer: &Result<Response>) -> Result<()> {
        self.discard();
        let is_told = self
            .trail()
            .unit
            .take()
            .is_some_and(|unit| unit.told && !unit.record.entry);
        if !is_told {
            let around = self.begin(request, false);
            self.end(around, answer).await;
        }
        self.write_trail().await
    }

    /// Writes what is to be told and is not in a commit yet.
    ///
    /// # Errors
    /// The store failed: the answer must not leave.
    pub(crate) async fn write_trail(&self) -> Result<()> {
        let pending = std::mem::take(&mut self.trail().pending);
        if pending.is_empty() {
            return Ok(());
        }
        // A view that stays open while the commit waits keeps a reader from others, and the log from being carried over.
        self.drop_snapshot();
        let writes = pending.into_iter().map(Write::Audit).collect();
        let commit = Commit::new(Vec::new(), writes);
        match self.engine.store.commit(self.context.tenant, commit).await {
            Ok(_) => Ok(()),
            Err(refusal) => {
                let text = "The audit trail could not be written, and nothing is answered without it. Try again later.";
                let cause = format!("{refusal:?}");
                Err(Error::new(ErrorCode::Unavailable, text).with_cause(cause))
            }
        }
    }

    /// Rows of the trail.
    ///
    /// # Errors
    /// The store failed.
    pub(crate) async fn audit_rows(&self, query: &AuditQuery) -> Result<Vec<AuditRow>> {
        self.snapshot().await?.audit(&self.own_trail(query)).await
    }

    /// How many rows of the trail there are, at most the query's count.
    ///
    /// # Errors
    /// The store failed.
    pub(crate) async fn audit_total(&self, query: &AuditQuery) -> Result<u64> {
        self.snapshot().await?.audit_total(&self.own_trail(query)).await
    }

    /// The query, without what was before the trail that the caller is shown.
    fn own_trail(&self, query: &AuditQuery) -> AuditQuery {
        let mut query = query.clone();
        let from = self.context.trail_from;
        query
            .tests
            .extend(from.map(|from| AuditTest::Written(from, Millis(i64::MAX))));
        query
    }

    /// The interaction that runs has turned out to be another.
    pub(crate) fn turned_out(&self, interaction: Interaction) {
        if let Some(unit) = &mut self.trail().unit {
            unit.interaction = interaction;
        }
    }

    /// The interaction that runs has read that.
    pub(super) fn has_seen<'v>(&self, versions: impl IntoIterator<Item = &'v Version>) {
        if !self.is_audited() {
            return;
        }
        if let Some(unit) = &mut self.trail().unit {
            let room = MOST_SEEN.saturating_sub(unit.seen.len());
            unit.seen
                .extend(versions.into_iter().take(room).map(|version| version.key.clone()));
        }
    }

    /// The rows for a commit of what is staged.
    pub(super) async fn told(&self, staged: &[Staged]) -> Result<Vec<Write>> {
        if !self.is_audited() || self.trail().unit.is_none() {
            return Ok(Vec::new());
        }
        let written: Vec<&Write> = staged.iter().filter_map(Staged::resource_write).collect();
        if written.is_empty() {
            return Ok(Vec::new());
        }
        // What is changed or removed may have been about others than what is written.
        let before: Vec<Key> = written
            .iter()
            .filter_map(|write| changed(write))
            .cloned()
            .collect();
        let of_before = self.patients_of(&before).await?;
        let trail = self.trail();
        let Some(unit) = &trail.unit else {
            return Ok(Vec::new());
        };
        let mut record = unit.record.clone();
        record.status = 200;
        add(&mut record.patients, of_before);
        let (mut rows, mut alone) = (Vec::new(), unit.key.clone());
        let bundles = matches!(unit.interaction, Interaction::Transaction | Interaction::Batch);
        let is_beside = |write: &&&Write| facts(write).is_some_and(|(key, ..)| self.is_carried(key));
        let own = written.len() - written.iter().filter(is_beside).count();
        for write in &written {
            let Some((key, action, interaction, patients)) = facts(write) else {
                continue;
            };
            add(&mut record.patients, patients.clone());
            let version = matches!(write, Write::Create { .. }).then_some(1);
            if !bundles && own == 1 && !self.is_carried(key) {
                (alone, record.version) = (Some(key.clone()), version);
                continue;
            }
            let mut entry = record.clone();
            (entry.entry, entry.query, entry.patients) = (true, None, patients);
            entry.version = version;
            rows.push(entry.entry(&self.context, (interaction, action), (None, Some(key))));
        }
        let about = (unit.resource_type, alone.as_ref());
        rows.push(record.entry(&self.context, (unit.interaction, unit.action), about));
        Ok(rows.into_iter().map(Write::Audit).collect())
    }

    /// The rows for a commit that takes those away for good; of the interaction as a whole there is another at its end.
    pub(super) fn told_of_purge(&self, keys: &[Key], patient: &str) -> Vec<AuditEntry> {
        let trail = self.trail();
        let Some(unit) = &trail.unit else {
            return Vec::new();
        };
        let mut record = unit.record.clone();
        (record.query, record.patients) = (None, vec![patient.to_owned()]);
        keys.iter()
            .map(|key| record.removal(&self.context, key))
            .collect()
    }

    /// The commit with the rows went through.
    pub(super) fn was_told(&self) {
        if let Some(unit) = &mut self.trail().unit {
            unit.told = true;
        }
    }

    fn tells_reads(&self) -> bool {
        self.engine.settings.audit.reads
    }

    fn row(&self, unit: &Unit) -> AuditEntry {
        let about = (unit.resource_type, unit.key.as_ref());
        unit.record
            .entry(&self.context, (unit.interaction, unit.action), about)
    }

    fn trail(&self) -> std::sync::MutexGuard<'_, Trail> {
        self.trail.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The patients in whose compartment those resources are.
    async fn patients_of(&self, keys: &[Key]) -> Result<Vec<String>> {
        let Some(patient) = ResourceType::from_name("Patient") else {
            return Ok(Vec::new());
        };
        let is_patient = |key: &&Key| key.resource_type == patient;
        let mut ids: Vec<String> = keys.iter().filter(is_patient).map(|key| key.id.clone()).collect();
        let mut types: Vec<ResourceType> = keys.iter().map(|key| key.resource_type).collect();
        types.sort();
        types.dedup();
        let parameters: Vec<ParameterNumber> = types.into_iter().flat_map(membership_numbers).collect();
        if !parameters.is_empty() {
            ids.extend(
                self.snapshot()
                    .await?
                    .referred(keys, &parameters, patient)
                    .await?,
            );
        }
        ids.sort();
        ids.dedup();
        Ok(ids)
    }
}

/// The parameters by which a resource of that type is in a patient's compartment.
fn membership_numbers(resource_type: ResourceType) -> Vec<ParameterNumber> {
    let patient = ResourceType::from_name("Patient");
    let membership = patient.and_then(|patient| membership(Registry::r4(), patient, resource_type));
    membership.map_or_else(Vec::new, |found| {
        found.parameters.iter().map(|p| p.number).collect()
    })
}

fn add(all: &mut Vec<String>, more: Vec<String>) {
    all.extend(more);
    all.sort();
    all.dedup();
}

fn action_of(request: &Request) -> AuditAction {
    match request.interaction {
        Interaction::Create => AuditAction::Create,
        Interaction::Update | Interaction::Patch => AuditAction::Update,
        Interaction::Delete => AuditAction::Delete,
        Interaction::Read | Interaction::Vread => AuditAction::Read,
        // As the profiles of IHE BALP have it, a query is executed.
        _ => AuditAction::Execute,
    }
}

/// What a write changes or removes.
fn changed(write: &Write) -> Option<&Key> {
    match write {
        Write::Update { key, .. } | Write::Delete { key } => Some(key),
        _ => None,
    }
}

/// What is written, how, and whom it is about by its own words.
fn facts(write: &Write) -> Option<(&Key, AuditAction, Interaction, Vec<String>)> {
    match write {
        Write::Create { key, index, .. } => Some((
            key,
            AuditAction::Create,
            Interaction::Create,
            patients_in(key, index),
        )),
        Write::Update { key, index, .. } => Some((
            key,
            AuditAction::Update,
            Interaction::Update,
            patients_in(key, index),
        )),
        Write::Delete { key } => {
            let own = (key.resource_type.name() == "Patient").then(|| key.id.clone());
            Some((
                key,
                AuditAction::Delete,
                Interaction::Delete,
                own.into_iter().collect(),
            ))
        }
        _ => None,
    }
}

fn patients_in(key: &Key, index: &Index) -> Vec<String> {
    let numbers = membership_numbers(key.resource_type);
    let own = (key.resource_type.name() == "Patient").then(|| key.id.clone());
    let rows = index.rows().iter().filter(|row| numbers.contains(&row.parameter));
    let referred = rows.filter_map(|row| match &row.value {
        IndexValue::Reference {
            resource_type, id, ..
        } if resource_type.name() == "Patient" => Some(id.clone()),
        _ => None,
    });
    let mut ids: Vec<String> = own.into_iter().chain(referred).collect();
    ids.sort();
    ids.dedup();
    ids
}
