//! Non-interference: an answer says nothing of what the caller may not see.
//!
//! Random stores, callers and requests: the answer under the policy on all that is stored is, byte for byte, the answer without a policy on
//! a store that never held what is hidden, and of which masked elements were never written. What differs by nature is left out: ids of
//! answers, page links, and entity tags of masked views.
//!
//! Some callers have opened records in an emergency, or read the alerts of all.
//!
//! `FHIR_TEST_LONG=1` sends ten thousand requests to the store in memory, and a tenth of that to each database; `FHIR_TEST_ROUNDS` makes as
//! many stores, of 41 requests each, for all; `FHIR_TEST_SEED` begins with another seed.

use std::collections::HashMap;

use serde_json::Value;

use super::world::{self, Dice, Step};
use super::*;
use crate::policy::emergency;

/// Requests to one store.
const A_STORE: usize = 40;

fn rounds() -> (u64, u64) {
    let long = std::env::var("FHIR_TEST_LONG").is_ok_and(|v| v == "1");
    let first = std::env::var("FHIR_TEST_SEED")
        .ok()
        .and_then(|s| s.parse().ok())
        .unwrap_or(1);
    let in_memory = !module_path!().contains("tests_on_");
    let rounds = std::env::var("FHIR_TEST_ROUNDS").ok();
    if let Some(rounds) = rounds.and_then(|text| text.parse().ok()) {
        return (first, rounds);
    }
    match (long, in_memory) {
        (true, true) => (first, 250),
        (true, false) => (first, 25),
        (false, true) => (first, 12),
        (false, false) => (first, 2),
    }
}

fn caller(dice: &mut Dice) -> Principal {
    match dice.below(10) {
        7 | 8 => clinician(dice.pick(&world::DOCTORS), "X01").with_role("emergency"),
        9 => clinician("dr-c", "Y02").with_role("information-governance"),
        0 => patient_herself(dice.pick(&world::PATIENTS)),
        1 => client("client-r", "Y02", "HRESCH"),
        2 => client("client-t", "X01", "TREAT"),
        3 => clinician("dr-a", "X01").with_role("restricted-access"),
        _ => {
            let (_, ods) = dice.pick(&world::ORGANISATIONS);
            clinician(dice.pick(&world::DOCTORS), ods)
        }
    }
}

/// All rules, where some may open records in an emergency.
fn rules() -> Chain {
    let settings = emergency::Settings {
        roles: vec!["emergency".into()],
        ..emergency::Settings::default()
    };
    chain().opening_in_emergency(settings)
}

/// Writes the steps that `shown` gives a content for, or a deletion; each at a second of its own.
fn fill(server: &TestServer, steps: &[Step], shown: &mut dyn FnMut(usize, &Step) -> Option<Option<String>>) {
    for (i, step) in steps.iter().enumerate() {
        server.pass_seconds(1);
        match shown(i, step) {
            Some(Some(body)) => drop(server.put(&step.name, &body).unwrap()),
            Some(None) => drop(server.delete(&step.name).unwrap()),
            None => {}
        }
    }
}

/// The content as it was sent, or as it is masked.
fn as_written(response: &Response) -> String {
    let mut body = json(response);
    let meta = body["meta"].as_object_mut().unwrap();
    meta.remove("versionId");
    meta.remove("lastUpdated");
    if meta.is_empty() {
        body.as_object_mut().unwrap().remove("meta");
    }
    body.to_string()
}

/// The store without what the caller may not see: made by asking for each version of each resource.
fn without_hidden(all: &TestServer, ruled: &TestServer, principal: &Principal, steps: &[Step]) -> TestServer {
    let rest = TestServer::new();
    let mut version: HashMap<String, (usize, bool)> = HashMap::new();
    let start = all.clock.now().0;
    fill(&rest, steps, &mut |_, step| {
        let (number, is_there) = version.entry(step.name.clone()).or_default();
        // What is not there is not deleted: that makes no version.
        if step.body.is_none() && !*is_there {
            return None;
        }
        *number += 1;
        *is_there = step.body.is_some();
        match ruled.get_as(principal, &step.name) {
            Err(error) if error.code != ErrorCode::Gone => return None,
            _ => {}
        }
        let seen = ruled.get_as(principal, &format!("{}/_history/{number}", step.name));
        match (seen, &step.body) {
            (Ok(response), Some(_)) => Some(Some(as_written(&response))),
            (Err(error), None) if error.code == ErrorCode::Gone => Some(None),
            other => panic!("{} version {number}: {other:?}", step.name),
        }
    });
    rest.clock.0.store(start, Ordering::Relaxed);
    rest
}

/// The answer as text, without what differs by nature.
fn plain(result: Result<Response, Error>) -> String {
    let response = match result {
        Err(error) => return format!("{:?} {:?}", error.code, error.issues),
        Ok(response) => response,
    };
    let facts = (
        response.status,
        response.last_modified,
        &response.location,
        &response.issues,
    );
    let body = match &response.payload {
        Payload::Json(json) | Payload::PlainJson(json) => String::from_utf8(json.clone()).unwrap(),
        other => format!("{other:?}"),
    };
    let body = match serde_json::from_str::<Value>(&body) {
        Ok(mut value) => {
            level(&mut value);
            value.to_string()
        }
        Err(_) => body,
    };
    format!("{facts:?}\n{body}")
}

fn level(value: &mut Value) {
    match value {
        Value::Object(members) => {
            if members.get("resourceType").is_some_and(|t| t == "Bundle") {
                members.remove("id");
            }
            // The token of the next page, as GraphQL has it.
            if members.contains_key("edges") && members.get("next").is_some_and(Value::is_string) {
                members.insert("next".into(), "a page".into());
            }
            if let Some(Value::String(url)) = members.get_mut("url")
                && let Some(at) = url.find("_page=")
            {
                url.truncate(at);
            }
            // Of a masked view, see `masked_views_have_entity_tags_of_their_own`.
            members.remove("etag");
            members.values_mut().for_each(level);
        }
        Value::Array(items) => items.iter_mut().for_each(level),
        _ => {}
    }
}

/// What came of all requests.
#[derive(Default)]
struct Tally {
    sent: usize,
    told: usize,
    differ: Vec<String>,
}

/// Where two texts begin to differ, with some of what stands around.
fn difference(a: &str, b: &str) -> String {
    let at = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    let around = |text: &str| {
        let bytes = text.as_bytes();
        let from = at.saturating_sub(160);
        String::from_utf8_lossy(&bytes[from..bytes.len().min(at + 240)]).into_owned()
    };
    format!(
        "under the policy: …{}…\nwithout the hidden: …{}…",
        around(a),
        around(b)
    )
}

fn one_round(seed: u64, tally: &mut Tally) {
    let mut dice = Dice::new(seed);
    let steps = world::steps(&mut dice);
    let all = TestServer::new();
    fill(&all, &steps, &mut |_, step| {
        Some(step.body.as_ref().map(Value::to_string))
    });
    let principal = caller(&mut dice);
    let ruled = all.under(rules());
    let rest = without_hidden(&all, &ruled, &principal, &steps);
    let open = rest.under(Open);
    for i in 0..=A_STORE {
        // What changes the stores comes last: what is written may be hidden from who wrote it.
        let (text, request) = match i < A_STORE {
            true => super::requests::reading(&mut dice),
            false => super::requests::writing(&mut dice),
        };
        let sent_as = |server: &TestServer| server.send_as(&principal, &request);
        let answer = sent_as(&ruled);
        // A resource that the caller may not write at all is refused for its own content.
        if i == A_STORE && matches!(&answer, Err(error) if error.code == ErrorCode::Forbidden) {
            continue;
        }
        // Of who sees only a part, a write is refused: there is no such answer without a policy.
        if i == A_STORE && matches!(&answer, Err(error) if is_partial(error)) {
            continue;
        }
        let (under_policy, without) = (plain(answer), plain(sent_as(&open)));
        if under_policy != without {
            let difference = difference(&under_policy, &without);
            let who = (&principal.name, principal.kind);
            tally
                .differ
                .push(format!("seed {seed}, {text} as {who:?}\n{difference}"));
        }
        tally.sent += 1;
        tally.told += usize::from(under_policy.contains("\"entry\""));
    }
}

fn is_partial(error: &Error) -> bool {
    error.code == ErrorCode::PreconditionFailed
        && error
            .issues
            .iter()
            .any(|issue| issue.diagnostics.starts_with("You see only a part"))
}

/// Lets everything through, and yet is a policy: what would not exist without one is answered as under one.
struct Open;

impl Policy for Open {
    fn decide(
        &self,
        _: &Context,
        _: &crate::policy::Access<'_>,
    ) -> crate::error::Result<crate::policy::Decision> {
        Ok(crate::policy::Decision::permit(Filter::And(Vec::new())))
    }
}

#[test]
fn an_answer_says_nothing_of_what_is_hidden() {
    let (first, count) = rounds();
    let mut tally = Tally::default();
    for seed in first..first + count {
        one_round(seed, &mut tally);
    }
    let Tally { sent, told, differ } = tally;
    println!(
        "{sent} requests from seed {first}, {told} with resources in the answer, {} differ",
        differ.len()
    );
    assert!(
        differ.is_empty(),
        "{} of {sent} answers differ:\n\n{}",
        differ.len(),
        differ
            .iter()
            .take(20)
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join("\n\n")
    );
    assert!(
        told * 10 > sent,
        "hardly an answer holds anything: {told} of {sent}"
    );
}
