//! Opening a record in an emergency, by the scenarios' numbers.

use serde_json::{Value, json};

use super::setting::*;
use super::*;
use crate::policy::emergency;

const REASON: &str = "found unconscious, alone";

/// A doctor who may open records in an emergency, and cares for nobody.
fn rescuer() -> Principal {
    dr_b().with_role("emergency")
}

fn guardian() -> Principal {
    clinician("dr-c", "Y02").with_role("information-governance")
}

fn rules(change: impl FnOnce(&mut emergency::Settings)) -> Chain {
    let mut settings = emergency::Settings {
        roles: vec!["emergency".into()],
        ..emergency::Settings::default()
    };
    change(&mut settings);
    chain().opening_in_emergency(settings)
}

/// p1 refuses all; of her data one thing is sealed, one sealed and locked.
fn world() -> World {
    World::new(&[
        condition("open", "p1", "1"),
        labelled(condition("sealed", "p1", "2"), CONFIDENTIALITY, "R"),
        labelled(condition("locked", "p1", "3"), CONFIDENTIALITY, "V"),
        condition("others", "p2", "4"),
        json!({"resourceType": "Group", "id": "both", "type": "person", "actual": true,
            "member": [{"entity": of("p1")}, {"entity": of("p2")}]}),
        consent("OPTOUT", json!({})),
    ])
}

impl TestServer {
    /// What that caller is answered in an emergency.
    fn in_emergency(&self, who: &Principal, url: &str, reason: &str) -> Result<Response, Error> {
        let context = self.context_of(who).with_break_glass(reason);
        self.send_in(self.engine.session(context), &request("GET", url))
    }

    fn status_of(&self, who: &Principal, url: &str) -> u16 {
        status(self.get_as(who, url))
    }
}

fn refusal(answer: Result<Response, Error>) -> (u16, String) {
    let error = answer.unwrap_err();
    (error.code.facts().status, format!("{:?}", error.issues))
}

#[test]
fn con_61_who_has_the_right_opens_one_record_with_a_reason_but_for_what_is_locked() {
    let world = world();
    let ruled = world.0.under(rules(|_| {}));
    for name in ["Patient/p1", "Condition/open", "Condition/sealed"] {
        assert_eq!(ruled.status_of(&rescuer(), name), 404, "{name}");
    }
    let (status, told) = refusal(ruled.in_emergency(&rescuer(), "Patient/p1", " "));
    assert!(status == 403 && told.contains("why"), "{told}");
    let (status, told) = refusal(ruled.in_emergency(&dr_a(), "Patient/p1", REASON));
    assert!(status == 403 && told.contains("emergency.roles"), "{told}");
    let (status, told) = refusal(ruled.in_emergency(&rescuer(), "Condition/open", REASON));
    assert!(status == 400 && told.contains("patient="), "{told}");
    let two = "Condition?patient=p1,p2";
    assert_eq!(refusal(ruled.in_emergency(&rescuer(), two, REASON)).0, 400);
    // Nothing of this opened anything, or told anybody.
    let alerts = "Communication?category=BTG";
    assert_eq!(world.0.json(alerts)["total"], 0);
    assert_eq!(ruled.status_of(&rescuer(), "Patient/p1"), 404);

    let found = ruled
        .in_emergency(&rescuer(), "Condition?patient=p1", REASON)
        .unwrap();
    assert_eq!(ids(&found), ["open", "sealed"]);
    for (name, expected) in [
        ("Patient/p1", 200),
        ("Condition/open", 200),
        ("Condition/sealed", 200),
        ("Condition/locked", 404),
        ("Condition/locked/_history", 404),
        ("Condition/others", 404),
        ("Patient/p2", 404),
        // It is another's too, who is not in danger.
        ("Group/both", 404),
    ] {
        assert_eq!(ruled.status_of(&rescuer(), name), expected, "{name}");
    }
    assert_eq!(
        ruled.status_of(&dr_c(), "Condition/open"),
        404,
        "another's emergency"
    );
    // For another purpose nothing is open.
    let research = rescuer().with_purpose("HRESCH");
    for url in [
        "Condition?patient=p1",
        "Patient?_id=p1",
        "Communication?patient=p1",
    ] {
        assert!(ids(&ruled.get_as(&research, url).unwrap()).is_empty(), "{url}");
    }
    assert_eq!(
        refusal(ruled.in_emergency(&research, "Patient/p1", REASON)).0,
        403
    );
    let broken = rescuer().with_purpose("BTG");
    assert_eq!(ruled.status_of(&broken, "Condition/open"), 200);

    // She reads who it was and why, and so does who guards privacy; nobody takes that back.
    for who in [patient_herself("p1"), guardian()] {
        let told = json(&ruled.get_as(&who, alerts).unwrap());
        let alert = &told["entry"][0]["resource"];
        assert_eq!(told["total"], 1, "{told}");
        assert_eq!(alert["reasonCode"][0]["text"], REASON);
        assert_eq!(alert["sender"]["reference"], "Practitioner/dr-b");
        assert_eq!(alert["subject"], of("p1"));
    }
    assert_eq!(ruled.status_of(&guardian(), "Condition/open"), 404);
}

#[test]
fn con_61_nobody_writes_or_takes_back_an_alert() {
    let world = world();
    let ruled = world.0.under(rules(|_| {}));
    // Of a patient whom they look after, and may write about.
    let carer = dr_a().with_role("emergency");
    let forged = emergency::alert(&ruled.context_of(&carer), "p2", REASON);
    let mut harmless = forged.clone();
    harmless["category"] = json!([{"text": "a note"}]);
    let write = |method: &str, url: &str, text: &Value| {
        ruled.send_as(&carer, &with_body(request(method, url), &text.to_string()))
    };
    assert_eq!(status(write("POST", "Communication", &forged)), 403);
    let note = json(&write("POST", "Communication", &harmless).unwrap());
    let place = format!("Communication/{}", note["id"].as_str().unwrap());
    let mut turned = forged.clone();
    turned["id"] = note["id"].clone();
    assert_eq!(
        status(write("PUT", &place, &turned)),
        403,
        "made of what is there"
    );
    ruled.in_emergency(&rescuer(), "Patient/p1", REASON).unwrap();
    let told = json(&ruled.get_as(&rescuer(), "Communication?category=BTG").unwrap());
    let id = told["entry"][0]["resource"]["id"].as_str().unwrap();
    for who in [rescuer(), guardian(), dr_a()] {
        // As of what does not exist.
        let gone = request("DELETE", &format!("Communication/{id}"));
        assert_eq!(status(ruled.send_as(&who, &gone)), 204);
    }
    assert_eq!(world.0.json("Communication?category=BTG")["total"], 1);
}

#[test]
fn con_62_an_emergency_ends_and_is_of_one_patient() {
    let world = world();
    let ruled = world.0.under(rules(|settings| settings.minutes = 30));
    ruled.in_emergency(&rescuer(), "Patient/p1", REASON).unwrap();
    let both = |expected: [u16; 2]| {
        let seen = ["Condition/sealed", "Condition/others"].map(|name| ruled.status_of(&rescuer(), name));
        assert_eq!(seen, expected);
    };
    both([200, 404]);
    ruled.pass_seconds(29 * 60);
    both([200, 404]);
    ruled.pass_seconds(2 * 60);
    both([404, 404]);
    ruled.in_emergency(&rescuer(), "Patient/p2", REASON).unwrap();
    both([404, 200]);
}

#[test]
fn a_patient_who_is_not_there_is_opened_as_one_who_is_locked() {
    let world = World::new(&[labelled(patient("p3"), CONFIDENTIALITY, "V")]);
    let ruled = world.0.under(rules(|_| {}));
    let asked = |id: &str| {
        let answer = ruled.in_emergency(&rescuer(), &format!("Patient/{id}"), REASON);
        let (status, told) = refusal(answer);
        (status, told.replace(id, "[id]"))
    };
    assert_eq!(asked("p3"), asked("p9"));
    assert_eq!(asked("p3").0, 404);
}
