//! Random stores: patients with what belongs to them, people who care for them, and their consents.

use serde_json::{Value, json};

use super::*;
use crate::policy::emergency;

/// Numbers from a seed.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }
    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % end.max(1)
    }
    pub(super) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
    pub(super) fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())]
    }
}

pub(super) const PATIENTS: [&str; 5] = ["p1", "p2", "p3", "p4", "p5"];
pub(super) const DOCTORS: [&str; 3] = ["dr-a", "dr-b", "dr-c"];
pub(super) const DOCUMENTS: usize = 4;
pub(super) const BINARIES: usize = 6;
pub(super) const ORGANISATIONS: [(&str, &str); 2] = [("org-x", "X01"), ("org-y", "Y02")];
pub(super) const CODES: [&str; 5] = ["38341003", "86406008", "73211009", "195967001", "13645005"];
const SNOMED: &str = "http://snomed.info/sct";
const ACT_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
const CONFIDENTIALITY: &str = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";

/// One change of a store.
pub(super) struct Step {
    /// `Type/id`
    pub(super) name: String,
    /// The content; `None` is a deletion.
    pub(super) body: Option<Value>,
}

/// What is written, in order.
pub(super) fn steps(dice: &mut Dice) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut put = |resource: Value| {
        let name = format!(
            "{}/{}",
            resource["resourceType"].as_str().unwrap(),
            resource["id"].as_str().unwrap()
        );
        steps.push(Step {
            name,
            body: Some(resource),
        });
    };
    for (id, ods) in ORGANISATIONS {
        put(
            json!({"resourceType": "Organization", "id": id, "name": format!("Trust {id}"),
            "identifier": [{"system": "https://fhir.nhs.uk/Id/ods-organization-code", "value": ods}]}),
        );
    }
    for id in DOCTORS {
        put(json!({"resourceType": "Practitioner", "id": id, "name": [{"family": id}]}));
    }
    for id in PATIENTS {
        put(patient(dice, id));
    }
    for i in 0..4 + dice.below(5) {
        put(care(dice, i));
    }
    let mut records = Vec::new();
    let mut documents: Vec<Value> = (0..DOCUMENTS).map(|i| document(dice, i)).collect();
    documents.extend((0..BINARIES).map(|i| binary(dice, i)));
    for document in documents {
        records.push(document.clone());
        put(document);
    }
    for i in 0..20 + dice.below(20) {
        let record = record(dice, i);
        records.push(record.clone());
        put(record);
    }
    for i in 0..dice.below(6) {
        put(consent(dice, i));
    }
    for i in 0..dice.below(5) {
        put(alert(dice, i));
    }
    for i in 0..dice.below(6) {
        let mut again = records[dice.below(records.len())].clone();
        again["meta"] = meta(dice);
        again["meta"]["source"] = json!(format!("urn:again:{i}"));
        put(tidy(again));
    }
    for _ in 0..dice.below(4) {
        let gone = &records[dice.below(records.len())];
        let name = format!(
            "{}/{}",
            gone["resourceType"].as_str().unwrap(),
            gone["id"].as_str().unwrap()
        );
        steps.push(Step { name, body: None });
    }
    steps
}

fn patient(dice: &mut Dice, id: &str) -> Value {
    let mut patient = json!({
        "resourceType": "Patient", "id": id, "active": true,
        "identifier": [{"system": "https://fhir.nhs.uk/Id/nhs-number", "value": format!("999000{id}")}],
        "name": [{"family": dice.pick(&["Hale", "Khan", "Moss"]), "given": [dice.pick(&["Ann", "Bob"])]}],
        "birthDate": dice.pick(&["1960-01-01", "1985-05-05", "2015-02-03"]),
        "gender": dice.pick(&["female", "male"]),
        "address": [{"postalCode": dice.pick(&["ZZ99 1AA", "ZZ99 2BB"]), "city": "Leeds"}],
        "telecom": [{"system": "phone", "value": dice.pick(&["01632960001", "01632960002"])}]
    });
    if dice.one_in(2) {
        let practice = dice.pick(&[
            "Organization/org-x",
            "Organization/org-y",
            "Practitioner/dr-a",
            "Practitioner/dr-b",
        ]);
        patient["generalPractitioner"] = json!([{"reference": practice}]);
    }
    if dice.one_in(3) {
        patient["meta"] = json!({"security": [{"system": CONFIDENTIALITY, "code": "R"}]});
    }
    patient
}

fn care(dice: &mut Dice, i: usize) -> Value {
    let patient = format!("Patient/{}", dice.pick(&PATIENTS));
    let doctor = format!("Practitioner/{}", dice.pick(&DOCTORS));
    let id = format!("care{i}");
    match dice.below(3) {
        0 => json!({"resourceType": "CareTeam", "id": id, "status": dice.pick(&["active", "inactive"]),
            "subject": {"reference": patient}, "participant": [{"member": {"reference": doctor}}]}),
        1 => json!({"resourceType": "EpisodeOfCare", "id": id, "status": "active",
            "patient": {"reference": patient}, "careManager": {"reference": doctor}}),
        _ => json!({"resourceType": "Encounter", "id": id, "status": dice.pick(&["in-progress", "finished"]),
            "class": {"system": ACT_CODE, "code": "AMB"}, "subject": {"reference": patient},
            "participant": [{"individual": {"reference": doctor}}],
            "period": {"start": "2026-11-01T09:00:00Z"}}),
    }
}

/// Says that a doctor opened a patient's record in an emergency: just now, or too long ago.
fn alert(dice: &mut Dice, i: usize) -> Value {
    let context = Context::new(clinician(dice.pick(&DOCTORS), "X01"), "request");
    let mut alert = emergency::alert(&context, dice.pick(&PATIENTS), "found unconscious");
    alert["id"] = json!(format!("alert{i}"));
    alert["sent"] = json!(dice.pick(&[
        "2026-11-23T09:29:00Z",
        "2026-11-23T09:29:00Z",
        "2026-11-23T07:00:00Z"
    ]));
    if dice.one_in(4) {
        alert["meta"] = meta(dice);
        alert = tidy(alert);
    }
    alert
}

/// The address of a Binary.
fn content(dice: &mut Dice) -> Value {
    json!({"contentType": "text/plain", "url": format!("Binary/bin{}", dice.below(BINARIES))})
}

fn document(dice: &mut Dice, i: usize) -> Value {
    tidy(
        json!({"resourceType": "DocumentReference", "id": format!("doc{i}"), "meta": meta(dice), "status": "current",
        "subject": {"reference": format!("Patient/{}", dice.pick(&PATIENTS))},
        "date": dice.pick(&["2011-03-04T10:00:00Z", "2020-01-01T10:00:00Z"]),
        "type": {"coding": [{"system": SNOMED, "code": dice.pick(&CODES)}]},
        "content": [{"attachment": content(dice)}, {"attachment": content(dice)}]}),
    )
}

/// Content of its own kind: of a patient, of a document that it is named by, or of what carries it.
fn binary(dice: &mut Dice, i: usize) -> Value {
    let mut made = json!({"resourceType": "Binary", "id": format!("bin{i}"), "meta": meta(dice), "contentType": "text/plain",
        "data": dice.pick(&["b25l", "dHdv"])});
    let governing = match dice.below(4) {
        0 => format!("Patient/{}", dice.pick(&PATIENTS)),
        1 => format!("DocumentReference/doc{}", dice.below(DOCUMENTS + 1)),
        _ => return tidy(made),
    };
    made["securityContext"] = json!({"reference": governing});
    tidy(made)
}

fn meta(dice: &mut Dice) -> Value {
    let mut labels = Vec::new();
    if dice.one_in(4) {
        let code = dice.pick(&["PSY", "HIV", "SPI", "ETHUD"]);
        labels.push(json!({"system": ACT_CODE, "code": code}));
    }
    if dice.one_in(5) {
        labels.push(json!({"system": CONFIDENTIALITY, "code": dice.pick(&["N", "R", "V"])}));
    }
    json!({"tag": [{"system": "urn:x", "code": "made"}], "security": labels})
}

/// Labels that are none are left out: an empty list is no FHIR.
fn tidy(mut resource: Value) -> Value {
    if resource["meta"]["security"] == json!([]) {
        resource["meta"].as_object_mut().unwrap().remove("security");
    }
    resource
}

fn record(dice: &mut Dice, i: usize) -> Value {
    let patient = dice.pick(&PATIENTS);
    let patient =
        json!({"reference": format!("Patient/{patient}"), "display": format!("The name of {patient}")});
    let other = json!({"reference": format!("Patient/{}", dice.pick(&PATIENTS))});
    let doctor = json!({"reference": format!("Practitioner/{}", dice.pick(&DOCTORS))});
    let code = json!({"coding": [{"system": SNOMED, "code": dice.pick(&CODES)}], "text": dice.pick(&["one", "two"])});
    let earlier = |dice: &mut Dice, kind: &str| {
        let number = dice.below(i.max(1));
        json!({"reference": format!("{kind}/r{number}"), "display": format!("What r{number} is")})
    };
    let date = dice.pick(&["2009-06-01", "2011-03-04", "2020-01-01", "2026-11-20"]);
    let id = format!("r{i}");
    let meta = meta(dice);
    let mut made = match dice.below(12) {
        0 | 1 => json!({"resourceType": "Condition", "code": code, "subject": patient, "recordedDate": date,
            "encounter": earlier(dice, "Encounter"), "asserter": doctor}),
        2..=4 => json!({"resourceType": "Observation", "status": "final", "code": code, "subject": patient,
            "effectiveDateTime": date, "performer": [doctor], "encounter": earlier(dice, "Encounter"),
            "hasMember": [earlier(dice, "Observation")],
            "valueQuantity": {"value": dice.below(100), "unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg"}}),
        5 => {
            json!({"resourceType": "Encounter", "status": "finished", "class": {"system": ACT_CODE, "code": "AMB"},
            "subject": patient, "period": {"start": date, "end": date}, "participant": [{"individual": doctor}],
            "reasonReference": [earlier(dice, "Condition")]})
        }
        6 => json!({"resourceType": "MedicationRequest", "status": "active", "intent": "order",
            "medicationCodeableConcept": {"text": "x"}, "subject": patient, "authoredOn": date,
            "reasonCode": [code], "requester": doctor}),
        7 => json!({"resourceType": "DiagnosticReport", "status": "final", "code": code, "subject": patient,
            "result": [earlier(dice, "Observation"), earlier(dice, "Observation")],
            "presentedForm": [content(dice)]}),
        8 => json!({"resourceType": "List", "status": "current", "mode": "working", "subject": patient,
            "entry": [{"item": earlier(dice, "Condition")}, {"item": earlier(dice, "Observation")}]}),
        9 => json!({"resourceType": "Group", "type": "person", "actual": true,
            "member": [{"entity": patient}, {"entity": other}]}),
        10 => json!({"resourceType": "Provenance", "target": [earlier(dice, "Observation"), patient],
            "recorded": "2026-11-01T10:00:00Z", "agent": [{"who": doctor}]}),
        _ => json!({"resourceType": "Task", "status": "requested", "intent": "order", "for": patient,
            "focus": earlier(dice, "Observation"), "owner": doctor}),
    };
    made["id"] = json!(id);
    made["meta"] = meta;
    if dice.one_in(12) && made.get("subject").is_some() {
        made["subject"] =
            json!({"identifier": {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "999000p1"}});
    }
    tidy(made)
}

fn consent(dice: &mut Dice, i: usize) -> Value {
    let patient = dice.pick(&PATIENTS);
    let about = match dice.one_in(4) {
        true => {
            json!({"identifier": {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": format!("999000{patient}")}})
        }
        false => json!({"reference": format!("Patient/{patient}")}),
    };
    let mut consent = json!({
        "resourceType": "Consent", "id": format!("consent{i}"),
        "status": dice.pick(&["active", "active", "active", "inactive", "proposed"]),
        "scope": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope",
            "code": dice.pick(&["patient-privacy", "patient-privacy", "research"])}]},
        "category": [{"coding": [{"system": ACT_CODE, "code": "INFA"}]}],
        "patient": about,
        "policyRule": {"coding": [{"system": ACT_CODE, "code": dice.pick(&["OPTIN", "OPTIN", "OPTOUT"])}]}
    });
    let mut root = json!({});
    if dice.one_in(5) {
        root["period"] = json!({"end": dice.pick(&["2026-11-01", "2027-11-01"])});
    }
    let nested: Vec<Value> = (0..1 + dice.below(3)).map(|_| provision(dice, 2)).collect();
    root["provision"] = json!(nested);
    consent["provision"] = root;
    consent
}

fn provision(dice: &mut Dice, depth: usize) -> Value {
    let mut made = json!({"type": dice.pick(&["deny", "deny", "permit"])});
    match dice.below(9) {
        0 => made["code"] = json!([{"coding": [{"system": SNOMED, "code": dice.pick(&CODES)}]}]),
        1 => {
            let class = dice.pick(&[
                "Condition",
                "Observation",
                "MedicationRequest",
                "Patient",
                "Encounter",
            ]);
            made["class"] = json!([{"system": "http://hl7.org/fhir/resource-types", "code": class}]);
        }
        2 => made["securityLabel"] = json!([{"system": ACT_CODE, "code": dice.pick(&["PSY", "SPI", "HIV"])}]),
        3 => made["securityLabel"] = json!([{"system": CONFIDENTIALITY, "code": dice.pick(&["N", "R"])}]),
        4 => made["dataPeriod"] = json!({"start": "2010-01-01", "end": "2012-12-31"}),
        5 => {
            let meaning = dice.pick(&["instance", "related", "dependents", "authoredby"]);
            let target = match meaning {
                "authoredby" => format!("Practitioner/{}", dice.pick(&DOCTORS)),
                _ => format!(
                    "{}/r{}",
                    dice.pick(&["Observation", "Encounter", "DiagnosticReport"]),
                    dice.below(20)
                ),
            };
            made["data"] = json!([{"meaning": meaning, "reference": {"reference": target}}]);
        }
        6 => {
            made["purpose"] = json!([{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason",
            "code": dice.pick(&["TREAT", "HRESCH", "ETREAT"])}])
        }
        7 => {
            let (_, ods) = dice.pick(&ORGANISATIONS);
            let org = json!({"system": "https://fhir.nhs.uk/Id/ods-organization-code", "value": ods});
            made["actor"] = json!([{"role": {"text": "x"}, "reference": {"identifier": org}}]);
        }
        _ => {
            let doctor = format!("Practitioner/{}", dice.pick(&DOCTORS));
            made["actor"] = json!([{"role": {"text": "x"}, "reference": {"reference": doctor}}]);
        }
    }
    if depth > 0 && dice.one_in(3) {
        made["provision"] = json!([provision(dice, depth - 1)]);
    }
    made
}
