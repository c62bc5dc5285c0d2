//! `$graphql`: a GraphQL query on the server or on a resource (<https://hl7.org/fhir/R4/graphql.html>).

use fhir_model::{OperationDefinition, Resource, json};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::{Call, Done, Operation, parameter};
use crate::engine::{Session, not_found};
use crate::error::{Error, ErrorCode, Result};
use crate::graphql::{Page, Query, Records, Start, evaluate};
use crate::interaction::{Interaction, Payload, Request, Response, search};
use crate::store::{Change, Key, ResourceType, Version};

/// `$graphql`
pub(super) struct GraphQl;

impl Operation for GraphQl {
    fn code(&self) -> &'static str {
        "graphql"
    }

    fn definition(&self) -> OperationDefinition {
        let input = |name, min, words| parameter(name, "in", (min, "1"), "string", words);
        OperationDefinition {
            url: "http://hl7.org/fhir/OperationDefinition/Resource-graphql".into(),
            name: "GraphQl".into(),
            status: "active".into(),
            kind: "operation".into(),
            description: "Picks elements of resources, follows references and searches, by a GraphQL query."
                .into(),
            affects_state: false.into(),
            resource: vec!["Resource".into()],
            system: true.into(),
            type_: false.into(),
            instance: true.into(),
            parameter: vec![
                input("query", 1, "The query, in GraphQL."),
                input(
                    "operationName",
                    0,
                    "Which of several operations of the query to run.",
                ),
                input("variables", 0, "The variables' values, as a JSON object."),
                parameter(
                    "return",
                    "out",
                    (1, "1"),
                    "Any",
                    "JSON: the member `data` holds what was asked for.",
                ),
            ],
            ..OperationDefinition::default()
        }
    }

    /// The form that GraphQL itself has over HTTP (<https://graphql.org/learn/serving-over-http/>): an object with `query`, and `operationName`
    /// and `variables` where there are any.
    fn arguments_of_json(&self, body: &[u8]) -> Option<Result<Vec<(String, String)>>> {
        let members: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(body).ok()?;
        if members.contains_key("resourceType") {
            return None;
        }
        let mut arguments = Vec::new();
        for (name, value) in members {
            let text = match (name.as_str(), value) {
                ("operationName" | "variables" | "extensions", serde_json::Value::Null) => continue,
                ("query" | "operationName", serde_json::Value::String(text)) => text,
                ("variables", value @ serde_json::Value::Object(_)) => value.to_string(),
                (_, value) => return Some(Err(odd_member(&name, &value))),
            };
            arguments.push((name, text));
        }
        Some(Ok(arguments))
    }

    fn example(&self, parameter: &str) -> Option<&'static str> {
        (parameter == "query").then_some("{ __typename }")
    }

    fn run<'c>(&'c self, session: &'c mut Session, call: &'c Call<'c>) -> BoxFuture<'c, Result<Done>> {
        async move {
            let text = call.arguments.text("query").unwrap_or_default();
            let name = call.arguments.text("operationName");
            let variables = variables(call.arguments.text("variables"))?;
            let query = Query::parse(&text, name.as_deref(), variables)?;
            let focus = match &call.key {
                Some(key) => Some(current(session, key).await?.ok_or_else(|| not_found(key))?),
                None => None,
            };
            let records = Own {
                session,
                base: &call.request.base,
            };
            let start = focus.as_ref().map_or(Start::System, Start::Resource);
            let data = evaluate(&query, start, &records).await?;
            let json = format!("{{\"data\":{data}}}").into_bytes();
            Ok(Done::Answer(Response::new(200, Payload::PlainJson(json))))
        }
        .boxed()
    }
}

/// The error of a member that a request of GraphQL over HTTP does not have.
fn odd_member(name: &str, value: &serde_json::Value) -> Error {
    let short: String = name.chars().take(60).collect();
    let found: String = value.to_string().chars().take(60).collect();
    let text = format!(
        "The member {short:?} of the body is {found}: a GraphQL request has `query` as a string, and may have `operationName` as a string \
         and `variables` as an object."
    );
    Error::new(ErrorCode::Value, text).at(short)
}

fn variables(text: Option<String>) -> Result<Option<serde_json::Map<String, serde_json::Value>>> {
    let Some(text) = text else { return Ok(None) };
    match serde_json::from_str(&text) {
        Ok(variables) => Ok(Some(variables)),
        Err(error) => {
            let text = format!("variables must be a JSON object: {error}");
            Err(Error::new(ErrorCode::Value, text).at("variables"))
        }
    }
}

/// The records that the session's caller may see.
struct Own<'s> {
    session: &'s Session,
    base: &'s str,
}

impl Records for Own<'_> {
    fn read<'a>(&'a self, reference: &'a str) -> BoxFuture<'a, Result<Option<Resource>>> {
        async move {
            let own = reference
                .strip_prefix(self.base)
                .map_or(reference, |r| r.trim_start_matches('/'));
            let Some((name, id)) = own.split_once('/') else {
                return Ok(None);
            };
            let id = id.split_once("/_history/").map_or(id, |(id, _)| id);
            let Some(resource_type) = ResourceType::from_name(name).filter(|_| !id.contains('/')) else {
                return Ok(None);
            };
            let key = Key {
                resource_type,
                id: id.to_owned(),
            };
            current(self.session, &key).await
        }
        .boxed()
    }

    fn search<'a>(
        &'a self,
        resource_type: ResourceType,
        parameters: Vec<(String, String)>,
    ) -> BoxFuture<'a, Result<Page>> {
        async move {
            let mut request = Request::new(Interaction::SearchType, self.base);
            request.resource_type = Some(resource_type);
            request.query = match parameters.iter().find(|(name, _)| name == "_cursor") {
                // A page's token holds the whole search.
                Some((_, token)) => vec![("_page".to_owned(), token.clone())],
                None => parameters,
            };
            // A parameter that is not understood would make the answer wider.
            request.strict_handling = Some(true);
            let page = search::page(self.session, &request).await?;
            let matches = page.matches.iter().map(|found| resource(&found.version));
            Ok(Page {
                matches: matches.filter_map(Result::transpose).collect::<Result<_>>()?,
                total: page.total,
                size: page.size,
                next: page.next,
            })
        }
        .boxed()
    }
}

/// The resource as it is now, if there is one to be seen.
async fn current(session: &Session, key: &Key) -> Result<Option<Resource>> {
    match session.read(key).await? {
        Some(version) if version.change != Change::Delete => resource(&version),
        _ => Ok(None),
    }
}

fn resource(version: &Version) -> Result<Option<Resource>> {
    let Some(body) = &version.body else {
        return Ok(None);
    };
    let text = body.render(version.version, version.last_updated);
    json::from_slice(&text)
        .map(Some)
        .map_err(|error| Error::internal(error.to_string()))
}
