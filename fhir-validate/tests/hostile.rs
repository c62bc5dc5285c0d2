//! What nobody should send: archives that lie, definitions and resources that explode. Each ends in bounded time with a clear word.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails where its input is not as it made it"
)]

use std::io::Write;

use fhir_model::{Patient, Resource, json};
use fhir_validate::package::{Limits, Package};
use fhir_validate::{Severity, Validator};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

/// A gzipped tar with one member, whose header may lie.
fn archive(change: impl FnOnce(&mut tar::Header), name: &str, content: &[u8]) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
    change(&mut header);
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    bytes.extend_from_slice(content);
    bytes.resize(bytes.len().div_ceil(512) * 512 + 1024, 0);
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(&bytes).unwrap();
    gzip.finish().unwrap()
}

fn refusal(tgz: &[u8], limits: &Limits) -> String {
    Package::read(tgz, limits).unwrap_err().to_string()
}

#[test]
fn members_that_lead_out_of_the_archive_are_refused() {
    for name in [
        "../x.json",
        "package/../../x.json",
        "/etc/x.json",
        "package\\..\\x.json",
    ] {
        let said = refusal(&archive(|_| {}, name, b"{}"), &Limits::default());
        assert!(said.contains("leads out"), "{name}: {said}");
    }
}

#[test]
fn links_are_refused() {
    for kind in [
        tar::EntryType::Symlink,
        tar::EntryType::Link,
        tar::EntryType::Fifo,
    ] {
        let said = refusal(
            &archive(|h| h.set_entry_type(kind), "package/x.json", b""),
            &Limits::default(),
        );
        assert!(said.contains("files and folders"), "{said}");
    }
}

#[test]
fn a_member_that_is_shorter_than_it_says_is_refused() {
    let tgz = archive(|h| h.set_size(1 << 20), "package/x.json", b"{}");
    assert!(Package::read(&tgz, &Limits::default()).is_err());
}

#[test]
fn a_bomb_is_refused_at_the_limit() {
    let limits = Limits {
        member: 1 << 16,
        total: 1 << 17,
        ..Limits::default()
    };
    let bomb = archive(|_| {}, "package/x.json", &vec![b' '; 8 << 20]);
    assert!(bomb.len() < 1 << 15);
    assert!(refusal(&bomb, &limits).contains("at most"));
    let limits = Limits {
        member: 16 << 20,
        ..limits
    };
    assert!(Package::read(&bomb, &limits).is_err());
    assert!(
        refusal(
            &[0; 64],
            &Limits {
                packed: 32,
                ..Limits::default()
            }
        )
        .contains("at most 32")
    );
    assert!(Package::read(b"not an archive", &Limits::default()).is_err());
}

fn profile(url: &str, base: &str, elements: Vec<Value>) -> Value {
    json!({
        "resourceType": "StructureDefinition", "url": url, "type": "Patient", "kind": "resource", "derivation": "constraint",
        "baseDefinition": base, "differential": {"element": elements}
    })
}

const PATIENT: &str = "http://hl7.org/fhir/StructureDefinition/Patient";

/// Validates a Patient with names against the first of the definitions.
fn findings(definitions: Vec<Value>, patient: &str) -> Vec<fhir_validate::Finding> {
    let url = definitions[0]["url"].as_str().unwrap().to_owned();
    let mut builder = Validator::builder();
    for definition in definitions {
        builder = builder.definition(definition);
    }
    builder
        .build()
        .validate_against(&json::from_str(patient).unwrap(), &[url])
}

#[test]
fn profiles_built_on_each_other_are_named() {
    let found = findings(
        vec![profile("u:a", "u:b", vec![]), profile("u:b", "u:a", vec![])],
        r#"{"resourceType":"Patient"}"#,
    );
    assert!(
        found.iter().any(|f| f.message.contains("built on itself")),
        "{found:?}"
    );
}

#[test]
fn a_snapshot_that_explodes_is_refused() {
    // Each step goes into another extension of an extension, a thousand times.
    let elements = (0..1000).map(|n| {
        let path = format!("Patient.name{}", ".extension".repeat(n % 60 + 1));
        json!({"path": path, "sliceName": format!("s{n}"), "min": 0})
    });
    let found = findings(
        vec![profile("u:a", PATIENT, elements.collect())],
        r#"{"resourceType":"Patient"}"#,
    );
    assert!(found.len() < 100);
}

#[test]
fn profiles_that_lead_into_each_other_end() {
    let name = |url: &str, other: &str| {
        json!({
            "resourceType": "StructureDefinition", "url": url, "type": "Extension", "kind": "complex-type", "derivation": "constraint",
            "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Extension",
            "differential": {"element": [{"path": "Extension.extension", "type": [{"code": "Extension", "profile": [other, url]}], "max": "9"}]}
        })
    };
    let root = profile(
        "u:root",
        PATIENT,
        vec![
            json!({"path": "Patient.extension", "type": [{"code": "Extension", "profile": ["u:x", "u:y"]}], "max": "9"}),
        ],
    );
    let mut nested = r#"{"url":"u:z","valueBoolean":true}"#.to_owned();
    for _ in 0..12 {
        nested = format!(r#"{{"url":"u:z","extension":[{nested},{{"url":"u:z","valueBoolean":true}}]}}"#);
    }
    let patient = format!(r#"{{"resourceType":"Patient","extension":[{nested}]}}"#);
    findings(vec![root, name("u:x", "u:y"), name("u:y", "u:x")], &patient);
}

#[test]
fn a_regular_expression_of_death_ends() {
    let regex = json!({"url": "http://hl7.org/fhir/StructureDefinition/regex", "valueString": "(a+)+$"});
    let element = json!({"path": "Patient.name.family", "extension": [regex], "min": 1});
    let patient = format!(
        r#"{{"resourceType":"Patient","name":[{{"family":"{}!"}}]}}"#,
        "a".repeat(50_000)
    );
    let found = findings(vec![profile("u:a", PATIENT, vec![element])], &patient);
    assert!(
        found
            .iter()
            .any(|f| f.severity == Severity::Error && f.layer == "fixed")
    );
}

#[test]
fn an_invariant_that_explodes_is_stopped_and_told() {
    let bomb = "name.select(%resource.descendants().select(%resource.descendants().select(%resource.descendants()))).count() > 0";
    let constraint = json!({"key": "bomb-1", "severity": "error", "expression": bomb});
    let names = vec![r#"{"family":"a","given":["b","c"]}"#; 200].join(",");
    let patient = format!(r#"{{"resourceType":"Patient","name":[{names}]}}"#);
    let found = findings(
        vec![profile(
            "u:a",
            PATIENT,
            vec![json!({"path": "Patient", "constraint": [constraint]})],
        )],
        &patient,
    );
    assert!(
        found
            .iter()
            .any(|f| f.rule.as_deref() == Some("bomb-1") && f.severity == Severity::Warning),
        "{found:?}"
    );
}

#[test]
fn a_wide_resource_has_no_more_findings_than_the_limit() {
    let patient = Patient {
        contact: vec![
            fhir_model::PatientContact {
                id: Some("x".into()),
                ..Default::default()
            };
            5_000
        ],
        ..Default::default()
    };
    let validator = Validator::builder().max_findings(20).build();
    assert_eq!(validator.validate(&Resource::from(patient)).len(), 20);
}
