//! Weaknesses that other servers had, a test each: the four of HAPI FHIR of October 2026 (CVE-2026-113873 to -113876; that of tenants is in
//! `tests/tenants.rs`), its issue 6065, and those of the Microsoft FHIR server (pull requests 5688, 5683, 5817 and 5788, issue 674).

use std::io::Write;
use std::net::TcpListener;

use super::surfaces::{of, with_results};
use super::*;

async fn asked(server: &FhirServer, scope: &str, patient: Option<&str>, url: &str) -> Answer {
    send(
        server,
        with_token(get(&format!("/fhir/{url}")), &of(scope, patient)),
    )
    .await
}

#[actix_web::test]
async fn cve_2026_113873_a_small_body_that_inflates_without_end_is_refused_as_it_grows() {
    let (_folder, server) = with_results().await;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..256 {
        packed.write_all(&[b' '; 1 << 20]).unwrap();
    }
    let packed = packed.finish().unwrap();
    assert!(packed.len() < 1 << 20, "{}", packed.len());
    let post = || {
        request("POST", "/fhir/Patient")
            .insert_header(("Content-Type", "application/fhir+json"))
            .insert_header(("Content-Encoding", "gzip"))
            .set_payload(packed.clone())
    };
    // Who has no token is refused before a byte of it is inflated.
    assert_eq!(send(&server, post()).await.checked(), 401);
    let answer = send(&server, with_token(post(), &of("user/*.cruds", None))).await;
    assert_eq!(answer.checked(), 413);
}

const SUBSCRIPTION: &str = r#"{"resourceType":"Subscription","id":"s1","status":"requested","reason":"x",
    "criteria":"Observation?code=canary","channel":{"type":"rest-hook","endpoint":"ENDPOINT","payload":"application/fhir+json"},
    "extension":[{"url":"https://example.org/x","valueDecimal":1.50}]}"#;

#[actix_web::test]
async fn cve_2026_113875_a_subscription_is_stored_switched_off_and_sends_nothing() {
    let (_folder, server) = with_results().await;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let endpoint = format!("http://{}/hook", listener.local_addr().unwrap());
    let body = SUBSCRIPTION.replace("ENDPOINT", &endpoint);
    let everything = of("user/*.cruds", None);
    let told = async |request: TestRequest| {
        let request = request.insert_header(("Prefer", "return=OperationOutcome"));
        send(&server, with_token(request, &everything)).await
    };
    let is_off = async |url: &str| {
        let read = send(&server, with_token(get(url), &everything)).await;
        assert_eq!(
            (read.checked(), &read.json()["status"]),
            (200, &json!("off")),
            "{url}"
        );
        assert!(read.text().contains("1.50"), "{}", read.text());
    };
    let warns = |answer: &Answer| {
        let issues = answer.json()["issue"].as_array().cloned().unwrap_or_default();
        issues.iter().any(|issue| {
            issue["severity"] == "warning"
                && issue["diagnostics"]
                    .as_str()
                    .unwrap_or_default()
                    .contains("does not deliver")
        })
    };
    let put = told(with_json("PUT", "/fhir/Subscription/s1", &body)).await;
    assert!(put.checked() == 201 && warns(&put), "{}", put.text());
    is_off("/fhir/Subscription/s1").await;
    let again = told(with_json(
        "PUT",
        "/fhir/Subscription/s1",
        &body.replace("\"x\"", "\"y\""),
    ))
    .await;
    assert!(again.checked() == 200 && warns(&again), "{}", again.text());
    let post = told(with_json(
        "POST",
        "/fhir/Subscription",
        &body.replace("requested", "active"),
    ))
    .await;
    assert!(post.checked() == 201 && warns(&post), "{}", post.text());
    let location = post
        .header("location")
        .trim_start_matches("https://fhir.example")
        .to_owned();
    is_off(&location).await;
    let patch = request("PATCH", "/fhir/Subscription/s1")
        .insert_header(("Content-Type", "application/json-patch+json"))
        .set_payload(r#"[{"op":"replace","path":"/status","value":"active"},{"op":"replace","path":"/reason","value":"z"}]"#);
    let patched = told(patch).await;
    assert!(patched.checked() == 200 && warns(&patched), "{}", patched.text());
    for kind in ["transaction", "batch"] {
        let resource: Value = serde_json::from_str(&body.replace("\"s1\"", &format!("\"{kind}\""))).unwrap();
        let bundle = json!({"resourceType": "Bundle", "type": kind, "entry": [{
            "resource": resource, "request": {"method": "PUT", "url": format!("Subscription/{kind}")}}]});
        let sent = send(
            &server,
            with_token(with_json("POST", "/fhir/", &bundle.to_string()), &everything),
        )
        .await;
        assert_eq!(sent.checked(), 200, "{}", sent.text());
        let read = send(
            &server,
            with_token(get(&format!("/fhir/Subscription/{kind}")), &everything),
        )
        .await;
        assert_eq!(read.json()["status"], "off", "{kind}");
    }
    is_off("/fhir/Subscription/s1").await;
    let found = asked(
        &server,
        "user/*.cruds",
        None,
        "Subscription?status=requested,active,error&_summary=count",
    )
    .await;
    assert_eq!(found.json()["total"], 0);
    // What matches is written, and nobody is told.
    let matching = r#"{"resourceType":"Observation","status":"final","code":{"coding":[{"code":"canary"}]},"subject":{"reference":"Patient/p1"}}"#;
    let written = send(
        &server,
        with_token(with_json("POST", "/fhir/Observation", matching), &everything),
    )
    .await;
    assert_eq!(written.checked(), 201);
    actix_web::rt::time::sleep(std::time::Duration::from_millis(300)).await;
    assert!(
        listener.accept().is_err(),
        "the server called the endpoint of a Subscription"
    );
}

#[actix_web::test]
async fn cve_2026_113876_a_conditional_create_gives_nothing_that_its_caller_may_not_read() {
    let (_folder, server) = with_results().await;
    let created = async |scope: &str, condition: &str| {
        let body = PATIENT.replace("\"id\":\"p1\",", "");
        let post = with_json("POST", "/fhir/Patient", &body)
            .insert_header(("If-None-Exist", condition.to_owned()))
            .insert_header(("Prefer", "return=representation"));
        send(&server, with_token(post, &of(scope, None))).await
    };
    for scope in [
        "user/Patient.c",
        "user/Patient.cu",
        "user/Patient.c user/Observation.rs",
    ] {
        let (there, nowhere) = (created(scope, "_id=p1").await, created(scope, "_id=nobody").await);
        assert_eq!(
            (there.checked(), there.text()),
            (nowhere.checked(), nowhere.text()),
            "{scope}"
        );
        for answer in [&there, &nowhere] {
            assert!(
                !answer.headers.contains_key("location") && !answer.headers.contains_key("etag"),
                "{scope}"
            );
            assert!(!answer.text().contains("Smith"), "{scope}");
        }
    }
    // Who may read and search as well is given what there is.
    let there = created("user/Patient.crs", "_id=p1").await;
    assert_eq!(there.checked(), 200);
    assert!(there.text().contains("Smith"));
}

#[actix_web::test]
async fn hapi_6065_no_search_tells_by_what_it_finds_what_may_not_be_read() {
    let (_folder, server) = with_results().await;
    // The vital sign is 42: who could bisect it would see the answers change there.
    for scope in [
        "user/Patient.rs",
        "user/Patient.rs user/Observation.rs?category=laboratory",
    ] {
        for query in [
            "Patient?_has:Observation:patient:value-quantity=gtVALUE",
            "Patient?_has:Observation:patient:code-value-quantity=canary$gtVALUE",
            "Patient?_has:Observation:subject:value-quantity=ltVALUE&_has:Observation:subject:code=canary",
            "Patient?_has:Observation:patient:_has:DiagnosticReport:result:code=VALUE",
            "Patient?_filter=_has:Observation:patient:value-quantity+gt+VALUE",
        ] {
            let mut answers = Vec::new();
            for value in ["10", "41", "43", "1000"] {
                let answer = asked(&server, scope, None, &query.replace("VALUE", value)).await;
                assert!(
                    !answer.text().contains("canary") || query.contains("canary"),
                    "{scope} {query}"
                );
                let found = serde_json::from_slice::<Value>(&answer.body).unwrap();
                answers.push((
                    answer.status,
                    found["total"].clone(),
                    found["entry"].as_array().map(Vec::len),
                ));
            }
            answers.dedup();
            assert_eq!(answers.len(), 1, "{scope} {query}: {answers:?}");
        }
    }
    // Whoever may read it finds by it.
    for (value, total) in [("41", 1), ("43", 0)] {
        let query = format!("Patient?_has:Observation:patient:value-quantity=gt{value}");
        let answer = asked(&server, "user/*.rs", None, &query).await;
        assert_eq!(answer.json()["total"], total, "{query}");
    }
}

#[actix_web::test]
async fn microsoft_5688_a_patients_scope_without_a_patient_is_refused_never_unbound() {
    let (_folder, server) = with_results().await;
    for url in [
        "Patient/p1",
        "Patient",
        "Observation",
        "Observation/vital",
        "?_type=Observation",
        "_history",
    ] {
        for patient in [None, Some("")] {
            for user in [
                None,
                Some(json!("Patient/")),
                Some(json!(["Patient/p1"])),
                Some(json!("Practitioner/dr")),
            ] {
                let mut claims = with("fhirUser", user.clone());
                claims["scope"] = json!("patient/*.rs");
                if let Some(patient) = patient {
                    claims["patient"] = json!(patient);
                }
                let request = with_token(get(&format!("/fhir/{url}")), &RSA.sign(&header(), &claims));
                let answer = send(&server, request).await;
                assert!(
                    matches!(answer.checked(), 401 | 403),
                    "{url} {patient:?} {user:?}: {}",
                    answer.text()
                );
                assert!(!answer.text().contains("Smith") && !answer.text().contains("canary"));
            }
        }
    }
}

/// Another patient, and an Observation about him that has `Patient/p1` for its focus.
async fn with_focus(server: &FhirServer) {
    let foreign = r#"{"resourceType":"Observation","id":"foreign","status":"final","code":{"coding":[{"code":"canary"}]},
        "subject":{"reference":"Patient/p2"},"focus":[{"reference":"Patient/p1"}],"hasMember":[{"reference":"Observation/lab"}],
        "performer":[{"reference":"Practitioner/dr"}]}"#;
    let him = PATIENT.replace("p1", "p2").replace("Smith", "canary");
    let doctor = r#"{"resourceType":"Practitioner","id":"dr","active":true}"#;
    let own = r#"{"resourceType":"Observation","id":"own","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/p1"},
        "focus":[{"reference":"Patient/p2"}],"hasMember":[{"reference":"Observation/foreign"}],"performer":[{"reference":"Practitioner/dr"}]}"#;
    for (path, body) in [
        ("Patient/p2", him.as_str()),
        ("Practitioner/dr", doctor),
        ("Observation/foreign", foreign),
        ("Observation/own", own),
    ] {
        let put = with_token(
            with_json("PUT", &format!("/fhir/{path}"), body),
            &of("user/*.cruds", None),
        );
        assert_eq!(send(server, put).await.checked(), 201, "{path}");
    }
}

#[actix_web::test]
async fn microsoft_5683_includes_do_not_lead_out_of_the_compartment() {
    let (_folder, server) = with_results().await;
    with_focus(&server).await;
    for url in [
        "Patient?_id=p1&_revinclude=Observation:focus",
        "Patient?_id=p1&_revinclude=Observation:subject&_revinclude:iterate=Observation:has-member",
        "Observation?_id=own&_include=Observation:focus",
        "Observation?_id=own&_include=Observation:has-member&_include:iterate=Observation:subject",
        "Observation?_id=lab&_revinclude=Observation:has-member",
        "Practitioner?_id=dr&_revinclude=Observation:performer",
        "Observation?_id=own&_include=*",
        "Patient/p1/Observation?_include=Observation:focus&_include=Observation:has-member",
        "Patient/p1/$everything",
    ] {
        let bound = asked(&server, "patient/*.rs", Some("p1"), url).await;
        assert_eq!(bound.checked(), 200, "{url}");
        let entries = bound.json()["entry"].as_array().cloned().unwrap_or_default();
        for entry in &entries {
            let id = entry["resource"]["id"].as_str().unwrap_or_default();
            assert!(!matches!(id, "p2" | "foreign"), "{url}");
        }
        if url != "Patient/p1/$everything" {
            let free = asked(&server, "user/*.rs", None, url)
                .await
                .text()
                .contains("canary");
            assert!(free, "{url}: reaches nothing that the test is about");
        }
    }
}

#[actix_web::test]
async fn microsoft_5817_a_restriction_that_cannot_be_evaluated_grants_nothing() {
    let (_folder, server) = with_results().await;
    for restriction in [
        "no-such-parameter=x",
        "category:no-modifier=laboratory",
        "subject:Patient.name=Smith",
        "_has:DiagnosticReport:result:status=final",
        "_filter=category+eq+laboratory",
        "_text=x",
        "_content=x",
        "date=no-date",
    ] {
        let scope = format!("user/Observation.rs?{restriction}");
        for url in [
            "Observation",
            "Observation/vital",
            "Observation/lab",
            "Observation/_history",
        ] {
            for handling in ["handling=lenient", "handling=strict"] {
                let request = get(&format!("/fhir/{url}")).insert_header(("Prefer", handling));
                let answer = send(&server, with_token(request, &of(&scope, None))).await;
                assert_eq!(answer.checked(), 403, "{scope} {url} {handling}");
                assert!(!answer.text().contains("42"), "{scope} {url}");
            }
        }
    }
}

#[actix_web::test]
async fn microsoft_5788_a_search_of_the_whole_server_is_held_to_each_types_scope() {
    let (_folder, server) = with_results().await;
    let scope = "user/Observation.rs?category=laboratory user/Patient.r";
    for (url, ids) in [
        ("?_type=Observation", vec!["lab"]),
        ("?_type=Observation,Patient,DiagnosticReport", vec!["lab"]),
        ("?_lastUpdated=gt2020-01-01", vec!["lab"]),
        ("?_type=Observation&code=canary", vec![]),
    ] {
        let answer = asked(&server, scope, None, url).await;
        assert_eq!(answer.checked(), 200, "{url}: {}", answer.text());
        let found = answer.json();
        let entries = found["entry"].as_array().cloned().unwrap_or_default();
        let matched = entries.iter().filter(|entry| entry["search"]["mode"] == "match");
        let found: Vec<_> = matched
            .filter_map(|entry| entry["resource"]["id"].as_str())
            .collect();
        assert_eq!(found, ids, "{url}");
    }
}

#[actix_web::test]
async fn microsoft_674_a_page_link_that_is_edited_or_not_ones_own_opens_nothing() {
    let (_folder, server) = with_results().await;
    let first = asked(&server, "user/*.rs", None, "Observation?_count=1&_sort=_id")
        .await
        .json();
    let links = first["link"].as_array().unwrap();
    let next = links.iter().find(|link| link["relation"] == "next").unwrap()["url"]
        .as_str()
        .unwrap();
    let next = next
        .strip_prefix(BASE)
        .unwrap()
        .trim_start_matches('/')
        .to_owned();
    assert!(
        asked(&server, "user/*.rs", None, &next)
            .await
            .text()
            .contains("canary")
    );
    // Of a caller who may see less it shows no more than a search of hers would.
    let less = asked(&server, "user/Observation.rs?category=laboratory", None, &next).await;
    assert!(matches!(less.checked(), 200 | 400), "{}", less.status);
    assert!(!less.text().contains("canary"), "{}", less.text());
    let (path, token) = next.split_once("_page=").unwrap();
    for place in (0..token.len()).step_by(3) {
        let mut edited = token.as_bytes().to_vec();
        edited[place] = if edited[place] == b'A' { b'B' } else { b'A' };
        let edited = String::from_utf8(edited).unwrap();
        let answer = asked(&server, "user/*.rs", None, &format!("{path}_page={edited}")).await;
        assert!(
            matches!(answer.checked(), 400 | 410) || answer.json()["entry"] == first["entry"],
            "{place}: {}",
            answer.text()
        );
    }
}
