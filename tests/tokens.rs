//! Tokens of a sandbox's people against the real binary: `fhir-server token`, and the authority's endpoints.

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

use std::process::Command;

use process::{Server, ask};

/// A token for somebody of that sandbox.
fn token(server: &Server, database: &str, arguments: &[&str]) -> String {
    let base = format!("http://{}/fhir", server.address);
    let output = Command::new(env!("CARGO_BIN_EXE_fhir-server"))
        .args(["token", "--database", database, "--base", &base])
        .args(arguments)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    text.trim().to_owned()
}

fn read(server: &Server, path: &str, token: Option<&str>) -> (u16, String) {
    let header = token.map_or_else(String::new, |token| format!("Authorization: Bearer {token}\r\n"));
    let answer = ask(&server.address, "GET", path, &header, b"").expect("an answer");
    (answer.status, String::from_utf8(answer.body).unwrap())
}

#[test]
fn a_token_from_the_command_line_is_held_to_its_person_and_scopes() {
    let folder = tempfile::tempdir().unwrap();
    let database = process::sqlite(&folder.path().join("tokens.sqlite"));
    let server = Server::start(&database, &[]);
    let doctor = token(
        &server,
        &database,
        &["--as", "dr-a", "--scope", "user/Patient.rs"],
    );
    assert_eq!(
        read(&server, "/fhir/Patient/pat-amira-khan", Some(&doctor)).0,
        200
    );
    assert_eq!(read(&server, "/fhir/Observation?_count=1", Some(&doctor)).0, 403);
    let patient = token(&server, &database, &["--as", "patient-1"]);
    assert_eq!(
        read(&server, "/fhir/Patient/pat-amira-khan", Some(&patient)).0,
        200
    );
    assert_eq!(
        read(&server, "/fhir/Patient/pat-david-okafor", Some(&patient)).0,
        404
    );
    let (status, found) = read(&server, "/fhir/Observation?_count=1000", Some(&patient));
    assert_eq!(status, 200);
    assert!(found.contains("pat-amira-khan") && !found.contains("pat-david-okafor"));
    assert_eq!(
        read(&server, "/fhir/Patient/pat-amira-khan", Some("x.y.z")).0,
        401
    );
    assert_eq!(
        read(&server, "/fhir/Patient/pat-amira-khan", None).0,
        200,
        "the sandbox's clinician"
    );
    // The key outlives the process.
    drop(server);
    let again = Server::start(&database, &[]);
    let same = token(&again, &database, &["--as", "prac-helen-ashworth"]);
    assert_eq!(read(&again, "/fhir/Patient/pat-amira-khan", Some(&same)).0, 200);
    assert_eq!(
        read(&again, "/fhir/Patient/pat-amira-khan", Some(&doctor)).0,
        401,
        "of another address"
    );
}

#[test]
fn somebody_who_is_not_there_gets_no_token() {
    let folder = tempfile::tempdir().unwrap();
    let database = process::sqlite(&folder.path().join("none.sqlite"));
    for arguments in [
        &["token", "--as", "nobody", "--database", &database][..],
        &[
            "token",
            "--as",
            "dr-a",
            "--scope",
            "user/Patient.sr",
            "--database",
            &database,
        ],
        &["token", "--as", "dr-a"],
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_fhir-server"))
            .args(arguments)
            .output()
            .unwrap();
        assert!(
            !output.status.success() && output.stdout.is_empty(),
            "{arguments:?}"
        );
        assert!(!output.stderr.is_empty());
    }
}
