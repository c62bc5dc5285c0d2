//! The words of the error catalogue: one row a kind of failure.
//!
//! The messages are such as the server gives; the OpenAPI document has them as its examples.

use super::Words;
use crate::error::ErrorCode;

macro_rules! words {
    (@) => { None };
    (@ $place:literal) => { Some($place) };
    ($($code:ident: $id:literal, $title:literal, cause $cause:literal, cure $cure:literal, says $message:literal $(at $place:literal)?;)*) => {
        /// The row of a kind of failure.
        pub(super) const fn of(code: ErrorCode) -> Words {
            match code {
                $(ErrorCode::$code => Words {
                    id: $id,
                    title: $title,
                    cause: $cause,
                    cure: $cure,
                    message: $message,
                    place: words!(@ $($place)?),
                },)*
            }
        }
    };
}

words! {
    Structure: "structure", "Not readable as FHIR",
        cause "The body is not JSON or XML, or has an element, a type or a form that FHIR R4 does not have at that place.",
        cure "Correct what the issue names: `expression` is the place in the resource, and line and column that in the text you sent. Where the body is in another format than `Content-Type` says, send the header that fits.",
        says "Unknown element `nmae`; did you mean `name`?"
        at "Patient.nmae";
    Value: "value", "A value is not of its form",
        cause "A parameter, a header or a part of the URL holds a value that cannot be read.",
        cure "Send the value in the form that the message shows. `expression` names the parameter or header.",
        says "\"yesterday\" is no value for _lastUpdated: expected a date such as 2026-11-23."
        at "http._lastUpdated";
    Required: "required", "Something is missing",
        cause "A body, parameter or header that this request cannot do without was not sent.",
        cure "Send what the message names.",
        says "The request has no body: send the resource in it.";
    Invalid: "invalid", "The request contradicts itself",
        cause "Two parts of the request do not go together, such as the id of the URL and that of the resource.",
        cure "Make both say the same, or leave one away.",
        says "The id in the resource is \"pat-a\", and the id in the URL is \"pat-b\": they must be equal."
        at "Patient.id";
    Unauthenticated: "unauthenticated", "Nobody said who is calling",
        cause "The request has no access token, and this server answers nobody whom it does not know.",
        cure "Get an access token (`/.well-known/smart-configuration` says where) and send it as `Authorization: Bearer …`.",
        says "The server needs to know who you are; send an access token in the header `Authorization`."
        at "http.authorization";
    InvalidToken: "invalid-token", "The access token is refused",
        cause "The token has expired, was revoked, is for another server, or its signature or its issuer is not one that this server trusts.",
        cure "Get a new token for this server: its `aud` must be the FHIR base. The message says which check failed.",
        says "The access token is refused: it has expired."
        at "http.authorization";
    Forbidden: "forbidden", "Not for this caller",
        cause "The rules of access of this server do not let this caller do this, whatever the resource.",
        cure "Ask as somebody who may, or ask the organisation that runs the server. Trying again changes nothing.",
        says "This caller may not delete.";
    InsufficientScope: "insufficient-scope", "The token's scopes do not allow this",
        cause "The caller might, but the access token was given for less.",
        cure "Ask for a token with the scope that the message and the header `WWW-Authenticate` name.",
        says "The access token does not allow this: a scope such as `user/Patient.d` would.";
    NotFound: "not-found", "There is nothing here",
        cause "There is no such resource, version, type or path; or there is, and not for this caller. The two are never told apart.",
        cure "Check type, id and spelling: resource types are singular and capitalised, as in `/Patient/123`.",
        says "There is no Patient/pat-nobody.";
    MethodNotAllowed: "method-not-allowed", "Not with this method",
        cause "The path exists, and does not take this method.",
        cure "Use one of the methods in the header `Allow`.",
        says "Nothing was ever stored as Patient/pat-new, and updates do not create here: POST to Patient.";
    NotAcceptable: "not-acceptable", "Not in the format you accept",
        cause "`Accept` or `_format` names no format that the server can answer in.",
        cure "Accept `application/fhir+json` or `application/fhir+xml`.",
        says "The server cannot answer in what `Accept: text/csv` asks for."
        at "http.accept";
    RequestTimeout: "request-timeout", "The request did not arrive",
        cause "The body came too slowly, or not to its end.",
        cure "Send it again, on a better connection or in smaller parts.",
        says "The body did not arrive within 30 s.";
    Conflict: "conflict", "Another write came between",
        cause "Somebody wrote the same resource at the same time, or what was written refers to something that went away.",
        cure "Read the resource again, merge your change, and send it with `If-Match`.",
        says "Another request wrote Patient/pat-amira-khan at the same time: read it again and repeat.";
    Gone: "gone", "The resource was deleted",
        cause "The resource was there once, and its current version is its deletion.",
        cure "Take it out of your lists. Its `_history` tells when it went, and has what it held.",
        says "Patient/pat-amira-khan was deleted at 2026-11-23T09:30:00.000Z.";
    PreconditionFailed: "precondition-failed", "A condition does not hold",
        cause "`If-Match`, `If-None-Match` or `If-None-Exist` asks for something that is not so, or a condition matches more than one resource.",
        cure "Read again, and send the version that you read; or make the condition so narrow that one resource matches.",
        says "If-Match asks for version \"2\" of Patient/pat-amira-khan; its current version is \"3\"."
        at "http.if-match";
    TooLarge: "too-large", "Too large",
        cause "The body, its depth or the number of its entries is above the limit that the message names.",
        cure "Send it in parts: several transactions in the place of one.",
        says "The body is larger than 16777216 bytes.";
    UnsupportedMediaType: "unsupported-media-type", "Not a format the server reads",
        cause "The `Content-Type` of the body is not one that this request takes.",
        cure "Send `Content-Type: application/fhir+json`, or `application/fhir+xml` with a body in XML; a patch has media types of its own.",
        says "The server does not read `text/csv`: send application/fhir+json."
        at "http.content-type";
    RangeNotSatisfiable: "range-not-satisfiable", "No such part of the file",
        cause "The header `Range` asks for bytes behind the end of the content.",
        cure "Ask for bytes before the length that the header `Content-Range` of the answer names.",
        says "The content has 1024 bytes; bytes=2048- lies behind its end."
        at "http.range";
    Unprocessable: "unprocessable", "A rule is broken",
        cause "The body can be read as FHIR, and breaks a rule of the base specification, of a profile, or of this server.",
        cure "Correct each place that the issues name. `$validate` tells the same without writing.",
        says "MedicationRequest.status is missing: it must be there once."
        at "MedicationRequest.status";
    TooCostly: "too-costly", "The search asks for too much",
        cause "The search has more values, links or rows than one search may have.",
        cure "Search in several steps, or name a parameter that few resources match.",
        says "The parameter code has 700 values; the limit is 500: search in several steps."
        at "http.code";
    TooManyRequests: "too-many-requests", "Too many requests",
        cause "This caller sent more requests than the limit of the server allows in that time.",
        cure "Wait as many seconds as `Retry-After` says, then go on more slowly.",
        says "Too many requests: try again in 5 s.";
    HeadersTooLarge: "headers-too-large", "The headers are too large",
        cause "The headers of the request are above the limit.",
        cure "Send fewer or shorter headers; a search with long values goes as POST to `_search`.",
        says "The headers are above the limit.";
    Internal: "internal", "A fault of the server",
        cause "The server failed. Nothing was changed by the request.",
        cure "Report it with the `X-Request-ID` of the answer: the log has the cause under that id.",
        says "The server failed to handle this request; nothing was changed by it.";
    NotSupported: "not-supported", "Not offered",
        cause "FHIR defines it, and this server does not offer it.",
        cure "See `metadata` for what the server offers, and leave out what the message names.",
        says "The server does not offer `Prefer: respond-async`; send the request without it."
        at "http.prefer";
    Unavailable: "unavailable", "Not now",
        cause "The server is busy or shutting down, or its database does not answer.",
        cure "Try again after as many seconds as `Retry-After` says. With an `Idempotency-Key` a write is not done twice.",
        says "The database is busy: try again in 5 s.";
    TooSlow: "too-slow", "The query takes too long",
        cause "The query took longer than a query may take on this server.",
        cure "Ask for less: the same again would take as long. Name a parameter that few resources match, or a shorter period.",
        says "The query took longer than this server lets a query take: name a parameter that few resources pass.";
    Timeout: "timeout", "Not done in time",
        cause "The work was not done within the time of a request. A write may have happened nevertheless.",
        cure "Send a write again with the same `Idempotency-Key`: it is done once. Without one, read before you repeat it.",
        says "The work was not done within 30 s and was given up: read before you repeat a write.";
    StorageFull: "storage-full", "No room left",
        cause "The disk of the database is full. Nothing was changed.",
        cure "Try again after as many seconds as `Retry-After` says; reading works meanwhile. Whoever runs the server must make room.",
        says "There is no room to store this; nothing was changed.";
}
