//! transaction: several requests at once, all or none (<https://hl7.org/fhir/R4/http.html#trules>).
//!
//! Entries are done in the order DELETE, POST, PUT, PATCH, GET, whatever their order in the Bundle. Ids of new resources are
//! given first, so that every reference to a `fullUrl` of the Bundle can be resolved before anything is stored. Reads
//! are checked before the commit, against what is staged, and answered after it; searches see what was committed.
//!
//! Invariant: there is one commit; whatever fails before it, nothing was written.

mod planned;
mod problems;

use std::collections::{BTreeMap, HashMap};

use fhir_model::{Bundle, Resource};

use self::planned::{
    Condition, Follows, Planned, Promise, conditional_references, planned, stage_one, unchanged,
};
use self::problems::Problems;
use super::bundle::BundleWriter;
use super::conditional;
use super::entry::{self, Entry};
use super::{Format, Interaction, Payload, Request, RequestBody, Response, dispatch, operation, present};
use crate::engine::{
    Assigned, BundleLinks, Committed, Edit, Matches, Received, Session, in_entry, not_found,
};
use crate::error::{Error, ErrorCode, Result};
use crate::store::{Change, Key};

/// 200 with a Bundle of one answer an entry, in the order of the entries.
pub(super) async fn run(
    session: &mut Session,
    request: &Request,
    mut received: Received,
) -> Result<Response> {
    session.permit(Interaction::Transaction, None)?;
    let mut plan = Plan::read(session, request, &received).await?;
    plan.find_conditional_references(session, &received).await?;
    let edits = plan.resolve_links(&mut received)?;
    plan.carry_bodies(&received, &edits)?;
    let tickets = plan.stage(session, &received, &edits).await?;
    plan.check_reads(session).await?;
    let committed = session.commit().await?;
    plan.answer(session, tickets, committed).await
}

/// What the Bundle asks.
struct Plan {
    /// In the order of the Bundle.
    entries: Vec<Planned>,
    links: BundleLinks,
    /// What the commit depends on beside the writes.
    found: Vec<Matches>,
}

impl Plan {
    async fn read(session: &Session, request: &Request, received: &Received) -> Result<Plan> {
        let bundle = bundle(&received.resource)?;
        entry::check_limits(bundle, session)?;
        let mut plan = Plan {
            entries: Vec::with_capacity(bundle.entry.len()),
            links: BundleLinks::default(),
            found: Vec::new(),
        };
        let mut problems = Problems::default();
        let mut targets = HashMap::new();
        for (index, asked) in bundle.entry.iter().enumerate() {
            let full_url = asked.full_url.as_str();
            let planned = match Entry::read(index, asked, request) {
                Ok(entry) => planned(session, entry, full_url, asked.resource.as_ref())
                    .await
                    .and_then(|planned| plan.add(planned, &mut targets))
                    .map_err(|error| in_entry(error, index)),
                Err(error) => Err(error),
            };
            problems.note(planned)?;
        }
        problems.result().map(|()| plan)
    }

    /// Adds an entry; refuses what is there a second time.
    fn add(&mut self, planned: Planned, targets: &mut HashMap<Key, usize>) -> Result<()> {
        let writes = planned
            .writes
            .as_ref()
            .filter(|_| planned.follows() != Follows::Nothing);
        if let Some(key) = writes
            && let Some(other) = targets.insert(key.clone(), planned.entry.index)
        {
            let text =
                format!("{key} is written by entry {other} too: a transaction may write a resource once.");
            return Err(Error::new(ErrorCode::Invalid, text));
        }
        self.check_condition(&planned)?;
        if planned.has_resource() {
            self.link(&planned)?;
        }
        self.entries.push(planned);
        Ok(())
    }

    /// Two entries that would both create what the same search does not find.
    fn check_condition(&self, planned: &Planned) -> Result<()> {
        let creates = |p: &Planned| matches!(p.condition, Some(Condition { ref matches, .. }) if matches.keys.is_empty());
        let Some(condition) = planned
            .condition
            .as_ref()
            .filter(|_| creates(planned) && planned.has_resource())
        else {
            return Ok(());
        };
        let same = |other: &&Planned| {
            let found = other.condition.as_ref();
            other.has_resource()
                && creates(other)
                && found.is_some_and(|c| c.matches.same_search(&condition.matches))
        };
        match self.entries.iter().find(same) {
            None => Ok(()),
            Some(other) => {
                let text = format!(
                    "Entry {} has the same condition: both would create what it names.",
                    other.entry.index
                );
                Err(Error::new(ErrorCode::Invalid, text))
            }
        }
    }

    /// Finds what the conditional references in the resources stand for, each text once.
    async fn find_conditional_references(&mut self, session: &Session, received: &Received) -> Result<()> {
        let mut texts = BTreeMap::new();
        // A Bundle that is stored as a resource is a world of its own.
        let of_bundle = |p: &&Planned| {
            p.entry
                .request
                .resource_type
                .is_some_and(|t| t.name() == "Bundle")
        };
        for planned in self.entries.iter().filter(|p| p.has_resource() && !of_bundle(p)) {
            let index = planned.entry.index;
            for text in conditional_references(received, index)? {
                texts.entry(text).or_insert(index);
            }
        }
        let limit = session.settings().bundle_conditional_references;
        if texts.len() > limit {
            let text = format!(
                "The Bundle has {} conditional references; at most {limit} are looked for at once.",
                texts.len()
            );
            return Err(Error::new(ErrorCode::TooLarge, text).at("Bundle.entry"));
        }
        for (text, index) in texts {
            let found = conditional::reference(session, &text).await;
            if let Some((key, matches)) = found.map_err(|error| in_entry(error, index))? {
                let reference = key.to_string();
                self.links.insert(
                    &text,
                    Assigned {
                        reference,
                        created: false,
                    },
                );
                self.found.push(matches);
            }
        }
        Ok(())
    }

    /// Notes what the `fullUrl` of an entry stands for. That of a resource on this server stands for itself.
    fn link(&mut self, planned: &Planned) -> Result<()> {
        let (Some(url), Some(key)) = (&planned.full_url, &planned.writes) else {
            return Ok(());
        };
        let index = planned.entry.index;
        let created = match planned.follows() {
            Follows::Write => planned.entry.request.interaction == Interaction::Create,
            Follows::Create | Follows::CreateNamed => true,
            Follows::Nothing => false,
        };
        if *url == format!("{}/{key}", planned.entry.request.base) {
            return Ok(());
        }
        match self.links.insert(
            url,
            Assigned {
                reference: key.to_string(),
                created,
            },
        ) {
            true => Ok(()),
            false => {
                let text = format!("The fullUrl {url:?} stands at another entry too: each needs its own.");
                Err(Error::new(ErrorCode::Invalid, text).at(format!("Bundle.entry[{index}].fullUrl")))
            }
        }
    }

    /// Resolves the links in every resource; the edits are by entry.
    fn resolve_links(&self, received: &mut Received) -> Result<Vec<Vec<Edit>>> {
        let mut problems = Problems::default();
        let mut edits = vec![Vec::new(); self.entries.len()];
        for (planned, place) in self
            .entries
            .iter()
            .zip(&mut edits)
            .filter(|(p, _)| p.has_resource())
        {
            let index = planned.entry.index;
            let done = received.edit_entry(index, |text, links, resource, path| {
                self.links
                    .apply(text, links, resource, planned.full_url.as_deref(), path)
            });
            *place = problems.note(done)?.unwrap_or_default();
        }
        problems.result().map(|()| edits)
    }

    /// Gives the calls of operations their bodies, links resolved.
    fn carry_bodies(&mut self, received: &Received, edits: &[Vec<Edit>]) -> Result<()> {
        let bundle = bundle(&received.resource)?;
        for planned in self.entries.iter_mut().filter(|p| p.calls) {
            let index = planned.entry.index;
            let edits = edits.get(index).map(Vec::as_slice).unwrap_or_default();
            if let Some(resource) = bundle.entry.get(index).and_then(|e| e.resource.as_ref()) {
                let text = received.entry(index, resource)?.edited(edits)?;
                planned.entry.request.body = Some(RequestBody::Fhir(Format::Json, text.into()));
            }
        }
        Ok(())
    }

    /// Stages every write, in the order of the methods; the tickets are by entry.
    async fn stage(
        &self,
        session: &mut Session,
        received: &Received,
        edits: &[Vec<Edit>],
    ) -> Result<Vec<Option<Promise>>> {
        let bundle = bundle(&received.resource)?;
        let mut problems = Problems::default();
        let mut tickets: Vec<Option<Promise>> = vec![None; self.entries.len()];
        let mut order: Vec<&Planned> = self.entries.iter().collect();
        order.sort_by_key(|p| (p.entry.method, p.entry.index));
        for planned in order {
            let index = planned.entry.index;
            let edits = edits.get(index).map(Vec::as_slice).unwrap_or_default();
            let resource = bundle.entry.get(index).and_then(|e| e.resource.as_ref());
            let staged = stage_one(session, planned, received, resource, edits).await;
            let ticket = problems.note(staged.map_err(|error| in_entry(error, index)))?;
            if let (Some(place), Some(ticket)) = (tickets.get_mut(index), ticket) {
                *place = ticket;
            }
        }
        for matches in &self.found {
            session.expect(matches, None, None);
        }
        problems.result().map(|()| tickets)
    }

    /// A read that cannot succeed fails the transaction, before anything is written.
    async fn check_reads(&self, session: &Session) -> Result<()> {
        for Planned { entry, writes, .. } in &self.entries {
            let request = &entry.request;
            let checked = match request.interaction {
                Interaction::Read => check_read(session, request).await,
                Interaction::Create | Interaction::Update | Interaction::Patch | Interaction::Delete => {
                    Ok(())
                }
                Interaction::Operation if writes.is_some() => Ok(()),
                Interaction::Operation => operation::check(session, request),
                other => session.permit(other, request.resource_type).map(drop),
            };
            checked.map_err(|error| in_entry(error, entry.index))?;
        }
        Ok(())
    }

    async fn answer(
        self,
        session: &mut Session,
        tickets: Vec<Option<Promise>>,
        mut committed: Committed,
    ) -> Result<Response> {
        let mut bundle = BundleWriter::new(&session.new_id(), "transaction-response", session.now())?;
        for (planned, ticket) in self.entries.iter().zip(tickets) {
            let entry = &planned.entry;
            let answer = match (ticket, entry.request.interaction) {
                (Some((ticket, Some(answer))), _) => {
                    committed.take(ticket).and_then(|written| answer(&written))
                }
                (Some((ticket, None)), Interaction::Delete) => committed
                    .take(ticket)
                    .map(|written| present::deleted(&entry.request, &written)),
                (Some((ticket, None)), _) => committed
                    .take(ticket)
                    .and_then(|written| present::written(&entry.request, &written)),
                (None, Interaction::Create | Interaction::Delete) => unchanged(session, planned).await,
                (None, _) => dispatch::entry(session, &entry.request).await,
            };
            let answer = answer.map_err(|error| in_entry(error, entry.index));
            let systems = &session.settings().outcome;
            bundle.entry(|members| entry::write_answer(members, Some(entry), &answer, systems))?;
        }
        Ok(Response::new(200, Payload::Json(bundle.finish())))
    }
}

async fn check_read(session: &Session, request: &Request) -> Result<()> {
    let key = request.key()?;
    match session.read(&key).await? {
        Some(version) if version.change == Change::Delete => Err(Error::new(
            ErrorCode::Gone,
            format!("{key} is deleted, so that this transaction cannot read it."),
        )),
        Some(_) => Ok(()),
        None => Err(not_found(&key)),
    }
}

fn bundle(resource: &Resource) -> Result<&Bundle> {
    resource
        .get()
        .ok_or_else(|| Error::internal("a transaction that is no Bundle"))
}
