//! `$purge` and retention: what is taken away is nowhere any more, but for the trail.

use super::audits::{audited, events};
use super::*;
use crate::context::{Millis, PrincipalKind, TenantId};
use crate::scopes::Scopes;

const TEXTS: &str = "zyx9Canary";

fn operator() -> Principal {
    Principal::new("eraser", PrincipalKind::Client).with_scopes(Scopes::read("operator/purge"))
}

fn send_as(server: &TestServer, principal: Principal, url: &str) -> Result<Response, Error> {
    let mut context = server.context();
    context.principal = principal;
    server.send_in(server.engine.session(context), &request("POST", url))
}

fn put(server: &TestServer, url: &str, rest: &str) {
    let (name, id) = url.split_once('/').unwrap();
    let body = format!(r#"{{"resourceType":"{name}","id":"{id}",{rest}}}"#);
    server.put(url, &body).unwrap();
}

/// Two patients with records, of which one appointment is both's.
fn server() -> TestServer {
    let server = TestServer::with(|settings| {
        audited(settings);
        settings.validation.all.level = Check::Off;
        settings.search.full_text = true;
    });
    for (id, text) in [("p1", TEXTS), ("p2", "other")] {
        let subject = format!(r#""subject":{{"reference":"Patient/{id}"}}"#);
        let name = format!(
            r##""name":[{{"family":"{text}"}}],"identifier":[{{"system":"urn:x","value":"{text}"}}],
            "contact":[{{"organization":{{"reference":"#c"}}}}],"contained":[{{"resourceType":"Organization","id":"c","name":"{text}"}}]"##
        );
        put(&server, &format!("Patient/{id}"), &name);
        for status in ["preliminary", "final"] {
            let rest = format!(
                r#""status":"{status}","code":{{"text":"{text}"}},{subject},"effectiveDateTime":"2020-01-01""#
            );
            put(&server, &format!("Observation/o{id}"), &rest);
        }
        put(
            &server,
            &format!("Condition/c{id}"),
            &format!(r#""code":{{"text":"{text}"}},{subject}"#),
        );
        server.delete(&format!("Condition/c{id}")).unwrap();
        let consent = format!(r#""status":"active","patient":{{"reference":"Patient/{id}"}}"#);
        put(&server, &format!("Consent/n{id}"), &consent);
    }
    let both = r#""status":"booked","participant":[{"actor":{"reference":"Patient/p1"}},{"actor":{"reference":"Patient/p2"}}]"#;
    put(&server, "Appointment/both", both);
    server
}

#[test]
fn nothing_of_a_purged_patient_is_found_anywhere() {
    let server = server();
    let answer = json(&send_as(&server, operator(), "Patient/p1/$purge").unwrap());
    let told: Vec<&str> = answer["issue"]
        .as_array()
        .unwrap()
        .iter()
        .map(|issue| issue["diagnostics"].as_str().unwrap())
        .collect();
    assert_eq!(told.len(), 2, "{answer}");
    assert!(told[0].contains("4 resources with 6 versions"), "{told:?}");
    assert!(told[1].contains("Appointment/both"), "{told:?}");
    for gone in ["Patient/p1", "Observation/op1", "Condition/cp1", "Consent/np1"] {
        assert_eq!(super::told(server.get(gone)).0, 404, "{gone}");
        assert_eq!(
            super::told(server.get(&format!("{gone}/_history/1"))).0,
            404,
            "{gone}"
        );
        assert_eq!(
            super::told(server.get(&format!("{gone}/_history"))).0,
            404,
            "{gone}"
        );
    }
    let history = text(&server.get("_history?_count=1000").unwrap());
    assert!(!history.contains(TEXTS), "{history}");
    for url in [
        format!("Patient?family={TEXTS}"),
        format!("Patient?identifier=urn:x%7C{TEXTS}"),
        format!("?_content={TEXTS}"),
        format!("Organization?name={TEXTS}&_contained=true"),
        "Observation?patient=p1".to_owned(),
        "Observation?date=2020&patient=p1".to_owned(),
        "Consent?patient=p1".to_owned(),
    ] {
        assert_eq!(server.json(&url)["total"], 0, "{url}");
    }
    // The neighbour's record is whole, what both have in common is there, and shared codes find what is left.
    assert_eq!(server.json("Patient?family=other")["total"], 1);
    assert_eq!(server.json("Observation?status=final&date=2020")["total"], 1);
    assert_eq!(server.json("Observation/op2/_history")["total"], 2);
    assert_eq!(super::told(server.get("Condition/cp2")).0, 410);
    assert_eq!(server.json("Appointment?patient=p1")["total"], 1);
}

#[test]
fn the_trail_keeps_what_was_purged_and_who_did_it() {
    let server = server();
    let before = events(&server).len();
    send_as(&server, operator(), "Patient/p1/$purge").unwrap();
    let events = events(&server);
    let new: Vec<String> = events[before..].iter().map(Value::to_string).collect();
    for gone in ["Patient/p1", "Observation/op1", "Condition/cp1", "Consent/np1"] {
        let is_it = |event: &&Value| event["action"] == "D" && event.to_string().contains(gone);
        let removal = events[before..].iter().find(is_it);
        let removal = removal.unwrap_or_else(|| panic!("{gone}: {new:?}"));
        assert!(removal.to_string().contains("eraser") && removal.to_string().contains("Patient/p1"));
    }
    assert!(
        new.iter()
            .any(|event| event.contains("$purge") || event.contains("\"purge\"")),
        "{new:?}"
    );
    // Every row of before is there still.
    assert!(
        events[..before]
            .iter()
            .any(|event| event.to_string().contains("Observation/op1"))
    );
}

#[test]
fn nobody_but_an_operator_purges() {
    let server = server();
    let all = || Scopes::read("system/*.cruds user/*.cruds patient/*.cruds operator/purge");
    for principal in [
        Principal::sandbox_clinician(),
        Principal::sandbox_clinician().with_scopes(all()),
        Principal::new("a", PrincipalKind::Patient)
            .with_scopes(all())
            .with_patient("p1"),
        Principal::new("a", PrincipalKind::RelatedPerson).with_scopes(all()),
        Principal::anonymous(),
        Principal::new("a", PrincipalKind::Client),
        Principal::new("a", PrincipalKind::Client)
            .with_scopes(Scopes::read("system/*.cruds operator/explain")),
    ] {
        let refused = told(send_as(&server, principal.clone(), "Patient/p1/$purge"));
        assert_eq!(refused.0, 403, "{principal:?}");
    }
    assert_eq!(server.json("Observation?patient=p1")["total"], 1);
}

#[test]
fn a_purge_is_no_part_of_a_transaction_and_takes_a_patient_there_was() {
    let server = server();
    let entry = serde_json::json!({"request": {"method": "POST", "url": "Patient/p1/$purge"}});
    let bundle = serde_json::json!({"resourceType": "Bundle", "type": "transaction", "entry": [entry]});
    let mut context = server.context();
    context.principal = Principal::system("operator");
    let whole = with_body(
        Request::new(crate::interaction::Interaction::Transaction, BASE),
        &bundle.to_string(),
    );
    let refused = server.send_in(server.engine.session(context), &whole);
    assert_eq!(told(refused).2, "Bundle.entry[0]");
    assert_eq!(server.get("Patient/p1").unwrap().status, 200);
    assert_eq!(told(send_as(&server, operator(), "Patient/nobody/$purge")).0, 404);
    // One who was deleted can be purged, once.
    server.delete("Patient/p1").unwrap();
    send_as(&server, operator(), "Patient/p1/$purge").unwrap();
    assert_eq!(told(send_as(&server, operator(), "Patient/p1/$purge")).0, 404);
    assert_eq!(told(server.get("Patient/p1")).0, 404);
    assert_eq!(server.json("Observation?patient=p1")["total"], 0);
}

#[test]
fn what_was_deleted_long_ago_is_purged_and_nothing_else() {
    let server = server();
    server.pass_seconds(86_400);
    server.delete("Observation/op1").unwrap();
    let purge =
        |before: i64| block_on(server.engine.purge_deleted(TenantId::DEFAULT, Millis(before))).unwrap();
    let now = server.context().clock.now().0;
    assert_eq!(purge(now - 2 * 86_400_000), 0);
    let removals = || {
        let removed =
            |event: &&Value| event["action"] == "D" && event.to_string().contains("system:retention");
        events(&server).iter().filter(removed).count()
    };
    assert_eq!(purge(now - 3_600_000), 2);
    assert_eq!(removals(), 2);
    assert_eq!(told(server.get("Condition/cp1")).0, 404);
    assert_eq!(told(server.get("Condition/cp2")).0, 404);
    assert_eq!(told(server.get("Observation/op1")).0, 410);
    assert_eq!(server.get("Observation/op1/_history/2").unwrap().status, 200);
    assert_eq!(purge(now - 3_600_000), 0);
}
