//! batch: several requests at once, each alone (<https://hl7.org/fhir/R4/http.html#brules>).

pub(super) mod salvage;

use std::collections::{BTreeMap, HashSet};

use fhir_model::Bundle;
use fhir_model::json::LinkKind;

use super::bundle::BundleWriter;
use super::entry::{self, Entry};
use super::{
    Format, Interaction, Payload, Request, RequestBody, Response, create, dispatch, patch, replay, update,
};
use crate::engine::{Received, Session, in_entry, unquoted};
use crate::error::{Error, ErrorCode, Result};

/// 200 with a Bundle of one answer an entry, in the order of the entries, whatever became of each. `unreadable` are
/// the entries whose resources could not be read, and why.
pub(super) async fn run(
    session: &mut Session,
    request: &Request,
    received: Received,
    mut unreadable: BTreeMap<usize, Error>,
) -> Result<Response> {
    session.permit(Interaction::Batch, None)?;
    session.turned_out(Interaction::Batch);
    let bundle = received
        .resource
        .get::<Bundle>()
        .ok_or_else(|| Error::internal("a batch that is no Bundle"))?;
    entry::check_limits(bundle, session)?;
    let entries: Vec<Result<Entry>> = bundle
        .entry
        .iter()
        .enumerate()
        .map(|(i, e)| Entry::read(i, e, request))
        .collect();
    let full_urls: HashSet<&str> = bundle.entry.iter().filter_map(|e| e.full_url.as_str()).collect();
    let mut order: Vec<&Entry> = entries.iter().flatten().collect();
    order.sort_by_key(|entry| (entry.method, entry.index));
    let mut answers = BTreeMap::new();
    // Each entry is remembered by itself, as each is done by itself.
    let known = session.remembered();
    session.remember(None);
    for entry in order {
        let answer = match unreadable.remove(&entry.index) {
            Some(error) => Err(error),
            None => {
                let around = session.begin(&entry.request, true);
                let asked = known.filter(|_| replay::writes(&entry.request));
                let asked = asked.map(|known| known.of_entry(entry.index));
                let of = (&received, bundle, &full_urls);
                let run = async |session: &mut Session| run_entry(session, entry, of).await;
                let answer = replay::once(session, asked, &entry.request, run).await;
                session.end(around, &answer).await;
                answer
            }
        };
        answers.insert(entry.index, answer.map_err(|error| in_entry(error, entry.index)));
    }
    let mut response = BundleWriter::new(&session.new_id(), "batch-response", session.now())?;
    let systems = &session.settings().outcome;
    for (index, entry) in entries.into_iter().enumerate() {
        let unanswered = || Err(Error::internal("an entry without an answer"));
        let (entry, answer) = match entry {
            Ok(entry) => (Some(entry), answers.remove(&index).unwrap_or_else(unanswered)),
            Err(error) => (None, Err(error)),
        };
        response.entry(|members| entry::write_answer(members, entry.as_ref(), &answer, systems))?;
    }
    Ok(Response::new(200, Payload::Json(response.finish())))
}

/// The Bundle that an entry is of: its text, its value, and the URLs of its entries.
type Of<'b> = (&'b Received, &'b Bundle, &'b HashSet<&'b str>);

async fn run_entry(session: &mut Session, entry: &Entry, of: Of<'_>) -> Result<Response> {
    let (received, bundle, full_urls) = of;
    let answer = one(session, entry, received, bundle, full_urls).await;
    match dispatch::again(session, &answer).await? {
        true => one(session, entry, received, bundle, full_urls).await,
        false => answer,
    }
}

async fn one(
    session: &mut Session,
    entry: &Entry,
    received: &Received,
    bundle: &Bundle,
    full_urls: &HashSet<&str>,
) -> Result<Response> {
    session.check_deadline()?;
    let resource = bundle.entry.get(entry.index).and_then(|e| e.resource.as_ref());
    match (entry.request.interaction, resource) {
        (Interaction::Create, Some(resource)) => {
            let part = received.entry(entry.index, resource)?;
            check_independent(received, &part, full_urls)?;
            create::of_part(session, &entry.request, part).await
        }
        (Interaction::Update, Some(resource)) => {
            let part = received.entry(entry.index, resource)?;
            check_independent(received, &part, full_urls)?;
            update::of_part(session, &entry.request, part).await
        }
        (Interaction::Patch, Some(resource)) => {
            session.permit(Interaction::Patch, entry.request.resource_type)?;
            let part = received.entry(entry.index, resource)?;
            check_independent(received, &part, full_urls)?;
            let patch = patch::of_part(&part, &[])?;
            patch::of_patch(session, &entry.request, &patch).await
        }
        (Interaction::Operation, Some(resource)) => {
            let part = received.entry(entry.index, resource)?;
            let mut request = entry.request.clone();
            request.body = Some(RequestBody::Fhir(Format::Json, part.edited(&[])?.into()));
            dispatch::single(session, &request).await
        }
        _ => dispatch::single(session, &entry.request).await,
    }
}

/// Entries of a batch must not refer to each other: what one becomes would depend on another.
fn check_independent(
    received: &Received,
    part: &crate::engine::Part<'_>,
    full_urls: &HashSet<&str>,
) -> Result<()> {
    if part.resource.type_name() == "Bundle" {
        return Ok(());
    }
    for link in received
        .links(&part.span.span)
        .iter()
        .filter(|l| l.kind == LinkKind::Reference)
    {
        let value = unquoted(received.text().get(link.span.clone()).unwrap_or_default())?;
        if value.starts_with("urn:") && full_urls.contains(&*value) {
            let text =
                format!("{value:?} refers to another entry, which a batch cannot do: send a transaction.");
            return Err(Error::new(ErrorCode::Invalid, text).at(part.path.clone().into_owned()));
        }
    }
    Ok(())
}
