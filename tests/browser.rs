//! A real browser drives the docs site and the record browser; and every command of the README's first five minutes and the tutorial is run.
//!
//! `tests/browser/install.sh` installs what the first needs; without it the test prints a `SKIPPED (needs …)` line and passes.

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

use std::path::{Path, PathBuf};
use std::process::Command;

use process::{Server, ask};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn a_browser_reads_the_docs_tries_requests_and_sees_what_each_person_may_see() {
    let folder = root().join("tests/browser");
    let chromium = std::env::var("CHROMIUM").unwrap_or_else(|_| "/usr/bin/chromium".into());
    if !folder.join("installed/node_modules").exists() || !Path::new(&chromium).exists() {
        println!("SKIPPED (needs a browser: tests/browser/install.sh)");
        return;
    }
    let database = tempfile::tempdir().unwrap();
    let server = Server::start(&process::sqlite(&database.path().join("site.sqlite")), &[]);
    // A module finds what it imports beside itself.
    let copy = folder.join("installed/site.mjs");
    std::fs::copy(folder.join("site.mjs"), &copy).unwrap();
    let output = Command::new("node")
        .arg(copy)
        .arg(format!("http://{}", server.address))
        .output()
        .unwrap();
    if !output.status.success() {
        panic!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

/// The commands in blocks marked `sh`, each with the status that the text after the block states (``Answers `404` ``), or else 200.
fn commands(markdown: &str) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for block in markdown.split("```sh\n").skip(1) {
        let (block, text) = block.split_once("```").expect("the block ends");
        let stated = text
            .trim_start()
            .strip_prefix("Answers `")
            .and_then(|rest| rest.get(..3));
        // A token is for the command after it.
        let mut token = String::new();
        for command in block.replace("\\\n", " ").lines() {
            if command.starts_with("token=") {
                token = format!("{command}; ");
                continue;
            }
            all.push((format!("{token}{command}"), stated.unwrap_or("200").to_owned()));
        }
    }
    all
}

#[test]
fn every_command_of_the_readme_the_tutorial_and_the_first_page_answers_what_the_text_says() {
    if Command::new("curl").arg("--version").output().is_err() {
        println!("SKIPPED (needs curl)");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let database = process::sqlite(&folder.path().join("docs.sqlite"));
    let server = Server::start(&database, &[]);
    let own = format!("--database '{database}' --base http://{}/fhir", server.address);
    let (mut run, mut with_token) = (0, 0);
    for document in [
        "README.md",
        "docs/tutorial.md",
        "fhir-server/src/http/site/pages/home.md",
    ] {
        let text = std::fs::read_to_string(root().join(document)).unwrap();
        let hidden = text
            .lines()
            .find(|line| line.starts_with("    ") && line.trim_start().starts_with("curl "));
        assert_eq!(
            hidden, None,
            "{document}: commands stand in blocks marked `sh`, so that they are run here"
        );
        for (command, status) in commands(&text) {
            with_token += usize::from(command.starts_with("token="));
            let here = command
                .replace("127.0.0.1:8080", &server.address.to_string())
                .replace("cargo run --release --", env!("CARGO_BIN_EXE_fhir-server"))
                .replace("--database sqlite:records.sqlite", &own);
            let asked = here.replacen("curl ", "curl -sS -o /dev/null -w '%{http_code}' ", 1);
            let output = Command::new("sh")
                .arg("-c")
                .arg(asked.replace(" -i ", " "))
                .output()
                .unwrap();
            let told = String::from_utf8_lossy(&output.stdout);
            assert_eq!(told, status, "{document}: {command}");
            run += 1;
        }
    }
    assert!(
        run >= 19 && with_token >= 3,
        "{run} commands were found, {with_token} with a token"
    );
}

#[test]
fn a_code_for_the_site_goes_to_the_site_alone() {
    let database = tempfile::tempdir().unwrap();
    let server = Server::start(&process::sqlite(&database.path().join("codes.sqlite")), &[]);
    let own = format!("http://{}", server.address);
    let status = |uri: &str| {
        let path = format!(
            "/auth/authorize?response_type=code&client_id=fhir-server-site&scope=user/*.rs&state=s&person=dr-a\
             &code_challenge_method=S256&code_challenge={}&aud={own}/fhir&redirect_uri={uri}",
            "a".repeat(43)
        );
        ask(&server.address, "GET", &path, "", b"")
            .expect("an answer")
            .status
    };
    assert_eq!(status(&format!("{own}/docs/")), 303);
    for elsewhere in [
        "http://elsewhere.example/docs/".to_owned(),
        format!("{own}.elsewhere.example/docs/"),
        format!("{own}@elsewhere.example/docs/"),
        format!("{own}/docs/records"),
        format!("{own}/"),
    ] {
        assert_eq!(status(&elsewhere), 400, "{elsewhere}");
    }
}
