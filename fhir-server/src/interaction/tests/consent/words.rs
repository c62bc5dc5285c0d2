//! Scenario 37 of the design: the words beside a reference to what is hidden.

use serde_json::{Value, json};

use super::setting::*;
use super::*;

const SAID: &str = "HIV clinic";

fn visit(id: &str, because: Value) -> Value {
    json!({"resourceType": "Encounter", "id": id, "status": "planned", "class": {"system": ACT_CODE, "code": "AMB"},
        "subject": {"reference": "Patient/p1", "display": "Amy Shaw"}, "reasonReference": [because]})
}

/// A visit because of a condition that consent hides, one because of an open one, and one because of nothing that is stored.
fn world() -> World {
    let hidden = json!({"type": "deny", "code": [{"coding": [{"system": SNOMED, "code": HIV}]}]});
    World::new(&[
        condition("h", "p1", HIV),
        condition("o", "p1", "1"),
        visit(
            "because-hidden",
            json!({"reference": "Condition/h", "display": SAID}),
        ),
        visit(
            "because-open",
            json!({"reference": "Condition/o", "display": "Asthma"}),
        ),
        visit(
            "because-nothing",
            json!({"reference": "Condition/gone", "display": SAID}),
        ),
        consent("OPTIN", json!({"provision": [hidden]})),
    ])
}

#[test]
fn con_37_words_beside_what_is_hidden_are_said_to_nobody_who_does_not_see_it() {
    let ruled = world().ruled();
    for url in [
        "Encounter/because-hidden",
        "Encounter/because-hidden/_history/1",
        "Encounter/because-hidden/_history",
        "Encounter?_id=because-hidden,because-nothing,because-open",
        "Encounter?_sort=_id&_elements=reasonReference",
        "Condition?_id=o&_revinclude=Encounter:subject&_include=Condition:subject&_include:iterate=Encounter:subject",
        "Patient/p1/$everything",
        "Patient/p1/Encounter",
    ] {
        let answer = text(&ruled.get_as(&dr_a(), url).unwrap());
        assert!(!answer.contains(SAID), "{url}: {answer}");
        let own = text(&ruled.get_as(&patient_herself("p1"), url).unwrap());
        assert!(
            !own.contains("because-hidden") || own.contains(SAID),
            "{url}: {own}"
        );
    }
    let shown = json(&ruled.get_as(&dr_a(), "Encounter/because-open").unwrap());
    assert_eq!(shown["reasonReference"][0]["display"], "Asthma");
    assert_eq!(shown["subject"]["display"], "Amy Shaw");
    // The reference itself stays, as it says no more than that there is or was something.
    let part = json(&ruled.get_as(&dr_a(), "Encounter/because-hidden").unwrap());
    assert_eq!(part["reasonReference"], json!([{"reference": "Condition/h"}]));
    assert_eq!(part["subject"]["display"], "Amy Shaw");
    // What is not there is treated as what is hidden.
    let nothing = json(&ruled.get_as(&dr_a(), "Encounter/because-nothing").unwrap());
    assert_eq!(
        nothing["reasonReference"],
        json!([{"reference": "Condition/gone"}])
    );
}

#[test]
fn con_37_nothing_is_found_by_those_words_and_who_writes_leaves_them_as_they_were() {
    let world = world();
    let ruled = world.ruled();
    let found = ruled.get_as(&dr_a(), "Encounter?reason-reference:text=HIV");
    assert!(found.is_err() || ids(&found.unwrap()).is_empty());
    let patch = |value: &str| {
        let patch = json!([
            {"op": "test", "path": "/reasonReference/0/display", "value": value},
            {"op": "add", "path": "/length", "value": {"value": 1}}
        ]);
        let mut sent = request("PATCH", "Encounter/because-hidden");
        sent.body = Some(RequestBody::Patch(
            crate::interaction::PatchForm::Json,
            patch.to_string().into_bytes().into(),
        ));
        let error = ruled.send_as(&dr_a(), &sent).unwrap_err();
        format!("{:?} {:?}", error.code, error.issues)
    };
    assert_eq!(patch(SAID), patch("Guess"));
    let words = |who: &Principal| {
        let shown = json(&ruled.get_as(who, "Encounter/because-hidden").unwrap());
        shown["reasonReference"][0]["display"].clone()
    };
    let mut part = json(&ruled.get_as(&dr_a(), "Encounter/because-hidden").unwrap());
    part["status"] = json!("finished");
    let put = with_body(request("PUT", "Encounter/because-hidden"), &part.to_string());
    let answer = ruled.send_as(&dr_a(), &put).unwrap();
    assert!(!text(&answer).contains(SAID));
    assert_eq!(json(&answer)["status"], "finished");
    assert_eq!(
        (words(&dr_a()), words(&patient_herself("p1"))),
        (Value::Null, json!(SAID))
    );
    let mut sent = request("PATCH", "Encounter/because-hidden");
    sent.body = Some(RequestBody::Patch(
        crate::interaction::PatchForm::Json,
        json!([{"op": "replace", "path": "/status", "value": "cancelled"}])
            .to_string()
            .into_bytes()
            .into(),
    ));
    assert!(!text(&ruled.send_as(&dr_a(), &sent).unwrap()).contains(SAID));
    assert_eq!(
        (words(&dr_a()), words(&patient_herself("p1"))),
        (Value::Null, json!(SAID))
    );
    // Whose reference goes, goes whole.
    part["reasonReference"] = json!([{"reference": "Condition/o"}]);
    let put = with_body(request("PUT", "Encounter/because-hidden"), &part.to_string());
    assert_eq!(ruled.send_as(&dr_a(), &put).unwrap().status, 200);
    assert_eq!(words(&patient_herself("p1")), Value::Null);
}

#[test]
fn con_37_a_provenance_names_the_version_that_there_is_where_a_view_is_put_back_as_it_was() {
    let world = world();
    let ruled = world.ruled();
    let seen = text(&ruled.get_as(&dr_a(), "Encounter/because-hidden").unwrap());
    let mut put = with_body(request("PUT", "Encounter/because-hidden"), &seen);
    let agent = json!({"resourceType": "Provenance", "agent": [{"who": {"reference": "Practitioner/dr-a"}}]});
    put.provenance = Some(agent.to_string());
    let answer = ruled.send_as(&dr_a(), &put).unwrap();
    assert_eq!(answer.version, Some(1));
    let told = json(
        &ruled
            .get_as(&dr_a(), "Provenance?target=Encounter/because-hidden")
            .unwrap(),
    );
    assert_eq!(
        told["entry"][0]["resource"]["target"],
        json!([{"reference": "Encounter/because-hidden/_history/1"}])
    );
}
