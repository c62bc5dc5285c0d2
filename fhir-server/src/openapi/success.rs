//! Answers to requests that succeed, and the headers of answers.

use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::{Object, Ref, Type};

use super::endpoint::Endpoint;
use super::{example, request};
use crate::interaction::Interaction;

const REQUEST_ID: &str = "X-Request-ID";
const VERSION: [&str; 2] = ["ETag", "Last-Modified"];

/// The headers that answers refer to, by their names.
pub(super) fn headers() -> Vec<(&'static str, Header)> {
    let header = |name, words: &str| {
        let schema = Object::with_type(Type::String);
        (
            name,
            HeaderBuilder::new()
                .description(Some(words))
                .schema(Some(schema))
                .build(),
        )
    };
    vec![
        header("ETag", "The version, as `W/\"3\"`."),
        header("Last-Modified", "When the version was made, as an HTTP date."),
        header(
            "Location",
            "Where the new resource is, with its version: `[base]/Patient/[id]/_history/1`.",
        ),
        header(
            "Content-Location",
            "Where the version is: `[base]/Patient/[id]/_history/[vid]`.",
        ),
        header("Preference-Applied", "Which of your preferences was followed."),
        header("Retry-After", "Seconds after which to try again."),
        header(
            REQUEST_ID,
            "Your id of the request where you sent one, else the server's. Quote it when you report a fault.",
        ),
    ]
}

/// The answers, with their status.
pub(super) fn responses(
    endpoint: &Endpoint,
    resource_type: Option<&'static str>,
) -> Vec<(&'static str, Response)> {
    use Interaction as I;
    let name = resource_type.unwrap_or_default();
    match endpoint.interaction {
        I::Read | I::Vread => vec![
            (
                "200",
                full("The resource.", name, example::stored(name).as_slice(), &VERSION),
            ),
            ("304", bare("You have this version already.", &VERSION)),
        ],
        I::Create => {
            let headers = ["Location", "ETag", "Last-Modified", "Preference-Applied"];
            vec![(
                "201",
                full("Created.", name, example::stored(name).as_slice(), &headers),
            )]
        }
        I::Update => {
            let headers = ["Content-Location", "ETag", "Last-Modified", "Preference-Applied"];
            let created = ["Location", "ETag", "Last-Modified", "Preference-Applied"];
            vec![
                (
                    "200",
                    full(
                        "Updated; or nothing to change, and no new version.",
                        name,
                        example::stored(name).as_slice(),
                        &headers,
                    ),
                ),
                (
                    "201",
                    full(
                        "Created under the id of the URL.",
                        name,
                        example::stored(name).as_slice(),
                        &created,
                    ),
                ),
            ]
        }
        I::Patch => {
            let headers = ["Content-Location", "ETag", "Last-Modified", "Preference-Applied"];
            let words = "Patched; or nothing to change, and no new version.";
            vec![(
                "200",
                full(words, name, example::stored(name).as_slice(), &headers),
            )]
        }
        I::Delete if endpoint.is_conditional() => {
            let words = "Deleted, with the remark that you prefer.";
            vec![
                ("200", full(words, "OperationOutcome", &[], &[])),
                ("204", bare("Deleted, or nothing matched.", &[])),
            ]
        }
        I::Delete => {
            let outcome = full(
                "Deleted, with the remark that you prefer.",
                "OperationOutcome",
                &[],
                &VERSION,
            );
            vec![
                ("200", outcome),
                ("204", bare("Deleted, or there was nothing to delete.", &VERSION)),
            ]
        }
        I::HistoryInstance | I::HistoryType | I::HistorySystem => {
            let examples = resource_type.and_then(example::history);
            vec![(
                "200",
                full(
                    "A page of versions: a Bundle of type `history`.",
                    "Bundle",
                    examples.as_slice(),
                    &[],
                ),
            )]
        }
        I::SearchType | I::SearchSystem => {
            let examples = resource_type.and_then(example::found);
            let words = "A page of matches: a Bundle of type `searchset`.";
            vec![(
                "200",
                full(words, "Bundle", examples.as_slice(), &["Preference-Applied"]),
            )]
        }
        I::Batch | I::Transaction => {
            let words = "The answers: a Bundle of type `transaction-response` or `batch-response`.";
            vec![(
                "200",
                full(
                    words,
                    "Bundle",
                    &[example::ANSWERS.to_owned()],
                    &["Preference-Applied"],
                ),
            )]
        }
        I::Operation => {
            let response = with_headers(
                ResponseBuilder::new().description("What the operation gives."),
                &[],
            );
            let response = match endpoint.offered.as_ref().is_some_and(|o| o.answers_plain_json()) {
                true => response.content("application/json", request::object()),
                false => response
                    .content(request::JSON, request::resource())
                    .content(request::XML, request::xml(&[])),
            };
            vec![("200", response.build())]
        }
        I::Capabilities => vec![(
            "200",
            full("The CapabilityStatement.", "CapabilityStatement", &[], &[]),
        )],
    }
}

/// An answer with a resource.
fn full(words: &str, schema: &str, examples: &[String], headers: &[&str]) -> Response {
    with_headers(ResponseBuilder::new().description(words), headers)
        .content(request::JSON, request::json(schema, examples))
        .content(request::XML, request::xml(examples))
        .build()
}

/// An answer without a body.
fn bare(words: &str, headers: &[&str]) -> Response {
    with_headers(ResponseBuilder::new().description(words), headers).build()
}

/// The headers named, and the one that every answer has.
pub(super) fn with_headers(response: ResponseBuilder, headers: &[&str]) -> ResponseBuilder {
    let names = headers.iter().copied().chain([REQUEST_ID]);
    names.fold(response, |r, name| {
        r.header_ref(name, Ref::new(format!("#/components/headers/{name}")))
    })
}
