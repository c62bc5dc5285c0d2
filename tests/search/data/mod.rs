//! Random resources of R4: seventeen types whose references lead to each other, with what real records have and searches stumble over.
//!
//! Invariant: every resource keeps R4's invariants, so that no validation on write takes any of them away.

mod administrative;
mod clinical;
mod element;
mod knowledge;

pub(crate) use element::{SYSTEMS, UNITS};

use serde_json::{Value, json};

use crate::random::Random;

/// The types that there are resources of.
pub(crate) const TYPES: [&str; 17] = [
    "Patient",
    "Practitioner",
    "Organization",
    "Location",
    "Encounter",
    "Observation",
    "Condition",
    "Procedure",
    "MedicationRequest",
    "DiagnosticReport",
    "AllergyIntolerance",
    "List",
    "RiskAssessment",
    "Immunization",
    "ServiceRequest",
    "ValueSet",
    "Appointment",
];

/// The ids of a type; a reference may lead to one that was never written.
const IDS: usize = 12;

/// One write.
pub(crate) enum Write {
    /// Creates or updates.
    Put(Value),
    /// Deletes `Type/id`.
    Delete(String),
}

/// The writes of one round, in order: creations, updates of some, deletions of few.
pub(crate) fn writes(random: &mut Random, count: usize) -> Vec<Write> {
    let mut writes = Vec::with_capacity(count);
    for place in 0..count {
        let kind = match place < TYPES.len() * 2 {
            true => TYPES[place % TYPES.len()],
            false => *random.pick(&TYPES),
        };
        if place > count / 2 && random.chance(4) {
            writes.push(Write::Delete(format!("{kind}/{}", id(random, kind))));
        } else {
            writes.push(Write::Put(resource(random, kind)));
        }
    }
    writes
}

/// An id of that type.
fn id(random: &mut Random, kind: &str) -> String {
    let number = random.below(IDS);
    match number {
        // Ids that are numbers alone, in several cases, and UUIDs.
        0 => "0".to_owned(),
        1 => format!("{kind}-A"),
        2 => format!("{}-a", kind.to_lowercase()),
        3 => format!("8f0e6d2a-1b3c-4d5e-9f60-7182{:08x}", kind.len() * 7919),
        _ => format!("{}{number}", kind.to_lowercase()),
    }
}

fn resource(random: &mut Random, kind: &str) -> Value {
    let mut resource = match kind {
        "Patient" => administrative::patient(random),
        "Practitioner" => administrative::practitioner(random),
        "Organization" => administrative::organization(random),
        "Location" => administrative::location(random),
        "Encounter" => administrative::encounter(random),
        "Appointment" => administrative::appointment(random),
        "Observation" => clinical::observation(random),
        "Condition" => clinical::condition(random),
        "Procedure" => clinical::procedure(random),
        "MedicationRequest" => clinical::medication_request(random),
        "DiagnosticReport" => clinical::diagnostic_report(random),
        "AllergyIntolerance" => clinical::allergy(random),
        "RiskAssessment" => clinical::risk_assessment(random),
        "Immunization" => clinical::immunization(random),
        "ServiceRequest" => clinical::service_request(random),
        "List" => knowledge::list(random),
        _ => knowledge::value_set(random),
    };
    resource["resourceType"] = json!(kind);
    resource["id"] = json!(id(random, kind));
    if random.chance(40) {
        resource["meta"] = element::meta(random);
    }
    element::contained(random, &mut resource);
    resource
}

/// Sets a member that not every resource has.
fn maybe(
    random: &mut Random,
    percent: usize,
    of: &mut Value,
    name: &str,
    make: impl FnOnce(&mut Random) -> Value,
) {
    if random.chance(percent) {
        of[name] = make(random);
    }
}

/// Between none and that many.
fn some(random: &mut Random, most: usize, make: impl Fn(&mut Random) -> Value) -> Option<Value> {
    let count = random.below(most + 1);
    (count > 0).then(|| (0..count).map(|_| make(random)).collect())
}

/// Sets a list that may be empty, and is then left out.
fn list_of(
    random: &mut Random,
    most: usize,
    of: &mut Value,
    name: &str,
    make: impl Fn(&mut Random) -> Value,
) {
    if let Some(list) = some(random, most, make) {
        of[name] = list;
    }
}
