//! A Binary in its own media type.

use super::*;

async fn with_binary() -> (FhirServer, String) {
    let server = with_patient().await;
    let request = request("POST", "/fhir/Binary")
        .insert_header(("Content-Type", "text/html; charset=utf-8"))
        .insert_header(("X-Security-Context", "Patient/p1"))
        .set_payload("<p>hello</p>");
    let answer = send(&server, request).await;
    assert_eq!(answer.checked(), 201, "{}", answer.text());
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    (server, format!("/fhir/Binary/{id}"))
}

#[actix_web::test]
async fn content_comes_back_as_an_attachment_in_its_own_type() {
    let (server, path) = with_binary().await;
    for accept in ["text/html", "text/*", "text/html, application/fhir+json;q=0.5"] {
        let answer = send(&server, get(&path).insert_header(("Accept", accept))).await;
        assert_eq!(
            (answer.checked(), answer.text()),
            (200, "<p>hello</p>"),
            "{accept}"
        );
        assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
        assert_eq!(answer.header("content-disposition"), "attachment");
        assert_eq!(
            answer.header("content-security-policy"),
            "default-src 'none'; sandbox"
        );
        assert_eq!(answer.header("x-security-context"), "Patient/p1");
        assert_eq!(answer.header("etag"), "W/\"1\"");
    }
}

#[actix_web::test]
async fn the_resource_comes_where_fhir_or_nothing_is_asked_for() {
    let (server, path) = with_binary().await;
    for accept in [
        "*/*",
        "application/fhir+json",
        "application/json",
        "application/fhir+json, text/html;q=0.1",
    ] {
        let answer = send(&server, get(&path).insert_header(("Accept", accept))).await;
        assert_eq!(answer.checked(), 200);
        assert_eq!(answer.json()["data"], "PHA+aGVsbG88L3A+", "{accept}");
        assert_eq!(answer.json()["securityContext"]["reference"], "Patient/p1");
    }
    assert_eq!(
        send(&server, get(&path).insert_header(("Accept", "image/png")))
            .await
            .checked(),
        406
    );
}

#[actix_web::test]
async fn a_range_is_a_part_of_the_content() {
    let (server, path) = with_binary().await;
    let range = |range: &'static str| {
        get(&path)
            .insert_header(("Accept", "text/html"))
            .insert_header(("Range", range))
    };
    let answer = send(&server, range("bytes=3-7")).await;
    assert_eq!(
        (answer.checked(), answer.text(), answer.header("content-range")),
        (206, "hello", "bytes 3-7/12")
    );
    let answer = send(&server, range("bytes=12-")).await;
    assert_eq!(
        (answer.checked(), answer.header("content-range")),
        (416, "bytes */12")
    );
}

#[actix_web::test]
async fn content_near_the_limit_comes_back() {
    let server = server().await;
    let content = vec![b'x'; (16 << 20) - 1];
    let request = request("POST", "/fhir/Binary").insert_header(("Content-Type", "text/plain"));
    let answer = send(
        &server,
        request
            .insert_header(("Prefer", "return=minimal"))
            .set_payload(content.clone()),
    )
    .await;
    assert_eq!(answer.checked(), 201, "{}", answer.text());
    let path = answer
        .header("location")
        .strip_prefix("http://localhost:8080")
        .unwrap()
        .to_owned();
    let answer = send(&server, get(&path).insert_header(("Accept", "text/plain"))).await;
    assert_eq!((answer.checked(), answer.body.len()), (200, content.len()));
}
