//! Races over several server processes on one PostgreSQL, and over one process on SQLite.
//!
//!     cargo test -p fhir-server --test nodes                    some rounds of each
//!     FHIR_TEST_LONG=1 cargo test -p fhir-server --test nodes   10,000 races and 1,000 walks
//!
//! `FHIR_TEST_SEED` repeats the choices of a run that failed; `FHIR_TEST_DATABASE=postgresql` (or `sqlite`) leaves the other out.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "nodes/client.rs"]
mod client;
#[expect(dead_code, reason = "the tests of faults want more of it")]
mod cluster;
#[path = "nodes/crowd.rs"]
mod crowd;
#[path = "nodes/parameters.rs"]
mod parameters;
#[expect(
    dead_code,
    reason = "the other tests that have a server process want more of it"
)]
mod process;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use client::{Client, Reply};
use cluster::Cluster;
use process::{Choices, Server, is_long, seed};
use serde_json::{Value, json};

/// Server processes on one database.
struct Nodes {
    servers: Vec<Server>,
    _database: Database,
}

#[expect(dead_code, reason = "held, because each ends with what holds it")]
enum Database {
    Sqlite(tempfile::TempDir),
    Postgres(Cluster),
}

impl Nodes {
    /// One on SQLite, and two on PostgreSQL, where there is one.
    fn each() -> Vec<Nodes> {
        let only = std::env::var("FHIR_TEST_DATABASE").ok();
        let is_asked = |name: &str| only.as_deref().is_none_or(|only| only == name);
        let mut all = Vec::new();
        if is_asked("sqlite") {
            all.push(Nodes::one());
        }
        if is_asked("postgresql") {
            all.extend(Nodes::two());
        }
        assert!(
            only.is_none() || !all.is_empty(),
            "FHIR_TEST_DATABASE is sqlite or postgresql, which has to be there"
        );
        all
    }

    /// One on SQLite.
    fn one() -> Nodes {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(&process::sqlite(&folder.path().join("nodes.sqlite")), &[]);
        Nodes {
            servers: vec![server],
            _database: Database::Sqlite(folder),
        }
    }

    fn two() -> Option<Nodes> {
        let Some(cluster) = Cluster::start() else {
            println!("SKIPPED (needs PostgreSQL)");
            return None;
        };
        let start = || Server::start(&cluster.url, &[]);
        Some(Nodes {
            servers: vec![start(), start()],
            _database: Database::Postgres(cluster),
        })
    }

    fn addresses(&self) -> Vec<String> {
        self.servers.iter().map(|server| server.address.clone()).collect()
    }

    fn name(&self) -> String {
        let database = match self._database {
            Database::Sqlite(_) => "SQLite",
            Database::Postgres(_) => "PostgreSQL",
        };
        format!("{} on {database}", self.servers.len())
    }

    /// A client of the node with that number, counted round.
    fn client(&self, number: usize) -> Client {
        Client::new(&self.servers[number % self.servers.len()].address)
    }
}

fn rounds(short: usize, long: usize) -> usize {
    if is_long() { long } else { short }
}

fn patient(system: &str, value: usize, family: &str) -> Value {
    json!({
        "resourceType": "Patient",
        "identifier": [{"system": system, "value": value.to_string()}],
        "name": [{"family": family}]
    })
}

/// How many resources a search matches.
fn total(client: &mut Client, search: &str) -> u64 {
    let found = client.get(&format!("/{search}&_summary=count"));
    assert_eq!(found.status, 200, "{}", found.body);
    found.json()["total"].as_u64().unwrap()
}

fn statuses(replies: &[Reply]) -> BTreeMap<u16, usize> {
    let mut counts = BTreeMap::new();
    for reply in replies {
        *counts.entry(reply.status).or_default() += 1;
    }
    counts
}

#[test]
fn of_conditional_creates_that_race_one_creates() {
    let (rounds, seed) = (rounds(24, 10_000), seed());
    for nodes in Nodes::each() {
        println!("{}: {rounds} rounds, seed {seed}", nodes.name());
        let mut sent = 0;
        let create = |round: usize, number: usize, client: &mut Client| {
            let body = patient("urn:race", round, &format!("c{number}"));
            let condition =
                format!("If-None-Exist: identifier=urn:race%7C{round}\r\nPrefer: return=minimal\r\n");
            // Every fourth round they are entries of transactions.
            if round % 4 != 3 {
                return client.send("POST", "/Patient", &condition, &body.to_string());
            }
            let entry = json!({
                "resource": body,
                "request": {"method": "POST", "url": "Patient", "ifNoneExist": format!("identifier=urn:race|{round}")}
            });
            let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": [entry]});
            client.send("POST", "", "", &bundle.to_string())
        };
        let check = |round: usize, replies: Vec<Reply>| {
            sent += replies.len();
            if round % 4 != 3 {
                let counts = statuses(&replies);
                assert_eq!(counts.get(&201), Some(&1), "round {round}: {counts:?}");
                assert!(
                    counts.keys().all(|status| matches!(status, 200 | 201)),
                    "{counts:?}"
                );
                return;
            }
            let mut created = 0;
            for reply in &replies {
                match reply.status {
                    200 => {
                        let answer = reply.json();
                        let status = answer["entry"][0]["response"]["status"]
                            .as_str()
                            .unwrap()
                            .to_owned();
                        created += usize::from(status.starts_with("201"));
                    }
                    // Told that it lost, and nothing was written.
                    409 | 412 => {}
                    other => panic!("round {round}: {other} {}", reply.body),
                }
            }
            assert_eq!(created, 1, "round {round}: {:?}", statuses(&replies));
        };
        crowd::race(&nodes.addresses(), rounds, seed, create, check);
        for number in 0..nodes.servers.len() {
            let mut client = nodes.client(number);
            let all = total(&mut client, "Patient?identifier=urn:race%7C");
            assert_eq!(all, rounds as u64, "one resource a round");
        }
        println!("{}: {sent} requests, {rounds} resources", nodes.name());
    }
}

#[test]
fn of_updates_that_race_with_if_match_one_wins_each_version_and_without_it_none_is_lost() {
    let (rounds, seed) = (rounds(15, 2_000), seed());
    for nodes in Nodes::each() {
        println!("{}: {rounds} rounds, seed {seed}", nodes.name());
        let mut client = nodes.client(0);
        let put = |client: &mut Client, headers: &str, family: &str| {
            let body = json!({"resourceType": "Patient", "id": "race", "name": [{"family": family}]});
            client.send("PUT", "/Patient/race", headers, &body.to_string())
        };
        assert_eq!(put(&mut client, "", "first").status, 201);
        let version = AtomicUsize::new(1);
        let update = |round: usize, number: usize, client: &mut Client| {
            let family = format!("r{round}c{number}");
            // Every third round without a condition.
            let condition = match round % 3 {
                2 => String::new(),
                _ => format!("If-Match: W/\"{}\"\r\n", version.load(Ordering::SeqCst)),
            };
            put(client, &condition, &family)
        };
        let check = |round: usize, replies: Vec<Reply>| {
            let won = replies.iter().filter(|reply| reply.status == 200);
            let made: BTreeSet<u64> = won.map(|reply| reply.version().unwrap()).collect();
            let counts = statuses(&replies);
            let before = version.load(Ordering::SeqCst) as u64;
            match round % 3 {
                2 => assert!(made.len() == replies.len(), "round {round}: {counts:?}"),
                _ => {
                    assert!(
                        counts.keys().all(|status| matches!(status, 200 | 412)),
                        "{counts:?}"
                    );
                    assert_eq!(made.len(), 1, "round {round}: {counts:?}");
                }
            }
            let wanted = before + 1..before + 1 + made.len() as u64;
            assert!(
                made.iter().copied().eq(wanted),
                "round {round}: {made:?} after {before}"
            );
            version.fetch_add(made.len(), Ordering::SeqCst);
        };
        crowd::race(&nodes.addresses(), rounds, seed, update, check);
        let last = version.into_inner() as u64;
        assert!(
            versions(&mut nodes.client(1), "/Patient/race")
                .into_iter()
                .eq((1..=last).rev())
        );
        println!("{}: {last} versions without a gap", nodes.name());
    }
}

/// The versions of a resource's history, newest first, over all its pages.
fn versions(client: &mut Client, resource: &str) -> Vec<u64> {
    let mut path = format!("{resource}/_history?_count=1000");
    let mut all = Vec::new();
    loop {
        let page = client.get(&path).json();
        for entry in page["entry"].as_array().cloned().unwrap_or_default() {
            let tag = entry["response"]["etag"].as_str().unwrap().to_owned();
            all.push(tag.split('"').nth(1).unwrap().parse().unwrap());
        }
        match next(&page) {
            Some(following) => path = following,
            None => return all,
        }
    }
}

/// The next page's place below the FHIR base.
fn next(bundle: &Value) -> Option<String> {
    let links = bundle["link"].as_array()?;
    let next = links.iter().find(|link| link["relation"] == "next")?;
    Some(next["url"].as_str()?.split_once("/fhir")?.1.to_owned())
}

#[test]
fn conditional_updates_patches_and_deletes_that_race_leave_one_resource_or_none() {
    let (rounds, seed) = (rounds(15, 2_000), seed());
    for nodes in Nodes::each() {
        println!("{}: {rounds} rounds, seed {seed}", nodes.name());
        let act = |round: usize, number: usize, client: &mut Client| {
            let path = format!("/Patient?identifier=urn:mixed%7C{round}");
            let body = patient("urn:mixed", round, &format!("c{number}"));
            match Choices(seed ^ (round * 64 + number) as u64).below(4) {
                0 | 1 => client.send("PUT", &path, "", &body.to_string()),
                2 => {
                    let patch = json!([{"op": "add", "path": "/active", "value": number.is_multiple_of(2)}]);
                    client.send("PATCH", &path, "", &patch.to_string())
                }
                _ => client.send("DELETE", &path, "", ""),
            }
        };
        let mut judge = nodes.client(1);
        let check = |round: usize, replies: Vec<Reply>| {
            let counts = statuses(&replies);
            let is_known = |status: &u16| matches!(status, 200 | 201 | 204 | 404 | 409 | 412);
            assert!(counts.keys().all(is_known), "round {round}: {counts:?}");
            let left = total(&mut judge, &format!("Patient?identifier=urn:mixed%7C{round}"));
            assert!(left <= 1, "round {round}: {left} resources, {counts:?}");
        };
        crowd::race(&nodes.addresses(), rounds, seed, act, check);
        contiguous(&mut nodes.client(0));
    }
}

/// Every patient who was made has the versions 1, 2, 3 and so on.
fn contiguous(client: &mut Client) {
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    let mut path = Some("/Patient/_history?_count=1000".to_owned());
    while let Some(page) = path.map(|path| client.get(&path).json()) {
        for entry in page["entry"].as_array().cloned().unwrap_or_default() {
            let url = entry["fullUrl"].as_str().unwrap().to_owned();
            // The sandbox's own patients, of some of whom a view with a tag of its own is shown.
            if url.contains("/Patient/pat-") {
                continue;
            }
            let tag = entry["response"]["etag"].as_str().unwrap().to_owned();
            let version: u64 = tag.split('"').nth(1).unwrap().parse().unwrap();
            if let Some(later) = seen.insert(url.clone(), version) {
                assert_eq!(version + 1, later, "{url}");
            }
        }
        path = next(&page);
    }
    assert!(
        seen.values().all(|first| *first == 1),
        "each begins with version 1"
    );
}

#[test]
fn what_was_written_is_seen_at_once_by_every_node() {
    let rounds = rounds(30, 2_500);
    for nodes in Nodes::each() {
        let seen = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let (nodes, seen) = (&nodes, &seen);
                scope.spawn(move || {
                    let (mut here, mut there) = (nodes.client(writer), nodes.client(writer + 1));
                    for round in 0..rounds {
                        written_and_seen(&mut here, &mut there, writer * 1_000_000 + round);
                        seen.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        });
        println!(
            "{}: {} writes, each seen at once",
            nodes.name(),
            seen.into_inner()
        );
    }
}

/// Writes on one node; reads, searches and asks for the history on another.
fn written_and_seen(here: &mut Client, there: &mut Client, number: usize) {
    let path = format!("/Patient/w{number}");
    let find = format!("/Patient?identifier=urn:seen%7C{number}");
    let mut body = patient("urn:seen", number, "one");
    body["id"] = json!(format!("w{number}"));
    let first = here.send("PUT", &path, "", &body.to_string());
    assert_eq!(first.status, 201, "{}", first.body);
    assert_eq!(there.get(&path).version(), Some(1));
    let found = there.get(&find).json();
    assert_eq!(found["entry"][0]["resource"]["meta"]["versionId"], "1", "{found}");
    body["name"][0]["family"] = json!("two");
    let second = here.send("PUT", &path, "", &body.to_string());
    assert_eq!(second.status, 200, "{}", second.body);
    let since = there.get(&find).json()["entry"][0]["resource"]["meta"].clone();
    assert_eq!(since["versionId"], "2");
    let at = since["lastUpdated"].as_str().unwrap().replace('+', "%2B");
    let changed = there.get(&format!("{find}&_lastUpdated=ge{at}")).json();
    assert_eq!(changed["total"], 1, "{changed}");
    assert!(there.get(&format!("{find}&family=one")).json()["total"] == 0);
    assert_eq!(versions(there, &path), [2, 1]);
    assert!(matches!(here.send("DELETE", &path, "", "").status, 200 | 204));
    assert_eq!(there.get(&path).status, 410);
    assert_eq!(there.get(&find).json()["total"], 0);
}

#[test]
fn walks_over_pages_show_each_unchanged_row_once_whatever_is_written_meanwhile() {
    const KEPT: usize = 40;
    let (walks, seed) = (rounds(12, 1_000), seed());
    for nodes in Nodes::each() {
        println!("{}: {walks} walks, seed {seed}", nodes.name());
        let mut client = nodes.client(0);
        for number in 0..2 * KEPT {
            let mut body = patient("urn:walk", number, &format!("f{}", number * 7 % KEPT));
            body["id"] = json!(format!("k{number}"));
            assert_eq!(
                client
                    .send("PUT", &format!("/Patient/k{number}"), "", &body.to_string())
                    .status,
                201
            );
        }
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let (nodes, over) = (&nodes, &over);
            for writer in 0..2 {
                scope.spawn(move || disturb(&mut nodes.client(writer), over, seed + writer as u64, KEPT));
            }
            let walkers: Vec<_> = (0..4)
                .map(|walker| {
                    scope.spawn(move || (walker..walks).step_by(4).for_each(|n| walk(nodes, n, KEPT)))
                })
                .collect();
            let walked: Vec<_> = walkers
                .into_iter()
                .map(std::thread::ScopedJoinHandle::join)
                .collect();
            over.store(true, Ordering::SeqCst);
            walked.into_iter().for_each(|walked| walked.unwrap());
        });
    }
}

/// Changes the second half of the resources, deletes some of them and makes others, until it is over.
fn disturb(client: &mut Client, over: &AtomicBool, seed: u64, kept: usize) {
    let mut choices = Choices(seed);
    while !over.load(Ordering::SeqCst) {
        let number = kept + usize::try_from(choices.below(kept as u64)).unwrap();
        let path = format!("/Patient/k{number}");
        let reply = match choices.below(8) {
            0 => client.send("DELETE", &path, "", ""),
            _ => {
                let mut body = patient("urn:walk", number, &format!("f{}", choices.below(100)));
                body["id"] = json!(format!("k{number}"));
                client.send("PUT", &path, "", &body.to_string())
            }
        };
        assert!(reply.status < 300, "{} {}", reply.status, reply.body);
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
}

/// A page; one that the server could not give in time is asked for again, as its link stays good.
fn asked(client: &mut Client, path: &str) -> Reply {
    for _ in 0..3 {
        let reply = client.get(path);
        if !matches!(reply.status, 503 | 504) {
            return reply;
        }
        println!("{} for {path}", reply.status);
    }
    client.get(path)
}

/// Walks to the end, each page asked of another node.
fn walk(nodes: &Nodes, number: usize, kept: usize) {
    let sort = ["_lastUpdated", "-_lastUpdated", "family", "-family,_id", "_id"][number % 5];
    let mut path = format!(
        "/Patient?identifier=urn:walk%7C&_sort={sort}&_count={}",
        3 + number % 9
    );
    let mut clients: Vec<Client> = (0..nodes.servers.len()).map(|n| nodes.client(n)).collect();
    let mut seen = Vec::new();
    for page in 0.. {
        let count = clients.len();
        let reply = asked(&mut clients[(number + page) % count], &path);
        assert_eq!(reply.status, 200, "{path}: {}", reply.body);
        let bundle = reply.json();
        for entry in bundle["entry"].as_array().cloned().unwrap_or_default() {
            seen.push(entry["resource"]["id"].as_str().unwrap().to_owned());
        }
        match next(&bundle) {
            Some(following) => path = following,
            None => break,
        }
    }
    let once: BTreeSet<&String> = seen.iter().collect();
    assert_eq!(once.len(), seen.len(), "{sort}: a row twice in {seen:?}");
    for unchanged in 0..kept {
        assert!(
            once.contains(&format!("k{unchanged}")),
            "{sort}: k{unchanged} is missing"
        );
    }
}
