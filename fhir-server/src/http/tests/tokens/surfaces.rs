//! What a scope with a search hides stays hidden on every surface (S-024), on SQLite; and what each letter lets a client write (S-027).

use super::*;
use crate::store::{DatabaseUrl, StoreOptions, open};

/// A server with a patient who has a laboratory result and a vital sign, the second with a canary in it.
pub(super) async fn with_results() -> (tempfile::TempDir, FhirServer) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jwks.json");
    std::fs::write(&path, jwks().to_string()).unwrap();
    let mut config = Config::default();
    config.listen.public_base_url = Some(BASE.into());
    config.interactions.update_as_create = Some(true);
    config.tokens.issuers.push(IssuerConfig::new(ISSUER, path));
    let url = DatabaseUrl::Sqlite(folder.path().join("scopes.sqlite"));
    let builder = FhirServer::builder().config(config).policy(PermitAll);
    let builder = builder.store(open(&url, &StoreOptions::default()).unwrap());
    let server = builder.clock(Arc::new(Fixed)).build().await.unwrap();
    let observation = |id: &str, category: &str, code: &str, value: u32| {
        format!(
            r#"{{"resourceType":"Observation","id":"{id}","status":"final","category":[{{"coding":[{{"code":"{category}"}}]}}],
            "code":{{"coding":[{{"code":"{code}"}}]}},"subject":{{"reference":"Patient/p1"}},"effectiveDateTime":"2026-01-01",
            "valueQuantity":{{"value":{value}}}}}"#
        )
    };
    let report = r#"{"resourceType":"DiagnosticReport","id":"d1","status":"final","code":{"text":"x"},
        "subject":{"reference":"Patient/p1"},"result":[{"reference":"Observation/lab"},{"reference":"Observation/vital"}]}"#;
    for (path, body) in [
        ("Patient/p1", PATIENT.to_owned()),
        ("Observation/lab", observation("lab", "laboratory", "visible", 1)),
        (
            "Observation/vital",
            observation("vital", "vital-signs", "canary", 42),
        ),
        ("DiagnosticReport/d1", report.to_owned()),
    ] {
        let put = with_token(
            with_json("PUT", &format!("/fhir/{path}"), &body),
            &of("user/*.cruds", None),
        );
        assert_eq!(send(&server, put).await.checked(), 201, "{path}");
    }
    (folder, server)
}

/// A token of those scopes.
pub(super) fn of(scope: &str, patient: Option<&str>) -> String {
    let mut claims = with("scope", Some(json!(scope)));
    if let Some(patient) = patient {
        claims["patient"] = json!(patient);
    }
    RSA.sign(&header(), &claims)
}

/// Every way to the vital sign, and whether the answer is an error where it cannot be seen.
const SURFACES: &[&str] = &[
    "Observation/vital",
    "Observation/vital/_history/1",
    "Observation/vital/_history",
    "Observation/_history",
    "Observation?subject=Patient/p1&_total=accurate",
    "Observation?_id=vital",
    "Observation?code=canary",
    "Observation?_summary=count",
    "Observation?_sort=-value-quantity",
    "Observation?category:not=laboratory",
    "Observation?_filter=code%20eq%20canary",
    "DiagnosticReport?_include=DiagnosticReport:result",
    "DiagnosticReport?_include=*",
    "DiagnosticReport?result.code=canary",
    "DiagnosticReport?result.value-quantity=gt41",
    "Patient?_revinclude=Observation:subject",
    "Patient?_has:Observation:subject:code=canary",
    "Patient?_has:Observation:subject:value-quantity=gt41",
    "Patient/p1/Observation",
    "Patient/p1/$everything",
    "Observation/$lastn?patient=Patient/p1&max=5",
];

/// What the answer tells of the vital sign: its text, or a number of matches with it.
fn tells(answer: &Answer) -> (u16, String) {
    let text = match answer.status {
        200 => {
            let json = answer.json();
            let ids = json["entry"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|e| e["resource"]["id"].to_string());
            format!("{} {}", json["total"], ids.collect::<Vec<_>>().join(","))
        }
        _ => String::new(),
    };
    (answer.status, text)
}

#[actix_web::test]
async fn s_024_what_a_restricted_scope_hides_is_hidden_on_every_surface() {
    let (_folder, server) = with_results().await;
    let rest = "user/Patient.rs user/DiagnosticReport.rs";
    let ask =
        async |token: &str, path: &str| send(&server, with_token(get(&format!("/fhir/{path}")), token)).await;
    let all = of(&format!("{rest} user/Observation.rs"), None);
    let restricted = [
        (format!("{rest} user/Observation.rs?category=laboratory"), None),
        (format!("{rest} user/Observation.rs?code=visible"), None),
        (format!("{rest} user/Observation.rs?_id=lab"), None),
        (
            format!("{rest} user/Observation.rs?category=laboratory&status=final"),
            None,
        ),
        (
            format!("{rest} user/Observation.rs?category=laboratory user/Observation.rs?category=survey"),
            None,
        ),
        (
            format!("{rest} patient/Observation.rs?category=laboratory"),
            Some("p1"),
        ),
    ];
    for (scopes, patient) in &restricted {
        let token = of(scopes, *patient);
        for path in SURFACES {
            let open = ask(&all, path).await;
            let hidden = ask(&token, path).await;
            let text = hidden.text();
            assert!(
                !text.contains("\"canary\"") && !text.contains("\"vital\""),
                "{scopes}: {path}: {text}"
            );
            assert_ne!(
                tells(&open),
                tells(&hidden),
                "{path} does not show the difference"
            );
        }
        for path in [
            "Observation/lab",
            "Observation?code=visible",
            "Patient?_has:Observation:subject:code=visible",
        ] {
            let answer = ask(&token, path).await;
            assert_eq!(answer.checked(), 200, "{scopes}: {path}");
            assert!(
                answer.text().contains("\"lab\"") || answer.json()["total"] == 1,
                "{scopes}: {path}"
            );
        }
        let none = ask(&token, "Observation/never").await;
        let hidden = ask(&token, "Observation/vital").await;
        assert_eq!(
            (none.status, none.text().replace("never", "vital")),
            (hidden.status, hidden.text().to_owned())
        );
        let unchanged = get("/fhir/Observation/vital").insert_header(("If-None-Match", "W/\"1\""));
        assert_eq!(send(&server, with_token(unchanged, &token)).await.checked(), 404);
        let batch = r#"{"resourceType":"Bundle","type":"batch","entry":[
            {"request":{"method":"GET","url":"Observation/vital"}},
            {"request":{"method":"GET","url":"Observation?code=canary"}}]}"#;
        let answer = send(&server, with_token(with_json("POST", "/fhir/", batch), &token))
            .await
            .json();
        assert_eq!(
            answer["entry"][0]["response"]["status"], "404 Not Found",
            "{scopes}"
        );
        assert_eq!(answer["entry"][1]["resource"]["total"], 0, "{scopes}");
    }
}

#[actix_web::test]
async fn s_025_one_more_scope_never_hides_anything_and_one_less_never_shows_more() {
    let (_folder, server) = with_results().await;
    let scopes = [
        "user/Observation.rs?category=laboratory",
        "user/Observation.s?category=vital-signs",
        "user/Observation.rs?unknown=1",
        "patient/Observation.rs",
        "user/Patient.r",
        "user/*.s?_id=lab",
        "user/Observation.sr",
    ];
    let mut seen = Vec::new();
    for set in 0..1_u32 << scopes.len() {
        let some = (0..scopes.len())
            .filter(|place| set & 1 << place != 0)
            .map(|place| scopes[place]);
        let token = of(&some.collect::<Vec<_>>().join(" "), Some("p1"));
        let answer = send(&server, with_token(get("/fhir/Observation"), &token)).await;
        let ids: Vec<String> = match answer.checked() {
            200 => answer.json()["entry"]
                .as_array()
                .unwrap_or(&Vec::new())
                .iter()
                .map(|e| e["resource"]["id"].to_string())
                .collect(),
            403 => Vec::new(),
            other => panic!("{other}"),
        };
        seen.push((set, ids));
    }
    for (set, ids) in &seen {
        for (larger, more) in seen.iter().filter(|(larger, _)| larger & set == *set) {
            assert!(
                ids.iter().all(|id| more.contains(id)),
                "{set:b} within {larger:b}"
            );
        }
    }
    assert!(seen.iter().any(|(_, ids)| ids.len() == 2) && seen.iter().any(|(_, ids)| ids.len() == 1));
}

#[actix_web::test]
async fn s_027_each_letter_writes_what_it_says_and_discloses_nothing() {
    let (_folder, server) = with_results().await;
    let body = |id: &str| PATIENT.replace("p1", id);
    let post = with_json("POST", "/fhir/Patient", &body("x"));
    let asked =
        async |scope: &str, request: TestRequest| send(&server, with_token(request, &of(scope, None))).await;
    assert_eq!(asked("user/Patient.c", post).await.checked(), 201);
    for (scope, method, path, status) in [
        ("user/Patient.c", "PUT", "/fhir/Patient/p1", 403),
        ("user/Patient.c", "PUT", "/fhir/Patient/new-1", 403),
        ("user/Patient.u", "PUT", "/fhir/Patient/new-2", 201),
        ("user/Patient.u", "PUT", "/fhir/Patient/p1", 200),
        ("user/Patient.rs", "PUT", "/fhir/Patient/p1", 403),
        ("user/Patient.d", "PUT", "/fhir/Patient/p1", 403),
        ("user/Patient.crus", "DELETE", "/fhir/Patient/new-2", 403),
        ("user/Patient.d", "DELETE", "/fhir/Patient/new-2", 204),
        ("user/Patient.crus", "DELETE", "/fhir/Patient?_id=p1", 403),
    ] {
        let id = path.rsplit('/').next().unwrap();
        let answer = asked(scope, with_json(method, path, &body(id))).await;
        assert_eq!(answer.checked(), status, "{scope} {method} {path}");
    }
    let patch = || {
        request("PATCH", "/fhir/Patient/p1")
            .insert_header(("Content-Type", "application/json-patch+json"))
            .set_payload(r#"[{"op":"replace","path":"/active","value":false}]"#)
    };
    assert_eq!(asked("user/Patient.crds", patch()).await.checked(), 403);
    assert_eq!(asked("user/Patient.ru", patch()).await.checked(), 200);
    // Who may create and not read learns nothing of what is there (CVE-2026-113876).
    let conditional = |name: &str| {
        with_json("POST", "/fhir/Patient", &body("y"))
            .insert_header(("If-None-Exist", format!("name={name}")))
    };
    let there = asked("user/Patient.c", conditional("Smith")).await;
    let nowhere = asked("user/Patient.c", conditional("Nobody")).await;
    assert_eq!(
        (there.checked(), there.text()),
        (nowhere.checked(), nowhere.text())
    );
    assert!(!there.headers.contains_key("location") && !there.headers.contains_key("etag"));
}
