//! Operations over HTTP: routes, methods, bodies.

use super::*;

#[actix_web::test]
async fn operations_have_routes_on_every_level() {
    let server = with_patient().await;
    let answer = send(&server, get("/fhir/Patient/p1/$meta")).await;
    assert_eq!(answer.checked(), 200);
    assert_eq!(answer.json()["parameter"][0]["valueMeta"]["versionId"], "1");
    let xml = send(&server, get("/fhir/Patient/p1/$meta?_format=xml")).await;
    assert_eq!(xml.checked(), 200);
    assert!(xml.text().contains("<Parameters xmlns"), "{}", xml.text());
    for path in ["/fhir/$diff", "/fhir/Patient/$diff", "/fhir/Patient/p1/$nothing"] {
        assert_eq!(send(&server, get(path)).await.checked(), 501, "{path}");
    }
    assert_eq!(
        send(&server, get("/fhir/Patient/none/$meta")).await.checked(),
        404
    );
    let answer = send(&server, request("OPTIONS", "/fhir/Patient/p1/$meta")).await;
    assert_eq!(answer.header("allow"), "GET, HEAD, POST, OPTIONS");
    assert_eq!(
        send(&server, request("PUT", "/fhir/Patient/p1/$meta"))
            .await
            .checked(),
        405
    );
}

#[actix_web::test]
async fn arguments_come_in_the_body_or_in_the_url() {
    let server = with_patient().await;
    let add =
        r#"{"resourceType":"Parameters","parameter":[{"name":"meta","valueMeta":{"tag":[{"code":"x"}]}}]}"#;
    let answer = send(&server, with_json("POST", "/fhir/Patient/p1/$meta-add", add)).await;
    assert_eq!((answer.checked(), answer.header("etag")), (200, "W/\"2\""));
    assert_eq!(
        send(&server, request("POST", "/fhir/Patient/p1/$meta"))
            .await
            .checked(),
        200
    );
    let answer = send(&server, get("/fhir/Patient/p1/$diff?fromVersion=1&_pretty=true")).await;
    assert_eq!(answer.checked(), 200);
    assert_eq!(answer.json()["parameter"].as_array().unwrap().len(), 1);
    let empty =
        request("POST", "/fhir/Patient/p1/$meta").insert_header(("Content-Type", "application/fhir+json"));
    assert_eq!(send(&server, empty).await.checked(), 200);
    let untyped = request("POST", "/fhir/Patient/p1/$meta-add").set_payload(add);
    assert_eq!(send(&server, untyped).await.checked(), 415);
    let form = request("POST", "/fhir/Patient/p1/$meta")
        .insert_header(("Content-Type", "application/x-www-form-urlencoded"))
        .set_payload("a=b");
    assert_eq!(send(&server, form).await.checked(), 415);
    assert_eq!(
        send(&server, get("/fhir/Patient/p1/$meta-add")).await.checked(),
        405
    );
    assert_eq!(
        send(&server, get("/fhir/Patient/p1/$meta?x=y")).await.checked(),
        400
    );
}

#[actix_web::test]
async fn a_graphql_request_comes_as_plain_json() {
    let server = with_patient().await;
    let post = |body: &'static str| with_json("POST", "/fhir/Patient/p1/$graphql", body);
    let plain = send(
        &server,
        post(r#"{"query":"query Q($n: Boolean!) { id active @include(if: $n) }","operationName":"Q","variables":{"n":true}}"#)
            .insert_header(("Content-Type", "application/json")),
    )
    .await;
    assert_eq!(plain.checked(), 200, "{}", plain.text());
    assert_eq!(plain.json()["data"]["id"], "p1");
    let least = send(&server, post(r#"{"query":"{ id }","variables":null}"#)).await;
    assert_eq!(least.json()["data"]["id"], "p1", "{}", least.text());
    let parameters = r#"{"resourceType":"Parameters","parameter":[{"name":"query","valueString":"{ id }"}]}"#;
    assert_eq!(send(&server, post(parameters)).await.json()["data"]["id"], "p1");
    for (body, place) in [
        (r#"{"query":7}"#, "query"),
        (r#"{"query":"{ id }","variables":[]}"#, "variables"),
        (r#"{"query":"{ id }","more":1}"#, "more"),
        (r#"{"variables":{}}"#, "query"),
    ] {
        let answer = send(&server, post(body)).await;
        assert_eq!(answer.checked(), 400, "{body}");
        assert!(answer.text().contains(place), "{body}: {}", answer.text());
    }
}
