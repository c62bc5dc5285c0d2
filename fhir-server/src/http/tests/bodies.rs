//! What bodies may be.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

#[actix_web::test]
async fn a_compressed_body_is_read() {
    let server = server().await;
    let request = request("PUT", "/fhir/Patient/p1")
        .insert_header(("Content-Type", "application/json"))
        .insert_header(("Content-Encoding", "gzip"))
        .set_payload(gzip(PATIENT.as_bytes()));
    assert_eq!(send(&server, request).await.checked(), 201);
}

#[actix_web::test]
async fn a_bomb_and_a_body_too_large_are_413() {
    let server = server().await;
    let bomb = request("POST", "/fhir/Patient")
        .insert_header(("Content-Type", "application/json"))
        .insert_header(("Content-Encoding", "gzip"))
        .set_payload(gzip(&vec![b' '; 100 << 20]));
    assert_eq!(send(&server, bomb).await.checked(), 413);
    let large = with_json("POST", "/fhir/Patient", &" ".repeat((16 << 20) + 1));
    assert_eq!(send(&server, large).await.checked(), 413);
}

#[actix_web::test]
async fn what_is_not_fhir_is_415_and_what_looks_otherwise_400() {
    let server = server().await;
    for (content_type, encoding, body, status) in [
        ("text/plain", "", PATIENT, 415),
        ("application/x-www-form-urlencoded", "", "a=b", 415),
        ("application/fhir+json; charset=utf-7", "", PATIENT, 415),
        ("application/fhir+json; fhirVersion=3.0", "", PATIENT, 415),
        ("application/fhir+json", "br", PATIENT, 415),
        ("application/fhir+json", "zstd", PATIENT, 415),
        ("application/fhir+json", "gzip", PATIENT, 400),
        ("application/fhir+json", "", "<Patient/>", 400),
        ("application/fhir+xml", "", PATIENT, 400),
        ("application/fhir+json", "", "", 400),
        ("application/fhir+json", "", "{", 400),
        (
            "application/fhir+json",
            "",
            "\u{feff}{\"resourceType\":\"Patient\"}",
            201,
        ),
    ] {
        let mut request = request("POST", "/fhir/Patient").insert_header(("Content-Type", content_type));
        if !encoding.is_empty() {
            request = request.insert_header(("Content-Encoding", encoding));
        }
        let answer = send(&server, request.set_payload(body)).await;
        assert_eq!(
            answer.checked(),
            status,
            "{content_type} {encoding} {body}: {}",
            answer.text()
        );
    }
    assert_eq!(
        send(&server, request("POST", "/fhir/Patient").set_payload(PATIENT))
            .await
            .checked(),
        415
    );
}

#[actix_web::test]
async fn the_place_of_a_fault_is_named_with_line_and_column() {
    let server = server().await;
    let body = "{\n  \"resourceType\": \"Patient\",\n  \"birthDate\": \"soon\"\n}";
    let answer = send(&server, with_json("POST", "/fhir/Patient", body)).await;
    assert_eq!(answer.checked(), 400);
    let issue = &answer.json()["issue"][0];
    assert_eq!(issue["expression"][0], "Patient.birthDate");
    assert_eq!(
        issue["details"]["coding"][0]["system"],
        "https://fhir.nhs.uk/CodeSystem/Spine-ErrorOrWarningCode"
    );
    assert!(answer.text().contains("line 3"), "{}", answer.text());
}
