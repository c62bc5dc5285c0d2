//! Writing: what is staged on a [`Session`], and the one commit.
//!
//! Each write passes, in this order: policy; validation; stamping (the id goes into the stored form; version and time
//! are the store's to give); index extraction, a pure function of the typed value; and, with all that is staged, one
//! atomic commit. Typed hooks go between policy and validation, in `Session::accept`.
//!
//! Size: every way of staging and the one commit, to be read side by side.
//!
//! Invariant: what a write depends on is an `Expect` of its commit, checked in the same database transaction.

use std::collections::BTreeSet;

mod refused;

use self::refused::refused;
use super::conditions::{self, Conditions, Reason};
use super::known::{KnownHere, check_writable};
use super::session::Permitted;
use super::stored_form::{Edit, stored_body};
use super::{Part, Session, subscription, veil};
use crate::context::Millis;
use crate::error::{Error, ErrorCode, Issue, Result};
use crate::interaction::Interaction;
use crate::policy::{Access, Mask, consent};
use crate::search::registry::search_parameter;
use crate::store::{
    Change, Claim, Commit, Expect, Filter, Key, Outcome, Refusal, StoredBody, Version, Write,
};

/// How often a commit is tried where search parameters change meanwhile.
const ATTEMPTS: usize = 32;

/// One staged write: what it is, what it expects, and what the caller is told where that does not hold.
pub(super) struct Staged {
    /// The resource; `None` for a claim.
    pub(super) key: Option<Key>,
    /// What will be stored; `None` for a deletion.
    pub(super) body: Option<StoredBody>,
    /// `None` where there is nothing to do: a deletion of what does not exist for the caller.
    pub(super) write: Option<Write>,
    pub(super) expects: Vec<(Expect, Reason)>,
    /// The epochs of the search parameters that it was prepared with.
    pub(super) epochs: Vec<i64>,
    /// The entry of the Bundle that asks for it.
    pub(super) entry: Option<usize>,
    /// What the caller may be told of it.
    pub(super) issues: Vec<Issue>,
}

/// Stands for a staged write until the commit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ticket(usize);

impl Ticket {
    /// Its place among what is staged.
    pub(super) fn place(self) -> usize {
        self.0
    }
}

impl Staged {
    /// What it does to a resource.
    pub(super) fn resource_write(&self) -> Option<&Write> {
        self.write.as_ref().filter(|_| self.key.is_some())
    }

    /// A condition of the commit that belongs to no write.
    pub(super) fn condition(expect: (Expect, Reason), entry: Option<usize>) -> Staged {
        Staged {
            key: None,
            body: None,
            write: None,
            expects: vec![expect],
            epochs: Vec::new(),
            entry,
            issues: Vec::new(),
        }
    }
}

/// What is to be written: a resource of a body, and the changes to its text.
#[derive(Clone)]
pub(crate) struct Draft<'d> {
    /// The resource.
    pub(crate) part: Part<'d>,
    /// References that change, in the order of the text.
    pub(crate) edits: &'d [Edit],
    /// Whether the caller reads what may be said of it beside the outcome.
    pub(crate) explains: bool,
}

/// What a committed write did.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    /// What was written; `None` for a claim.
    pub(crate) key: Option<Key>,
    /// What it did.
    pub(crate) outcome: Outcome,
    /// What is stored now; `None` for a deletion.
    pub(crate) body: Option<StoredBody>,
    /// What the caller may be told of it: warnings of its validation.
    pub(crate) issues: Vec<Issue>,
}

impl Written {
    /// The version and its time, where there is one.
    pub(crate) fn version(&self) -> Option<(i64, Millis)> {
        match self.outcome {
            Outcome::Created {
                version,
                last_updated,
            }
            | Outcome::Updated {
                version,
                last_updated,
            }
            | Outcome::Unchanged {
                version,
                last_updated,
            }
            | Outcome::Deleted {
                version,
                last_updated,
            } => Some((version, last_updated)),
            Outcome::Absent
            | Outcome::Purged { .. }
            | Outcome::Claimed
            | Outcome::Indexed
            | Outcome::Recorded
            | Outcome::Noted
            | Outcome::Emptied { .. } => None,
        }
    }
}

/// The outcomes of a commit, by ticket.
pub(crate) struct Committed(Vec<Option<Written>>);

impl Committed {
    /// What the write with that ticket did.
    pub(crate) fn take(&mut self, ticket: Ticket) -> Result<Written> {
        let written = self.0.get_mut(ticket.0).and_then(Option::take);
        written.ok_or_else(|| Error::internal("a write without an outcome"))
    }
}

impl Session {
    /// Stages a new resource under an id that the server made.
    pub(crate) async fn stage_create(
        &mut self,
        key: Key,
        draft: &Draft<'_>,
        entry: Option<usize>,
    ) -> Result<Ticket> {
        self.prepare().await?;
        let off = subscription::switched_off(draft, self.settings())?;
        let off = off.as_ref().map(|off| draft.about(off)).transpose()?;
        let draft = off.as_ref().unwrap_or(draft);
        let create = Access::new(Interaction::Create, Some(key.resource_type));
        self.permit_access(&create)?;
        let (body, issues) = self.accept(draft, &key).await?;
        let (index, epoch) = self.index_of(draft.part.resource, &key.id, &draft.part.path)?;
        let expects = self.check_own(&create, &key, &index).await?;
        let write = Write::Create {
            key: key.clone(),
            body: body.clone(),
            index,
        };
        Ok(self.stage(Staged {
            key: Some(key),
            body: Some(body),
            write: Some(write),
            expects,
            epochs: vec![epoch],
            entry,
            issues,
        }))
    }

    /// Stages a new version of a resource, or its first where an update may create.
    ///
    /// Under a policy that hides anything, an update creates only where that is configured: whether an id is free shows.
    pub(crate) async fn stage_update(
        &mut self,
        key: Key,
        draft: &Draft<'_>,
        conditions: &Conditions,
        entry: Option<usize>,
    ) -> Result<Ticket> {
        self.prepare().await?;
        let off = subscription::switched_off(draft, self.settings())?;
        let off = off.as_ref().map(|off| draft.about(off)).transpose()?;
        let draft = off.as_ref().unwrap_or(draft);
        let update = Access::new(Interaction::Update, Some(key.resource_type));
        let permitted = self.decide(&update)?;
        check_writable(&key)?;
        let filter = permitted.filter.clone();
        let open = filter == Filter::All;
        let current = self.current(&key, &permitted, conditions).await?;
        let hidden = !open && current.is_none();
        let create = self.settings().update_as_create && (open || self.settings().client_ids);
        if hidden && (!create || self.is_live(&key).await?) {
            return Err(conditions::not_found(&key));
        }
        let mut expects = whole(&key, current.as_ref(), &permitted.masks)?;
        expects.extend(match hidden {
            true => vec![(Expect::Absent(key.clone()), Reason::Changed)],
            false => visible(&key, filter),
        });
        expects.extend(conditions.expects(&key, current.as_ref())?);
        let (body, issues) = self.accept(draft, &key).await?;
        let (index, epoch) = self.index_of(draft.part.resource, &key.id, &draft.part.path)?;
        expects.extend(self.check_own(&update, &key, &index).await?);
        let write = Write::Update {
            body: self.rejoin(&key, &body).await?,
            key: key.clone(),
            index,
            create,
        };
        Ok(self.stage(Staged {
            key: Some(key),
            body: Some(body),
            write: Some(write),
            expects,
            epochs: vec![epoch],
            entry,
            issues,
        }))
    }

    /// Stages what a patch or an operation made of the version with that number. Another write meanwhile fails the
    /// commit with [`ErrorCode::Conflict`].
    pub(crate) async fn stage_change(
        &mut self,
        key: Key,
        draft: &Draft<'_>,
        version: i64,
        entry: Option<usize>,
        by: &Access<'_>,
    ) -> Result<Ticket> {
        self.prepare().await?;
        let off = subscription::switched_off(draft, self.settings())?;
        let off = off.as_ref().map(|off| draft.about(off)).transpose()?;
        let draft = off.as_ref().unwrap_or(draft);
        let mut expects = visible(&key, self.filter_to_change(&key, by)?);
        expects.push((Expect::Version(key.clone(), version), Reason::Changed));
        let (body, issues) = self.accept(draft, &key).await?;
        let (index, epoch) = self.index_of(draft.part.resource, &key.id, &draft.part.path)?;
        expects.extend(self.check_own(by, &key, &index).await?);
        let write = Write::Update {
            body: self.rejoin(&key, &body).await?,
            key: key.clone(),
            index,
            create: false,
        };
        Ok(self.stage(Staged {
            key: Some(key),
            body: Some(body),
            write: Some(write),
            expects,
            epochs: vec![epoch],
            entry,
            issues,
        }))
    }

    /// The current version of what is to be changed, a deletion included, as the database has it.
    ///
    /// # Errors
    /// The policy denies the change or reading it, or the store failed.
    pub(crate) async fn read_to_change(&self, key: &Key, by: &Access<'_>) -> Result<Option<Version>> {
        self.prepare().await?;
        let filter = self.filter_to_change(key, by)?;
        let masks = self.decide(by)?.masks.clone();
        let mut current = self.snapshot().await?.read(key, &filter).await?;
        whole(key, current.as_ref(), &masks)?;
        self.hush(current.as_mut()).await?;
        Ok(current)
    }

    /// A patch tells by its tests, and by its answer, what is stored: who changes a part must be allowed to read it too.
    fn filter_to_change(&self, key: &Key, by: &Access<'_>) -> Result<Filter> {
        let change = self.permit_access(by)?;
        Ok(change.and(self.permit(Interaction::Read, Some(key.resource_type))?))
    }

    /// Stages a deletion. What does not exist for the caller needs none.
    pub(crate) async fn stage_delete(
        &mut self,
        key: Key,
        conditions: &Conditions,
        entry: Option<usize>,
    ) -> Result<Ticket> {
        self.prepare().await?;
        let permitted = self.permitted(Interaction::Delete, Some(key.resource_type))?;
        let filter = permitted.filter.clone();
        let current = self.current(&key, &permitted, conditions).await?;
        let hidden = filter != Filter::All && current.is_none();
        if hidden && conditions.if_match.is_some() {
            return Err(conditions.unmet_for_nothing(&key));
        }
        let mut expects = if hidden { Vec::new() } else { visible(&key, filter) };
        expects.extend(if hidden {
            Vec::new()
        } else {
            conditions.expects(&key, current.as_ref())?
        });
        let write = (!hidden).then(|| Write::Delete { key: key.clone() });
        Ok(self.stage(Staged {
            key: Some(key),
            body: None,
            write,
            expects,
            epochs: Vec::new(),
            entry,
            issues: Vec::new(),
        }))
    }

    /// Stages a claim: the next commit makes it together with what else is staged, or fails with
    /// [`ErrorCode::Conflict`] where somebody has it.
    pub fn stage_claim(&mut self, claim: Claim) {
        let expects = vec![(Expect::Unclaimed(claim.kind, claim.key), Reason::Unclaimed)];
        let write = Some(Write::Claim(claim));
        self.stage(Staged {
            key: None,
            body: None,
            write,
            expects,
            epochs: Vec::new(),
            entry: None,
            issues: Vec::new(),
        });
    }

    /// Whether a commit that loses a race may be staged anew: not where a claim is part of it, which is gone with it.
    pub(crate) fn may_stage_again(&self) -> bool {
        self.staged.iter().all(|one| one.key.is_some())
    }

    /// Forgets what is staged.
    pub(crate) fn discard(&mut self) {
        self.staged.clear();
    }

    /// Writes all that is staged, or nothing. What was prepared with search parameters that have changed since is prepared again.
    ///
    /// # Errors
    /// An expectation does not hold, or the store failed. Nothing is staged afterwards.
    pub(crate) async fn commit(&mut self) -> Result<Committed> {
        let beside = self.stage_provenance().await;
        let mut staged = std::mem::take(&mut self.staged);
        beside?;
        let told = self.told(&staged).await?;
        let facts = self.facts();
        self.drop_snapshot();
        self.here = KnownHere::default();
        for _ in 0..ATTEMPTS {
            self.check_deadline()?;
            let (mut commit, epochs) = self.commit_of(&staged);
            let unchanged = facts.iter().flat_map(|facts| facts.unchanged());
            let unchanged = unchanged.map(|(of, stamp)| Expect::Newest(*of, *stamp));
            commit.expects.extend(unchanged);
            self.renewing(&mut commit);
            if commit.writes.is_empty() {
                return Ok(committed(staged, Vec::new()));
            }
            commit.writes.extend(told.iter().cloned());
            let claimed = self.claim_reply(&staged, &mut commit);
            match self.engine.store.commit(self.context.tenant, commit).await {
                Ok(outcomes) => {
                    let outcomes = self.renewed(outcomes);
                    self.told_of(&staged);
                    self.remembered = None;
                    self.provenance = None;
                    if !told.is_empty() {
                        self.was_told();
                    }
                    return Ok(committed(staged, outcomes));
                }
                Err(Refusal::Expectation { index, .. }) if index < epochs => {
                    self.prepare_again(&mut staged).await?;
                    self.drop_snapshot();
                }
                Err(Refusal::Expectation { index, .. }) if Some(index) == claimed => {
                    return Err(self.lost_reply());
                }
                Err(Refusal::Expectation { index, current }) => {
                    let index = index - epochs;
                    return Err(refused(&staged, Refusal::Expectation { index, current }));
                }
                Err(refusal) => return Err(refused(&staged, refusal)),
            }
        }
        Err(Error::new(
            ErrorCode::Unavailable,
            "Search parameters change again and again; nothing was changed. Try again later.",
        ))
    }

    /// The commit of what is staged, and how many of its first expectations are of epochs.
    fn commit_of(&self, staged: &[Staged]) -> (Commit, usize) {
        let epochs: BTreeSet<i64> = staged.iter().flat_map(|one| one.epochs.iter().copied()).collect();
        let of_epochs = search_parameter().into_iter().flat_map(|of| {
            let expect = move |epoch: &i64| Expect::Epoch(of, *epoch);
            epochs.iter().map(expect).collect::<Vec<_>>()
        });
        let mut expects: Vec<Expect> = of_epochs.collect();
        let count = expects.len();
        let mut writes = Vec::new();
        for one in staged {
            expects.extend(one.expects.iter().map(|(expect, _)| expect.clone()));
            writes.extend(one.write.clone());
        }
        let commit = Commit {
            expects,
            writes,
            deadline: self.context.deadline,
        };
        (commit, count)
    }

    /// Search parameters may have been written: whoever indexes for them is told.
    fn told_of(&self, staged: &[Staged]) {
        let of = search_parameter();
        if staged
            .iter()
            .any(|one| one.key.as_ref().map(|key| key.resource_type) == of && of.is_some())
        {
            self.engine.stored_definition.notify_one();
        }
    }

    fn stage(&mut self, staged: Staged) -> Ticket {
        self.staged.push(staged);
        Ticket(self.staged.len() - 1)
    }

    /// Validation and stored form, and what the caller may be told.
    async fn accept(&self, draft: &Draft<'_>, key: &Key) -> Result<(StoredBody, Vec<Issue>)> {
        let told = self.engine.hooks.ask(&self.context, draft.part.resource)?;
        let mut issues = self.validate_draft(draft).await?;
        issues.extend(told);
        if !draft.explains {
            issues.clear();
        }
        // That a Consent is enforced more strictly than it says, and that no Subscription is served, is told to all.
        issues.extend(subscription::review(draft.part.resource));
        issues.extend(consent::review(key, draft.part.resource, &self.settings().zone));
        Ok((stored_body(&draft.part, &key.id, draft.edits)?, issues))
    }

    /// Whether there is such a resource, whoever may see it.
    async fn is_live(&self, key: &Key) -> Result<bool> {
        let stored = self.snapshot().await?.read(key, &Filter::All).await?;
        Ok(stored.is_some_and(|version| version.change != Change::Delete))
    }

    /// The live version that the caller may see, where it has to be known before the commit.
    async fn current(
        &self,
        key: &Key,
        permitted: &Permitted,
        conditions: &Conditions,
    ) -> Result<Option<Version>> {
        let open = permitted.filter == Filter::All && permitted.masks.is_empty();
        if open && !conditions.need_current() {
            return Ok(None);
        }
        let current = self.snapshot().await?.read(key, &permitted.filter).await?;
        Ok(current.filter(|v| v.change != Change::Delete))
    }
}

/// Refuses to replace what the caller sees only in part; otherwise the expectations that they still see it whole.
fn whole(key: &Key, current: Option<&Version>, masks: &[Mask]) -> Result<Vec<(Expect, Reason)>> {
    let masks = masks
        .iter()
        .filter(|mask| mask.resource_type() == key.resource_type);
    let Some(current) = current else {
        return Ok(Vec::new());
    };
    let mut expects = Vec::new();
    for mask in masks {
        if veil::masked(current.clone(), std::slice::from_ref(mask))?.masked {
            return Err(conditions::unmet(Some(key), &Reason::Whole, None));
        }
        let still = Expect::Visible(key.clone(), mask.rows().not());
        expects.push((still, Reason::Changed));
    }
    Ok(expects)
}

/// The outcomes, by ticket.
fn committed(staged: Vec<Staged>, outcomes: Vec<Outcome>) -> Committed {
    let mut outcomes = outcomes.into_iter();
    let done = staged.into_iter().map(|one| {
        let outcome = if one.write.is_some() {
            outcomes.next()?
        } else {
            Outcome::Absent
        };
        Some(Written {
            key: one.key,
            outcome,
            body: one.body,
            issues: one.issues,
        })
    });
    Committed(done.collect())
}

/// The expectation that the caller still sees what they saw; none where everyone sees all.
fn visible(key: &Key, filter: Filter) -> Vec<(Expect, Reason)> {
    match filter {
        Filter::All => Vec::new(),
        filter => vec![(Expect::Visible(key.clone(), filter), Reason::Changed)],
    }
}
