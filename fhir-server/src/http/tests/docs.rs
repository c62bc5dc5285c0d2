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
    assert!(
        answer.text() == include_str!("../../../../openapi/openapi.json"),
        "run `cargo xtask openapi`"
    );
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
async fn the_schema_of_each_type_is_served_as_validation_asks_it() {
    for name in ["Patient", "Bundle", "Parameters"] {
        let answer = send_docs(get(&format!("/schemas/{name}.json"))).await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (200, "application/schema+json")
        );
        let published = fhir_validate::schema::published(name).unwrap().unwrap();
        assert_eq!(answer.json(), serde_json::to_value(&published).unwrap());
        let schema = jsonschema::validator_for(&answer.json()).unwrap();
        assert!(
            schema.is_valid(&serde_json::json!({ "resourceType": name, "id": "a", "type": "batch" }))
                == (name == "Bundle")
        );
    }
    for unknown in [
        "patient",
        "Hospital",
        "HumanName",
        "Patient.contact",
        "..%2fPatient",
    ] {
        assert_eq!(
            send_docs(get(&format!("/schemas/{unknown}.json"))).await.status,
            404,
            "{unknown}"
        );
    }
    let answer = send_docs(get("/schemas/Patient.json")).await;
    let again =
        send_docs(get("/schemas/Patient.json").insert_header(("If-None-Match", answer.header("etag")))).await;
    assert_eq!((again.status, again.body.len()), (304, 0));
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
    assert!(
        answer.text() == include_str!("../../../../openapi/openapi.json"),
        "run `cargo xtask openapi`"
    );
}

#[actix_web::test]
async fn every_type_has_a_document_served_and_given_by_the_operation() {
    let server = server().await;
    let app = init_service(App::new().configure(|app| {
        server.configure(app);
        server.configure_docs(app);
    }))
    .await;
    let served = send_to(&app, get("/openapi/Observation.json")).await;
    assert_eq!(
        (served.status, served.header("content-type")),
        (200, "application/json")
    );
    let document = served.json();
    assert!(document["paths"]["/Observation/{id}"]["get"].is_object());
    assert_eq!(document["servers"][0]["url"], "/fhir");
    let given = send_to(&app, get("/fhir/Observation/$openapi")).await;
    assert_eq!((given.status, given.text()), (200, served.text()));
    let etag = served.header("etag").to_owned();
    let again = send_to(
        &app,
        get("/openapi/Observation.json").insert_header(("If-None-Match", etag)),
    )
    .await;
    assert_eq!(again.status, 304);
    for strange in [
        "/openapi/observation.json",
        "/openapi/Observations.json",
        "/openapi/%2e%2e.json",
    ] {
        assert_eq!(send_to(&app, get(strange)).await.status, 404, "{strange}");
    }
}

#[actix_web::test]
async fn mounted_in_a_scope_the_document_names_the_base_there() {
    let server = server().await;
    let scope = web::scope("/trust").configure(|app| server.configure_docs(app));
    let app = init_service(App::new().service(scope)).await;
    let answer = send_to(&app, get("/trust/openapi.json")).await;
    assert_eq!(answer.json()["servers"][0]["url"], "/trust/fhir");
    let answer = send_to(&app, get("/trust/openapi/Basic.json")).await;
    assert_eq!(answer.json()["servers"][0]["url"], "/trust/fhir");
    let page = send_to(&app, get("/trust/docs/")).await;
    assert_eq!(page.status, 200);
}

const PAGES: [&str; 13] = [
    "",
    "tutorial",
    "reference",
    "scenarios",
    "records",
    "errors",
    "tokens",
    "consent",
    "audit",
    "validation",
    "operations",
    "configuration",
    "status",
];

#[actix_web::test]
async fn the_pages_and_their_files_are_served_and_nothing_else() {
    let to_page = send_docs(get("/docs")).await;
    assert_eq!((to_page.status, to_page.header("location")), (307, "docs/"));
    for page in PAGES {
        let answer = send_docs(get(&format!("/docs/{page}"))).await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (200, "text/html; charset=utf-8"),
            "{page}"
        );
        assert_eq!(answer.text().matches("<h1").count(), 1, "{page}");
        assert!(!answer.text().contains("{{"), "{page}");
    }
    for (path, content_type) in [
        ("/docs/site.css", "text/css; charset=utf-8"),
        ("/docs/records.js", "text/javascript; charset=utf-8"),
        ("/docs/search.json", "application/json"),
    ] {
        let answer = send_docs(get(path)).await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (200, content_type),
            "{path}"
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        let tag = answer.header("etag").to_owned();
        let again = send_docs(get(path).insert_header(("If-None-Match", tag))).await;
        assert_eq!((again.status, again.body.len()), (304, 0), "{path}");
    }
    for path in ["/docs/index.html", "/docs/..%2fx", "/docs/a/b"] {
        assert_eq!(send_docs(get(path)).await.status, 404, "{path}");
    }
    assert_eq!(send_docs(request("POST", "/docs/")).await.status, 405);
}

#[actix_web::test]
async fn the_links_inside_the_site_lead_somewhere() {
    let operations = send_docs(get("/openapi.json")).await.json().to_string();
    for page in PAGES {
        let answer = send_docs(get(&format!("/docs/{page}"))).await;
        for link in answer.text().split("href=\"").skip(1) {
            let target = link.split('"').next().unwrap();
            let inside = !target.contains(':') && !target.starts_with("../");
            if !inside {
                continue;
            }
            let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
            let path = match path {
                "" => page,
                "./" => "",
                path => path,
            };
            let there = send_docs(get(&format!("/docs/{path}"))).await;
            assert_eq!(there.status, 200, "{page}: {target}");
            // The reference makes its parts from the document.
            let made = path == "reference" && operations.contains(&format!("\"operationId\":\"{anchor}\""));
            let is_there = anchor.is_empty() || made || there.text().contains(&format!("id=\"{anchor}\""));
            assert!(is_there, "{page}: {target}");
        }
    }
}

#[actix_web::test]
async fn search_finds_each_guide() {
    let index = send_docs(get("/docs/search.json")).await.json();
    for page in PAGES {
        let parts = index.as_array().unwrap();
        assert!(parts.iter().any(|part| part["page"] == page), "{page}");
    }
}

#[actix_web::test]
async fn every_error_of_the_catalogue_has_its_place_on_the_page() {
    let page = send_docs(get("/docs/errors")).await.text().to_owned();
    let entries = send_docs(get("/docs/errors.json")).await.json();
    for entry in entries.as_array().unwrap() {
        let id = entry["id"].as_str().unwrap();
        assert!(page.contains(&format!("<section id=\"{id}\">")), "{id}");
    }
}

#[actix_web::test]
async fn the_pages_stay_on_this_host() {
    for page in PAGES {
        let answer = send_docs(get(&format!("/docs/{page}"))).await;
        for load in ["src=\"http", "src=\"//", "<link rel=\"stylesheet\" href=\"http"] {
            assert!(!answer.text().contains(load), "{page}");
        }
        let policy = answer.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'") && policy.contains("connect-src 'self'"),
            "{policy}"
        );
        assert!(
            !policy.contains("unsafe") && !policy.contains('*') && !policy.contains("http"),
            "{policy}"
        );
    }
}

/// One operation of the document, with its examples filled in.
struct Trial {
    method: String,
    path: String,
    body: Option<String>,
    /// Whether it takes a scope that nobody has without a token.
    needs_scope: bool,
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
            // The sandbox asks for no token, but for what takes a scope of its own.
            let security = operation["security"].as_array();
            let needs_scope = security.is_some_and(|ways| !ways.contains(&serde_json::json!({})));
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
                    needs_scope,
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
    let document: Value = serde_json::from_str(&crate::openapi::document("/fhir").unwrap()).unwrap();
    assert!(tried(&filled().await, &document).await > 40);
}

#[actix_web::test]
async fn what_other_types_offer_can_be_tried_where_the_sandbox_has_them() {
    let mut types = std::collections::BTreeSet::new();
    for bundle in SANDBOX {
        let bundle: Value = serde_json::from_str(bundle).unwrap();
        let entries = bundle["entry"].as_array().unwrap();
        types.extend(
            entries
                .iter()
                .map(|e| e["resource"]["resourceType"].as_str().unwrap().to_owned()),
        );
    }
    assert!(types.len() > 10, "{types:?}");
    let server = filled().await;
    for name in types {
        let resource_type = crate::store::ResourceType::from_name(&name).unwrap();
        let document = crate::openapi::document_of("/fhir", resource_type).unwrap();
        assert!(
            tried(&server, &serde_json::from_str(&document).unwrap()).await > 20,
            "{name}"
        );
    }
}

/// A server with the sandbox's records.
async fn filled() -> FhirServer {
    let server = server().await;
    for bundle in SANDBOX {
        assert_eq!(
            send(&server, with_json("POST", "/fhir", bundle)).await.checked(),
            200
        );
    }
    server
}

/// Tries everything of a document; how much that is.
async fn tried(server: &FhirServer, document: &Value) -> usize {
    let trials = trials(document);
    let count = trials.len();
    for Trial {
        method,
        path,
        body,
        needs_scope,
        responses,
    } in trials
    {
        let request = match &body {
            Some(body) => with_json(&method, &format!("/fhir{path}"), body),
            None if method == "POST" => super::request(&method, &format!("/fhir{path}"))
                .insert_header(("Content-Type", "application/x-www-form-urlencoded")),
            None => super::request(&method, &format!("/fhir{path}")),
        };
        let answer = send(server, request).await;
        let status = answer.checked().to_string();
        assert!(
            if needs_scope {
                status == "403"
            } else {
                status.starts_with('2')
            },
            "{method} {path}: {status} {}",
            answer.text()
        );
        let named = responses
            .get(&status)
            .unwrap_or_else(|| panic!("{method} {path}: {status} is not documented"));
        if needs_scope {
            continue;
        }
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
    count
}
