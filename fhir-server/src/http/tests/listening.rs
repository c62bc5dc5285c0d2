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

/// Texts in which a proxy might see other requests than the server: each ends with 400, and what is hidden in it is never
/// answered (S-074).
#[actix_web::test]
async fn what_can_be_read_in_two_ways_is_refused_and_hides_no_request() {
    let running = start(|_| {}).await;
    let address = running.address;
    let (end, ended) = run(running);
    let hidden = "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let get = "GET /fhir/Patient HTTP/1.1\r\nHost: localhost\r\n";
    let post = "POST /fhir/Patient HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    let body = r#"{"resourceType":"Patient"}"#;
    let length = body.len();
    let chunk = format!("{length:x}");
    for text in [
        "GET /fhir/Patient HTTP/1.1\nHost: localhost\r\n\r\n".to_owned(),
        "GET /fhir/Patient HTTP/1.1\r\nHost: localhost\n\r\n".to_owned(),
        format!("{get}X: a\n\n"),
        format!("{get}X: a\r\n\n"),
        format!("{get}X: a\r\n b\r\n\r\n"),
        format!("{get}X: a\r\n\tb\r\n\r\n"),
        format!("{get}X: a\rb\r\n\r\n"),
        format!("{get}X: a\0b\r\n\r\n"),
        format!("{get}X : a\r\n\r\n"),
        format!("{post}Content-Length: {length}\r\nContent-Length: {length}\r\n\r\n{body}"),
        format!("{post}Content-Length: {length}\r\nContent-Length: 0\r\n\r\n{body}"),
        format!("{post}Content-Length: {length}, {length}\r\n\r\n{body}"),
        format!("{post}Content-Length: +{length}\r\n\r\n{body}"),
        format!("{post}Content-Length: 0x{chunk}\r\n\r\n{body}"),
        format!("{post}Content-Length: -1\r\n\r\n{body}"),
        format!("{post}Content-Length : {length}\r\n\r\n{body}"),
        format!("{post}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        format!("{post}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n"),
        format!("{post}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n"),
        format!("{post}Transfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n"),
        format!("{post}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
        format!("{post}Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n"),
        format!("{post}Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n"),
        format!("{post}Transfer-Encoding: chunked\r\n\r\n{chunk};a=b\r\n{body}\r\n0\r\n\r\n"),
        format!("{post}Transfer-Encoding: chunked\r\n\r\n{chunk} \r\n{body}\r\n0\r\n\r\n"),
        format!("{post}Transfer-Encoding: chunked\r\n\r\n0x{chunk}\r\n{body}\r\n0\r\n\r\n"),
        format!("{post}Transfer-Encoding: chunked\r\n\r\n{chunk}\n{body}\n0\n\n"),
        format!("{post}Transfer-Encoding: chunked\r\n\r\n{chunk}\r\n{body}x\r\n0\r\n\r\n"),
        format!("{post}Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n{body}\r\n0\r\n\r\n"),
        format!("{post}Transfer-Encoding: chunked\r\n\r\n{chunk}\r\n{body}\r\n0\r\nX: y\r\n\r\n"),
        // CONNECT and the preface of HTTP/2 lead nowhere either.
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(),
    ] {
        let answer = talk(address, &format!("{text}{hidden}")).await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{text:?}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{text:?}: {answer}");
        let body = answer.split_once("\r\n\r\n").unwrap().1;
        let outcome = fhir_model::json::from_str(body).unwrap();
        assert_eq!(outcome.type_name(), "OperationOutcome", "{text:?}");
    }
    // What is sent one way only is answered, one request after the other.
    let plain = format!("{post}Transfer-Encoding: chunked\r\n\r\n{chunk}\r\n{body}\r\n0\r\n\r\n");
    let sized = format!("{post}Content-Length: {length}\r\n\r\n{body}");
    let last = "GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    // A GET may have a body, which means nothing and is no request of its own (S-076).
    let with_body = format!(
        "GET /livez HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{hidden}",
        hidden.len()
    );
    let answer = talk(address, &format!("{plain}{sized}{with_body}{last}")).await;
    assert_eq!(answer.matches("HTTP/1.1 201").count(), 2, "{answer}");
    assert_eq!(answer.matches("HTTP/1.1 200").count(), 2, "{answer}");
    end.send(Ending::Prompt).unwrap();
    ended.await.unwrap().unwrap();
}

#[actix_web::test]
async fn what_a_client_writes_never_becomes_a_header_of_the_answer() {
    let running = start(|_| {}).await;
    let address = running.address;
    let (end, ended) = run(running);
    for path in [
        "/fhir/Patient/a%0d%0aX-Injected:%201",
        "/fhir/Patient/a%0aX-Injected:%201/_history/1",
        "/fhir/Patient?_format=json%0d%0aX-Injected:%201",
        "/fhir/Patient?_id=%0d%0aX-Injected:%201",
        "/fhir/%0d%0aX-Injected:%201",
        "/%0d%0aX-Injected:%201",
    ] {
        let answer = talk(address, &get(path)).await;
        let head = answer.split_once("\r\n\r\n").unwrap().0.to_ascii_lowercase();
        assert!(!head.contains("\nx-injected"), "{path}: {head}");
    }
    end.send(Ending::Prompt).unwrap();
    ended.await.unwrap().unwrap();
}

/// A flood of connections leaves health on its own listener be, and the server serves again after it (R-023).
#[actix_web::test]
async fn connections_are_bounded_and_health_answers_meanwhile() {
    let running = start(|config| config.listen.max_connections = 4).await;
    let (address, metrics) = (running.address, running.metrics_address.unwrap());
    let (end, ended) = run(running);
    let mut flood = Vec::new();
    for _ in 0..64 {
        flood.push(TcpStream::connect(address).await.unwrap());
    }
    let mut late = TcpStream::connect(address).await.unwrap();
    late.write_all(get("/fhir/Patient").as_bytes()).await.unwrap();
    let mut first = [0; 1];
    assert!(
        timeout(Duration::from_millis(500), late.read(&mut first))
            .await
            .is_err(),
        "more connections are served than may be"
    );
    assert!(talk(metrics, &get("/livez")).await.starts_with("HTTP/1.1 200"));
    drop(flood);
    timeout(Duration::from_secs(20), late.read(&mut first))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(first, *b"H");
    end.send(Ending::Prompt).unwrap();
    ended.await.unwrap().unwrap();
}

/// A body that is too large is refused by what it says or as soon as it is, and the connection ends (S-063).
#[actix_web::test]
async fn a_body_without_end_is_413_and_the_connection_closes() {
    let running = start(|config| config.limits.body_bytes = 64 * 1024).await;
    let address = running.address;
    let (end, ended) = run(running);
    let head = "POST /fhir/Patient HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    let announced = talk(address, &format!("{head}Content-Length: 10737418240\r\n\r\n{{")).await;
    assert!(announced.starts_with("HTTP/1.1 413"), "{announced}");
    for chunk in [
        "1\r\n \r\n".to_owned(),
        format!("4000\r\n{}\r\n", " ".repeat(0x4000)),
    ] {
        let (mut from, mut to) = TcpStream::connect(address).await.unwrap().into_split();
        let endless = actix_web::rt::spawn(async move {
            let mut sent = head.len();
            if to
                .write_all(format!("{head}Transfer-Encoding: chunked\r\n\r\n").as_bytes())
                .await
                .is_err()
            {
                return sent;
            }
            let many = chunk.repeat(64);
            while to.write_all(many.as_bytes()).await.is_ok() {
                sent += many.len();
                sleep(Duration::from_millis(1)).await;
            }
            sent
        });
        let mut answer = [0; 12];
        timeout(Duration::from_secs(20), from.read_exact(&mut answer))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(&answer, b"HTTP/1.1 413");
        // The sender is stopped, by the connection's end.
        drop(from);
        timeout(Duration::from_secs(20), endless).await.unwrap().unwrap();
    }
    end.send(Ending::Prompt).unwrap();
    ended.await.unwrap().unwrap();
}
