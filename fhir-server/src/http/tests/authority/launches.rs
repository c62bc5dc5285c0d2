//! Launches: the authorization endpoint, PKCE and codes (S-032 to S-034).

use super::*;

#[actix_web::test]
async fn a_standalone_launch_gives_tokens_with_the_patient() {
    let server = authority().await;
    let challenge = challenge();
    let url = authorized(&server, &asking(&challenge, &[])).await;
    assert!(url.starts_with("https://app.example/callback?x=1&code="), "{url}");
    assert_eq!(parameter(&url, "state").as_deref(), Some("s&1"));
    let code = parameter(&url, "code").unwrap();
    let tokens = token(&server, &exchange(&code, &[])).await.json();
    assert_eq!(tokens["token_type"], "Bearer");
    assert_eq!(tokens["expires_in"], 3600);
    assert_eq!(tokens["patient"], "p1");
    assert_eq!(tokens["need_patient_banner"], true);
    assert_eq!(
        tokens["scope"],
        "launch/patient openid fhirUser offline_access patient/*.rs"
    );
    assert_eq!(reads(&server, &tokens, "Patient/p1").await, 200);
    assert_eq!(reads(&server, &tokens, "Patient/p2").await, 404);
    let id = claims(tokens["id_token"].as_str().unwrap());
    assert_eq!(id["iss"], "http://127.0.0.1:8080/auth");
    assert_eq!(
        (&id["aud"], &id["fhirUser"]),
        (&json!("app"), &json!(format!("{BASE}/Patient/p1")))
    );
    assert!(id["sub"].as_str().unwrap().len() < 256);
    assert_eq!(
        (id["iat"].as_i64(), id["exp"].as_i64()),
        (Some(NOW), Some(NOW + 300))
    );
}

#[actix_web::test]
async fn an_ehr_launch_gives_the_patient_that_was_open() {
    let server = authority().await;
    let page = ask(&server, get("/auth/launch")).await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains("value=\"p2\"") && !page.text().contains("<b>A</b>"));
    let launch = ask(&server, get("/auth/launch?client_id=app&person=dr&patient=p2")).await;
    assert_eq!(launch.status, 303);
    let url = launch.header("location").to_owned();
    assert!(
        url.starts_with("https://app.example/launch?iss=http%3A%2F%2F127.0.0.1%3A8080%2Ffhir&launch="),
        "{url}"
    );
    let launch = parameter(&url, "launch").unwrap();
    let changes = [
        ("launch", launch.as_str()),
        ("scope", "launch patient/*.rs"),
        ("person", ""),
    ];
    let got = tokens(&server, &changes).await;
    assert_eq!(got["patient"], "p2");
    assert_eq!(reads(&server, &got, "Patient/p2").await, 200);
    assert_eq!(reads(&server, &got, "Patient/p1").await, 404);
    let challenge = challenge();
    for (name, changes) in [
        ("no launch", vec![("scope", "launch user/*.rs")]),
        ("unknown", vec![("launch", "x"), ("scope", "launch user/*.rs")]),
        (
            "of another app",
            vec![
                ("launch", launch.as_str()),
                ("client_id", "service"),
                ("scope", "user/*.rs"),
            ],
        ),
    ] {
        let url = authorized(&server, &asking(&challenge, &changes)).await;
        assert_eq!(
            parameter(&url, "error").as_deref(),
            Some("invalid_request"),
            "{name}: {url}"
        );
        assert!(parameter(&url, "code").is_none());
    }
    assert_eq!(
        ask(&server, get("/auth/launch?client_id=other&person=dr&patient=p2"))
            .await
            .status,
        400
    );
    assert_eq!(
        ask(&server, get("/auth/launch?client_id=app&person=dr&patient=dr"))
            .await
            .status,
        400
    );
}

#[actix_web::test]
async fn the_login_page_lists_everybody_and_what_the_app_asks_for() {
    let server = authority().await;
    let challenge = challenge();
    let pairs = asking(&challenge, &[("person", ""), ("state", "\"><script>")]);
    for answer in [
        ask(&server, get(&format!("/auth/authorize?{}", encode(&pairs)))).await,
        ask(&server, form("/auth/authorize", &pairs)).await,
    ] {
        assert_eq!(answer.status, 200);
        let page = answer.text();
        for part in [
            "<html lang=\"en-GB\">",
            "<fieldset>",
            "<legend>Who are you?",
            "value=\"dr\"",
            "patient/*.rs",
            "checked",
        ] {
            assert!(page.contains(part), "{part}");
        }
        assert!(!page.contains("<script"), "what a request says is no markup");
        assert!(
            answer
                .header("content-security-policy")
                .contains("frame-ancestors 'none'")
        );
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
    }
}

#[actix_web::test]
async fn a_person_grants_what_they_left_ticked_or_nothing() {
    let server = authority().await;
    let challenge = challenge();
    let scopes = "launch/patient patient/Observation.rs patient/Patient.rs";
    let mut pairs = asking(&challenge, &[("scope", scopes)]);
    pairs.extend([
        ("consent", "1"),
        ("granted", "launch/patient"),
        ("granted", "patient/Patient.rs"),
    ]);
    let url = authorized(&server, &pairs).await;
    let got = token(&server, &exchange(&parameter(&url, "code").unwrap(), &[]))
        .await
        .json();
    assert_eq!(got["scope"], "launch/patient patient/Patient.rs");
    assert_eq!(reads(&server, &got, "Observation?_count=1").await, 403);
    let denied = authorized(&server, &asking(&challenge, &[("deny", "1")])).await;
    assert_eq!(parameter(&denied, "error").as_deref(), Some("access_denied"));
    assert_eq!(parameter(&denied, "state").as_deref(), Some("s&1"));
}

#[actix_web::test]
async fn somebody_at_work_chooses_the_patient_and_a_patient_is_one() {
    let server = authority().await;
    let challenge = challenge();
    let unchosen = asking(&challenge, &[("person", "dr")]);
    assert_eq!(
        ask(&server, get(&format!("/auth/authorize?{}", encode(&unchosen))))
            .await
            .status,
        200
    );
    let got = tokens(&server, &[("person", "dr"), ("patient", "p2")]).await;
    assert_eq!(got["patient"], "p2");
    let claimed = claims(got["access_token"].as_str().unwrap());
    assert_eq!(claimed["fhirUser"], "Practitioner/dr");
    assert_eq!(claimed["organisation"], "A99991");
    assert_eq!(claimed["roles"], json!(["62247001"]));
    assert_eq!(claimed["purpose_of_use"], "TREAT");
    // A patient and a proxy cannot choose anybody else, nor have the rights of staff.
    for person in ["p1", "r1"] {
        let got = tokens(
            &server,
            &[
                ("person", person),
                ("patient", "p2"),
                ("scope", "user/*.rs launch/patient"),
            ],
        )
        .await;
        assert_eq!(got["patient"], "p1");
        assert_eq!(got["scope"], "launch/patient patient/*.rs");
        assert_eq!(reads(&server, &got, "Patient/p2").await, 404);
    }
    let nobody = authorized(&server, &asking(&challenge, &[("person", "nobody")])).await;
    assert_eq!(parameter(&nobody, "error").as_deref(), Some("access_denied"));
}

#[actix_web::test]
async fn s_032_a_code_needs_the_verifier_of_its_challenge() {
    let server = authority().await;
    let challenge = challenge();
    for (name, changes) in [
        ("plain", vec![("code_challenge_method", "plain")]),
        ("no method", vec![("code_challenge_method", "")]),
        ("s256", vec![("code_challenge_method", "s256")]),
        ("no challenge", vec![("code_challenge", "")]),
        ("short challenge", vec![("code_challenge", "abc")]),
        (
            "padded challenge",
            vec![("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-c=")],
        ),
    ] {
        let url = authorized(&server, &asking(&challenge, &changes)).await;
        assert_eq!(
            parameter(&url, "error").as_deref(),
            Some("invalid_request"),
            "{name}"
        );
        assert!(parameter(&url, "code").is_none(), "{name}");
    }
    let long = "a".repeat(129);
    for (name, verifier) in [
        ("none", ""),
        ("wrong", "xBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
        ("the challenge itself", challenge.as_str()),
        ("short", "abc"),
        ("long", &long),
        ("with a space", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjX "),
    ] {
        let code = code_for(&server, &[]).await;
        let answer = token(&server, &exchange(&code, &[("code_verifier", verifier)])).await;
        refused(&answer, 400, "invalid_grant", name);
        // A wrong verifier does not use the code up for who has the right one.
        assert_eq!(token(&server, &exchange(&code, &[])).await.status, 200, "{name}");
    }
}

#[actix_web::test]
async fn s_033_a_code_is_good_once_for_its_app_and_for_a_minute() {
    let clock = Moved::new();
    let server = sandbox_with(|_| {}, clock.clone()).await;
    for (name, changes) in [
        ("other app", vec![("client_id", "other")]),
        (
            "other place",
            vec![("redirect_uri", "https://app.example/callback")],
        ),
        ("no place", vec![("redirect_uri", "")]),
        ("no code", vec![("code", "")]),
        ("malformed", vec![("code", "x.y.z")]),
    ] {
        let code = code_for(&server, &[]).await;
        refused(
            &token(&server, &exchange(&code, &changes)).await,
            400,
            "invalid_grant",
            name,
        );
    }
    let code = code_for(&server, &[]).await;
    let got = token(&server, &exchange(&code, &[])).await.json();
    assert_eq!(reads(&server, &got, "Patient/p1").await, 200);
    refused(
        &token(&server, &exchange(&code, &[])).await,
        400,
        "invalid_grant",
        "again",
    );
    assert_eq!(
        reads(&server, &got, "Patient/p1").await,
        401,
        "what came of it is revoked"
    );
    let refresh = got["refresh_token"].as_str().unwrap();
    let again = [
        ("grant_type", "refresh_token"),
        ("client_id", "app"),
        ("refresh_token", refresh),
    ];
    refused(
        &token(&server, &again).await,
        400,
        "invalid_grant",
        "refresh after reuse",
    );
    // An access token is no code.
    let other = tokens(&server, &[]).await;
    let access = other["access_token"].as_str().unwrap();
    refused(
        &token(&server, &exchange(access, &[])).await,
        400,
        "invalid_grant",
        "access token",
    );
    let late = code_for(&server, &[]).await;
    clock.by(60);
    refused(
        &token(&server, &exchange(&late, &[])).await,
        400,
        "invalid_grant",
        "late",
    );
}

#[actix_web::test]
async fn s_034_nobody_is_sent_to_an_address_that_is_not_registered() {
    let server = authority().await;
    let challenge = challenge();
    for uri in [
        "https://evil.example/callback?x=1",
        "https://app.example/callback",
        "https://app.example/callback?x=1&y=2",
        "https://app.example/callback?x=1/",
        "https://app.example/callback?x=1#f",
        "https://APP.example/callback?x=1",
        "http://app.example/callback?x=1",
        "https://app.example:443/callback?x=1",
        "https://app.example/callback?x=2",
        "https://app.example.evil.example/callback?x=1",
        "https://app.example@evil.example/callback?x=1",
        "javascript:alert(1)",
        "//app.example/callback?x=1",
        "",
    ] {
        let pairs = asking(&challenge, &[("redirect_uri", uri)]);
        let answer = ask(&server, get(&format!("/auth/authorize?{}", encode(&pairs)))).await;
        assert_eq!(answer.status, 400, "{uri}");
        assert!(
            !answer.headers.contains_key("location") && !answer.text().contains("evil"),
            "{uri}"
        );
    }
    let twice = format!("{}&redirect_uri=x", encode(&asking(&challenge, &[])));
    assert_eq!(
        ask(&server, get(&format!("/auth/authorize?{twice}")))
            .await
            .status,
        400
    );
    let unknown = asking(&challenge, &[("client_id", "nobody")]);
    assert_eq!(
        ask(&server, get(&format!("/auth/authorize?{}", encode(&unknown))))
            .await
            .status,
        400
    );
    for (name, changes, error) in [
        (
            "other aud",
            ("aud", "https://other.example/fhir"),
            "invalid_request",
        ),
        ("no aud", ("aud", ""), "invalid_request"),
        (
            "aud with a path",
            ("aud", "http://localhost:8080/fhir/x"),
            "invalid_request",
        ),
        (
            "aud of another port",
            ("aud", "http://localhost:8081/fhir"),
            "invalid_request",
        ),
        ("no state", ("state", ""), "invalid_request"),
        ("token", ("response_type", "token"), "unsupported_response_type"),
        ("no scope", ("scope", ""), "invalid_scope"),
        (
            "scopes that are none",
            ("scope", "patient/Foo.rs bogus"),
            "invalid_scope",
        ),
    ] {
        let url = authorized(&server, &asking(&challenge, &[changes])).await;
        assert!(url.starts_with(CALLBACK), "{name}: {url}");
        assert_eq!(parameter(&url, "error").as_deref(), Some(error), "{name}");
        assert!(parameter(&url, "code").is_none(), "{name}");
    }
    let elsewhere = TestRequest::get()
        .uri("/auth/authorize")
        .insert_header(("Host", "evil.example"));
    assert_eq!(ask(&server, elsewhere).await.status, 400);
}

#[actix_web::test]
async fn an_encounter_is_told_where_the_app_asks_for_it() {
    let server = authority().await;
    let launch = ask(
        &server,
        get("/auth/launch?client_id=app&person=dr&patient=p2&encounter=e-1"),
    )
    .await;
    let launch = parameter(launch.header("location"), "launch").unwrap();
    let changes = [
        ("launch", launch.as_str()),
        ("scope", "launch user/*.rs"),
        ("person", ""),
    ];
    let got = tokens(&server, &changes).await;
    assert_eq!(
        (&got["encounter"], &got["patient"]),
        (&json!("e-1"), &json!("p2"))
    );
    let standalone = [
        ("scope", "launch/encounter launch/patient patient/*.rs"),
        ("encounter", "e-2"),
    ];
    let got = tokens(&server, &standalone).await;
    assert_eq!(got["encounter"], "e-2");
    assert_eq!(claims(got["access_token"].as_str().unwrap())["encounter"], "e-2");
    let challenge = challenge();
    let unchosen = asking(&challenge, &[("scope", "launch/encounter patient/*.rs")]);
    let page = ask(&server, get(&format!("/auth/authorize?{}", encode(&unchosen)))).await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains("In which encounter?"));
    assert!(
        tokens(&server, &[("encounter", "e-3")])
            .await
            .get("encounter")
            .is_none(),
        "not asked for"
    );
    let wrong = authorized(&server, &asking(&challenge, &[("encounter", "a/b")])).await;
    assert_eq!(parameter(&wrong, "error").as_deref(), Some("invalid_request"));
}
