//! From a request to its interaction.

use std::collections::BTreeMap;

use super::{Format, Interaction, Request, RequestBody, Response};
use super::{
    audit, batch, capabilities, create, delete, emergency, history, operation, patch, read, replay, search,
    transaction, update, vread,
};
use crate::engine::{Received, Session};
use crate::error::{Error, ErrorCode, Result};

/// Answers a request. `Batch` and `Transaction` both stand for a POST to the base: the Bundle's type decides.
///
/// # Errors
/// The request is refused, or the server failed; nothing was changed then.
pub async fn dispatch(session: &mut Session, request: &Request) -> Result<Response> {
    session.reached_at(&request.base);
    let around = session.begin(request, false);
    let ready = match emergency::open(session, request).await {
        Ok(()) => session.prepare().await,
        Err(error) => Err(error),
    };
    let answer = match ready {
        Ok(()) => {
            session.carry_provenance(request)?;
            let asked = replay::asked(session, request);
            replay::once(session, asked, request, async |session| {
                whole(session, request).await
            })
            .await
        }
        Err(error) => Err(error),
    };
    // A request that failed half way leaves nothing for the next commit.
    session.discard();
    session.end(around, &answer).await;
    session.write_trail().await?;
    answer
}

async fn whole(session: &mut Session, request: &Request) -> Result<Response> {
    if !matches!(request.interaction, Interaction::Batch | Interaction::Transaction) {
        return single(session, request).await;
    }
    let answer = bundle(session, request).await;
    match again(session, &answer).await? {
        true => bundle(session, request).await,
        false => answer,
    }
}

/// Answers a request that is an entry of a Bundle.
pub(super) async fn entry(session: &mut Session, request: &Request) -> Result<Response> {
    let around = session.begin(request, true);
    let answer = single(session, request).await;
    session.end(around, &answer).await;
    answer
}

/// Whether what failed did so for want of knowledge that is there now, so that it is to be done again.
pub(super) async fn again<T>(session: &mut Session, answer: &Result<T>) -> Result<bool> {
    let again = answer.is_err() && session.learn().await?;
    if again {
        session.discard();
    }
    Ok(again)
}

/// Answers a request that is no Bundle of requests.
pub(super) async fn single(session: &mut Session, request: &Request) -> Result<Response> {
    session.prepare().await?;
    if audit::answers(session, request) {
        return audit::run(session, request).await;
    }
    let answer = once(session, request).await;
    match again(session, &answer).await? {
        true => once(session, request).await,
        false => answer,
    }
}

async fn once(session: &mut Session, request: &Request) -> Result<Response> {
    match request.interaction {
        Interaction::Read => read::run(session, request).await,
        Interaction::Vread => vread::run(session, request).await,
        Interaction::Create => create::run(session, request).await,
        Interaction::Update => update::run(session, request).await,
        Interaction::Patch => patch::run(session, request).await,
        Interaction::Delete => delete::run(session, request).await,
        Interaction::HistoryInstance | Interaction::HistoryType | Interaction::HistorySystem => {
            history::run(session, request).await
        }
        Interaction::SearchType | Interaction::SearchSystem => search::run(session, request).await,
        Interaction::Capabilities => capabilities::run(session, request).await,
        Interaction::Operation => operation::run(session, request).await,
        Interaction::Batch | Interaction::Transaction => Err(Error::new(
            ErrorCode::Invalid,
            "A Bundle of requests cannot hold another one: send each to the base.",
        )),
    }
}

/// POST to the base (<https://hl7.org/fhir/R4/http.html#transaction>).
async fn bundle(session: &mut Session, request: &Request) -> Result<Response> {
    // Which of the two it is shows in the body; who may do neither does not get that far.
    session
        .permit(Interaction::Batch, None)
        .or_else(|_| session.permit(Interaction::Transaction, None))?;
    let (received, unreadable) = match (
        Received::read(request.body.as_ref(), session.settings()),
        &request.body,
    ) {
        (Ok(received), _) => (received, BTreeMap::new()),
        (Err(error), Some(RequestBody::Fhir(Format::Json, text))) => {
            batch::salvage::read(text, error, session.settings())?
        }
        (Err(error), _) => return Err(error),
    };
    let Some(bundle) = received.resource.get::<fhir_model::Bundle>() else {
        let found = received.resource.type_name();
        let text =
            format!("A POST to the base takes a Bundle; this is a {found}: create it with POST to {found}.");
        return Err(Error::new(ErrorCode::Invalid, text).at(found));
    };
    match bundle.type_.as_str() {
        Some("batch") => {
            session.refuse_provenance()?;
            batch::run(session, request, received, unreadable).await
        }
        Some("transaction") => transaction::run(session, request, received).await,
        other => {
            let found = other.map_or_else(|| "none".to_owned(), |t| format!("{t:?}"));
            let text = format!(
                "A POST to the base takes a Bundle of type batch or transaction; the type of this one is {found}. To \
                 keep a Bundle as it is, create it with POST to Bundle."
            );
            Err(Error::new(ErrorCode::Invalid, text).at("Bundle.type"))
        }
    }
}
