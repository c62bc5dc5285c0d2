//! Whole requests through the handler, on a store in memory, with a fixed clock.

mod answers;
mod audited;
#[cfg(feature = "authority")]
mod authority;
mod bodies;
#[cfg(feature = "sqlite")]
mod canaries;
#[cfg(feature = "docs")]
mod docs;
mod formats;
mod hints;
mod listening;
#[cfg(feature = "sqlite")]
mod matrix;
mod native;
mod operations;
mod patches;
mod paths;
mod people;
mod provoked;
mod refusals;
mod resets;
mod spaces;
mod tenants;
mod tokens;

use std::sync::Arc;

use actix_web::body::{BoxBody, to_bytes};
use actix_web::dev::{Service, ServiceResponse};
use actix_web::http::header::HeaderMap;
use actix_web::test::{TestRequest, init_service};
use actix_web::{App, Error};
use serde_json::Value;

use crate::config::Config;
use crate::context::{Clock, Millis};
use crate::engine::memory::MemoryStore;
use crate::policy::{PermitAll, Policy};
use crate::server::FhirServer;

/// 2026-11-23T09:30:00Z, always.
struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Millis {
        Millis(1_795_426_200_000)
    }
}

/// The sandbox's configuration.
fn sandbox() -> Config {
    let mut config = Config::default();
    config.sandbox.enabled = true;
    config
}

async fn server_with(config: Config, policy: impl Policy + 'static) -> FhirServer {
    let clock = Arc::new(Fixed);
    let store = Arc::new(MemoryStore::new(clock.clone()));
    FhirServer::builder()
        .config(config)
        .store(store)
        .policy(policy)
        .clock(clock)
        .build()
        .await
        .unwrap()
}

async fn server() -> FhirServer {
    server_with(sandbox(), PermitAll).await
}

/// An answer, its body read.
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }
    fn text(&self) -> &str {
        str::from_utf8(&self.body).unwrap()
    }
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }
    /// The status, once it is clear that an error explains itself.
    #[track_caller]
    fn checked(&self) -> u16 {
        if self.status >= 400 {
            let outcome = match self.header("content-type") {
                "application/fhir+xml; charset=utf-8" => fhir_model::xml::from_slice(&self.body),
                _ => fhir_model::json::from_slice(&self.body),
            };
            let outcome = outcome.unwrap_or_else(|error| panic!("{error}: {}", self.text()));
            assert_eq!(outcome.type_name(), "OperationOutcome");
        }
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
        ] {
            assert_eq!(self.header(name), value);
        }
        assert_eq!(self.header("cache-control"), "no-store");
        assert_eq!(self.header("x-request-id").len(), 36);
        assert!(!self.headers.contains_key("server"));
        self.status
    }
}

/// Sends a request to the server as a service mounts it.
async fn send(server: &FhirServer, request: TestRequest) -> Answer {
    let app = init_service(App::new().configure(|app| server.configure(app))).await;
    send_to(&app, request).await
}

async fn send_to<S>(app: &S, request: TestRequest) -> Answer
where
    S: Service<actix_http::Request, Response = ServiceResponse<BoxBody>, Error = Error>,
{
    send_made(app, request.to_request()).await
}

async fn send_made<S>(app: &S, request: actix_http::Request) -> Answer
where
    S: Service<actix_http::Request, Response = ServiceResponse<BoxBody>, Error = Error>,
{
    let answer = app.call(request).await.unwrap();
    let (_, answer) = answer.into_parts();
    let (head, body) = answer.into_parts();
    Answer {
        status: head.status().as_u16(),
        headers: head.headers().clone(),
        body: to_bytes(body).await.map_err(|_| "body").unwrap().to_vec(),
    }
}

fn request(method: &str, path: &str) -> TestRequest {
    TestRequest::default()
        .method(method.parse().unwrap())
        .uri(path)
        .insert_header(("Host", "localhost:8080"))
}

fn get(path: &str) -> TestRequest {
    request("GET", path)
}

/// A request with a FHIR JSON body.
fn with_json(method: &str, path: &str, body: &str) -> TestRequest {
    request(method, path)
        .insert_header(("Content-Type", "application/fhir+json"))
        .set_payload(body.to_owned())
}

const PATIENT: &str = r#"{"resourceType":"Patient","id":"p1","active":true,"name":[{"family":"Smith"}]}"#;

/// A server that has `Patient/p1`.
async fn with_patient() -> FhirServer {
    let server = server().await;
    assert_eq!(
        send(&server, with_json("PUT", "/fhir/Patient/p1", PATIENT))
            .await
            .checked(),
        201
    );
    server
}
