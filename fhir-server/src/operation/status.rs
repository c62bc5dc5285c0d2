//! `$status` of a SearchParameter that is stored, or of all: whether searches by it are answered, and how far indexing for it is.

use fhir_model::{AnyValue, OperationDefinition, Parameters, ParametersParameter, Resource, json};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::{Call, Done, Operation, parameter};
use crate::engine::{Session, not_found};
use crate::error::Result;
use crate::interaction::{Payload, Response};
use crate::search::registry::{Added, Numbering, Standing};
use crate::store::{Change, Key};

/// `$status`
pub(super) struct Status;

impl Operation for Status {
    fn code(&self) -> &'static str {
        "status"
    }

    fn definition(&self) -> OperationDefinition {
        OperationDefinition {
            name: "SearchParameterStatus".into(),
            status: "active".into(),
            kind: "operation".into(),
            description: "Whether searches by the SearchParameters that are stored are answered, and how far indexing for them is.".into(),
            affects_state: false.into(),
            resource: vec!["SearchParameter".into()],
            system: false.into(),
            type_: true.into(),
            instance: true.into(),
            parameter: vec![parameter(
                "return",
                "out",
                (1, "1"),
                "Parameters",
                "A part `searchParameter` for each: `reference`, `url`, `code`, `state` (in-use, being-indexed, waiting, inactive, \
                 defined-by-r4 or faulty), the `reason` of a fault and, while resources are indexed, how many `percent` of them are \
                 done, `done` and `total`.",
            )],
            ..OperationDefinition::default()
        }
    }

    fn run<'c>(&'c self, session: &'c mut Session, call: &'c Call<'c>) -> BoxFuture<'c, Result<Done>> {
        async move {
            let registry = session.searchable().await?;
            let numbering = session.numbering().await?;
            let mut parts = Vec::new();
            for added in registry.added() {
                let is_asked = call.key.as_ref().is_none_or(|key| key.id == added.id);
                if is_asked && is_there(session, added).await? {
                    parts.push(part(added, &numbering));
                }
            }
            if let Some(key) = call.key.as_ref().filter(|_| parts.is_empty()) {
                return Err(not_found(key));
            }
            let resource = Resource::from(Parameters {
                parameter: parts,
                ..Parameters::default()
            });
            Ok(Done::Answer(Response::new(
                200,
                Payload::Json(json::to_vec(&resource)),
            )))
        }
        .boxed()
    }
}

/// Whether the caller may see it.
async fn is_there(session: &Session, added: &Added) -> Result<bool> {
    let Some(resource_type) = crate::search::registry::search_parameter() else {
        return Ok(false);
    };
    let key = Key {
        resource_type,
        id: added.id.clone(),
    };
    let found = session.read(&key).await?;
    Ok(found.is_some_and(|version| version.change != Change::Delete))
}

fn part(added: &Added, numbering: &Numbering) -> ParametersParameter {
    let text = |name: &str, value: &str| value_of(name, AnyValue::String(value.into()));
    let mut parts = vec![
        text("reference", &format!("SearchParameter/{}", added.id)),
        value_of("url", AnyValue::Uri(added.url.as_str().into())),
        value_of("code", AnyValue::Code(added.code.as_str().into())),
        value_of("state", AnyValue::Code(added.standing.code().into())),
    ];
    if let Standing::Faulty(why) = &added.standing {
        parts.push(text("reason", why));
    }
    if let (Standing::Indexing, Some(pass)) = (&added.standing, &numbering.pass) {
        let number = |value: u64| i32::try_from(value).unwrap_or(i32::MAX);
        parts.push(value_of(
            "percent",
            AnyValue::Integer(i32::from(pass.percent()).into()),
        ));
        parts.push(value_of("done", AnyValue::Integer(number(pass.done).into())));
        parts.push(value_of("total", AnyValue::Integer(number(pass.total).into())));
    }
    ParametersParameter {
        name: "searchParameter".into(),
        part: parts,
        ..ParametersParameter::default()
    }
}

fn value_of(name: &str, value: AnyValue) -> ParametersParameter {
    ParametersParameter {
        name: name.into(),
        value: Some(value),
        ..ParametersParameter::default()
    }
}
