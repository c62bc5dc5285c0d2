//! Refresh, introspection and revocation (S-016, S-035), and what other pages may read.

use super::*;

fn refresh<'a>(token: &'a str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut all = vec![
        ("grant_type", "refresh_token"),
        ("client_id", "app"),
        ("refresh_token", token),
    ];
    for (name, value) in more {
        all.retain(|(own, _)| own != name);
        all.push((name, value));
    }
    all
}

#[actix_web::test]
async fn s_035_a_refresh_token_is_good_once_and_never_for_more() {
    let clock = Moved::new();
    let server = sandbox_with(|_| {}, clock.clone()).await;
    let first = tokens(&server, &[]).await;
    let one = first["refresh_token"].as_str().unwrap().to_owned();
    refused(
        &token(&server, &refresh(&one, &[("client_id", "other")])).await,
        400,
        "invalid_grant",
        "other app",
    );
    for wider in [
        "patient/*.cruds",
        "patient/*.rs user/*.rs",
        "patient/*.rs launch",
        "bogus",
    ] {
        let answer = token(&server, &refresh(&one, &[("scope", wider)])).await;
        refused(&answer, 400, "invalid_scope", wider);
    }
    refused(
        &token(&server, &refresh("x", &[])).await,
        400,
        "invalid_grant",
        "malformed",
    );
    let narrowed = token(&server, &refresh(&one, &[("scope", "patient/Patient.rs")]))
        .await
        .json();
    assert_eq!(narrowed["scope"], "patient/Patient.rs");
    assert_eq!(
        (&narrowed["token_type"], &narrowed["patient"]),
        (&json!("Bearer"), &json!("p1"))
    );
    assert_eq!(reads(&server, &narrowed, "Patient/p1").await, 200);
    assert_eq!(reads(&server, &narrowed, "Observation").await, 403);
    let two = narrowed["refresh_token"].as_str().unwrap().to_owned();
    let second = token(&server, &refresh(&two, &[])).await.json();
    assert_eq!(
        second["scope"], first["scope"],
        "without scope, those of the launch"
    );
    let three = second["refresh_token"].as_str().unwrap().to_owned();
    // The one that was used: somebody has stolen it, so the whole family ends.
    refused(
        &token(&server, &refresh(&one, &[])).await,
        400,
        "invalid_grant",
        "used",
    );
    refused(
        &token(&server, &refresh(&three, &[])).await,
        400,
        "invalid_grant",
        "family",
    );
    assert_eq!(reads(&server, &second, "Patient/p1").await, 401);
    let late = tokens(&server, &[]).await;
    clock.by(90 * 24 * 3600);
    let answer = token(&server, &refresh(late["refresh_token"].as_str().unwrap(), &[])).await;
    refused(&answer, 400, "invalid_grant", "late");
}

#[actix_web::test]
async fn without_offline_or_online_access_there_is_no_refresh_token() {
    let server = authority().await;
    for (scope, given) in [
        ("patient/*.rs", false),
        ("patient/*.rs online_access", true),
        ("patient/*.rs offline_access", true),
    ] {
        let got = tokens(&server, &[("scope", scope)]).await;
        assert_eq!(got.get("refresh_token").is_some(), given, "{scope}");
        assert!(got.get("id_token").is_none(), "{scope}");
    }
}

#[actix_web::test]
async fn an_access_token_ends_when_it_says() {
    let clock = Moved::new();
    let server = sandbox_with(|_| {}, clock.clone()).await;
    let got = tokens(&server, &[]).await;
    clock.by(3609);
    assert_eq!(reads(&server, &got, "Patient/p1").await, 200, "within the leeway");
    clock.by(1);
    assert_eq!(reads(&server, &got, "Patient/p1").await, 401);
}

#[actix_web::test]
async fn s_016_introspection_tells_what_lives_and_of_all_else_nothing() {
    let clock = Moved::new();
    let server = sandbox_with(|_| {}, clock.clone()).await;
    let got = tokens(&server, &[]).await;
    let access = got["access_token"].as_str().unwrap().to_owned();
    let other = tokens(&server, &[]).await["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let introspect = |token: &str| {
        form("/auth/introspect", &[("token", token)])
            .insert_header(("Authorization", format!("Bearer {other}")))
    };
    let answer = ask(&server, introspect(&access)).await;
    assert_eq!(answer.status, 200);
    let told = answer.json();
    assert_eq!(told["active"], true);
    for (name, value) in [
        ("client_id", json!("app")),
        ("patient", json!("p1")),
        ("sub", json!("p1")),
        ("scope", got["scope"].clone()),
        ("exp", json!(NOW + 3600)),
        ("iss", json!("http://127.0.0.1:8080/auth")),
        ("fhirUser", json!("Patient/p1")),
    ] {
        assert_eq!(told[name], value, "{name}");
    }
    for unknown in [
        "x",
        "",
        &format!("{access}x"),
        &crate::token::testing::RSA.sign(&json!({"alg":"RS256"}), &told),
    ] {
        let answer = ask(&server, introspect(unknown)).await;
        match unknown {
            "" => refused(&answer, 400, "invalid_request", "no token"),
            _ => assert_eq!(answer.json(), json!({ "active": false }), "{unknown}"),
        }
    }
    let nobody = ask(&server, form("/auth/introspect", &[("token", &access)])).await;
    refused(&nobody, 401, "invalid_client", "nobody asks");
    let revoke = form("/auth/revoke", &[("token", &access), ("client_id", "app")]);
    assert_eq!(ask(&server, revoke).await.status, 200);
    assert_eq!(
        ask(&server, introspect(&access)).await.json(),
        json!({ "active": false })
    );
    clock.by(3600);
    let late = ask(&server, introspect(&other)).await;
    refused(&late, 401, "invalid_client", "the asker's token is over");
}

#[actix_web::test]
async fn a_revoked_token_is_refused_at_once_and_only_its_app_can_revoke_it() {
    let server = authority().await;
    let got = tokens(&server, &[]).await;
    let refresh_token = got["refresh_token"].as_str().unwrap();
    for token in [refresh_token, got["access_token"].as_str().unwrap(), "unknown"] {
        let by_other = form("/auth/revoke", &[("token", token), ("client_id", "other")]);
        assert_eq!(ask(&server, by_other).await.status, 200);
        assert_eq!(reads(&server, &got, "Patient/p1").await, 200);
    }
    let nobody = ask(
        &server,
        form(
            "/auth/revoke",
            &[("token", refresh_token), ("client_id", "nobody")],
        ),
    )
    .await;
    refused(&nobody, 401, "invalid_client", "nobody");
    let revoke = form("/auth/revoke", &[("token", refresh_token), ("client_id", "app")]);
    assert_eq!(ask(&server, revoke).await.status, 200);
    assert_eq!(reads(&server, &got, "Patient/p1").await, 401);
    refused(
        &token(&server, &refresh(refresh_token, &[])).await,
        400,
        "invalid_grant",
        "refresh",
    );
}

#[actix_web::test]
async fn s_085_tokens_are_for_pages_of_configured_origins_alone() {
    let server = authority().await;
    for (origin, allowed) in [
        ("https://app.example", true),
        ("null", false),
        ("https://evil.example", false),
        ("https://app.example.evil.example", false),
        ("http://app.example", false),
    ] {
        let preflight = request("OPTIONS", "/auth/token")
            .insert_header(("Origin", origin))
            .insert_header(("Access-Control-Request-Method", "POST"));
        let answer = ask(&server, preflight).await;
        assert_eq!(
            answer.headers.contains_key("access-control-allow-origin"),
            allowed,
            "{origin}"
        );
        let post = form("/auth/token", &[("grant_type", "x")]).insert_header(("Origin", origin));
        let answer = ask(&server, post).await;
        assert_eq!(
            answer.headers.contains_key("access-control-allow-origin"),
            allowed,
            "{origin}"
        );
        assert!(!answer.headers.contains_key("access-control-allow-credentials"));
        assert!(answer.header("vary").contains("Origin"));
    }
}

#[actix_web::test]
async fn a_grant_that_is_none_is_refused() {
    let server = authority().await;
    refused(
        &token(&server, &[("client_id", "app")]).await,
        400,
        "invalid_request",
        "none",
    );
    for kind in [
        "password",
        "implicit",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
    ] {
        let answer = token(&server, &[("grant_type", kind), ("client_id", "app")]).await;
        refused(&answer, 400, "unsupported_grant_type", kind);
    }
    let twice = token(
        &server,
        &[
            ("grant_type", "refresh_token"),
            ("grant_type", "client_credentials"),
        ],
    )
    .await;
    refused(&twice, 400, "invalid_request", "twice");
    let unknown = token(&server, &exchange("x", &[("client_id", "nobody")])).await;
    refused(&unknown, 401, "invalid_client", "unknown client");
}
