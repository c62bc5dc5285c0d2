//! What `check` tells of files.

use clap::Parser as _;
use serde_json::Value;

use super::*;

#[derive(clap::Parser)]
struct Line {
    #[command(flatten)]
    args: Args,
}

/// Checks files with further options; whether all is good, and what is told.
fn checked(files: &[(&str, &str)], options: &[&str]) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    let mut line = vec!["check".to_owned()];
    line.extend(options.iter().map(|o| (*o).to_owned()));
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        line.push(path.display().to_string());
    }
    let mut out = Vec::new();
    let result = check(&Line::parse_from(line).args, &mut out);
    (result.is_ok(), String::from_utf8(out).unwrap())
}

#[test]
fn good_files_are_good_in_each_form() {
    let files = [
        ("a.json", r#"{"resourceType":"Patient","active":true}"#),
        (
            "b.xml",
            r#"<Patient xmlns="http://hl7.org/fhir"><active value="true"/></Patient>"#,
        ),
        (
            "c.ndjson",
            "{\"resourceType\":\"Patient\"}\n{\"resourceType\":\"Basic\",\"code\":{\"text\":\"x\"}}\n",
        ),
    ];
    let (is_good, out) = checked(&files, &[]);
    assert!(is_good && out.contains("in all: 4 resources, 0 errors"), "{out}");
}

#[test]
fn each_problem_is_told_with_its_place() {
    let lines =
        "{\"resourceType\":\"Patient\"}\n{\"resourceType\":\"Patient\",\"birthDate\":\"yesterday\"}\n{\n";
    let files = [
        ("a.ndjson", lines),
        (
            "b.json",
            "{\"resourceType\":\"Observation\",\n \"code\":{\"text\":\"x\"}}",
        ),
        ("c.json", "{\"resourceType\":\"Patient\",\n \"gender\":\"femal\"}"),
        (
            "d.xml",
            "<Patient xmlns=\"http://hl7.org/fhir\">\n  <gender value=\"femal\"/>\n</Patient>",
        ),
    ];
    let (is_good, out) = checked(&files, &[]);
    assert!(!is_good);
    for told in [
        "a.ndjson:2:39: error: Patient.birthDate: ",
        "a.ndjson:3:",
        "b.json:1:1: error: Observation.status: ",
        "c.json:2:2: error: Patient.gender: ",
        "d.xml:2:3: error: Patient.gender: ",
        "did you mean \"female\"",
    ] {
        assert!(out.contains(told), "{told} of {out}");
    }
}

#[test]
fn an_unknown_element_is_an_error_or_leniently_a_warning() {
    let file = [("a.json", r#"{"resourceType":"Patient","nickname":"x"}"#)];
    let (is_good, out) = checked(&file, &[]);
    assert!(
        !is_good && out.contains("error") && out.contains("nickname"),
        "{out}"
    );
    let (is_good, out) = checked(&file, &["--lenient"]);
    assert!(is_good && out.contains("warning: Patient.nickname"), "{out}");
}

#[test]
fn the_output_is_bounded() {
    let (is_good, out) = checked(&[("a.ndjson", &"{}\n".repeat(500))], &["--max", "3"]);
    assert!(
        !is_good && out.lines().count() == 6 && out.contains("497 problems more"),
        "{out}"
    );
}

const NUMBER: &str = r#"{"resourceType":"Patient","identifier":[{"system":"https://fhir.nhs.uk/Id/nhs-number","value":"9990000019"}]}"#;

#[test]
fn what_warns_is_an_error_where_it_is_asked_to_be_strict() {
    let (is_good, out) = checked(&[("a.json", NUMBER)], &[]);
    assert!(
        is_good && out.contains("warning: Patient.identifier[0].value"),
        "{out}"
    );
    let (is_good, out) = checked(&[("a.json", NUMBER)], &["--strict"]);
    assert!(!is_good && out.contains("[nhs-number]"), "{out}");
}

#[test]
fn a_profile_of_uk_core_is_asked_for_by_its_name() {
    let two = NUMBER.replace(
        "}]}",
        "},{\"system\":\"https://fhir.nhs.uk/Id/nhs-number\",\"value\":\"9990000018\"}]}",
    );
    let files = [
        ("a.json", two.as_str()),
        ("b.json", r#"{"resourceType":"Basic","code":{"text":"x"}}"#),
    ];
    let (is_good, out) = checked(&files, &["--profile", "UKCore-Patient"]);
    assert!(
        !is_good && out.contains("UKCore-Patient") && out.contains("good  "),
        "{out}"
    );
    assert!(checked(&files, &[]).0);
    assert!(!checked(&files, &["--profile", "UKCore-Nobody"]).0);
}

#[test]
fn json_tells_the_same_to_machines() {
    let (is_good, out) = checked(
        &[
            ("a.json", "{\"resourceType\":\"Patient\",\n \"gender\":\"femal\"}"),
            ("b.json", NUMBER),
        ],
        &["--format", "json"],
    );
    assert!(!is_good);
    let told: Value = serde_json::from_str(&out).unwrap();
    let issue = &told["files"][0]["issues"][0];
    assert_eq!(
        (&issue["severity"], &issue["layer"]),
        (&"error".into(), &"binding".into())
    );
    assert_eq!((&issue["line"], &issue["column"]), (&2.into(), &2.into()));
    assert_eq!(
        (&issue["expression"], &issue["near"]),
        (&"Patient.gender".into(), &"female".into())
    );
    assert_eq!(told["files"][1]["issues"][0]["rule"], "nhs-number");
    assert_eq!(told["counts"]["errors"], 1);
    assert_eq!(told["notShown"], 0);
}
