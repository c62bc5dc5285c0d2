//! The sandbox: what it begins with, and how it is put back to that.
//!
//! Invariant: whoever reads while a sandbox is filled or put back sees it as it was before or as it is after.

mod spaces;

pub(crate) use spaces::{Space, Spaces, is_name};

use fhir_model::{Bundle, json};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::sync::Mutex;

use crate::audit::Record;
use crate::context::{Context, Principal, TenantId};
use crate::engine::{Engine, Session};
use crate::error::{Error, ErrorCode, Result};
use crate::interaction::{Format, Interaction, Payload, Request, RequestBody, dispatch};
use crate::store::AuditAction;

/// What the references of the samples are relative to; they stay relative, so it shows nowhere.
const BASE: &str = "http://localhost/fhir";

/// The resources that a sandbox begins with; by default none.
#[derive(Default)]
pub(crate) struct Samples {
    /// Of a transaction, as they are written.
    entries: Vec<&'static RawValue>,
    /// Held by whoever puts a tenant back.
    turn: Mutex<()>,
}

/// What is read of a Bundle: its entries stay text, so that they take no memory beside the program's own.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written<'t> {
    resource_type: String,
    #[serde(borrow, default)]
    entry: Vec<&'t RawValue>,
}

/// What putting a sandbox back did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reset {
    /// Resources that are gone.
    pub(crate) removed: i64,
    /// Resources that are there now.
    pub(crate) seeded: usize,
}

impl Samples {
    /// Those of some transaction Bundles, which may refer to each other; they are written as one.
    ///
    /// # Errors
    /// One of them cannot be read, or is no Bundle.
    pub(crate) fn of(bundles: &[&'static [u8]]) -> Result<Samples> {
        let mut entries = Vec::new();
        for text in bundles {
            let read: Written = serde_json::from_slice(text).map_err(|error| unusable(error.to_string()))?;
            if read.resource_type != "Bundle" {
                return Err(unusable("one of them is no Bundle"));
            }
            entries.extend(read.entry);
        }
        Ok(Samples {
            entries,
            turn: Mutex::new(()),
        })
    }

    /// Fills a tenant to which nothing was ever written: what its owner deleted does not come back. Whether it did.
    ///
    /// # Errors
    /// The samples are refused, or the store failed.
    pub(crate) async fn fill(&self, engine: &Engine, tenant: TenantId) -> Result<bool> {
        let mut context = Context::new(Principal::system("sandbox"), "sandbox-fill");
        context.tenant = tenant;
        if self.entries.is_empty() || !is_empty(engine, context.clone()).await? {
            return Ok(false);
        }
        let mut session = engine.session(context);
        dispatch(&mut session, &self.request()).await.map_err(refused)?;
        Ok(true)
    }

    /// Puts the caller's tenant back to the samples alone. The audit trail stays, and tells who asked.
    ///
    /// # Errors
    /// The request's deadline has passed, the samples are refused, or the store failed: nothing was changed.
    pub(crate) async fn reset(&self, engine: &Engine, caller: &Context) -> Result<Reset> {
        let _turn = self.turn.lock().await;
        let mut session = renewing(engine, caller, "reset");
        dispatch(&mut session, &self.request()).await.map_err(refused)?;
        Ok(Reset {
            removed: taken_away(&session)?,
            seeded: self.entries.len(),
        })
    }

    /// Takes everything out of the caller's tenant but the audit trail, which tells who asked; how many resources went.
    ///
    /// # Errors
    /// The store failed: nothing was changed.
    pub(crate) async fn clear(&self, engine: &Engine, caller: &Context) -> Result<i64> {
        let _turn = self.turn.lock().await;
        let mut session = renewing(engine, caller, "close");
        session.commit().await?;
        taken_away(&session)
    }

    fn request(&self) -> Request {
        let entries: Vec<_> = self.entries.iter().map(|entry| entry.get()).collect();
        let bundle = format!(
            r#"{{"resourceType":"Bundle","type":"transaction","entry":[{}]}}"#,
            entries.join(",")
        );
        let mut request = Request::new(Interaction::Transaction, BASE);
        request.body = Some(RequestBody::Fhir(Format::Json, bundle.into()));
        request
    }
}

/// A session that renews the caller's tenant, and tells the trail what it was asked.
fn renewing(engine: &Engine, caller: &Context, what: &str) -> Session {
    let mut asked = Request::new(Interaction::Operation, BASE);
    asked.operation = Some(what.into());
    let mut record = Record::of(caller, &asked);
    record.status = 200;
    let told = record.entry(
        caller,
        (Interaction::Operation, AuditAction::Execute),
        (None, None),
    );
    let mut context = caller.clone();
    context.principal = Principal::system("sandbox");
    let mut session = engine.session(context);
    let told = Some(told).filter(|_| session.is_audited());
    session.renew(told);
    session
}

fn taken_away(session: &Session) -> Result<i64> {
    let removed = session.took_away();
    removed.ok_or_else(|| Error::internal("a renewal that took nothing away"))
}

fn unusable(why: impl Into<String>) -> Error {
    let text = format!("The sample data cannot be used: {}", why.into());
    Error::new(ErrorCode::Invalid, text)
}

/// What refuses the samples is no fault of who asks for them.
fn refused(error: Error) -> Error {
    match error.code {
        ErrorCode::Unavailable | ErrorCode::Timeout | ErrorCode::StorageFull => error,
        _ => Error::internal(format!("sample data: {error}")),
    }
}

/// Whether nothing was ever written.
async fn is_empty(engine: &Engine, context: Context) -> Result<bool> {
    let mut request = Request::new(Interaction::HistorySystem, BASE);
    request.query.push(("_count".into(), "1".into()));
    let mut session = engine.session(context);
    let Payload::Json(text) = dispatch(&mut session, &request).await?.payload else {
        return Ok(false);
    };
    let read = json::from_slice(&text).map_err(|cause| Error::internal(cause.to_string()))?;
    Ok(read.get::<Bundle>().is_some_and(|bundle| bundle.entry.is_empty()))
}
