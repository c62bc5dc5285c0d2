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

/// A token that the authority gives the doctor for that FHIR base, by a code as an app gets it (verifier and challenge of RFC 7636, appendix B).
fn by_code(server: &Server, audience: &str) -> String {
    let own = format!("http://{}", server.address);
    let path = format!(
        "/auth/authorize?response_type=code&client_id=fhir-server-site&scope=user/*.rs&state=s&person=dr-a\
         &code_challenge_method=S256&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM\
         &aud={audience}&redirect_uri={own}/docs/"
    );
    let back = ask(&server.address, "GET", &path, "", b"").expect("an answer");
    assert_eq!(back.status, 303, "{audience}");
    let code = back
        .head
        .split("code=")
        .nth(1)
        .and_then(|rest| rest.split('&').next())
        .expect("a code");
    let form = format!(
        "grant_type=authorization_code&client_id=fhir-server-site&code={code}&redirect_uri={own}/docs/\
         &code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    );
    let header = "Content-Type: application/x-www-form-urlencoded\r\n";
    let given = ask(&server.address, "POST", "/auth/token", header, form.as_bytes()).expect("an answer");
    assert_eq!(given.status, 200, "{}", String::from_utf8_lossy(&given.body));
    let given: serde_json::Value = serde_json::from_slice(&given.body).unwrap();
    let token = given.get("access_token").and_then(|token| token.as_str());
    token.expect("a token").to_owned()
}

#[test]
fn a_token_for_one_space_is_refused_in_every_other_and_in_the_shared_sandbox() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(&process::sqlite(&folder.path().join("spaces.sqlite")), &[]);
    for space in ["ada", "ben"] {
        let opened = ask(&server.address, "PUT", &format!("/sandbox/{space}"), "", b"").expect("an answer");
        assert_eq!(opened.status, 201, "{space}");
    }
    let bases = ["/sandbox/ada/fhir", "/sandbox/ben/fhir", "/fhir"];
    for own in bases {
        let token = by_code(&server, &format!("http://{}{own}", server.address));
        for base in bases {
            let (status, body) = read(&server, &format!("{base}/Patient/pat-amira-khan"), Some(&token));
            assert_eq!(
                status,
                if base == own { 200 } else { 401 },
                "a token for {own} at {base}"
            );
            assert_eq!(body.contains("Khan"), base == own, "a token for {own} at {base}");
        }
    }
}

#[test]
fn the_national_data_opt_out_hides_from_research_alone_by_its_own_category() {
    let folder = tempfile::tempdir().unwrap();
    let database = process::sqlite(&folder.path().join("opt-out.sqlite"));
    let server = Server::start(&database, &[]);
    let researcher = token(&server, &database, &["--as", "researcher"]);
    let doctor = token(&server, &database, &["--as", "dr-a"]);
    let seen = |token: &str| read(&server, "/fhir/Patient/pat-amira-khan", Some(token)).0;
    assert_eq!(
        (seen(&researcher), seen(&doctor)),
        (200, 200),
        "she shares her whole record"
    );
    let opt_out = r#"{"resourceType":"Consent","id":"opt-out","status":"active",
        "scope":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/consentscope","code":"patient-privacy"}]},
        "category":[{"coding":[{"system":"https://fhir.nhs.uk/CodeSystem/consent-category","code":"national-data-opt-out"}]}],
        "patient":{"reference":"Patient/pat-amira-khan"},
        "policyRule":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"OPTIN"}]}}"#;
    let header = "Content-Type: application/fhir+json\r\n";
    let written = ask(
        &server.address,
        "PUT",
        "/fhir/Consent/opt-out",
        header,
        opt_out.as_bytes(),
    )
    .expect("an answer");
    assert_eq!(written.status, 201, "{}", String::from_utf8_lossy(&written.body));
    assert_eq!((seen(&researcher), seen(&doctor)), (404, 200));
    // The category alone does it, whatever else the Consent says: with another one it opts in.
    let other = opt_out.replace("national-data-opt-out", "care-record-sharing");
    let written = ask(
        &server.address,
        "PUT",
        "/fhir/Consent/opt-out",
        header,
        other.as_bytes(),
    )
    .expect("an answer");
    assert_eq!(written.status, 200, "{}", String::from_utf8_lossy(&written.body));
    assert_eq!((seen(&researcher), seen(&doctor)), (200, 200));
}

/// A port that nobody listens at.
fn free_port() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port().to_string()
}

#[test]
fn each_command_of_the_page_about_tokens_does_what_it_says() {
    let has = |program: &&str| Command::new(program).arg("--version").output().is_ok();
    if !["bash", "curl", "jq", "openssl"].iter().all(has) {
        println!("SKIPPED (needs bash, curl, jq and openssl)");
        return;
    }
    let page = include_str!("../docs/tokens.md");
    let blocks = page.split("```sh\n").skip(1);
    let blocks: Vec<&str> = blocks.filter_map(|block| block.split("```").next()).collect();
    assert!(blocks.len() >= 10, "{} blocks of commands", blocks.len());
    let (plain, secure) = (free_port(), free_port());
    let commands = blocks.concat().replace("8080", &plain).replace("8443", &secure);
    let script = format!("set -eu -o pipefail\ntrap 'kill $(jobs -p); wait' EXIT\n{commands}");

    let folder = tempfile::tempdir().unwrap();
    let binary = std::path::Path::new(env!("CARGO_BIN_EXE_fhir-server"));
    let own = binary.parent().unwrap().display();
    let output = Command::new("bash")
        .args(["-c", &script])
        .current_dir(folder.path())
        .env("PATH", format!("{own}:{}", std::env::var("PATH").unwrap()))
        .env("FHIR_SERVER_BIND", format!("127.0.0.1:{plain}"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
