//! Where paths lead, and what is said where they lead nowhere.

use super::*;

#[actix_web::test]
async fn a_path_that_leads_nowhere_is_explained() {
    let server = server().await;
    for (path, status, word) in [
        ("/fhir/patient", 404, "Patient"),
        ("/fhir/Patients/1", 404, "Patient"),
        ("/fhir/Nonsense", 404, "Nonsense"),
        ("/fhir/Patient/1/2/3", 404, "_history"),
        ("/fhir/Patient//1", 404, "two slashes"),
        ("/fhir/Patient/a_b", 400, "a_b"),
        ("/fhir/Patient/a%00b", 400, "control"),
        ("/fhir/Patient/%2e%2e/metadata", 400, ".."),
        ("/fhir/Patient/%ff", 400, "UTF-8"),
        ("/fhir/Patient/$everything", 501, "$everything"),
        ("/fhir/Patient/1/Observatoin", 404, "Observation"),
        ("/fhir/Patient?_format=json&_format=xml", 400, "_format"),
        ("/fhir/Patient?a=%zz", 400, "%25"),
    ] {
        let answer = send(&server, get(path)).await;
        assert_eq!(answer.checked(), status, "{path}: {}", answer.text());
        assert!(answer.text().contains(word), "{path}: {}", answer.text());
    }
}

#[actix_web::test]
async fn a_method_that_a_path_has_not_is_405_with_allow() {
    let server = server().await;
    for (method, path, allow) in [
        ("PATCH", "/fhir/Patient/1", "GET, HEAD, PUT, DELETE, OPTIONS"),
        ("POST", "/fhir/Patient/1", "GET, HEAD, PUT, DELETE, OPTIONS"),
        ("PATCH", "/fhir/Patient", "GET, HEAD, POST, PUT, DELETE, OPTIONS"),
        ("PUT", "/fhir/metadata", "GET, HEAD, OPTIONS"),
        ("GET", "/fhir/Patient/_search", "POST, OPTIONS"),
        ("TRACE", "/fhir", "GET, HEAD, POST, OPTIONS"),
        ("BREW", "/fhir/Patient/1", "GET, HEAD, PUT, DELETE, OPTIONS"),
    ] {
        let answer = send(&server, request(method, path)).await;
        assert_eq!(
            (answer.checked(), answer.header("allow")),
            (405, allow),
            "{method} {path}"
        );
    }
}

#[actix_web::test]
async fn a_method_override_is_not_one() {
    let server = with_patient().await;
    for header in ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"] {
        let request = get("/fhir/Patient/p1?_method=DELETE").insert_header((header, "DELETE"));
        assert_eq!(send(&server, request).await.checked(), 200);
    }
    assert_eq!(send(&server, get("/fhir/Patient/p1")).await.checked(), 200);
}

#[actix_web::test]
async fn the_server_stands_under_any_scope_and_says_so_in_its_links() {
    let server = server().await;
    let app = App::new().service(actix_web::web::scope("/a/b").configure(|app| server.configure(app)));
    let app = init_service(app).await;
    let answer = send_to(&app, with_json("PUT", "/a/b/fhir/Patient/p1", PATIENT)).await;
    assert_eq!(answer.checked(), 201);
    assert_eq!(
        answer.header("location"),
        "http://localhost:8080/a/b/fhir/Patient/p1/_history/1"
    );
}

#[actix_web::test]
async fn a_search_by_form_is_a_search_by_query() {
    let server = with_patient().await;
    let form = |body: &'static str| {
        request("POST", "/fhir/Patient/_search")
            .insert_header(("Content-Type", "application/x-www-form-urlencoded"))
            .set_payload(body)
    };
    let answer = send(&server, form("_id=p1")).await;
    assert_eq!(
        (answer.checked(), &answer.json()["total"]),
        (200, &Value::from(1))
    );
    let answer = send(&server, form("_id=other&_format=xml")).await;
    assert_eq!(answer.checked(), 200);
    assert!(
        answer.text().contains("<total value=\"0\"/>"),
        "{}",
        answer.text()
    );
    assert_eq!(
        send(&server, request("POST", "/fhir/Patient/_search?_id=p1"))
            .await
            .json()["total"],
        1
    );
    assert_eq!(
        send(&server, with_json("POST", "/fhir/Patient/_search", "{}"))
            .await
            .checked(),
        415
    );
}

#[actix_web::test]
async fn a_bundle_goes_to_the_base() {
    let server = server().await;
    let entry = r#"{"resource":{"resourceType":"Patient"},"request":{"method":"POST","url":"Patient"}}"#;
    let bundle = format!(r#"{{"resourceType":"Bundle","type":"transaction","entry":[{entry}]}}"#);
    for path in ["/fhir", "/fhir/"] {
        let answer = send(&server, with_json("POST", path, &bundle)).await;
        assert_eq!(answer.checked(), 200, "{}", answer.text());
        assert_eq!(answer.json()["type"], "transaction-response");
    }
    assert_eq!(
        send(&server, get("/fhir?_summary=count")).await.json()["total"],
        2
    );
}
