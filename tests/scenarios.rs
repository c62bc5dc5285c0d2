//! Every scenario of the OpenAPI document that a sandbox serves is sent to it, and answered as the document says.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

#[expect(
    dead_code,
    reason = "the other tests that have a server process want more of it"
)]
mod process;

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use process::{Answer, Server, ask};
use serde_json::Value;

/// A sandbox, and the tokens that its people were given.
struct Sandbox {
    server: Server,
    database: String,
    tokens: BTreeMap<String, String>,
}

impl Sandbox {
    /// A token for a person, with scopes where they follow the name.
    fn token(&mut self, person: &str) -> String {
        if let Some(known) = self.tokens.get(person) {
            return known.clone();
        }
        let base = format!("http://{}/fhir", self.server.address);
        let mut command = Command::new(env!("CARGO_BIN_EXE_fhir-server"));
        command.args(["token", "--database", &self.database, "--base", &base]);
        match person.split_once(' ') {
            Some((name, scope)) => command.args(["--as", name, "--scope", scope]),
            None => command.args(["--as", person]),
        };
        let output = command.output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let token = String::from_utf8(output.stdout).unwrap().trim().to_owned();
        self.tokens.insert(person.to_owned(), token.clone());
        token
    }

    fn send(&mut self, request: &Value) -> Answer {
        let text = |name: &str| request[name].as_str();
        let mut headers = String::new();
        for (name, value) in request["headers"].as_object().into_iter().flatten() {
            headers.push_str(&format!("{name}: {}\r\n", value.as_str().unwrap()));
        }
        if let Some(person) = text("as") {
            headers.push_str(&format!("Authorization: Bearer {}\r\n", self.token(person)));
        }
        let body = request.get("body").map(Value::to_string);
        if body.is_some() {
            headers.push_str("Content-Type: application/fhir+json\r\n");
        }
        let path = format!("/fhir{}", text("path").unwrap());
        let body = body.unwrap_or_default();
        ask(
            &self.server.address,
            text("method").unwrap(),
            &path,
            &headers,
            body.as_bytes(),
        )
        .expect("an answer")
    }

    fn reset(&self) {
        let answer = ask(&self.server.address, "POST", "/sandbox/$reset", "", b"").expect("an answer");
        assert_eq!(answer.status, 200);
    }
}

/// Where what was found has less than was expected.
fn missing(expected: &Value, found: &Value, place: &str) -> Vec<String> {
    match expected {
        Value::Object(members) => {
            let inside = members
                .iter()
                .flat_map(|(name, value)| missing(value, &found[name], &format!("{place}.{name}")));
            inside.collect()
        }
        Value::Array(items) => {
            let inside = items
                .iter()
                .enumerate()
                .flat_map(|(n, value)| missing(value, &found[n], &format!("{place}[{n}]")));
            inside.collect()
        }
        _ if expected == found => Vec::new(),
        _ => vec![format!("{place}: {found} instead of {expected}")],
    }
}

fn wrong(row: &Value, answer: &Answer) -> Vec<String> {
    let expected = &row["answer"];
    let mut wrong = missing(&expected["status"], &answer.status.into(), "status");
    let head = answer.head.to_ascii_lowercase();
    for (name, value) in expected["headers"].as_object().into_iter().flatten() {
        let line = format!("{name}: {}", value.as_str().unwrap()).to_ascii_lowercase();
        if !head.lines().any(|one| one == line) {
            wrong.push(format!("no {line} in {head}"));
        }
    }
    match expected.get("body") {
        Some(body) => match serde_json::from_slice(&answer.body) {
            Ok(found) => wrong.extend(missing(body, &found, "")),
            Err(error) => wrong.push(error.to_string()),
        },
        None if answer.body.is_empty() => {}
        None => wrong.push(String::from_utf8_lossy(&answer.body).into_owned()),
    }
    wrong
}

#[test]
fn every_scenario_of_the_document_is_answered_as_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let database = process::sqlite(&folder.path().join("scenarios.sqlite"));
    let server = Server::start(&database, &[]);
    let mut sandbox = Sandbox {
        server,
        database,
        tokens: BTreeMap::new(),
    };
    let served = ask(&sandbox.server.address, "GET", "/openapi.json", "", b"").expect("an answer");
    let document: Value = serde_json::from_slice(&served.body).unwrap();
    let page = ask(&sandbox.server.address, "GET", "/docs/scenarios", "", b"").expect("an answer");
    let page = String::from_utf8(page.body).unwrap();
    let mut seen: BTreeMap<String, BTreeSet<u64>> = BTreeMap::new();
    let mut failures = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            for row in operation["x-scenarios"].as_array().into_iter().flatten() {
                let told = row["scenario"].as_str().unwrap();
                let asked = row["request"]["path"].as_str().unwrap();
                // It is a request of the operation that it stands at, and told in words there and on the site.
                let own = path.split_once("/{id}").map_or(path.as_str(), |(start, _)| start);
                assert_eq!(row["request"]["method"], method.to_ascii_uppercase(), "{told}");
                assert!(asked.starts_with(own), "{told}");
                assert!(
                    operation["description"]
                        .as_str()
                        .unwrap()
                        .contains(&format!("| {told} |")),
                    "{told}"
                );
                assert!(page.contains(&asked.replace('&', "&amp;")), "{asked}");
                let status = row["answer"]["status"].as_u64().unwrap();
                assert!(
                    operation["responses"].get(status.to_string()).is_some(),
                    "{path}: {status}"
                );
                for before in row["after"].as_array().into_iter().flatten() {
                    assert!(sandbox.send(before).status < 300, "{told}");
                }
                let answer = sandbox.send(&row["request"]);
                let wrong = wrong(row, &answer);
                if !wrong.is_empty() {
                    failures.push(format!("{method} {path}: {told}: {wrong:?}"));
                }
                let kind = operation["tags"][0].as_str().unwrap();
                seen.entry(kind.to_owned()).or_default().insert(status);
                if method != "get" || row.get("after").is_some() {
                    sandbox.reset();
                }
            }
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
    let all = BTreeSet::from([200, 201, 204, 304, 400, 401, 403, 404, 410, 412, 422, 429, 503]);
    for kind in ["Patient", "Encounter", "MedicationRequest", "Consent"] {
        assert_eq!(seen.get(kind), Some(&all), "{kind}");
    }
}
