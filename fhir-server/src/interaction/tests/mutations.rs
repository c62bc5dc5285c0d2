//! Mutated inputs: whatever comes in, no failure of the server's own, and nothing stored that is refused later.

use super::*;

/// The seed; a failure names it, the round and the input.
const SEED: u64 = 0x5EED_2026_1123_0001;
const ROUNDS: usize = 3_000;

/// xorshift64*: small, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }
}

const RESOURCES: &[&str] = &[
    r#"{"resourceType":"Patient","id":"p","meta":{"versionId":"1","lastUpdated":"2026-11-23T09:30:00Z","profile":["http://x"]},"text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><a href=\"urn:uuid:a\">é</a></div>"},"extension":[{"url":"http://x","valueDecimal":1.50}],"active":true,"name":[{"family":"Hale","given":["Ann",null],"_given":[null,{"id":"x"}]}],"birthDate":"1980-04","_birthDate":{"extension":[{"url":"http://y","valueTime":"10:00:00"}]},"link":[{"other":{"reference":"urn:uuid:a"},"type":"seealso"}]}"#,
    r#"{"resourceType":"Observation","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"1-8"}]},"valueQuantity":{"value":-0.10e2,"unit":"kg"},"contained":[{"resourceType":"Basic","id":"c","code":{"text":"x"}}],"component":[{"code":{"text":"y"},"valueRange":{"low":{"value":1}}}]}"#,
    r#"{"resourceType":"Binary","contentType":"text/plain","data":"QUJD","securityContext":{"reference":"Patient/p"}}"#,
];

const BUNDLES: &[&str] = &[
    r#"{"resourceType":"Bundle","type":"transaction","entry":[{"fullUrl":"urn:uuid:a","resource":{"resourceType":"Patient","link":[{"other":{"reference":"urn:uuid:b#x"},"type":"seealso"}]},"request":{"method":"POST","url":"Patient"}},{"fullUrl":"urn:uuid:b","resource":{"resourceType":"Patient","id":"q"},"request":{"method":"PUT","url":"Patient/q","ifMatch":"W/\"1\""}},{"request":{"method":"GET","url":"Patient?_id=a&_count=1"}},{"request":{"method":"DELETE","url":"Patient/z"}}]}"#,
    r#"{"resourceType":"Bundle","type":"batch","entry":[{"resource":{"resourceType":"Patient","active":true},"request":{"method":"POST","url":"Patient"}},{"request":{"method":"GET","url":"Patient/q/_history/1?_summary=text"}},{"request":{"method":"GET","url":"_history?_since=2026&_at=2026-11"}}]}"#,
];

const PIECES: &[&str] = &[
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
    "-",
    "1e400",
    "0x1",
    " ",
    "\n",
    "\u{feff}",
    "\u{202e}",
    "é",
    "resourceType",
    "\"id\":\"\"",
    "\"meta\":{}",
    "\"meta\":{\"versionId\":\"2\"},",
    "\"entry\":[]",
    "urn:uuid:a",
    "Patient/",
    "../",
    "%00",
    "#",
    "?",
    "$",
    "transaction",
    "batch",
    "\"resource\":{\"resourceType\":\"Bundle\",\"type\":\"batch\"},",
    "[[[[[[[[",
    "9999-12-31",
];

/// One to four changes: bytes changed, pieces cut, doubled, swapped or put in.
fn mutated(text: &str, random: &mut Random) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len());
        let end = (at + random.below(40)).min(bytes.len());
        match random.below(6) {
            0 if at < bytes.len() => bytes[at] = (random.next() & 0xFF) as u8,
            1 => drop(bytes.drain(at..end)),
            2 => {
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece);
            }
            3 => bytes.truncate(bytes.len() - random.below(bytes.len().min(20))),
            _ => drop(bytes.splice(at..at, random.pick(PIECES).bytes())),
        }
    }
    bytes
}

fn asked(round: usize, random: &mut Random) -> Request {
    let (mut request, text) = match round % 3 {
        0 => {
            let text = random.pick(RESOURCES);
            let kind = text.split('"').nth(3).unwrap();
            (request("POST", kind), text)
        }
        1 => (request("PUT", "Patient/p"), RESOURCES[0]),
        _ => (
            Request::new(crate::interaction::Interaction::Transaction, BASE),
            random.pick(BUNDLES),
        ),
    };
    request.body = Some(RequestBody::Fhir(Format::Json, mutated(text, random).into()));
    request
}

#[test]
fn mutated_inputs_are_answered_or_refused_and_never_break_anything() {
    let mut random = Random(SEED);
    let mut server = TestServer::new();
    let (mut accepted, mut refused) = (0, 0);
    for round in 0..ROUNDS {
        if round % 100 == 0 {
            server = TestServer::new();
        }
        let request = asked(round, &mut random);
        let shown = || match &request.body {
            Some(RequestBody::Fhir(_, text)) => String::from_utf8_lossy(text).into_owned(),
            _ => String::new(),
        };
        match server.send(&request) {
            Ok(response) => {
                accepted += 1;
                let Payload::Json(json) = &response.payload else {
                    continue;
                };
                let read = fhir_model::json::from_slice(json);
                assert!(
                    read.is_ok(),
                    "seed {SEED:#x} round {round}: {}: {read:?}",
                    shown()
                );
                let text = String::from_utf8_lossy(json).into_owned();
                assert!(
                    !text.contains("\"500 "),
                    "seed {SEED:#x} round {round}: {}: {text}",
                    shown()
                );
            }
            Err(error) => {
                refused += 1;
                let status = error.code.facts().status;
                assert!(
                    status < 500 || status == 501,
                    "seed {SEED:#x} round {round}: {error}: {}",
                    shown()
                );
                assert!(!error.issues.is_empty());
            }
        }
        if round % 100 == 99 {
            let all = server.json("_history?_count=1000");
            for entry in all["entry"]
                .as_array()
                .into_iter()
                .flatten()
                .filter(|e| e.get("resource").is_some())
            {
                let resource = fhir_model::json::from_str(&entry["resource"].to_string()).unwrap();
                assert_eq!(
                    fhir_validate::Validator::new().validate(&resource),
                    [],
                    "seed {SEED:#x} before {round}"
                );
            }
        }
    }
    assert!(
        accepted > 20 && refused > 50,
        "{accepted} accepted, {refused} refused"
    );
    println!("{ROUNDS} mutated inputs, seed {SEED:#x}: {accepted} accepted, {refused} refused");
}
