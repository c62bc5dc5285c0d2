//! transaction: several requests at once, all or none (<https://hl7.org/fhir/R4/http.html#trules>).
//!
//! Entries are done in the order DELETE, POST, PUT, PATCH, GET, whatever their order in the Bundle. Ids of new resources are
//! given first, so that every reference to a `fullUrl` of the Bundle can be resolved before anything is stored. Reads
//! are checked before the commit, against what is staged, and answered after it; searches see what was committed.
//!
//! Invariant: there is one commit; whatever fails before it, nothing was written.

use std::collections::HashMap;

use fhir_model::{Bundle, Resource};

use super::bundle::BundleWriter;
use super::entry::{self, Entry};
use super::{
    Format, Interaction, Payload, Request, RequestBody, Response, dispatch, operation, patch, present, update,
};
use crate::engine::{
    Assigned, BundleLinks, Committed, Draft, Edit, Received, Session, Ticket, Written, in_entry, not_found,
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
    let mut plan = Plan::read(session, request, &received)?;
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
}

/// One entry, and the resource that it writes.
struct Planned {
    entry: Entry,
    writes: Option<Key>,
    full_url: Option<String>,
    /// It calls an operation, with a body.
    calls: bool,
}

impl Planned {
    fn has_resource(&self) -> bool {
        self.calls
            || matches!(
                self.entry.request.interaction,
                Interaction::Create | Interaction::Update | Interaction::Patch
            )
    }
}

impl Plan {
    fn read(session: &Session, request: &Request, received: &Received) -> Result<Plan> {
        let bundle = bundle(&received.resource)?;
        entry::check_limits(bundle, session)?;
        let mut plan = Plan {
            entries: Vec::with_capacity(bundle.entry.len()),
            links: BundleLinks::default(),
        };
        let mut problems = Problems::default();
        let mut targets = HashMap::new();
        for (index, asked) in bundle.entry.iter().enumerate() {
            let full_url = asked.full_url.as_str();
            let has_body = asked.resource.is_some();
            let planned = Entry::read(index, asked, request).and_then(|entry| {
                plan.add(session, entry, full_url, has_body, &mut targets)
                    .map_err(|e| in_entry(e, index))
            });
            problems.note(planned)?;
        }
        problems.result().map(|()| plan)
    }

    /// Adds an entry: gives its id, and refuses what is there a second time.
    fn add(
        &mut self,
        session: &Session,
        entry: Entry,
        full_url: Option<&str>,
        has_body: bool,
        targets: &mut HashMap<Key, usize>,
    ) -> Result<()> {
        let request = &entry.request;
        let writes = match request.interaction {
            Interaction::Create => {
                request.refuse_if_none_exist()?;
                Some(Key {
                    resource_type: request.the_type()?,
                    id: session.new_id(),
                })
            }
            Interaction::Update | Interaction::Patch | Interaction::Delete => Some(request.key()?),
            Interaction::Operation if operation::affects_state(session, request) => match request.id {
                Some(_) => Some(request.key()?),
                None => return Err(not_in_transaction(request)),
            },
            _ => None,
        };
        if let Some(key) = &writes
            && let Some(other) = targets.insert(key.clone(), entry.index)
        {
            let text =
                format!("{key} is written by entry {other} too: a transaction may write a resource once.");
            return Err(Error::new(ErrorCode::Invalid, text));
        }
        let planned = Planned {
            calls: has_body && entry.request.interaction == Interaction::Operation,
            entry,
            writes,
            full_url: full_url.map(str::to_owned),
        };
        if planned.has_resource() {
            self.link(&planned)?;
        }
        self.entries.push(planned);
        Ok(())
    }

    /// Notes what the `fullUrl` of an entry stands for. That of a resource on this server stands for itself.
    fn link(&mut self, planned: &Planned) -> Result<()> {
        let (Some(url), Some(key)) = (&planned.full_url, &planned.writes) else {
            return Ok(());
        };
        let index = planned.entry.index;
        let created = planned.entry.request.interaction == Interaction::Create;
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
                let text = patch::edited(&received.entry(index, resource)?, edits)?;
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
                (None, _) => dispatch::single(session, &entry.request).await,
            };
            let answer = answer.map_err(|error| in_entry(error, entry.index));
            let systems = &session.settings().outcome;
            bundle.entry(|members| entry::write_answer(members, Some(entry), &answer, systems))?;
        }
        Ok(Response::new(200, Payload::Json(bundle.finish())))
    }
}

/// A staged write, and how it is answered where that is the operation's to say.
type Promise = (Ticket, Option<fn(&Written) -> Result<Response>>);

/// What the caller is told of an operation that writes more than one resource.
fn not_in_transaction(request: &Request) -> Error {
    let code = request.operation.as_deref().unwrap_or_default();
    let text =
        format!("The operation ${code} cannot be part of a transaction: send it in a batch, or alone.");
    Error::new(ErrorCode::NotSupported, text).at("http.url")
}

async fn stage_one(
    session: &mut Session,
    planned: &Planned,
    received: &Received,
    resource: Option<&Resource>,
    edits: &[Edit],
) -> Result<Option<Promise>> {
    let (request, index) = (&planned.entry.request, planned.entry.index);
    let Some(key) = planned.writes.clone() else {
        return Ok(None);
    };
    if request.interaction == Interaction::Operation {
        let staged = operation::stage(session, request, index).await?;
        return Ok(Some((staged.ticket, Some(staged.answer))));
    }
    let ticket = match (request.interaction, resource) {
        (Interaction::Delete, _) => {
            session
                .stage_delete(key, &update::conditions(request), Some(index))
                .await?
        }
        (Interaction::Create, Some(resource)) => {
            let draft = Draft {
                edits,
                ..present::draft(request, received.entry(index, resource)?)?
            };
            session.stage_create(key, &draft, Some(index))?
        }
        (Interaction::Patch, Some(resource)) => {
            session.permit(Interaction::Patch, request.resource_type)?;
            let patch = patch::of_part(&received.entry(index, resource)?, edits)?;
            patch::stage(session, request, &patch, Some(index)).await?
        }
        (_, Some(resource)) => {
            let draft = Draft {
                edits,
                ..present::draft(request, received.entry(index, resource)?)?
            };
            update::check_id(&draft.part, &key.id)?;
            session
                .stage_update(key, &draft, &update::conditions(request), Some(index))
                .await?
        }
        (_, None) => return Err(Error::internal("a write without a resource")),
    };
    Ok(Some((ticket, None)))
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

/// Problems of several entries, told together where the client can mend them together.
#[derive(Default)]
struct Problems(Option<Error>);

impl Problems {
    /// The problems kept at most.
    const MAX: usize = 100;

    /// The value; or nothing, where the problem was noted. What is no fault of the Bundle's content fails at once.
    fn note<T>(&mut self, result: Result<T>) -> Result<Option<T>> {
        let error = match result {
            Ok(value) => return Ok(Some(value)),
            Err(error) => error,
        };
        use ErrorCode::{Invalid, NotSupported, Required, Structure, Unprocessable, Value};
        if !matches!(
            error.code,
            Structure | Value | Required | Invalid | Unprocessable | NotSupported
        ) {
            return Err(error);
        }
        match &mut self.0 {
            None => self.0 = Some(error),
            Some(first) => first.issues.extend(error.issues),
        }
        match self.0.as_ref().map_or(0, |first| first.issues.len()) {
            0..Self::MAX => Ok(None),
            _ => self.0.take().map_or(Ok(None), Err),
        }
    }

    fn result(self) -> Result<()> {
        self.0.map_or(Ok(()), Err)
    }
}
