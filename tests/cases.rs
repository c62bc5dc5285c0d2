//! The case table of search (<https://hl7.org/fhir/R4/search.html>): resources, a query, what must be found, on every database.
//!
//! `tests/cases/*.json` holds the cases, one file a topic; `tests/cases/README.md` says how to read and to write them.
//! What is expected there follows from the specification by reasoning, never from what this server happens to answer.
//!
//!     cargo test -p fhir-server --test cases                           every case, on SQLite and on PostgreSQL
//!     FHIR_TEST_CASES=date cargo test -p fhir-server --test cases      the topics, or `topic/case`, whose names hold that

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "cases/answer.rs"]
mod answer;
#[expect(dead_code, reason = "other tests that have a cluster want more of it")]
mod cluster;
#[path = "cases/coverage.rs"]
mod coverage;
#[path = "cases/database.rs"]
mod database;
#[path = "cases/server.rs"]
mod server;
#[path = "cases/table.rs"]
mod table;

use database::Database;
use server::Server;
use table::{Known, Topic};

/// What came of the cases on one database.
#[derive(Default)]
struct Tally {
    run: usize,
    failed: Vec<String>,
}

async fn run_topic(topic: &Topic, database: &Database, known: &Known, tally: &mut Tally) {
    let filter = std::env::var("FHIR_TEST_CASES").unwrap_or_default();
    let asked = |name: &str| name.contains(&filter);
    if !topic.cases.iter().any(|case| asked(&topic.name_of(case))) {
        return;
    }
    let server = Server::with(topic, &database.fresh().await).await;
    for case in &topic.cases {
        let name = topic.name_of(case);
        if !asked(&name) {
            continue;
        }
        tally.run += 1;
        let differences = match server.pages(case).await {
            Ok(pages) => case.expect.differences(case, &pages),
            Err(error) => vec![error],
        };
        match (differences.is_empty(), known.reason(&name)) {
            (true, None) | (false, Some(_)) => {}
            (true, Some(reason)) => tally.failed.push(format!(
                "{name}: passes now; take it out of known.json ({reason})"
            )),
            (false, None) => tally.failed.push(format!(
                "{name} ({}: {})\n    {}\n    {}",
                case.spec,
                case.sentence,
                case.request_line(),
                differences.join("\n    ")
            )),
        }
    }
}

async fn run_all(database: Database) {
    let known = Known::read();
    let mut tally = Tally::default();
    for topic in &Topic::all() {
        run_topic(topic, &database, &known, &mut tally).await;
    }
    for failed in &tally.failed {
        println!("FAILED on {} {failed}", database.name());
    }
    println!(
        "{}: {} cases, {} failed, {} known to fail",
        database.name(),
        tally.run,
        tally.failed.len(),
        known.len()
    );
    assert!(
        tally.failed.is_empty(),
        "{} of {} cases failed",
        tally.failed.len(),
        tally.run
    );
}

#[actix_web::test]
async fn searches_find_what_the_specification_says_on_sqlite() {
    run_all(Database::sqlite()).await;
}

#[actix_web::test]
async fn searches_find_what_the_specification_says_on_postgres() {
    match Database::postgres() {
        Some(database) => run_all(database).await,
        None => println!("SKIPPED (needs PostgreSQL)"),
    }
}

#[test]
fn every_case_has_a_name_of_its_own_and_the_rule_it_tests() {
    let topics = Topic::all();
    let mut names = std::collections::BTreeSet::new();
    for topic in &topics {
        for case in &topic.cases {
            let name = topic.name_of(case);
            assert!(names.insert(name.clone()), "{name} is there twice");
            assert!(
                case.spec.contains(".html#"),
                "{name} names no section of the specification"
            );
            assert!(
                case.sentence.split(' ').count() > 3,
                "{name} does not say its rule"
            );
            assert!(
                case.expect.tests_something(),
                "{name} expects nothing that could fail"
            );
        }
    }
    let known = Known::read();
    let strange: Vec<&String> = known.names().filter(|name| !names.contains(*name)).collect();
    assert!(
        strange.is_empty(),
        "known.json names cases that are not there: {strange:?}"
    );
    println!("{} cases in {} topics", names.len(), topics.len());
    assert!(names.len() >= 600, "only {} cases", names.len());
}

#[test]
fn every_parameter_type_has_cases_for_each_of_its_prefixes_and_modifiers() {
    let coverage = coverage::Coverage::of(&Topic::all());
    println!("{coverage}");
    let gaps = coverage.gaps();
    assert!(gaps.is_empty(), "no case for {}", gaps.join(", "));
}
