//! Several organisations in one server never meet (S-049).

use serde_json::{Value, json};

use super::*;
use crate::config::{IssuerConfig, TenantConfig};
use crate::token::testing::{RSA, jwks};

const NOW: i64 = 1_795_426_200;
const ISSUER: &str = "https://as.example";
/// The bases of the three organisations.
const BASES: [&str; 3] = [
    "https://fhir.example/fhir",
    "https://fhir.example/t/alpha/fhir",
    "https://fhir.example/t/beta/fhir",
];
const PATHS: [&str; 3] = ["/fhir", "/t/alpha/fhir", "/t/beta/fhir"];

fn token(base: &str) -> String {
    let header = json!({ "alg": "RS256", "typ": "at+jwt", "kid": RSA.kid });
    let claims = json!({
        "iss": ISSUER, "aud": base, "sub": "u", "client_id": "app", "iat": NOW, "exp": NOW + 300,
        "scope": "user/*.cruds", "fhirUser": "Practitioner/dr",
    });
    format!("Bearer {}", RSA.sign(&header, &claims))
}

/// Three organisations, each with a patient of the same id and NHS number, and a name of its own.
async fn three() -> FhirServer {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jwks.json");
    std::fs::write(&path, jwks().to_string()).unwrap();
    let mut config = Config::default();
    config.listen.public_base_url = Some(BASES[0].into());
    config.interactions.update_as_create = Some(true);
    config.tokens.issuers.push(IssuerConfig::new(ISSUER, path));
    config.tenants = vec![TenantConfig::new("alpha", 2), TenantConfig::new("beta", 3)];
    let server = server_with(config, PermitAll).await;
    for (place, path) in PATHS.iter().enumerate() {
        for id in ["p1", &format!("only-{place}")] {
            let body = format!(
                r#"{{"resourceType":"Patient","id":"{id}","identifier":[{{"system":"https://fhir.nhs.uk/Id/nhs-number",
                "value":"9990000018"}}],"name":[{{"family":"Canary{place}"}}]}}"#
            );
            let put = with_json("PUT", &format!("{path}/Patient/{id}"), &body);
            assert_eq!(sent(&server, place, put).await.checked(), 201);
        }
    }
    server
}

/// Sends with the token of that organisation.
async fn sent(server: &FhirServer, organisation: usize, request: TestRequest) -> Answer {
    let request = request.insert_header(("Authorization", token(BASES[organisation])));
    send(server, request).await
}

/// The answer holds nothing of any organisation but that one.
#[track_caller]
fn holds_only(answer: &Answer, organisation: usize) {
    for other in (0..3).filter(|other| *other != organisation) {
        assert!(
            !answer.text().contains(&format!("Canary{other}")),
            "{}",
            answer.text()
        );
    }
}

#[actix_web::test]
async fn the_same_nhs_number_in_two_organisations_never_meets_s_049() {
    let server = three().await;
    for (organisation, path) in PATHS.iter().enumerate() {
        for query in [
            "Patient?identifier=https://fhir.nhs.uk/Id/nhs-number%7C9990000018",
            "Patient/p1",
            "Patient/p1/_history",
            "Patient/_history",
            "_history",
            "?_type=Patient",
            "Patient?_summary=count",
        ] {
            let answer = sent(&server, organisation, get(&format!("{path}/{query}"))).await;
            assert_eq!(answer.checked(), 200, "{query}");
            holds_only(&answer, organisation);
            if query.starts_with("Patient?") {
                assert_eq!(answer.json()["total"], 2, "{query}");
            }
            for url in answer
                .text()
                .split('"')
                .filter(|text| text.starts_with("https://fhir.example/"))
            {
                assert!(url.starts_with(BASES[organisation]), "{url}");
            }
        }
        for other in (0..3).filter(|other| *other != organisation) {
            let foreign = get(&format!("{path}/Patient/only-{other}"));
            assert_eq!(sent(&server, organisation, foreign).await.checked(), 404);
        }
    }
}

#[actix_web::test]
async fn a_token_is_for_one_organisation_s_008() {
    let server = three().await;
    for (organisation, path) in PATHS.iter().enumerate() {
        for other in (0..3).filter(|other| *other != organisation) {
            let answer = sent(&server, other, get(&format!("{path}/Patient/p1"))).await;
            assert_eq!(answer.checked(), 401);
            assert!(!answer.text().contains("Canary"));
            let url = format!("https://fhir.example/.well-known/oauth-protected-resource{path}");
            assert!(
                answer
                    .header("www-authenticate")
                    .ends_with(&format!("resource_metadata=\"{url}\""))
            );
        }
    }
}

#[actix_web::test]
async fn nothing_that_a_client_sends_changes_the_organisation_s_049() {
    let server = three().await;
    let headers = [
        ("X-Tenant", "beta"),
        ("X-Tenant-Id", "3"),
        ("X-Forwarded-Prefix", "/t/beta"),
        ("X-Original-URL", "/t/beta/fhir/Patient/p1"),
        ("X-Rewrite-URL", "/t/beta/fhir/Patient/p1"),
        ("Forwarded", "host=beta"),
        ("Host", "beta.example"),
    ];
    for (name, value) in headers {
        let answer = sent(
            &server,
            1,
            get("/t/alpha/fhir/Patient/p1").insert_header((name, value)),
        )
        .await;
        assert_eq!(answer.checked(), 200, "{name}");
        assert!(answer.text().contains("Canary1"), "{name}");
    }
    for path in [
        "/t/alpha/../beta/fhir/Patient/p1",
        "/t/alpha/%2e%2e/beta/fhir/Patient/p1",
        "/t/alpha/fhir/../../beta/fhir/Patient/p1",
        "/t/alpha/fhir/%2e%2e/%2e%2e/beta/fhir/Patient/p1",
        "/t/alpha//fhir/Patient/p1",
        "//t/beta/fhir/Patient/p1",
        "/t/beta%2ffhir/Patient/p1",
        "/t/BETA/fhir/Patient/p1",
        "/t/alpha/fhir/t/beta/fhir/Patient/p1",
        "/t/beta/fhir/Patient/p1",
        "/t//fhir/Patient/p1",
        "/t/gamma/fhir/Patient/p1",
        "/fhir/t/beta/Patient/p1",
    ] {
        let answer = sent(&server, 1, get(path)).await;
        assert!(answer.status >= 400, "{path}: {}", answer.status);
        assert!(!answer.text().contains("Canary"), "{path}");
    }
}

#[actix_web::test]
async fn a_page_link_of_another_organisation_is_refused_s_049() {
    let server = three().await;
    let first = sent(&server, 2, get("/t/beta/fhir/Patient?_count=1"))
        .await
        .json();
    let next = first["link"]
        .as_array()
        .unwrap()
        .iter()
        .find(|link| link["relation"] == "next")
        .and_then(|link| link["url"].as_str())
        .unwrap();
    let query = next.split_once('?').unwrap().1;
    assert_eq!(
        sent(&server, 2, get(&format!("/t/beta/fhir/Patient?{query}")))
            .await
            .checked(),
        200
    );
    let foreign = sent(&server, 1, get(&format!("/t/alpha/fhir/Patient?{query}"))).await;
    assert_eq!(foreign.checked(), 400);
    assert!(!foreign.text().contains("Canary"));
}

#[actix_web::test]
async fn cve_2026_113874_a_bundle_that_names_another_organisation_writes_only_here_s_049() {
    let server = three().await;
    let bundle = |kind: &str, url: &str, full: &str| {
        json!({
            "resourceType": "Bundle", "type": kind, "meta": { "tag": [{ "code": "beta" }] },
            "entry": [{
                "fullUrl": full,
                "resource": {
                    "resourceType": "Patient", "id": "only-2", "meta": {
                        "extension": [{ "url": "https://example.org/partition", "valueString": "beta" }],
                        "security": [{ "code": "beta" }] },
                    "name": [{ "family": "Intruder" }]
                },
                "request": { "method": "PUT", "url": url }
            }]
        })
    };
    for kind in ["batch", "transaction"] {
        for (url, full) in [
            (
                "Patient/only-2",
                "https://fhir.example/t/beta/fhir/Patient/only-2",
            ),
            (
                "https://fhir.example/t/beta/fhir/Patient/only-2",
                "urn:uuid:0f6d5f0e-7a53-4f9c-9a51-3a3e8b1d5c11",
            ),
            ("/t/beta/fhir/Patient/only-2", "Patient/only-2"),
            ("../../beta/fhir/Patient/only-2", "Patient/only-2"),
        ] {
            let body = bundle(kind, url, full).to_string();
            let answer = sent(&server, 1, with_json("POST", "/t/alpha/fhir/", &body)).await;
            holds_only(&answer, 1);
            let there = sent(&server, 2, get("/t/beta/fhir/Patient/only-2")).await;
            assert_eq!(there.checked(), 200);
            assert!(there.text().contains("Canary2"), "{kind} {url}");
        }
    }
    for (method, path) in [("PUT", "Patient/p1"), ("DELETE", "Patient/p1")] {
        let body = r#"{"resourceType":"Patient","id":"p1","name":[{"family":"Changed"}]}"#;
        let request = with_json(method, &format!("/t/alpha/fhir/{path}"), body);
        assert!(sent(&server, 1, request).await.checked() < 300);
        let there: Value = sent(&server, 2, get("/t/beta/fhir/Patient/p1")).await.json();
        assert_eq!(there["name"][0]["family"], "Canary2");
    }
}
