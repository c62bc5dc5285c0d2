//! The desk: who keeps appointments sees who a patient is and when they come, not why, and nothing else of the record.
//!
//! It binds callers with one of some roles, whatever other roles they have: who also treats patients asks without the role of the desk.
//!
//! Invariant: what could say why somebody comes is absent from an appointment, from its answers and for searches.

use super::patients::of_no_patients_type;
use super::{Access, Decision, Mask, Policy};
use crate::context::Context;
use crate::error::Result;
use crate::store::{Filter, ResourceType};

/// Types of which the desk sees what is a patient's. AuditEvent has rules of its own: who asks sees what the trail tells them.
const SEEN: [&str; 6] = [
    "Appointment",
    "AppointmentResponse",
    "AuditEvent",
    "Patient",
    "RelatedPerson",
    "Schedule",
];

/// What says why, by type.
const WHY: [(&str, &[&str]); 2] = [
    (
        "Appointment",
        &[
            "reasonCode",
            "reasonReference",
            "description",
            "supportingInformation",
            "comment",
            "patientInstruction",
        ],
    ),
    ("AppointmentResponse", &["comment"]),
];

/// Who sits at the desk.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// Roles of the desk. Default: `receptionist`, and `R1730`, which is the receptionist of England's job roles.
    pub roles: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            roles: ["receptionist", "R1730"].map(str::to_owned).to_vec(),
        }
    }
}

/// The rule.
#[derive(Clone, Debug, Default)]
pub struct Desk {
    settings: Settings,
}

impl Desk {
    /// The rule with those settings.
    pub fn new(settings: Settings) -> Self {
        Desk { settings }
    }
}

fn types(names: &[&str]) -> Vec<ResourceType> {
    names
        .iter()
        .filter_map(|name| ResourceType::from_name(name))
        .collect()
}

impl Policy for Desk {
    fn decide(&self, context: &Context, access: &Access<'_>) -> Result<Decision> {
        let roles = &context.principal.roles;
        if !roles.iter().any(|role| self.settings.roles.contains(role)) {
            return Ok(Decision::permit(Filter::All));
        }
        let seen = types(&SEEN);
        let filter = match access.resource_type {
            Some(asked) if seen.contains(&asked) => Filter::All,
            None => of_no_patients_type(None).or(Filter::Types(seen)),
            asked => of_no_patients_type(asked),
        };
        let asked = access.resource_type;
        let why = WHY
            .iter()
            .filter_map(|(name, elements)| Some((ResourceType::from_name(name)?, *elements)));
        let masks = why.filter(|(of, _)| asked.is_none_or(|asked| asked == *of));
        let decision = Decision::permit(filter);
        Ok(masks.fold(decision, |decision, (of, elements)| {
            decision.with_mask(Mask::of_all(of, elements))
        }))
    }
}
