//! Events equal requests: of many mixed requests, chosen by a seed and sent by several callers at once, each is told once, with its
//! kind, its outcome and its id, and so is each entry of a Bundle that was done.
//!
//! `FHIR_TEST_LONG=1` sends 100,000; `FHIR_TEST_SEED` repeats the choices of a run.

use std::collections::BTreeMap;

use serde_json::json as of;

use super::audits::{OBSERVATION, audited};
use super::*;
use crate::audit::{Record, interaction_of};
use crate::interaction::Interaction;
use crate::store::{AuditQuery, AuditTest};

const SEED: u64 = 0x5EED_2026_1127_0005;
/// Who send at once.
const CALLERS: u64 = 8;

/// xorshift64*: small, and the same everywhere.
struct Choices(u64);

impl Choices {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) % limit
    }

    /// A patient that may be there, or never is.
    fn patient(&mut self) -> String {
        match self.below(8) {
            0 => "none".to_owned(),
            _ => format!("p{}", self.below(20)),
        }
    }
}

/// What an event is compared by: the request's id, whether it is of an entry, interaction, outcome.
type Line = (String, bool, &'static str, i16);

/// A Bundle's entries, and what is told of each where it is done.
fn bundle(choices: &mut Choices) -> (Value, Vec<Interaction>) {
    let mut kinds = Vec::new();
    let mut written = Vec::new();
    let entries: Vec<Value> = (0..1 + choices.below(4))
        .map(|_| {
            let id = choices.patient();
            let puts = !written.contains(&id);
            match choices.below(3) {
                0 if puts => {
                    kinds.push(Interaction::Update);
                    written.push(id.clone());
                    let active = choices.below(1000);
                    of!({ "request": { "method": "PUT", "url": format!("Patient/{id}") },
                        "resource": { "resourceType": "Patient", "id": id, "multipleBirthInteger": active } })
                }
                1 => {
                    kinds.push(Interaction::Read);
                    of!({ "request": { "method": "GET", "url": format!("Patient/{id}") } })
                }
                _ => {
                    kinds.push(Interaction::Create);
                    of!({ "request": { "method": "POST", "url": "Observation" },
                        "resource": serde_json::from_str::<Value>(OBSERVATION).unwrap() })
                }
            }
        })
        .collect();
    (of!({ "resourceType": "Bundle", "entry": entries }), kinds)
}

fn single(choices: &mut Choices) -> Request {
    let id = choices.patient();
    let patient = format!(
        r#"{{"resourceType":"Patient","id":"{id}","multipleBirthInteger":{}}}"#,
        choices.below(1000)
    );
    let patch = r#"{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"replace"},
        {"name":"path","valueString":"Patient.multipleBirth"},{"name":"value","valueInteger":7}]}]}"#;
    match choices.below(20) {
        0..=4 => request("GET", &format!("Patient/{id}")),
        5 => request("GET", &format!("Patient/{id}/_history/{}", 1 + choices.below(3))),
        6 => request("GET", &format!("Patient/{id}/_history")),
        7 => request("GET", "Patient/_history?_count=2"),
        8 => request("GET", "_history?_count=2"),
        9 | 10 => request("GET", &format!("Observation?subject=Patient/{id}&_count=2")),
        11 => request("GET", "Patient?birthdate=yesterday"),
        12 => request("GET", "?_type=Patient&_count=1"),
        13 | 14 => with_body(request("PUT", &format!("Patient/{id}")), &patient),
        15 => with_body(request("POST", "Observation"), OBSERVATION),
        16 => with_body(request("POST", "Observation"), "{"),
        17 => request("DELETE", &format!("Patient/{id}")),
        18 => with_body(request("PATCH", &format!("Patient/{id}")), patch),
        _ => request("GET", &format!("Patient/{id}/$meta")),
    }
}

fn outcome(status: u16) -> i16 {
    match status {
        0..=399 => 0,
        400..=499 => 4,
        _ => 8,
    }
}

/// Sends one request; what is to be told of it.
fn send(server: &TestServer, id: &str, choices: &mut Choices) -> Vec<Line> {
    let mut context = server.context();
    context.request_id = id.to_owned();
    let session = server.engine.session(context);
    let line = |entry: bool, interaction: Interaction, status: u16| {
        (id.to_owned(), entry, interaction.code(), outcome(status))
    };
    let status = |answer: &Result<Response, Error>| match answer {
        Ok(response) => response.status,
        Err(error) => error.code.facts().status,
    };
    let is_batch = match choices.below(10) {
        0 => true,
        1 => false,
        _ => {
            let mut request = single(choices);
            if choices.below(10) == 0 && request.interaction == Interaction::Update {
                request.if_match = versions(&["999999"]);
            }
            let answer = server.send_in(session, &request);
            return vec![line(false, request.interaction, status(&answer))];
        }
    };
    let (mut body, kinds) = bundle(choices);
    body["type"] = if is_batch { "batch" } else { "transaction" }.into();
    let request = with_body(Request::new(Interaction::Transaction, BASE), &body.to_string());
    let answer = server.send_in(session, &request);
    let kind = if is_batch {
        Interaction::Batch
    } else {
        Interaction::Transaction
    };
    let mut lines = vec![line(false, kind, status(&answer))];
    if let Ok(response) = &answer {
        let answers = json(response);
        for (kind, entry) in kinds.iter().zip(answers["entry"].as_array().unwrap()) {
            let status = entry["response"]["status"].as_str().unwrap();
            lines.push(line(true, *kind, status[..3].parse().unwrap()));
        }
    }
    lines
}

/// What the trail says.
fn told(server: &TestServer) -> BTreeMap<Line, usize> {
    let mut lines = BTreeMap::new();
    let mut from = 0;
    block_on(async {
        let snapshot = server.store.snapshot(server.context().tenant).await.unwrap();
        loop {
            let mut query = AuditQuery::new(vec![AuditTest::Between(from, i64::MAX)], 4096);
            query.oldest_first = true;
            let rows = snapshot.audit(&query).await.unwrap();
            let Some(last) = rows.last() else { return };
            from = last.stamp + 1;
            for row in &rows {
                let record: Record = serde_json::from_slice(&row.entry.record).unwrap();
                let code = interaction_of(row.entry.interaction).unwrap().code();
                let line = (record.request_id, record.entry, code, row.entry.outcome);
                *lines.entry(line).or_default() += 1;
            }
        }
    });
    lines
}

#[test]
fn events_equal_requests() {
    let each = match std::env::var_os("FHIR_TEST_LONG") {
        Some(_) => 100_000 / CALLERS,
        None => 60,
    };
    let seed = std::env::var("FHIR_TEST_SEED").map_or(SEED, |text| text.parse().unwrap());
    println!("{} requests, seed {seed}", each * CALLERS);
    let server = TestServer::with(audited);
    let sent: Vec<Line> = std::thread::scope(|scope| {
        let server = &server;
        let callers: Vec<_> = (1..=CALLERS)
            .map(|caller| {
                scope.spawn(move || {
                    let mut choices = Choices(seed.wrapping_add(caller));
                    let of = |n| send(server, &format!("{caller}-{n}"), &mut choices);
                    (0..each).flat_map(of).collect::<Vec<_>>()
                })
            })
            .collect();
        callers
            .into_iter()
            .flat_map(|caller| caller.join().unwrap())
            .collect()
    });
    let requests = sent.iter().filter(|line| !line.1).count();
    assert_eq!(requests as u64, each * CALLERS);
    let failed = sent.iter().filter(|line| line.3 != 0).count();
    assert!(
        failed > 0 && failed < sent.len() / 2,
        "{failed} of {} failed",
        sent.len()
    );
    let mut expected: BTreeMap<Line, usize> = BTreeMap::new();
    for line in sent {
        *expected.entry(line).or_default() += 1;
    }
    let told = told(&server);
    let differ: Vec<_> = expected
        .iter()
        .filter(|(line, count)| told.get(line) != Some(count))
        .chain(
            told.iter()
                .filter(|(line, count)| expected.get(line) != Some(count)),
        )
        .take(10)
        .collect();
    assert!(differ.is_empty(), "seed {seed}: {differ:#?}");
    let rows = told.values().sum::<usize>();
    println!("{requests} requests, {rows} rows, {failed} of them of failures");
    block_on(async {
        server.engine.seal().await.unwrap();
        let verified = server.engine.verify_audit(&[]).await.unwrap();
        assert!(verified[0].findings.is_empty(), "{:?}", verified[0].findings);
        assert_eq!(verified[0].sealed, rows as u64);
    });
}
