//! Access tokens at the FHIR base: attacks S-001 to S-018, and what claims are read as.

mod attacks;
mod bound;
mod claims;
mod keys;
#[cfg(feature = "sqlite")]
mod surfaces;
#[cfg(feature = "sqlite")]
mod weaknesses;

use serde_json::{Value, json};

use super::*;
use crate::config::{ClientConfig, IssuerConfig};
use crate::token::testing::{RSA, jwks};

/// The clock of the tests, in seconds.
pub(super) const NOW: i64 = 1_795_426_200;
pub(super) const ISSUER: &str = "https://as.example/realm";
const BASE: &str = "https://fhir.example/fhir";

/// A server that takes tokens of one issuer, and has `Patient/p1` with the family name Smith.
async fn protected(change: impl Fn(&mut Config)) -> FhirServer {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jwks.json");
    std::fs::write(&path, jwks().to_string()).unwrap();
    let mut config = Config::default();
    config.listen.public_base_url = Some(BASE.into());
    config.interactions.update_as_create = Some(true);
    config.tokens.issuers.push(IssuerConfig::new(ISSUER, path));
    change(&mut config);
    let server = server_with(config, PermitAll).await;
    let put = with_token(with_json("PUT", "/fhir/Patient/p1", PATIENT), &good());
    assert_eq!(send(&server, put).await.checked(), 201);
    server
}

fn header() -> Value {
    json!({ "alg": "RS256", "typ": "at+jwt", "kid": RSA.kid })
}

fn claims() -> Value {
    json!({
        "iss": ISSUER, "aud": BASE, "sub": "u-1", "client_id": "app", "iat": NOW - 10, "exp": NOW + 300,
        "scope": "user/*.cruds", "fhirUser": "Practitioner/dr",
    })
}

/// The claims with one in another form, or gone where that is `None`.
fn with(name: &str, value: Option<Value>) -> Value {
    let mut claims = claims();
    let members = claims.as_object_mut().unwrap();
    match value {
        Some(value) => members.insert(name.into(), value),
        None => members.remove(name),
    };
    claims
}

fn good() -> String {
    RSA.sign(&header(), &claims())
}

fn with_token(request: TestRequest, token: &str) -> TestRequest {
    request.insert_header(("Authorization", format!("Bearer {token}")))
}

async fn read(server: &FhirServer, token: &str) -> Answer {
    send(server, with_token(get("/fhir/Patient/p1"), token)).await
}

/// The token is refused as RFC 6750 has it, and nothing of the record is in the answer.
async fn refused(server: &FhirServer, name: &str, token: &str) {
    let answer = read(server, token).await;
    assert_eq!(answer.checked(), 401, "{name}");
    let challenge = answer.header("www-authenticate");
    assert!(
        challenge.starts_with("Bearer error=\"invalid_token\""),
        "{name}: {challenge}"
    );
    assert!(!answer.text().contains("Smith"), "{name}");
    for part in token.split('.').filter(|part| part.len() > 8) {
        assert!(
            !answer.text().contains(part),
            "{name}: the answer repeats the token"
        );
    }
}

#[actix_web::test]
async fn a_good_token_reads_by_each_algorithm() {
    use crate::token::testing::{P256, P384};
    let server = protected(|_| {}).await;
    for (key, algorithm) in [
        (&RSA, "RS256"),
        (&RSA, "RS384"),
        (&RSA, "RS512"),
        (&P256, "ES256"),
        (&P384, "ES384"),
    ] {
        let header = json!({ "alg": algorithm, "typ": "at+jwt", "kid": key.kid });
        let answer = read(&server, &key.sign(&header, &claims())).await;
        assert_eq!(answer.checked(), 200, "{algorithm}");
        assert!(answer.text().contains("Smith"));
    }
}

#[cfg(feature = "docs")]
#[actix_web::test]
async fn the_scopes_that_the_document_names_are_those_that_let_through() {
    let document: Value = serde_json::from_str(&crate::openapi::document("/fhir").unwrap()).unwrap();
    let schemes = &document["components"]["securitySchemes"];
    let known = &schemes["smart"]["flows"]["authorizationCode"]["scopes"];
    let server = protected(|_| {}).await;
    let one = "/Patient/{id}";
    for (method, path) in [
        ("get", one),
        ("get", "/Patient/{id}/_history/{vid}"),
        ("get", "/Patient/{id}/_history"),
        ("get", "/Patient/_history"),
        ("get", "/Patient"),
        ("post", "/Patient"),
        ("put", one),
        ("delete", one),
    ] {
        let named = document["paths"][path][method]["security"].as_array().unwrap();
        assert!(
            named.contains(&json!({})) && named.contains(&json!({ "bearer": [] })),
            "{method} {path}"
        );
        let place = format!("/fhir{}", path.replace("{id}", "p1").replace("{vid}", "1"));
        for letter in ["c", "r", "u", "d", "s"] {
            let scope = format!("user/Patient.{letter}");
            assert!(known[&scope].is_string(), "{scope}");
            let token = RSA.sign(&header(), &with("scope", Some(scope.as_str().into())));
            let request = match method {
                "post" | "put" => with_json(&method.to_uppercase(), &place, PATIENT),
                _ => request(&method.to_uppercase(), &place),
            };
            let answer = send(&server, with_token(request, &token)).await;
            let lets = named.contains(&json!({ "smart": [scope] }));
            assert_eq!(
                answer.checked() != 403,
                lets,
                "{method} {path} with {scope}: {}",
                answer.text()
            );
        }
    }
}
