//! The binary as its users meet it: the time from a cold start to the first answer, the memory it holds when idle, the first
//! `$validate` of a young server, what validation adds to a create, how fast `load` puts Synthea's records in, and the bytes that
//! they take on the disk.
//!
//!     cargo bench -p fhir-server --bench process
//!     TMPDIR=/srv/disk cargo bench -p fhir-server --bench process    another disk

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a benchmark stops at the first failure"
)]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const SERVER: &str = env!("CARGO_BIN_EXE_fhir-server");
const TURNS: usize = 7;
const CREATES: usize = 400;

fn main() {
    if !std::env::args().any(|argument| argument == "--bench") {
        println!("not measured: run it with `cargo bench`");
        return;
    }
    println!("| what | least | middle | most | floor |");
    println!("|---|---|---|---|---|");
    let starts: Vec<[f64; 5]> = (0..TURNS).map(|_| start()).collect();
    let told = [
        ("start of a new sandbox to its first patient, ms", "under 300"),
        ("first `$validate`, at once after that, ms", "under 50"),
        ("first `$validate` of another type, ms", "under 50"),
        ("the same again, ms", ""),
        ("memory when idle, before any `$validate`, MB", "under 90"),
    ];
    for (index, (what, floor)) in told.into_iter().enumerate() {
        report(what, starts.iter().map(|figures| figures[index]).collect(), floor);
    }
    for (level, took) in creates() {
        report(
            &format!("create of a Patient, validation `{level}`, µs"),
            took,
            "",
        );
    }
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

/// Milliseconds until a new sandbox has answered with a patient; until its first `$validate`s are answered, one after the other;
/// and the megabytes that another holds half a second after it answered.
fn start() -> [f64; 5] {
    let begin = Instant::now();
    let server = Server::start(&[]);
    let took = begin.elapsed().as_secs_f64() * 1e3;
    let mut client = server.client();
    let mut timed = |kind: &str, body: &str| {
        let begin = Instant::now();
        let answer = client.post(&format!("/fhir/{kind}/$validate"), body);
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        begin.elapsed().as_secs_f64() * 1e3
    };
    let first = timed("Patient", &patient(1));
    let other = timed("Observation", OBSERVATION);
    let again = timed("Observation", OBSERVATION);
    drop(server);
    let idle = Server::start(&[]);
    std::thread::sleep(Duration::from_millis(500));
    [took, first, other, again, resident(idle.process.0.id())]
}

/// Microseconds that a create takes, one client after the other on one server each, by level of validation.
fn creates() -> Vec<(&'static str, Vec<f64>)> {
    let levels = ["off", "base", "profile"];
    let servers: Vec<Server> = levels
        .iter()
        .map(|level| Server::start(&["--validation", level]))
        .collect();
    let mut clients: Vec<Client> = servers.iter().map(Server::client).collect();
    let mut took = vec![Vec::new(); levels.len()];
    for turn in 0..CREATES {
        for (client, took) in clients.iter_mut().zip(&mut took) {
            let body = patient(turn);
            let begin = Instant::now();
            let answer = client.post("/fhir/Patient", &body);
            took.push(begin.elapsed().as_secs_f64() * 1e6);
            assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
        }
    }
    levels.into_iter().zip(took).collect()
}

/// A Patient against UK Core, as it is often sent.
fn patient(number: usize) -> String {
    format!(
        r#"{{"resourceType":"Patient","meta":{{"profile":["https://fhir.hl7.org.uk/StructureDefinition/UKCore-Patient"]}},"identifier":[{{"system":"https://example.org/patients","value":"{number}"}}],"active":true,"name":[{{"use":"official","family":"Okafor","given":["Ngozi","Ada"],"prefix":["Ms"]}}],"telecom":[{{"system":"phone","value":"01632 960{:03}","use":"home"}}],"gender":"female","birthDate":"1974-05-{:02}","address":[{{"use":"home","line":["12 Elm Bank"],"city":"Leeds","postalCode":"LS1 4AP"}}],"generalPractitioner":[{{"display":"Elm Bank Surgery"}}]}}"#,
        number % 1000,
        number % 28 + 1
    )
}

const OBSERVATION: &str = r#"{"resourceType":"Observation","meta":{"profile":["https://fhir.hl7.org.uk/StructureDefinition/UKCore-Observation"]},"status":"final","code":{"coding":[{"system":"http://loinc.org","code":"8867-4"}],"text":"Heart rate"},"subject":{"display":"Ngozi Okafor"},"effectiveDateTime":"2026-11-26T10:00:00Z","valueQuantity":{"value":72,"unit":"/min","system":"http://unitsofmeasure.org","code":"/min"}}"#;

/// A new sandbox that has answered.
struct Server {
    process: Killed,
    address: String,
}

impl Server {
    fn start(options: &[&str]) -> Server {
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let address = format!("127.0.0.1:{port}");
        let begin = Instant::now();
        let server = Command::new(SERVER)
            .args(["serve", "--sandbox", "--bind", &address])
            .args(options)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let process = Killed(server);
        while !finds_someone(&address) {
            assert!(begin.elapsed() < Duration::from_secs(30), "no answer");
            std::thread::sleep(Duration::from_millis(1));
        }
        Server { process, address }
    }

    fn client(&self) -> Client {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_nodelay(true).unwrap();
        Client {
            stream,
            host: self.address.clone(),
        }
    }
}

/// A connection that stays open.
struct Client {
    stream: TcpStream,
    host: String,
}

impl Client {
    /// The head and body of the answer.
    fn post(&mut self, path: &str, body: &str) -> String {
        let length = body.len();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/fhir+json\r\nContent-Length: {length}\r\n\r\n",
            self.host
        );
        self.stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
        let (mut answer, mut chunk) = (Vec::new(), [0; 16_384]);
        loop {
            let read = self.stream.read(&mut chunk).unwrap();
            assert!(read > 0, "the server closed the connection");
            answer.extend_from_slice(&chunk[..read]);
            let text = String::from_utf8_lossy(&answer);
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length = head.lines().find_map(|line| {
                    let (name, value) = line.split_once(':')?;
                    name.eq_ignore_ascii_case("content-length")
                        .then(|| value.trim().parse::<usize>().unwrap())
                });
                if length.is_some_and(|length| body.len() >= length) {
                    return text.into_owned();
                }
            }
        }
    }
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
