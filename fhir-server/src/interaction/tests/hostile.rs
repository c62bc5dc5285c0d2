//! Text that no client should send, in every place of a search: refused or taken literally, never a failure of the server.

use super::record::record;
use super::*;

const TEXTS: [&str; 36] = [
    "'",
    "\"",
    "' OR '1'='1",
    "'; DROP TABLE resource; --",
    "1; SELECT pg_sleep(9)",
    "\\",
    "\\'",
    "%",
    "_",
    "%%%",
    "[",
    "]",
    "(",
    ")",
    "((((",
    "$1",
    "?",
    "??",
    ":name",
    "@x",
    "--",
    "/*",
    "*/",
    "\u{202e}",
    "\u{fffd}",
    "e\u{301}",
    "🧪",
    "\u{feff}",
    "\t",
    "\n",
    "x'00'",
    "U&'\\0041'",
    "${7*7}",
    "{{7*7}}",
    "<script>",
    "../../etc/passwd",
];

/// Places in a query; `¤` is where the text goes.
const PLACES: [&str; 40] = [
    "Patient?name=¤",
    "Patient?name:exact=¤",
    "Patient?name:contains=¤",
    "Patient?name:missing=¤",
    "Patient?name:¤=x",
    "Patient?¤=x",
    "Patient?gender=¤",
    "Patient?gender:not=¤",
    "Patient?identifier=¤|x",
    "Patient?identifier=urn:x|¤",
    "Patient?identifier:of-type=a|b|¤",
    "Condition?code:text=¤",
    "Condition?code:in=¤",
    "Patient?birthdate=¤",
    "Patient?birthdate=ge¤",
    "Patient?organization=¤",
    "Patient?organization=Organization/¤",
    "Patient?organization:identifier=¤",
    "Patient?organization.name=¤",
    "Patient?organization.¤=x",
    "Patient?organization:¤.name=x",
    "Observation?value-quantity=¤",
    "Observation?value-quantity=5||¤",
    "Observation?code-value-quantity=¤$5",
    "Observation?subject:Patient.name=¤",
    "Patient?_has:Observation:patient:code=¤",
    "Patient?_has:¤:patient:code=x",
    "Patient?_has:Observation:¤:code=x",
    "Patient?_id=¤",
    "Patient?_lastUpdated=¤",
    "Patient?_list=¤",
    "Patient?_filter=¤",
    "Patient?_filter=name eq \"¤\"",
    "Patient?_profile:below=¤",
    "Patient?_profile:above=¤",
    "Patient?_sort=¤",
    "Patient?_include=Patient:¤",
    "Patient?_elements=¤",
    "Location?near=¤|1",
    "?_type=Patient&_source=¤",
];

#[test]
fn hostile_text_in_every_place_is_refused_or_taken_literally() {
    let server = record();
    for place in PLACES {
        for text in TEXTS {
            let (path, query) = place.split_once('?').unwrap();
            let mut search = request("GET", path);
            for pair in query.split('&') {
                let (name, value) = pair.split_once('=').unwrap();
                search
                    .query
                    .push((name.replace('¤', text), value.replace('¤', text)));
            }
            match server.send(&search) {
                Ok(response) => assert_eq!(response.status, 200, "{place} {text:?}"),
                Err(error) => {
                    let status = error.code.facts().status;
                    assert!((400..500).contains(&status), "{place} {text:?}: {status} {error}");
                }
            }
        }
    }
    assert_eq!(server.json("Patient")["total"], 3);
}

#[test]
fn wildcards_of_the_database_are_letters_like_others() {
    let server = TestServer::new();
    for (id, family) in [
        ("a", "100%"),
        ("b", "100x"),
        ("c", "a_c"),
        ("d", "abc"),
        ("e", r"a\c"),
    ] {
        let body = serde_json::json!({"resourceType": "Patient", "id": id, "name": [{"family": family}]});
        server.put(&format!("Patient/{id}"), &body.to_string()).unwrap();
    }
    for (url, expected) in [
        ("Patient?name=100%25", "a"),
        ("Patient?name:contains=0%25", "a"),
        ("Patient?name=a_c", "c"),
        ("Patient?name:contains=_", "c"),
        (r"Patient?name=a\\c", "e"),
        ("Patient?name:exact=a_c", "c"),
        ("Patient?_filter=name ew \"_c\"", "c"),
    ] {
        assert_eq!(super::record::ids(&server, url), [expected], "{url}");
    }
}
