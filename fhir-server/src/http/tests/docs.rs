//! `/openapi.json` and `/docs`; and that what the document promises is what the server does.

use std::collections::BTreeMap;

use super::*;
use actix_web::web;

const SANDBOX: [&str; 5] = [
    include_str!("../../../sandbox/1-organisations.json"),
    include_str!("../../../sandbox/2-patients.json"),
    include_str!("../../../sandbox/3-records.json"),
    include_str!("../../../sandbox/4-bookings.json"),
    include_str!("../../../sandbox/5-consents.json"),
];

async fn send_docs(request: TestRequest) -> Answer {
    let server = server().await;
    let app = init_service(App::new().configure(|app| server.configure_docs(app))).await;
    send_to(&app, request).await
}

#[actix_web::test]
async fn the_document_served_is_the_one_committed() {
    let answer = send_docs(get("/openapi.json")).await;
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, "application/json")
    );
    assert_eq!(answer.text(), include_str!("../../../../openapi/openapi.json"));
    let etag = answer.header("etag").to_owned();
    assert!(etag.starts_with('"') && etag.ends_with('"'), "{etag}");
    let again =
        send_docs(get("/openapi.json").insert_header(("If-None-Match", format!("\"x\", W/{etag}")))).await;
    assert_eq!(
        (again.status, again.body.len(), again.header("etag")),
        (304, 0, etag.as_str())
    );
    let other = send_docs(get("/openapi.json").insert_header(("If-None-Match", "\"x\""))).await;
    assert_eq!(other.status, 200);
}

#[actix_web::test]
async fn the_operation_gives_the_same_document() {
    let server = server().await;
    let app = init_service(App::new().configure(|app| server.configure(app))).await;
    let answer = send_to(&app, get("/fhir/$openapi")).await;
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, "application/json")
    );
    assert_eq!(answer.text(), include_str!("../../../../openapi/openapi.json"));
}

#[actix_web::test]
async fn mounted_in_a_scope_the_document_names_the_base_there() {
    let server = server().await;
    let scope = web::scope("/trust").configure(|app| server.configure_docs(app));
    let app = init_service(App::new().service(scope)).await;
    let answer = send_to(&app, get("/trust/openapi.json")).await;
    assert_eq!(answer.json()["servers"][0]["url"], "/trust/fhir");
    let page = send_to(&app, get("/trust/docs/")).await;
    assert_eq!(page.status, 200);
}

#[actix_web::test]
async fn the_page_and_its_files_are_served_and_nothing_else() {
    let to_page = send_docs(get("/docs")).await;
    assert_eq!((to_page.status, to_page.header("location")), (307, "docs/"));
    for (path, content_type) in [
        ("/docs/", "text/html; charset=utf-8"),
        ("/docs/start.js", "text/javascript; charset=utf-8"),
        ("/docs/swagger-ui-bundle.js", "text/javascript"),
        ("/docs/swagger-ui.css", "text/css"),
        ("/docs/favicon-32x32.png", "image/png"),
    ] {
        let answer = send_docs(get(path)).await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (200, content_type),
            "{path}"
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert!(!answer.body.is_empty(), "{path}");
    }
    for path in [
        "/docs/oauth2-redirect.html",
        "/docs/index.html",
        "/docs/swagger-initializer.js",
        "/docs/..%2fx",
        "/docs/a/b",
    ] {
        assert_eq!(send_docs(get(path)).await.status, 404, "{path}");
    }
    assert_eq!(send_docs(request("POST", "/docs/")).await.status, 405);
}

#[actix_web::test]
async fn packed_files_are_unpacked_for_those_who_do_not_take_them() {
    let plain = send_docs(get("/docs/swagger-ui.css")).await;
    assert_eq!(plain.header("content-encoding"), "");
    assert!(plain.text().contains(".swagger-ui"));
    let packed = send_docs(get("/docs/swagger-ui.css").insert_header(("Accept-Encoding", "br, gzip"))).await;
    assert_eq!(packed.header("content-encoding"), "gzip");
    assert!(packed.body.len() < plain.body.len());
}

#[actix_web::test]
async fn the_page_stays_on_this_host() {
    for path in ["/docs/", "/docs/start.js"] {
        let answer = send_docs(get(path)).await;
        assert!(
            !answer.text().contains("//cdn")
                && !answer.text().contains("http://")
                && !answer.text().contains("https://")
        );
        let policy = answer.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'") && policy.contains("connect-src 'self'"),
            "{policy}"
        );
        assert!(
            !policy.contains("unsafe-eval") && !policy.contains('*') && !policy.contains("http"),
            "{policy}"
        );
    }
    assert!(
        send_docs(get("/docs/start.js"))
            .await
            .text()
            .contains("validatorUrl: null")
    );
}

/// One operation of the document, with its examples filled in.
struct Trial {
    method: String,
    path: String,
    body: Option<String>,
    /// The answers that the document names, by status.
    responses: BTreeMap<String, Value>,
}

fn trials(document: &Value) -> Vec<Trial> {
    let mut trials = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item
            .as_object()
            .unwrap()
            .iter()
            .filter(|(name, _)| *name != "servers")
        {
            if item.get("servers").is_some() {
                continue;
            }
            let mut path = path.clone();
            for parameter in operation["parameters"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|p| p["in"] == "path")
            {
                let name = format!("{{{}}}", parameter["name"].as_str().unwrap());
                path = path.replace(&name, parameter["example"].as_str().unwrap());
            }
            let required = operation["parameters"].as_array().unwrap().iter();
            let query: Vec<String> = required
                .filter(|p| p["in"] == "query" && p["required"] == true)
                .map(|p| {
                    format!(
                        "{}={}",
                        p["name"].as_str().unwrap(),
                        p["example"].as_str().unwrap()
                    )
                })
                .collect();
            if !query.is_empty() {
                let query = query
                    .join("&")
                    .replace(' ', "%20")
                    .replace('{', "%7B")
                    .replace('}', "%7D");
                path = format!("{path}?{query}");
            }
            let is_conditional = operation["operationId"]
                .as_str()
                .unwrap()
                .starts_with("conditional");
            let examples = &operation["requestBody"]["content"]["application/fhir+json"]["examples"];
            let examples = examples.as_object().into_iter().flat_map(|e| e.keys().cloned());
            let mut bodies: Vec<Option<String>> = examples
                .map(|name| Some(document["components"]["examples"][name]["value"].to_string()))
                .collect();
            if bodies.is_empty() {
                bodies.push(None);
            }
            let responses: BTreeMap<String, Value> = operation["responses"]
                .as_object()
                .unwrap()
                .clone()
                .into_iter()
                .collect();
            for body in bodies {
                let mut path = path.clone();
                if is_conditional {
                    let resource: Value = serde_json::from_str(body.as_deref().unwrap_or("{}")).unwrap();
                    let known =
                        &document["paths"][format!("{path}/{{id}}")]["get"]["parameters"][0]["example"];
                    let id = match method.as_str() {
                        "patch" => known.as_str(),
                        _ => resource["id"].as_str(),
                    };
                    path = format!("{path}?_id={}", id.unwrap_or("none"));
                }
                trials.push(Trial {
                    method: method.to_uppercase(),
                    path,
                    body,
                    responses: responses.clone(),
                });
            }
        }
    }
    // What deletes goes last.
    trials.sort_by_key(|trial| trial.method == "DELETE");
    trials
}

#[actix_web::test]
async fn every_operation_can_be_tried_in_the_sandbox_and_answers_as_documented() {
    let server = server().await;
    for bundle in SANDBOX {
        assert_eq!(
            send(&server, with_json("POST", "/fhir", bundle)).await.checked(),
            200
        );
    }
    let document: Value = serde_json::from_str(&crate::openapi::document("/fhir").unwrap()).unwrap();
    let trials = trials(&document);
    assert!(trials.len() > 40, "{}", trials.len());
    for Trial {
        method,
        path,
        body,
        responses,
    } in trials
    {
        let request = match &body {
            Some(body) => with_json(&method, &format!("/fhir{path}"), body),
            None if method == "POST" => super::request(&method, &format!("/fhir{path}"))
                .insert_header(("Content-Type", "application/x-www-form-urlencoded")),
            None => super::request(&method, &format!("/fhir{path}")),
        };
        let answer = send(&server, request).await;
        let status = answer.checked().to_string();
        assert!(
            status.starts_with('2'),
            "{method} {path}: {status} {}",
            answer.text()
        );
        let named = responses
            .get(&status)
            .unwrap_or_else(|| panic!("{method} {path}: {status} is not documented"));
        for header in named["headers"]
            .as_object()
            .unwrap()
            .keys()
            .filter(|name| *name != "Preference-Applied")
        {
            assert!(
                answer.headers.contains_key(header),
                "{method} {path} {status}: no {header}"
            );
        }
        let plain = &named["content"]["application/json"]["schema"];
        if !plain.is_null() {
            assert_eq!(
                answer.header("content-type"),
                "application/json",
                "{method} {path}"
            );
            assert!(answer.json().is_object(), "{method} {path}");
            continue;
        }
        let schema = &named["content"]["application/fhir+json"]["schema"];
        assert_eq!(schema.is_null(), answer.body.is_empty(), "{method} {path}");
        if schema.get("$ref").is_none() {
            assert!(
                schema.is_null() || answer.json()["resourceType"].is_string(),
                "{method} {path}"
            );
        } else {
            let schema = serde_json::json!({ "$ref": schema["$ref"], "components": document["components"] });
            let validator = jsonschema::validator_for(&schema).unwrap();
            let wrong: Vec<_> = validator
                .iter_errors(&answer.json())
                .map(|e| e.to_string())
                .take(5)
                .collect();
            assert!(wrong.is_empty(), "{method} {path}: {wrong:?}");
        }
    }
}
