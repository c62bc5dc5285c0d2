//! `$meta`: the profiles, tags and security labels of a resource
//! (<https://hl7.org/fhir/R4/resource-operation-meta.html>); and what `$meta-add` and `$meta-delete` share.

use fhir_model::json::Tree;
use fhir_model::read::Limits;
use fhir_model::{Meta, OperationDefinition, OperationDefinitionParameter, json};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::{Call, Done, Operation, Staged, meta_used, parameter};
use crate::engine::{Draft, Received, Session, Written, not_found};
use crate::error::{Error, ErrorCode, Result};
use crate::interaction::{Payload, Response, update};
use crate::store::Change;

/// `$meta`
pub(super) struct MetaOperation;

impl Operation for MetaOperation {
    fn code(&self) -> &'static str {
        "meta"
    }

    fn definition(&self) -> OperationDefinition {
        OperationDefinition {
            description: "The profiles, tags and security labels of a resource, with its version; of a type or the server, those in use.".into(),
            affects_state: false.into(),
            system: true.into(),
            type_: true.into(),
            ..definition(
                "Meta",
                "http://hl7.org/fhir/OperationDefinition/Resource-meta",
                Vec::new(),
            )
        }
    }

    fn run<'c>(&'c self, session: &'c mut Session, call: &'c Call<'c>) -> BoxFuture<'c, Result<Done>> {
        async move {
            if call.key.is_none() {
                let used = meta_used::meta(session, call.resource_type).await?;
                return Ok(Done::Answer(with_meta(&used)));
            }
            let key = call.the_key()?;
            let version = session.read(key).await?.ok_or_else(|| not_found(key))?;
            let Some(body) = &version.body else {
                return Err(Error::new(ErrorCode::Gone, format!("{key} was deleted.")));
            };
            answer(&body.render(version.version, version.last_updated)).map(Done::Answer)
        }
        .boxed()
    }
}

/// What the definitions of the three have in common.
pub(super) fn definition(
    name: &str,
    url: &str,
    mut parameters: Vec<OperationDefinitionParameter>,
) -> OperationDefinition {
    let words = "The profiles, tags and security labels of the resource.";
    parameters.push(parameter("return", "out", (1, "1"), "Meta", words));
    OperationDefinition {
        url: url.into(),
        name: name.into(),
        status: "active".into(),
        kind: "operation".into(),
        resource: vec!["Resource".into()],
        system: false.into(),
        type_: false.into(),
        instance: true.into(),
        parameter: parameters,
        ..OperationDefinition::default()
    }
}

/// The parameter of the two that change something.
pub(super) fn given(words: &str) -> OperationDefinitionParameter {
    parameter("meta", "in", (1, "1"), "Meta", words)
}

/// The answer for a resource in JSON: its meta as it stands there.
fn answer(resource: &[u8]) -> Result<Response> {
    let tree = read(resource)?;
    let meta = tree.get("meta").map_or_else(|| b"{}".to_vec(), Tree::to_vec);
    Ok(with_meta(&meta))
}

/// The answer with that Meta in JSON; without anything in it there is none.
fn with_meta(meta: &[u8]) -> Response {
    if meta == b"{}" {
        return Response::new(200, Payload::Json(br#"{"resourceType":"Parameters"}"#.to_vec()));
    }
    let mut json = br#"{"resourceType":"Parameters","parameter":[{"name":"return","valueMeta":"#.to_vec();
    json.extend_from_slice(meta);
    json.extend_from_slice(b"}]}");
    Response::new(200, Payload::Json(json))
}

/// The answer once a change is committed.
fn written(written: &Written) -> Result<Response> {
    let (Some((version, at)), Some(body)) = (written.version(), &written.body) else {
        return Err(Error::internal("a change of meta without a version"));
    };
    let mut response = answer(&body.render(version, at))?;
    response.version = Some(version);
    response.last_modified = Some(at);
    Ok(response)
}

/// JSON of our own, whose limits were checked when it came in.
pub(super) fn read(json: &[u8]) -> Result<Tree<'_>> {
    let limits = Limits {
        bytes: usize::MAX,
        depth: 256,
        elements: usize::MAX,
        ..Limits::default()
    };
    Tree::read(json, &limits).map_err(|error| Error::internal(error.to_string()))
}

/// The lists of a Meta that the operations are about.
pub(super) const LISTS: [&str; 3] = ["profile", "security", "tag"];

/// Changes the meta of the resource that a call is on, and stages it: `change` is given the list of that name and one item
/// of the argument.
pub(super) async fn stage(
    session: &mut Session,
    call: &Call<'_>,
    change: fn(&mut Tree<'_>, &str, &Tree<'_>),
) -> Result<Done> {
    let key = call.the_key()?;
    let given = argument(call)?;
    let given = read(&given)?;
    let by = session.access(call.request)?;
    let current = session
        .read_to_change(key, &by)
        .await?
        .ok_or_else(|| not_found(key))?;
    let Some(body) = current.body.as_ref().filter(|_| current.change != Change::Delete) else {
        return Err(Error::new(ErrorCode::Gone, format!("{key} was deleted.")));
    };
    update::conditions(call.request).check(key, &current)?;
    let before = body.render(current.version, current.last_updated);
    let mut tree = read(&before)?;
    if tree.get("meta").is_none() {
        tree.set("meta", Tree::Object(Vec::new()));
    }
    if let Some(meta) = tree.get_mut("meta") {
        for list in LISTS {
            for item in given.get(list).map(Tree::items).unwrap_or_default() {
                change(meta, list, item);
            }
        }
    }
    let received = Received::from_json(tree.to_vec().into(), session.settings())?;
    let draft = Draft {
        part: received.whole()?,
        edits: &[],
        explains: false,
    };
    let ticket = session
        .stage_change(key.clone(), &draft, current.version, call.entry, &by)
        .await?;
    Ok(Done::Staged(Staged {
        ticket,
        answer: written,
    }))
}

/// The argument as JSON. What the operations do not change is not passed over.
fn argument(call: &Call<'_>) -> Result<Vec<u8>> {
    let place = "Parameters.parameter[0].valueMeta";
    let value = call.arguments.one("meta").and_then(|p| p.value.as_ref());
    let Some(fhir_model::AnyValue::Meta(meta)) = value else {
        return Err(Error::internal("an argument of a type that was not checked"));
    };
    let meta: &Meta = meta;
    let json = json::to_vec_of(meta);
    let tree = read(&json)?;
    let odd = tree.members().iter().map(|(name, _)| name.value().into_owned());
    if let Some(odd) = odd.into_iter().find(|name| !LISTS.contains(&name.as_str())) {
        let text = format!("The operation is about profile, security and tag; it cannot change {odd}.");
        return Err(Error::new(ErrorCode::Invalid, text).at(format!("{place}.{odd}")));
    }
    Ok(json)
}

/// Whether two items of such a list are the same: profiles by their URL, tags and labels by system and code.
pub(super) fn same(a: &Tree<'_>, b: &Tree<'_>) -> bool {
    let text = |tree: &Tree<'_>, name: &str| tree.get(name).and_then(|t| t.as_str().map(|t| t.into_owned()));
    match (a, b) {
        (Tree::Object(_), Tree::Object(_)) => {
            text(a, "system") == text(b, "system") && text(a, "code") == text(b, "code")
        }
        (a, b) => a.same(b),
    }
}
