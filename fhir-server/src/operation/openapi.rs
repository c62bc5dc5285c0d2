//! `$openapi`: the OpenAPI document of what the server offers, the same as at `/openapi.json`, and on a type that of the type, the same as
//! at `/openapi/[type].json`.

use fhir_model::OperationDefinition;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::{Call, Done, Operation, parameter};
use crate::engine::Session;
use crate::error::Result;
use crate::interaction::uri::split_origin;
use crate::interaction::{Payload, Response};
use crate::openapi::{document, document_of};

/// `$openapi`
pub(super) struct OpenApi;

impl Operation for OpenApi {
    fn code(&self) -> &'static str {
        "openapi"
    }

    fn definition(&self) -> OperationDefinition {
        OperationDefinition {
            name: "OpenApi".into(),
            status: "active".into(),
            kind: "operation".into(),
            description: "The OpenAPI document of what this server offers, on a type of what it offers for that type, as JSON.".into(),
            affects_state: false.into(),
            system: true.into(),
            type_: true.into(),
            resource: vec!["Resource".into()],
            instance: false.into(),
            parameter: vec![parameter(
                "return",
                "out",
                (1, "1"),
                "Any",
                "JSON: an OpenAPI 3.1 document.",
            )],
            ..OperationDefinition::default()
        }
    }

    fn run<'c>(&'c self, session: &'c mut Session, call: &'c Call<'c>) -> BoxFuture<'c, Result<Done>> {
        async move {
            let base = &call.request.base;
            let base = split_origin(base)
                .map_or(base.as_str(), |(_, path)| path)
                .to_owned();
            let resource_type = call.request.resource_type;
            let json = session
                .apart(move || match resource_type {
                    Some(resource_type) => document_of(&base, resource_type),
                    None => document(&base),
                })
                .await??;
            Ok(Done::Answer(Response::new(
                200,
                Payload::PlainJson(json.into_bytes()),
            )))
        }
        .boxed()
    }
}
