//! Clients that others wrote work unchanged: fhirpy and fhirclient (Python), fhir-kit-client (Node.js).
//!
//! `tests/clients/install.sh` installs them; without them each test prints a `SKIPPED (needs …)` line and passes.

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

use std::path::{Path, PathBuf};
use std::process::Command;

use process::Server;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/clients")
}

/// Runs a client's script against a sandbox of its own.
fn run(needs: &str, program: &str, installed: &str, script: &str) {
    let installed = folder().join("installed").join(installed);
    if !installed.exists() {
        println!("SKIPPED (needs {needs}: tests/clients/install.sh)");
        return;
    }
    let database = tempfile::tempdir().unwrap();
    let server = Server::start(&process::sqlite(&database.path().join("clients.sqlite")), &[]);
    // A module finds what it imports beside itself.
    let copy = installed.join(script);
    std::fs::copy(folder().join(script), &copy).unwrap();
    let output = Command::new(program.replace("{installed}", &installed.display().to_string()))
        .arg(copy)
        .arg(format!("http://{}/fhir", server.address))
        .output()
        .unwrap();
    if !output.status.success() {
        panic!(
            "{script} failed:\n{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

#[test]
fn fhirpy_writes_searches_and_batches() {
    run("fhirpy", "{installed}/bin/python", "python", "fhirpy_client.py");
}

#[test]
fn fhirclient_writes_searches_and_batches() {
    run(
        "fhirclient",
        "{installed}/bin/python",
        "python",
        "fhirclient_client.py",
    );
}

#[test]
fn fhir_kit_client_writes_searches_and_batches() {
    run("fhir-kit-client", "node", "node", "fhir_kit_client.mjs");
}
