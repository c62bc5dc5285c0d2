//! What claims are read as, and what registrations and headers add: S-022 to S-031 at the FHIR base, S-039a to S-039c.

use super::*;
use crate::config::{ClaimStyle, ClaimsConfig};

async fn status(server: &FhirServer, claims: &Value) -> u16 {
    read(server, &RSA.sign(&header(), claims)).await.checked()
}

#[actix_web::test]
async fn s_029_a_patient_that_cannot_be_understood_is_never_any_patient() {
    let server = protected(|_| {}).await;
    let mut base = with("scope", Some(json!("patient/*.cruds")));
    base["fhirUser"] = json!("Patient/p1");
    let with_patient = |patient: Option<Value>| {
        let mut claims = base.clone();
        if let Some(patient) = patient {
            claims["patient"] = patient;
        }
        claims
    };
    assert_eq!(status(&server, &with_patient(Some(json!("p1")))).await, 200);
    assert_eq!(status(&server, &with_patient(Some(json!("p2")))).await, 404);
    assert_eq!(status(&server, &with_patient(None)).await, 403);
    for patient in [
        json!(""),
        json!(1),
        json!(null),
        json!(true),
        json!(["p1"]),
        json!({ "id": "p1" }),
        json!("Patient/p1"),
        json!("https://other.example/fhir/Patient/p1"),
        json!("p1 "),
        json!("*"),
    ] {
        assert_eq!(
            status(&server, &with_patient(Some(patient.clone()))).await,
            401,
            "{patient}"
        );
    }
    for user in [
        json!(""),
        json!(["Patient/p1"]),
        json!("Patient"),
        json!("Observation/o1"),
        json!("Patient/p1/x"),
        json!("https://other.example/fhir/Patient/p1"),
        json!("https://fhir.example/fhirPatient/p1"),
        json!("//fhir.example/fhir/Patient/p1"),
        json!("patient/p1"),
    ] {
        let mut claims = with_patient(Some(json!("p1")));
        claims["fhirUser"] = user.clone();
        assert_eq!(status(&server, &claims).await, 401, "{user}");
    }
    let mut absolute = with_patient(Some(json!("p1")));
    absolute["fhirUser"] = json!("https://fhir.example/fhir/Patient/p1");
    assert_eq!(status(&server, &absolute).await, 200);
}

#[actix_web::test]
async fn s_031_a_level_of_another_kind_of_caller_grants_nothing() {
    let server = protected(|_| {}).await;
    let with_scope = |scope: &str, is_client: bool| {
        let mut claims = with("scope", Some(json!(scope)));
        if is_client {
            claims["sub"] = json!("app");
            claims.as_object_mut().unwrap().remove("fhirUser");
            claims["exp"] = json!(NOW + 200);
        }
        claims
    };
    assert_eq!(status(&server, &with_scope("system/*.rs", true)).await, 200);
    assert_eq!(status(&server, &with_scope("user/*.rs", true)).await, 403);
    assert_eq!(status(&server, &with_scope("system/*.rs", false)).await, 403);
    assert_eq!(status(&server, &with_scope("user/*.rs", false)).await, 200);
}

#[actix_web::test]
async fn s_028_each_entry_of_a_bundle_is_held_to_the_scopes() {
    let server = protected(|_| {}).await;
    let token = RSA.sign(
        &header(),
        &with("scope", Some(json!("user/Patient.rs user/Observation.c"))),
    );
    let bundle = |kind: &str| {
        format!(
            r#"{{"resourceType":"Bundle","type":"{kind}","entry":[
            {{"request":{{"method":"GET","url":"Patient/p1"}}}},
            {{"request":{{"method":"DELETE","url":"Patient/p1"}}}}]}}"#
        )
    };
    let post = |kind: &str| with_token(with_json("POST", "/fhir/", &bundle(kind)), &token);
    let batch = send(&server, post("batch")).await;
    assert_eq!(batch.checked(), 200);
    let answers = batch.json();
    assert_eq!(answers["entry"][0]["response"]["status"], "200 OK");
    assert_eq!(answers["entry"][1]["response"]["status"], "403 Forbidden");
    assert_eq!(send(&server, post("transaction")).await.checked(), 403);
    assert_eq!(read(&server, &good()).await.checked(), 200);
}

#[actix_web::test]
async fn s_039a_an_issuer_signs_by_its_own_algorithms_alone() {
    let server = protected(|config| {
        for issuer in &mut config.tokens.issuers {
            issuer.algorithms = vec!["RS256".into(), "RS512".into()];
        }
    })
    .await;
    for (algorithm, expected) in [("RS256", 200), ("RS512", 200), ("RS384", 401)] {
        let header = json!({ "alg": algorithm, "typ": "at+jwt", "kid": RSA.kid });
        assert_eq!(
            read(&server, &RSA.sign(&header, &claims())).await.checked(),
            expected,
            "{algorithm}"
        );
    }
}

fn style(config: &mut Config, style: ClaimStyle, assurance: &[&str]) {
    for issuer in &mut config.tokens.issuers {
        issuer.claims = ClaimsConfig {
            style,
            ..ClaimsConfig::default()
        };
        issuer.assurance = assurance.iter().map(|one| (*one).to_owned()).collect();
    }
}

/// The claims with those of the object over them.
fn over(more: Value) -> Value {
    let mut all = claims();
    let members = all.as_object_mut().unwrap();
    for (name, value) in more.as_object().unwrap() {
        members.insert(name.clone(), value.clone());
    }
    all
}

#[test]
fn s_039b_a_user_who_is_not_known_well_enough_is_refused() {
    for (kind, claim, enough, good, bad) in [
        (
            ClaimStyle::NhsLogin,
            "identity_proofing_level",
            &["P9"][..],
            "P9",
            &["P5", "P0", "p9", ""][..],
        ),
        (
            ClaimStyle::Cis2,
            "authentication_assurance_level",
            &["2", "3"],
            "3",
            &["1", "4", "33"],
        ),
        (ClaimStyle::Smart, "acr", &["high"], "high", &["low", "HIGH"]),
    ] {
        let verifier = verifier(|config| style(config, kind, enough));
        assert!(verifier(&over(json!({ claim: good }))).is_ok(), "{claim}");
        for bad in bad {
            assert!(verifier(&over(json!({ claim: bad }))).is_err(), "{claim} {bad}");
        }
        assert!(verifier(&claims()).is_err(), "without {claim}");
    }
}

/// Reads claims as an issuer of that configuration would have them read.
fn verifier(
    change: impl Fn(&mut Config),
) -> impl Fn(&Value) -> crate::error::Result<crate::context::Principal> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jwks.json");
    std::fs::write(&path, jwks().to_string()).unwrap();
    let mut config = Config::default();
    config.tokens.issuers.push(IssuerConfig::new(ISSUER, path));
    change(&mut config);
    let verifier = crate::token::Verifier::open(&config).unwrap();
    move |claims| {
        let asked = crate::token::Asked {
            base: BASE,
            audiences: &[BASE.to_owned()],
            now: Millis(NOW * 1000),
        };
        let token = RSA.sign(&header(), claims);
        let principal = verifier.principal(&token, None, &asked);
        futures_util::FutureExt::now_or_never(principal).unwrap()
    }
}

#[test]
fn s_039c_claims_of_the_nhs_become_organisation_role_and_user() {
    let cis2 = verifier(|config| style(config, ClaimStyle::Cis2, &[]));
    let roles = json!([
        { "person_roleid": "1", "org_code": "A99991", "role_code": "S8000:G8000:R8000" },
        { "person_roleid": "2", "org_code": "X9901", "role_code": "S8000:G8001:R8001" },
    ]);
    let principal = cis2(&over(
        json!({ "selected_roleid": "2", "nhsid_nrbac_roles": roles }),
    ))
    .unwrap();
    assert_eq!(principal.organisation.as_deref(), Some("X9901"));
    assert_eq!(principal.roles, ["S8000:G8001:R8001"]);
    assert!(
        cis2(&over(
            json!({ "selected_roleid": "3", "nhsid_nrbac_roles": roles })
        ))
        .is_err()
    );
    assert!(
        cis2(&over(
            json!({ "selected_roleid": ["2"], "nhsid_nrbac_roles": roles })
        ))
        .is_err()
    );
    assert!(cis2(&over(json!({ "selected_roleid": "2" }))).is_err());
    let login = verifier(|config| style(config, ClaimStyle::NhsLogin, &[]));
    let patient = login(&over(
        json!({ "nhs_number": "9990000018", "fhirUser": "Patient/p1" }),
    ))
    .unwrap();
    assert_eq!(patient.kind, crate::context::PrincipalKind::Patient);
    assert_eq!(patient.nhs_number.as_deref(), Some("9990000018"));
    for wrong in ["9990000019", "999000001", "X"] {
        assert!(login(&over(json!({ "nhs_number": wrong }))).is_err(), "{wrong}");
    }
    let own = verifier(|config| {
        for issuer in &mut config.tokens.issuers {
            issuer.claims.organisation = Some("org.ods".into());
            issuer.claims.roles = Some("realm.*.role".into());
            issuer.claims.purpose = Some("why".into());
        }
    });
    let principal = own(&over(json!({
        "org": { "ods": "X1" }, "realm": [{ "role": "a" }, { "role": "b" }], "why": "TREAT"
    })))
    .unwrap();
    assert_eq!(principal.organisation.as_deref(), Some("X1"));
    assert_eq!(principal.roles, ["a", "b"]);
    assert_eq!(principal.purpose.as_deref(), Some("TREAT"));
    assert!(own(&over(json!({ "org": { "ods": ["X1", "X2"] } }))).is_err());
    assert!(own(&over(json!({ "org": { "ods": 1 } }))).is_err());
}

#[actix_web::test]
async fn a_registered_client_is_held_to_its_registration() {
    let server = protected(|config| {
        let mut app = ClientConfig::new("app");
        app.purposes = vec!["TREAT".into()];
        config.tokens.clients = vec![app];
        let mut reader = ClientConfig::new("reader");
        reader.scopes = Some("user/Observation.rs".into());
        config.tokens.clients.push(reader);
    })
    .await;
    assert_eq!(
        status(&server, &over(json!({ "purpose_of_use": "TREAT" }))).await,
        200
    );
    assert_eq!(
        status(&server, &over(json!({ "purpose_of_use": "HRESCH" }))).await,
        403
    );
    assert_eq!(
        status(&server, &over(json!({ "client_id": "reader" }))).await,
        403
    );
    assert_eq!(
        status(&server, &over(json!({ "client_id": "stranger" }))).await,
        403
    );
    let named = |purpose: &str| {
        with_token(get("/fhir/Patient/p1"), &good()).insert_header(("X-Purpose-Of-Use", purpose))
    };
    assert_eq!(send(&server, named("TREAT")).await.checked(), 200);
    assert_eq!(send(&server, named("HMARKT")).await.checked(), 403);
    assert_eq!(send(&server, named("")).await.checked(), 400);
}

#[actix_web::test]
async fn an_emergency_that_no_rule_opens_for_is_refused() {
    let server = protected(|_| {}).await;
    let said = || {
        with_token(get("/fhir/Patient/p1"), &good())
            .insert_header(("X-Break-Glass-Reason", "found unconscious"))
    };
    let answer = send(&server, said()).await;
    assert_eq!(answer.checked(), 403);
    assert!(
        answer.text().contains("X-Break-Glass-Reason"),
        "{}",
        answer.text()
    );
    // Without a reason it is none, and the purpose alone opens nothing.
    let blank = with_token(get("/fhir/Patient/p1"), &good()).insert_header(("X-Break-Glass-Reason", " "));
    assert_eq!(send(&server, blank).await.checked(), 403);
    let server = protected(|config| {
        let mut app = ClientConfig::new("app");
        app.purposes = vec!["BTG".into()];
        config.tokens.clients.push(app);
    })
    .await;
    let purpose = with_token(get("/fhir/Patient/p1"), &good()).insert_header(("X-Purpose-Of-Use", "BTG"));
    let answer = send(&server, purpose).await;
    assert_eq!(answer.checked(), 403);
    assert!(answer.text().contains("say why"), "{}", answer.text());
}

#[actix_web::test]
async fn the_capabilities_are_for_everybody_and_a_bad_token_is_bad_there_too() {
    let server = protected(|_| {}).await;
    let open = send(&server, get("/fhir/metadata")).await;
    assert_eq!(open.checked(), 200);
    let security = &open.json()["rest"][0]["security"];
    assert_eq!(security["service"][0]["coding"][0]["code"], "SMART-on-FHIR");
    // Where the tokens come from is not configured here.
    assert!(security["extension"].is_null(), "{security}");
    assert_eq!(
        send(&server, with_token(get("/fhir/metadata"), "x"))
            .await
            .checked(),
        401
    );
}

#[actix_web::test]
async fn the_sandbox_knows_its_clinician_and_still_checks_a_token() {
    let server = with_patient().await;
    assert_eq!(send(&server, get("/fhir/Patient/p1")).await.checked(), 200);
    assert_eq!(
        send(&server, with_token(get("/fhir/Patient/p1"), &good()))
            .await
            .checked(),
        401
    );
    let elsewhere = TestRequest::get()
        .uri("/fhir/Patient/p1")
        .insert_header(("Host", "evil.example"));
    assert_eq!(send(&server, elsewhere).await.checked(), 403);
}

#[actix_web::test]
async fn s_039c_an_nhs_number_is_that_of_one_patient_here_or_of_nobody() {
    let server = protected(|config| style(config, ClaimStyle::NhsLogin, &[])).await;
    let numbered = |id: &str, number: &str| {
        let body = format!(
            r#"{{"resourceType":"Patient","id":"{id}","identifier":[{{"system":"https://fhir.nhs.uk/Id/nhs-number","value":"{number}"}}]}}"#
        );
        let claims = over(json!({ "identity_proofing_level": "P9" }));
        with_token(
            with_json("PUT", &format!("/fhir/Patient/{id}"), &body),
            &RSA.sign(&header(), &claims),
        )
    };
    for (id, number) in [("p1", "9990000018"), ("p2", "9990000026"), ("p3", "9990000026")] {
        assert!(send(&server, numbered(id, number)).await.checked() < 300, "{id}");
    }
    let claims = |number: &str, more: Value| {
        let mut claims = over(json!({
            "nhs_number": number, "identity_proofing_level": "P9", "scope": "patient/*.rs", "sub": "s"
        }));
        claims.as_object_mut().unwrap().remove("fhirUser");
        claims
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        claims
    };
    assert_eq!(status(&server, &claims("9990000018", json!({}))).await, 200);
    assert_eq!(
        status(&server, &claims("9990000018", json!({ "patient": "p1" }))).await,
        200
    );
    assert_eq!(
        status(&server, &claims("9990000018", json!({ "patient": "p2" }))).await,
        403
    );
    assert_eq!(
        status(&server, &claims("9434765919", json!({}))).await,
        403,
        "of nobody"
    );
    assert_eq!(
        status(&server, &claims("9990000026", json!({}))).await,
        403,
        "of two"
    );
}
