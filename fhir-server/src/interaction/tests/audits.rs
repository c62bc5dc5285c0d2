//! The audit trail as it is told: one row an interaction.

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};

use super::*;
use crate::context::{PrincipalKind, TenantId};
use crate::engine::AuditSettings;
use crate::policy::{Chain, PermitAll};
use crate::store::{Commit, Outcome, Refusal, Snapshot, Write};

pub(super) fn audited(settings: &mut Settings) {
    settings.update_as_create = true;
    settings.audit.enabled = true;
    settings.audit.reads = true;
}

pub(super) fn server() -> TestServer {
    TestServer::with(audited)
}

/// What an auditor sees, oldest first, the page's whole.
pub(super) fn events(server: &TestServer) -> Vec<Value> {
    let found = as_auditor(server, "AuditEvent?_sort=date&_count=1000").unwrap();
    resources(&json(&found))
}

pub(super) fn resources(bundle: &Value) -> Vec<Value> {
    let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
    entries
        .into_iter()
        .map(|entry| entry["resource"].clone())
        .collect()
}

pub(super) fn send_as(server: &TestServer, principal: Principal, url: &str) -> Result<Response, Error> {
    let mut context = server.context();
    context.principal = principal;
    server.send_in(server.engine.session(context), &request("GET", url))
}

pub(super) fn as_auditor(server: &TestServer, url: &str) -> Result<Response, Error> {
    let officer = Principal::new("officer", PrincipalKind::Clinician).with_role("privacy-officer");
    send_as(server, officer, url)
}

/// Action, interaction and outcome of an event, with the patients it names.
pub(super) fn gist(event: &Value) -> String {
    let patients: Vec<&str> = event["entity"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|entity| entity["role"]["code"] == "1")
        .filter_map(|entity| entity["what"]["reference"].as_str())
        .collect();
    let word = |value: &Value| value.as_str().unwrap_or("?").to_owned();
    format!(
        "{} {} {} {}",
        word(&event["action"]),
        word(&event["subtype"][0]["code"]),
        word(&event["outcome"]),
        patients.join("+")
    )
    .trim_end()
    .to_owned()
}

pub(super) const OBSERVATION: &str = r#"{"resourceType":"Observation","status":"final","code":{"text":"pulse"},
    "subject":{"reference":"Patient/a"},"performer":[{"reference":"Patient/b"}]}"#;

fn by_method(method: &str, url: &str, body: Option<&str>) -> Value {
    let mut entry = serde_json::json!({ "request": { "method": method, "url": url } });
    if let Some(body) = body {
        entry["resource"] = serde_json::from_str(body).unwrap();
    }
    entry
}

#[test]
fn every_interaction_is_told_once_with_the_patients_it_is_about() {
    let server = server();
    let patient = |id: &str| format!(r#"{{"resourceType":"Patient","id":"{id}"}}"#);
    let mut expected = Vec::new();
    let mut told = |lines: &[&str]| expected.extend(lines.iter().map(|&line| line.to_owned()));
    server.put("Patient/a", &patient("a")).unwrap();
    told(&["U update 0 Patient/a"]);
    server.put("Patient/b", &patient("b")).unwrap();
    told(&["U update 0 Patient/b"]);
    server.post("Observation", OBSERVATION).unwrap();
    told(&["C create 0 Patient/a+Patient/b"]);
    server.get("Observation/id-1").unwrap();
    told(&["R read 0 Patient/a+Patient/b"]);
    server.get("Observation/none").unwrap_err();
    told(&["R read 4"]);
    server.get("Patient/nobody").unwrap_err();
    told(&["R read 4 Patient/nobody"]);
    server.get("Observation/id-1/_history/1").unwrap();
    told(&["R vread 0 Patient/a+Patient/b"]);
    server.get("Observation/id-1/_history").unwrap();
    told(&["E history-instance 0 Patient/a+Patient/b"]);
    server.get("Patient?_id=a").unwrap();
    told(&["E search-type 0 Patient/a"]);
    server.get("Observation?subject=Patient/c").unwrap();
    told(&["E search-type 0 Patient/c"]);
    server.get("Observation?code:above=1").unwrap_err();
    told(&["E search-type 4"]);
    let moved = OBSERVATION
        .replace("Patient/a", "Patient/c")
        .replace("\"Observation\",", "\"Observation\",\"id\":\"id-1\",");
    server.put("Observation/id-1", &moved).unwrap();
    // Who it was about before is told too.
    told(&["U update 0 Patient/a+Patient/b+Patient/c"]);
    server.delete("Observation/id-1").unwrap();
    told(&["D delete 0 Patient/b+Patient/c"]);
    server.post("Observation", "{").unwrap_err();
    told(&["C create 4"]);
    let found: Vec<String> = events(&server).iter().map(gist).collect();
    assert_eq!(found, expected);
}

#[test]
fn a_bundle_is_told_and_each_of_its_entries() {
    let server = server();
    server
        .put("Patient/a", r#"{"resourceType":"Patient","id":"a"}"#)
        .unwrap();
    let bundle = |kind: &str, entries: Vec<Value>| serde_json::json!({ "resourceType": "Bundle", "type": kind, "entry": entries });
    let entries = || {
        vec![
            by_method("POST", "Observation", Some(OBSERVATION)),
            by_method("GET", "Patient/a", None),
        ]
    };
    server.bundle(&bundle("transaction", entries())).unwrap();
    server.bundle(&bundle("batch", entries())).unwrap();
    let refused = vec![
        by_method("POST", "Observation", Some(OBSERVATION)),
        by_method("GET", "Patient/none", None),
    ];
    server
        .bundle(&bundle("transaction", refused.clone()))
        .unwrap_err();
    server.bundle(&bundle("batch", refused)).unwrap();
    let mut found: Vec<String> = events(&server).iter().skip(1).map(gist).collect();
    let mut next = |n: usize| {
        let mut some: Vec<String> = found.drain(..n).collect();
        some.sort();
        some
    };
    let both = "C create 0 Patient/a+Patient/b";
    assert_eq!(
        next(3),
        [both, "E transaction 0 Patient/a+Patient/b", "R read 0 Patient/a"]
    );
    assert_eq!(next(3), [both, "E batch 0", "R read 0 Patient/a"]);
    assert_eq!(next(1), ["E transaction 4"]);
    assert_eq!(next(3), [both, "E batch 0", "R read 4 Patient/none"]);
    assert!(found.is_empty());
}

#[test]
fn events_are_resources_that_the_validator_takes() {
    let emergencies = crate::policy::emergency::Settings {
        roles: vec!["R8000".into()],
        ..Default::default()
    };
    let rules = Chain::default().with(PermitAll).opening_in_emergency(emergencies);
    let mut settings = Settings::default();
    audited(&mut settings);
    let server = TestServer::with_policy(settings, Arc::new(rules));
    server.post("Observation", OBSERVATION).unwrap();
    server.get("Observation?patient=a&_count=1").unwrap();
    server.get("Observation/none").unwrap_err();
    let mut context = server
        .context()
        .with_purpose("BTG")
        .with_break_glass("Found <unconscious> & alone");
    context.principal = Principal::new("dr-a", PrincipalKind::Clinician)
        .with_client("ward-app")
        .with_organisation("RXX")
        .with_role("R8000")
        .with_fhir_user(crate::store::Key {
            resource_type: crate::store::ResourceType::from_name("Practitioner").unwrap(),
            id: "dr-a".into(),
        });
    server
        .send_in(
            server.engine.session(context),
            &request("GET", "Observation?patient=a"),
        )
        .unwrap();
    let validator = fhir_validate::Validator::builder().build();
    let all = events(&server);
    // The alert of the emergency is told too.
    assert_eq!(all.len(), 5);
    for event in &all {
        let resource = fhir_model::json::from_slice(event.to_string().as_bytes()).unwrap();
        let findings = validator.validate(&resource);
        let errors: Vec<_> = findings
            .iter()
            .filter(|f| format!("{:?}", f.severity).contains("Error"))
            .collect();
        assert!(errors.is_empty(), "{errors:?} in {event}");
    }
    let emergency = all.last().unwrap();
    assert_eq!(
        emergency["purposeOfEvent"][0]["text"],
        "Found <unconscious> & alone"
    );
    let words = emergency["text"]["div"].as_str().unwrap();
    assert!(
        words.contains("dr-a of RXX searched for records of the kind Observation"),
        "{words}"
    );
    assert!(words.contains("Found &lt;unconscious&gt; &amp; alone"), "{words}");
}

#[test]
fn nobody_writes_the_trail() {
    let server = server();
    server.get("Patient").unwrap();
    let event = events(&server)[0].clone();
    let id = event["id"].as_str().unwrap();
    let body = event.to_string();
    for refused in [
        server.post("AuditEvent", &body),
        server.put(&format!("AuditEvent/{id}"), &body),
        server.delete(&format!("AuditEvent/{id}")),
        server.get("AuditEvent/_history"),
        server.bundle(
            &serde_json::json!({ "resourceType": "Bundle", "type": "transaction",
            "entry": [by_method("POST", "AuditEvent", Some(&body))] }),
        ),
        server.delete(&format!("AuditEvent?_id={id}")),
    ] {
        assert_eq!(told(refused).0, 405);
    }
    assert_eq!(server.versions(), 0);
}

#[test]
fn without_reads_only_writes_and_refusals_are_told() {
    let server = TestServer::with(|settings| {
        audited(settings);
        settings.audit.reads = false;
    });
    server
        .put("Patient/a", r#"{"resourceType":"Patient","id":"a"}"#)
        .unwrap();
    server.get("Patient/a").unwrap();
    server.get("Patient").unwrap();
    server.get("Patient/none").unwrap_err();
    let found: Vec<String> = events(&server).iter().map(gist).collect();
    assert_eq!(found, ["U update 0 Patient/a", "R read 4 Patient/none"]);
}

/// A store that takes no row of the trail.
struct Deaf(Arc<dyn Store>);

impl Store for Deaf {
    fn snapshot(&self, tenant: TenantId) -> BoxFuture<'_, Result<Box<dyn Snapshot>, Error>> {
        self.0.snapshot(tenant)
    }
    fn commit(&self, tenant: TenantId, commit: Commit) -> BoxFuture<'_, Result<Vec<Outcome>, Refusal>> {
        match commit.writes.iter().any(|write| matches!(write, Write::Audit(_))) {
            true => ready(Err(Refusal::Failed(Error::new(
                ErrorCode::Unavailable,
                "No more rows.",
            ))))
            .boxed(),
            false => self.0.commit(tenant, commit),
        }
    }
    fn unindexed(&self) -> BoxFuture<'_, Result<Vec<(TenantId, i64)>, Error>> {
        self.0.unindexed()
    }
    fn audited(&self) -> BoxFuture<'_, Result<Vec<TenantId>, Error>> {
        self.0.audited()
    }
    fn full_text(&self) -> BoxFuture<'_, Result<bool, Error>> {
        self.0.full_text()
    }
    fn defining(&self, of: crate::store::ResourceType) -> BoxFuture<'_, Result<Vec<(TenantId, i64)>, Error>> {
        self.0.defining(of)
    }
    fn secret(&self) -> [u8; 32] {
        self.0.secret()
    }
    fn ready(&self) -> BoxFuture<'_, Result<(), Error>> {
        self.0.ready()
    }
    fn close(&self) -> BoxFuture<'_, ()> {
        self.0.close()
    }
}

#[test]
fn nothing_is_answered_that_cannot_be_told() {
    let calm = TestServer::new();
    calm.put("Patient/a", r#"{"resourceType":"Patient","id":"a"}"#)
        .unwrap();
    let mut settings = Settings::default();
    audited(&mut settings);
    let store = Arc::new(Deaf(calm.store.clone()));
    let server = TestServer::over(store, calm.clock.clone(), settings, Arc::new(PermitAll));
    assert_eq!(told(server.get("Patient/a")).0, 503);
    assert_eq!(told(server.get("Patient/none")).0, 503);
    assert_eq!(
        told(server.put("Patient/b", r#"{"resourceType":"Patient","id":"b"}"#)).0,
        503
    );
    assert_eq!(server.versions(), 1, "the write fell with its row");
}

#[test]
fn an_embedded_engine_tells_nothing_unless_asked() {
    assert_eq!(Settings::default().audit, AuditSettings::default());
    let server = TestServer::new();
    server.get("Patient").unwrap();
    let tenants = block_on(async { server.store.audited().await.unwrap() });
    assert!(tenants.is_empty());
}

#[test]
fn what_is_sealed_verifies_and_heads_tell_a_trail_made_anew() {
    let server = server();
    for n in 0..5 {
        server.get(&format!("Patient?_id=p{n}")).unwrap();
    }
    block_on(async {
        let first = server.engine.seal().await.unwrap();
        assert_eq!(first.len(), 1);
        assert_eq!((first[0].1.number, first[0].1.count), (1, 5));
        assert!(
            server.engine.seal().await.unwrap().is_empty(),
            "nothing left to seal"
        );
    });
    server.get("Patient").unwrap();
    block_on(async {
        let verified = server.engine.verify_audit(&[]).await.unwrap();
        assert_eq!(verified.len(), 1);
        let trail = &verified[0];
        assert_eq!((trail.sealed, trail.seals, trail.unsealed), (5, 1, 1));
        assert!(trail.findings.is_empty(), "{:?}", trail.findings);
        let (number, head) = trail.head.clone().unwrap();
        let same = server.engine.verify_audit(&[(1, number, head)]).await.unwrap();
        assert!(same[0].findings.is_empty());
        let other = server
            .engine
            .verify_audit(&[(1, 1, "00".repeat(32))])
            .await
            .unwrap();
        assert!(
            other[0].findings[0].contains("made anew"),
            "{:?}",
            other[0].findings
        );
        let cut = server
            .engine
            .verify_audit(&[(1, 9, "00".repeat(32))])
            .await
            .unwrap();
        assert!(
            cut[0].findings[0].contains("cut off after seal 1"),
            "{:?}",
            cut[0].findings
        );
        let gone = server
            .engine
            .verify_audit(&[(7, 1, "00".repeat(32))])
            .await
            .unwrap();
        assert!(gone.iter().any(|t| t.tenant == 7 && !t.findings.is_empty()));
    });
}

#[test]
fn the_capability_statement_says_that_the_trail_is_only_read() {
    let statement = server().json("metadata");
    let resources = statement["rest"][0]["resource"].as_array().unwrap();
    let trail = resources
        .iter()
        .find(|resource| resource["type"] == "AuditEvent")
        .unwrap();
    let codes: Vec<&str> = trail["interaction"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|interaction| interaction["code"].as_str())
        .collect();
    assert_eq!(codes, ["read", "vread", "search-type"]);
    assert_eq!(trail["conditionalCreate"], false);
    let events = events(&server());
    assert!(
        events.is_empty(),
        "the statement is no interaction with anybody's data"
    );
}
