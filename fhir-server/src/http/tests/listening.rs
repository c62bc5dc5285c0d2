//! A server that listens, over real connections.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::rt::net::TcpStream;
use actix_web::rt::time::{sleep, timeout};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::oneshot;

use crate::config::Config;
use crate::context::SystemClock;
use crate::engine::memory::MemoryStore;
use crate::error::Result;
use crate::policy::PermitAll;
use crate::server::{Ending, FhirServer, Running};

/// A server on ports of the system's choice.
async fn start(adjust: impl FnOnce(&mut Config)) -> Running {
    let mut config = Config::default();
    config.sandbox.enabled = true;
    config.listen.bind = ([127, 0, 0, 1], 0).into();
    config.listen.metrics_bind = Some(([127, 0, 0, 1], 0).into());
    config.listen.workers = Some(1);
    adjust(&mut config);
    let store = Arc::new(MemoryStore::new(Arc::new(SystemClock)));
    let server = FhirServer::builder()
        .config(config)
        .store(store)
        .policy(PermitAll)
        .build()
        .await;
    server.unwrap().listen().unwrap()
}

/// Runs the server until the sender sends; the receiver then has its result.
fn run(
    running: Running,
) -> (
    oneshot::Sender<Ending>,
    actix_web::rt::task::JoinHandle<Result<()>>,
) {
    let (end, ended) = oneshot::channel();
    let until = running.until(async { ended.await.unwrap_or(Ending::Prompt) });
    (end, actix_web::rt::spawn(until))
}

/// What comes back for that text until the connection closes.
async fn talk(address: SocketAddr, text: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    timeout(Duration::from_secs(20), stream.read_to_end(&mut answer))
        .await
        .unwrap()
        .unwrap();
    String::from_utf8(answer).unwrap()
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
}

#[actix_web::test]
async fn health_and_metrics_are_served_apart() {
    let running = start(|_| {}).await;
    let (main, metrics) = (running.address, running.metrics_address.unwrap());
    let (end, ended) = run(running);
    for (address, path, status, word) in [
        (main, "/livez", "200", "ok"),
        (main, "/readyz", "200", "ok"),
        (main, "/metrics", "404", "/fhir"),
        (main, "/fhir/Patient", "200", "searchset"),
        (metrics, "/livez", "200", "ok"),
        (metrics, "/metrics", "200", "fhir_requests_total"),
        (metrics, "/fhir/Patient", "404", ""),
    ] {
        let answer = talk(address, &get(path)).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")) && answer.contains(word),
            "{path}: {answer}"
        );
    }
    end.send(Ending::Prompt).unwrap();
    ended.await.unwrap().unwrap();
}

#[actix_web::test]
async fn while_draining_it_says_that_it_is_not_ready_and_still_serves() {
    let running = start(|config| config.shutdown.drain = Duration::from_millis(800)).await;
    let (address, metrics) = (running.address, running.metrics_address.unwrap());
    let (end, ended) = run(running);
    end.send(Ending::Drained).unwrap();
    sleep(Duration::from_millis(200)).await;
    for listener in [address, metrics] {
        assert!(talk(listener, &get("/readyz")).await.starts_with("HTTP/1.1 503"));
    }
    assert!(
        talk(address, &get("/fhir/Patient"))
            .await
            .starts_with("HTTP/1.1 200")
    );
    ended.await.unwrap().unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}

#[actix_web::test]
async fn a_request_under_way_ends_before_the_server_does() {
    let running = start(|_| {}).await;
    let address = running.address;
    let (end, ended) = run(running);
    let body = r#"{"resourceType":"Patient"}"#;
    let head = format!(
        "POST /fhir/Patient HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    sleep(Duration::from_millis(100)).await;
    end.send(Ending::Prompt).unwrap();
    sleep(Duration::from_millis(200)).await;
    stream.write_all(body.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    ended.await.unwrap().unwrap();
}

#[actix_web::test]
async fn a_body_that_trickles_is_cut_off_with_408() {
    let running = start(|config| {
        config.deadlines.body_grace = Duration::from_millis(200);
        config.limits.body_bytes_per_second = 1000;
    })
    .await;
    let address = running.address;
    let (end, ended) = run(running);
    let (mut from, mut to) = TcpStream::connect(address).await.unwrap().into_split();
    let head = "POST /fhir/Patient HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
                Transfer-Encoding: chunked\r\n\r\n";
    to.write_all(head.as_bytes()).await.unwrap();
    let trickle = actix_web::rt::spawn(async move {
        while to.write_all(b"1\r\n{\r\n").await.is_ok() {
            sleep(Duration::from_millis(50)).await;
        }
    });
    let mut answer = [0; 4096];
    let length = timeout(Duration::from_secs(5), from.read(&mut answer))
        .await
        .unwrap()
        .unwrap();
    let text = String::from_utf8_lossy(&answer[..length]).into_owned();
    assert!(
        text.starts_with("HTTP/1.1 408") && text.contains("connection: close"),
        "{text}"
    );
    timeout(Duration::from_secs(10), trickle).await.unwrap().unwrap();
    end.send(Ending::Prompt).unwrap();
    ended.await.unwrap().unwrap();
}

#[actix_web::test]
async fn what_is_not_http_is_told_so_in_fhir() {
    let running = start(|config| config.deadlines.header = Duration::from_millis(300)).await;
    let address = running.address;
    let (end, ended) = run(running);
    for (text, status) in [
        (
            "GET /fhir HTTP/1.1\r\nHost: localhost\r\nBad Header: 1\r\n\r\n",
            "400",
        ),
        (
            "POST /fhir HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "400",
        ),
        ("GET /fhir HTTP/1.1\r\nHost: localhost\r\n", "408"),
    ] {
        let answer = talk(address, text).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
        let body = answer.split_once("\r\n\r\n").unwrap().1;
        assert_eq!(
            fhir_model::json::from_str(body).unwrap().type_name(),
            "OperationOutcome"
        );
    }
    end.send(Ending::Prompt).unwrap();
    ended.await.unwrap().unwrap();
}
