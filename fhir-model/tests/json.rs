//! JSON in, JSON out: the official examples and records, and what must be refused.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod support;

use fhir_model::json;
use fhir_model::read::{IssueKind, ReadOptions};
use support::{Tree, shared_files};

fn round_trips(folder: &str, expected: usize) {
    let files = shared_files(folder, ".json");
    let mut failures = Vec::new();
    for file in &files {
        let text = std::fs::read(file).unwrap();
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        match json::from_slice(&text) {
            Ok(resource) => {
                let out = json::to_vec(&resource);
                if let Some(difference) = Tree::parse(&text).difference(&Tree::parse(&out)) {
                    failures.push(format!("{name}: {difference}"));
                }
            }
            Err(e) => failures.push(format!("{name}: {e}")),
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {}:\n{}",
        failures.len(),
        files.len(),
        failures.join("\n")
    );
    assert!(
        files.is_empty() || files.len() == expected,
        "{} files in {folder}",
        files.len()
    );
}

#[test]
fn official_examples_round_trip() {
    round_trips("examples/r4-json", 717);
}

#[test]
fn synthea_records_round_trip() {
    round_trips("synthea", 20);
}

#[test]
fn uk_core_examples_round_trip() {
    round_trips("examples/ukcore-stu2", 146);
}

#[test]
fn prescription_service_examples_round_trip() {
    round_trips("examples/eps", 104);
}

/// The issues of a refused text: kind and `path: message`.
fn refused(text: &str) -> Vec<(IssueKind, String)> {
    let error = json::from_str(text).expect_err(text);
    error
        .issues
        .into_iter()
        .map(|i| (i.kind, format!("{}: {}", i.path, i.message)))
        .collect()
}

#[test]
fn every_unknown_element_is_named_with_its_path() {
    let issues = refused(
        r#"{"resourceType":"Patient","nmae":[{"family":"X"}],"name":[{"family":"Y","nick":"Z"}],"_name":{},"_id":{"id":"a"}}"#,
    );
    assert_eq!(issues.len(), 3, "{issues:?}");
    assert_eq!(
        issues[0],
        (
            IssueKind::Unknown,
            "Patient.nmae: There is no element \"nmae\" in Patient; did you mean \"name\"?".into()
        )
    );
    assert!(
        issues[1]
            .1
            .starts_with("Patient.name[0].nick: There is no element"),
        "{issues:?}"
    );
}

#[test]
fn lenient_reading_reports_unknown_elements_with_their_text() {
    let text = br#"{"resourceType":"Patient","pets":[{"name":"Rex"}],"active":true}"#;
    let read = json::read(text, &ReadOptions::lenient()).unwrap();
    assert_eq!(
        json::to_string(&read.value),
        r#"{"resourceType":"Patient","active":true}"#
    );
    assert_eq!(read.unknown[0].path, "Patient.pets");
    assert_eq!(read.unknown[0].raw, r#"[{"name":"Rex"}]"#);
}

#[test]
fn what_fhir_json_forbids_is_refused() {
    use IssueKind::*;
    for (text, kind, part) in [
        (
            r#"{"resourceType":"Patient","active":true,"active":false}"#,
            Duplicate,
            "Patient.active",
        ),
        (
            r#"{"resourceType":"Patient","resourceType":"Patient"}"#,
            Duplicate,
            "resourceType",
        ),
        (
            r#"{"resourceType":"Patient","deceasedBoolean":true,"deceasedDateTime":"2020"}"#,
            Duplicate,
            "deceased[x]",
        ),
        (r#"{"resourceType":"Patient","name":[]}"#, Structure, "empty"),
        (
            r#"{"resourceType":"Patient","name":[{}]}"#,
            Structure,
            "Patient.name[0]",
        ),
        (
            r#"{"resourceType":"Patient","name":{"family":"X"}}"#,
            Structure,
            "an array",
        ),
        (
            r#"{"resourceType":"Patient","active":"true"}"#,
            Structure,
            "a boolean",
        ),
        (r#"{"resourceType":"Patient","active":null}"#, Structure, "null"),
        (r#"{"resourceType":"Patient","gender":""}"#, Value, "empty"),
        (
            r#"{"resourceType":"Patient","name":[{"given":["a",null]}]}"#,
            Structure,
            "Patient.name[0].given[1]",
        ),
        (
            r#"{"resourceType":"Patient","birthDate":"1980-02-30"}"#,
            Value,
            "Patient.birthDate",
        ),
        (
            r#"{"resourceType":"Patient","multipleBirthInteger":1.5}"#,
            Value,
            "multipleBirth",
        ),
        (
            r#"{"resourceType":"Patient","gender":"a\u0000b"}"#,
            Syntax,
            "U+0000",
        ),
        (
            r#"{"resourceType":"Patient","gender":"\ud800"}"#,
            Syntax,
            "surrogate",
        ),
        (
            r#"{"resourceType":"patient"}"#,
            Unknown,
            "did you mean \"Patient\"?",
        ),
        (r#"{"id":"x"}"#, Structure, "resourceType"),
        (r#"{"resourceType":"Patient"} x"#, Syntax, "more text"),
        (r#"{"resourceType":"Patient""#, Syntax, "too early"),
        (r#"["resourceType"]"#, Structure, "a resource"),
        ("", Syntax, "too early"),
        ("\u{feff}{}", Syntax, "byte order mark"),
    ] {
        let issues = refused(text);
        assert!(
            issues.iter().any(|(k, m)| *k == kind && m.contains(part)),
            "{text}: {issues:?}"
        );
    }
}

#[test]
fn issues_have_line_and_column() {
    let error =
        json::from_str("{\n  \"resourceType\": \"Patient\",\n  \"é\": 1, \"active\": 7\n}").unwrap_err();
    let places: Vec<_> = error.issues.iter().map(|i| (i.line, i.column)).collect();
    assert_eq!(places, [(3, 3), (3, 21)]);
}

#[test]
fn depth_is_bounded() {
    let deep = |n: usize| {
        let open = r#"{"url":"u","extension":["#.repeat(n);
        let close = "]}".repeat(n);
        format!(
            r#"{{"resourceType":"Patient","extension":[{open}{{"url":"x","valueBoolean":true}}{close}]}}"#
        )
    };
    assert!(json::from_str(&deep(30)).is_ok());
    for n in [31, 1_000, 100_000] {
        assert!(
            refused(&deep(n))
                .iter()
                .any(|(k, _)| matches!(k, IssueKind::Limit | IssueKind::Syntax)),
            "{n}"
        );
    }
    let arrays = format!(
        r#"{{"resourceType":"Patient","x":{}1{}}}"#,
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    assert!(refused(&arrays).iter().any(|(_, m)| m.contains("deep")));
}

#[test]
fn values_pass_through_serde() {
    let text = r#"{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":1.5},"_status":{"id":"s"}}"#;
    let resource = json::from_str(text).unwrap();
    let value = serde_json::to_value(&resource).unwrap();
    assert_eq!(value["valueQuantity"]["value"], 1.5);
    assert_eq!(value["_status"]["id"], "s");
    assert_eq!(
        serde_json::from_value::<fhir_model::Resource>(value).unwrap(),
        resource
    );
}

#[test]
fn the_trace_names_what_a_server_changes() {
    let text = r#"{ "id": "b", "resourceType": "Bundle", "type": "transaction", "meta": {"versionId": "7", "profile": ["http://p"]},
        "entry": [{"fullUrl": "urn:uuid:1", "resource": {"resourceType": "Observation", "id": "o", "status": "final",
            "code": {"text": "x"}, "subject": {"reference": "urn:uuid:2"}}}, {"request": {"method": "DELETE", "url": "Patient/1"}}]}"#;
    let (_, trace) = json::read_traced(text.as_bytes(), &ReadOptions::default()).unwrap();
    let at = |range: &std::ops::Range<usize>| &text[range.clone()];
    assert_eq!(trace.resources.len(), 2);
    assert_eq!(at(trace.resources[0].id.as_ref().unwrap()), r#""id": "b""#);
    let meta = trace.resources[0].meta.as_ref().unwrap();
    assert_eq!(
        at(&meta.member),
        r#""meta": {"versionId": "7", "profile": ["http://p"]}"#
    );
    assert_eq!(at(&meta.value), r#"{"versionId": "7", "profile": ["http://p"]}"#);
    assert_eq!(
        meta.stamps.iter().map(at).collect::<Vec<_>>(),
        [r#""versionId": "7""#]
    );
    assert_eq!(meta.others, 1);
    assert_eq!(trace.resources[1].entry, Some(0));
    assert!(at(&trace.resources[1].span).starts_with(r#"{"resourceType": "Observation""#));
    assert!(at(&trace.resources[1].span).ends_with(r#""urn:uuid:2"}}"#));
    let links: Vec<_> = trace.links.iter().map(|l| at(&l.span)).collect();
    assert_eq!(links, [r#""urn:uuid:1""#, r#""urn:uuid:2""#, r#""Patient/1""#]);
}

#[test]
fn what_nests_however_deeply_ends_on_a_small_stack() {
    let deep = 100_000;
    let read = move || {
        for text in [
            "[".repeat(deep),
            "{\"a\":".repeat(deep),
            format!("{{\"resourceType\":\"Patient\",\"a\":{}", "[".repeat(deep)),
            format!(
                "{{\"resourceType\":\"Patient\"{}",
                ",\"extension\":[{\"url\":\"u\"".repeat(deep)
            ),
            format!(
                "{{\"resourceType\":\"Patient\"{}",
                ",\"contained\":[{\"resourceType\":\"Patient\"".repeat(deep)
            ),
        ] {
            assert!(json::from_str(&text).is_err());
            assert!(json::read(text.as_bytes(), &ReadOptions::lenient()).is_err());
        }
        // As deep as may be: read, written, copied, compared and dropped.
        let levels = 30;
        let text = format!(
            "{{\"resourceType\":\"Patient\",\"extension\":[{}{{\"url\":\"u\",\"valueCode\":\"a\"}}{}]}}",
            "{\"url\":\"u\",\"extension\":[".repeat(levels),
            "]}".repeat(levels)
        );
        let patient = json::from_str(&text).unwrap();
        assert_eq!(
            json::from_str(&json::to_string(&patient.clone())).unwrap(),
            patient
        );
        let document = fhir_model::xml::to_string(&patient).unwrap();
        assert_eq!(fhir_model::xml::from_str(&document).unwrap(), patient);
        assert!(fhir_model::path::Expression::compile(&"(".repeat(60_000)).is_err());
        assert!(fhir_model::path::Expression::compile(&"-".repeat(60_000)).is_err());
    };
    let thread = std::thread::Builder::new().stack_size(512 * 1024).spawn(read);
    thread.unwrap().join().unwrap();
}

#[test]
fn numbers_and_dates_at_the_edges_come_back_as_sent_or_are_refused() {
    let long = format!("0.{}", "123456789".repeat(45));
    let too_long = format!("0.{}", "1".repeat(1_100));
    let numbers = [
        ("1.10", true),
        ("-0", true),
        ("-0.00", true),
        ("1e400", true),
        ("1E-400", true),
        (&*long, true),
        (&*too_long, false),
        ("1e1234567890", false),
        ("01", false),
        ("1.", false),
        (".5", false),
        ("+1", false),
        ("NaN", false),
        ("0x10", false),
        ("\"1\"", false),
    ];
    let dates = [
        ("2024-02-29T23:59:60Z", true),
        ("9999-12-31T23:59:59.999999999999+14:00", true),
        ("0001", true),
        ("2024-02", true),
        ("0000", false),
        ("10000-01-01", false),
        ("2023-02-29", false),
        ("2024-02-29T23:59:61Z", false),
        ("2024-02-29T10:00:00+14:01", false),
        ("2024-02-29T10:00:00", false),
        ("2024-02-29T10:00Z", false),
    ];
    let observation = |members: &str| {
        format!(
            "{{\"resourceType\":\"Observation\",\"status\":\"final\",\"code\":{{\"text\":\"a\"}},{members}}}"
        )
    };
    let texts = numbers.iter().map(|(n, good)| {
        (
            observation(&format!("\"valueQuantity\":{{\"value\":{n}}}")),
            *good,
        )
    });
    let texts = texts.chain(
        dates
            .iter()
            .map(|(d, good)| (observation(&format!("\"effectiveDateTime\":\"{d}\"")), *good)),
    );
    for (text, good) in texts {
        match json::from_str(&text) {
            Ok(read) => assert!(good && json::to_string(&read) == text, "{text}"),
            Err(error) => assert!(!good, "{text}: {error}"),
        }
    }
}
