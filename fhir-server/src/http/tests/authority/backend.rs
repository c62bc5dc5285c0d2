//! Backend Services and the clients' assertions (S-036, S-037).

use super::*;
use crate::token::testing::{P256, STRANGER, TestKey, encoded};

const KIND: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const TOKEN_URL: &str = "http://127.0.0.1:8080/auth/token";

fn assertion_claims(jti: &str) -> Value {
    json!({ "iss": "service", "sub": "service", "aud": TOKEN_URL, "exp": NOW + 200, "iat": NOW, "jti": jti })
}

fn header(key: &TestKey, algorithm: &str) -> Value {
    json!({ "alg": algorithm, "typ": "JWT", "kid": key.kid })
}

fn signed(claims: &Value) -> String {
    RSA.sign(&header(&RSA, "RS384"), claims)
}

fn credentials(assertion: &str) -> Vec<(&str, &str)> {
    vec![
        ("grant_type", "client_credentials"),
        ("scope", "system/Patient.rs"),
        ("client_assertion_type", KIND),
        ("client_assertion", assertion),
    ]
}

#[actix_web::test]
async fn a_program_for_itself_gets_a_short_token_by_each_algorithm() {
    let server = authority().await;
    for (key, algorithm) in [(&RSA, "RS384"), (&RSA, "RS512"), (&P384, "ES384")] {
        let assertion = key.sign(&header(key, algorithm), &assertion_claims(algorithm));
        let answer = token(&server, &credentials(&assertion)).await;
        assert_eq!(answer.status, 200, "{algorithm}: {}", answer.text());
        let got = answer.json();
        assert_eq!(
            (&got["token_type"], &got["expires_in"]),
            (&json!("Bearer"), &json!(300))
        );
        assert_eq!(got["scope"], "system/Patient.rs");
        assert!(got.get("refresh_token").is_none());
        let claimed = claims(got["access_token"].as_str().unwrap());
        assert_eq!(
            (&claimed["organisation"], &claimed["purpose_of_use"]),
            (&json!("X9901"), &json!("TREAT"))
        );
        assert_eq!(reads(&server, &got, "Patient/p1").await, 200);
        assert_eq!(reads(&server, &got, "Observation").await, 403);
    }
    for (key, algorithm) in [(&RSA, "RS256"), (&P256, "ES256")] {
        let assertion = key.sign(&header(key, algorithm), &assertion_claims(algorithm));
        refused(
            &token(&server, &credentials(&assertion)).await,
            401,
            "invalid_client",
            algorithm,
        );
    }
}

/// The claims with one in another form, or gone where that is null.
fn changed(name: &str, value: Value) -> Value {
    let mut claims = assertion_claims(&format!("{name}{value}"));
    match value {
        Value::Null => {
            claims.as_object_mut().unwrap().remove(name);
        }
        value => claims[name] = value,
    }
    claims
}

#[actix_web::test]
async fn s_036_an_assertion_is_exactly_what_it_must_be() {
    let server = authority().await;
    let long = "j".repeat(257);
    for (name, value) in [
        ("jti", json!(null)),
        ("jti", json!("")),
        ("jti", json!(1)),
        ("jti", json!(["a"])),
        ("jti", json!(long)),
        ("exp", json!(null)),
        ("exp", json!("1")),
        ("exp", json!(NOW - 10)),
        ("exp", json!(NOW + 311)),
        ("exp", json!(4_070_908_800_i64)),
        ("iat", json!(NOW + 100)),
        ("nbf", json!(NOW + 100)),
        ("nbf", json!("1")),
        ("iss", json!("app")),
        ("iss", json!("nobody")),
        ("iss", json!(null)),
        ("sub", json!("app")),
        ("sub", json!(null)),
        ("sub", json!(["service"])),
    ] {
        let answer = token(&server, &credentials(&signed(&changed(name, value.clone())))).await;
        refused(&answer, 401, "invalid_client", &format!("{name} {value}"));
    }
    let claims = assertion_claims("headers");
    for (name, assertion) in [
        ("stranger", STRANGER.sign(&header(&RSA, "RS384"), &claims)),
        ("no kid", RSA.sign(&json!({ "alg": "RS384" }), &claims)),
        (
            "unknown kid",
            RSA.sign(&json!({ "alg": "RS384", "kid": "x" }), &claims),
        ),
        (
            "none",
            format!(
                "{}.{}.",
                encoded(r#"{"alg":"none"}"#),
                encoded(claims.to_string())
            ),
        ),
        (
            "jku",
            STRANGER.sign(
                &json!({ "alg": "RS384", "kid": RSA.kid, "jku": "http://127.0.0.1:1/" }),
                &claims,
            ),
        ),
        (
            "crit",
            RSA.sign(&json!({ "alg": "RS384", "kid": RSA.kid, "crit": ["x"] }), &claims),
        ),
        (
            "duplicate jti",
            RSA.sign_text(
                &header(&RSA, "RS384").to_string(),
                &format!("{{\"jti\":\"a\",{}", &claims.to_string()[1..]),
            ),
        ),
        ("no token", "x".to_owned()),
    ] {
        refused(
            &token(&server, &credentials(&assertion)).await,
            401,
            "invalid_client",
            name,
        );
    }
    let fresh = |n: u32| signed(&assertion_claims(&format!("fresh-{n}")));
    for (n, change, status, error) in [
        (1, ("client_assertion_type", "x"), 400, "invalid_request"),
        (
            2,
            ("grant_type", "client_credential"),
            400,
            "unsupported_grant_type",
        ),
        (3, ("scope", "user/*.rs"), 400, "invalid_scope"),
        (4, ("scope", "system/*.cruds2"), 400, "invalid_scope"),
        (5, ("client_id", "app"), 401, "invalid_client"),
        (6, ("client_assertion", ""), 401, "invalid_client"),
    ] {
        let assertion = fresh(n);
        let mut pairs = credentials(&assertion);
        pairs.retain(|(name, _)| *name != change.0);
        if !change.1.is_empty() {
            pairs.push(change);
        }
        refused(&token(&server, &pairs).await, status, error, change.0);
    }
    // A public app has no key to be known by.
    let own = json!({ "iss": "app", "sub": "app", "aud": TOKEN_URL, "exp": NOW + 200, "jti": "z" });
    refused(
        &token(&server, &credentials(&signed(&own))).await,
        401,
        "invalid_client",
        "public app",
    );
    let assertion = signed(&assertion_claims("wide"));
    let mut pairs = credentials(&assertion);
    pairs.retain(|(name, _)| *name != "scope");
    pairs.push(("scope", "system/*.cruds"));
    assert_eq!(
        token(&server, &pairs).await.json()["scope"],
        "system/*.rs system/Observation.cruds",
        "cut to what it may have"
    );
}

#[actix_web::test]
async fn s_036_of_all_who_send_one_assertion_at_once_one_succeeds() {
    let server = authority().await;
    let assertion = signed(&assertion_claims("once"));
    let pairs = credentials(&assertion);
    let app = init_service(App::new().configure(|app| server.configure_authority(app))).await;
    let rounds = if std::env::var_os("FHIR_TEST_LONG").is_some() {
        1000
    } else {
        100
    };
    let all = (0..rounds).map(|_| send_to(&app, form("/auth/token", &pairs)));
    let answers = futures_util::future::join_all(all).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        refused(answer, 401, "invalid_client", "replay");
    }
    // Another client may use the same number; a failed attempt does not use it up.
    let spoiled =
        signed(&json!({ "iss": "service", "sub": "x", "aud": TOKEN_URL, "exp": NOW + 200, "jti": "spared" }));
    refused(
        &token(&server, &credentials(&spoiled)).await,
        401,
        "invalid_client",
        "spoiled",
    );
    let good = signed(&assertion_claims("spared"));
    assert_eq!(token(&server, &credentials(&good)).await.status, 200);
}

#[actix_web::test]
async fn s_037_an_assertion_is_for_one_audience_and_that_is_us() {
    let server = authority().await;
    for (n, (aud, good)) in [
        (json!(TOKEN_URL), true),
        (json!("http://127.0.0.1:8080/auth"), true),
        (json!([TOKEN_URL]), false),
        (json!([TOKEN_URL, "https://evil.example"]), false),
        (json!("http://127.0.0.1:8080/auth/"), false),
        (json!("http://127.0.0.1:8080/auth/token/"), false),
        (json!("http://127.0.0.1:8080/auth/token?x"), false),
        (json!("http://127.0.0.1:8080"), false),
        (json!("https://127.0.0.1:8080/auth/token"), false),
        (json!("http://127.0.0.1:8080/AUTH/token"), false),
        (json!(""), false),
    ]
    .into_iter()
    .enumerate()
    {
        let mut claims = assertion_claims(&format!("aud-{n}"));
        claims["aud"] = aud.clone();
        let answer = token(&server, &credentials(&signed(&claims))).await;
        match good {
            true => assert_eq!(answer.status, 200, "{aud}"),
            false => refused(&answer, 401, "invalid_client", &aud.to_string()),
        }
    }
}

#[actix_web::test]
async fn a_confidential_app_proves_itself_for_a_code_too() {
    let server = authority().await;
    let changes = [
        ("client_id", "service"),
        ("scope", "launch/patient user/*.rs offline_access"),
        ("person", "dr"),
        ("patient", "p1"),
    ];
    let code = code_for(&server, &changes).await;
    let bare = token(&server, &exchange(&code, &[("client_id", "service")])).await;
    refused(&bare, 401, "invalid_client", "without assertion");
    let assertion = signed(&assertion_claims("code"));
    let proof = [
        ("client_id", "service"),
        ("client_assertion_type", KIND),
        ("client_assertion", assertion.as_str()),
    ];
    let answer = token(&server, &exchange(&code, &proof)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(
        reads(&server, &answer.json(), "Patient/p2").await,
        200,
        "a user's level is not the patient's"
    );
}
