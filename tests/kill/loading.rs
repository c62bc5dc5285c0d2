//! kill -9 in the middle of `load`, several times over: loaded to the end afterwards, everything is there exactly once.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use fhir_server::context::TenantId;
use fhir_server::server;
use fhir_server::store::{self, DatabaseUrl, Filter, HistoryQuery, HistoryScope, StoreOptions, Version};

use crate::process::{Choices, is_long, seed};

/// Lines of NDJSON, with and without ids.
const LINES: usize = 240;
/// Files of one transaction each, of this many resources.
const TRANSACTIONS: usize = 30;
const TOGETHER: usize = 4;
/// Entries of one batch, which stand alone.
const BATCH: usize = 40;
/// How often one load is killed before it may end.
const KILLS: u64 = 3;

fn patient(id: Option<&str>, marker: &str) -> String {
    let id = id.map_or(String::new(), |id| format!(r#""id":"{id}","#));
    format!(r#"{{"resourceType":"Patient",{id}"name":[{{"family":"{marker}"}}]}}"#)
}

fn bundle(kind: &str, markers: impl Iterator<Item = String>) -> String {
    let entries = markers.map(|marker| {
        let resource = patient(None, &marker);
        format!(r#"{{"resource":{resource},"request":{{"method":"POST","url":"Patient"}}}}"#)
    });
    let entries = entries.collect::<Vec<_>>().join(",");
    format!(r#"{{"resourceType":"Bundle","type":"{kind}","entry":[{entries}]}}"#)
}

/// The files to load, and the marker of each resource in them.
fn files(folder: &Path) -> (Vec<PathBuf>, Vec<String>) {
    let (mut files, mut markers) = (Vec::new(), Vec::new());
    let mut lines = String::new();
    for n in 0..LINES {
        let id = (n % 2 == 0).then(|| format!("line-{n}"));
        markers.push(format!("LINE{n}"));
        writeln!(lines, "{}", patient(id.as_deref(), &format!("LINE{n}"))).unwrap();
    }
    let mut file = |name: String, text: String| {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        files.push(path);
    };
    file("lines.ndjson".into(), lines);
    for n in 0..TRANSACTIONS {
        let own: Vec<String> = (0..TOGETHER).map(|i| format!("TX{n}x{i}")).collect();
        file(format!("tx-{n}.json"), bundle("transaction", own.iter().cloned()));
        markers.extend(own);
    }
    let own: Vec<String> = (0..BATCH).map(|i| format!("BATCH{i}")).collect();
    file("batch.json".into(), bundle("batch", own.iter().cloned()));
    markers.extend(own);
    (files, markers)
}

fn load(database: &Path, files: &[PathBuf]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fhir-server"));
    command
        .args(["load", "--database"])
        .arg(format!("sqlite:{}", database.display()))
        .args(files)
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    command
}

/// Every version in a database.
fn versions(database: &Path) -> Vec<Version> {
    let url = DatabaseUrl::Sqlite(database.to_owned());
    let store = store::open(&url, &StoreOptions::default()).unwrap();
    server::run(async {
        let snapshot = store.snapshot(TenantId::DEFAULT).await.unwrap();
        let query = HistoryQuery::new(HistoryScope::System, 1_000_000, Filter::All);
        let found = snapshot.history(&query).await.unwrap();
        drop(snapshot);
        store.close().await;
        found
    })
}

/// How many versions there are with each marker; fails where a history has a gap.
fn count(database: &Path) -> BTreeMap<String, usize> {
    let (mut markers, mut histories) = (BTreeMap::new(), BTreeMap::<String, Vec<i64>>::new());
    for version in versions(database) {
        histories
            .entry(version.key.to_string())
            .or_default()
            .push(version.version);
        let body = version.body.expect("nothing was deleted");
        let text = String::from_utf8(body.json.to_vec()).unwrap();
        let marker = text
            .split("\"family\":\"")
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap();
        *markers.entry(marker.to_owned()).or_default() += 1;
    }
    for (key, mut numbers) in histories {
        numbers.sort_unstable();
        assert!(
            numbers.iter().copied().eq(1..=numbers.len() as i64),
            "history of {key}: {numbers:?}"
        );
    }
    markers
}

/// Nothing is there twice, and each transaction is there whole or not at all.
fn check(database: &Path, round: u64) -> usize {
    let found = count(database);
    let twice: Vec<_> = found.iter().filter(|(_, n)| **n != 1).collect();
    assert!(twice.is_empty(), "round {round}: there more than once: {twice:?}");
    for n in 0..TRANSACTIONS {
        let there = (0..TOGETHER)
            .filter(|i| found.contains_key(&format!("TX{n}x{i}")))
            .count();
        assert!(
            there == 0 || there == TOGETHER,
            "round {round}: transaction {n} is torn: {there} of {TOGETHER}"
        );
    }
    found.len()
}

#[test]
fn a_load_killed_in_the_middle_goes_on_and_everything_is_there_exactly_once() {
    let rounds = if is_long() { 50 } else { 3 };
    let seed = seed();
    println!("{rounds} rounds of load, FHIR_TEST_SEED={seed}");
    let folder = tempfile::tempdir().unwrap();
    let (files, markers) = files(folder.path());
    let start = Instant::now();
    let whole = load(&folder.path().join("whole.sqlite"), &files)
        .output()
        .unwrap();
    assert!(
        whole.status.success(),
        "{}",
        String::from_utf8_lossy(&whole.stdout)
    );
    // The moments are parts of the time that a load takes here, so that they fall into it however slow the machine is.
    let time = start.elapsed();
    let mut choices = Choices(seed);
    let (mut kills, mut amid) = (0, 0);
    for round in 0..rounds {
        let database = folder.path().join(format!("{round}.sqlite"));
        for _ in 0..1 + choices.below(KILLS) {
            let mut child = load(&database, &files).spawn().unwrap();
            let percent = u32::try_from(10 + choices.below(85)).unwrap();
            std::thread::sleep(time * percent / 100);
            child.kill().unwrap();
            child.wait().unwrap();
            kills += 1;
            let there = if database.exists() {
                check(&database, round)
            } else {
                0
            };
            amid += usize::from(there > 0 && there < markers.len());
        }
        let end = load(&database, &files).output().unwrap();
        let told = String::from_utf8_lossy(&end.stdout).into_owned();
        assert!(
            end.status.success() && told.contains("refused  0 units"),
            "round {round}: {told}"
        );
        check(&database, round);
        let found = count(&database);
        let lost: Vec<_> = markers
            .iter()
            .filter(|marker| !found.contains_key(*marker))
            .collect();
        assert!(
            lost.is_empty() && found.len() == markers.len(),
            "round {round}: lost {lost:?}"
        );
        let again = load(&database, &files).output().unwrap();
        let told = String::from_utf8_lossy(&again.stdout).into_owned();
        assert!(
            told.contains("loaded   0 units with 0 resources"),
            "round {round}: {told}"
        );
        std::fs::remove_file(&database).unwrap();
    }
    assert!(
        amid > 0,
        "no kill fell into the middle of a load: {kills} kills in loads of {time:?}"
    );
    println!(
        "{kills} kills, {amid} of them between the first resource and the last of {}",
        markers.len()
    );
}
