//! What is never asked, and answers that are refused (S-015, S-081, S-082).

use super::*;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Instant;

/// A server that answers each connection so; where it is.
fn serving(answer: impl Fn() -> Vec<u8> + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut head = [0; 2048];
            let _ = stream.read(&mut head);
            let _ = stream.write_all(&answer());
        }
    });
    format!("http://{address}/jwks.json")
}

async fn got(answer: &'static [u8]) -> std::result::Result<Vec<u8>, String> {
    let url = serving(|| answer.to_vec());
    let fetched = Outbound::on_loopback().get(&url).await;
    fetched
        .map(|fetched| fetched.body)
        .map_err(|error| error.to_string())
}

#[tokio::test]
async fn an_answer_is_read_by_its_length_or_its_chunks() {
    assert_eq!(
        got(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}x")
            .await
            .unwrap(),
        b"{}"
    );
    let chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1;a=b\r\n}\r\n0\r\n\r\n";
    assert_eq!(got(chunks).await.unwrap(), b"{}");
}

#[tokio::test]
async fn a_redirect_or_half_an_answer_is_none_s_015() {
    for answer in [
        &b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"[..],
        b"HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}",
        b"not http",
        b"",
    ] {
        let text = String::from_utf8_lossy(answer).into_owned();
        assert!(got(answer).await.is_err(), "{text}");
    }
}

#[tokio::test]
async fn an_answer_without_end_is_given_up_s_015() {
    let endless = serving(|| {
        let mut answer = b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n".to_vec();
        answer.resize(4 << 20, b' ');
        answer
    });
    let error = Outbound::on_loopback()
        .get(&endless)
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("256 KiB"), "{error}");
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    let start = Instant::now();
    let error = Outbound::on_loopback().get(&url).await.unwrap_err().to_string();
    assert!(error.contains("took longer"), "{error}");
    assert!(start.elapsed() >= PATIENCE);
}

#[test]
fn only_what_is_allowed_letter_by_letter_is_asked_s_081() {
    let outbound = Outbound {
        allowed: vec!["https://as.example".into(), "https://as.example:8443".into()],
        ..Outbound::on_loopback()
    };
    let outbound = Outbound {
        on_loopback: false,
        ..outbound
    };
    for good in [
        "https://as.example/jwks",
        "https://AS.example:443/jwks",
        "https://as.example:8443/a/b",
    ] {
        outbound.check(good).unwrap();
    }
    for bad in [
        "http://as.example/jwks",
        "https://as.example.evil.example/jwks",
        "https://as.example@evil.example/jwks",
        "https://evil.example/https://as.example/jwks",
        "https://as.example:8444/jwks",
        "https://as.example/jwks?x=1",
        "https://as.example/jwks#x",
        "https://as.exampl",
        "https://as.example:99999/",
        "https:///jwks",
        "https://as.example\\@evil.example/",
        "file:///etc/passwd",
        "gopher://as.example/",
        "//as.example/jwks",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://localhost/",
        "",
    ] {
        assert!(outbound.check(bad).is_err(), "{bad}");
    }
}

#[test]
fn private_addresses_are_nobodys_business_s_081() {
    for private in [
        "127.0.0.1",
        "127.255.255.254",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "198.18.0.1",
        "192.0.0.8",
        "192.88.99.1",
        "203.0.113.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::127.0.0.1",
        "fe80::1",
        "fc00::1",
        "fd00::1",
        "ff02::1",
        "2001:db8::1",
        "2001::1",
        "2002:7f00:1::",
        "64:ff9b::7f00:1",
    ] {
        assert!(!address::is_public(private.parse().unwrap()), "{private}");
    }
    for public in [
        "1.1.1.1",
        "172.32.0.1",
        "100.128.0.1",
        "2606:4700::1111",
        "2a00:1450::1",
        "::ffff:1.1.1.1",
    ] {
        assert!(address::is_public(public.parse().unwrap()), "{public}");
    }
}

#[tokio::test]
async fn a_name_that_leads_to_a_private_address_is_not_connected_to_s_081() {
    let sink = TcpListener::bind("127.0.0.1:0").unwrap();
    sink.set_nonblocking(true).unwrap();
    let port = sink.local_addr().unwrap().port();
    for host in ["localhost", "127.0.0.1", "[::ffff:127.0.0.1]"] {
        let origin = format!("https://{host}:{port}");
        let outbound = Outbound {
            allowed: vec![origin.clone()],
            on_loopback: false,
            ..Outbound::on_loopback()
        };
        let error = outbound
            .get(&format!("{origin}/jwks"))
            .await
            .unwrap_err()
            .to_string();
        assert!(error.contains("private address"), "{host}: {error}");
    }
    assert_eq!(sink.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}
