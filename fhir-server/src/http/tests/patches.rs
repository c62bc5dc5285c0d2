//! PATCH over HTTP: media types, headers, answers.

use super::*;

fn patch(content_type: &str, body: &str) -> TestRequest {
    let request = request("PATCH", "/fhir/Patient/p1").set_payload(body.to_owned());
    match content_type {
        "" => request,
        content_type => request.insert_header(("Content-Type", content_type)),
    }
}

const JSON: &str = "application/json-patch+json";
const INACTIVE: &str = r#"[{"op":"replace","path":"/active","value":false}]"#;

#[actix_web::test]
async fn a_patch_answers_with_the_new_version_and_its_headers() {
    let server = with_patient().await;
    let answer = send(
        &server,
        patch(JSON, INACTIVE).insert_header(("If-Match", "W/\"1\"")),
    )
    .await;
    assert_eq!((answer.checked(), answer.header("etag")), (200, "W/\"2\""));
    assert!(
        answer
            .header("content-location")
            .ends_with("/fhir/Patient/p1/_history/2")
    );
    assert_eq!(answer.json()["active"], false);
    let stale = send(
        &server,
        patch(JSON, INACTIVE).insert_header(("If-Match", "W/\"1\"")),
    )
    .await;
    assert_eq!(stale.checked(), 412);
    let minimal = patch(JSON, INACTIVE).insert_header(("Prefer", "return=minimal"));
    let answer = send(&server, minimal).await;
    assert_eq!((answer.checked(), answer.text()), (200, ""));
    assert_eq!(answer.header("preference-applied"), "return=minimal");
}

#[actix_web::test]
async fn every_media_type_of_a_patch_is_taken() {
    let merge = r#"{"active":false}"#;
    let xml =
        r#"<diff xmlns="http://hl7.org/fhir"><replace sel="Patient/active/@value">false</replace></diff>"#;
    let fhirpath = r#"{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"replace"},{"name":"path","valueString":"Patient.active"},{"name":"value","valueBoolean":false}]}]}"#;
    let parameters = fhir_model::xml::to_string(&fhir_model::json::from_str(fhirpath).unwrap()).unwrap();
    for (content_type, body) in [
        ("Application/JSON-Patch+JSON; charset=utf-8", INACTIVE),
        (JSON, &format!("\u{feff}{INACTIVE}")),
        ("application/merge-patch+json", merge),
        ("application/xml-patch+xml", xml),
        ("application/fhir+json", fhirpath),
        ("application/fhir+xml; fhirVersion=4.0", &parameters),
    ] {
        let server = with_patient().await;
        let answer = send(&server, patch(content_type, body)).await;
        assert_eq!(answer.checked(), 200, "{content_type}: {}", answer.text());
        assert_eq!(answer.json()["active"], false, "{content_type}");
        assert_eq!(answer.json()["name"][0]["family"], "Smith");
    }
}

#[actix_web::test]
async fn other_media_types_are_told_the_four_that_are_taken() {
    let server = with_patient().await;
    for content_type in [
        "",
        "text/json",
        "text/xml",
        "application/octet-stream",
        "application/x-www-form-urlencoded",
    ] {
        let answer = send(&server, patch(content_type, INACTIVE)).await;
        assert_eq!(answer.checked(), 415, "{content_type}");
        let told = answer.json()["issue"][0]["diagnostics"].to_string();
        for taken in [
            JSON,
            "application/merge-patch+json",
            "application/xml-patch+xml",
            "application/fhir+json",
        ] {
            assert!(told.contains(taken), "{content_type}: {told}");
            assert!(answer.header("accept-patch").contains(taken));
        }
    }
    let elsewhere = request("PUT", "/fhir/Patient/p1")
        .insert_header(("Content-Type", JSON))
        .set_payload(INACTIVE);
    let answer = send(&server, elsewhere).await;
    assert_eq!(answer.checked(), 415);
    assert!(answer.text().contains("method PATCH"));
}

#[actix_web::test]
async fn plain_json_is_the_form_that_it_must_be() {
    let parameters = r#"{"resourceType":"Parameters","parameter":[{"name":"operation","part":[
        {"name":"type","valueCode":"replace"},{"name":"path","valueString":"Patient.active"},{"name":"value","valueBoolean":false}]}]}"#;
    for body in [
        r#"[{"op":"replace","path":"/active","value":false}]"#,
        r#" {"active":false}"#,
        parameters,
    ] {
        let server = with_patient().await;
        let answer = send(&server, patch("application/json", body)).await;
        assert_eq!(answer.checked(), 200, "{body}: {}", answer.text());
        assert_eq!(answer.json()["active"], false, "{body}");
        assert_eq!(answer.json()["name"][0]["family"], "Smith");
    }
    let server = with_patient().await;
    for body in ["", "7", "\"x\"", "{", "[", PATIENT, "{\"active\":\"no\"}"] {
        let answer = send(&server, patch("application/json", body)).await;
        assert_eq!(answer.checked(), 400, "{body}: {}", answer.text());
    }
    assert_eq!(
        send(&server, get("/fhir/Patient/p1")).await.header("etag"),
        "W/\"1\""
    );
}

#[actix_web::test]
async fn bodies_that_are_empty_malformed_or_do_not_fit_are_told_why() {
    let server = with_patient().await;
    for (content_type, body, status) in [
        (JSON, "", 400),
        (JSON, " ", 400),
        (JSON, "{}", 400),
        (JSON, "[{\"op\":\"remove\",\"path\":\"/nope\"}]", 422),
        (
            JSON,
            "[{\"op\":\"test\",\"path\":\"/active\",\"value\":false}]",
            422,
        ),
        ("application/merge-patch+json", "{\"active\":\"no\"}", 400),
        ("application/xml-patch+xml", "<diff/>", 400),
        ("application/fhir+json", PATIENT, 400),
        ("application/json-patch+json; charset=utf-16", INACTIVE, 415),
    ] {
        assert_eq!(
            send(&server, patch(content_type, body)).await.checked(),
            status,
            "{content_type} {body}"
        );
    }
    let missing = request("PATCH", "/fhir/Patient/none")
        .insert_header(("Content-Type", JSON))
        .set_payload(INACTIVE);
    assert_eq!(send(&server, missing).await.checked(), 404);
    assert_eq!(
        send(&server, get("/fhir/Patient/p1")).await.header("etag"),
        "W/\"1\""
    );
}

#[actix_web::test]
async fn a_binary_whose_content_is_a_patch_is_still_a_binary() {
    let server = server().await;
    let create = request("POST", "/fhir/Binary")
        .insert_header(("Content-Type", JSON))
        .set_payload(INACTIVE);
    let answer = send(&server, create).await;
    assert_eq!(answer.checked(), 201, "{}", answer.text());
}
