//! Tokens that are bound to a key of their client (S-019, S-020): this server takes bearer tokens alone, so that such a token is refused
//! whatever comes with it; and a user's scope never reaches beyond the user's own rights (S-030).

use super::*;
use crate::policy::Chain;

/// Sends a token with headers beside it.
async fn beside(server: &FhirServer, scheme: &str, token: &str, headers: &[(&'static str, &str)]) -> Answer {
    let mut request = get("/fhir/Patient/p1").insert_header(("Authorization", format!("{scheme} {token}")));
    for (name, value) in headers {
        request = request.insert_header((*name, *value));
    }
    send(server, request).await
}

#[actix_web::test]
async fn s_019_a_token_that_is_bound_to_a_key_is_no_bearer_token() {
    let server = protected(|_| {}).await;
    let bound = |cnf: Value| RSA.sign(&header(), &with("cnf", Some(cnf)));
    let proof = RSA.sign(
        &json!({ "alg": "RS256", "typ": "dpop+jwt", "jwk": RSA.jwk() }),
        &json!({ "jti": "1", "htm": "GET", "htu": format!("{BASE}/Patient/p1"), "iat": NOW }),
    );
    for cnf in [
        json!({ "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" }),
        json!({ "jkt": "" }),
        json!({ "jwk": RSA.jwk() }),
        json!({}),
        json!(null),
        json!("x"),
    ] {
        let token = bound(cnf.clone());
        refused(&server, &cnf.to_string(), &token).await;
        for scheme in ["Bearer", "DPoP"] {
            let answer = beside(&server, scheme, &token, &[("DPoP", &proof)]).await;
            assert_eq!(answer.checked(), 401, "{scheme} {cnf}");
            assert!(!answer.text().contains("Smith"));
        }
    }
    // A proof proves nothing that is not asked for, and another scheme is none.
    assert_eq!(
        beside(&server, "DPoP", &good(), &[("DPoP", &proof)])
            .await
            .checked(),
        401
    );
    assert_eq!(
        beside(&server, "Bearer", &good(), &[("DPoP", "no proof")])
            .await
            .checked(),
        200
    );
}

#[actix_web::test]
async fn s_020_a_certificate_that_a_header_brings_proves_nothing() {
    let server = protected(|_| {}).await;
    let token = RSA.sign(
        &header(),
        &with(
            "cnf",
            Some(json!({ "x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2" })),
        ),
    );
    refused(&server, "x5t#S256", &token).await;
    for name in [
        "X-Client-Cert",
        "X-Forwarded-Client-Cert",
        "X-SSL-Client-Cert",
        "Client-Cert",
    ] {
        let certificate = ":bm8gY2VydGlmaWNhdGU=:";
        let answer = beside(&server, "Bearer", &token, &[(name, certificate)]).await;
        assert_eq!(answer.checked(), 401, "{name}");
        let alone = send(
            &server,
            get("/fhir/Patient/p1").insert_header((name, certificate)),
        )
        .await;
        assert_eq!(alone.checked(), 401, "{name}");
    }
}

#[actix_web::test]
async fn s_030_a_users_scope_reaches_no_further_than_the_user() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jwks.json");
    std::fs::write(&path, jwks().to_string()).unwrap();
    let mut config = Config::default();
    config.listen.public_base_url = Some(BASE.into());
    config.tokens.issuers.push(IssuerConfig::new(ISSUER, path));
    let store = Arc::new(MemoryStore::new(Arc::new(Fixed)));
    let mut open = config.clone();
    open.interactions.update_as_create = Some(true);
    let build = |config: Config| {
        FhirServer::builder()
            .config(config)
            .store(store.clone())
            .clock(Arc::new(Fixed))
    };
    let open = build(open).policy(PermitAll).build().await.unwrap();
    let bound = build(config).policy(Chain::standard()).build().await.unwrap();
    let team = r#"{"resourceType":"CareTeam","id":"t","status":"active","subject":{"reference":"Patient/p1"},
        "participant":[{"member":{"reference":"Practitioner/dr-a"}}]}"#;
    for (path, body) in [("Patient/p1", PATIENT), ("CareTeam/t", team)] {
        let put = with_json("PUT", &format!("/fhir/{path}"), body);
        assert_eq!(send(&open, with_token(put, &good())).await.checked(), 201);
    }
    let token = |user: &str, patient: Option<&str>, scope: &str| {
        let mut claims = with("fhirUser", Some(json!(user)));
        claims["scope"] = json!(scope);
        if let Some(patient) = patient {
            claims["patient"] = json!(patient);
        }
        RSA.sign(&header(), &claims)
    };
    for (user, patient, scope, status) in [
        ("Practitioner/dr-a", None, "user/*.cruds", 200),
        ("Practitioner/dr-a", None, "user/Patient.r", 200),
        ("Practitioner/dr-b", None, "user/*.cruds", 404),
        (
            "Practitioner/dr-b",
            Some("p1"),
            "user/*.cruds patient/*.cruds",
            404,
        ),
        ("Patient/p2", Some("p2"), "user/*.cruds", 404),
        ("Patient/p2", None, "user/*.cruds", 404),
        ("Patient/p1", Some("p1"), "user/*.cruds", 200),
        ("RelatedPerson/r", None, "user/*.cruds", 404),
    ] {
        let answer = read(&bound, &token(user, patient, scope)).await;
        assert_eq!(answer.checked(), status, "{user} {patient:?} {scope}");
    }
}
