//! Answers to requests that fail: one a status, each with an OperationOutcome, made from the error table.

use utoipa::openapi::Ref;
use utoipa::openapi::path::HttpMethod;
use utoipa::openapi::response::{Response, ResponseBuilder};

use super::endpoint::Endpoint;
use super::{request, success};
use crate::error::ErrorCode;
use crate::interaction::Interaction;

/// What a status means, in words.
const WORDS: [(u16, &str); 19] = [
    (
        400,
        "The request cannot be read or contradicts itself: the issue names the place and the cure.",
    ),
    (
        401,
        "Nobody said who is calling: send an access token. The sandbox asks for none.",
    ),
    (403, "This caller can never do this."),
    (
        404,
        "There is no such resource or version, or not for this caller.",
    ),
    (
        405,
        "Nothing was ever stored under this id, and this server does not let updates create.",
    ),
    (
        406,
        "None of the formats you accept can be given: accept `application/fhir+json` or `application/fhir+xml`.",
    ),
    (408, "The body did not arrive in time."),
    (
        409,
        "Another write came between, or references forbid it: read again and repeat.",
    ),
    (410, "The resource was deleted; its history tells when."),
    (
        412,
        "`If-Match` or `If-None-Match` does not hold: read again, merge, and send the version you read.",
    ),
    (
        413,
        "The body, its depth, the number of its entries or the query is above the limit.",
    ),
    (415, "The body's `Content-Type` is not one the server reads."),
    (
        422,
        "The resource can be read but breaks a rule, or the search asks for too much: each issue names its place.",
    ),
    (
        429,
        "Too many requests from you: nothing was done. `Retry-After` says when to come back.",
    ),
    (
        500,
        "A fault of the server's; nothing was changed. Report it with the `X-Request-ID`.",
    ),
    (501, "FHIR defines it, this server does not offer it."),
    (
        503,
        "Busy, shutting down, or the database does not answer: try again. Or, with `too-costly` and without `Retry-After`, the query \
         took longer than one may: ask for less.",
    ),
    (
        504,
        "Not done in time. A write may have happened: read before you repeat it.",
    ),
    (507, "No room to store it: nothing was changed; try again later."),
];

/// The answers that operations refer to, by their keys in `components`.
pub(super) fn responses() -> Vec<(String, Response)> {
    WORDS
        .iter()
        .map(|(status, words)| (key(*status), response(*status, words)))
        .collect()
}

/// Where the answer with that status stands.
pub(super) fn reference(status: u16) -> Ref {
    Ref::from_response_name(key(status))
}

/// The codes of the table that stand behind a status.
fn codes(status: u16) -> impl Iterator<Item = ErrorCode> {
    ErrorCode::ALL
        .iter()
        .copied()
        .filter(move |code| code.facts().status == status)
}

fn key(status: u16) -> String {
    format!("Error{status}")
}

fn response(status: u16, words: &str) -> Response {
    let retry: &[&str] = if matches!(status, 429 | 503 | 507) {
        &["Retry-After"]
    } else {
        &[]
    };
    let examples: Vec<String> = codes(status).map(super::example::error).collect();
    success::with_headers(ResponseBuilder::new().description(words), retry)
        .content(request::JSON, request::json("OperationOutcome", &examples))
        .content(request::XML, request::xml(&[]))
        .build()
}

/// The codes whose status the document names.
pub(super) fn named() -> impl Iterator<Item = ErrorCode> {
    WORDS.iter().flat_map(|(status, _)| codes(*status))
}

/// The statuses with which a request of that kind can fail.
pub(super) fn statuses(endpoint: &Endpoint) -> Vec<u16> {
    use Interaction as I;
    let own: &[u16] = match endpoint.interaction {
        I::SearchType | I::SearchSystem if endpoint.is_compartment() && endpoint.form => {
            &[404, 408, 413, 415, 422]
        }
        I::SearchType | I::SearchSystem if endpoint.is_compartment() => &[404, 413, 422],
        I::Capabilities => return vec![400, 403, 406, 429, 500, 501, 503, 504],
        I::Read | I::Vread => &[404, 410],
        I::HistoryInstance => &[404],
        I::HistoryType | I::HistorySystem => &[],
        I::SearchType | I::SearchSystem if endpoint.form => &[408, 413, 415, 422],
        I::SearchType | I::SearchSystem => &[413, 422],
        I::Create => &[408, 409, 413, 415, 422, 507],
        I::Update => &[404, 405, 408, 409, 412, 413, 415, 422, 507],
        I::Patch => &[404, 408, 409, 410, 412, 413, 415, 422, 507],
        I::Delete => &[404, 409, 412, 507],
        I::Operation => match (&endpoint.offered, endpoint.method == HttpMethod::Post) {
            (Some(offered), true) if offered.affects_state() => {
                &[404, 408, 409, 410, 412, 413, 415, 422, 507]
            }
            (_, true) => &[404, 408, 410, 413, 415, 422],
            (_, false) => &[404, 410, 422],
        },
        I::Batch | I::Transaction => &[404, 405, 408, 409, 410, 412, 413, 415, 422, 507],
    };
    let mut statuses = [&[400, 401, 403, 406, 429, 500, 501, 503, 504], own].concat();
    statuses.sort_unstable();
    statuses
}
