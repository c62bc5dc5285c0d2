//! Releases of terminologies through the real binary: `terminology load` keeps one, `list` tells of it, and a server that starts
//! then answers from it. The releases are made up: no concept of SNOMED CT or dm+d is in them but a few identifiers.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

#[expect(dead_code, reason = "other tests that have a server process want more of it")]
mod process;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use process::Server;
use serde_json::Value;

fn table(rows: &[&str]) -> String {
    rows.iter()
        .map(|row| format!("{}\r\n", row.replace(' ', "\t").replace('_', " ")))
        .collect()
}

/// A thing, an animal below it, a dog below that, and a stone.
fn snomed(folder: &Path, dog: &str) {
    let write = |name: &str, rows: &[&str]| {
        fs::write(folder.join(format!("{name}_INT_20260101.txt")), table(rows)).unwrap();
    };
    fs::create_dir_all(folder).unwrap();
    write(
        "sct2_Concept_Snapshot",
        &[
            "id time active module definition",
            "1 20260101 1 1 1",
            "2 20260101 1 1 1",
            "3 20260101 1 1 1",
            "4 20260101 1 1 1",
        ],
    );
    let dog = format!("13 20260101 1 1 3 en 900000000000013009 {dog} 1");
    write(
        "sct2_Description_Snapshot-en",
        &[
            "id time active module concept language type term case",
            "11 20260101 1 1 1 en 900000000000013009 Thing 1",
            "12 20260101 1 1 2 en 900000000000013009 Animal 1",
            &dog,
            "14 20260101 1 1 4 en 900000000000013009 Stone 1",
        ],
    );
    write(
        "sct2_Relationship_Snapshot",
        &[
            "id time active module source destination group type kind modifier",
            "21 20260101 1 1 2 1 0 116680003 1 1",
            "22 20260101 1 1 3 2 0 116680003 1 1",
            "23 20260101 1 1 4 1 0 116680003 1 1",
        ],
    );
}

fn medicines(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    let write = |name: &str, body: &str| {
        fs::write(
            folder.join(format!("{name}2_3010126.xml")),
            format!("<ALL>{body}</ALL>"),
        )
        .unwrap();
    };
    write("f_vtm", "<VTM><VTMID>51</VTMID><NM>Nothing</NM></VTM>");
    write(
        "f_vmp",
        "<VMP><VPID>52</VPID><VTMID>51</VTMID><NM>Nothing 1mg tablets</NM></VMP>",
    );
}

fn terminology(arguments: &[&str]) -> Output {
    let binary = env!("CARGO_BIN_EXE_fhir-server");
    Command::new(binary)
        .arg("terminology")
        .args(arguments)
        .output()
        .unwrap()
}

fn get(server: &Server, path: &str) -> (u16, Value) {
    let answer = process::ask(&server.address, "GET", &format!("/fhir/{path}"), "", b"").unwrap();
    (answer.status, serde_json::from_slice(&answer.body).unwrap())
}

fn value<'a>(answer: &'a Value, name: &str) -> &'a Value {
    let all = answer["parameter"].as_array().unwrap();
    let found = all
        .iter()
        .find(|p| p["name"] == name)
        .unwrap()
        .as_object()
        .unwrap();
    found
        .iter()
        .find(|(member, _)| member.starts_with("value"))
        .unwrap()
        .1
}

#[test]
fn a_release_that_is_loaded_is_answered_from_when_a_server_starts() {
    let folder = tempfile::tempdir().unwrap();
    let (release, dmd, kept) = (
        folder.path().join("rf2"),
        folder.path().join("dmd"),
        folder.path().join("kept"),
    );
    snomed(&release, "Hound");
    medicines(&dmd);
    let at = kept.display().to_string();
    for release in [&release, &dmd] {
        let loaded = terminology(&["load", "--folder", &at, &release.display().to_string()]);
        assert!(
            loaded.status.success(),
            "{}",
            String::from_utf8_lossy(&loaded.stderr)
        );
    }
    // The next release takes the place of the one before.
    snomed(&release, "Dog");
    assert!(
        terminology(&["load", "--folder", &at, &release.display().to_string()])
            .status
            .success()
    );
    let listed = String::from_utf8(terminology(&["list", "--folder", &at]).stdout).unwrap();
    let line =
        "http://snomed.info/sct, http://snomed.info/sct/900000000000207008/version/20260101: 4 concepts";
    assert_eq!(listed.matches(line).count(), 1, "{listed}");
    assert!(
        listed.contains("https://dmd.nhs.uk, 3010126: 2 concepts"),
        "{listed}"
    );

    let database = process::sqlite(&folder.path().join("a.sqlite"));
    let server = Server::start(&database, &["--terminology", &at]);
    let sct = "http://snomed.info/sct";
    let (status, found) = get(&server, &format!("CodeSystem/$lookup?system={sct}&code=3"));
    assert_eq!(
        (status, value(&found, "display")),
        (200, &Value::from("Dog")),
        "{found}"
    );
    let (_, found) = get(&server, "CodeSystem/$lookup?system=https://dmd.nhs.uk&code=52");
    assert_eq!(value(&found, "display"), "Nothing 1mg tablets");
    let (_, found) = get(
        &server,
        &format!("CodeSystem/$subsumes?system={sct}&codeA=2&codeB=3"),
    );
    assert_eq!(value(&found, "outcome"), "subsumes");
    let (_, found) = get(
        &server,
        "ValueSet/$expand?url=http://snomed.info/sct?fhir_vs=isa/2",
    );
    assert_eq!(found["expansion"]["total"], 2, "{found}");
    let body = format!(
        r#"{{"resourceType":"Condition","id":"c","subject":{{"reference":"Patient/p"}},"code":{{"coding":[{{"system":"{sct}","code":"3"}}]}}}}"#
    );
    assert_eq!(
        process::write(&server.address, "PUT", "/Condition/c", &body)
            .unwrap()
            .0,
        201
    );
    for (code, matches) in [("2", 1), ("3", 1), ("4", 0)] {
        let (_, found) = get(&server, &format!("Condition?_id=c&code:below={sct}%7C{code}"));
        assert_eq!(found["total"], matches, "{code}: {found}");
    }
    let (status, refused) = get(&server, &format!("Condition?code:below={sct}%7C99"));
    assert_eq!(status, 400, "{refused}");
}

#[test]
fn what_is_no_release_and_what_is_damaged_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (release, kept) = (folder.path().join("rf2"), folder.path().join("kept"));
    let at = kept.display().to_string();
    let none = terminology(&["load", "--folder", &at, &folder.path().display().to_string()]);
    let told = String::from_utf8(none.stderr).unwrap();
    assert!(
        !none.status.success() && told.contains("neither a snapshot of SNOMED CT"),
        "{told}"
    );
    assert!(!terminology(&["list", "--folder", &at]).status.success());

    snomed(&release, "Dog");
    assert!(
        terminology(&["load", "--folder", &at, &release.display().to_string()])
            .status
            .success()
    );
    let file = fs::read_dir(&kept).unwrap().next().unwrap().unwrap().path();
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes.truncate(middle);
    fs::write(&file, bytes).unwrap();
    let started = Command::new(env!("CARGO_BIN_EXE_fhir-server"))
        .args([
            "serve",
            "--sandbox",
            "--bind",
            "127.0.0.1:0",
            "--terminology",
            &at,
        ])
        .output()
        .expect("the server ends by itself");
    let told = String::from_utf8(started.stderr).unwrap();
    assert!(
        !started.status.success() && told.contains("load the release again"),
        "{told}"
    );
}
