//! Who is refused, and what is said when the server itself fails.

use super::*;
use crate::context::{Context, Principal};
use crate::error::{ErrorCode, Result};
use crate::policy::{Access, Chain, Decision};
use actix_web::HttpMessage;

/// Fails in the way it is told to.
struct Failing(fn() -> Result<Decision>);

impl Policy for Failing {
    fn decide(&self, _: &Context, _: &Access<'_>) -> Result<Decision> {
        (self.0)()
    }
}

#[actix_web::test]
async fn nobody_is_refused_before_the_body_is_read() {
    let server = server_with(Config::default(), PermitAll).await;
    let answer = send(&server, get("/fhir/Patient")).await;
    let challenge =
        "Bearer resource_metadata=\"http://localhost:8080/.well-known/oauth-protected-resource/fhir\"";
    assert_eq!(
        (answer.checked(), answer.header("www-authenticate")),
        (401, challenge)
    );
    let large = with_json("POST", "/fhir/Patient", &" ".repeat((16 << 20) + 1));
    assert_eq!(send(&server, large).await.checked(), 401);
    assert_eq!(send(&server, get("/fhir/metadata")).await.checked(), 200);
}

#[actix_web::test]
async fn a_caller_whom_the_embedding_service_knows_is_let_in() {
    let server = server_with(Config::default(), PermitAll).await;
    let app = App::new().configure(|app| server.configure(app));
    let app = init_service(app).await;
    let request = get("/fhir/Patient").to_request();
    request.extensions_mut().insert(Principal::system("test"));
    assert_eq!(app.call(request).await.unwrap().status().as_u16(), 200);
}

#[actix_web::test]
async fn without_a_policy_everything_is_denied() {
    let server = server_with(sandbox(), Chain::default()).await;
    assert_eq!(send(&server, get("/fhir/Patient")).await.checked(), 403);
    assert_eq!(
        send(&server, with_json("PUT", "/fhir/Patient/p1", PATIENT))
            .await
            .checked(),
        403
    );
}

#[actix_web::test]
async fn the_sandbox_answers_to_its_own_name_only() {
    let server = server().await;
    let request = TestRequest::get()
        .uri("/fhir/Patient")
        .insert_header(("Host", "evil.example"));
    assert_eq!(send(&server, request).await.checked(), 403);
    assert_eq!(
        send(&server, TestRequest::get().uri("/fhir/Patient"))
            .await
            .checked(),
        400
    );
}

#[actix_web::test]
async fn a_panic_is_one_500_and_tells_nothing() {
    let server = server_with(sandbox(), Failing(|| panic!("secret of Patient/p1"))).await;
    for format in ["json", "xml"] {
        let answer = send(&server, get(&format!("/fhir/Patient/p1?_format={format}"))).await;
        assert_eq!(answer.checked(), 500);
        assert!(!answer.text().contains("secret"), "{}", answer.text());
    }
    assert!(server.state.metrics.to_text().contains("fhir_panics_total 2\n"));
    assert_eq!(send(&server, get("/fhir/Nonsense")).await.checked(), 404);
}

#[actix_web::test]
async fn what_goes_on_too_long_is_504() {
    let mut config = sandbox();
    config.deadlines.request = std::time::Duration::from_nanos(1_000_000);
    let slow = Failing(|| {
        std::thread::sleep(std::time::Duration::from_millis(20));
        Ok(Decision::permit(crate::store::Filter::All))
    });
    let server = server_with(config, slow).await;
    let bundle = r#"{"resourceType":"Bundle","type":"batch","entry":[
        {"request":{"method":"GET","url":"Patient/a"}},{"request":{"method":"GET","url":"Patient/b"}}]}"#;
    let answer = send(&server, with_json("POST", "/fhir", bundle)).await;
    assert!(matches!(answer.checked(), 200 | 504), "{}", answer.text());
    assert!(answer.text().contains("timeout"), "{}", answer.text());
}

#[actix_web::test]
async fn busy_says_when_to_come_again() {
    let server = server_with(sandbox(), PermitAll).await;
    let exchange_request = get("/fhir").to_http_request();
    let exchange = crate::http::exchange::Exchange::open(&exchange_request);
    for code in [
        ErrorCode::Unavailable,
        ErrorCode::TooManyRequests,
        ErrorCode::StorageFull,
    ] {
        let error = crate::error::Error::new(code, "busy");
        let answer = crate::http::respond::failure(&server.state, &error, &exchange);
        assert_eq!(answer.headers().get("retry-after").unwrap(), "5");
    }
    // The same query again would take as long.
    let error = crate::error::Error::new(ErrorCode::TooSlow, "slow");
    let answer = crate::http::respond::failure(&server.state, &error, &exchange);
    assert_eq!(answer.status().as_u16(), 503);
    assert_eq!(answer.headers().get("retry-after"), None);
}

#[actix_web::test]
async fn each_error_names_its_place_in_the_catalogue_that_is_served() {
    let server = server().await;
    let app = init_service(App::new().configure(|app| {
        server.configure_docs(app);
        server.configure(app);
    }))
    .await;
    let catalogue = send_to(&app, get("/docs/errors.json")).await;
    assert_eq!(
        (catalogue.status, catalogue.header("content-type")),
        (200, "application/json")
    );
    let catalogue = catalogue.json();
    let entries = catalogue.as_array().unwrap();
    for path in [
        "/fhir/Patients",
        "/fhir/Patient/none",
        "/fhir/Patient?_count=x",
        "/fhir/$none",
    ] {
        let answer = send_to(&app, get(path)).await;
        let issue = &answer.json()["issue"][0];
        let text = issue["details"]["text"].as_str().unwrap();
        let id = text
            .split("/docs/errors#")
            .nth(1)
            .unwrap_or_else(|| panic!("{path}: {text}"));
        let entry = entries.iter().find(|entry| entry["id"] == id).unwrap();
        assert_eq!(entry["status"], answer.status, "{path}");
        assert_eq!(entry["issue"], issue["code"], "{path}");
        assert_eq!(issue["details"]["coding"].as_array().unwrap().len(), 1, "{path}");
        assert_eq!(entry["code"], issue["details"]["coding"][0]["code"], "{path}");
        assert_eq!(entry["system"], issue["details"]["coding"][0]["system"], "{path}");
    }
}
