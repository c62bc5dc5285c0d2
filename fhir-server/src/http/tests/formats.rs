//! JSON and XML, in and out.

use super::*;

#[actix_web::test]
async fn xml_goes_in_and_out() {
    let server = server().await;
    let xml = r#"<Patient xmlns="http://hl7.org/fhir"><id value="x1"/><active value="true"/></Patient>"#;
    let request = request("PUT", "/fhir/Patient/x1")
        .insert_header(("Content-Type", "application/fhir+xml"))
        .insert_header(("Accept", "application/fhir+xml"))
        .set_payload(xml);
    let answer = send(&server, request).await;
    assert_eq!(answer.checked(), 201);
    assert_eq!(
        answer.header("content-type"),
        "application/fhir+xml; charset=utf-8"
    );
    assert!(
        answer.text().contains("<active value=\"true\"/>"),
        "{}",
        answer.text()
    );
    let json = send(
        &server,
        get("/fhir/Patient/x1?_format=json").insert_header(("Accept", "text/xml")),
    )
    .await;
    assert_eq!(json.json()["active"], true);
}

#[actix_web::test]
async fn an_error_comes_in_the_format_asked_for() {
    let server = server().await;
    let answer = send(&server, get("/fhir/Patient/none?_format=xml")).await;
    assert_eq!(answer.checked(), 404);
    assert_eq!(
        answer.header("content-type"),
        "application/fhir+xml; charset=utf-8"
    );
    let answer = send(
        &server,
        get("/fhir/Patient/none").insert_header(("Accept", "application/xml")),
    )
    .await;
    assert!(answer.text().starts_with('<'), "{}", answer.text());
}

#[actix_web::test]
async fn what_cannot_be_given_is_406_before_anything_is_written() {
    let server = server().await;
    for request in [
        with_json("PUT", "/fhir/Patient/p1", PATIENT).insert_header(("Accept", "text/html")),
        with_json("PUT", "/fhir/Patient/p1?_format=html", PATIENT),
        with_json("PUT", "/fhir/Patient/p1", PATIENT)
            .insert_header(("Accept", "application/fhir+json; fhirVersion=5.0")),
    ] {
        assert_eq!(send(&server, request).await.checked(), 406);
    }
    assert_eq!(send(&server, get("/fhir/Patient/p1")).await.checked(), 404);
}

#[actix_web::test]
async fn pretty_lays_out_and_changes_nothing() {
    let server = with_patient().await;
    let plain = send(&server, get("/fhir/Patient/p1")).await;
    let pretty = send(&server, get("/fhir/Patient/p1?_pretty=true")).await;
    assert_eq!(pretty.checked(), 200);
    assert!(pretty.text().lines().count() > 5);
    assert_eq!(fhir_model::json::compact(&pretty.body), plain.body);
    assert!(
        send(&server, get("/fhir/Patient/p1?_pretty=true&_format=xml"))
            .await
            .text()
            .lines()
            .count()
            > 3
    );
}

#[actix_web::test]
async fn the_metadata_lists_what_the_routes_have() {
    let server = server().await;
    let metadata = send(&server, get("/fhir/metadata")).await;
    assert_eq!(metadata.checked(), 200);
    let metadata = metadata.json();
    let codes = |path: &Value| -> Vec<String> {
        path.as_array()
            .unwrap()
            .iter()
            .map(|i| i["code"].as_str().unwrap().to_owned())
            .collect()
    };
    let rest = &metadata["rest"][0];
    let mut offered = codes(&rest["interaction"]);
    let patient = rest["resource"]
        .as_array()
        .unwrap()
        .iter()
        .find(|r| r["type"] == "Patient")
        .unwrap();
    offered.extend(codes(&patient["interaction"]));
    for route in crate::http::routes::ROUTES {
        let code = route.interaction.code();
        assert!(
            matches!(code, "capabilities" | "operation") || offered.iter().any(|o| o == code),
            "{code} is routed and not declared"
        );
    }
    // Operations are declared each by itself.
    assert_eq!(patient["operation"][0]["name"], "diff");
    for code in offered {
        let routed = crate::http::routes::ROUTES
            .iter()
            .any(|r| r.interaction.code() == code);
        assert!(routed || code == "batch", "{code} is declared and not routed");
    }
}

/// JSON can hold characters and narratives that XML cannot.
#[actix_web::test]
async fn what_xml_cannot_hold_is_406_when_read_and_json_when_written() {
    let server = server().await;
    for (id, body) in [
        (
            "c1",
            r#"{"resourceType":"Patient","id":"c1","name":[{"family":"a\uffff"}]}"#,
        ),
        (
            "c2",
            r#"{"resourceType":"Patient","id":"c2","text":{"status":"generated","div":"<div><br></div>"}}"#,
        ),
    ] {
        let url = format!("/fhir/Patient/{id}");
        let write = with_json("PUT", &url, body).insert_header(("Accept", "application/fhir+xml"));
        let answer = send(&server, write).await;
        assert_eq!(answer.checked(), 201, "{}", answer.text());
        assert_eq!(
            answer.header("content-type"),
            "application/fhir+json; charset=utf-8"
        );

        let answer = send(&server, get(&format!("{url}?_format=xml"))).await;
        assert_eq!(answer.checked(), 406);
        assert!(
            answer.text().contains("application/fhir+json"),
            "{}",
            answer.text()
        );
        assert_eq!(send(&server, get(&url)).await.checked(), 200);
    }
}
