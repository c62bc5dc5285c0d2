//! `POST /sandbox/$reset`: back to the samples, on every store, and never half way for who reads meanwhile.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::*;
use crate::context::SystemClock;
use crate::policy::Chain;
use crate::store::Store;

/// What the binary's sandbox begins with.
pub(super) const SAMPLES: [&[u8]; 5] = [
    include_bytes!("../../../sandbox/1-organisations.json"),
    include_bytes!("../../../sandbox/2-patients.json"),
    include_bytes!("../../../sandbox/3-records.json"),
    include_bytes!("../../../sandbox/4-bookings.json"),
    include_bytes!("../../../sandbox/5-consents.json"),
];
const RESOURCES: u64 = 286;

pub(super) async fn filled(store: Arc<dyn Store>) -> FhirServer {
    let builder = FhirServer::builder()
        .config(sandbox())
        .store(store)
        .policy(Chain::sandbox())
        .samples(&SAMPLES);
    let server = builder.build().await.unwrap();
    assert!(server.fill().await.unwrap());
    server
}

/// A server over each store that there is, with what it needs as long as it runs.
pub(super) async fn servers() -> Vec<(FhirServer, Option<tempfile::TempDir>)> {
    let memory = Arc::new(MemoryStore::new(Arc::new(SystemClock)));
    let mut all = vec![(filled(memory).await, None)];
    #[cfg(feature = "sqlite")]
    {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("fhir.sqlite").display());
        let store = crate::store::open(&url.parse().unwrap(), &Default::default()).unwrap();
        all.push((filled(store).await, Some(folder)));
    }
    #[cfg(feature = "postgres")]
    if let Some(url) = crate::store::postgres_for_tests() {
        let store = crate::store::open(&url, &Default::default()).unwrap();
        all.push((filled(store).await, None));
    }
    all
}

pub(super) async fn sent(server: &FhirServer, request: TestRequest) -> Answer {
    let app = App::new()
        .configure(|app| server.configure(app))
        .configure(|app| server.configure_sandbox(app));
    send_to(&init_service(app).await, request).await
}

fn reset() -> TestRequest {
    request("POST", "/sandbox/$reset")
}

/// Every resource as it is, without when it was written.
async fn everything(server: &FhirServer) -> BTreeMap<String, Value> {
    let answer = sent(server, get("/fhir/?_count=1000")).await;
    assert_eq!(answer.checked(), 200);
    let bundle = answer.json();
    let entries = bundle["entry"].as_array().unwrap().iter();
    let resources = entries.filter(|entry| entry["search"]["mode"] == "match");
    let all = resources.map(|entry| {
        let mut resource = entry["resource"].clone();
        resource["meta"].as_object_mut().unwrap().remove("lastUpdated");
        let key = format!("{}/{}", resource["resourceType"], resource["id"]);
        (key, resource)
    });
    all.collect()
}

pub(super) async fn count(server: &FhirServer) -> u64 {
    let answer = sent(server, get("/fhir/?_summary=count")).await;
    answer.json()["total"].as_u64().unwrap()
}

/// Changes, deletes and adds, definitions among it.
async fn disturb(server: &FhirServer) {
    for (method, path, body, status) in [
        (
            "PUT",
            "Patient/pat-amira-khan",
            r#"{"resourceType":"Patient","id":"pat-amira-khan"}"#,
            200,
        ),
        ("DELETE", "Patient/pat-priya-nair", "", 204),
        (
            "PUT",
            "Patient/mine",
            r#"{"resourceType":"Patient","id":"mine","birthDate":"1979-08-05"}"#,
            201,
        ),
        (
            "PUT",
            "ValueSet/mine",
            r#"{"resourceType":"ValueSet","id":"mine","url":"https://example.org/mine","status":"active","compose":
            {"include":[{"system":"https://example.org/s","concept":[{"code":"a"}]}]}}"#,
            201,
        ),
        (
            "PUT",
            "SearchParameter/mine",
            r#"{"resourceType":"SearchParameter","id":"mine","url":"https://example.org/born","name":"born","status":
            "active","description":"d","code":"born","base":["Patient"],"type":"date","expression":"Patient.birthDate"}"#,
            201,
        ),
    ] {
        let answer = sent(server, with_json(method, &format!("/fhir/{path}"), body)).await;
        assert_eq!(answer.checked(), status, "{path}: {}", answer.text());
    }
    let expanded = sent(server, get("/fhir/ValueSet/$expand?url=https://example.org/mine")).await;
    assert_eq!(expanded.checked(), 200);
}

#[actix_web::test]
async fn a_reset_brings_back_what_the_sandbox_began_with_g2() {
    for (server, _folder) in servers().await {
        let began_with = everything(&server).await;
        assert_eq!(began_with.len() as u64, count(&server).await);
        for _ in 0..2 {
            disturb(&server).await;
            assert_ne!(everything(&server).await, began_with);
            let start = Instant::now();
            let answer = sent(&server, reset()).await;
            let took = start.elapsed();
            assert_eq!(answer.checked(), 200, "{}", answer.text());
            assert!(took < Duration::from_secs(5), "{took:?}");
            let told = answer.json();
            assert_eq!(
                (&told["removed"], &told["seeded"]),
                (&(RESOURCES + 2).into(), &RESOURCES.into())
            );
            assert_eq!(told["base"], "http://localhost:8080/fhir");
            assert_eq!(everything(&server).await, began_with);
            // What was known by what was stored is known no more.
            let expanded = sent(
                &server,
                get("/fhir/ValueSet/$expand?url=https://example.org/mine"),
            )
            .await;
            assert_eq!(expanded.checked(), 404, "{}", expanded.text());
            let strict = get("/fhir/Patient?born=1979").insert_header(("Prefer", "handling=strict"));
            assert_eq!(sent(&server, strict).await.checked(), 400);
            let history = sent(&server, get("/fhir/Patient/pat-amira-khan/_history")).await;
            assert_eq!(history.json()["total"], 1);
            assert_eq!(sent(&server, get("/fhir/Patient/mine")).await.checked(), 404);
        }
        server.state.engine.close().await;
    }
}

#[actix_web::test]
async fn the_audit_trail_outlives_a_reset_and_tells_who_asked() {
    for (server, _folder) in servers().await {
        disturb(&server).await;
        assert_eq!(sent(&server, reset()).await.checked(), 200);
        let query = crate::store::AuditQuery::new(Vec::new(), 10_000);
        let context = crate::Context::new(crate::context::Principal::system("test"), "test");
        let rows = server.session(context).audit_rows(&query).await.unwrap();
        let about = |word: &str| {
            rows.iter()
                .filter(|row| row.entry.id.as_deref() == Some(word))
                .count()
        };
        assert_eq!(about("mine"), 3, "what was written before");
        assert_eq!(about("pat-priya-nair"), 3, "seeded, deleted, seeded");
        let resets = rows.iter().filter(|row| {
            let record: Value = serde_json::from_slice(&row.entry.record).unwrap();
            record["o"] == "reset"
        });
        let actors: Vec<&str> = resets.map(|row| row.entry.actor.as_str()).collect();
        assert_eq!(actors, ["sandbox-clinician"]);
        server.state.engine.close().await;
    }
}

#[actix_web::test]
async fn who_reads_while_it_is_put_back_never_sees_it_half_way() {
    for (server, _folder) in servers().await {
        let before = count(&server).await;
        let more = r#"{"resourceType":"Basic","id":"mine","code":{"text":"mine"}}"#;
        let (mut seen, mut with) = (0_u32, 0_u32);
        for _ in 0..3 {
            let put = sent(&server, with_json("PUT", "/fhir/Basic/mine", more)).await;
            assert_eq!(put.checked(), 201);
            let other = server.clone();
            let putting_back = actix_web::rt::spawn(async move { sent(&other, reset()).await.checked() });
            loop {
                let is_last = putting_back.is_finished();
                let now = count(&server).await;
                assert!(now == before || now == before + 1, "{now} of {before}");
                let amira = sent(&server, get("/fhir/Patient/pat-amira-khan")).await;
                assert_eq!(amira.checked(), 200);
                seen += 1;
                with += u32::from(now > before);
                if is_last {
                    assert_eq!(now, before);
                    break;
                }
                tokio::task::yield_now().await;
            }
            assert_eq!(putting_back.await.unwrap(), 200);
        }
        assert!(seen > 3, "{seen} reads, {with} before the reset");
        server.state.engine.close().await;
    }
}

#[actix_web::test]
async fn only_a_sandbox_can_be_put_back_and_no_foreign_page_asks_for_it() {
    let clock = Arc::new(Fixed);
    let server = filled(Arc::new(MemoryStore::new(clock))).await;
    for origin in [
        "https://evil.example",
        "null",
        "http://localhost:80",
        "http://localhost:8080.evil.example",
    ] {
        let answer = sent(&server, reset().insert_header(("Origin", origin))).await;
        assert_eq!(answer.checked(), 403, "{origin}");
    }
    let refused = sent(&server, reset().insert_header(("Authorization", "Bearer none"))).await;
    assert_eq!(refused.checked(), 401);
    let rebound = TestRequest::post()
        .uri("/sandbox/$reset")
        .insert_header(("Host", "evil.example"));
    assert_eq!(sent(&server, rebound).await.checked(), 403);
    let read = sent(&server, get("/sandbox/$reset")).await;
    assert_eq!((read.checked(), read.header("allow")), (405, "POST, OPTIONS"));
    let own = sent(
        &server,
        reset().insert_header(("Origin", "http://localhost:8080")),
    )
    .await;
    assert_eq!(own.checked(), 200);
    let elsewhere = server_with(Config::default(), PermitAll).await;
    assert_eq!(sent(&elsewhere, reset()).await.status, 404);
    assert!(elsewhere.fill().await.is_err());
}
