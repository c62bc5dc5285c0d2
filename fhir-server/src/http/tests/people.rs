//! The people of the sandbox who look after nobody: consent at work.

use actix_web::HttpMessage;

use super::resets::{filled, sent};
use super::*;
use crate::context::{Principal, PrincipalKind, SystemClock};
use crate::store::{Key, ResourceType};

fn staff(id: &str, organisation: &str, roles: &[&str], purpose: &str) -> Principal {
    let user = Key {
        resource_type: ResourceType::from_name("Practitioner").unwrap(),
        id: id.to_owned(),
    };
    let principal = Principal::new(id, PrincipalKind::Clinician)
        .with_fhir_user(user)
        .with_organisation(organisation)
        .with_purpose(purpose);
    roles
        .iter()
        .fold(principal, |principal, role| principal.with_role(*role))
}

async fn asked(server: &FhirServer, principal: &Principal, path: &str) -> Answer {
    let app = init_service(App::new().configure(|app| server.configure(app))).await;
    let request = get(path).to_request();
    request.extensions_mut().insert(principal.clone());
    send_made(&app, request).await
}

async fn patients(server: &FhirServer, principal: &Principal) -> Vec<String> {
    let answer = asked(server, principal, "/fhir/Patient?_count=100").await;
    assert_eq!(answer.checked(), 200, "{}", answer.text());
    let bundle = answer.json();
    let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
    let ids = entries
        .iter()
        .filter_map(|entry| entry["resource"]["id"].as_str());
    ids.map(str::to_owned).collect()
}

#[actix_web::test]
async fn a_researcher_sees_who_consented_to_research_and_nobody_else() {
    let server = filled(Arc::new(MemoryStore::new(Arc::new(SystemClock)))).await;
    let mut researcher = staff("prac-imogen-hartley", "X9904", &["researcher"], "HRESCH");
    let seen = patients(&server, &researcher).await;
    let sees = |id: &str| seen.iter().any(|one| one == id);
    assert!(sees("pat-amira-khan") && sees("pat-tomasz-kowalski"), "{seen:?}");
    // One opted out, the other never said anything.
    assert!(
        !sees("pat-jordan-campbell") && !sees("pat-priya-nair"),
        "{seen:?}"
    );
    for path in [
        "Patient/pat-jordan-campbell",
        "Patient/pat-jordan-campbell/_history",
    ] {
        let answer = asked(&server, &researcher, &format!("/fhir/{path}")).await;
        assert_eq!(answer.checked(), 404, "{path}");
    }
    let of_jordan = asked(
        &server,
        &researcher,
        "/fhir/Observation?patient=pat-jordan-campbell",
    )
    .await;
    assert_eq!(of_jordan.json()["total"], 0);
    // For treatment a researcher has no relationship with anybody.
    researcher = researcher.with_purpose("TREAT");
    assert_eq!(patients(&server, &researcher).await, Vec::<String>::new());
}

#[actix_web::test]
async fn the_privacy_officer_asks_who_sees_what_and_reads_hardly_a_record() {
    let server = filled(Arc::new(MemoryStore::new(Arc::new(SystemClock)))).await;
    let roles = ["privacy-officer", "information-governance"];
    let officer = staff("prac-owen-pryce", "X9901", &roles, "HCOMPL");
    // Of those whom the trust looks after, one shares her whole record for every purpose.
    assert_eq!(patients(&server, &officer).await, ["pat-amira-khan"]);
    let check = |patient: &str| {
        format!(
            "/fhir/Consent/$check?patient=Patient/{patient}&actor=Practitioner/prac-imogen-hartley\
             &role=researcher&purpose=HRESCH"
        )
    };
    for (patient, decision, consent) in [
        (
            "pat-jordan-campbell",
            "deny",
            "Consent/consent-jordan-no-research",
        ),
        ("pat-amira-khan", "permit", "Consent/consent-amira-share-all"),
    ] {
        let answer = asked(&server, &officer, &check(patient)).await;
        assert_eq!(answer.checked(), 200, "{}", answer.text());
        let told = answer.json();
        let value = |name: &str| {
            let all = told["parameter"].as_array().unwrap();
            let one = all
                .iter()
                .find(|one| one["name"] == name)
                .cloned()
                .unwrap_or_default();
            one["valueCode"]
                .as_str()
                .or(one["valueString"].as_str())
                .unwrap_or_default()
                .to_owned()
        };
        assert_eq!(
            (value("decision").as_str(), value("consent").as_str()),
            (decision, consent)
        );
    }
    // What another did is in the trail for the officer alone.
    assert_eq!(
        sent(&server, get("/fhir/Patient/pat-amira-khan")).await.checked(),
        200
    );
    let trail = "/fhir/AuditEvent?patient=pat-amira-khan&action=R";
    let seen = asked(&server, &officer, trail).await;
    assert!(seen.json()["total"].as_u64().unwrap() >= 1, "{}", seen.text());
    let receptionist = staff("prac-tracey-boyle", "A99991", &["R1730"], "TREAT");
    assert_eq!(
        asked(&server, &receptionist, &check("pat-amira-khan"))
            .await
            .checked(),
        403
    );
    assert_eq!(asked(&server, &receptionist, trail).await.json()["total"], 0);
}
