//! That nothing of a record is in what the server says of itself: logs and traces at every level, metrics, and the names of both
//! (scenario 75 of the design, S-090, S-091).

use std::fmt::Debug;
use std::sync::{Mutex, OnceLock};

use serde_json::json;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use super::tokens::{ISSUER, NOW};
use super::*;
use crate::config::IssuerConfig;
use crate::policy::Chain;
use crate::store::{DatabaseUrl, Store, StoreOptions, open};
use crate::token::testing::{RSA, jwks};

/// What stands in records and requests, and nowhere else.
const CANARIES: [&str; 6] = [
    "Canaryfield",
    "9990000042",
    "canary-record",
    "canary remark",
    "86406008",
    "canary-sent",
];

/// Keeps all that is told, by any thread of the process.
struct Everything;

static TOLD: Mutex<Vec<String>> = Mutex::new(Vec::new());

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0 += &format!(" {}={value:?}", field.name());
    }
}

fn tell(line: Line) {
    TOLD.lock().unwrap().push(line.0);
}

impl Subscriber for Everything {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let mut line = Line(attributes.metadata().name().to_owned());
        attributes.record(&mut line);
        tell(line);
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, values: &Record<'_>) {
        let mut line = Line(String::new());
        values.record(&mut line);
        tell(line);
    }
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut line = Line(format!(
            "{} {}",
            event.metadata().level(),
            event.metadata().target()
        ));
        event.record(&mut line);
        tell(line);
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// From the first call on, all that the process tells is kept.
fn listen() {
    static ONCE: OnceLock<()> = OnceLock::new();
    ONCE.get_or_init(|| tracing::subscriber::set_global_default(Everything).unwrap());
}

/// Patients with canaries all over, one of them looked after by nobody, and a Consent that refuses.
fn records() -> Vec<Value> {
    let mut all = vec![json!({"resourceType": "Practitioner", "id": "dr", "name": [{"family": "Who asks"}]})];
    for (patient, code) in [("canary-record-1", "OPTOUT"), ("canary-record-2", "OPTIN")] {
        let subject = json!({"reference": format!("Patient/{patient}")});
        let hiv = json!({"coding": [{"system": "http://snomed.info/sct", "code": "86406008"}], "text": "canary remark"});
        let scope = "http://terminology.hl7.org/CodeSystem/consentscope";
        let act = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
        all.extend([
            json!({"resourceType": "Patient", "id": patient, "name": [{"family": "Canaryfield"}],
                "identifier": [{"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9990000042"}]}),
            json!({"resourceType": "CareTeam", "id": format!("team-{patient}"), "status": "active", "subject": subject,
                "participant": [{"member": {"reference": "Practitioner/dr"}}]}),
            json!({"resourceType": "Condition", "id": format!("c-{patient}"), "subject": subject, "code": hiv,
                "note": [{"text": "canary remark"}]}),
            json!({"resourceType": "Consent", "id": format!("consent-{patient}"), "status": "active", "patient": subject,
                "scope": {"coding": [{"system": scope, "code": "patient-privacy"}]},
                "category": [{"coding": [{"system": act, "code": "INFA"}], "text": "canary remark"}],
                "policyRule": {"coding": [{"system": act, "code": code}]}}),
        ]);
    }
    all
}

/// Method, path, body, and a further header.
type Sent = (
    &'static str,
    String,
    Option<String>,
    Option<(&'static str, &'static str)>,
);

/// Requests that find, miss, fail and are refused.
fn requests() -> Vec<Sent> {
    let mut all = Vec::new();
    let mut get = |path: &str| all.push(("GET", format!("/fhir/{path}"), None, None));
    for n in 1..=3 {
        get(&format!("Patient/canary-record-{n}"));
        get(&format!("Patient/canary-record-{n}/_history"));
        get(&format!("Patient/canary-record-{n}/$everything"));
        get(&format!("Condition/c-canary-record-{n}"));
        get(&format!("Condition/c-canary-record-{n}/_history/9"));
    }
    for query in [
        "Patient?family=Canaryfield",
        "Patient?identifier=https://fhir.nhs.uk/Id/nhs-number%7C9990000042",
        "Patient?family:canary-sent=Canaryfield",
        "Patient?birthdate=Canaryfield",
        "Patient?_sort=canary-sent",
        "Patient?_page=canary-sent",
        "Condition?code=86406008&_include=Condition:subject",
        "Condition?_filter=code%20eq%2086406008%20and%20canary-sent",
        "Condition?patient.family=Canaryfield",
        "Patient?_has:Condition:patient:code=86406008",
        "Canaryfield/canary-record",
        "Patient/canary-record!",
        "$graphql?query=%7BPatient(id:%22canary-record-1%22)%7BCanaryfield%7D%7D",
        "AuditEvent?patient=canary-record-1",
    ] {
        get(query);
    }
    let patient = r#"{"resourceType":"Patient","id":"canary-record-2","name":[{"family":"Canaryfield"}]"#;
    let mut send = |method: &'static str, path: &str, body: String| {
        all.push((method, format!("/fhir/{path}"), Some(body), None));
    };
    send("POST", "Patient", format!("{patient}}}"));
    send("PUT", "Patient/canary-record-2", format!("{patient}}}"));
    send("PUT", "Patient/canary-record-9", format!("{patient}}}"));
    send("POST", "Patient", patient.to_owned());
    send("POST", "Patient", format!("{patient},\"canary-sent\":1}}"));
    send(
        "POST",
        "Patient",
        format!("{patient},\"birthDate\":\"Canaryfield\"}}"),
    );
    send(
        "POST",
        "Patient/$validate",
        format!("{patient},\"gender\":\"canary-sent\"}}"),
    );
    send("POST", "", r#"{"resourceType":"Bundle","type":"transaction","entry":[{"request":{"method":"GET","url":"Patient/canary-record-1"}},
        {"request":{"method":"DELETE","url":"Condition?code=86406008"}}]}"#.to_owned());
    send(
        "PATCH",
        "Patient/canary-record-2",
        r#"[{"op":"test","path":"/name/0/family","value":"Canaryfield"}]"#.into(),
    );
    let odd = [
        ("X-Request-ID", "canary-sent"),
        ("If-Match", "W/\"canary-sent\""),
        ("If-None-Match", "canary-sent"),
        ("X-Relationship-Reason", "canary remark"),
        ("X-Break-Glass-Reason", "canary remark"),
        ("X-Purpose-Of-Use", "canary-sent"),
        ("X-Provenance", "{\"canary-sent\":1}"),
        ("Idempotency-Key", "canary-sent"),
        ("Prefer", "handling=strict;canary-sent"),
        ("Accept", "application/canary-sent"),
        ("Authorization", "Bearer canary-sent"),
    ];
    for header in odd {
        all.push((
            "GET",
            "/fhir/Patient/canary-record-2".to_owned(),
            None,
            Some(header),
        ));
        all.push((
            "GET",
            "/fhir/Patient/canary-record-1".to_owned(),
            None,
            Some(header),
        ));
        all.push((
            "PUT",
            "/fhir/Patient/canary-record-2".to_owned(),
            Some(format!("{patient}}}")),
            Some(header),
        ));
    }
    all
}

async fn over(store: Arc<dyn Store>, folder: &std::path::Path, policy: impl Policy + 'static) -> FhirServer {
    let mut config = Config::default();
    config.listen.public_base_url = Some("https://fhir.example/fhir".into());
    config.interactions.update_as_create = Some(true);
    config
        .tokens
        .issuers
        .push(IssuerConfig::new(ISSUER, folder.join("jwks.json")));
    let builder = FhirServer::builder().config(config).store(store).policy(policy);
    builder.clock(Arc::new(Fixed)).build().await.unwrap()
}

async fn nothing_is_told(store: Arc<dyn Store>) {
    listen();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("jwks.json"), jwks().to_string()).unwrap();
    let bearer = |user: &str| {
        let claims = json!({"iss": ISSUER, "aud": "https://fhir.example/fhir", "sub": "u", "client_id": "app",
            "iat": NOW - 10, "exp": NOW + 300, "scope": "user/*.cruds", "fhirUser": user});
        let header = json!({"alg": "RS256", "typ": "at+jwt", "kid": RSA.kid});
        format!("Bearer {}", RSA.sign(&header, &claims))
    };
    let open = over(store.clone(), folder.path(), PermitAll).await;
    for record in records() {
        let path = format!(
            "/fhir/{}/{}",
            record["resourceType"].as_str().unwrap(),
            record["id"].as_str().unwrap()
        );
        let put = with_json("PUT", &path, &record.to_string())
            .insert_header(("Authorization", bearer("Practitioner/dr")));
        assert_eq!(send(&open, put).await.checked(), 201, "{path}");
    }
    let bound = over(store, folder.path(), Chain::standard()).await;
    let app = init_service(App::new().configure(|app| bound.configure(app))).await;
    let mut statuses = std::collections::BTreeMap::new();
    for user in ["Practitioner/dr", "Practitioner/another"] {
        for (method, path, body, header) in requests() {
            let mut sent = request(method, &path).insert_header(("Authorization", bearer(user)));
            if let Some(body) = body {
                let kind = match method {
                    "PATCH" => "application/json-patch+json",
                    _ => "application/fhir+json",
                };
                sent = sent.insert_header(("Content-Type", kind)).set_payload(body);
            }
            if let Some(header) = header {
                sent = sent.insert_header(header);
            }
            *statuses.entry(send_to(&app, sent).await.status).or_insert(0) += 1;
        }
    }
    // They did find, miss, fail and get refused.
    for status in [200, 400, 401, 403, 404] {
        assert!(statuses.contains_key(&status), "{statuses:?}");
    }
    assert!(statuses.keys().all(|status| *status < 500), "{statuses:?}");
    let metrics = bound.state.metrics.to_text() + &open.state.metrics.to_text();
    let told = TOLD.lock().unwrap().clone();
    let answered = told.iter().filter(|line| line.contains("answered")).count();
    assert!(answered >= 100, "the log was heard: {answered}");
    for canary in CANARIES {
        assert!(!metrics.contains(canary), "{canary} is in the metrics");
        let line = told.iter().find(|line| line.contains(canary));
        assert_eq!(line, None, "{canary} is in the log");
    }
}

#[cfg(feature = "sqlite")]
#[actix_web::test]
async fn con_75_neither_logs_nor_metrics_hold_anything_of_a_record() {
    let folder = tempfile::tempdir().unwrap();
    let url = DatabaseUrl::Sqlite(folder.path().join("canaries.sqlite"));
    nothing_is_told(open(&url, &StoreOptions::default()).unwrap()).await;
}

#[cfg(feature = "postgres")]
#[actix_web::test]
async fn con_75_neither_logs_nor_metrics_hold_anything_of_a_record_on_postgres() {
    let Some(url) = crate::store::postgres_for_tests() else {
        return;
    };
    nothing_is_told(open(&url, &StoreOptions::default()).unwrap()).await;
}
