//! Texts that mean harm as values that resources hold: each is found as it is, and nothing else is.

use std::collections::BTreeSet;

use serde_json::json;

use super::{places, texts};
use crate::data::Write;
use crate::evaluate::{World, plain};
use crate::front::{Front, json as with_body, request};
use crate::fronts;
use crate::query::{Criterion, Place, Query, Sought};
use crate::random::{Random, is_long, seed};

/// Texts of a short run.
const SAMPLE: usize = 90;

#[actix_web::test]
async fn hostile_texts_are_found_as_they_are_on_every_database() {
    let mut random = Random::new(seed());
    let mut texts: Vec<String> = texts::all()
        .into_iter()
        .filter_map(|text| String::from_utf8(text).ok())
        .collect();
    while !is_long() && texts.len() > SAMPLE {
        texts.swap_remove(random.below(texts.len()));
    }
    let (fronts, _files) = fronts().await;
    let mut accepted = Vec::new();
    for (number, text) in texts.iter().enumerate() {
        let mut resource = places::holding(text);
        resource["id"] = json!(format!("t{number}"));
        let mut statuses = BTreeSet::new();
        for front in &fronts {
            let request = request("PUT", &format!("/fhir/Patient/t{number}"));
            statuses.insert(front.send(with_body(request, &resource.to_string())).await.status);
        }
        assert_eq!(statuses.len(), 1, "{text:?}: {statuses:?}");
        match statuses.first() {
            Some(201) => accepted.push(Write::Put(resource)),
            Some(400 | 413 | 422) => {}
            other => panic!("{text:?}: {other:?}"),
        }
    }
    let world = World::after(&accepted);
    let (mut asked, mut refused) = (0, 0);
    for text in &texts {
        for criterion in criteria(text) {
            asked += 1;
            refused += usize::from(is_refused(&world, &fronts, &criterion, text).await);
        }
    }
    println!(
        "seed {}: {} texts of {} are held; {asked} searches, {refused} refused",
        seed(),
        accepted.len(),
        texts.len()
    );
    assert!(accepted.len() * 2 > texts.len() && refused * 4 < asked);
}

/// The searches for a text.
fn criteria(text: &str) -> Vec<Criterion> {
    let of = |code: &str, modifier: Option<&str>, sought: Sought| Criterion {
        links: Vec::new(),
        code: code.to_owned(),
        modifier: modifier.map(str::to_owned),
        values: vec![sought],
    };
    let words = || Sought::Text(text.to_owned());
    let token = |system: Option<&str>| Sought::Token {
        system: system.map(str::to_owned),
        code: Some(text.to_owned()),
    };
    let mut all = vec![
        of("name", Some("exact"), words()),
        of("address-city", Some("exact"), words()),
    ];
    // What folds to nothing is refused; what begins or ends with spaces is another code.
    if !plain(text).is_empty() {
        all.extend([of("name", None, words()), of("family", Some("contains"), words())]);
    }
    if text.trim() == text {
        all.extend([
            of("identifier", None, token(None)),
            of("identifier", None, token(Some("urn:x"))),
        ]);
    }
    all.retain(|_| !text.trim().is_empty());
    all
}

/// Compares all databases with the evaluator; whether they refuse a text that is too long for a query.
async fn is_refused(world: &World, fronts: &[Front], criterion: &Criterion, text: &str) -> bool {
    let query = Query {
        place: Place::Type("Patient".to_owned()),
        criteria: vec![criterion.clone()],
        sort: Vec::new(),
        count: Some(1000),
        total: None,
        counts_only: false,
        includes: Vec::new(),
        is_post: false,
    };
    let expected: BTreeSet<String> = world
        .answer(&query)
        .pages
        .into_iter()
        .flat_map(|(matches, _)| matches)
        .collect();
    let mut refused = false;
    for front in fronts {
        let answer = front
            .send(request("GET", &format!("/fhir/Patient?{}", query.form())))
            .await;
        if text.len() > 1000 && [413, 414].contains(&answer.status)
            || text.contains('\0') && answer.status == 400
        {
            refused = true;
            continue;
        }
        assert_eq!(
            answer.status, 200,
            "{} {text:?} {criterion:?}: {}",
            front.database, answer.body
        );
        let entries = answer.body["entry"].as_array().cloned().unwrap_or_default();
        let found = entries
            .iter()
            .map(|entry| format!("Patient/{}", entry["resource"]["id"].as_str().unwrap_or("?")));
        assert_eq!(
            found.collect::<BTreeSet<_>>(),
            expected,
            "{} {text:?} {criterion:?}",
            front.database
        );
    }
    refused
}
