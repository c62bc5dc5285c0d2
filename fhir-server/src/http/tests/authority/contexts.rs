//! What an app is told of its launch beside patient and encounter, and apps that prove who they are by a secret.

use base64::engine::general_purpose::STANDARD;

use super::*;

const SECRET: &str = "a secret of more than 32 characters, with : and %";

/// The tokens of an app that was launched from there.
async fn launched(server: &FhirServer, query: &str, scope: &str) -> Value {
    let launch = ask(
        server,
        get(&format!("/auth/launch?client_id=app&person=dr&{query}")),
    )
    .await;
    assert_eq!(launch.status, 303, "{}", launch.text());
    let launch = parameter(launch.header("location"), "launch").unwrap();
    tokens(
        server,
        &[("launch", launch.as_str()), ("scope", scope), ("person", "")],
    )
    .await
}

#[actix_web::test]
async fn a_launch_tells_what_it_is_about_for_what_and_from_where() {
    let server = authority().await;
    let role = "https://example.org/role/previous";
    let query = format!(
        "patient=p2&encounter=e1&intent=reconcile&context=ImagingStudy/i1&context=DiagnosticReport/d1%20launch&context=Patient/p1%20{role}"
    );
    let got = launched(&server, &query, "launch patient/*.rs offline_access").await;
    let context = json!([
        {"reference": "ImagingStudy/i1"},
        {"reference": "DiagnosticReport/d1", "role": "launch"},
        {"reference": "Patient/p1", "role": role},
    ]);
    assert_eq!(got["fhirContext"], context);
    for one in got["fhirContext"].as_array().unwrap() {
        assert!(one["reference"].is_string(), "{one}");
    }
    assert_eq!(
        (&got["patient"], &got["encounter"], &got["intent"], &got["tenant"]),
        (&json!("p2"), &json!("e1"), &json!("reconcile"), &json!("A99991"))
    );
    // Patient/p1 is only told of.
    assert_eq!(reads(&server, &got, "Patient/p1").await, 404);
    // It is in what is introspected, and in the answer to a refresh.
    let access = got["access_token"].as_str().unwrap();
    let asked = form("/auth/introspect", &[("token", access)])
        .insert_header(("Authorization", format!("Bearer {access}")));
    let told = ask(&server, asked).await.json();
    assert_eq!(
        (&told["fhirContext"], &told["intent"]),
        (&context, &json!("reconcile"))
    );
    let again = [
        ("grant_type", "refresh_token"),
        ("client_id", "app"),
        ("refresh_token", got["refresh_token"].as_str().unwrap()),
    ];
    assert_eq!(token(&server, &again).await.json()["fhirContext"], context);
    // Who did not ask for the launch is told nothing of it.
    let silent = launched(&server, &query, "patient/*.rs").await;
    for name in ["fhirContext", "intent", "tenant"] {
        assert_eq!(silent.get(name), None, "{name}");
    }
}

#[actix_web::test]
async fn patient_and_encounter_are_no_context_of_a_launch_and_other_roles_are_uris() {
    let server = authority().await;
    for context in [
        "Patient/p1",
        "Patient/p1%20launch",
        "Encounter/e1",
        "Encounter/e1%20launch",
        "DiagnosticReport/d1%20",
        "DiagnosticReport/d1%20previous",
        "DiagnosticReport/d1%20https:",
        "DiagnosticReport/d1/_history/1",
        "Nothing/1",
        "1",
        "https://elsewhere.example/fhir/DiagnosticReport/d1",
    ] {
        let url = format!("/auth/launch?client_id=app&person=dr&context={context}");
        let answer = ask(&server, get(&url)).await;
        assert_eq!(answer.status, 400, "{context}: {}", answer.text());
    }
}

#[actix_web::test]
async fn a_users_app_is_told_where_the_style_is() {
    let server = authority().await;
    let got = tokens(&server, &[]).await;
    let url = got["smart_style_url"].as_str().unwrap();
    let path = url.strip_prefix("http://127.0.0.1:8080").unwrap();
    let style = ask(&server, get(path)).await;
    assert_eq!(
        (style.status, style.header("content-type")),
        (200, "application/json")
    );
    assert!(
        style.json()["color_background"]
            .as_str()
            .unwrap()
            .starts_with('#')
    );
    let known = ask(&server, get("/fhir/.well-known/smart-configuration"))
        .await
        .json();
    assert!(
        known["capabilities"]
            .as_array()
            .unwrap()
            .contains(&json!("context-style"))
    );
}

fn basic(id: &str, secret: &str) -> (&'static str, String) {
    let escaped = |text: &str| encode(&[("x", text)])[2..].to_owned();
    let both = format!("{}:{}", escaped(id), escaped(secret));
    ("Authorization", format!("Basic {}", STANDARD.encode(both)))
}

/// A server with an app that has a secret.
async fn with_secret() -> (tempfile::TempDir, FhirServer) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    std::fs::write(&path, format!("{SECRET}\n")).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    let add = |config: &mut Config| {
        let mut app = AppConfig::new("kept secret", vec![CALLBACK.into()]);
        app.secret_file = Some(path.clone());
        app.scopes = Some("patient/*.rs launch/patient offline_access system/*.rs".into());
        config.authority.apps.push(app);
    };
    let server = sandbox_with(add, Arc::new(Fixed)).await;
    (folder, server)
}

#[actix_web::test]
async fn an_app_proves_who_it_is_by_its_secret() {
    let (_folder, server) = with_secret().await;
    let known = ask(&server, get("/fhir/.well-known/smart-configuration"))
        .await
        .json();
    assert!(
        known["capabilities"]
            .as_array()
            .unwrap()
            .contains(&json!("client-confidential-symmetric"))
    );
    let methods = known["token_endpoint_auth_methods_supported"].as_array().unwrap();
    assert!(methods.contains(&json!("client_secret_basic")));
    let mine = [
        ("client_id", "kept secret"),
        ("scope", "launch/patient patient/*.rs offline_access"),
    ];
    let code = code_for(&server, &mine).await;
    let pairs = exchange(&code, &[("client_id", "")]);
    let wrong = [
        ("no secret", vec![]),
        (
            "wrong",
            vec![basic(
                "kept secret",
                "a secret of more than 32 characters, with : and !",
            )],
        ),
        ("empty", vec![basic("kept secret", "")]),
        ("of nobody", vec![basic("nobody", SECRET)]),
        ("of a public app", vec![basic("app", "")]),
        ("no Base64", vec![("Authorization", "Basic !".to_owned())]),
        (
            "no colon",
            vec![("Authorization", format!("Basic {}", STANDARD.encode("x")))],
        ),
        (
            "cut",
            vec![("Authorization", format!("Basic {}", STANDARD.encode("kept%2:x")))],
        ),
    ];
    for (name, headers) in wrong {
        let mut sent = form("/auth/token", &pairs);
        for header in headers {
            sent = sent.insert_header(header);
        }
        refused(&ask(&server, sent).await, 401, "invalid_client", name);
    }
    // By its id alone, or with the secret in the form, it is nobody.
    for more in [
        vec![("client_id", "kept secret")],
        vec![("client_id", "kept secret"), ("client_secret", SECRET)],
    ] {
        let answer = ask(&server, form("/auth/token", &exchange(&code, &more))).await;
        refused(&answer, 401, "invalid_client", "by id");
    }
    let other = form("/auth/token", &exchange(&code, &[])).insert_header(basic("kept secret", SECRET));
    refused(
        &ask(&server, other).await,
        400,
        "invalid_request",
        "as two clients",
    );
    let good = form("/auth/token", &pairs).insert_header(basic("kept secret", SECRET));
    let answer = ask(&server, good).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let got = answer.json();
    assert_eq!(reads(&server, &got, "Patient/p1").await, 200);
    let refresh = [
        ("grant_type", "refresh_token"),
        ("refresh_token", got["refresh_token"].as_str().unwrap()),
    ];
    let sent = || form("/auth/token", &refresh);
    refused(
        &ask(&server, sent()).await,
        401,
        "invalid_client",
        "a refresh without",
    );
    assert_eq!(
        ask(&server, sent().insert_header(basic("kept secret", SECRET)))
            .await
            .status,
        200
    );
    let asked = form(
        "/auth/introspect",
        &[("token", got["access_token"].as_str().unwrap())],
    );
    let told = ask(&server, asked.insert_header(basic("kept secret", SECRET))).await;
    assert_eq!(told.json()["active"], true);
}

#[actix_web::test]
async fn a_secret_is_not_enough_for_a_program_for_itself() {
    let (_folder, server) = with_secret().await;
    let pairs = [("grant_type", "client_credentials"), ("scope", "system/*.rs")];
    let sent = form("/auth/token", &pairs).insert_header(basic("kept secret", SECRET));
    refused(
        &ask(&server, sent).await,
        401,
        "invalid_client",
        "a program for itself",
    );
}

#[actix_web::test]
async fn a_secret_that_others_read_or_guess_is_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    std::fs::write(&path, "short").unwrap();
    let opened = async |mode: u32| {
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        }
        let mut config = sandbox();
        config.authority.enabled = true;
        let mut app = AppConfig::new("a", Vec::new());
        app.secret_file = Some(path.clone());
        config.authority.apps.push(app);
        let built = FhirServer::builder()
            .config(config)
            .policy(PermitAll)
            .people(people());
        let store = Arc::new(MemoryStore::new(Arc::new(Fixed)));
        built
            .store(store)
            .build()
            .await
            .err()
            .map(|error| error.to_string())
    };
    assert!(opened(0o600).await.unwrap().contains("32 characters"));
    assert!(opened(0o644).await.unwrap().contains("chmod 600"));
}
