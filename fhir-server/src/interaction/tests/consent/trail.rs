//! The scenarios of the design by their numbers: what is told of requests, whom it is told to, and pages that a revocation overtakes.

use serde_json::json;

use super::super::audits::{audited, events, gist};
use super::setting::*;
use super::*;

/// The rules over a world's store, with a trail.
fn told_of(world: &World) -> TestServer {
    let mut settings = Settings::default();
    audited(&mut settings);
    TestServer::over(
        world.0.store.clone(),
        world.0.clock.clone(),
        settings,
        Arc::new(chain()),
    )
}

fn total(server: &TestServer, who: &Principal, url: &str) -> u64 {
    let found = json(&server.get_as(who, url).unwrap());
    found["total"]
        .as_u64()
        .unwrap_or_else(|| panic!("{url}: {found}"))
}

#[test]
fn con_51_a_probe_by_number_is_answered_as_if_nobody_had_it_and_is_told() {
    let world = World::new(&[]);
    let server = told_of(&world);
    let probe = |who: &Principal, number: &str| {
        let body = json!({"resourceType": "Patient", "name": [{"family": "Probe"}]});
        let mut create = with_body(request("POST", "Patient"), &body.to_string());
        create.if_none_exist = Some(format!("identifier={NHS_NUMBER}|{number}"));
        status(server.send_as(who, &create))
    };
    let absent = probe(&dr_b(), "9990000000");
    assert_eq!(probe(&dr_b(), "999p1"), absent);
    assert_eq!(probe(&dr_a(), "999p1"), 200, "who sees her is told of her");
    let told: Vec<String> = events(&server).iter().map(gist).collect();
    assert_eq!(told.len(), 3, "{told:?}");
}

#[test]
fn con_68_a_patient_reads_who_has_seen_her_record_and_alters_nothing() {
    let world = World::new(&[condition("a", "p1", "1"), condition("b", "p2", "1")]);
    let server = told_of(&world);
    server.get_as(&dr_a(), "Condition/a").unwrap();
    server.get_as(&dr_a(), "Condition/b").unwrap();
    let herself = patient_herself("p1");
    let seen = json(
        &server
            .get_as(&herself, "AuditEvent?patient=p1&subtype=read")
            .unwrap(),
    );
    assert_eq!(seen["total"], 1);
    let event = seen["entry"][0]["resource"].clone();
    assert_eq!(gist(&event), "R read 0 Patient/p1");
    assert_eq!(total(&server, &herself, "AuditEvent?patient=p2"), 0);
    let name = format!("AuditEvent/{}", event["id"].as_str().unwrap());
    let put = with_body(request("PUT", &name), &event.to_string());
    assert_eq!(status(server.send_as(&herself, &put)), 405);
    assert_eq!(status(server.send_as(&herself, &request("DELETE", &name))), 405);
    assert_eq!(status(server.get_as(&herself, &name)), 200);
}

#[test]
fn con_69_the_trail_of_a_consent_tells_a_clinician_nothing_of_others() {
    let world = World::new(&[consent("OPTIN", json!({}))]);
    let server = told_of(&world);
    server.get_as(&patient_herself("p1"), "Consent/c1").unwrap();
    let of_consent = "AuditEvent?entity=Consent/c1";
    for who in [dr_a(), dr_b(), research(), patient_herself("p2")] {
        assert_eq!(total(&server, &who, of_consent), 0, "{}", who.name);
    }
    assert_eq!(total(&server, &patient_herself("p1"), of_consent), 1);
}

#[test]
fn con_78_a_revocation_is_in_force_from_the_next_page_of_a_record() {
    let mut all = vec![consent("OPTIN", json!({}))];
    all.extend((0..6).map(|i| condition(&format!("k{i}"), "p1", "1")));
    let world = World::new(&all);
    let ruled = world.ruled();
    let first = json(&ruled.get_as(&dr_a(), "Patient/p1/$everything?_count=2").unwrap());
    let links = first["link"].as_array().unwrap();
    let next = links.iter().find(|link| link["relation"] == "next").unwrap();
    let next = next["url"]
        .as_str()
        .unwrap()
        .trim_start_matches(BASE)
        .trim_start_matches('/');
    let before = text(&ruled.get_as(&dr_a(), next).unwrap());
    assert!(before.contains("Patient/p1"), "{before}");
    world.put(&consent("OPTOUT", json!({})));
    match ruled.get_as(&dr_a(), next) {
        Ok(page) => assert_eq!(ids(&page), [] as [&str; 0]),
        Err(error) => assert_eq!(error.code.facts().status, 404),
    }
}

#[test]
fn a_consent_binds_who_sees_and_not_who_records() {
    let world = World::new(&[condition("a", "p1", "1"), consent("OPTOUT", json!({}))]);
    let ruled = world.ruled();
    let record = |who: &Principal| {
        let mut body = condition("x", "p1", "1");
        body.as_object_mut().unwrap().remove("id");
        ruled.send_as(who, &with_body(request("POST", "Condition"), &body.to_string()))
    };
    assert_eq!(record(&dr_a()).unwrap().status, 201);
    assert!(
        status(record(&dr_b())) >= 400,
        "a relationship is needed all the same"
    );
    assert_eq!(world.ids(&dr_a(), "Condition"), [] as [&str; 0]);
    assert_eq!(world.ids(&patient_herself("p1"), "Condition").len(), 2);
    // A provision about what is not reading says nothing about reading.
    let system = "http://terminology.hl7.org/CodeSystem/consentaction";
    for (action, seen) in [("collect", 200), ("correct", 200), ("access", 404)] {
        let action = json!([{"coding": [{"system": system, "code": action}]}]);
        let denied = json!({"type": "deny", "action": action});
        world.put(&consent("OPTIN", json!({"provision": [denied]})));
        assert_eq!(world.status(&dr_a(), "Condition/a"), seen, "{action}");
    }
}
