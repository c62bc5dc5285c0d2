//! The server as a process of its own, for tests that kill it or watch it: starting, asking, and choices that a seed repeats.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The URL of a database file.
pub(crate) fn sqlite(file: &Path) -> String {
    format!("sqlite:{}", file.display())
}

/// A server process on a database; killed when dropped.
pub(crate) struct Server {
    child: Child,
    /// Where it listens.
    pub(crate) address: String,
    /// Where `/metrics` is, if asked for.
    pub(crate) metrics: Option<String>,
}

impl Server {
    /// The sandbox, with further options of `serve`.
    pub(crate) fn start(database: &str, options: &[&str]) -> Server {
        let mut child = Command::new(env!("CARGO_BIN_EXE_fhir-server"))
            .args(["serve", "--sandbox", "--bind", "127.0.0.1:0", "--log", "error"])
            .args(options)
            .arg("--database")
            .arg(database)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (mut address, mut metrics) = (None, None);
        for line in lines.map_while(Result::ok) {
            let host = |line: &str| Some(line.split("http://").nth(1)?.split('/').next()?.to_owned());
            match line.trim_start() {
                text if text.starts_with("FHIR base") => address = host(text),
                text if text.starts_with("metrics") => metrics = host(text),
                // The last line of those that name addresses.
                text if text.starts_with("database") => break,
                _ => {}
            }
        }
        Server {
            child,
            address: address.expect("the server tells its address"),
            metrics,
        }
    }

    /// kill -9.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// What it holds of memory, in KiB; `None` where the system does not tell.
    pub(crate) fn resident(&self) -> Option<u64> {
        self.status("VmRSS:")
    }

    /// The most that it ever held of memory, in KiB; `None` where the system does not tell.
    pub(crate) fn peak(&self) -> Option<u64> {
        self.status("VmHWM:")
    }

    fn status(&self, name: &str) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find_map(|l| l.strip_prefix(name))?;
        line.split_whitespace().next()?.parse().ok()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The process may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

/// One request on a connection of its own; `None` where no complete answer came.
pub(crate) fn ask(address: &str, method: &str, path: &str, headers: &str, body: &[u8]) -> Option<Answer> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(60))).ok()?;
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(body).ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    let end = answer.windows(4).position(|w| w == b"\r\n\r\n")?;
    let head = String::from_utf8(answer.get(..end)?.to_vec()).ok()?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let body = answer.split_off(end + 4);
    Some(Answer { status, head, body })
}

/// A request in JSON on the FHIR base: status, head and body.
pub(crate) fn write(address: &str, method: &str, path: &str, body: &str) -> Option<(u16, String, String)> {
    let headers = "Content-Type: application/fhir+json\r\nPrefer: return=minimal\r\n";
    let answer = ask(address, method, &format!("/fhir{path}"), headers, body.as_bytes())?;
    Some((answer.status, answer.head, String::from_utf8(answer.body).ok()?))
}

/// Whether the full number of rounds is asked for.
pub(crate) fn is_long() -> bool {
    std::env::var_os("FHIR_TEST_LONG").is_some()
}

/// The seed that is asked for, or the time.
pub(crate) fn seed() -> u64 {
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let asked = std::env::var("FHIR_TEST_SEED").ok();
    asked.and_then(|s| s.parse().ok()).unwrap_or(clock)
}

/// Choices that a seed repeats (SplitMix64).
pub(crate) struct Choices(pub(crate) u64);

impl Choices {
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % end
    }
}
