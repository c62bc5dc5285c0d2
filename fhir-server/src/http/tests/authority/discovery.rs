//! What the authority tells of itself (S-039).

use super::*;

#[actix_web::test]
async fn s_039_smart_configuration_is_json_with_absolute_urls_whatever_is_accepted() {
    let server = authority().await;
    for accept in [
        "application/json",
        "text/html",
        "application/fhir+xml",
        "*/*",
        "x",
    ] {
        let request = get("/fhir/.well-known/smart-configuration").insert_header(("Accept", accept));
        let answer = ask(&server, request).await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (200, "application/json"),
            "{accept}"
        );
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        let document = answer.json();
        for name in [
            "issuer",
            "jwks_uri",
            "authorization_endpoint",
            "token_endpoint",
            "introspection_endpoint",
            "revocation_endpoint",
        ] {
            assert!(
                document[name]
                    .as_str()
                    .unwrap()
                    .starts_with("http://127.0.0.1:8080/auth"),
                "{name}"
            );
        }
        assert_eq!(document["code_challenge_methods_supported"], json!(["S256"]));
        let grants = document["grant_types_supported"].as_array().unwrap();
        assert!(
            grants.contains(&json!("authorization_code")) && grants.contains(&json!("client_credentials"))
        );
        let all = document["capabilities"].as_array().unwrap();
        assert!(all.iter().all(Value::is_string) && all.contains(&json!("sso-openid-connect")));
        let algorithms = document["token_endpoint_auth_signing_alg_values_supported"]
            .as_array()
            .unwrap();
        assert!(algorithms.contains(&json!("RS384")) && algorithms.contains(&json!("ES384")));
    }
}

#[actix_web::test]
async fn the_capability_statement_says_where_tokens_are_given() {
    let server = authority().await;
    let statement = ask(&server, get("/fhir/metadata")).await.json();
    let security = &statement["rest"][0]["security"];
    assert_eq!(security["service"][0]["coding"][0]["code"], "SMART-on-FHIR");
    let smart = ask(&server, get("/fhir/.well-known/smart-configuration"))
        .await
        .json();
    let uris = security["extension"][0]["extension"].as_array().unwrap();
    for (name, of_smart) in [
        ("authorize", "authorization_endpoint"),
        ("token", "token_endpoint"),
        ("introspect", "introspection_endpoint"),
        ("revoke", "revocation_endpoint"),
    ] {
        let uri = uris.iter().find(|uri| uri["url"] == name).unwrap();
        // By the name that the server was called by; the authority names itself by its address.
        let by_name = smart[of_smart]
            .as_str()
            .unwrap()
            .replace("127.0.0.1", "localhost");
        assert_eq!(uri["valueUri"], by_name, "{name}");
    }
}

#[actix_web::test]
async fn the_key_of_an_id_token_is_in_the_published_set() {
    let server = authority().await;
    let got = tokens(&server, &[]).await;
    let jwks = ask(&server, get("/auth/jwks")).await.json();
    let keys = crate::token::KeySet::read(jwks.to_string().as_bytes(), None).unwrap();
    let text = got["id_token"].as_str().unwrap();
    let header: Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text.split('.').next().unwrap()).unwrap()).unwrap();
    assert_eq!(header["alg"], "RS256");
    let (message, signature) = text.rsplit_once('.').unwrap();
    let key = keys
        .find(header["kid"].as_str(), crate::token::Algorithm::Rs256)
        .unwrap();
    let holds =
        jsonwebtoken::crypto::verify(signature, message.as_bytes(), key, jsonwebtoken::Algorithm::RS256);
    assert!(holds.unwrap());
    assert!(jwks["keys"][0].get("d").is_none(), "the private half stays");
    let openid = ask(&server, get("/auth/.well-known/openid-configuration"))
        .await
        .json();
    assert_eq!(openid["issuer"], "http://127.0.0.1:8080/auth");
    assert_eq!(openid["id_token_signing_alg_values_supported"], json!(["RS256"]));
    let id_token_as_access = json!({ "access_token": text });
    assert_eq!(
        reads(&server, &id_token_as_access, "Patient/p1").await,
        401,
        "an id token is no access token"
    );
}

#[actix_web::test]
async fn where_nobody_gives_tokens_nothing_is_told() {
    let server = with_patient().await;
    let answer = ask(&server, get("/fhir/.well-known/smart-configuration")).await;
    assert_eq!(answer.status, 404);
    assert_eq!(ask(&server, get("/auth/jwks")).await.status, 404);
    let mut config = Config::default();
    config.tokens.smart = Some(
        serde_json::from_value(json!({
            "authorization_endpoint": "https://as.example/authorize",
            "token_endpoint": "https://as.example/token",
            "capabilities": ["launch-standalone"],
            "grant_types_supported": ["authorization_code"],
        }))
        .unwrap(),
    );
    let server = server_with(config, PermitAll).await;
    let document = ask(&server, get("/fhir/.well-known/smart-configuration"))
        .await
        .json();
    assert_eq!(document["token_endpoint"], "https://as.example/token");
    assert_eq!(document["capabilities"], json!(["launch-standalone"]));
}

#[cfg(unix)]
#[actix_web::test]
async fn the_key_is_kept_for_its_owner_alone_and_mints_tokens_s_092() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    let with_key = |config: &mut Config| config.authority.key_file = Some(path.clone());
    let server = sandbox_with(with_key, Arc::new(crate::context::SystemClock)).await;
    assert_eq!(
        std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let doctor = people()
        .into_iter()
        .find(|person| person.is_called("dr"))
        .unwrap();
    let mut wanted = crate::authority::Wanted::new(doctor, BASE.replace("localhost", "127.0.0.1"));
    let minted = json!({ "access_token": crate::authority::mint(&path, &wanted).unwrap() });
    assert_eq!(reads(&server, &minted, "Patient/p1").await, 200);
    wanted.scopes = crate::scopes::Scopes::read("user/Observation.rs");
    let narrow = json!({ "access_token": crate::authority::mint(&path, &wanted).unwrap() });
    assert_eq!(reads(&server, &narrow, "Patient/p1").await, 403);
    for mode in [0o644, 0o640, 0o660] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let error = crate::authority::mint(&path, &wanted).unwrap_err().to_string();
        assert!(error.contains("chmod 600"), "{error}");
    }
}
