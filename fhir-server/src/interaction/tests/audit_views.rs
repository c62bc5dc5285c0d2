//! The audit trail as it is seen: nobody sees more of it than is theirs, whatever their token says besides.

use super::audits::{OBSERVATION, as_auditor, events, gist, resources, send_as, server};
use super::*;
use crate::context::PrincipalKind;
use crate::scopes::Scopes;

fn as_patient(server: &TestServer, id: &str, url: &str) -> Result<Response, Error> {
    let patient = Principal::new(format!("patient-{id}"), PrincipalKind::Patient).with_patient(id);
    send_as(server, patient, url)
}

#[test]
fn a_patient_sees_who_has_seen_her_record_and_nothing_of_others() {
    let server = server();
    server.post("Observation", OBSERVATION).unwrap();
    server.get("Observation?code:text=pulse").unwrap();
    server
        .put("Patient/z", r#"{"resourceType":"Patient","id":"z"}"#)
        .unwrap();
    let seen = as_patient(&server, "a", "AuditEvent?_sort=date").unwrap();
    let gists: Vec<String> = resources(&json(&seen)).iter().map(gist).collect();
    assert_eq!(gists, ["C create 0 Patient/a", "E search-type 0 Patient/a"]);
    for secret in ["Patient/b", "Patient/z", "cHVsc2U", "b2RlOnRleHQ"] {
        assert!(!text(&seen).contains(secret), "{secret} in {}", text(&seen));
    }
    let asked = resources(&json(&seen))[1]["entity"][1]["query"].clone();
    assert_eq!(asked, "T2JzZXJ2YXRpb24=", "the type alone");
    assert_eq!(json(&seen)["total"], 2);
    let through = as_patient(&server, "a", "Patient/a/AuditEvent?_summary=count").unwrap();
    assert_eq!(json(&through)["total"], 2);
    let others = as_patient(&server, "a", "AuditEvent?patient=z").unwrap();
    assert_eq!(json(&others)["total"], 0);
    let of_another = events(&server)
        .iter()
        .find(|event| gist(event).ends_with("Patient/z"))
        .map(|event| event["id"].as_str().unwrap().to_owned())
        .unwrap();
    let told = told(as_patient(&server, "a", &format!("AuditEvent/{of_another}")));
    assert_eq!((told.0, told.1), (404, "not-found"));
    let own = resources(&json(&seen))[0]["id"].as_str().unwrap().to_owned();
    let read = as_patient(&server, "a", &format!("AuditEvent/{own}")).unwrap();
    assert_eq!(gist(&json(&read)), "C create 0 Patient/a");
    let clinician = Principal::new("dr-x", PrincipalKind::Clinician);
    let nothing = send_as(&server, clinician, "AuditEvent?entity=Observation/id-1").unwrap();
    assert_eq!(json(&nothing)["total"], 0);
}

#[test]
fn a_patient_in_context_does_not_make_a_clinician_the_patient() {
    let server = server();
    server.post("Observation", OBSERVATION).unwrap();
    let doctor = || Principal::new("dr-a", PrincipalKind::Clinician).with_patient("a");
    send_as(&server, doctor(), "Observation/id-1").unwrap();
    let seen = send_as(&server, doctor(), "AuditEvent?patient=a").unwrap();
    let gists: Vec<String> = resources(&json(&seen)).iter().map(gist).collect();
    assert_eq!(gists, ["R read 0 Patient/a+Patient/b"], "what she did herself");
}

#[test]
fn scopes_bind_what_is_seen_of_the_trail_or_it_is_refused() {
    let server = server();
    server.post("Observation", OBSERVATION).unwrap();
    server.get("Patient/z").unwrap_err();
    let officer = |scopes: &str| {
        Principal::new("officer", PrincipalKind::Clinician)
            .with_role("privacy-officer")
            .with_patient("a")
            .with_scopes(Scopes::read(scopes))
    };
    let total = |scopes: &str| {
        let found = send_as(&server, officer(scopes), "AuditEvent?altid=sandbox-clinician").unwrap();
        json(&found)["total"].as_u64().unwrap()
    };
    assert_eq!(total("user/AuditEvent.rs"), 2);
    assert_eq!(total("patient/AuditEvent.rs"), 1);
    assert_eq!(total("patient/AuditEvent.rs user/*.rs"), 2);
    let refused = send_as(&server, officer("user/AuditEvent.rs?action=R"), "AuditEvent");
    assert_eq!(told(refused).0, 403);
    assert_eq!(
        told(send_as(&server, officer("user/AuditEvent.r"), "AuditEvent")).0,
        403
    );
}

#[test]
fn what_the_server_reads_for_itself_is_nobodys_access() {
    let server = server();
    server.post("Observation", OBSERVATION).unwrap();
    send_as(&server, Principal::system("identity"), "Patient?_id=a").unwrap();
    send_as(&server, Principal::system("identity"), "Patient/none").unwrap_err();
    let found: Vec<String> = events(&server).iter().map(gist).collect();
    assert_eq!(found, ["C create 0 Patient/a+Patient/b", "R read 4 Patient/none"]);
}

#[test]
fn pages_of_the_trail_end_though_each_page_is_told() {
    let server = server();
    for n in 0..7 {
        server.pass_seconds(1);
        server.get(&format!("Patient?_id=p{n}")).unwrap();
    }
    for sort in ["date", "-date"] {
        let mut url = format!("AuditEvent?subtype=search-type&_count=3&_sort={sort}");
        let mut seen: Vec<String> = Vec::new();
        for _ in 0..20 {
            let bundle = json(&as_auditor(&server, &url).unwrap());
            assert!(bundle["total"].as_u64().unwrap() >= 7);
            seen.extend(
                resources(&bundle)
                    .iter()
                    .map(|e| e["id"].as_str().unwrap().to_owned()),
            );
            let links = bundle["link"].as_array().unwrap();
            match links.iter().find(|link| link["relation"] == "next") {
                Some(next) => {
                    url = next["url"]
                        .as_str()
                        .unwrap()
                        .trim_start_matches(&format!("{BASE}/"))
                        .to_owned()
                }
                None => break,
            }
        }
        let mut sorted = seen.clone();
        sorted.sort();
        sorted.dedup();
        assert_eq!(sorted.len(), seen.len(), "no row twice");
        if sort == "-date" {
            sorted.reverse();
        }
        assert_eq!(sorted, seen);
        assert!(seen.len() >= 7 && seen.len() <= 12, "{}", seen.len());
    }
}

#[test]
fn the_trail_is_searched_by_what_it_knows_and_refuses_what_it_cannot_read() {
    let server = server();
    server
        .put("Patient/a", r#"{"resourceType":"Patient","id":"a"}"#)
        .unwrap();
    server.pass_seconds(86_400);
    server.get("Patient/a").unwrap();
    server.get("Observation/none").unwrap_err();
    let total = |query: &str| {
        let found = as_auditor(&server, &format!("AuditEvent?_total=accurate&{query}")).unwrap();
        json(&found)["total"].as_u64().unwrap()
    };
    // Of each, only what was told before the first question: the questions are searches by another.
    assert_eq!(total("altid=sandbox-clinician"), 3);
    assert_eq!(total("altid=sandbox-clinician&action=R"), 2);
    assert_eq!(total("altid=sandbox-clinician&action=R,U"), 3);
    assert_eq!(total("altid=sandbox-clinician&outcome=4"), 1);
    assert_eq!(total("altid=sandbox-clinician&date=2026-11-23"), 1);
    assert_eq!(total("altid=sandbox-clinician&date=gt2026-11-23"), 2);
    assert_eq!(total("entity=Observation/none"), 1);
    assert_eq!(total("altid=sandbox-clinician&entity=Patient/a"), 2);
    assert_eq!(total("altid=sandbox-clinician&patient=a&subtype=update"), 1);
    assert_eq!(total("type=other"), 0);
    for wrong in [
        "action=X",
        "outcome=1",
        "date=yesterday",
        "patient=a/b",
        "_sort=patient",
        "subtype=dance",
    ] {
        assert_eq!(
            told(as_auditor(&server, &format!("AuditEvent?{wrong}"))).0,
            400,
            "{wrong}"
        );
    }
    let unknown = as_auditor(&server, "AuditEvent?site=here").unwrap();
    assert!(text(&unknown).contains("site"), "what is not followed is told");
}
