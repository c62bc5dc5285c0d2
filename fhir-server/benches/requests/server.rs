//! The server under measurement, as the binary runs it: policy, metrics, and a log line for each request.

use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread::JoinHandle;

use fhir_server::policy::PermitAll;
use fhir_server::server::{self, Ending, QUIET};
use fhir_server::store::{self, DatabaseUrl, StoreOptions};
use fhir_server::{Config, FhirServer};
use tokio::sync::oneshot;

/// A server on threads of its own.
pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    end: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

impl Served {
    /// Serves the sandbox's way (no tokens) on that database.
    pub(crate) fn start(url: DatabaseUrl) -> Self {
        Served::by(move |told, ended| serve(url, told, ended))
    }

    /// Serves as that does: it tells its address, and ends when it is told.
    pub(crate) fn by<F: Future<Output = ()>>(
        serve: impl FnOnce(mpsc::Sender<SocketAddr>, oneshot::Receiver<()>) -> F + Send + 'static,
    ) -> Self {
        log();
        let (end, ended) = oneshot::channel();
        let (told, address) = mpsc::channel();
        let thread = std::thread::spawn(move || server::run(serve(told, ended)));
        Served {
            address: address.recv().unwrap(),
            end,
            thread,
        }
    }

    /// Ends it.
    pub(crate) fn end(self) {
        self.end.send(()).unwrap();
        self.thread.join().unwrap();
    }
}

async fn serve(url: DatabaseUrl, told: mpsc::Sender<SocketAddr>, ended: oneshot::Receiver<()>) {
    let mut config = Config::default();
    config.sandbox.enabled = true;
    config.listen.bind = SocketAddr::from(([127, 0, 0, 1], 0));
    config.shutdown.drain = std::time::Duration::ZERO;
    let store = store::open(&url, &StoreOptions::default()).unwrap();
    let builder = FhirServer::builder().config(config).store(store.clone());
    let server = builder.policy(PermitAll).build().await.unwrap();
    let running = server.listen().unwrap();
    told.send(running.address).unwrap();
    let end = async {
        ended.await.unwrap();
        Ending::Prompt
    };
    running.until(end).await.unwrap();
    store.close().await;
}

/// Logs as the binary does outside the sandbox, a system call a line, to where nobody reads.
fn log() {
    let nowhere = std::fs::OpenOptions::new().write(true).open("/dev/null").unwrap();
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(format!("{QUIET},info"))
        .with_ansi(false)
        .with_writer(nowhere);
    // A second server of the process logs as the first does.
    let _ = subscriber.try_init();
}
