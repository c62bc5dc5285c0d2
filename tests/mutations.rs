//! Mutated inputs over HTTP against the real binary: no failure of the server's own, every refusal explained, no panic,
//! memory flat (S-078). Bombs take little memory too (S-064).
//!
//!     cargo test -p fhir-server --test mutations                    1,000 inputs
//!     FHIR_TEST_LONG=1 cargo test -p fhir-server --test mutations   20,000 inputs
//!     FHIR_TEST_SEED=7 cargo test -p fhir-server --test mutations   the same inputs again

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[expect(
    dead_code,
    reason = "the other tests that have a server process want more of it"
)]
mod process;

use std::collections::BTreeMap;

use fhir_model::{Bundle, Resource, json, xml};
use process::{Answer, Choices, Server, ask, is_long, seed};

/// What SQLite's page caches may yet grow, in KiB: 8 MiB of the writer's and 2 of a reader's. A thousand inputs hardly
/// touch them; many thousand that write fill them, while refusals alone leave memory as it is.
const CACHES: u64 = 10 * 1024;

/// Pieces that mean something to a reader of JSON or XML, or to the server.
const PIECES: [&str; 40] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "\\u0000",
    "\\ud800",
    "null",
    "true",
    "-1",
    "1e400",
    "0.10",
    "\u{feff}",
    "\u{202e}",
    "é",
    "<",
    ">",
    "/>",
    "</",
    "&amp;",
    "&#0;",
    "<!DOCTYPE a>",
    "<![CDATA[",
    "]]>",
    " value=\"\"",
    " xmlns=\"\"",
    "\"resourceType\":\"Patient\",",
    "\"id\":\"a/b\",",
    "urn:uuid:a",
    "Patient?identifier=a",
    "_history/1",
    "9999-12-31",
    "0000",
    "2024-02-30",
    "DELETE",
    "#",
    "\0",
];

/// The sandbox's own records, each by itself and as the entry of a transaction.
fn records() -> Vec<Resource> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/sandbox");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "json"));
    files.sort();
    let bundles = files
        .iter()
        .map(|path| json::from_slice(&std::fs::read(path).unwrap()).unwrap());
    let entries = bundles.flat_map(|bundle| bundle.get::<Bundle>().unwrap().entry.clone());
    entries.filter_map(|entry| entry.resource).collect()
}

fn transaction(records: &[Resource], choices: &mut Choices) -> String {
    let entries: Vec<String> = (0..1 + choices.below(4))
        .map(|n| {
            let resource = &records[below(choices, records.len())];
            let kind = resource.type_name();
            let (resource, url) = (json::to_string(resource), format!("{kind}/{}", id(resource)));
            let (method, url) = if choices.below(2) == 0 { ("POST", kind) } else { ("PUT", &*url) };
            format!(r#"{{"fullUrl":"urn:uuid:{n}","resource":{resource},"request":{{"method":"{method}","url":"{url}"}}}}"#)
        })
        .collect();
    format!(
        r#"{{"resourceType":"Bundle","type":"transaction","entry":[{}]}}"#,
        entries.join(",")
    )
}

fn id(resource: &Resource) -> String {
    let text = json::to_string(resource);
    let id = text
        .split("\"id\":\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next());
    id.unwrap_or("a").to_owned()
}

fn below(choices: &mut Choices, end: usize) -> usize {
    usize::try_from(choices.below(end.max(1) as u64)).unwrap()
}

fn mutate(text: &mut Vec<u8>, choices: &mut Choices) {
    for _ in 0..choices.below(4) {
        let at = below(choices, text.len() + 1);
        let length = below(choices, 60).min(text.len() - at);
        match choices.below(7) {
            0 => drop(text.drain(at..at + length)),
            1 if choices.below(4) == 0 => text.truncate(at),
            2 | 3 => drop(text.splice(at..at, PIECES[below(choices, PIECES.len())].bytes())),
            4 => {
                let copy = text[at..at + length].to_vec();
                let to = below(choices, text.len() + 1);
                drop(text.splice(to..to, copy));
            }
            5 if at < text.len() => text[at] = u8::try_from(choices.below(256)).unwrap(),
            _ if at < text.len() => text[at] = b"{}[],:\"\\<>/=&0123 "[below(choices, 18)],
            _ => {}
        }
    }
}

/// One input: method, path, headers and body.
struct Input {
    method: &'static str,
    path: String,
    headers: String,
    body: Vec<u8>,
}

impl Input {
    fn new(records: &[Resource], choices: &mut Choices) -> Input {
        let resource = &records[below(choices, records.len())];
        let kind = resource.type_name();
        let (method, path, text) = match choices.below(3) {
            0 => ("POST", format!("/fhir/{kind}"), json::to_string(resource)),
            1 => (
                "PUT",
                format!("/fhir/{kind}/{}", id(resource)),
                json::to_string(resource),
            ),
            _ => ("POST", "/fhir".to_owned(), transaction(records, choices)),
        };
        let is_xml = choices.below(2) == 0;
        let mut body = match is_xml {
            true => xml::to_vec(&json::from_str(&text).unwrap()).unwrap(),
            false => text.into_bytes(),
        };
        mutate(&mut body, choices);
        let form = if is_xml {
            "application/fhir+xml"
        } else {
            "application/fhir+json"
        };
        let accept = if choices.below(2) == 0 {
            "application/fhir+xml"
        } else {
            "application/fhir+json"
        };
        let headers = format!("Content-Type: {form}\r\nAccept: {accept}\r\n");
        Input {
            method,
            path,
            headers,
            body,
        }
    }

    /// What is wrong with an answer to this input.
    fn fault(&self, answer: &Answer) -> Option<String> {
        if answer.status >= 500 && answer.status != 501 {
            return Some("a failure of the server's own".into());
        }
        if answer.status < 400 {
            return None;
        }
        let read = match answer.head.to_ascii_lowercase().contains("application/fhir+xml") {
            true => xml::from_slice(&answer.body),
            false => json::from_slice(&answer.body),
        };
        match read {
            Ok(Resource::OperationOutcome(outcome)) if !outcome.issue.is_empty() => None,
            Ok(other) => Some(format!("refused with a {}", other.type_name())),
            Err(error) => Some(format!("refused with what is no resource: {error}")),
        }
    }
}

fn panics(server: &Server) -> String {
    let metrics = server
        .metrics
        .as_deref()
        .expect("the server tells where its metrics are");
    let answer = ask(metrics, "GET", "/metrics", "", b"").expect("metrics");
    let text = String::from_utf8(answer.body).unwrap();
    let line = text.lines().find(|line| line.starts_with("fhir_panics_total"));
    line.expect("a count of panics").to_owned()
}

#[test]
fn mutated_inputs_meet_no_failure_and_leave_no_memory_behind() {
    let inputs = if is_long() { 20_000 } else { 1_000 };
    let seed = seed();
    println!("{inputs} inputs, FHIR_TEST_SEED={seed}");
    let folder = tempfile::tempdir().unwrap();
    let options = ["--metrics-bind", "127.0.0.1:0", "--workers", "1"];
    let server = Server::start(
        &process::sqlite(&folder.path().join("mutations.sqlite")),
        &options,
    );
    let records = records();
    let mut choices = Choices(seed);
    let (mut statuses, mut resident) = (BTreeMap::<u16, u32>::new(), Vec::new());
    for number in 0..inputs {
        let input = Input::new(&records, &mut choices);
        let answer = ask(
            &server.address,
            input.method,
            &input.path,
            &input.headers,
            &input.body,
        );
        let shown = || {
            format!(
                "input {number} of seed {seed}: {} {}\n{}",
                input.method,
                input.path,
                String::from_utf8_lossy(&input.body)
            )
        };
        let answer = answer.unwrap_or_else(|| panic!("no answer to {}", shown()));
        if let Some(fault) = input.fault(&answer) {
            panic!(
                "{fault}: {}\n{}\n{}",
                answer.head,
                String::from_utf8_lossy(&answer.body),
                shown()
            );
        }
        *statuses.entry(answer.status).or_default() += 1;
        if (number + 1) % (inputs / 4) == 0 {
            resident.extend(server.resident());
        }
    }
    println!("answers: {statuses:?}; resident KiB after each quarter: {resident:?}");
    assert_eq!(panics(&server), "fhir_panics_total 0");
    let (taken, refused): (Vec<u16>, Vec<u16>) = statuses.keys().partition(|status| **status < 400);
    assert!(
        !taken.is_empty() && !refused.is_empty(),
        "the mutations test little: {statuses:?}"
    );
    if let (Some(first), Some(last)) = (resident.first(), resident.last()) {
        let caches = if is_long() { CACHES } else { 0 };
        assert!(
            *last < first + first / 20 + caches,
            "memory grew from {first} to {last} KiB"
        );
    }
}

/// Fifty bodies at once that are small packed and large unpacked: each 413, and little memory for all of them.
#[test]
fn fifty_bombs_at_once_are_refused_in_little_memory() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(
        &process::sqlite(&folder.path().join("bombs.sqlite")),
        &["--workers", "2"],
    );
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..200 {
        std::io::Write::write_all(&mut packer, &[b' '; 1 << 20]).unwrap();
    }
    let bomb = packer.finish().unwrap();
    let headers = "Content-Type: application/fhir+json\r\nContent-Encoding: gzip\r\n";
    let before = server.resident();
    std::thread::scope(|scope| {
        for _ in 0..50 {
            scope.spawn(|| {
                let answer =
                    ask(&server.address, "POST", "/fhir/Patient", headers, &bomb).expect("an answer");
                assert_eq!(answer.status, 413, "{}", answer.head);
            });
        }
    });
    if let (Some(before), Some(peak)) = (before, server.peak()) {
        println!(
            "{} KiB resident before, {} KiB at most while 50 bombs came",
            before, peak
        );
        assert!(peak < before + 64 * 1024, "from {before} to {peak} KiB");
    }
}
