//! Scenario 38 of the design: what is contained, and what a document, a list or a note of origin says of what is hidden.

use serde_json::{Value, json};

use super::setting::*;
use super::*;

/// Conditions with that code are denied to all.
fn hiv_denied() -> Value {
    let denied = json!({"type": "deny", "code": [{"coding": [{"system": SNOMED, "code": HIV}]}]});
    consent("OPTIN", json!({"provision": [denied]}))
}

fn said(reference: &str) -> Value {
    json!({"reference": reference, "display": "HIV clinic"})
}

/// One of each type that points at others, which points at an open condition and at that one.
fn pointing(id: &str, at: &str) -> [Value; 4] {
    [
        json!({"resourceType": "List", "id": id, "status": "current", "mode": "working", "subject": of("p1"),
            "entry": [{"item": said("Condition/open")}, {"item": said(at)}]}),
        json!({"resourceType": "Composition", "id": id, "status": "final", "type": {"text": "x"}, "subject": of("p1"),
            "date": "2020-01-01", "author": [{"reference": "Practitioner/dr-a"}], "title": "x",
            "section": [{"title": "y", "entry": [said("Condition/open"), said(at)]}]}),
        json!({"resourceType": "Provenance", "id": id, "recorded": "2020-01-01T00:00:00Z",
            "target": [of("p1"), said("Condition/open"), said(at)], "agent": [{"who": {"reference": "Practitioner/dr-a"}}]}),
        json!({"resourceType": "Task", "id": id, "status": "requested", "intent": "order", "for": of("p1"), "focus": said(at)}),
    ]
}

#[test]
fn con_38_an_entry_about_what_is_hidden_is_a_bare_reference_as_one_to_nothing() {
    let world = World::new(&[
        condition("h", "p1", HIV),
        condition("open", "p1", "1"),
        hiv_denied(),
    ]);
    for resource in pointing("a", "Condition/h")
        .iter()
        .chain(&pointing("b", "Condition/none"))
    {
        world.put(resource);
    }
    let ruled = world.ruled();
    for kind in ["List", "Composition", "Provenance", "Task"] {
        let shown = |who: &Principal, id: &str| {
            let mut body = json(&ruled.get_as(who, &format!("{kind}/{id}")).unwrap());
            body["meta"] = Value::Null;
            body.to_string()
        };
        let hidden = shown(&dr_a(), "a");
        let nothing = shown(&dr_a(), "b").replace("Condition/none", "Condition/h");
        assert_eq!(hidden, nothing.replace("\"id\":\"b\"", "\"id\":\"a\""), "{kind}");
        assert!(
            hidden.contains(r#"{"reference":"Condition/h"}"#),
            "{kind}: {hidden}"
        );
        assert_eq!(
            hidden.contains("HIV clinic"),
            kind != "Task",
            "the open one keeps its words: {hidden}"
        );
        let own = shown(&patient_herself("p1"), "a");
        assert!(
            own.contains(r#""display":"HIV clinic","reference":"Condition/h""#),
            "{kind}: {own}"
        );
        // What is counted, followed or brought along is what is seen.
        let parameter = match kind {
            "List" => "item",
            "Composition" => "entry",
            "Provenance" => "target",
            _ => "focus",
        };
        let found = world.ids(
            &dr_a(),
            &format!("{kind}?_id=a&_include={kind}:{parameter}:Condition"),
        );
        assert_eq!(
            found.contains(&"open".to_owned()),
            kind != "Task",
            "{kind}: {found:?}"
        );
        assert!(!found.contains(&"h".to_owned()), "{kind}: {found:?}");
    }
    assert_eq!(world.ids(&dr_a(), "Condition?_list=a"), ["open"]);
    let counted = json(&ruled.get_as(&dr_a(), "Condition?_list=a&_summary=count").unwrap());
    assert_eq!(counted["total"], 1);
    assert_eq!(
        world.ids(&dr_a(), "List?item:Condition.code=86406008"),
        [] as [&str; 0]
    );
    assert_eq!(
        world.ids(&dr_a(), "Composition?entry:Condition.code=86406008"),
        [] as [&str; 0]
    );
    assert_eq!(
        world.ids(&dr_a(), "Task?focus:Condition.code=86406008"),
        [] as [&str; 0]
    );
}

#[test]
fn con_38_what_contains_a_copy_of_something_hidden_is_hidden() {
    let mut visit = json!({"resourceType": "Encounter", "id": "e", "status": "finished",
        "class": {"system": ACT_CODE, "code": "AMB"}, "subject": of("p1"), "reasonReference": [{"reference": "#c"}]});
    let mut copy = condition("c", "p1", HIV);
    visit["contained"] = json!([copy.clone()]);
    let world = World::new(&[visit.clone(), hiv_denied()]);
    assert_eq!(world.status(&dr_a(), "Encounter/e"), 404);
    assert_eq!(world.status(&patient_herself("p1"), "Encounter/e"), 200);
    copy["code"] = coded("1");
    visit["contained"] = json!([copy]);
    world.put(&visit);
    assert_eq!(world.status(&dr_a(), "Encounter/e"), 200);
}

#[test]
fn con_38_a_document_is_of_all_who_are_in_it_with_all_that_is_said_of_them() {
    let document =
        |entries: Value| json!({"resourceType": "Bundle", "id": "d", "type": "collection", "entry": entries});
    let entry = |resource: Value| json!({"resource": resource});
    let about = |patients: &[&str], code: &str| {
        let mut all: Vec<Value> = patients.iter().map(|p| entry(patient(p))).collect();
        all.push(entry(condition("x", "p1", code)));
        document(json!(all))
    };
    let world = World::new(&[hiv_denied()]);
    let seen = |bundle: &Value| {
        world.put(bundle);
        let p1 = patient_herself("p1");
        [&dr_a(), &dr_b(), &p1, &patient_herself("p2")].map(|who| world.status(who, "Bundle/d"))
    };
    assert_eq!(seen(&about(&["p1"], "1")), [200, 404, 200, 404]);
    assert_eq!(seen(&about(&[], "1")), [200, 404, 200, 404], "by what is in it");
    assert_eq!(
        seen(&about(&["p1"], HIV)),
        [404, 404, 200, 404],
        "by a code in it"
    );
    let mut sealed = about(&["p1"], "1");
    sealed["entry"][1]["resource"]["meta"] = json!({"security": [{"system": CONFIDENTIALITY, "code": "V"}]});
    assert_eq!(seen(&sealed), [404, 404, 200, 404], "by a label in it");
    let nameless =
        json!({"resourceType": "Condition", "code": coded("1"), "subject": {"reference": "urn:uuid:1"}});
    assert_eq!(
        seen(&document(json!([entry(nameless)]))),
        [404; 4],
        "whose it is cannot be told"
    );
    let directory = json!({"resourceType": "Organization", "name": "x"});
    assert_eq!(
        seen(&document(json!([entry(directory)])))[..2],
        [200; 2],
        "nobody's"
    );
    world.put(&about(&["p1"], "1"));
    world.put(&consent("OPTOUT", json!({})));
    assert_eq!(world.status(&dr_a(), "Bundle/d"), 404);
    assert_eq!(world.ids(&dr_a(), "Bundle"), [] as [&str; 0]);
}

#[test]
fn con_38_what_points_at_records_and_names_no_patient_is_not_everybodys() {
    let world = World::new(&[condition("h", "p1", HIV)]);
    for mut resource in pointing("a", "Condition/h") {
        if resource["resourceType"] == "Provenance" {
            continue;
        }
        let members = resource.as_object_mut().unwrap();
        members.remove("subject");
        members.remove("for");
        let name = format!("{}/a", resource["resourceType"].as_str().unwrap());
        world.put(&resource);
        for who in [
            dr_a(),
            dr_b(),
            patient_herself("p1"),
            patient_herself("p2"),
            research(),
        ] {
            assert_eq!(world.status(&who, &name), 404, "{name} {}", who.name);
        }
    }
    let of_doctors = json!({"resourceType": "List", "id": "b", "status": "current", "mode": "working",
        "entry": [{"item": {"reference": "Practitioner/dr-a"}}]});
    world.put(&of_doctors);
    assert_eq!(world.status(&dr_b(), "List/b"), 200);
}

#[test]
fn a_link_between_two_patients_opens_neither_record_to_the_other() {
    let linked = |id: &str, other: &str| {
        let mut linked = patient(id);
        linked["link"] = json!([{"other": of(other), "type": "seealso"}]);
        linked
    };
    let world = World::new(&[
        linked("p1", "p2"),
        linked("p2", "p1"),
        condition("a", "p1", "1"),
        condition("b", "p2", "1"),
        with(consent("OPTOUT", json!({})), "/patient", of("p2")),
    ]);
    assert_eq!(world.seen(&dr_a(), &["Patient/p1", "Patient/p2"]), ["Patient/p1"]);
    let herself = patient_herself("p1");
    assert_eq!(world.ids(&herself, "Condition"), ["a"]);
    assert_eq!(world.ids(&herself, "Patient?_include=Patient:link"), ["p1"]);
    for url in ["Patient/p2", "Condition/b", "Patient/p2/$everything"] {
        assert_eq!(world.status(&herself, url), 404, "{url}");
    }
    let documented = include_str!("../../../../../docs/consent.md");
    assert!(documented.contains("`Patient.link` opens nothing"));
}
