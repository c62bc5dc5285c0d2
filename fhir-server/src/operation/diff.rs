//! `$diff`: what changed between two versions of a resource, as a FHIRPath Patch
//! (<https://hl7.org/fhir/R4/fhirpatch.html>) that makes the later one of the earlier.
//!
//! FHIR defines no such operation; the definition is the server's own.

use fhir_model::reflect::SlotMut;
use fhir_model::{OperationDefinition, Resource};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::{Call, Done, Operation, parameter};
use crate::engine::{Received, Session, not_found};
use crate::error::{Error, ErrorCode, Result};
use crate::interaction::{Payload, Response};
use crate::patch;
use crate::store::{Key, Version};

/// `$diff`
pub(super) struct Diff;

impl Operation for Diff {
    fn code(&self) -> &'static str {
        "diff"
    }

    fn definition(&self) -> OperationDefinition {
        OperationDefinition {
            name: "Diff".into(),
            status: "active".into(),
            kind: "operation".into(),
            description: "What changed between two versions of a resource, as a FHIRPath Patch that makes the later one of \
                          the earlier. Version and time of the last change are not compared."
                .into(),
            affects_state: false.into(),
            resource: vec!["Resource".into()],
            system: false.into(),
            type_: false.into(),
            instance: true.into(),
            parameter: vec![
                parameter("fromVersion", "in", (0, "1"), "string", "The earlier version. Default: the one before."),
                parameter("toVersion", "in", (0, "1"), "string", "The later version. Default: the current one."),
                parameter("return", "out", (1, "1"), "Parameters", "The patch."),
            ],
            ..OperationDefinition::default()
        }
    }

    fn run<'c>(&'c self, session: &'c mut Session, call: &'c Call<'c>) -> BoxFuture<'c, Result<Done>> {
        async move {
            let key = call.the_key()?;
            let to = match named(call, "toVersion")? {
                Some(number) => version(session, key, number).await?,
                None => session.read(key).await?.ok_or_else(|| not_found(key))?,
            };
            let from = match named(call, "fromVersion")? {
                Some(number) => number,
                None if to.version == 1 => return Err(no_earlier(key)),
                None => to.version - 1,
            };
            let from = version(session, key, from).await?;
            let (before, after) = (content(session, &from)?, content(session, &to)?);
            match patch::diff(&before, &after) {
                Ok(json) => Ok(Done::Answer(Response::new(200, Payload::Json(json)))),
                Err(patch::TooMany) => {
                    let text = "The versions differ in more places than one patch may change: read both.";
                    Err(Error::new(ErrorCode::Unprocessable, text))
                }
            }
        }
        .boxed()
    }
}

/// The number of a version that an argument names.
fn named(call: &Call<'_>, name: &str) -> Result<Option<i64>> {
    let Some(text) = call.arguments.text(name) else {
        return Ok(None);
    };
    let number = text
        .parse::<i64>()
        .ok()
        .filter(|n| *n > 0 && n.to_string() == text);
    match number {
        Some(number) => Ok(Some(number)),
        None => {
            let shown: String = text.chars().take(60).collect();
            let text = format!("{shown:?} is no version: versions count from 1.");
            Err(Error::new(ErrorCode::Value, text).at(format!("http.{name}")))
        }
    }
}

async fn version(session: &Session, key: &Key, number: i64) -> Result<Version> {
    let found = session.vread(key, number).await?;
    found.ok_or_else(|| {
        let text = format!("There is no version {number} of {key}.");
        Error::new(ErrorCode::NotFound, text)
    })
}

fn no_earlier(key: &Key) -> Error {
    let text = format!("Version 1 of {key} is its first: there is none before it to compare with.");
    Error::new(ErrorCode::NotFound, text)
}

/// What a version holds, without its stamp.
fn content(session: &Session, version: &Version) -> Result<Resource> {
    let Some(body) = &version.body else {
        let text = format!(
            "Version {} of {} is its deletion, which has nothing to compare.",
            version.version, version.key
        );
        return Err(Error::new(ErrorCode::Gone, text));
    };
    let mut resource = Received::from_json(body.json.clone().into(), session.settings())?.resource;
    // A resource as it is read always has a meta, if only for its stamp: that is what a patch will find.
    let complex = resource.as_complex_mut();
    let meta = complex.type_info().field("meta").map(|(index, _)| index);
    if let Some(SlotMut::Complex(meta)) = meta.and_then(|index| complex.slot_mut(index)) {
        meta.get_or_insert();
    }
    Ok(resource)
}
