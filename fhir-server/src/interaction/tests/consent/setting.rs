//! What the scenarios are set in: two patients, their doctors, and the pieces that consents and records are made of.

use serde_json::{Value, json};

use super::*;

pub(super) const SNOMED: &str = "http://snomed.info/sct";
pub(super) const HIV: &str = "86406008";
pub(super) const ACT_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
pub(super) const ACT_REASON: &str = "http://terminology.hl7.org/CodeSystem/v3-ActReason";
pub(super) const CONFIDENTIALITY: &str = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";
pub(super) const NHS_NUMBER: &str = "https://fhir.nhs.uk/Id/nhs-number";
pub(super) const ODS: &str = "https://fhir.nhs.uk/Id/ods-organization-code";

/// A server with two patients, two doctors and two organisations. DrA cares for both patients, DrB for none.
pub(super) struct World(pub(super) TestServer);

impl World {
    pub(super) fn new(resources: &[Value]) -> World {
        let open = TestServer::new();
        let org = |id: &str, ods: &str| json!({"resourceType": "Organization", "id": id, "name": id, "identifier": [{"system": ODS, "value": ods}]});
        let doctor = |id: &str| {
            json!({"resourceType": "Practitioner", "id": id, "name": [{"family": id}],
                "identifier": [{"system": "https://fhir.hl7.org.uk/Id/gmc-number", "value": format!("G-{id}")}]})
        };
        let team = |patient: &str| {
            json!({"resourceType": "CareTeam", "id": format!("team-{patient}"), "status": "active",
                "subject": {"reference": format!("Patient/{patient}")},
                "participant": [{"member": {"reference": "Practitioner/dr-a"}}, {"member": {"reference": "Practitioner/dr-c"}}]})
        };
        let base = [
            org("org-x", "X01"),
            org("org-y", "Y02"),
            doctor("dr-a"),
            doctor("dr-b"),
            doctor("dr-c"),
            patient("p1"),
            patient("p2"),
            team("p1"),
            team("p2"),
        ];
        let world = World(open);
        for resource in base.iter().chain(resources) {
            world.put(resource);
        }
        world
    }

    pub(super) fn put(&self, resource: &Value) {
        let name = format!(
            "{}/{}",
            resource["resourceType"].as_str().unwrap(),
            resource["id"].as_str().unwrap()
        );
        self.0.put(&name, &resource.to_string()).unwrap();
    }

    pub(super) fn ruled(&self) -> TestServer {
        self.0.under(chain())
    }

    /// 200, or the status of the refusal.
    pub(super) fn status(&self, who: &Principal, url: &str) -> u16 {
        status(self.ruled().get_as(who, url))
    }

    /// The ids that a search finds, in alphabetical order.
    pub(super) fn ids(&self, who: &Principal, url: &str) -> Vec<String> {
        ids(&self.ruled().get_as(who, url).unwrap())
    }

    /// The ids of some resources that the caller reads.
    pub(super) fn seen(&self, who: &Principal, names: &[&str]) -> Vec<String> {
        let ruled = self.ruled();
        let seen = names.iter().filter(|name| ruled.get_as(who, name).is_ok());
        seen.map(|name| (*name).to_owned()).collect()
    }
}

pub(super) fn status(answer: Result<Response, Error>) -> u16 {
    answer.map_or_else(|error| error.code.facts().status, |response| response.status)
}

pub(super) fn ids(response: &Response) -> Vec<String> {
    let bundle = json(response);
    let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
    let resources = entries.iter().filter(|e| e["search"]["mode"] != "outcome");
    let mut ids: Vec<String> = resources
        .filter_map(|e| e["resource"]["id"].as_str().map(str::to_owned))
        .collect();
    ids.sort();
    ids
}

pub(super) fn patient(id: &str) -> Value {
    json!({"resourceType": "Patient", "id": id, "name": [{"family": "Hale"}], "birthDate": "1960-01-01",
        "identifier": [{"system": NHS_NUMBER, "value": format!("999{id}")}],
        "address": [{"postalCode": "ZZ99 1AA"}], "telecom": [{"system": "phone", "value": "01632960001"}],
        "generalPractitioner": [{"reference": "Organization/org-y"}]})
}

pub(super) fn of(patient: &str) -> Value {
    json!({"reference": format!("Patient/{patient}")})
}

pub(super) fn coded(code: &str) -> Value {
    json!({"coding": [{"system": "http://other.example", "code": "x"}, {"system": SNOMED, "code": code}]})
}

pub(super) fn condition(id: &str, patient: &str, code: &str) -> Value {
    json!({"resourceType": "Condition", "id": id, "subject": of(patient), "code": coded(code), "recordedDate": "2020-01-01"})
}

pub(super) fn observation(id: &str, patient: &str, code: &str) -> Value {
    json!({"resourceType": "Observation", "id": id, "status": "final", "subject": of(patient), "code": coded(code),
        "effectiveDateTime": "2020-01-01"})
}

pub(super) fn labelled(mut resource: Value, system: &str, code: &str) -> Value {
    resource["meta"] = json!({"security": [{"system": system, "code": code}]});
    resource
}

/// A Consent of p1: its policy rule, and its provision.
pub(super) fn consent(rule: &str, provision: Value) -> Value {
    let mut consent = json!({"resourceType": "Consent", "id": "c1", "status": "active",
        "scope": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]},
        "category": [{"coding": [{"system": ACT_CODE, "code": "INFA"}]}],
        "patient": of("p1"),
        "policyRule": {"coding": [{"system": ACT_CODE, "code": rule}]}});
    if provision != json!({}) {
        consent["provision"] = provision;
    }
    consent
}

pub(super) fn with(mut resource: Value, path: &str, value: Value) -> Value {
    *resource.pointer_mut(path).unwrap_or_else(|| panic!("{path}")) = value;
    resource
}

pub(super) fn identified(system: &str, value: &str) -> Value {
    json!([{"role": {"text": "x"}, "reference": {"identifier": {"system": system, "value": value}}}])
}

pub(super) fn named(reference: &str) -> Value {
    json!([{"role": {"text": "x"}, "reference": {"reference": reference}}])
}

pub(super) fn dr_a() -> Principal {
    clinician("dr-a", "X01")
}
pub(super) fn dr_b() -> Principal {
    clinician("dr-b", "X01")
}
pub(super) fn dr_c() -> Principal {
    clinician("dr-c", "X01")
}
pub(super) fn research() -> Principal {
    client("res-c", "Y02", "HRESCH")
}
