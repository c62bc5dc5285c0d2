//! A server in a process of its own, which is this program once more, so that its processors' time is not the clients'.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use fhir_server::policy::PermitAll;
use fhir_server::server::{self, Ending, QUIET};
use fhir_server::store::{self, DatabaseUrl, StoreOptions};
use fhir_server::{Config, FhirServer};

/// Says to the program that it is the server: the database, and whether there is a trail.
const DATABASE: &str = "BENCH_DATABASE";
const AUDITED: &str = "BENCH_AUDITED";
/// What the system counts processors' time in, for a second.
const TICKS: f64 = 100.0;

/// A server that runs until this is dropped.
pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    process: Child,
}

impl Served {
    pub(crate) fn start(database: &Path, audited: bool) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .env(DATABASE, database)
            .env(AUDITED, audited.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let out = process.stdout.as_mut().unwrap();
        BufReader::new(out).read_line(&mut line).unwrap();
        let address = line.trim().parse().expect("the server says where it listens");
        Served { address, process }
    }

    /// Seconds of the processors that its process has taken.
    pub(crate) fn processor(&self) -> f64 {
        let path = format!("/proc/{}/stat", self.process.id());
        let stat = std::fs::read_to_string(path).expect("the system tells of processes in /proc");
        // After the name, which may hold anything, in parentheses: utime and stime are the 12th and 13th.
        let (_, rest) = stat.rsplit_once(')').unwrap();
        let numbers = rest.split_whitespace().skip(11).take(2);
        numbers.map(|text| text.parse::<f64>().unwrap()).sum::<f64>() / TICKS
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It ends when its input does.
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

/// What the program is to serve, where it is the server.
pub(crate) struct Serve {
    database: PathBuf,
    audited: bool,
}

pub(crate) fn asked() -> Option<Serve> {
    let database = std::env::var_os(DATABASE)?.into();
    let audited = std::env::var_os(AUDITED)? == "true";
    Some(Serve { database, audited })
}

impl Serve {
    /// Serves as the binary does: metrics, and a log line for each request.
    pub(crate) fn run(self) {
        let nowhere = std::fs::OpenOptions::new().write(true).open("/dev/null").unwrap();
        tracing_subscriber::fmt()
            .with_env_filter(format!("{QUIET},info"))
            .with_ansi(false)
            .with_writer(nowhere)
            .init();
        server::run(async move {
            let mut config = Config::default();
            config.sandbox.enabled = true;
            config.audit.enabled = self.audited;
            config.listen.bind = SocketAddr::from(([127, 0, 0, 1], 0));
            config.shutdown.drain = std::time::Duration::ZERO;
            let url = DatabaseUrl::Sqlite(self.database);
            let store = store::open(&url, &StoreOptions::default()).unwrap();
            let builder = FhirServer::builder().config(config).store(store.clone());
            let running = builder.policy(PermitAll).build().await.unwrap().listen().unwrap();
            println!("{}", running.address);
            let (end, ended) = tokio::sync::oneshot::channel();
            std::thread::spawn(move || {
                let _ = std::io::stdin().read_to_end(&mut Vec::new());
                let _ = end.send(());
            });
            let end = async move {
                let _ = ended.await;
                Ending::Prompt
            };
            running.until(end).await.unwrap();
            store.close().await;
        });
    }
}
