//! `/livez` and `/readyz`, outside the FHIR base.

use utoipa::openapi::path::{HttpMethod, OperationBuilder, PathItem, PathItemBuilder};
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::{ContentBuilder, Object, ServerBuilder, Type};

/// Their tag.
pub(super) const TAG: &str = "Health";

/// The paths, relative to the server's root.
pub(super) fn paths() -> [(&'static str, PathItem); 2] {
    let live = OperationBuilder::new()
        .operation_id(Some("livez"))
        .summary(Some("Does the process answer?"))
        .description(Some("Restart the server where this is not answered."))
        .response("200", plain("It does."));
    let ready = OperationBuilder::new()
        .operation_id(Some("readyz"))
        .summary(Some("Can it take requests?"))
        .description(Some(
            "Send it no requests where this is 503: the database does not answer, or it is shutting down.",
        ))
        .response("200", plain("It can."))
        .response("503", plain("It cannot, and why."));
    let item = |operation: OperationBuilder| {
        PathItemBuilder::new()
            .servers(Some([ServerBuilder::new()
                .url("/")
                .description(Some("The root of this server"))
                .build()]))
            .operation(HttpMethod::Get, operation.tag(TAG).build())
            .build()
    };
    [("/livez", item(live)), ("/readyz", item(ready))]
}

fn plain(words: &str) -> Response {
    let content = ContentBuilder::new()
        .schema(Some(Object::with_type(Type::String)))
        .build();
    ResponseBuilder::new()
        .description(words)
        .content("text/plain", content)
        .build()
}
