//! Writes that are sent again with the same `Idempotency-Key` or `X-Request-ID`: done once, answered each time with the status,
//! location and version of that once, and with the content as the caller may see it now.
//!
//! Remembered are create, update, patch, delete, transactions, and the same as entries of a batch; only what was done, never a refusal.
//!
//! Invariant: a request that was done is not done again, and whoever may not do it now is told no more than that.

use sha2::{Digest, Sha256};

use super::entry::{self, Entry};
use super::{
    EntityTags, Interaction, Payload, PreferReturn, ReplayKey, Request, RequestBody, Response, bundle,
    conditional, dispatch, present,
};
use crate::engine::replay::{Done, Remembered, Reply, digest};
use crate::engine::{Received, Session, Written, in_entry};
use crate::error::{Error, ErrorCode, Issue, Result, Severity};
use crate::store::Outcome;

/// What the request is remembered by, if it is a write with a key.
pub(super) fn asked(session: &Session, request: &Request) -> Option<Remembered> {
    use Interaction as I;
    let bundles = matches!(request.interaction, I::Batch | I::Transaction);
    if !(bundles || writes(request)) || session.settings().replay.is_zero() {
        return None;
    }
    let body = body_digest(request);
    let (kind, value, of_body) = match request.replay.as_ref()? {
        ReplayKey::Key(value) => ("key", value, &[][..]),
        ReplayKey::RequestId(value) => ("id", value, &body[..]),
    };
    let caller = caller(session);
    let key = digest(&[
        kind.as_bytes(),
        value.as_bytes(),
        of_body,
        &caller,
        &address(request),
    ]);
    Some(Remembered::new(key, body, caller))
}

/// Whether it is a write that is remembered.
pub(super) fn writes(request: &Request) -> bool {
    use Interaction as I;
    matches!(request.interaction, I::Create | I::Update | I::Patch | I::Delete)
}

fn caller(session: &Session) -> [u8; 32] {
    let principal = &session.context().principal;
    let parts = [
        Some(&principal.name),
        principal.client_id.as_ref(),
        principal.issuer.as_ref(),
        principal.subject.as_ref(),
    ];
    let parts = parts.map(|part| part.map_or(&[][..], |part| part.as_bytes()));
    digest(&parts)
}

/// What the request is about, beside its body.
fn address(request: &Request) -> [u8; 32] {
    let code = match request.interaction {
        Interaction::Batch => Interaction::Transaction.code(),
        other => other.code(),
    };
    let conditions = [request.if_match.as_ref(), request.if_none_match.as_ref()].map(|tags| match tags {
        None => String::new(),
        Some(EntityTags::Any) => "*".to_owned(),
        Some(EntityTags::Versions(versions)) => versions.join(","),
    });
    let mut parts = vec![
        code,
        request.resource_type.map_or("", |of| of.name()),
        request.id.as_deref().unwrap_or_default(),
        request.if_none_exist.as_deref().unwrap_or_default(),
    ];
    parts.extend(conditions.iter().map(String::as_str));
    for (name, value) in &request.query {
        parts.extend([name.as_str(), value.as_str()]);
    }
    let parts: Vec<&[u8]> = parts.into_iter().map(str::as_bytes).collect();
    digest(&parts)
}

fn body_digest(request: &Request) -> [u8; 32] {
    let mut hash = Sha256::new();
    if let Some(provenance) = &request.provenance {
        hash.update(b"X-Provenance:");
        hash.update(provenance);
        hash.update([0]);
    }
    match &request.body {
        None => {}
        Some(RequestBody::Fhir(format, text)) => {
            hash.update(format!("{format:?}:"));
            hash.update(text);
        }
        Some(RequestBody::Patch(form, text)) => {
            hash.update(form.media_type());
            hash.update(text);
        }
        Some(RequestBody::Native {
            content_type,
            content,
            ..
        }) => {
            hash.update(content_type);
            hash.update(content);
        }
    }
    hash.finalize().into()
}

/// Answers a request by what `run` does, unless it was done before.
pub(super) async fn once(
    session: &mut Session,
    asked: Option<Remembered>,
    request: &Request,
    run: impl AsyncFnOnce(&mut Session) -> Result<Response>,
) -> Result<Response> {
    let Some(asked) = asked else {
        return run(session).await;
    };
    if let Some(answer) = answered(session, &asked, request).await? {
        return Ok(answer);
    }
    session.remember(Some(asked));
    let answer = run(session).await;
    let was_done = session.was_done();
    session.remember(None);
    match answer {
        Err(error) if was_done => {
            session.discard();
            answered(session, &asked, request).await?.ok_or(error)
        }
        answer => answer,
    }
}

/// The answer to a request that was done before.
async fn answered(session: &mut Session, asked: &Remembered, request: &Request) -> Result<Option<Response>> {
    let Some(reply) = session.reply(asked).await? else {
        return Ok(None);
    };
    if reply.body != asked.body {
        let text = "This `Idempotency-Key` was sent with another body before: a new request needs a new key.";
        return Err(Error::new(ErrorCode::Unprocessable, text).at("http.idempotency-key"));
    }
    session.prepare().await?;
    let whole = matches!(request.interaction, Interaction::Batch | Interaction::Transaction);
    match whole {
        true => transaction(session, request, &reply).await.map(Some),
        false => single(session, request, &reply.done).await.map(Some),
    }
}

async fn single(session: &Session, request: &Request, done: &[Done]) -> Result<Response> {
    session.permit(request.interaction, request.resource_type)?;
    if request.interaction == Interaction::Delete {
        // A Provenance that came with it was created.
        let deleted = done
            .iter()
            .filter(|one| !matches!(one.outcome, Outcome::Created { .. }));
        let written: Vec<Written> = deleted.map(|one| one.written(None)).collect();
        return Ok(present::all_deleted(request, &written));
    }
    let one = done.iter().find(|one| one.key.is_some());
    let one = one.ok_or_else(|| Error::internal("a reply without what was written"))?;
    again(session, request, one).await
}

/// The answer to a create, update or patch, as the caller may see it now.
async fn again(session: &Session, request: &Request, done: &Done) -> Result<Response> {
    let (Some(key), Some((version, _))) = (&done.key, done.written(None).version()) else {
        return Err(Error::internal("a reply without a version"));
    };
    let seen = match session.vread(key, version).await {
        Ok(seen) => seen,
        Err(error) if error.code.facts().status == 403 => None,
        Err(error) => return Err(error),
    };
    let Some((body, masked)) = seen.and_then(|seen| Some((seen.body?, seen.masked))) else {
        return Ok(unseen(
            request,
            done,
            format!("{key}/_history/{version}"),
            version,
        ));
    };
    let mut response = present::written(request, &done.written(Some(body)))?;
    response.masked = masked;
    Ok(response)
}

/// The answer where the caller may not see what it wrote.
fn unseen(request: &Request, done: &Done, location: String, version: i64) -> Response {
    let status = match done.outcome {
        Outcome::Created { .. } => 201,
        _ => 200,
    };
    let payload = match request.prefer_return {
        Some(PreferReturn::Minimal) => Payload::None,
        _ => Payload::Outcome,
    };
    let mut response = Response::new(status, payload);
    response.version = Some(version);
    response.location = Some(location);
    let text = "This was done before; its content is not shown to you now.";
    response
        .issues
        .push(Issue::new(text).with_severity(Severity::Information));
    response
}

/// The answer to a transaction: its writes as they were done, its reads as of now.
async fn transaction(session: &mut Session, request: &Request, reply: &Reply) -> Result<Response> {
    session.permit(Interaction::Transaction, None)?;
    let received = Received::read(request.body.as_ref(), session.settings())?;
    let asked = received
        .resource
        .get::<fhir_model::Bundle>()
        .ok_or_else(|| Error::internal("a transaction that is no Bundle"))?;
    let mut answers = bundle::BundleWriter::new(&session.new_id(), "transaction-response", session.now())?;
    for (index, one) in asked.entry.iter().enumerate() {
        let entry = Entry::read(index, one, request)?;
        let done: Vec<Done> = reply
            .done
            .iter()
            .filter(|d| d.entry == Some(index))
            .cloned()
            .collect();
        let answer = of_entry(session, &entry, &done).await;
        let answer = answer.map_err(|error| in_entry(error, index));
        let systems = &session.settings().outcome;
        answers.entry(|members| entry::write_answer(members, Some(&entry), &answer, systems))?;
    }
    Ok(Response::new(200, Payload::Json(answers.finish())))
}

async fn of_entry(session: &mut Session, entry: &Entry, done: &[Done]) -> Result<Response> {
    let request = &entry.request;
    match request.interaction {
        Interaction::Create | Interaction::Update | Interaction::Patch | Interaction::Delete
            if !done.is_empty() =>
        {
            single(session, request, done).await
        }
        Interaction::Create => existing(session, request).await,
        Interaction::Delete => Ok(present::all_deleted(request, &[])),
        // An operation that wrote is not called again.
        Interaction::Operation if !done.is_empty() => Ok(Response::new(200, Payload::None)),
        _ => dispatch::entry(session, request).await,
    }
}

/// A create that found what it would have made.
async fn existing(session: &Session, request: &Request) -> Result<Response> {
    let matches = conditional::of_if_none_exist(session, request).await?;
    let found = match conditional::only(&matches, &[])? {
        Some(key) => conditional::existing(session, request, &key).await?,
        None => None,
    };
    Ok(found.unwrap_or_else(|| Response::new(200, Payload::None)))
}

impl Done {
    fn written(&self, body: Option<crate::store::StoredBody>) -> Written {
        Written {
            key: self.key.clone(),
            outcome: self.outcome.clone(),
            body,
            issues: Vec::new(),
        }
    }
}
