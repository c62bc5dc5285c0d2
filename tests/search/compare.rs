//! Random queries over random resources: each database answers as the slow evaluator does, page by page.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::data;
use crate::evaluate::{Expected, GOES_ON, World};
use crate::front::{Answer, Front, ORIGIN, request};
use crate::fronts;
use crate::query::{self, Place, Query};
use crate::random::{Random, is_long, seed};

/// Worlds, writes in each, queries in each.
const SHORT: (usize, usize, usize) = (1, 150, 300);
const LONG: (usize, usize, usize) = (25, 200, 400);
/// Differences that are shown.
const SHOWN: usize = 8;
/// More pages than any query has.
const PAGES: usize = 300;

#[actix_web::test]
async fn random_queries_find_what_evaluating_every_resource_finds() {
    let seed = seed();
    let (worlds, writes, queries) = if is_long() { LONG } else { SHORT };
    println!("seed {seed}: {worlds} worlds of {writes} writes, {queries} queries in each");
    let mut tally = Tally::default();
    for number in 0..worlds {
        let mut random = Random::new(seed.wrapping_add(u64::try_from(number).unwrap() << 32));
        let writes = data::writes(&mut random, writes);
        let world = World::after(&writes);
        let (fronts, _files) = fronts().await;
        for front in &fronts {
            front.write(&writes).await;
        }
        for place in 0..queries {
            let query = query::query(&world, &mut random);
            compare(
                &world,
                &fronts,
                &query,
                &format!("seed {seed}, world {number}, query {place}"),
                &mut tally,
            )
            .await;
        }
    }
    println!("{tally}");
    assert_eq!(tally.different, 0, "seed {seed}: queries are answered otherwise");
    assert!(
        tally.found * 3 > tally.queries,
        "most queries find nothing: {tally}"
    );
}

/// What came of the queries.
#[derive(Default)]
struct Tally {
    queries: usize,
    /// Queries that find something.
    found: usize,
    pages: usize,
    different: usize,
    waited: Duration,
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Tally {
            queries,
            found,
            pages,
            different,
            waited,
        } = self;
        write!(
            f,
            "{queries} queries, {found} of which find something, {pages} pages, {different} differences, {waited:.1?} in the server"
        )
    }
}

async fn compare(world: &World, fronts: &[Front], query: &Query, name: &str, tally: &mut Tally) {
    let expected = world.answer(query);
    tally.queries += 1;
    tally.found += usize::from(expected.total != Some(0));
    tally.pages += expected.pages.len();
    for front in fronts {
        let began = Instant::now();
        let answer = ask(front, query).await;
        tally.waited += began.elapsed();
        if answer.as_ref() == Ok(&expected) {
            continue;
        }
        tally.different += 1;
        if tally.different <= SHOWN {
            println!("DIFFERENT on {}: {name}\n  {}", front.database, query.shown());
            show(world, query, &expected, answer.as_ref());
        }
    }
}

fn show(world: &World, query: &Query, expected: &Expected, answer: Result<&Expected, &String>) {
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return println!("  {error}"),
    };
    println!("  expected {expected:?}\n  answered {answer:?}");
    let all = |of: &Expected| -> BTreeSet<String> {
        of.pages
            .iter()
            .flat_map(|(matches, included)| matches.iter().chain(included).cloned())
            .collect()
    };
    let (wanted, got) = (all(expected), all(answer));
    for key in wanted.symmetric_difference(&got).take(3) {
        let held = world.held.iter().find(|held| held.key() == *key);
        println!(
            "  {key}: {}",
            held.map_or("not there".to_owned(), |held| held.json.to_string())
        );
    }
    if wanted == got {
        let first = expected.pages.iter().zip(&answer.pages).find(|(a, b)| a != b);
        println!("  the same in another order, from {first:?} by {:?}", query.sort);
    }
}

/// All pages of the answer.
async fn ask(front: &Front, query: &Query) -> Result<Expected, String> {
    let path = query.path();
    let slash = if matches!(query.place, Place::Types(_)) {
        ""
    } else {
        "/"
    };
    let first = match query.is_post {
        true => request("POST", &format!("/fhir{slash}{path}/_search"))
            .insert_header(("Content-Type", "application/x-www-form-urlencoded"))
            .set_payload(query.form()),
        false => request("GET", &format!("/fhir{slash}{path}?{}", query.form())),
    };
    let mut answer = front.send(first).await;
    let mut pages = Vec::new();
    let total = total(&answer)?;
    check_self(&answer, query)?;
    loop {
        pages.push(page(&answer)?);
        if total != self::total(&answer)? {
            return Err("the total is another on a later page".to_owned());
        }
        let Some(next) = link(&answer, "next") else { break };
        if pages.len() == PAGES {
            return Err("the pages do not end".to_owned());
        }
        let path = next
            .strip_prefix(ORIGIN)
            .ok_or("the next link leads elsewhere")?
            .to_owned();
        answer = front.send(request("GET", &path)).await;
    }
    Ok(Expected { total, pages })
}

fn total(answer: &Answer) -> Result<Option<usize>, String> {
    match answer.status {
        200 => Ok(answer.body["total"]
            .as_u64()
            .map(|total| usize::try_from(total).unwrap())),
        status => Err(format!("status {status}: {}", answer.body)),
    }
}

fn link<'a>(answer: &'a Answer, relation: &str) -> Option<&'a str> {
    let links = answer.body["link"].as_array()?;
    links.iter().find(|link| link["relation"] == relation)?["url"].as_str()
}

/// The self link says the whole query.
fn check_self(answer: &Answer, query: &Query) -> Result<(), String> {
    let url = link(answer, "self").ok_or("there is no self link")?;
    let said = url.split_once('?').map_or("", |(_, said)| said);
    let mut said: Vec<(String, String)> = said
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect();
    let mut asked = query.parameters();
    said.sort();
    asked.sort();
    match said == asked {
        true => Ok(()),
        false => Err(format!("the self link says {said:?}")),
    }
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after
            .get(..2)
            .and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        match (first, hex) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            (b'+', _) => {
                bytes.push(b' ');
                rest = after;
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// The matches of a page in order, and what is included.
fn page(answer: &Answer) -> Result<(Vec<String>, BTreeSet<String>), String> {
    let (mut matches, mut included) = (Vec::new(), BTreeSet::new());
    for entry in answer.body["entry"].as_array().map_or(&[][..], Vec::as_slice) {
        let part = |name: &str| entry["resource"][name].as_str().unwrap_or("?").to_owned();
        let key = format!("{}/{}", part("resourceType"), part("id"));
        match entry["search"]["mode"].as_str() {
            Some("match") => matches.push(key),
            Some("include") if included.insert(key.clone()) => {}
            Some("include") => return Err(format!("{key} is included twice")),
            // The bound of `:iterate` is told where something lies beyond it.
            Some("outcome") if entry.to_string().contains(":iterate is followed 3 times") => {
                included.insert(GOES_ON.to_owned());
            }
            _ => {
                return Err(format!(
                    "an entry that was not asked for: {}",
                    Value::clone(entry)
                ));
            }
        }
    }
    Ok((matches, included))
}
