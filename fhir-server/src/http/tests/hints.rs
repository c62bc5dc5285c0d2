//! What a human would be told: wrong case, plurals, near spellings, another format inside than outside.

use super::*;

/// Method, path, content type, body; status, and what the message must hold.
type Hint = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    u16,
    &'static str,
);

const JSON: &str = "application/fhir+json";
const XML: &str = "application/fhir+xml";

const HINTS: &[Hint] = &[
    ("GET", "/fhir/patient/1", "", "", 404, "did you mean `Patient`?"),
    ("GET", "/fhir/PATIENT", "", "", 404, "did you mean `Patient`?"),
    ("GET", "/fhir/Patients", "", "", 404, "did you mean `Patient`?"),
    (
        "GET",
        "/fhir/Allergies",
        "",
        "",
        404,
        "Types are written as in the specification",
    ),
    (
        "GET",
        "/fhir/observations?code=1",
        "",
        "",
        404,
        "did you mean `Observation`?",
    ),
    (
        "GET",
        "/fhir/MedicationRequets/1",
        "",
        "",
        404,
        "did you mean `MedicationRequest`?",
    ),
    (
        "GET",
        "/fhir/medication-request",
        "",
        "",
        404,
        "did you mean `MedicationRequest`?",
    ),
    ("GET", "/Patient", "", "", 404, "The FHIR base is `/fhir`"),
    (
        "POST",
        "/fhir/Patient/1",
        JSON,
        r#"{"resourceType":"Patient"}"#,
        405,
        "Create with POST to the type",
    ),
    (
        "POST",
        "/fhir/Patient",
        JSON,
        "<Patient xmlns=\"http://hl7.org/fhir\"/>",
        400,
        "XML",
    ),
    (
        "POST",
        "/fhir/Patient",
        XML,
        r#"{"resourceType":"Patient"}"#,
        400,
        "JSON",
    ),
    (
        "POST",
        "/fhir/Patient",
        "text/csv",
        "a,b",
        415,
        "application/fhir+json",
    ),
    (
        "POST",
        "/fhir/Patient",
        "application/x-www-form-urlencoded",
        "name=a",
        415,
        "application/fhir+json",
    ),
    (
        "POST",
        "/fhir/Patient",
        JSON,
        r#"{"resourceType":"patient"}"#,
        400,
        "Patient",
    ),
    (
        "POST",
        "/fhir/Patient",
        JSON,
        r#"{"resourceType":"Patient","nmae":[]}"#,
        400,
        "did you mean",
    ),
    (
        "POST",
        "/fhir/Patient",
        JSON,
        r#"{"resourceType":"Encounter","status":"planned"}"#,
        400,
        "send it to Encounter",
    ),
    ("GET", "/fhir/Patient?_count=ten", "", "", 400, "_count"),
    ("GET", "/fhir/Patient/$valdate", "", "", 501, "$valdate"),
    (
        "GET",
        "/fhir/Patient/no_id/$meta",
        "",
        "",
        400,
        "`no_id` is no id",
    ),
];

#[actix_web::test]
async fn each_common_slip_is_told_what_was_meant() {
    let server = server().await;
    let app = init_service(App::new().configure(|app| server.configure(app)).default_service(
        actix_web::web::to({
            let state = server.state.clone();
            move |request, payload: actix_web::web::Payload| {
                crate::http::lost(state.clone(), request, payload)
            }
        }),
    ))
    .await;
    let mut wrong = Vec::new();
    for (method, path, content_type, body, status, words) in HINTS {
        let mut sent = request(method, path);
        if !content_type.is_empty() {
            sent = sent
                .insert_header(("Content-Type", *content_type))
                .set_payload(*body);
        }
        let answer = send_to(&app, sent).await;
        let told = answer.json()["issue"][0]["diagnostics"].to_string();
        if answer.status != *status || !told.contains(words) {
            wrong.push(format!("{method} {path} {body}: {} {told}", answer.status));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[actix_web::test]
async fn a_parameter_that_is_misspelt_is_told_what_was_meant() {
    let server = server().await;
    let app = init_service(App::new().configure(|app| server.configure(app))).await;
    for (sent, meant) in [
        ("famly=Khan", "`family`"),
        ("Family=Khan", "`family`"),
        ("birthDate=1970", "`birthdate`"),
    ] {
        let strict = get(&format!("/fhir/Patient?{sent}")).insert_header(("Prefer", "handling=strict"));
        let answer = send_to(&app, strict).await;
        assert_eq!(answer.status, 400, "{sent}");
        let told = answer.json()["issue"][0]["diagnostics"].to_string();
        assert!(told.contains(meant), "{sent}: {told}");
    }
}
