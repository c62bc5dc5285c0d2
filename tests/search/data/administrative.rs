//! Random people, places and visits.

use serde_json::{Value, json};

use super::element::{
    NAMES, address, coding, concept, contact, date, extension, human_name, identifier, instant, period,
    reference, words,
};
use super::{list_of, maybe};
use crate::random::Random;

fn gender(random: &mut Random) -> Value {
    json!(random.text(&["male", "female", "other", "unknown"]))
}

fn person(random: &mut Random) -> Value {
    let mut person = json!({});
    list_of(random, 2, &mut person, "name", human_name);
    list_of(random, 2, &mut person, "identifier", identifier);
    list_of(random, 2, &mut person, "telecom", contact);
    list_of(random, 2, &mut person, "address", address);
    maybe(random, 70, &mut person, "gender", gender);
    maybe(random, 70, &mut person, "birthDate", date);
    maybe(random, 10, &mut person, "_birthDate", |_| extension());
    maybe(random, 60, &mut person, "active", |r| json!(r.chance(60)));
    person
}

pub(super) fn patient(random: &mut Random) -> Value {
    let mut patient = person(random);
    maybe(random, 20, &mut patient, "deceasedBoolean", |r| {
        json!(r.chance(50))
    });
    if patient["deceasedBoolean"].is_null() {
        maybe(random, 20, &mut patient, "deceasedDateTime", instant);
    }
    maybe(random, 50, &mut patient, "generalPractitioner", |r| {
        json!([
            reference(r, &["Practitioner", "Organization"]),
            reference(r, &["Practitioner"])
        ])
    });
    maybe(random, 50, &mut patient, "managingOrganization", |r| {
        reference(r, &["Organization"])
    });
    maybe(
        random,
        20,
        &mut patient,
        "link",
        |r| json!([{"other": reference(r, &["Patient"]), "type": "seealso"}]),
    );
    patient
}

pub(super) fn practitioner(random: &mut Random) -> Value {
    person(random)
}

pub(super) fn organization(random: &mut Random) -> Value {
    let mut organization = json!({"name": random.text(&NAMES)});
    list_of(random, 2, &mut organization, "identifier", identifier);
    list_of(random, 2, &mut organization, "alias", |r| json!(r.text(&NAMES)));
    list_of(random, 2, &mut organization, "type", concept);
    maybe(random, 60, &mut organization, "active", |r| json!(r.chance(60)));
    maybe(random, 50, &mut organization, "partOf", |r| {
        reference(r, &["Organization"])
    });
    organization
}

pub(super) fn location(random: &mut Random) -> Value {
    let mut location = json!({"name": random.text(&NAMES)});
    list_of(random, 2, &mut location, "identifier", identifier);
    list_of(random, 2, &mut location, "type", concept);
    maybe(random, 50, &mut location, "status", |r| {
        json!(r.text(&["active", "suspended", "inactive"]))
    });
    maybe(random, 50, &mut location, "address", address);
    maybe(random, 50, &mut location, "operationalStatus", coding);
    maybe(random, 50, &mut location, "managingOrganization", |r| {
        reference(r, &["Organization"])
    });
    maybe(random, 50, &mut location, "partOf", |r| {
        reference(r, &["Location"])
    });
    maybe(random, 75, &mut location, "position", |r| {
        let degrees = |n: i64| json!(f64::from(i32::try_from(n).unwrap()) / 1000.0);
        match r.chance(15) {
            // Beside the date line.
            true => {
                json!({"latitude": degrees(r.within(-500, 500)), "longitude": degrees(r.within(179_500, 180_000))})
            }
            false => {
                json!({"latitude": degrees(r.within(50_000, 55_000)), "longitude": degrees(r.within(-4000, 1000))})
            }
        }
    });
    location
}

pub(super) fn encounter(random: &mut Random) -> Value {
    let class = json!({"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": random.text(&["AMB", "IMP", "EMER"])});
    let mut encounter =
        json!({"status": random.text(&["planned", "finished", "in-progress"]), "class": class});
    list_of(random, 2, &mut encounter, "identifier", identifier);
    list_of(random, 2, &mut encounter, "type", concept);
    list_of(random, 1, &mut encounter, "reasonCode", concept);
    maybe(random, 85, &mut encounter, "subject", |r| {
        reference(r, &["Patient"])
    });
    maybe(random, 70, &mut encounter, "period", period);
    maybe(random, 40, &mut encounter, "length", |r| {
        let code = r.text(&["min", "h", "d"]);
        json!({"value": r.within(1, 90), "system": "http://unitsofmeasure.org", "code": code, "unit": code})
    });
    maybe(random, 40, &mut encounter, "serviceProvider", |r| {
        reference(r, &["Organization"])
    });
    maybe(random, 30, &mut encounter, "partOf", |r| {
        reference(r, &["Encounter"])
    });
    maybe(
        random,
        40,
        &mut encounter,
        "location",
        |r| json!([{"location": reference(r, &["Location"]), "period": period(r)}, {"location": reference(r, &["Location"])}]),
    );
    maybe(
        random,
        50,
        &mut encounter,
        "participant",
        |r| json!([{"type": [concept(r)], "individual": reference(r, &["Practitioner"])}]),
    );
    maybe(
        random,
        30,
        &mut encounter,
        "diagnosis",
        |r| json!([{"condition": reference(r, &["Condition", "Procedure"])}]),
    );
    encounter
}

pub(super) fn appointment(random: &mut Random) -> Value {
    let participant = |r: &mut Random| {
        let actor = reference(r, &["Patient", "Practitioner", "Location"]);
        json!({"actor": actor, "status": r.text(&["accepted", "declined", "needs-action"])})
    };
    let people: Value = (0..=random.below(3)).map(|_| participant(random)).collect();
    let mut appointment = json!({"status": "booked", "participant": people});
    let start = super::element::day(random);
    appointment["start"] = json!(format!("{start}T10:00:00Z"));
    appointment["end"] = json!(format!("{start}T10:30:00+00:00"));
    list_of(random, 2, &mut appointment, "serviceType", concept);
    list_of(random, 1, &mut appointment, "identifier", identifier);
    maybe(random, 40, &mut appointment, "appointmentType", concept);
    maybe(random, 30, &mut appointment, "basedOn", |r| {
        json!([reference(r, &["ServiceRequest"])])
    });
    maybe(random, 30, &mut appointment, "description", words);
    appointment
}
