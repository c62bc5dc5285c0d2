//! `X-Sandbox-Provoke`: what it provokes in the sandbox, and that it is refused everywhere else.

use std::time::{Duration, Instant};

use super::*;
use crate::context::Principal;
use actix_web::HttpMessage;

const HEADER: &str = "X-Sandbox-Provoke";

async fn provoke(server: &FhirServer, request: TestRequest, value: &str) -> Answer {
    send(server, request.insert_header((HEADER, value))).await
}

#[actix_web::test]
async fn refusals_say_when_to_come_back_and_change_nothing() {
    let server = server().await;
    for (value, status, code) in [
        ("too-many-requests", 429, "throttled"),
        ("unavailable", 503, "transient"),
    ] {
        let put = with_json("PUT", "/fhir/Patient/p1", PATIENT);
        let answer = provoke(&server, put, value).await;
        assert_eq!((answer.checked(), answer.header("retry-after")), (status, "1"));
        assert_eq!(answer.json()["issue"][0]["code"], code);
        assert_eq!(send(&server, get("/fhir/Patient/p1")).await.checked(), 404);
    }
}

#[actix_web::test]
async fn a_stale_version_is_refused_as_one_that_somebody_overtook() {
    let server = server().await;
    let put = || with_json("PUT", "/fhir/Patient/p1", PATIENT);
    assert_eq!(send(&server, put()).await.checked(), 201);
    let delete = request("DELETE", "/fhir/Patient/p1");
    for request in [put(), put().insert_header(("If-Match", "W/\"1\"")), delete] {
        let answer = provoke(&server, request, "stale-version").await;
        assert_eq!(answer.checked(), 412, "{}", answer.text());
        let now = send(&server, get("/fhir/Patient/p1")).await;
        assert_eq!((now.checked(), now.header("etag")), (200, "W/\"1\""));
    }
    let conditional = with_json("PUT", "/fhir/Patient?identifier=x", PATIENT);
    for request in [get("/fhir/Patient/p1"), conditional] {
        let refused = provoke(&server, request, "stale-version").await;
        assert_eq!(refused.checked(), 400);
        assert!(
            refused.text().contains("an update, a patch or a delete"),
            "{}",
            refused.text()
        );
    }
}

#[actix_web::test]
async fn a_slow_answer_is_the_same_answer_later() {
    let server = server().await;
    let start = Instant::now();
    let answer = provoke(&server, get("/fhir/metadata"), "slow=1").await;
    assert_eq!(answer.checked(), 200);
    assert!(start.elapsed() >= Duration::from_secs(1));
}

#[actix_web::test]
async fn what_cannot_be_obeyed_is_refused_with_all_that_can() {
    let server = server().await;
    for value in [
        "", "500", "slow", "slow=0", "slow=11", "slow=1.5", "SLOW=1", "slow=999",
    ] {
        let answer = provoke(&server, get("/fhir/metadata"), value).await;
        assert_eq!(answer.checked(), 400, "{value}");
        assert!(answer.text().contains("`slow=` with 1 to 10 seconds"), "{value}");
    }
    let twice = get("/fhir/metadata").append_header((HEADER, "slow=1"));
    let twice = twice.append_header((HEADER, "unavailable"));
    assert_eq!(send(&server, twice).await.checked(), 400);
}

#[actix_web::test]
async fn outside_the_sandbox_it_is_refused_and_provokes_nothing() {
    let server = server_with(Config::default(), PermitAll).await;
    let app = init_service(App::new().configure(|app| server.configure(app))).await;
    for value in ["too-many-requests", "unavailable", "slow=10", "stale-version"] {
        let request = with_json("PUT", "/fhir/Patient/p1", PATIENT).insert_header((HEADER, value));
        let request = request.to_request();
        request.extensions_mut().insert(Principal::system("test"));
        let answer = app.call(request).await.unwrap();
        assert_eq!(answer.status().as_u16(), 400, "{value}");
        let body = to_bytes(answer.into_body()).await.unwrap();
        let text = str::from_utf8(&body).unwrap();
        assert!(text.contains("is for the sandbox"), "{text}");
    }
}

#[cfg(feature = "docs")]
#[actix_web::test]
async fn the_document_names_each_value_and_the_server_obeys_it() {
    let document: Value = serde_json::from_str(&crate::openapi::document("/fhir").unwrap()).unwrap();
    let parameter = &document["components"]["parameters"]["provoke"];
    assert_eq!(
        (&parameter["name"], &parameter["in"]),
        (&HEADER.into(), &"header".into())
    );
    let words = parameter["description"].as_str().unwrap();
    let pattern = parameter["schema"].clone();
    let takes = |value: &str| jsonschema::is_valid(&pattern, &value.into());
    let server = with_patient().await;
    for (value, status) in [
        ("too-many-requests", 429),
        ("unavailable", 503),
        ("slow=2", 200),
        ("stale-version", 412),
    ] {
        assert!(
            words.contains(&format!("`{value}`")) && takes(value),
            "{value}: {words}"
        );
        let put = with_json("PUT", "/fhir/Patient/p1", PATIENT);
        assert_eq!(provoke(&server, put, value).await.checked(), status, "{value}");
    }
    // What the schema refuses, the server refuses.
    for value in ["", "500", "slow", "slow=0", "slow=11", "slow=1.5", "SLOW=1"] {
        assert!(!takes(value), "{value}");
        assert_eq!(
            provoke(&server, get("/fhir/Patient/p1"), value).await.checked(),
            400,
            "{value}"
        );
    }
}
