//! Texts that mean harm, in every place of a request, on every database (security targets S-067, S-068): refused, or taken for what they
//! are, never a failure of the server, never a part of a statement.

mod literal;
mod places;
mod statements;
mod texts;

use std::collections::BTreeMap;

use serde_json::json;

use crate::front::{Answer, Front, json as with_body, request};
use crate::fronts;
use crate::random::{Random, is_long, seed};
use places::Place;

/// Texts and places that a short run sends.
const SAMPLE: usize = 1_200;
/// Failures that are shown.
const SHOWN: usize = 10;
/// The least text that is looked for in statements: shorter ones are words of SQL.
const TELLING: usize = 6;
/// Texts that are longer than that but are words of our own statements too.
const OURS: [&str; 2] = ["r.tenant", "version()"];

#[actix_web::test]
async fn hostile_texts_in_every_place_are_refused_or_taken_literally_alike_on_every_database() {
    statements::record();
    let (seed, texts, places) = (seed(), texts::all(), places::all());
    assert!(
        texts.len() >= 500 && places.len() >= 40,
        "{} texts, {} places",
        texts.len(),
        places.len()
    );
    let (fronts, _files) = fronts().await;
    for front in &fronts {
        prepare(front).await;
    }
    let mut tally = Tally::default();
    for (place, text) in pairs(seed, &places, &texts) {
        ask(&fronts, place, text, &mut tally).await;
    }
    let seen = statements::seen();
    println!(
        "seed {seed}: {} texts, {} places; {} requests, of which HTTP cannot carry {}: {:?}; {} statements, {} failures",
        texts.len(),
        places.len(),
        tally.asked,
        tally.unsendable,
        tally.statuses,
        seen.len(),
        tally.failures
    );
    assert_eq!(tally.failures, 0);
    assert!(
        tally.statuses.get(&200).is_some_and(|ok| ok * 20 > tally.asked),
        "hardly anything was searched for"
    );
    assert!(seen.len() > 50, "the statements were not recorded");
    for text in texts.iter().filter_map(|text| std::str::from_utf8(text).ok()) {
        // Parentheses our statements have themselves.
        let is_word = !text.chars().all(|c| matches!(c, '(' | ')')) && !OURS.contains(&text);
        let is_telling = text.contains(texts::MARK) || (text.len() >= TELLING && is_word);
        let within = seen.iter().find(|sql| is_telling && sql.contains(text));
        assert!(within.is_none(), "{text:?} is part of a statement: {within:?}");
    }
}

/// Every text in every place, or a sample of them.
fn pairs<'a>(seed: u64, places: &'a [Place], texts: &'a [Vec<u8>]) -> Vec<(&'a Place, &'a Vec<u8>)> {
    if is_long() {
        return places
            .iter()
            .flat_map(|place| texts.iter().map(move |text| (place, text)))
            .collect();
    }
    let mut random = Random::new(seed);
    let sampled = (0..SAMPLE).map(|at| (&places[at % places.len()], &texts[random.below(texts.len())]));
    sampled.collect()
}

/// What the places speak of.
async fn prepare(front: &Front) {
    for resource in [
        json!({"resourceType": "Organization", "id": "o", "name": "Trust"}),
        json!({"resourceType": "Patient", "id": "a", "active": true, "gender": "female", "birthDate": "1980-04", "name": [{"family": "Hale"}],
            "managingOrganization": {"reference": "Organization/o"}}),
        json!({"resourceType": "Observation", "id": "b", "status": "final", "code": {"coding": [{"system": "http://loinc.org", "code": "1-8"}]},
            "subject": {"reference": "Patient/a"}, "valueQuantity": {"value": 5, "system": "http://unitsofmeasure.org", "code": "mg"}}),
        json!({"resourceType": "Location", "id": "l", "position": {"latitude": 51, "longitude": 0}}),
    ] {
        let path = format!(
            "/fhir/{}/{}",
            resource["resourceType"].as_str().unwrap(),
            resource["id"].as_str().unwrap()
        );
        assert_eq!(
            front
                .send(with_body(request("PUT", &path), &resource.to_string()))
                .await
                .status,
            201
        );
    }
}

/// What came of the requests.
#[derive(Default)]
struct Tally {
    asked: usize,
    unsendable: usize,
    failures: usize,
    statuses: BTreeMap<u16, usize>,
}

async fn ask(fronts: &[Front], place: &Place, text: &[u8], tally: &mut Tally) {
    let mut answers: Vec<Answer> = Vec::new();
    for front in fronts {
        let Some(request) = place.request(text) else {
            tally.unsendable += 1;
            return;
        };
        answers.push(front.send(request).await);
    }
    tally.asked += 1;
    if let Some(status) = answers.first().map(|answer| answer.status) {
        *tally.statuses.entry(status).or_default() += 1;
    }
    let faults = faults(&answers);
    tally.failures += faults.len();
    if !faults.is_empty() && tally.failures <= SHOWN {
        let text: String = String::from_utf8_lossy(text).chars().take(120).collect();
        println!("{}: {text:?}: {}", place.name, faults.join("; "));
    }
}

fn faults(answers: &[Answer]) -> Vec<String> {
    let mut faults = Vec::new();
    for answer in answers {
        // What the server does not offer is told by 501, as of an operation whose name the text is.
        let is_not_offered = answer.status == 501 && answer.body["issue"][0]["code"] == "not-supported";
        if answer.status >= 500 && !is_not_offered {
            faults.push(format!("status {}: {}", answer.status, answer.body));
        }
        let is_refusal = answer.status >= 400 && !answer.body.to_string().contains("OperationOutcome");
        if is_refusal {
            faults.push(format!(
                "status {} without an OperationOutcome: {}",
                answer.status, answer.body
            ));
        }
    }
    let mut others = answers.iter().skip(1);
    if let Some(other) = others.find(|other| without_tokens(other) != without_tokens(&answers[0])) {
        let short = |answer: &Answer| without_tokens(answer).1.chars().take(600).collect::<String>();
        faults.push(format!(
            "the databases differ: {} {} / {} {}",
            answers[0].status,
            short(&answers[0]),
            other.status,
            short(other)
        ));
    }
    faults
}

/// Links to pages are signed with a key of each database.
fn without_tokens(answer: &Answer) -> (u16, String) {
    let text = answer.body.to_string();
    let mut pieces = text.split("_page=");
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        plain.push_str(piece.find('"').map_or("", |end| &piece[end..]));
    }
    (answer.status, plain)
}
