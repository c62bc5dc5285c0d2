//! Spaces of a sandbox: two developers do not meet, there are so many and no more, and what nobody uses is closed.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use super::resets::{SAMPLES, sent, servers};
use super::*;
use crate::policy::Chain;

/// A clock that the test moves.
struct Moved(AtomicI64);

impl Clock for Moved {
    fn now(&self) -> Millis {
        Millis(self.0.load(Ordering::SeqCst))
    }
}

async fn with_clock(config: Config) -> (FhirServer, Arc<Moved>) {
    let clock = Arc::new(Moved(AtomicI64::new(1_795_426_200_000)));
    let builder = FhirServer::builder()
        .config(config)
        .store(Arc::new(MemoryStore::new(clock.clone())))
        .policy(Chain::sandbox())
        .samples(&SAMPLES)
        .clock(clock.clone());
    (builder.build().await.unwrap(), clock)
}

async fn open(server: &FhirServer, name: &str) -> Answer {
    sent(server, request("PUT", &format!("/sandbox/{name}"))).await
}

async fn status(server: &FhirServer, path: &str) -> u16 {
    sent(server, get(path)).await.checked()
}

#[actix_web::test]
async fn two_developers_do_not_meet() {
    for (server, _folder) in servers().await {
        let missing = sent(&server, get("/sandbox/ada/fhir/Patient/pat-amira-khan")).await;
        assert_eq!(missing.checked(), 404);
        assert!(missing.text().contains("PUT /sandbox/ada"), "{}", missing.text());
        for name in ["ada", "bob"] {
            let opened = open(&server, name).await;
            assert_eq!(opened.checked(), 201, "{}", opened.text());
            assert_eq!(
                opened.json()["base"],
                format!("http://localhost:8080/sandbox/{name}/fhir")
            );
            assert_eq!(opened.json()["seeded"], 286);
            assert_eq!(open(&server, name).await.checked(), 200, "it is there already");
        }
        let body = r#"{"resourceType":"Patient","id":"mine","name":[{"family":"Ada"}]}"#;
        let put = sent(&server, with_json("PUT", "/sandbox/ada/fhir/Patient/mine", body)).await;
        assert_eq!(put.checked(), 201);
        assert!(
            put.header("location")
                .starts_with("http://localhost:8080/sandbox/ada/fhir/Patient/mine/")
        );
        let gone = request("DELETE", "/sandbox/ada/fhir/Patient/pat-amira-khan");
        assert_eq!(sent(&server, gone).await.checked(), 204);
        for base in ["/fhir", "/sandbox/bob/fhir"] {
            assert_eq!(
                status(&server, &format!("{base}/Patient/mine")).await,
                404,
                "{base}"
            );
            assert_eq!(
                status(&server, &format!("{base}/Patient/pat-amira-khan")).await,
                200,
                "{base}"
            );
        }
        // Each is put back by itself.
        let theirs = r#"{"resourceType":"Patient","id":"theirs"}"#;
        let put = with_json("PUT", "/sandbox/bob/fhir/Patient/theirs", theirs);
        assert_eq!(sent(&server, put).await.checked(), 201);
        let reset = sent(&server, request("POST", "/sandbox/ada/$reset")).await;
        assert_eq!(reset.checked(), 200, "{}", reset.text());
        assert_eq!(
            (&reset.json()["removed"], &reset.json()["seeded"]),
            (&286.into(), &286.into())
        );
        assert_eq!(status(&server, "/sandbox/ada/fhir/Patient/mine").await, 404);
        assert_eq!(
            status(&server, "/sandbox/ada/fhir/Patient/pat-amira-khan").await,
            200
        );
        assert_eq!(status(&server, "/sandbox/bob/fhir/Patient/theirs").await, 200);
        // Page links lead on in the space.
        let page = sent(&server, get("/sandbox/bob/fhir/Patient?_count=2"))
            .await
            .json();
        let urls = page["link"]
            .as_array()
            .unwrap()
            .iter()
            .map(|link| link["url"].as_str().unwrap());
        for url in urls {
            assert!(url.starts_with("http://localhost:8080/sandbox/bob/fhir"), "{url}");
        }
        server.state.engine.close().await;
    }
}

#[actix_web::test]
async fn a_closed_space_is_gone_and_who_opens_one_next_sees_nothing_of_it() {
    let mut config = sandbox();
    config.sandbox.spaces = 1;
    let (server, clock) = with_clock(config).await;
    assert_eq!(open(&server, "ada").await.checked(), 201);
    let read = "/sandbox/ada/fhir/Patient/pat-amira-khan";
    assert_eq!(status(&server, read).await, 200);
    let full = open(&server, "bob").await;
    assert_eq!(full.checked(), 409);
    assert!(full.text().contains("All 1 spaces"), "{}", full.text());
    clock.0.fetch_add(1_000, Ordering::SeqCst);
    let closed = sent(&server, request("DELETE", "/sandbox/ada")).await;
    assert_eq!((closed.checked(), &closed.json()["removed"]), (200, &286.into()));
    assert_eq!(status(&server, read).await, 404);
    assert_eq!(
        sent(&server, request("DELETE", "/sandbox/ada")).await.checked(),
        404
    );
    assert_eq!(
        sent(&server, request("POST", "/sandbox/ada/$reset"))
            .await
            .checked(),
        404
    );
    assert_eq!(status(&server, "/sandbox/ada").await, 404);
    clock.0.fetch_add(1_000, Ordering::SeqCst);
    // The tenant is the same, its trail goes on, and nothing of what was before is shown.
    assert_eq!(open(&server, "bob").await.checked(), 201);
    assert_eq!(
        status(&server, "/sandbox/bob/fhir/Patient/pat-david-okafor").await,
        200
    );
    let query = crate::store::AuditQuery::new(Vec::new(), 10_000);
    let rows = async |from| {
        let mut context = crate::Context::new(crate::context::Principal::system("test"), "test");
        context.tenant = crate::context::TenantId(1_000_001);
        context.trail_from = from;
        server.session(context).audit_rows(&query).await.unwrap()
    };
    let opened = Millis(clock.now().0);
    let (whole, shown) = (rows(None).await, rows(Some(opened)).await);
    let of_ada = |row: &&crate::store::AuditRow| row.at < opened;
    assert!(whole.iter().filter(of_ada).count() > 286);
    assert!(!shown.is_empty() && shown.iter().filter(of_ada).count() == 0);
}

#[actix_web::test]
async fn a_space_that_nobody_uses_is_closed() {
    let mut config = sandbox();
    config.sandbox.spaces = 2;
    config.sandbox.space_idle = Duration::from_secs(3600);
    let (server, clock) = with_clock(config).await;
    assert_eq!(open(&server, "ada").await.checked(), 201);
    assert_eq!(open(&server, "bob").await.checked(), 201);
    clock.0.fetch_add(3_000_000, Ordering::SeqCst);
    assert_eq!(status(&server, "/sandbox/ada/fhir/metadata").await, 200);
    let told = sent(&server, get("/sandbox/ada")).await.json();
    assert_eq!(told["closedIfNotUsedBefore"], "2026-11-23T11:20:00.000Z");
    clock.0.fetch_add(3_000_000, Ordering::SeqCst);
    // Ada's was used meanwhile.
    assert_eq!(status(&server, "/sandbox/bob/fhir/metadata").await, 404);
    assert_eq!(status(&server, "/sandbox/ada/fhir/metadata").await, 200);
    assert_eq!(open(&server, "cyd").await.checked(), 201, "bob's place is free");
    assert_eq!(open(&server, "dan").await.checked(), 409);
}

#[actix_web::test]
async fn spaces_have_plain_names_and_are_of_a_sandbox_alone() {
    let (server, _) = with_clock(sandbox()).await;
    let long = "a".repeat(64);
    for name in ["A", "a_b", "%2e%2e", "a%2fb", long.as_str(), "ada%00"] {
        let answer = open(&server, name).await;
        assert_eq!(answer.checked(), 404, "{name}: {}", answer.text());
        let read = sent(&server, get(&format!("/sandbox/{name}/fhir/metadata"))).await;
        assert!(read.status >= 400, "{name}");
    }
    let foreign = request("PUT", "/sandbox/ada").insert_header(("Origin", "https://evil.example"));
    assert_eq!(sent(&server, foreign).await.checked(), 403);
    let posted = sent(&server, request("POST", "/sandbox/ada")).await;
    assert_eq!(
        (posted.checked(), posted.header("allow")),
        (405, "GET, PUT, DELETE, OPTIONS")
    );
    let mut none = sandbox();
    none.sandbox.spaces = 0;
    assert_eq!(open(&with_clock(none).await.0, "ada").await.checked(), 409);
    let elsewhere = server_with(Config::default(), PermitAll).await;
    assert_eq!(open(&elsewhere, "ada").await.status, 404);
    assert_eq!(
        sent(&elsewhere, get("/sandbox/ada/fhir/metadata")).await.status,
        404
    );
    let mut taken = sandbox();
    taken.tenants = vec![crate::config::TenantConfig::new("a", 1_000_001)];
    assert!(taken.check().is_err());
}

#[actix_web::test]
async fn developers_who_open_spaces_at_the_same_time_get_one_each_and_no_more_than_there_are() {
    let mut config = sandbox();
    config.sandbox.spaces = 3;
    let (server, _) = with_clock(config).await;
    let names = ["a", "b", "c", "d", "e"];
    let all = futures_util::future::join_all(names.iter().map(|name| open(&server, name))).await;
    let mut statuses: Vec<u16> = all.iter().map(Answer::checked).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 201, 201, 409, 409]);
}
