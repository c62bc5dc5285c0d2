//! The binary as its users meet it: the time from a cold start to the first answer, the memory it holds when idle, how fast
//! `load` puts Synthea's records in, and the bytes that they take on the disk.
//!
//!     cargo bench -p fhir-server --bench process
//!     TMPDIR=/srv/disk cargo bench -p fhir-server --bench process    another disk

#![expect(clippy::unwrap_used, reason = "a benchmark stops at the first failure")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const SERVER: &str = env!("CARGO_BIN_EXE_fhir-server");
const TURNS: usize = 7;

fn main() {
    if !std::env::args().any(|argument| argument == "--bench") {
        println!("not measured: run it with `cargo bench`");
        return;
    }
    println!("| what | least | middle | most | floor |");
    println!("|---|---|---|---|---|");
    let (starts, idle): (Vec<f64>, Vec<f64>) = (0..TURNS).map(|_| start()).unzip();
    report(
        "start of a new sandbox to its first patient, ms",
        starts,
        "under 200",
    );
    report("memory when idle, MB", idle, "under 60");
    let files = records();
    if files.is_empty() {
        println!("SKIPPED (needs ../shared/data/synthea)");
        return;
    }
    let (rates, bytes): (Vec<f64>, Vec<f64>) = (0..TURNS).map(|_| load(&files)).unzip();
    report(
        "load of Synthea's records, resources a second",
        rates,
        "above 3,000",
    );
    report("bytes on the disk a resource", bytes, "");
}

fn report(what: &str, mut figures: Vec<f64>, floor: &str) {
    figures.sort_by(f64::total_cmp);
    let at = |n: usize| figures.get(n).copied().unwrap_or_default();
    let most = figures.len().saturating_sub(1);
    println!(
        "| {what} | {:.0} | {:.0} | {:.0} | {floor} |",
        at(0),
        at(most / 2),
        at(most)
    );
}

/// Milliseconds until a new sandbox has answered with a patient, and the megabytes that it holds half a second later.
fn start() -> (f64, f64) {
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let address = format!("127.0.0.1:{port}");
    let begin = Instant::now();
    let server = Command::new(SERVER)
        .args(["serve", "--sandbox", "--bind", &address])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let server = Killed(server);
    while !finds_someone(&address) {
        assert!(begin.elapsed() < Duration::from_secs(30), "no answer");
        std::thread::sleep(Duration::from_millis(1));
    }
    let took = begin.elapsed();
    std::thread::sleep(Duration::from_millis(500));
    (took.as_secs_f64() * 1e3, resident(server.0.id()))
}

/// Ended when dropped, so that its temporary database goes too.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let id = self.0.id().to_string();
        let told = Command::new("kill").args(["-TERM", &id]).status();
        if !told.is_ok_and(|status| status.success()) {
            // It may have ended already.
            let _ = self.0.kill();
        }
        let _ = self.0.wait();
    }
}

fn finds_someone(address: &str) -> bool {
    let ask = || {
        let mut stream = TcpStream::connect(address)?;
        write!(
            stream,
            "GET /fhir/Patient?_count=1 HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        std::io::Result::Ok(answer)
    };
    ask().is_ok_and(|answer| {
        answer.starts_with("HTTP/1.1 200") && answer.contains(r#""resourceType":"Patient""#)
    })
}

/// Megabytes that are resident; 0 where the system does not tell.
fn resident(process: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kib.unwrap_or_default() * 1024.0 / 1e6
}

/// Synthea's records in the shared folder beside the project.
fn records() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/synthea");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .map(|entries| entries.filter_map(|entry| Some(entry.ok()?.path())).collect())
        .unwrap_or_default();
    files.retain(|file| file.extension().is_some_and(|ending| ending == "json"));
    files.sort();
    files
}

/// Resources a second as `load` tells them, and the bytes of the database file for each.
fn load(files: &[PathBuf]) -> (f64, f64) {
    let folder = tempfile::TempDir::new().unwrap();
    let database = folder.path().join("load.sqlite");
    let output = Command::new(SERVER)
        .arg("load")
        .arg("--database")
        .arg(format!("sqlite:{}", database.display()))
        .args(files)
        .stderr(Stdio::null())
        .output()
        .unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    let number = |line: &str, word: usize| -> f64 {
        let line = told
            .lines()
            .find(|told| told.starts_with(line))
            .unwrap_or_default();
        line.split_whitespace()
            .nth(word)
            .and_then(|text| text.parse().ok())
            .unwrap_or_default()
    };
    // "loaded   20 units with 24,000 resources" and "time     4.1 s, 5,853 resources a second"
    let (loaded, rate) = (number("loaded", 4), number("time", 3));
    let bytes: u64 = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|file| file.unwrap().metadata().unwrap().len())
        .sum();
    (rate, bytes as f64 / loaded)
}
