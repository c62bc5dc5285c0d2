//! Lost updates: clients race on one id, each with the version it read, and of every version one of them wins (R-010).
//!
//!     cargo test -p fhir-server --test race                    10 rounds of 32 clients
//!     FHIR_TEST_LONG=1 cargo test -p fhir-server --test race   300 rounds

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[expect(
    dead_code,
    reason = "the other tests that have a server process want more of it"
)]
mod process;

use std::sync::Barrier;

use process::{Server, ask, is_long};

const CLIENTS: usize = 32;

/// The version that a write made; `None` where it came too late.
fn update(address: &str, body: &str, expected: usize) -> Option<usize> {
    let headers = format!("Content-Type: application/fhir+json\r\nIf-Match: W/\"{expected}\"\r\n");
    let answer = ask(address, "PUT", "/fhir/Patient/race", &headers, body.as_bytes()).expect("an answer");
    match answer.status {
        200 => {
            let tag = answer
                .head
                .lines()
                .find(|l| l.to_ascii_lowercase().starts_with("etag:"));
            Some(tag.unwrap().split('"').nth(1).unwrap().parse().unwrap())
        }
        412 => None,
        other => panic!(
            "{other}: {}\n{}",
            answer.head,
            String::from_utf8_lossy(&answer.body)
        ),
    }
}

fn body(marker: &str) -> String {
    format!(r#"{{"resourceType":"Patient","id":"race","name":[{{"family":"{marker}"}}]}}"#)
}

#[test]
fn of_clients_that_race_with_if_match_one_wins_each_version() {
    let rounds = if is_long() { 300 } else { 10 };
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&process::sqlite(&folder.path().join("race.sqlite")), &[]);
    let address = &*server.address;
    let first = process::write(address, "PUT", "/Patient/race", &body("first")).unwrap();
    assert_eq!(first.0, 201);
    let barrier = Barrier::new(CLIENTS);
    for round in 1..=rounds {
        let winners: Vec<(usize, usize)> = std::thread::scope(|scope| {
            let clients: Vec<_> = (0..CLIENTS)
                .map(|client| {
                    let barrier = &barrier;
                    scope.spawn(move || {
                        barrier.wait();
                        let made = update(address, &body(&format!("R{round}x{client}")), round)?;
                        Some((client, made))
                    })
                })
                .collect();
            clients
                .into_iter()
                .filter_map(|client| client.join().unwrap())
                .collect()
        });
        assert_eq!(winners.len(), 1, "round {round}: {winners:?}");
        let (client, made) = winners[0];
        assert_eq!(made, round + 1);
        let (status, _, read) = process::write(address, "GET", "/Patient/race", "").unwrap();
        assert!(
            status == 200 && read.contains(&format!("\"R{round}x{client}\"")),
            "{read}"
        );
    }
    let (_, _, history) = process::write(address, "GET", "/Patient/race/_history?_count=1000", "").unwrap();
    let versions: Vec<usize> = history
        .split("\"etag\":\"W/\\\"")
        .skip(1)
        .map(|rest| rest.split('\\').next().unwrap().parse().unwrap())
        .collect();
    assert!(
        versions.iter().copied().eq((1..=rounds + 1).rev()),
        "{versions:?}"
    );
    let times: Vec<&str> = history
        .split("\"lastUpdated\":\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
        .collect();
    // The first is that of the Bundle itself, where it has one.
    let own = &times[times.len() - versions.len()..];
    assert!(own.is_sorted_by(|newer, older| newer >= older), "{own:?}");
}

#[test]
fn of_patches_that_race_without_if_match_none_is_lost() {
    let rounds = if is_long() { 100 } else { 3 };
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&process::sqlite(&folder.path().join("race.sqlite")), &[]);
    let address = &*server.address;
    process::write(address, "PUT", "/Patient/race", &body("first")).unwrap();
    let mut expected = 1;
    for _ in 0..rounds {
        let barrier = Barrier::new(CLIENTS);
        let done: usize = std::thread::scope(|scope| {
            let clients: Vec<_> = (0..CLIENTS)
                .map(|client| {
                    let barrier = &barrier;
                    scope.spawn(move || {
                        barrier.wait();
                        let patch =
                            format!(r#"[{{"op":"add","path":"/name/-","value":{{"family":"c{client}"}}}}]"#);
                        let headers = "Content-Type: application/json-patch+json\r\n";
                        let answer = ask(address, "PATCH", "/fhir/Patient/race", headers, patch.as_bytes());
                        match answer.expect("an answer").status {
                            200 => 1,
                            // Too many came between; the client is told, and nothing was written.
                            409 => 0,
                            other => panic!("{other}"),
                        }
                    })
                })
                .collect();
            clients.into_iter().map(|c| c.join().unwrap()).sum()
        });
        assert!(done > 0);
        expected += done;
    }
    let answer = ask(address, "GET", "/fhir/Patient/race", "", b"").expect("an answer");
    let patient: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(patient["name"].as_array().unwrap().len(), expected);
    assert_eq!(patient["meta"]["versionId"], expected.to_string());
}
