//! Scenario 65 of the design: what the desk sees.

use serde_json::{Value, json};

use super::setting::*;
use super::*;

fn appointment(id: &str) -> Value {
    json!({"resourceType": "Appointment", "id": id, "status": "booked", "start": "2026-11-24T09:00:00Z", "end": "2026-11-24T09:10:00Z",
        "reasonCode": [coded(HIV)], "reasonReference": [{"reference": "Condition/a"}], "description": "about the virus",
        "comment": "is afraid", "patientInstruction": "fast", "supportingInformation": [{"reference": "Condition/a"}],
        "participant": [{"actor": of("p1"), "status": "accepted"}, {"actor": {"reference": "Practitioner/dr-a"}, "status": "accepted"}]})
}

/// At the desk of the practice where both patients are registered.
fn receptionist() -> Principal {
    clinician("rec", "Y02").with_role("receptionist")
}

#[test]
fn con_65_the_desk_sees_who_comes_and_when_and_not_why() {
    let world = World::new(&[
        condition("a", "p1", HIV),
        observation("o", "p1", "1"),
        appointment("when"),
        json!({"resourceType": "AppointmentResponse", "id": "r", "appointment": {"reference": "Appointment/when"},
            "actor": of("p1"), "participantStatus": "accepted", "comment": "is afraid"}),
    ]);
    let rec = receptionist();
    for (name, expected) in [
        ("Appointment/when", 200),
        ("AppointmentResponse/r", 200),
        ("Patient/p1", 200),
        ("Organization/org-x", 200),
        ("Condition/a", 404),
        ("Condition/a/_history", 404),
        ("Observation/o", 404),
        ("CareTeam/team-p1", 404),
    ] {
        assert_eq!(world.status(&rec, name), expected, "{name}");
    }
    let ruled = world.ruled();
    let shown = json(&ruled.get_as(&rec, "Appointment/when").unwrap());
    assert_eq!(
        (&shown["start"], &shown["participant"][0]["actor"]),
        (&json!("2026-11-24T09:00:00Z"), &of("p1"))
    );
    assert_eq!(shown["meta"]["tag"][0]["code"], "SUBSETTED");
    for url in [
        "Appointment/when",
        "Appointment/when/_history/1",
        "Appointment/when/_history",
        "Appointment?patient=p1",
        "AppointmentResponse/r",
        "Appointment?_include=*&_include:iterate=*",
        "Patient?_id=p1&_revinclude=Appointment:actor&_revinclude=Condition:subject",
        "Patient/p1/$everything",
        "?_type=Appointment,Condition,Observation",
        "_history",
    ] {
        let told = text(&ruled.get_as(&rec, url).unwrap());
        for why in [
            HIV,
            "virus",
            "afraid",
            "fast",
            "reasonReference",
            "supportingInformation",
            "\"Observation\"",
        ] {
            assert!(!told.contains(why), "{url} tells {why}: {told}");
        }
    }
    let none = [] as [&str; 0];
    for (url, found) in [
        (format!("Appointment?reason-code={HIV}"), &none[..]),
        ("Appointment?reason-reference=Condition/a".into(), &none),
        ("Appointment?reason-code:missing=true".into(), &["when"]),
        (
            format!("Patient?_has:Appointment:patient:reason-code={HIV}"),
            &none,
        ),
        (format!("Patient?_has:Condition:patient:code={HIV}"), &none),
        ("Condition".into(), &none),
    ] {
        assert_eq!(world.ids(&rec, &url), found, "{url}");
    }
}

#[test]
fn con_65_who_treats_patients_sees_why_and_the_desk_writes_no_record() {
    let world = World::new(&[condition("a", "p1", HIV), appointment("when")]);
    let ruled = world.ruled();
    let doctor = json(&ruled.get_as(&dr_a(), "Appointment/when").unwrap());
    assert_eq!(doctor["reasonCode"], json!([coded(HIV)]));
    // The role binds, whatever other roles there are.
    let both = receptionist().with_role("restricted-access").with_role("R1730");
    assert_eq!(world.status(&both, "Condition/a"), 404);
    let england = clinician("rec", "Y02").with_role("R1730");
    assert_eq!(world.status(&england, "Condition/a"), 404);
    assert_eq!(world.status(&clinician("rec", "Y02"), "Condition/a"), 200);
    let send = |method: &str, url: &str, mut body: Value| {
        if method == "POST" {
            body.as_object_mut().unwrap().remove("id");
        }
        status(ruled.send_as(
            &receptionist(),
            &with_body(request(method, url), &body.to_string()),
        ))
    };
    assert_eq!(send("POST", "Appointment", appointment("new")), 201);
    assert!(send("POST", "Condition", condition("new", "p1", "1")) >= 400);
    assert_eq!(send("PUT", "Condition/a", condition("a", "p1", "1")), 404);
    // Who sees only a part of an appointment does not write it over.
    assert_eq!(send("PUT", "Appointment/when", appointment("when")), 412);
}
