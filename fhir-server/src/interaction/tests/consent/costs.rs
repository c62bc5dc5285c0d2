//! Scenario 56 of the design: what is hidden costs what nothing costs. Times are not measured: the same questions to the store, and as many
//! rows in its answers, are what a time could tell apart.

use std::sync::Mutex;

use serde_json::json;

use super::super::counted::Counted;
use super::setting::*;
use super::*;

#[test]
fn con_56_what_is_hidden_costs_the_questions_and_rows_that_nothing_costs() {
    let hiv_denied = json!({"type": "deny", "code": [{"coding": [{"system": SNOMED, "code": HIV}]}]});
    let world = World::new(&[
        condition("hidden", "p1", HIV),
        labelled(condition("sealed", "p1", "1"), CONFIDENTIALITY, "V"),
        condition("gone", "p1", HIV),
        condition("open", "p1", "1"),
        consent("OPTIN", json!({"provision": [hiv_denied]})),
    ]);
    world.0.delete("Condition/gone").unwrap();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let store = Arc::new(Counted::new(world.0.store.clone(), asked.clone()));
    let ruled = TestServer::over(
        store,
        world.0.clock.clone(),
        Settings::default(),
        Arc::new(chain()),
    );
    let cost = |who: &Principal, method: &str, url: &str| {
        asked.lock().unwrap().clear();
        let answer = ruled.send_as(who, &request(method, url));
        let told = match answer {
            Err(error) => (error.code.facts().status, format!("{:?}", error.issues)),
            Ok(Response {
                status,
                payload: Payload::Json(body),
                ..
            }) => {
                let mut body: serde_json::Value = serde_json::from_slice(&body).unwrap();
                // A Bundle has an id of its own.
                body.as_object_mut().unwrap().remove("id");
                (status, body.to_string())
            }
            Ok(answer) => (answer.status, format!("{:?}", answer.payload)),
        };
        (told, std::mem::take(&mut *asked.lock().unwrap()))
    };
    // What the process does not know yet is made once.
    for who in [dr_a(), dr_b(), research()] {
        cost(&who, "GET", "Condition?_id=open");
        cost(&who, "GET", "Condition/open");
    }
    for who in [dr_a(), dr_b(), research(), patient_herself("p2")] {
        for (method, url) in [
            ("GET", "Condition/ID"),
            ("HEAD", "Condition/ID"),
            ("GET", "Condition/ID/_history"),
            ("GET", "Condition/ID/_history/1"),
            ("GET", "Condition/ID/$meta"),
            ("GET", "Condition?_id=ID"),
            ("GET", "Condition?_id=ID&_summary=count"),
            ("GET", "Condition?_id=ID&_include=*&_revinclude=Provenance:target"),
            ("GET", "Encounter?reason-reference=Condition/ID"),
            ("DELETE", "Condition/ID"),
        ] {
            let (told, questions) = cost(&who, method, &url.replace("ID", "never"));
            assert!(!questions.is_empty(), "{method} {url}");
            for id in ["hidden", "sealed", "gone"] {
                let (hidden, same) = cost(&who, method, &url.replace("ID", id));
                let named = (hidden.0, hidden.1.replace(id, "never"));
                assert_eq!(named, told, "{} {method} {url} {id}", who.name);
                assert_eq!(same, questions, "{} {method} {url} {id}", who.name);
            }
        }
    }
    // And it is a cost that what is seen does not have.
    assert_ne!(
        cost(&dr_a(), "GET", "Condition/open"),
        cost(&dr_a(), "GET", "Condition/never")
    );
}
