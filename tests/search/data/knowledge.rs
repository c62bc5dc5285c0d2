//! Random lists and value sets.

use serde_json::{Value, json};

use super::element::{NAMES, SYSTEMS, concept, date_time, identifier, quantity, reference, words};
use super::{TYPES, list_of, maybe};
use crate::random::Random;

pub(super) fn list(random: &mut Random) -> Value {
    let mut list = json!({"status": random.text(&["current", "retired"]), "mode": "working"});
    maybe(random, 70, &mut list, "title", |r| json!(r.text(&NAMES)));
    maybe(random, 70, &mut list, "code", concept);
    maybe(random, 60, &mut list, "subject", |r| {
        reference(r, &["Patient", "Location"])
    });
    maybe(random, 40, &mut list, "date", date_time);
    maybe(random, 30, &mut list, "source", |r| {
        reference(r, &["Practitioner", "Patient"])
    });
    maybe(
        random,
        30,
        &mut list,
        "note",
        |r| json!([{"text": words(r)}, {"text": words(r)}]),
    );
    list_of(random, 1, &mut list, "identifier", identifier);
    list_of(
        random,
        8,
        &mut list,
        "entry",
        |r| json!({"item": reference(r, &TYPES)}),
    );
    list
}

pub(super) fn value_set(random: &mut Random) -> Value {
    let urls = [
        "https://example.org/fhir/vs",
        "https://example.org/fhir/vs/a",
        "https://example.org/fhir/vs/a/b",
        "urn:vs:1",
    ];
    let mut set = json!({"status": random.text(&["active", "draft"])});
    maybe(random, 80, &mut set, "url", |r| json!(r.text(&urls)));
    maybe(random, 60, &mut set, "version", |r| {
        json!(r.text(&["1.0", "2.0-Beta"]))
    });
    maybe(random, 60, &mut set, "name", |r| {
        json!(r.text(&["Alpha", "AlphaBeta", "Gamma"]))
    });
    maybe(random, 60, &mut set, "title", |r| json!(r.text(&NAMES)));
    maybe(random, 60, &mut set, "publisher", |r| json!(r.text(&NAMES)));
    maybe(random, 60, &mut set, "description", words);
    maybe(random, 60, &mut set, "date", date_time);
    list_of(random, 2, &mut set, "jurisdiction", concept);
    list_of(random, 3, &mut set, "useContext", |r| {
        let mut context = json!({"code": super::element::coding(r)});
        match r.chance(50) {
            true => context["valueCodeableConcept"] = concept(r),
            false => context["valueQuantity"] = quantity(r),
        }
        context
    });
    maybe(random, 50, &mut set, "compose", |r| {
        let (system, _, codes) = *r.pick(&SYSTEMS);
        json!({"include": [{"system": system, "concept": [{"code": r.text(codes)}, {"code": codes[0]}]}]})
    });
    set
}
