//! Attacks on access tokens, by their number in the list of security targets.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::*;
use crate::token::testing::{P256, STRANGER, encoded};

#[actix_web::test]
async fn s_001_a_token_without_a_signature_is_refused() {
    let server = protected(|_| {}).await;
    let claims = encoded(claims().to_string());
    for alg in ["none", "None", "NONE", "nOnE", "noNe", ""] {
        let header = encoded(json!({ "alg": alg, "typ": "at+jwt", "kid": RSA.kid }).to_string());
        refused(&server, alg, &format!("{header}.{claims}.")).await;
        refused(&server, alg, &format!("{header}.{claims}.AAAA")).await;
    }
    let header = encoded(header().to_string());
    for token in [
        format!("{header}.{claims}."),
        format!("{header}.{claims}"),
        header.clone(),
        format!(".{claims}.AAAA"),
        format!("{header}..AAAA"),
        "..".to_owned(),
        "x".to_owned(),
        format!("{}.", good()),
        format!("{}.AAAA", good()),
        format!("{}=", good()),
    ] {
        refused(&server, &token, &token).await;
    }
}

#[actix_web::test]
async fn s_002_a_public_key_is_no_shared_secret() {
    let server = protected(|_| {}).await;
    let jwk = RSA.jwk();
    let n = URL_SAFE_NO_PAD.decode(jwk["n"].as_str().unwrap()).unwrap();
    let pem = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
        STANDARD.encode(&n)
    );
    let secrets: [Vec<u8>; 4] = [
        n.clone(),
        pem.into_bytes(),
        jwk.to_string().into_bytes(),
        Vec::from(*b"secret"),
    ];
    for algorithm in ["HS256", "HS384", "HS512"] {
        for secret in &secrets {
            let header = encoded(json!({ "alg": algorithm, "typ": "at+jwt", "kid": RSA.kid }).to_string());
            let message = format!("{header}.{}", encoded(claims().to_string()));
            let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
            mac.update(message.as_bytes());
            let signature = encoded(mac.finalize().into_bytes());
            refused(&server, algorithm, &format!("{message}.{signature}")).await;
        }
    }
}

#[actix_web::test]
async fn s_003_a_signature_of_impossible_numbers_is_refused() {
    let server = protected(|_| {}).await;
    let header = encoded(json!({ "alg": "ES256", "typ": "at+jwt", "kid": P256.kid }).to_string());
    let message = format!("{header}.{}", encoded(claims().to_string()));
    for (name, bytes) in [
        ("r=s=0", vec![0; 64]),
        ("r, s above the order", vec![0xFF; 64]),
        ("too short", vec![1; 63]),
        ("too long", vec![1; 65]),
        ("of DER", vec![0x30, 6, 2, 1, 1, 2, 1, 1]),
        ("empty number", vec![1; 1]),
    ] {
        refused(&server, name, &format!("{message}.{}", encoded(bytes))).await;
    }
    // The right key, another algorithm: a key is for its own kind alone.
    for (kid, alg) in [(P256.kid, "RS256"), (RSA.kid, "ES256"), (P256.kid, "ES384")] {
        let header = json!({ "alg": alg, "typ": "at+jwt", "kid": kid });
        let token = format!(
            "{}.{}.{}",
            encoded(header.to_string()),
            encoded(claims().to_string()),
            encoded([1; 64])
        );
        refused(&server, alg, &token).await;
    }
}

#[actix_web::test]
async fn s_004_a_kid_is_found_letter_by_letter_or_not_at_all() {
    let server = protected(|_| {}).await;
    let long = "k".repeat(4000);
    for kid in [
        "../../../../dev/null",
        "' OR 1=1--",
        "rsa-1\u{0}",
        "RSA-1",
        "rsa-1 ",
        " rsa-1",
        "rsa",
        "ec-256",
        "*",
        "",
        "unknown",
        &long,
    ] {
        let header = json!({ "alg": "RS256", "typ": "at+jwt", "kid": kid });
        refused(&server, kid, &RSA.sign(&header, &claims())).await;
    }
    for kid in [json!(1), json!(null), json!(["rsa-1"]), json!({ "a": "rsa-1" })] {
        let header = json!({ "alg": "RS256", "typ": "at+jwt", "kid": kid });
        refused(&server, "of another type", &RSA.sign(&header, &claims())).await;
    }
    // Of several keys none is guessed.
    refused(
        &server,
        "no kid",
        &RSA.sign(&json!({ "alg": "RS256", "typ": "at+jwt" }), &claims()),
    )
    .await;
}

#[actix_web::test]
async fn s_005_keys_that_a_token_brings_or_points_at_are_not_looked_at() {
    let server = protected(|_| {}).await;
    let sink = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    sink.set_nonblocking(true).unwrap();
    let url = format!("http://{}/jwks.json", sink.local_addr().unwrap());
    for (name, value) in [
        ("jku", json!(url)),
        ("x5u", json!(url)),
        ("jwk", STRANGER.jwk()),
        ("x5c", json!([STANDARD.encode(b"certificate")])),
    ] {
        let mut header = header();
        header[name] = value;
        refused(&server, name, &STRANGER.sign(&header, &claims())).await;
        assert_eq!(
            read(&server, &RSA.sign(&header, &claims())).await.checked(),
            200,
            "{name} is ignored"
        );
    }
    assert_eq!(
        sink.accept().unwrap_err().kind(),
        std::io::ErrorKind::WouldBlock,
        "nobody was asked"
    );
}

#[actix_web::test]
async fn s_006_extensions_encryption_and_compression_are_refused() {
    let server = protected(|_| {}).await;
    for (name, value) in [
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("b64", json!(false)),
        ("zip", json!("DEF")),
        ("enc", json!("A256GCM")),
    ] {
        let mut header = header();
        header[name] = value;
        refused(&server, name, &RSA.sign(&header, &claims())).await;
    }
    let part = encoded("x");
    refused(
        &server,
        "five parts",
        &format!("{}.{part}.{part}.{part}.{part}", encoded(header().to_string())),
    )
    .await;
    let nested = RSA.sign_text(
        &json!({ "alg": "RS256", "typ": "at+jwt", "cty": "JWT", "kid": RSA.kid }).to_string(),
        &good(),
    );
    refused(&server, "nested", &nested).await;
}

#[actix_web::test]
async fn s_007_an_issuer_is_compared_letter_by_letter() {
    let server = protected(|_| {}).await;
    for iss in [
        json!("https://as.example"),
        json!("https://as.example/realm/"),
        json!("https://as.example/realm2"),
        json!("https://as.example/Realm"),
        json!("https://AS.example/realm"),
        json!("http://as.example/realm"),
        json!("https://as.example/realm?x"),
        json!("https://evil.example/https://as.example/realm"),
        json!(" https://as.example/realm"),
        json!([ISSUER]),
        json!({ "iss": ISSUER }),
        json!(""),
        json!(null),
        json!(1),
    ] {
        refused(
            &server,
            &iss.to_string(),
            &RSA.sign(&header(), &with("iss", Some(iss.clone()))),
        )
        .await;
    }
    refused(&server, "no iss", &RSA.sign(&header(), &with("iss", None))).await;
}

#[actix_web::test]
async fn s_008_an_audience_is_this_server_and_the_kind_is_an_access_token() {
    let server = protected(|_| {}).await;
    for aud in [
        json!("https://other.example/fhir"),
        json!("https://fhir.example"),
        json!("https://fhir.example/fhir/"),
        json!("https://fhir.example/t/other/fhir"),
        json!("https://fhir.example/FHIR"),
        json!("app"),
        json!(ISSUER),
        json!([]),
        json!(["https://other.example/fhir"]),
        json!([BASE, 1]),
        json!({ "aud": BASE }),
        json!(""),
        json!(null),
    ] {
        refused(
            &server,
            &aud.to_string(),
            &RSA.sign(&header(), &with("aud", Some(aud.clone()))),
        )
        .await;
    }
    refused(&server, "no aud", &RSA.sign(&header(), &with("aud", None))).await;
    let several = with("aud", Some(json!(["https://other.example/fhir", BASE])));
    assert_eq!(read(&server, &RSA.sign(&header(), &several)).await.checked(), 200);
    for kind in [
        json!("JWT"),
        json!("id_token"),
        json!("logout+jwt"),
        json!("code+jwt"),
        json!(1),
    ] {
        let mut header = header();
        header["typ"] = kind.clone();
        refused(&server, &kind.to_string(), &RSA.sign(&header, &claims())).await;
    }
    let lenient = protected(|config| {
        for issuer in &mut config.tokens.issuers {
            issuer.require_at_jwt = false;
        }
    })
    .await;
    let plain = json!({ "alg": "RS256", "typ": "JWT", "kid": RSA.kid });
    assert_eq!(read(&lenient, &RSA.sign(&plain, &claims())).await.checked(), 200);
    let id_token = with("nonce", Some(json!("n")));
    refused(&lenient, "an id token", &RSA.sign(&plain, &id_token)).await;
}

#[actix_web::test]
async fn s_009_times_are_numbers_and_within_bounds() {
    let server = protected(|_| {}).await;
    let wrong = [
        "\"1795426500\"",
        "1e400",
        "-1",
        "true",
        "null",
        "[1795426500]",
        "{}",
        "\"\"",
        "1e30",
    ];
    for name in ["exp", "nbf", "iat"] {
        for value in wrong {
            let text = with(name, Some(json!("@"))).to_string().replace("\"@\"", value);
            refused(
                &server,
                &format!("{name}: {value}"),
                &RSA.sign_text(&header().to_string(), &text),
            )
            .await;
        }
    }
    refused(&server, "no exp", &RSA.sign(&header(), &with("exp", None))).await;
    for (name, value) in [
        ("exp", 4_070_908_800),
        ("exp", NOW + 3700),
        ("exp", 0),
        ("exp", NOW - 100),
        ("nbf", NOW + 100),
        ("iat", NOW + 100),
        ("iat", NOW - 4000),
    ] {
        refused(
            &server,
            &format!("{name} {value}"),
            &RSA.sign(&header(), &with(name, Some(json!(value)))),
        )
        .await;
    }
    let without = |name: &str| RSA.sign(&header(), &with(name, None));
    assert_eq!(read(&server, &without("iat")).await.checked(), 200);
    // A program for itself has a shorter life.
    let mut client = with("fhirUser", None);
    client["sub"] = json!("app");
    client["scope"] = json!("system/*.rs");
    assert_eq!(
        read(&server, &RSA.sign(&header(), &with_exp(&client, NOW + 290)))
            .await
            .checked(),
        200
    );
    refused(
        &server,
        "a long life",
        &RSA.sign(&header(), &with_exp(&client, NOW + 291)),
    )
    .await;
}

fn with_exp(claims: &Value, exp: i64) -> Value {
    let mut claims = claims.clone();
    claims["exp"] = json!(exp);
    claims
}

#[actix_web::test]
async fn s_010_the_edges_of_the_clock_are_exact() {
    let server = protected(|_| {}).await;
    let leeway = 10;
    for (exp, good) in [
        (NOW - leeway - 1, false),
        (NOW - leeway, false),
        (NOW - leeway + 1, true),
        (NOW, true),
    ] {
        let mut claims = claims();
        claims["iat"] = json!(NOW - 100);
        let token = RSA.sign(&header(), &with_exp(&claims, exp));
        let status = read(&server, &token).await.checked();
        assert_eq!(status == 200, good, "exp {}", exp - NOW);
    }
    for (nbf, good) in [(NOW + leeway, true), (NOW + leeway + 1, false)] {
        let status = read(&server, &RSA.sign(&header(), &with("nbf", Some(json!(nbf)))))
            .await
            .checked();
        assert_eq!(status == 200, good, "nbf {}", nbf - NOW);
    }
}

#[actix_web::test]
async fn s_011_a_claim_that_stands_twice_is_refused() {
    let server = protected(|_| {}).await;
    let text = claims().to_string();
    let inner = text.strip_prefix('{').unwrap();
    for twice in [
        "\"scope\":\"user/Patient.r\",",
        "\"patient\":\"p1\",\"patient\":\"p2\",",
        "\"exp\":1,",
        "\"iss\":\"https://evil.example\",",
        "\"a\":{\"b\":1,\"b\":2},",
    ] {
        let text = format!("{{{twice}{inner}");
        refused(&server, twice, &RSA.sign_text(&header().to_string(), &text)).await;
    }
    let twice = format!(
        "{{\"alg\":\"none\",{}",
        header().to_string().strip_prefix('{').unwrap()
    );
    refused(&server, "header", &RSA.sign_text(&twice, &text)).await;
}

#[actix_web::test]
async fn s_012_a_token_comes_in_one_header_and_nowhere_else() {
    let server = protected(|_| {}).await;
    let token = good();
    let query = send(&server, get(&format!("/fhir/Patient?access_token={token}"))).await;
    assert_eq!(query.checked(), 401);
    let form = request("POST", "/fhir/Patient/_search")
        .insert_header(("Content-Type", "application/x-www-form-urlencoded"))
        .set_payload(format!("access_token={token}"));
    assert_eq!(send(&server, form).await.checked(), 401);
    let authorized = |text: String| get("/fhir/Patient/p1").append_header(("Authorization", text));
    for (sent, status) in [
        (format!("bearer {token}"), 200),
        (format!("BEARER {token}"), 200),
        (format!("Basic {token}"), 401),
        (format!("DPoP {token}"), 401),
        (token.clone(), 401),
        (format!("Bearer  {token}"), 401),
        (format!("Bearer {token} {token}"), 401),
        (format!("Bearer {token},{token}"), 401),
        ("Bearer".to_owned(), 401),
        ("Bearer ".to_owned(), 401),
        (String::new(), 401),
    ] {
        assert_eq!(
            send(&server, authorized(sent.clone())).await.checked(),
            status,
            "{sent}"
        );
    }
    let two =
        authorized(format!("Bearer {token}")).append_header(("Authorization", format!("Bearer {token}")));
    assert_eq!(send(&server, two).await.checked(), 400);
}

#[actix_web::test]
async fn s_013_a_long_token_is_refused_unread() {
    let server = protected(|_| {}).await;
    for length in [8 * 1024 + 1, 64 * 1024, 1 << 20] {
        refused(&server, "long", &"a".repeat(length)).await;
        let padded = with("pad", Some(json!("x".repeat(length))));
        refused(&server, "long and signed", &RSA.sign(&header(), &padded)).await;
    }
}

#[actix_web::test]
async fn s_017_a_refusal_tells_where_tokens_come_from() {
    let server = protected(|_| {}).await;
    let url = "https://fhir.example/.well-known/oauth-protected-resource/fhir";
    let none = send(&server, get("/fhir/Patient/p1")).await;
    assert_eq!(none.checked(), 401);
    assert_eq!(
        none.header("www-authenticate"),
        format!("Bearer resource_metadata=\"{url}\"")
    );
    let bad = read(&server, "x").await;
    assert_eq!(
        bad.header("www-authenticate"),
        format!("Bearer error=\"invalid_token\", resource_metadata=\"{url}\"")
    );
    let app = init_service(App::new().configure(|app| {
        server.configure(app);
        server.configure_discovery(app);
    }))
    .await;
    let answer = send_to(&app, get("/.well-known/oauth-protected-resource/fhir")).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    let document = answer.json();
    assert_eq!(document["resource"], BASE);
    assert_eq!(document["authorization_servers"], json!([ISSUER]));
    assert_eq!(document["bearer_methods_supported"], json!(["header"]));
}

#[actix_web::test]
async fn s_018_a_scope_that_is_missing_is_named_and_nothing_else() {
    let server = protected(|_| {}).await;
    for (method, path) in [
        ("GET", "/fhir/Patient/p1"),
        ("GET", "/fhir/Patient/none"),
        ("GET", "/fhir/Patient?name=Smith"),
    ] {
        let token = RSA.sign(&header(), &with("scope", Some(json!("user/Observation.rs"))));
        let answer = send(&server, with_token(request(method, path), &token)).await;
        assert_eq!(answer.checked(), 403);
        assert!(
            answer
                .header("www-authenticate")
                .starts_with("Bearer error=\"insufficient_scope\"")
        );
        for leak in ["Smith", "p1", "none", "SELECT", "panicked", "src/", "total"] {
            assert!(!answer.text().contains(leak), "{leak}: {}", answer.text());
        }
    }
}

#[actix_web::test]
async fn s_089_too_many_requests_are_told_when_to_come_again() {
    let server = protected(|config| {
        config.throttle.requests = Some(3);
        config.throttle.bad_tokens = Some(2);
    })
    .await;
    // One request made the patient.
    for expected in [200, 200, 429] {
        let answer = read(&server, &good()).await;
        assert_eq!(answer.checked(), expected);
        assert_eq!(answer.headers.contains_key("retry-after"), expected == 429);
    }
    let other = RSA.sign(&header(), &with("sub", Some(json!("another"))));
    assert_eq!(read(&server, &other).await.checked(), 200);
    let bad = || with_token(get("/fhir/Patient/p1"), "x").peer_addr(([192, 0, 2, 1], 1).into());
    for expected in [401, 401, 429] {
        assert_eq!(send(&server, bad()).await.checked(), expected);
    }
    let good_from_there = with_token(get("/fhir/Patient/p1"), &other).peer_addr(([192, 0, 2, 1], 1).into());
    assert_eq!(
        send(&server, good_from_there).await.checked(),
        200,
        "who has a good token is not held up"
    );
}
