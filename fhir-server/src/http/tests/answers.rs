//! What answers say in their status and headers.

use super::*;

#[actix_web::test]
async fn a_create_tells_where_and_which_version() {
    let server = server().await;
    let answer = send(
        &server,
        with_json("POST", "/fhir/Patient", r#"{"resourceType":"Patient"}"#),
    )
    .await;
    assert_eq!(answer.checked(), 201);
    assert_eq!(answer.header("etag"), "W/\"1\"");
    assert_eq!(answer.header("last-modified"), "Mon, 23 Nov 2026 09:30:00 GMT");
    assert_eq!(
        answer.header("content-type"),
        "application/fhir+json; charset=utf-8"
    );
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(
        answer.header("location"),
        format!("http://localhost:8080/fhir/Patient/{id}/_history/1")
    );
}

#[actix_web::test]
async fn an_update_of_what_is_there_has_no_location() {
    let server = with_patient().await;
    let body = PATIENT.replace("true", "false");
    let answer = send(&server, with_json("PUT", "/fhir/Patient/p1", &body)).await;
    assert_eq!(answer.checked(), 200);
    assert_eq!(
        (answer.header("etag"), answer.header("location")),
        ("W/\"2\"", "")
    );
    assert_eq!(
        answer.header("content-location"),
        "http://localhost:8080/fhir/Patient/p1/_history/2"
    );
}

#[actix_web::test]
async fn a_read_sends_what_was_stored() {
    let server = with_patient().await;
    let answer = send(&server, get("/fhir/Patient/p1")).await;
    assert_eq!(answer.checked(), 200);
    assert_eq!(answer.json()["name"][0]["family"], "Smith");
    assert_eq!(answer.json()["meta"]["versionId"], "1");
    let same = send(&server, get("/fhir/Patient/p1/")).await;
    assert_eq!(same.body, answer.body);
}

#[actix_web::test]
async fn a_known_version_is_304_without_a_body() {
    let server = with_patient().await;
    let answer = send(
        &server,
        get("/fhir/Patient/p1").insert_header(("If-None-Match", "W/\"1\"")),
    )
    .await;
    assert_eq!(
        (answer.checked(), answer.body.len(), answer.header("etag")),
        (304, 0, "W/\"1\"")
    );
    let date = ("If-Modified-Since", "Mon, 23 Nov 2026 09:30:00 GMT");
    assert_eq!(
        send(&server, get("/fhir/Patient/p1").insert_header(date))
            .await
            .checked(),
        304
    );
}

#[actix_web::test]
async fn a_stale_if_match_is_412_and_a_malformed_one_400() {
    let server = with_patient().await;
    for (tag, status) in [("W/\"7\"", 412), ("7", 400), ("W/\"1\"", 200)] {
        let request = with_json("PUT", "/fhir/Patient/p1", PATIENT).insert_header(("If-Match", tag));
        assert_eq!(send(&server, request).await.checked(), status, "{tag}");
    }
}

#[actix_web::test]
async fn preferences_are_honoured_and_said_to_be() {
    let server = server().await;
    for (preference, length) in [
        ("return=minimal", 0),
        ("return=representation", 1),
        ("return=OperationOutcome", 1),
    ] {
        let request = with_json("POST", "/fhir/Patient", r#"{"resourceType":"Patient"}"#);
        let answer = send(&server, request.insert_header(("Prefer", preference))).await;
        assert_eq!(answer.checked(), 201);
        assert_eq!(answer.header("preference-applied"), preference);
        assert_eq!(answer.body.len().min(1), length, "{preference}");
    }
    let request = with_json("POST", "/fhir/Patient", r#"{"resourceType":"Patient"}"#);
    let answer = send(&server, request.insert_header(("Prefer", "respond-async"))).await;
    assert_eq!(answer.checked(), 501);
    assert!(answer.text().contains("respond-async"));
}

#[actix_web::test]
async fn ids_of_request_and_correlation_are_echoed() {
    let server = server().await;
    let id = "60e0b220-8136-4ca5-ae46-1d97ef59d068";
    let request = get("/fhir/Patient")
        .insert_header(("X-Request-ID", id))
        .insert_header(("X-Correlation-ID", "a/1"));
    let answer = send(&server, request).await;
    assert_eq!(
        (
            answer.checked(),
            answer.header("x-request-id"),
            answer.header("x-correlation-id")
        ),
        (200, id, "a/1")
    );
    let answer = send(
        &server,
        get("/fhir/Patient").insert_header(("X-Correlation-ID", "a b")),
    )
    .await;
    assert_eq!((answer.checked(), answer.header("x-correlation-id")), (400, ""));
}

#[actix_web::test]
async fn head_is_get_and_options_tells_the_methods() {
    let server = with_patient().await;
    let answer = send(&server, request("HEAD", "/fhir/Patient/p1")).await;
    assert_eq!((answer.checked(), answer.header("etag")), (200, "W/\"1\""));
    let answer = send(&server, request("OPTIONS", "/fhir/Patient/p1")).await;
    assert_eq!(
        (answer.checked(), answer.header("allow")),
        (204, "GET, HEAD, PUT, PATCH, DELETE, OPTIONS")
    );
}

#[actix_web::test]
async fn every_origin_may_see_the_capabilities_and_only_named_ones_the_rest() {
    let mut config = sandbox();
    config.listen.allowed_origins = vec!["https://app.example.nhs.uk".into()];
    let server = server_with(config, PermitAll).await;
    let origin = |path, origin| get(path).insert_header(("Origin", origin));
    let allowed = |answer: Answer| answer.header("access-control-allow-origin").to_owned();
    assert_eq!(
        allowed(send(&server, origin("/fhir/metadata", "https://x.example")).await),
        "*"
    );
    assert_eq!(
        allowed(send(&server, origin("/fhir/Patient", "https://x.example")).await),
        ""
    );
    let named = "https://app.example.nhs.uk";
    assert_eq!(
        allowed(send(&server, origin("/fhir/Patient", named)).await),
        named
    );
    let question = request("OPTIONS", "/fhir/Patient/1")
        .insert_header(("Origin", named))
        .insert_header(("Access-Control-Request-Method", "PUT"));
    assert!(
        send(&server, question)
            .await
            .header("access-control-allow-methods")
            .contains("PUT")
    );
}

#[actix_web::test]
async fn a_write_with_a_key_or_an_id_of_its_own_is_done_once() {
    let server = server().await;
    let app = init_service(App::new().configure(|app| server.configure(app))).await;
    let create = |name: &'static str, value: &'static str| {
        request("POST", "/fhir/Patient")
            .insert_header(("Content-Type", "application/fhir+json"))
            .insert_header((name, value))
            .set_payload(r#"{"resourceType":"Patient","active":true}"#)
    };
    for (name, value) in [
        ("Idempotency-Key", "a key of mine"),
        ("X-Request-ID", "60e0b220-8136-4ca5-ae46-1d97ef59d068"),
    ] {
        let first = send_to(&app, create(name, value)).await;
        let again = send_to(&app, create(name, value)).await;
        assert_eq!((first.status, again.status), (201, 201), "{}", first.text());
        for header in ["location", "etag", "last-modified"] {
            assert_eq!(first.header(header), again.header(header), "{name}: {header}");
        }
        assert_eq!(first.body, again.body);
    }
    let [one, two] = ["no-uuid", "no-uuid"].map(|id| create("X-Request-ID", id));
    let (one, two) = (send_to(&app, one).await, send_to(&app, two).await);
    assert_ne!(one.header("location"), two.header("location"));
    for bad in ["", &"k".repeat(129)] {
        let bad = create("Idempotency-Key", "x").insert_header(("Idempotency-Key", bad));
        assert_eq!(send_to(&app, bad).await.status, 400);
    }
}
