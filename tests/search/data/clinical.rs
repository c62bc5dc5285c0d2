//! Random observations, diagnoses, treatments.

use serde_json::{Value, json};

use super::element::{
    age, concept, date_time, identifier, instant, number, of_system, period, quantity, range, reference,
    timing, words,
};
use super::{list_of, maybe};
use crate::random::Random;

fn subject(random: &mut Random) -> Value {
    reference(random, &["Patient"])
}

fn encounter(random: &mut Random) -> Value {
    reference(random, &["Encounter"])
}

fn value(random: &mut Random, of: &mut Value) {
    match random.below(8) {
        0 => of["valueCodeableConcept"] = concept(random),
        1 => of["valueString"] = words(random),
        2 => of["dataAbsentReason"] = concept(random),
        3 => of["valueInteger"] = json!(random.within(0, 9)),
        _ => of["valueQuantity"] = quantity(random),
    }
}

pub(super) fn observation(random: &mut Random) -> Value {
    let mut observation =
        json!({"status": random.text(&["final", "amended", "preliminary"]), "code": concept(random)});
    match random.below(10) {
        0 => observation["valueDateTime"] = date_time(random),
        1 => observation["valuePeriod"] = period(random),
        _ => value(random, &mut observation),
    }
    match random.below(6) {
        0 => observation["effectivePeriod"] = period(random),
        1 => observation["effectiveTiming"] = timing(random),
        2 => observation["effectiveInstant"] = instant(random),
        3 => {}
        _ => observation["effectiveDateTime"] = date_time(random),
    }
    maybe(random, 85, &mut observation, "subject", |r| {
        reference(r, &["Patient", "Patient", "Location"])
    });
    maybe(random, 50, &mut observation, "encounter", encounter);
    maybe(random, 50, &mut observation, "performer", |r| {
        json!([
            reference(r, &["Practitioner", "Organization"]),
            reference(r, &["Patient"])
        ])
    });
    maybe(random, 25, &mut observation, "hasMember", |r| {
        json!([reference(r, &["Observation"])])
    });
    maybe(random, 25, &mut observation, "basedOn", |r| {
        json!([reference(r, &["ServiceRequest"])])
    });
    maybe(random, 25, &mut observation, "focus", |r| {
        json!([reference(r, &["Condition", "Patient"])])
    });
    list_of(random, 2, &mut observation, "category", concept);
    list_of(random, 1, &mut observation, "identifier", identifier);
    list_of(random, 3, &mut observation, "component", |r| {
        let mut component = json!({"code": concept(r)});
        value(r, &mut component);
        component
    });
    observation
}

pub(super) fn condition(random: &mut Random) -> Value {
    let clinical = "http://terminology.hl7.org/CodeSystem/condition-clinical";
    let mut condition = json!({"subject": subject(random)});
    maybe(random, 80, &mut condition, "code", concept);
    condition["clinicalStatus"] = of_system(random, clinical, &["active", "recurrence", "relapse"]);
    let verification = "http://terminology.hl7.org/CodeSystem/condition-ver-status";
    maybe(random, 50, &mut condition, "verificationStatus", |r| {
        of_system(r, verification, &["confirmed", "provisional"])
    });
    match random.below(6) {
        0 => condition["onsetAge"] = age(random),
        1 => condition["onsetString"] = words(random),
        2 => condition["onsetPeriod"] = period(random),
        3 => condition["onsetRange"] = range(random),
        4 => {}
        _ => condition["onsetDateTime"] = date_time(random),
    }
    list_of(random, 2, &mut condition, "category", concept);
    list_of(random, 2, &mut condition, "bodySite", concept);
    list_of(random, 1, &mut condition, "identifier", identifier);
    maybe(random, 40, &mut condition, "severity", concept);
    maybe(random, 40, &mut condition, "recordedDate", date_time);
    maybe(random, 40, &mut condition, "encounter", encounter);
    maybe(random, 40, &mut condition, "asserter", |r| {
        reference(r, &["Practitioner", "Patient"])
    });
    maybe(
        random,
        25,
        &mut condition,
        "evidence",
        |r| json!([{"code": [concept(r)], "detail": [reference(r, &["Observation", "DiagnosticReport"])]}]),
    );
    condition
}

pub(super) fn procedure(random: &mut Random) -> Value {
    let mut procedure =
        json!({"status": random.text(&["completed", "in-progress"]), "subject": subject(random)});
    maybe(random, 80, &mut procedure, "code", concept);
    match random.below(4) {
        0 => procedure["performedDateTime"] = date_time(random),
        1 => procedure["performedPeriod"] = period(random),
        2 => procedure["performedString"] = words(random),
        _ => {}
    }
    maybe(random, 40, &mut procedure, "category", concept);
    maybe(random, 40, &mut procedure, "encounter", encounter);
    maybe(random, 40, &mut procedure, "location", |r| {
        reference(r, &["Location"])
    });
    maybe(random, 40, &mut procedure, "partOf", |r| {
        json!([reference(r, &["Procedure", "Observation"])])
    });
    maybe(
        random,
        40,
        &mut procedure,
        "performer",
        |r| json!([{"actor": reference(r, &["Practitioner", "Organization", "Patient"])}]),
    );
    let protocols = [
        "https://example.org/protocols/1",
        "https://example.org/protocols/1/step",
        "urn:protocol:2",
    ];
    maybe(random, 40, &mut procedure, "instantiatesUri", |r| {
        json!([r.text(&protocols)])
    });
    procedure
}

pub(super) fn medication_request(random: &mut Random) -> Value {
    let mut request =
        json!({"status": "active", "intent": random.text(&["order", "plan"]), "subject": subject(random)});
    request["medicationCodeableConcept"] = concept(random);
    maybe(random, 60, &mut request, "authoredOn", date_time);
    maybe(random, 40, &mut request, "requester", |r| {
        reference(r, &["Practitioner", "Organization"])
    });
    maybe(random, 40, &mut request, "priority", |r| {
        json!(r.text(&["routine", "urgent"]))
    });
    maybe(random, 40, &mut request, "encounter", encounter);
    maybe(
        random,
        40,
        &mut request,
        "dosageInstruction",
        |r| json!([{"timing": {"event": [date_time(r), date_time(r)]}}]),
    );
    list_of(random, 2, &mut request, "category", concept);
    list_of(random, 1, &mut request, "identifier", identifier);
    request
}

pub(super) fn diagnostic_report(random: &mut Random) -> Value {
    let mut report = json!({"status": random.text(&["final", "partial"]), "code": concept(random)});
    maybe(random, 85, &mut report, "subject", subject);
    maybe(random, 40, &mut report, "issued", instant);
    match random.below(3) {
        0 => report["effectiveDateTime"] = date_time(random),
        1 => report["effectivePeriod"] = period(random),
        _ => {}
    }
    list_of(random, 2, &mut report, "category", concept);
    list_of(random, 2, &mut report, "conclusionCode", concept);
    list_of(random, 3, &mut report, "result", |r| {
        reference(r, &["Observation"])
    });
    list_of(random, 2, &mut report, "performer", |r| {
        reference(r, &["Practitioner", "Organization"])
    });
    list_of(random, 1, &mut report, "basedOn", |r| {
        reference(r, &["ServiceRequest"])
    });
    report
}

pub(super) fn allergy(random: &mut Random) -> Value {
    let clinical = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical";
    let mut allergy =
        json!({"patient": subject(random), "clinicalStatus": of_system(random, clinical, &["active"])});
    maybe(random, 70, &mut allergy, "code", concept);
    maybe(random, 40, &mut allergy, "criticality", |r| {
        json!(r.text(&["low", "high"]))
    });
    maybe(random, 40, &mut allergy, "category", |r| {
        json!([r.text(&["food", "medication"]), "environment"])
    });
    maybe(random, 40, &mut allergy, "recordedDate", date_time);
    maybe(random, 40, &mut allergy, "lastOccurrence", date_time);
    maybe(random, 40, &mut allergy, "asserter", |r| {
        reference(r, &["Practitioner", "Patient"])
    });
    list_of(random, 2, &mut allergy, "reaction", |r| {
        let mut reaction = json!({"manifestation": [concept(r), concept(r)]});
        maybe(r, 40, &mut reaction, "substance", concept);
        maybe(r, 40, &mut reaction, "onset", date_time);
        maybe(r, 40, &mut reaction, "severity", |r| {
            json!(r.text(&["mild", "severe"]))
        });
        reaction
    });
    allergy
}

pub(super) fn risk_assessment(random: &mut Random) -> Value {
    let mut risk = json!({"status": "final", "subject": subject(random)});
    match random.below(3) {
        0 => risk["occurrenceDateTime"] = date_time(random),
        1 => risk["occurrencePeriod"] = period(random),
        _ => {}
    }
    maybe(random, 40, &mut risk, "condition", |r| {
        reference(r, &["Condition"])
    });
    maybe(random, 40, &mut risk, "performer", |r| {
        reference(r, &["Practitioner"])
    });
    maybe(random, 40, &mut risk, "method", concept);
    list_of(random, 3, &mut risk, "prediction", |r| {
        let mut prediction = json!({"qualitativeRisk": concept(r)});
        match r.below(3) {
            0 => {
                let low = r.within(0, 50);
                let percent = |n: i64| json!({"value": n, "unit": "%", "system": "http://unitsofmeasure.org", "code": "%"});
                prediction["probabilityRange"] =
                    json!({"low": percent(low), "high": percent(low + r.within(0, 50))});
            }
            1 => {
                let decimal = number(r);
                let is_possible = decimal.as_f64().is_some_and(|n| (0.0..=100.0).contains(&n));
                prediction["probabilityDecimal"] = if is_possible { decimal } else { json!(0.25) };
            }
            _ => {}
        }
        prediction
    });
    risk
}

pub(super) fn immunization(random: &mut Random) -> Value {
    let mut immunization =
        json!({"status": "completed", "vaccineCode": concept(random), "patient": subject(random)});
    match random.chance(75) {
        true => immunization["occurrenceDateTime"] = date_time(random),
        false => immunization["occurrenceString"] = words(random),
    }
    maybe(random, 50, &mut immunization, "lotNumber", |r| {
        json!(r.text(&["LOT-1", "lot-1", "Ⅳ-7", "100%"]))
    });
    maybe(random, 40, &mut immunization, "location", |r| {
        reference(r, &["Location"])
    });
    maybe(random, 40, &mut immunization, "manufacturer", |r| {
        reference(r, &["Organization"])
    });
    maybe(
        random,
        40,
        &mut immunization,
        "performer",
        |r| json!([{"actor": reference(r, &["Practitioner", "Organization"])}]),
    );
    list_of(random, 2, &mut immunization, "reasonCode", concept);
    maybe(
        random,
        30,
        &mut immunization,
        "protocolApplied",
        |r| json!([{"series": words(r), "doseNumberPositiveInt": 1, "targetDisease": [concept(r)]}]),
    );
    maybe(
        random,
        30,
        &mut immunization,
        "reaction",
        |r| json!([{"date": date_time(r), "detail": reference(r, &["Observation"])}]),
    );
    immunization
}

pub(super) fn service_request(random: &mut Random) -> Value {
    let mut request = json!({"status": "active", "intent": random.text(&["order", "proposal"]), "subject": reference(random, &["Patient", "Location"])});
    maybe(random, 80, &mut request, "code", concept);
    match random.below(4) {
        0 => request["occurrenceDateTime"] = date_time(random),
        1 => request["occurrencePeriod"] = period(random),
        2 => request["occurrenceTiming"] = timing(random),
        _ => {}
    }
    maybe(random, 50, &mut request, "authoredOn", date_time);
    maybe(random, 40, &mut request, "requisition", identifier);
    maybe(random, 40, &mut request, "encounter", encounter);
    maybe(random, 40, &mut request, "requester", |r| {
        reference(r, &["Practitioner", "Organization", "Patient"])
    });
    maybe(random, 40, &mut request, "performerType", concept);
    list_of(random, 2, &mut request, "category", concept);
    list_of(random, 2, &mut request, "performer", |r| {
        reference(r, &["Practitioner", "Organization"])
    });
    list_of(random, 1, &mut request, "basedOn", |r| {
        reference(r, &["ServiceRequest", "MedicationRequest"])
    });
    request
}
