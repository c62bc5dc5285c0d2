//! Keys that are fetched: how often, and what happens when they change or cannot be had (S-004, S-014, S-015).

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Mutex as Blocking;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::*;
use crate::token::testing::{P256, P384, RSA};

/// An authority that publishes keys, or nothing; how often it was asked.
struct Published {
    issuer: Issuer,
    keys: Arc<Blocking<Option<Value>>>,
    asked: Arc<AtomicUsize>,
}

fn published(keys: Value) -> Published {
    published_with(keys, "")
}

/// The same, whose answers have that header.
fn published_with(keys: Value, header: &'static str) -> Published {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/jwks.json", listener.local_addr().unwrap());
    let keys = Arc::new(Blocking::new(Some(keys)));
    let asked = Arc::new(AtomicUsize::new(0));
    let (served, counted) = (keys.clone(), asked.clone());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            counted.fetch_add(1, Ordering::SeqCst);
            let mut head = [0; 1024];
            let _ = stream.read(&mut head);
            let body = served
                .lock()
                .unwrap()
                .as_ref()
                .map_or_else(String::new, ToString::to_string);
            let head = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length:";
            let _ = stream.write_all(format!("{head} {}\r\n{header}\r\n{body}", body.len()).as_bytes());
        }
    });
    let source = Source::Fetched(Box::new(Fetching {
        url,
        outbound: Arc::new(Outbound::on_loopback()),
        kept: Mutex::default(),
    }));
    let issuer = Issuer {
        name: "https://as.example".into(),
        algorithms: Algorithm::ALL.to_vec(),
        require_at_jwt: true,
        claims: ClaimsConfig::default(),
        assurance: Vec::new(),
        source,
    };
    Published { issuer, keys, asked }
}

impl Published {
    async fn knows(&self, kid: &str, algorithm: Algorithm, seconds: i64) -> bool {
        let keys = self
            .issuer
            .keys(Some(kid), algorithm, Millis(seconds * 1000))
            .await;
        keys.find(Some(kid), algorithm).is_some()
    }
    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

#[tokio::test]
async fn a_thousand_unknown_kids_ask_once_a_minute_s_004() {
    let published = published(json!({ "keys": [RSA.jwk()] }));
    for n in 0..1000 {
        assert!(!published.knows(&format!("bad-{n}"), Algorithm::Rs256, 100).await);
    }
    assert_eq!(published.asked(), 1);
    assert!(published.knows(RSA.kid, Algorithm::Rs256, 100).await);
    for n in 0..1000 {
        assert!(!published.knows(&format!("bad-{n}"), Algorithm::Rs256, 159).await);
    }
    assert_eq!(published.asked(), 1);
    assert!(!published.knows("bad", Algorithm::Rs256, 160).await);
    assert_eq!(published.asked(), 2);
}

#[tokio::test]
async fn a_key_that_was_taken_back_is_refused_and_a_new_one_found_s_014() {
    let published = published(json!({ "keys": [RSA.jwk(), P256.jwk()] }));
    assert!(published.knows(RSA.kid, Algorithm::Rs256, 0).await);
    *published.keys.lock().unwrap() = Some(json!({ "keys": [P256.jwk(), P384.jwk()] }));
    assert!(
        published.knows(RSA.kid, Algorithm::Rs256, 599).await,
        "kept for ten minutes"
    );
    assert!(!published.knows(RSA.kid, Algorithm::Rs256, 600).await);
    assert!(published.knows(P384.kid, Algorithm::Es384, 600).await);
    assert_eq!(published.asked(), 2);
}

#[tokio::test]
async fn keys_that_cannot_be_fetched_anew_serve_for_an_hour_and_then_nobody_s_014() {
    let published = published(json!({ "keys": [RSA.jwk()] }));
    assert!(published.knows(RSA.kid, Algorithm::Rs256, 0).await);
    *published.keys.lock().unwrap() = None;
    for seconds in [700, 1400, 3599] {
        assert!(
            published.knows(RSA.kid, Algorithm::Rs256, seconds).await,
            "{seconds}"
        );
    }
    assert!(
        !published.knows(RSA.kid, Algorithm::Rs256, 3600).await,
        "fails closed"
    );
    *published.keys.lock().unwrap() = Some(json!({ "keys": [RSA.jwk()] }));
    assert!(
        !published.knows(RSA.kid, Algorithm::Rs256, 3601).await,
        "not twice a minute"
    );
    assert!(published.knows(RSA.kid, Algorithm::Rs256, 3660).await);
}

#[tokio::test]
async fn a_set_with_a_weak_key_does_not_take_the_place_of_a_good_one() {
    let published = published(json!({ "keys": [RSA.jwk()] }));
    assert!(published.knows(RSA.kid, Algorithm::Rs256, 0).await);
    *published.keys.lock().unwrap() =
        Some(json!({ "keys": [{ "kty": "oct", "k": "AAAA", "kid": "rsa-1" }] }));
    assert!(published.knows(RSA.kid, Algorithm::Rs256, 700).await);
    assert_eq!(published.asked(), 2);
}

#[test]
fn keys_are_fetched_only_from_where_the_configuration_allows() {
    let mut server = Config::default();
    let mut config = IssuerConfig::new("https://as.example", "unused");
    config.keys_file = None;
    config.jwks_url = Some("https://as.example/jwks".into());
    let error = Issuer::open(&config, &server).map(drop).unwrap_err().to_string();
    assert!(error.contains("outbound.allow"), "{error}");
    server.outbound.allow = vec!["https://other.example".into()];
    assert!(Issuer::open(&config, &server).is_err());
}

#[tokio::test]
async fn s_038_keys_are_kept_no_longer_than_their_answer_says() {
    for (header, kept) in [
        ("Cache-Control: max-age=90\r\n", 90),
        ("Cache-Control: private, max-age=120\r\n", 120),
        ("Cache-Control: max-age=86400\r\n", 600),
        // Not twice a minute, whatever it says.
        ("Cache-Control: no-store\r\n", 60),
        ("", 600),
    ] {
        let published = published_with(json!({ "keys": [RSA.jwk()] }), header);
        assert!(published.knows(RSA.kid, Algorithm::Rs256, 0).await);
        *published.keys.lock().unwrap() = Some(json!({ "keys": [P256.jwk()] }));
        assert!(
            published.knows(RSA.kid, Algorithm::Rs256, kept - 1).await,
            "{header}"
        );
        assert!(
            !published.knows(RSA.kid, Algorithm::Rs256, kept).await,
            "{header}"
        );
        assert_eq!(published.asked(), 2, "{header}");
    }
}

#[test]
fn s_038_keys_are_not_fetched_from_addresses_within() {
    for url in [
        "http://as.example/jwks",
        "https://as.example.evil.example/jwks",
        "https://as.example@evil.example/jwks",
        "https://127.0.0.1/jwks",
        "https://[::1]/jwks",
        "https://169.254.169.254/latest/meta-data",
        "https://localhost./jwks",
        "file:///etc/passwd",
        "https://as.example:444/jwks",
    ] {
        let mut server = Config::default();
        server.outbound.allow = vec!["https://as.example".into()];
        let mut config = IssuerConfig::new("https://as.example", "unused");
        config.keys_file = None;
        config.jwks_url = Some(url.into());
        assert!(Issuer::open(&config, &server).is_err(), "{url}");
    }
}
