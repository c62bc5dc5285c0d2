//! A server in this process, with its whole front but for the socket, and a clock that is set.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use actix_web::body::to_bytes;
use actix_web::test::{TestRequest, init_service};
use actix_web::{App, dev::Service};
use fhir_server::FhirServer;
use fhir_server::config::Config;
use fhir_server::context::{Clock, Millis};
use fhir_server::engine::{Check, IdSource};
use fhir_server::policy::PermitAll;
use fhir_server::store::{DatabaseUrl, Store, StoreOptions, open};
use serde_json::Value;

use crate::data::Write;

/// The address of the server.
pub(crate) const ORIGIN: &str = "http://localhost:8080";
/// Its FHIR base.
pub(crate) const BASE: &str = "http://localhost:8080/fhir";
/// 2026-11-20T09:00:00.250Z: the first write.
pub(crate) const START: i64 = 1_795_165_200_250;
/// Between two writes: seven minutes.
pub(crate) const STEP: i64 = 420_000;
/// 2026-11-26T12:00:00Z: the questions.
pub(crate) const NOW: i64 = 1_795_694_400_000;

/// Stands still until it is moved.
struct Set(AtomicI64);

impl Clock for Set {
    fn now(&self) -> Millis {
        Millis(self.0.load(Ordering::Relaxed))
    }
}

/// `id-1`, `id-2` and so on, the same on every database.
#[derive(Default)]
struct Counted(AtomicI64);

impl IdSource for Counted {
    fn new_id(&self) -> String {
        format!("id-{}", self.0.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

/// An answer, its body read.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

type Answering = Pin<Box<dyn Future<Output = Answer>>>;

/// A server on one database.
pub(crate) struct Front {
    pub(crate) database: &'static str,
    clock: Arc<Set>,
    send: Box<dyn Fn(TestRequest) -> Answering>,
}

impl Front {
    /// On an empty database.
    pub(crate) async fn on(database: &'static str, url: &DatabaseUrl) -> Front {
        let clock = Arc::new(Set(AtomicI64::new(NOW)));
        let mut options = StoreOptions::default();
        options.clock = clock.clone();
        let store: Arc<dyn Store> = open(url, &options).unwrap();
        let mut config = Config::default();
        config.sandbox.enabled = true;
        // What is searched is random, and need not be what R4's rules ask.
        config.validation.level = Check::Off;
        let builder = FhirServer::builder()
            .config(config)
            .store(store)
            .policy(PermitAll);
        let builder = builder.ids(Arc::new(Counted::default()));
        let server = builder.clock(clock.clone()).build().await.unwrap();
        let app = init_service(App::new().configure(move |app| server.configure(app))).await;
        let app = Rc::new(app);
        let send = move |request: TestRequest| -> Answering {
            let app = app.clone();
            Box::pin(async move {
                let answer = match app.call(request.to_request()).await {
                    Ok(answer) => answer,
                    Err(error) => panic!("no answer: {error}"),
                };
                let status = answer.status().as_u16();
                let body = to_bytes(answer.into_body())
                    .await
                    .unwrap_or_else(|_| panic!("no whole body"));
                // What is not JSON is kept as text.
                let body = serde_json::from_slice(&body)
                    .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&body).into_owned()));
                Answer { status, body }
            })
        };
        Front {
            database,
            clock,
            send: Box::new(send),
        }
    }

    /// Makes those writes, each at its time, and goes on to the time of the questions.
    pub(crate) async fn write(&self, writes: &[Write]) {
        for (write, time) in writes
            .iter()
            .zip((START..).step_by(usize::try_from(STEP).unwrap()))
        {
            assert!(time < NOW, "too many writes");
            self.clock.0.store(time, Ordering::Relaxed);
            let answer = match write {
                Write::Delete(key) => self.send(request("DELETE", &format!("/fhir/{key}"))).await,
                Write::Put(resource) => {
                    let part = |name: &str| resource[name].as_str().unwrap();
                    let path = format!("/fhir/{}/{}", part("resourceType"), part("id"));
                    self.send(json(request("PUT", &path), &resource.to_string()))
                        .await
                }
            };
            let shown = || match write {
                Write::Put(resource) => resource.to_string(),
                Write::Delete(key) => key.clone(),
            };
            assert!(
                answer.status < 300,
                "{}: {} {} for {}",
                self.database,
                answer.status,
                answer.body,
                shown()
            );
        }
        self.clock.0.store(NOW, Ordering::Relaxed);
    }

    pub(crate) async fn send(&self, request: TestRequest) -> Answer {
        (self.send)(request).await
    }
}

/// A request to that path; it must be escaped.
pub(crate) fn request(method: &str, path: &str) -> TestRequest {
    TestRequest::default()
        .method(method.parse().unwrap())
        .uri(path)
        .insert_header(("Host", "localhost:8080"))
}

/// With a FHIR body.
pub(crate) fn json(request: TestRequest, body: &str) -> TestRequest {
    request
        .insert_header(("Content-Type", "application/fhir+json"))
        .set_payload(body.to_owned())
}

/// Bytes escaped for a query.
pub(crate) fn escaped(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            b'-' | b'.' | b'_' | b'~' => out.push(char::from(*byte)),
            byte if byte.is_ascii_alphanumeric() => out.push(char::from(*byte)),
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
