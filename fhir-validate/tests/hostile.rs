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

#[test]
fn too_many_members_are_refused() {
    let mut tar = tar::Builder::new(Vec::new());
    for n in 0..40 {
        let mut header = tar::Header::new_gnu();
        header.set_size(2);
        tar.append_data(&mut header, format!("package/{n}.json"), &b"{}"[..])
            .unwrap();
    }
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(&tar.into_inner().unwrap()).unwrap();
    let tgz = gzip.finish().unwrap();
    let limits = Limits {
        members: 39,
        ..Limits::default()
    };
    assert!(refusal(&tgz, &limits).contains("more than 39 members"));
    assert!(
        Package::read(
            &tgz,
            &Limits {
                members: 40,
                ..limits
            }
        )
        .is_ok()
    );
}

#[test]
fn a_size_that_lies_takes_no_memory_before_it_is_found_out() {
    for size in [1 << 40, u64::MAX >> 1, (64 << 20) + 1] {
        let tgz = archive(|h| h.set_size(size), "package/x.json", b"{}");
        assert!(Package::read(&tgz, &Limits::default()).is_err(), "{size}");
    }
    // A name in a header of its own may not be of any length, either.
    let long = archive(
        |h| {
            h.set_entry_type(tar::EntryType::GNULongName);
            h.set_size(1 << 40);
        },
        "././@LongLink",
        b"x",
    );
    assert!(Package::read(&long, &Limits::default()).is_err());
}

#[test]
fn slices_upon_slices_end() {
    // Forty slices of each of three elements within each other, told apart by what lies deep within.
    let mut elements = Vec::new();
    let mut path = "Patient".to_owned();
    for name in ["contact", "telecom", "extension"] {
        path = format!("{path}.{name}");
        let discriminators: Vec<Value> = ["$this", "extension('u:x').value", "id"]
            .iter()
            .map(|p| json!({"type": "pattern", "path": p}))
            .collect();
        elements.push(json!({"path": path, "slicing": {"rules": "closed", "ordered": true, "discriminator": discriminators}}));
        for n in 0..40 {
            elements.push(json!({"path": path, "sliceName": format!("{name}{n}"), "min": 0}));
            elements.push(json!({"path": format!("{path}.id"), "fixedString": n.to_string()}));
        }
    }
    let telecom =
        vec![json!({"system": "phone", "value": "1", "extension": [{"url": "u:x", "valueString": "a"}]}); 30];
    let contact = vec![json!({"telecom": telecom}); 30];
    let patient = json!({"resourceType": "Patient", "contact": contact}).to_string();
    let found = findings(vec![profile("u:a", PATIENT, elements)], &patient);
    assert!(!found.is_empty() && found.len() <= 1_000);
}

#[test]
fn a_definition_that_is_validated_is_not_run() {
    // What is POSTed is held against R4, its bombs are only compiled.
    let bomb = "descendants().select(descendants().select(descendants())).count() > 0";
    let mut sent = profile(
        "http://a.example/a",
        PATIENT,
        vec![
            json!({"path": "Patient", "constraint": [{"key": "b-1", "severity": "error", "human": "h", "expression": bomb}]}),
            json!({"path": "Patient.id", "constraint": [{"key": "b-2", "severity": "error", "human": "h", "expression": "((("}]}),
            json!({"path": "Patient.gender", "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/regex", "valueString": "(?=a)a{99999}"}]}),
        ],
    );
    for (name, value) in [
        ("name", json!("A")),
        ("status", json!("active")),
        ("abstract", json!(false)),
    ] {
        sent[name] = value;
    }
    let found =
        Validator::builder()
            .build()
            .validate_text(sent.to_string().as_bytes(), &[], &Default::default());
    let at = |place: &str, severity| {
        found
            .iter()
            .any(|f| f.expression == place && f.severity == severity)
    };
    assert!(
        at(
            "StructureDefinition.differential.element[1].constraint[0].expression",
            Severity::Error
        ),
        "{found:?}"
    );
    assert!(
        at(
            "StructureDefinition.differential.element[2].extension[0]",
            Severity::Warning
        ),
        "{found:?}"
    );
    assert!(
        !found.iter().any(|f| f.expression.contains("element[0]")),
        "{found:?}"
    );
}

#[test]
fn expressions_nested_deeply_are_refused_not_followed() {
    for bomb in [
        "(".repeat(100_000),
        "-".repeat(100_000),
        "a.".repeat(100_000),
        "iif(true,".repeat(50_000),
        "a or ".repeat(50_000) + "a",
    ] {
        let constraint = json!({"key": "b-1", "severity": "error", "expression": bomb});
        let found = findings(
            vec![profile(
                "u:a",
                PATIENT,
                vec![json!({"path": "Patient", "constraint": [constraint]})],
            )],
            r#"{"resourceType":"Patient"}"#,
        );
        assert!(found.iter().all(|f| f.severity < Severity::Error), "{found:?}");
    }
}

#[test]
fn the_form_of_an_answer_cannot_hang_it() {
    let text = format!("{}!", "a".repeat(20_000));
    for regex in ["(a+)+$", "(a|aa)+$", "(.*)*x", "a{1,1000}{1,1000}", "(?=a)", "("] {
        let item = json!([{"linkId": "1", "type": "string", "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/regex", "valueString": regex}]}]);
        let response = json!({"resourceType": "QuestionnaireResponse", "status": "completed", "questionnaire": "#q",
            "contained": [{"resourceType": "Questionnaire", "id": "q", "status": "active", "item": item}],
            "item": [{"linkId": "1", "answer": [{"valueString": text}]}]});
        let found = Validator::builder().build().validate_text(
            response.to_string().as_bytes(),
            &[],
            &Default::default(),
        );
        assert!(found.len() < 20, "{found:?}");
    }
}

/// Looking through all namesakes for each reference would take a document of this size minutes.
#[test]
fn references_that_may_mean_thousands_of_entries_do_not_multiply() {
    const ENTRIES: usize = 30_000;
    let url = "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0";
    let entry = json!({"fullUrl": url, "resource": {"resourceType": "Basic", "code": {"text": "x"}, "meta": {"versionId": "1"},
        "subject": {"reference": format!("{url}/_history/1")}, "author": {"reference": url}}});
    let document = json!({"resourceType": "Bundle", "type": "document", "timestamp": "2026-01-01T00:00:00Z",
        "identifier": {"system": "urn:x", "value": "1"}, "entry": vec![entry; ENTRIES]});
    let bundle: Resource = json::from_str(&document.to_string()).unwrap();
    let findings = Validator::builder().max_findings(100).build().validate(&bundle);
    assert!(
        !findings.is_empty() && findings.len() < ENTRIES,
        "{}",
        findings.len()
    );
}
