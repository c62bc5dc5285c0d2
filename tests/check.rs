//! `fhir-server check` as a supplier's own checks run it: exit codes, output for people and machines, places, profiles and packages.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn check(folder: &Path, arguments: &[&str]) -> Output {
    let binary = env!("CARGO_BIN_EXE_fhir-server");
    let mut command = Command::new(binary);
    command.current_dir(folder).arg("check").args(arguments);
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn write(folder: &Path, name: &str, content: &str) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, content).unwrap();
    path
}

/// A package as npm makes them: a gzipped tar with a manifest and a profile that asks for a date of birth.
fn package(folder: &Path) -> PathBuf {
    let profile = r#"{"resourceType":"StructureDefinition","url":"http://a.example/Born","name":"Born","status":"active","kind":"resource",
        "abstract":false,"type":"Patient","baseDefinition":"http://hl7.org/fhir/StructureDefinition/Patient","derivation":"constraint",
        "differential":{"element":[{"id":"Patient.birthDate","path":"Patient.birthDate","min":1}]}}"#;
    let mut all = Vec::new();
    for (name, content) in [
        (
            "package/package.json",
            r#"{"name":"a.example","version":"1.0.0"}"#,
        ),
        ("package/StructureDefinition-Born.json", profile),
    ] {
        all.extend(header(name, content.len()));
        all.extend(content.bytes());
        all.resize(all.len().div_ceil(512) * 512, 0);
    }
    all.resize(all.len() + 1024, 0);
    let path = folder.join("a.tgz");
    let mut gzip =
        flate2::write::GzEncoder::new(fs::File::create(&path).unwrap(), flate2::Compression::fast());
    gzip.write_all(&all).unwrap();
    gzip.finish().unwrap();
    path
}

/// The header of a member of a tar.
fn header(name: &str, size: usize) -> Vec<u8> {
    let mut header = vec![0u8; 512];
    let mut put = |at: usize, field: &[u8]| {
        header
            .iter_mut()
            .skip(at)
            .zip(field)
            .for_each(|(to, from)| *to = *from)
    };
    put(0, name.as_bytes());
    put(100, b"0000644\0");
    put(124, format!("{size:011o}\0").as_bytes());
    put(136, b"00000000000\0");
    put(148, b"        ");
    put(156, b"0");
    put(257, b"ustar\x0000");
    let sum: u32 = header.iter().map(|b| u32::from(*b)).sum();
    let sum = format!("{sum:06o}\0 ");
    header
        .iter_mut()
        .skip(148)
        .zip(sum.bytes())
        .for_each(|(to, from)| *to = from);
    header
}

#[test]
fn exit_codes_tell_good_from_bad_from_misused() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    write(at, "good.json", r#"{"resourceType":"Patient","gender":"female"}"#);
    write(
        at,
        "bad.json",
        "{\"resourceType\":\"Patient\",\n  \"gender\": \"femal\"}",
    );
    write(
        at,
        "broken.xml",
        "<Patient xmlns=\"http://hl7.org/fhir\">\n <gender value=\"male\">\n</Patient>",
    );
    write(
        at,
        "more.ndjson",
        "{\"resourceType\":\"Patient\"}\n{\"resourceType\":\"Patient\",\"birthDate\":\"2023-02-29\"}\n",
    );
    let code = |arguments: &[&str]| check(at, arguments).status.code();
    assert_eq!(code(&["good.json"]), Some(0));
    assert_eq!(code(&["bad.json"]), Some(1));
    assert_eq!(code(&["good.json", "broken.xml"]), Some(1));
    assert_eq!(code(&["more.ndjson"]), Some(1));
    assert_eq!(code(&["not-there.json"]), Some(1));
    assert_eq!(code(&["--package", "good.json", "good.json"]), Some(1));
    assert_eq!(code(&["--format", "yaml", "good.json"]), Some(2));
    assert_eq!(code(&[]), Some(2));
}

#[test]
fn what_is_told_has_line_and_column_and_no_progress_bar_where_nobody_looks() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        "bad.json",
        "{\"resourceType\":\"Patient\",\n  \"gender\": \"femal\"}",
    );
    let done = check(folder.path(), &["bad.json"]);
    let (out, aside) = (text(&done.stdout), text(&done.stderr));
    assert!(out.contains("bad.json:2:3"), "{out}");
    assert!(out.contains("Patient.gender") && out.contains("female"), "{out}");
    for control in ['\r', '\u{1b}'] {
        assert!(!out.contains(control) && !aside.contains(control), "{out}{aside}");
    }
    let done = check(folder.path(), &["--format", "json", "bad.json"]);
    let told: Value = serde_json::from_slice(&done.stdout).unwrap();
    let issue = told.pointer("/files/0/issues/0").unwrap();
    assert_eq!(
        (issue.get("line"), issue.get("column")),
        (Some(&2.into()), Some(&3.into())),
        "{told}"
    );
    assert_eq!(done.status.code(), Some(1));
}

#[test]
fn profiles_of_packages_and_strictness_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    package(at);
    write(at, "a.json", r#"{"resourceType":"Patient","gender":"female"}"#);
    let done = check(
        at,
        &[
            "--package",
            "a.tgz",
            "--profile",
            "http://a.example/Born",
            "a.json",
        ],
    );
    assert_eq!(done.status.code(), Some(1));
    assert!(
        text(&done.stdout).contains("Patient.birthDate"),
        "{}",
        text(&done.stdout)
    );
    write(
        at,
        "b.json",
        r#"{"resourceType":"Patient","birthDate":"2026-01-01"}"#,
    );
    let done = check(
        at,
        &[
            "--package",
            "a.tgz",
            "--profile",
            "http://a.example/Born",
            "b.json",
        ],
    );
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stdout));
    // Without its package the profile is not known.
    let done = check(at, &["--profile", "http://a.example/Born", "b.json"]);
    assert_eq!(done.status.code(), Some(1));
    let number = r#"{"resourceType":"Patient","identifier":[{"system":"https://fhir.nhs.uk/Id/nhs-number","value":"9990000019"}]}"#;
    write(at, "c.json", number);
    assert_eq!(check(at, &["c.json"]).status.code(), Some(0));
    assert_eq!(check(at, &["--strict", "c.json"]).status.code(), Some(1));
}
