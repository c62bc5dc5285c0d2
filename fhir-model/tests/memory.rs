//! What a reading may take of memory, counted by the allocator: a multiple of the text, whatever the text is.
//!
//! Invariant: the peak stays under `expansion` times the text and half as much again, as a list that grows is for a moment
//! there twice, the old and the new. The text itself is the caller's and does not count.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[expect(
    dead_code,
    clippy::indexing_slicing,
    reason = "only the finding of files is of use here; tests may index"
)]
mod support;

use std::sync::{Mutex, PoisonError};

use fhir_model::read::{IssueKind, Limits, ReadError, ReadOptions};
use fhir_model::reflect::{Field, Shape};
use fhir_model::{Resource, json, xml};
use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// One test at a time, as the allocator is everyone's.
static ALONE: Mutex<()> = Mutex::new(());

/// How long the texts are, about.
const LENGTH: usize = 16 * 1024;
/// What is allowed however short the text, and the reader's own.
const FIXED: usize = 128 * 1024;

/// The error, and how many bytes were allocated at the same time at most.
fn peak<T>(read: impl FnOnce() -> Result<T, ReadError>) -> (Option<ReadError>, usize) {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let error = read().err();
    (error, MEMORY.peak_usage() - before)
}

/// Whether the reading ended for want of memory; fails where it took more than it may.
fn holds<T>(what: &str, text: &str, read: impl FnOnce() -> Result<T, ReadError>) -> bool {
    let (error, peak) = peak(read);
    let most = text.len() * Limits::default().expansion * 3 / 2 + FIXED;
    assert!(
        peak <= most,
        "{what}: {peak} bytes for a text of {}: {}",
        text.len(),
        &text[..200]
    );
    let limit = |error: ReadError| {
        let ours = error.issues.iter().any(|i| i.kind == IssueKind::Limit);
        ours && error.issues.iter().all(|i| i.message.contains("bytes of memory"))
    };
    error.is_some_and(limit)
}

/// How many readings of a text, in each way that JSON is read, end for want of memory.
fn json_holds(what: &str, text: &str) -> usize {
    let strict = ReadOptions::default();
    let lenient = ReadOptions::lenient();
    [
        holds(what, text, || json::read(text.as_bytes(), &strict)),
        holds(what, text, || json::read_traced(text.as_bytes(), &strict)),
        holds(what, text, || json::read(text.as_bytes(), &lenient)),
    ]
    .into_iter()
    .filter(|ended| *ended)
    .count()
}

fn many(item: &str, separator: &str) -> String {
    let count = LENGTH / (item.len() + separator.len()) + 1;
    vec![item; count].join(separator)
}

/// The lists of datatypes and backbone elements that a resource has at its root.
fn lists(resource: &Resource) -> impl Iterator<Item = &'static Field> {
    let fields = resource.as_complex().type_info().fields;
    fields
        .iter()
        .filter(|f| f.is_list() && matches!(f.shape, Shape::Complex(_)))
}

#[test]
fn no_text_takes_more_than_its_multiple() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut ended = 0;
    let strict = ReadOptions::default();
    for name in Resource::TYPES {
        let resource = Resource::new(name).unwrap();
        for field in lists(&resource) {
            let what = format!("{name}.{}", field.name);
            let items = many(r#"{"id":"a"}"#, ",");
            let text = format!(r#"{{"resourceType":"{name}","{}":[{items}]}}"#, field.name);
            ended += usize::from(holds(&what, &text, || json::read(text.as_bytes(), &strict)));
            let items = many(&format!(r#"<{} id="a"/>"#, field.name), "");
            let text = format!(r#"<{name} xmlns="http://hl7.org/fhir">{items}</{name}>"#);
            ended += usize::from(holds(&what, &text, || xml::read(text.as_bytes(), &strict)));
        }
        let inner = format!(r#"{{"resource":{{"resourceType":"{name}","language":"a"}}}}"#);
        let text = format!(
            r#"{{"resourceType":"Bundle","type":"batch","entry":[{}]}}"#,
            many(&inner, ",")
        );
        ended += json_holds(name, &text);
    }
    println!("{ended} readings ended for want of memory");
    assert!(
        ended > 20,
        "the texts are not wide enough to show anything: {ended} readings ended"
    );
    for (what, text) in [
        (
            "nulls",
            format!(
                r#"{{"resourceType":"Patient","name":[{{"given":[{}]}}]}}"#,
                many("null", ",")
            ),
        ),
        (
            "extras",
            format!(
                r#"{{"resourceType":"Patient","name":[{{"_given":[{}]}}]}}"#,
                many(r#"{"id":"a"}"#, ",")
            ),
        ),
        (
            "strings",
            format!(
                r#"{{"resourceType":"Patient","name":[{{"given":[{}]}}]}}"#,
                many(&format!("{:?}", "x".repeat(25)), ",")
            ),
        ),
        (
            "links",
            format!(
                r#"{{"resourceType":"Patient","meta":{{"profile":[{}]}}}}"#,
                many(r#""a""#, ",")
            ),
        ),
        ("lists of one", nested()),
        (
            "unknown",
            format!(r#"{{"resourceType":"Patient",{}}}"#, many(r#""a":1"#, ",")),
        ),
        (
            "unknown below",
            format!(
                r#"{{"resourceType":"Patient","contact":[{{"organization":{{"identifier":{{"assigner":{{{}}}}}}}}}]}}"#,
                many(r#""a":1"#, ",")
            ),
        ),
        (
            "empty",
            format!(r#"{{"resourceType":"Bundle","entry":[{}]}}"#, many("{}", ",")),
        ),
    ] {
        json_holds(what, &text);
    }
    for (what, item) in [
        ("given", r#"<name><given value="a"/></name>"#),
        ("extras", r#"<name><given id="a"/></name>"#),
        (
            "extensions",
            r#"<name><given><extension url="a"/></given></name>"#,
        ),
        ("unknown", "<a/>"),
        (
            "contained",
            r#"<contained><Patient><language value="a"/></Patient></contained>"#,
        ),
        ("attributes", r#"<name a="1" b="2"/>"#),
    ] {
        let text = format!(
            r#"<Patient xmlns="http://hl7.org/fhir">{}</Patient>"#,
            many(item, "")
        );
        for options in [ReadOptions::default(), ReadOptions::lenient()] {
            holds(what, &text, || xml::read(text.as_bytes(), &options));
        }
    }
}

/// Extensions with one extension each, as deep as may be, again and again: a list of one item has room for four.
fn nested() -> String {
    let deep = 28;
    let item = format!(
        "{}{}{}",
        r#"{"extension":["#.repeat(deep),
        r#"{"url":"a"}"#,
        "]}".repeat(deep)
    );
    format!(
        r#"{{"resourceType":"Patient","extension":[{}]}}"#,
        many(&item, ",")
    )
}

#[test]
fn records_take_a_small_part_of_what_they_may() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let most = Limits::default().expansion;
    for folder in ["examples/r4-json", "synthea"] {
        let (mut worst, mut count) = ((0, String::new()), 0);
        for file in support::shared_files(folder, ".json") {
            let text = std::fs::read(&file).unwrap();
            if text.len() < 4096 {
                continue;
            }
            let text = json::compact(&text);
            let (error, peak) = peak(|| json::read_traced(&text, &ReadOptions::default()));
            assert!(error.is_none(), "{}: {error:?}", file.display());
            count += 1;
            worst = worst.max((peak / text.len(), file.display().to_string()));
        }
        println!(
            "{count} files of {folder}: at most {} bytes for each of the compact text ({})",
            worst.0, worst.1
        );
        assert!(worst.0 < most, "{worst:?}");
    }
}

#[test]
fn bundles_of_the_smallest_resources_and_long_lists_of_short_items_are_read() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let entry = |resource: &str, kind: &str| {
        let request = format!(r#"{{"method":"POST","url":"{kind}"}}"#);
        format!(r#"{{"resource":{resource},"request":{request}}}"#)
    };
    let patient = entry(r#"{"resourceType":"Patient","active":true}"#, "Patient");
    let observation = entry(
        r#"{"resourceType":"Observation","status":"final","code":{"text":"a"}}"#,
        "Observation",
    );
    let encounter = entry(
        r#"{"resourceType":"Encounter","status":"planned","class":{"code":"AMB"}}"#,
        "Encounter",
    );
    let bundle = |item: &str| {
        format!(
            r#"{{"resourceType":"Bundle","type":"transaction","entry":[{}]}}"#,
            many(item, ",")
        )
    };
    let concepts = many(r#"{"code":"a"}"#, ",");
    let answers = many(r#"{"linkId":"1","answer":[{"valueBoolean":true}]}"#, ",");
    let parts = many(r#"{"name":"a","valueCode":"b"}"#, ",");
    for (what, text) in [
        ("patients", bundle(&patient)),
        ("observations", bundle(&observation)),
        ("encounters", bundle(&encounter)),
        (
            "concepts",
            format!(
                r#"{{"resourceType":"CodeSystem","status":"draft","content":"complete","concept":[{concepts}]}}"#
            ),
        ),
        (
            "answers",
            format!(r#"{{"resourceType":"QuestionnaireResponse","status":"completed","item":[{answers}]}}"#),
        ),
        (
            "parameters",
            format!(r#"{{"resourceType":"Parameters","parameter":[{parts}]}}"#),
        ),
    ] {
        let (error, peak) = peak(|| json::read_traced(text.as_bytes(), &ReadOptions::default()));
        println!("{what}: {} bytes for each of the text", peak / text.len());
        assert!(error.is_none(), "{what}: {error:?}");
    }
}
