//! kill -9 in the middle of mixed writes, and of `load` (`kill/loading.rs`): what was acknowledged is there afterwards, and
//! nothing is half there (R-001).
//!
//!     cargo test -p fhir-server --test kill                    3 rounds of each
//!     FHIR_TEST_LONG=1 cargo test -p fhir-server --test kill   50 rounds of each
//!     FHIR_TEST_SEED=7 cargo test -p fhir-server --test kill   the same choices again

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

#[path = "kill/loading.rs"]
mod loading;
#[expect(
    dead_code,
    reason = "the other tests that have a server process want more of it"
)]
mod process;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use process::{Choices, Server, is_long, seed};

const WRITERS: u64 = 8;

#[cfg(feature = "postgres")]
#[expect(dead_code, reason = "the store's own tests want more of it")]
mod cluster;

#[cfg(feature = "postgres")]
use cluster::Cluster;

/// What one writer knows to be stored, and what it does not know.
#[derive(Default)]
struct Journal {
    /// id -> version -> marker of every acknowledged write
    acknowledged: BTreeMap<String, BTreeMap<u64, String>>,
    /// ids of deletions that were acknowledged
    deleted: Vec<String>,
    /// id prefixes of transactions, answered or not: all three resources or none
    transactions: Vec<String>,
}

impl Journal {
    fn patient(id: Option<&str>, marker: &str) -> String {
        let id = id.map_or(String::new(), |id| format!(r#""id":"{id}","#));
        format!(r#"{{"resourceType":"Patient",{id}"name":[{{"family":"{marker}"}}]}}"#)
    }

    fn note(&mut self, id: &str, version: u64, marker: &str) {
        self.acknowledged
            .entry(id.to_owned())
            .or_default()
            .insert(version, marker.to_owned());
    }

    fn create(&mut self, address: &str, marker: &str) -> Option<()> {
        let (status, head, _) = process::write(address, "POST", "/Patient", &Self::patient(None, marker))?;
        assert_eq!(status, 201);
        let location = head.lines().find_map(|l| {
            l.to_ascii_lowercase()
                .strip_prefix("location:")
                .map(str::to_owned)
        })?;
        let id = location.split("/patient/").nth(1)?.split('/').next()?.to_owned();
        self.note(&id, 1, marker);
        Some(())
    }

    fn update(&mut self, address: &str, id: &str, marker: &str) -> Option<()> {
        let (status, head, _) = process::write(
            address,
            "PUT",
            &format!("/Patient/{id}"),
            &Self::patient(Some(id), marker),
        )?;
        assert!(matches!(status, 200 | 201), "{status}");
        let tag = head
            .lines()
            .find(|l| l.to_ascii_lowercase().starts_with("etag:"))?;
        let version = tag.split('"').nth(1)?.parse().ok()?;
        self.note(id, version, marker);
        Some(())
    }

    fn transaction(&mut self, address: &str, prefix: &str, marker: &str) -> Option<()> {
        let entries: Vec<String> = ["a", "b", "c"]
            .map(|suffix| {
                let id = format!("{prefix}-{suffix}");
                let resource = Self::patient(Some(&id), marker);
                format!(r#"{{"resource":{resource},"request":{{"method":"PUT","url":"Patient/{id}"}}}}"#)
            })
            .into();
        let body = format!(
            r#"{{"resourceType":"Bundle","type":"transaction","entry":[{}]}}"#,
            entries.join(",")
        );
        self.transactions.push(prefix.to_owned());
        let (status, _, _) = process::write(address, "POST", "", &body)?;
        assert_eq!(status, 200);
        for suffix in ["a", "b", "c"] {
            self.note(&format!("{prefix}-{suffix}"), 1, marker);
        }
        Some(())
    }

    fn delete(&mut self, address: &str, id: &str) -> Option<()> {
        let (status, _, _) = process::write(address, "DELETE", &format!("/Patient/{id}"), "")?;
        assert_eq!(status, 204);
        self.deleted.push(id.to_owned());
        Some(())
    }
}

/// Writes until the server is gone.
fn write(address: &str, round: u64, writer: u64, seed: u64, over: &AtomicBool) -> Journal {
    let mut journal = Journal::default();
    let mut choices = Choices(seed ^ (round << 32) ^ (writer << 16));
    let own = format!("own-{round}-{writer}");
    for n in 0.. {
        let marker = format!("M{round}x{writer}x{n}");
        let done = match choices.below(10) {
            0..=4 => journal.create(address, &marker),
            5..=6 => journal.update(address, &own, &marker),
            7..=8 => journal.transaction(address, &format!("tx-{round}-{writer}-{n}"), &marker),
            _ => {
                let id = format!("gone-{round}-{writer}-{n}");
                journal
                    .update(address, &id, &marker)
                    .and_then(|()| journal.delete(address, &id))
            }
        };
        if done.is_none() || over.load(Ordering::Relaxed) {
            break;
        }
    }
    journal
}

/// Holds a journal against the server; gives the number of acknowledged versions that were there.
fn verify(address: &str, journal: &Journal) -> usize {
    let get = |path: &str| process::write(address, "GET", path, "").expect("an answer");
    let mut found = 0;
    for (id, versions) in &journal.acknowledged {
        for (version, marker) in versions {
            let (status, _, body) = get(&format!("/Patient/{id}/_history/{version}"));
            assert_eq!(status, 200, "acknowledged version {version} of {id} is lost");
            assert!(
                body.contains(&format!("\"family\":\"{marker}\"")),
                "version {version} of {id}: {body}"
            );
            found += 1;
        }
        let (status, _, history) = get(&format!("/Patient/{id}/_history?_count=1000"));
        assert_eq!(status, 200);
        let mut listed: Vec<u64> = history
            .split("\"etag\":\"W/\\\"")
            .skip(1)
            .map(|t| t.split('\\').next().unwrap().parse().unwrap())
            .collect();
        listed.reverse();
        assert!(
            listed.iter().copied().eq(1..=listed.len() as u64),
            "history of {id} has a gap: {listed:?}"
        );
        assert!(
            listed.len() as u64 >= *versions.keys().last().unwrap(),
            "history of {id} is short: {listed:?}"
        );
    }
    for id in &journal.deleted {
        assert_eq!(
            get(&format!("/Patient/{id}")).0,
            410,
            "the deletion of {id} is lost"
        );
    }
    for prefix in &journal.transactions {
        let there = ["a", "b", "c"].map(|s| get(&format!("/Patient/{prefix}-{s}")).0 == 200);
        assert!(
            there == [true; 3] || there == [false; 3],
            "transaction {prefix} is torn: {there:?}"
        );
    }
    found
}

#[test]
fn acknowledged_writes_survive_kill_9_and_nothing_is_torn() {
    let folder = tempfile::tempdir().unwrap();
    kill_again_and_again(&process::sqlite(&folder.path().join("kill.sqlite")));
}

#[test]
#[cfg(feature = "postgres")]
fn the_same_on_postgres() {
    match Cluster::start() {
        Some(cluster) => kill_again_and_again(&cluster.url),
        None => println!("SKIPPED (needs PostgreSQL)"),
    }
}

/// The database dies, not the server: it says so, and goes on by itself once the database is back (R-002, R-007).
#[test]
#[cfg(feature = "postgres")]
fn a_server_whose_database_dies_says_so_and_goes_on_when_it_is_back() {
    let Some(cluster) = Cluster::start() else {
        return println!("SKIPPED (needs PostgreSQL)");
    };
    let server = Server::start(&cluster.url, &[]);
    let get = |path: &str| {
        let start = Instant::now();
        let answer = process::ask(&server.address, "GET", path, "", b"").expect("an answer");
        assert!(
            start.elapsed() < Duration::from_secs(3),
            "{path} took {:?}",
            start.elapsed()
        );
        answer
    };
    assert_eq!(get("/readyz").status, 200);
    assert_eq!(get("/fhir/Patient/pat-amira-khan").status, 200);
    for signal in ["-STOP", "-KILL"] {
        cluster.signal(signal);
        let answer = get("/fhir/Patient/pat-amira-khan");
        assert_eq!(answer.status, 503);
        let head = answer.head.to_ascii_lowercase();
        assert!(head.contains("retry-after:"), "{head}");
        let written =
            process::write(&server.address, "POST", "/Patient", &Journal::patient(None, "x")).unwrap();
        assert!([503, 504].contains(&written.0), "{written:?}");
        assert_eq!((get("/livez").status, get("/readyz").status), (200, 503));
        match signal {
            "-STOP" => cluster.signal("-CONT"),
            _ => cluster.start_again(),
        }
        let back = Instant::now();
        while get("/readyz").status != 200 {
            assert!(
                back.elapsed() < Duration::from_secs(5),
                "the server does not go on"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        assert_eq!(get("/fhir/Patient/pat-amira-khan").status, 200);
    }
}

fn kill_again_and_again(database: &str) {
    let rounds = if is_long() { 50 } else { 3 };
    let seed = seed();
    println!("{rounds} rounds, FHIR_TEST_SEED={seed}");
    let mut choices = Choices(seed);
    let mut server = Server::start(database, &[]);
    let (mut acknowledged, mut slowest) = (0, Duration::ZERO);
    for round in 0..rounds {
        let over = AtomicBool::new(false);
        let address = server.address.clone();
        let journals: Vec<Journal> = std::thread::scope(|scope| {
            let writers: Vec<_> = (0..WRITERS)
                .map(|w| {
                    scope.spawn({
                        let (address, over) = (&address, &over);
                        move || write(address, round, w, seed, over)
                    })
                })
                .collect();
            std::thread::sleep(Duration::from_millis(200 + choices.below(1_300)));
            server.kill();
            over.store(true, Ordering::Relaxed);
            writers.into_iter().map(|w| w.join().unwrap()).collect()
        });
        let start = Instant::now();
        server = Server::start(database, &[]);
        while process::write(&server.address, "GET", "/metadata", "").is_none() {
            assert!(
                start.elapsed() < Duration::from_secs(60),
                "the server does not come back"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        slowest = slowest.max(start.elapsed());
        acknowledged += journals.iter().map(|j| verify(&server.address, j)).sum::<usize>();
    }
    assert!(acknowledged > 0, "nothing was written before a kill");
    println!("{acknowledged} acknowledged writes found again; the slowest restart took {slowest:?}");
}
