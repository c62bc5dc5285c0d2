//! That no request goes untold in the audit trail: refused before its interaction, given up, broken off, or of nobody who is known.

use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use actix_web::HttpMessage;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, pending, ready};

use super::*;
use crate::context::{Context, Principal, TenantId};
use crate::error::{Error as Failure, ErrorCode, Result};
use crate::http::sealer;
use crate::policy::{Access, Decision};
use crate::store::{Commit, Outcome, Refusal, ResourceType, Snapshot, Store};

/// A store with moods.
struct Moody(MemoryStore, Arc<AtomicU8>);

const WELL: u8 = 0;
/// It never answers who reads.
const HANGS: u8 = 1;
/// It takes no writes.
const DOWN: u8 = 2;

impl Store for Moody {
    fn snapshot(&self, tenant: TenantId) -> BoxFuture<'_, Result<Box<dyn Snapshot>>> {
        match self.1.load(Ordering::Relaxed) {
            HANGS => pending().boxed(),
            _ => self.0.snapshot(tenant),
        }
    }
    fn commit(
        &self,
        tenant: TenantId,
        commit: Commit,
    ) -> BoxFuture<'_, std::result::Result<Vec<Outcome>, Refusal>> {
        match self.1.load(Ordering::Relaxed) {
            DOWN => ready(Err(Refusal::Failed(Failure::new(
                ErrorCode::Unavailable,
                "Down.",
            ))))
            .boxed(),
            _ => self.0.commit(tenant, commit),
        }
    }
    fn unindexed(&self) -> BoxFuture<'_, Result<Vec<(TenantId, i64)>>> {
        self.0.unindexed()
    }
    fn audited(&self) -> BoxFuture<'_, Result<Vec<TenantId>>> {
        self.0.audited()
    }
    fn full_text(&self) -> BoxFuture<'_, Result<bool>> {
        self.0.full_text()
    }
    fn defining(&self, of: ResourceType) -> BoxFuture<'_, Result<Vec<(TenantId, i64)>>> {
        self.0.defining(of)
    }
    fn secret(&self) -> [u8; 32] {
        self.0.secret()
    }
    fn ready(&self) -> BoxFuture<'_, Result<()>> {
        self.0.ready()
    }
    fn close(&self) -> BoxFuture<'_, ()> {
        self.0.close()
    }
}

async fn moody(mut config: Config, policy: impl Policy + 'static) -> (FhirServer, Arc<AtomicU8>) {
    let mood = Arc::new(AtomicU8::new(WELL));
    let clock = Arc::new(Fixed);
    let store = Moody(MemoryStore::new(clock.clone()), mood.clone());
    config.deadlines.request = Duration::from_millis(300);
    let builder = FhirServer::builder().config(config).store(Arc::new(store));
    let server = builder.policy(policy).clock(clock).build().await.unwrap();
    (server, mood)
}

/// What the server's operator finds, oldest first.
async fn events(server: &FhirServer, query: &str) -> Vec<Value> {
    let app = init_service(App::new().configure(|app| server.configure(app))).await;
    let request = get(&format!("/fhir/AuditEvent?_sort=date&_count=1000&{query}")).to_request();
    request.extensions_mut().insert(Principal::system("auditor"));
    let answer = app.call(request).await.unwrap();
    let body = to_bytes(answer.into_body()).await.map_err(|_| "body").unwrap();
    let bundle: Value = serde_json::from_slice(&body).unwrap();
    let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
    entries
        .into_iter()
        .map(|entry| entry["resource"].clone())
        .collect()
}

/// Action, interaction, outcome and what is said of it.
fn gist(event: &Value) -> String {
    let parts = [
        &event["action"],
        &event["subtype"][0]["code"],
        &event["outcome"],
        &event["outcomeDesc"],
    ];
    let words = parts.map(|part| part.as_str().unwrap_or("-"));
    words.join(" ")
}

async fn gists(server: &FhirServer) -> Vec<String> {
    events(server, "").await.iter().map(gist).collect()
}

#[actix_web::test]
async fn what_is_refused_before_its_interaction_is_told() {
    let server = with_patient().await;
    let read = || get("/fhir/Patient/p1");
    let refused = [
        read().insert_header(("X-Break-Glass-Reason", "unconscious")),
        read().insert_header(("X-Sandbox-Provoke", "unavailable")),
        read().insert_header(("Idempotency-Key", "")),
        with_json("PUT", "/fhir/Patient/p1", PATIENT).insert_header(("If-Match", "seven")),
        request("POST", "/fhir/Patient")
            .insert_header(("Content-Type", "text/csv"))
            .set_payload("a,b"),
        with_json("POST", "/fhir/Patient", "{"),
    ];
    for request in refused {
        assert!(send(&server, request).await.checked() >= 400);
    }
    let expected = [
        "U update 0 -",
        "R read 4 HTTP status 403",
        "R read 8 HTTP status 503",
        "R read 4 HTTP status 400",
        "U update 4 HTTP status 400",
        "C create 4 HTTP status 415",
        "C create 4 HTTP status 400",
    ];
    assert_eq!(gists(&server).await, expected);
}

#[actix_web::test]
async fn what_is_given_up_at_its_deadline_is_told_and_else_503() {
    let (server, mood) = moody(sandbox(), PermitAll).await;
    let put = || with_json("PUT", "/fhir/Patient/p1", PATIENT);
    assert_eq!(send(&server, put()).await.checked(), 201);
    mood.store(HANGS, Ordering::Relaxed);
    let bundle = r#"{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"GET","url":"Patient/p1"}}]}"#;
    for request in [get("/fhir/Patient/p1"), put(), with_json("POST", "/fhir", bundle)] {
        assert_eq!(send(&server, request).await.checked(), 504);
    }
    mood.store(WELL, Ordering::Relaxed);
    let expected = [
        "U update 0 -",
        "R read 8 HTTP status 504",
        "U update 8 HTTP status 504",
        "E transaction 8 HTTP status 504",
    ];
    assert_eq!(gists(&server).await, expected);
    mood.store(DOWN, Ordering::Relaxed);
    let malformed = get("/fhir/Patient/p1").insert_header(("Idempotency-Key", ""));
    assert_eq!(
        send(&server, malformed).await.checked(),
        503,
        "a refusal that cannot be told"
    );
}

/// Panics when it is asked about an Observation.
struct Trap;

impl Policy for Trap {
    fn decide(&self, _: &Context, access: &Access<'_>) -> Result<Decision> {
        assert!(
            access.resource_type.is_none_or(|t| t.name() != "Observation"),
            "a trap"
        );
        Ok(Decision::permit(crate::store::Filter::All))
    }
}

#[actix_web::test]
async fn what_panics_is_told() {
    let server = server_with(sandbox(), Trap).await;
    assert_eq!(send(&server, get("/fhir/Observation/o1")).await.checked(), 500);
    assert!(server.state.metrics.to_text().contains("fhir_panics_total 1\n"));
    assert_eq!(gists(&server).await, ["R read 8 HTTP status 500"]);
}

fn from(request: TestRequest, address: &str) -> TestRequest {
    request.peer_addr(format!("{address}:4000").parse().unwrap())
}

#[actix_web::test]
async fn ten_thousand_bad_tokens_are_a_row_for_each_address() {
    let (server, _) = moody(Config::default(), PermitAll).await;
    let app = init_service(App::new().configure(|app| server.configure(app))).await;
    for n in 0..10_000 {
        let address = ["192.0.2.1", "192.0.2.2", "[2001:db8::1]"][n % 3];
        let request =
            from(get("/fhir/Patient/p1"), address).insert_header(("Authorization", "Bearer nonsense"));
        let answer = app.call(request.to_request()).await.unwrap();
        assert!(matches!(answer.status().as_u16(), 401 | 429));
    }
    assert_eq!(
        send(&server, from(get("/fhir/Patient"), "192.0.2.1"))
            .await
            .checked(),
        401
    );
    assert!(events(&server, "").await.is_empty(), "their minute is not over");
    sealer::end(&server.state).await;
    let rows = events(&server, "type=110114").await;
    let told: Vec<_> = rows
        .iter()
        .map(|event| event["outcomeDesc"].as_str().unwrap())
        .collect();
    let minute = "in the minute from 2026-11-23T09:30:00.000Z";
    let expected = [
        format!(
            "Requests refused from 192.0.2.1 {minute}: 1 without a token, 3334 with a token that does not do."
        ),
        format!("Requests refused from 192.0.2.2 {minute}: 3333 with a token that does not do."),
        format!("Requests refused from 2001:db8::/64 {minute}: 3333 with a token that does not do."),
    ];
    assert_eq!(told, expected);
    assert_eq!(events(&server, "subtype=110122&outcome=4").await.len(), 3);
    // Besides them there is a row for each of the two searches before this one, which the operator made, and none is of `rest`.
    assert!(events(&server, "type=rest").await.is_empty());
    let validator = fhir_validate::Validator::builder().build();
    for event in &rows {
        assert_eq!(event["agent"][0]["network"]["type"], "2");
        let resource = fhir_model::json::from_slice(event.to_string().as_bytes()).unwrap();
        let errors: Vec<_> = validator.validate(&resource);
        assert!(!format!("{errors:?}").contains("Error"), "{errors:?} in {event}");
    }
    assert!(
        server.state.engine.verify_audit(&[]).await.unwrap()[0]
            .findings
            .is_empty()
    );
}

#[actix_web::test]
async fn counts_that_cannot_be_written_wait_for_better_times() {
    let (server, mood) = moody(Config::default(), PermitAll).await;
    mood.store(DOWN, Ordering::Relaxed);
    let mut sealer = sealer::Sealer::default();
    for _ in 0..3 {
        assert_eq!(
            send(&server, from(get("/fhir/Patient"), "192.0.2.1"))
                .await
                .checked(),
            401
        );
        sealer.turn(&server.state, true).await;
    }
    mood.store(WELL, Ordering::Relaxed);
    sealer.turn(&server.state, true).await;
    let rows = events(&server, "").await;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["entity"][0]["detail"][0]["valueString"], "3");
}

#[actix_web::test]
async fn a_provenance_comes_in_a_header() {
    let server = server().await;
    let put = || with_json("PUT", "/fhir/Patient/p1", PATIENT);
    let sent = r#"{"resourceType":"Provenance","agent":[{"who":{"display":"Zo\u00eb"}}]}"#;
    let answer = send(&server, put().insert_header(("X-Provenance", sent))).await;
    assert_eq!(answer.checked(), 201, "{}", answer.text());
    let found = send(&server, get("/fhir/Provenance?target=Patient/p1"))
        .await
        .json();
    assert_eq!(found["entry"][0]["resource"]["agent"][0]["who"]["display"], "Zoë");
    assert_eq!(
        found["entry"][0]["resource"]["target"][0]["reference"],
        "Patient/p1/_history/1"
    );
    for request in [
        put()
            .append_header(("X-Provenance", sent))
            .append_header(("X-Provenance", sent)),
        put().insert_header(("X-Provenance", "é")),
        put().insert_header(("X-Provenance", "{}")),
    ] {
        let answer = send(&server, request).await;
        assert_eq!(answer.checked(), 400);
        assert!(
            answer.text().to_ascii_lowercase().contains("x-provenance"),
            "{}",
            answer.text()
        );
    }
}
