//! `$lastn`: the latest observations of each code (<https://hl7.org/fhir/R4/observation-operation-lastn.html>).
//!
//! Observations that share a coding are of one code; without codings, those with the same text.
//!
//! Invariant: what is looked through is bounded; beyond the bound the caller is told to ask more precisely, never given a part.

use std::collections::HashMap;

use fhir_model::{Observation, OperationDefinition, Resource, json};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::{Call, Done, Operation, parameter};
use crate::engine::Session;
use crate::error::{Error, ErrorCode, Result};
use crate::interaction::{Interaction, Payload, Request, Response, search};
use crate::store::Version;

/// `$lastn`
pub(super) struct LastN;

/// Observations looked through at most.
const MOST: usize = 10_000;

impl Operation for LastN {
    fn code(&self) -> &'static str {
        "lastn"
    }

    fn definition(&self) -> OperationDefinition {
        OperationDefinition {
            url: "http://hl7.org/fhir/OperationDefinition/Observation-lastn".into(),
            name: "LastN".into(),
            status: "active".into(),
            kind: "operation".into(),
            description: "The latest observations of each code, among those that a search finds: it takes the search parameters of Observation beside its own.".into(),
            affects_state: false.into(),
            resource: vec!["Observation".into()],
            system: false.into(),
            type_: true.into(),
            instance: false.into(),
            parameter: vec![
                parameter("max", "in", (0, "1"), "positiveInt", "How many of each code; 1 where it is not sent."),
                parameter("return", "out", (1, "1"), "Bundle", "A Bundle of type searchset."),
            ],
            ..OperationDefinition::default()
        }
    }

    fn takes_search_parameters(&self) -> bool {
        true
    }

    fn run<'c>(&'c self, session: &'c mut Session, call: &'c Call<'c>) -> BoxFuture<'c, Result<Done>> {
        async move {
            let max = most(call.arguments.text("max"))?;
            let mut latest = Latest::new(max);
            let mut request = Request::new(Interaction::SearchType, call.request.base.clone());
            request.resource_type = call.resource_type;
            // A criterion that is not understood would let in what was not asked for.
            request.strict_handling = Some(true);
            request.query = call.arguments.search_parameters().to_vec();
            refuse_order(&request.query)?;
            request.query.push(("_sort".into(), "-date".into()));
            request.query.push(("_count".into(), "1000".into()));
            let mut seen = 0;
            loop {
                let page = search::page(session, &request).await?;
                seen += page.matches.len();
                for found in page.matches {
                    latest.look_at(found.version)?;
                }
                let Some(token) = page.next else { break };
                if seen >= MOST {
                    return Err(Error::new(
                        ErrorCode::TooCostly,
                        format!("More than {MOST} observations match: name a patient, codes or dates."),
                    ));
                }
                request.query = vec![("_page".into(), token)];
            }
            search::bundle_of(session, &call.request.base, &latest.kept)
                .map(|json| Done::Answer(Response::new(200, Payload::Json(json))))
        }
        .boxed()
    }
}

/// How many of each code.
fn most(max: Option<String>) -> Result<usize> {
    let Some(text) = max else { return Ok(1) };
    text.parse().ok().filter(|max| *max > 0).ok_or_else(|| {
        let text = format!("max={text} gives no observations: it is how many of each code to give, from 1.");
        Error::new(ErrorCode::Value, text).at("http.max")
    })
}

/// The order and the number are the operation's own.
fn refuse_order(query: &[(String, String)]) -> Result<()> {
    for (name, _) in query {
        if matches!(
            name.as_str(),
            "_sort" | "_count" | "_page" | "_include" | "_revinclude" | "_summary"
        ) {
            let text = format!("$lastn takes no {name}: it gives the latest first, all of them at once.");
            return Err(Error::new(ErrorCode::Value, text).at(format!("http.{name}")));
        }
    }
    Ok(())
}

/// The latest of each code, met in the order of time.
struct Latest {
    max: usize,
    /// The group of each key, and how many each group has.
    groups: HashMap<String, usize>,
    counts: Vec<usize>,
    kept: Vec<Version>,
}

impl Latest {
    fn new(max: usize) -> Self {
        Latest {
            max,
            groups: HashMap::new(),
            counts: Vec::new(),
            kept: Vec::new(),
        }
    }

    fn look_at(&mut self, version: Version) -> Result<()> {
        let Some(body) = &version.body else { return Ok(()) };
        let resource: Resource = json::from_slice(&body.json).map_err(|e| Error::internal(e.to_string()))?;
        let keys = resource.get::<Observation>().map(keys).unwrap_or_default();
        let known = keys.iter().find_map(|key| self.groups.get(key).copied());
        let group = known.unwrap_or_else(|| {
            self.counts.push(0);
            self.counts.len() - 1
        });
        for key in keys {
            self.groups.entry(key).or_insert(group);
        }
        if let Some(count) = self.counts.get_mut(group)
            && *count < self.max
        {
            *count += 1;
            self.kept.push(version);
        }
        Ok(())
    }
}

/// What tells that two observations are of one code.
fn keys(observation: &Observation) -> Vec<String> {
    let Some(code) = observation.code.as_ref() else {
        return Vec::new();
    };
    let codings = code.coding.iter().map(|coding| {
        let part = |text: Option<&str>| text.unwrap_or_default().to_owned();
        format!("{}|{}", part(coding.system.as_str()), part(coding.code.as_str()))
    });
    let keys: Vec<String> = codings.filter(|key| key != "|").collect();
    match keys.is_empty() {
        true => vec![format!("text {}", code.text.as_str().unwrap_or_default())],
        false => keys,
    }
}
