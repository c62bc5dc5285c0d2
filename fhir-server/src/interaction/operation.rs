//! Calls of operations (<https://hl7.org/fhir/R4/operations.html>): `$code` on the server, a type or a resource.

use super::{EntityTags, Format, Level, Request, RequestBody, Response, update};
use crate::engine::Session;
use crate::error::{Error, ErrorCode, Result};
use crate::operation::{Arguments, Call, Done, Offered, Staged, not_offered};

/// How often an operation that writes is run at most where other writes come between.
const ATTEMPTS: usize = 20;

/// What the operation answers.
pub(super) async fn run(session: &mut Session, request: &Request) -> Result<Response> {
    let (offered, arguments) = prepare(session, request)?;
    let bound = matches!(request.if_match, Some(EntityTags::Versions(_)));
    let mut attempt = 1;
    loop {
        let done = call(session, request, &offered, &arguments, None).await?;
        let staged = match done {
            Done::Answer(response) => return Ok(response),
            Done::Staged(staged) => staged,
        };
        let again = session.may_stage_again() && !bound;
        match session.commit().await {
            Ok(mut committed) => return (staged.answer)(&committed.take(staged.ticket)?),
            Err(error) if again && update::lost_race(&error) && attempt < ATTEMPTS => attempt += 1,
            Err(error) => return Err(error),
        }
    }
}

/// Stages what an operation writes, as a part of a transaction.
pub(super) async fn stage(session: &mut Session, request: &Request, entry: usize) -> Result<Staged> {
    let (offered, arguments) = prepare(session, request)?;
    match call(session, request, &offered, &arguments, Some(entry)).await? {
        Done::Staged(staged) => Ok(staged),
        Done::Answer(_) => Err(Error::new(
            ErrorCode::NotSupported,
            format!(
                "The operation ${} cannot be part of a transaction: send it in a batch, or alone.",
                offered.operation.code()
            ),
        )),
    }
}

/// Refuses a call that cannot succeed, before a transaction writes anything.
pub(super) fn check(session: &Session, request: &Request) -> Result<()> {
    prepare(session, request).map(drop)
}

/// Whether a request calls an operation that changes anything.
pub(super) fn affects_state(session: &Session, request: &Request) -> bool {
    let code = request.operation.as_deref().unwrap_or_default();
    session
        .operations()
        .find_on(code, level(request), request.resource_type.map(|t| t.name()))
        .is_some_and(Offered::affects_state)
}

/// The level of a call.
pub(crate) fn level(request: &Request) -> Level {
    match (&request.resource_type, &request.id) {
        (_, Some(_)) => Level::Instance,
        (Some(_), None) => Level::Type,
        (None, None) => Level::System,
    }
}

/// Finds the operation, asks the policy, and reads the arguments, in this order.
fn prepare(session: &Session, request: &Request) -> Result<(Offered, Arguments)> {
    let code = request.operation.as_deref().unwrap_or_default();
    let (level, type_name) = (level(request), request.resource_type.map(|t| t.name()));
    let operations = session.operations();
    let offered = operations
        .find_on(code, level, type_name)
        .cloned()
        .ok_or_else(|| not_offered(operations, code, level, type_name))?;
    session.permit_access(&session.access(request)?)?;
    if request.safe && offered.affects_state() {
        let text = format!("The operation ${code} changes what is stored: send it with POST.");
        return Err(Error::new(ErrorCode::MethodNotAllowed, text));
    }
    let plain = of_json(&offered, request).transpose()?;
    let arguments = Arguments::read(
        &offered.definition,
        plain.as_ref().unwrap_or(request),
        session.settings(),
        offered.operation.as_ref(),
    )?;
    Ok((offered, arguments))
}

/// The request with the arguments from a body that is no resource, where the operation takes such a body.
fn of_json(offered: &Offered, request: &Request) -> Option<Result<Request>> {
    let Some(RequestBody::Fhir(Format::Json, text)) = &request.body else {
        return None;
    };
    let arguments = offered.operation.arguments_of_json(text)?;
    Some(arguments.map(|arguments| {
        let mut plain = request.clone();
        plain.body = None;
        plain.query.extend(arguments);
        plain
    }))
}

async fn call(
    session: &mut Session,
    request: &Request,
    offered: &Offered,
    arguments: &Arguments,
    entry: Option<usize>,
) -> Result<Done> {
    let key = match level(request) {
        Level::Instance => Some(request.key()?),
        Level::Type | Level::System => None,
    };
    let call = Call {
        level: level(request),
        resource_type: request.resource_type,
        key,
        arguments,
        request,
        entry,
    };
    offered.operation.run(session, &call).await
}
