//! [`Record`]: what one interaction leaves in the trail, and the [`AuditEntry`] made of it.

use serde::{Deserialize, Serialize};

use super::strangers::StrangerCount;
use crate::context::Context;
use crate::interaction::{Interaction, Request};
use crate::store::{AuditAction, AuditEntry, Key, ResourceType};

/// The longest text of a request that is kept, in bytes; a longer one is cut and says so.
const LONGEST: usize = 4096;

/// What is kept beside what can be searched by. Short names, as each row has them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Record {
    /// The request's id.
    #[serde(rename = "r")]
    pub(crate) request_id: String,
    /// The HTTP status.
    #[serde(rename = "s")]
    pub(crate) status: u16,
    /// Of an operation, its code.
    #[serde(rename = "o", skip_serializing_if = "Option::is_none")]
    pub(crate) operation: Option<String>,
    /// The version that was read or made.
    #[serde(rename = "v", skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<i64>,
    /// What was asked for: parameters alone, or all below the base.
    #[serde(rename = "q", skip_serializing_if = "Option::is_none")]
    pub(crate) query: Option<String>,
    /// The patients it is about.
    #[serde(rename = "p", skip_serializing_if = "Vec::is_empty")]
    pub(crate) patients: Vec<String>,
    /// It is one entry of a Bundle.
    #[serde(rename = "e", skip_serializing_if = "std::ops::Not::not")]
    pub(crate) entry: bool,
    /// What kind of caller.
    #[serde(rename = "k")]
    pub(crate) kind: String,
    /// From which address.
    #[serde(rename = "a", skip_serializing_if = "Option::is_none")]
    pub(crate) address: Option<String>,
    /// The client that asked.
    #[serde(rename = "c", skip_serializing_if = "Option::is_none")]
    pub(crate) client: Option<String>,
    /// The caller as a resource of this server.
    #[serde(rename = "u", skip_serializing_if = "Option::is_none")]
    pub(crate) user: Option<String>,
    /// On behalf of which organisation, by its ODS code.
    #[serde(rename = "g", skip_serializing_if = "Option::is_none")]
    pub(crate) organisation: Option<String>,
    /// In which roles.
    #[serde(rename = "l", skip_serializing_if = "Vec::is_empty")]
    pub(crate) roles: Vec<String>,
    /// What for.
    #[serde(rename = "w", skip_serializing_if = "Option::is_none")]
    pub(crate) purpose: Option<String>,
    /// Why in an emergency.
    #[serde(rename = "b", skip_serializing_if = "Option::is_none")]
    pub(crate) break_glass: Option<String>,
    /// Why the caller says to have to do with the patient.
    #[serde(rename = "t", skip_serializing_if = "Option::is_none")]
    pub(crate) claimed: Option<String>,
    /// It is a count of requests of nobody who is known.
    #[serde(rename = "x", skip_serializing_if = "Option::is_none")]
    pub(crate) strangers: Option<StrangerCount>,
}

impl Record {
    /// What is known of a request before it is answered.
    pub(crate) fn of(context: &Context, request: &Request) -> Self {
        let principal = &context.principal;
        Record {
            address: context.address.map(|address| address.to_string()),
            client: principal.client_id.clone(),
            user: principal.fhir_user.as_ref().map(ToString::to_string),
            organisation: principal.organisation.clone(),
            roles: principal.roles.clone(),
            purpose: context.purpose.clone(),
            break_glass: context.break_glass.clone(),
            claimed: context.claimed_relationship.clone(),
            request_id: context.request_id.clone(),
            operation: request.operation.clone(),
            query: asked(request),
            kind: format!("{:?}", principal.kind).to_lowercase(),
            ..Record::default()
        }
    }

    /// Of something that the server does by itself.
    pub(crate) fn of_server(context: &Context) -> Self {
        Record::of(context, &Request::new(Interaction::Delete, ""))
    }

    /// The row of a resource that is taken away for good, as a part of something else.
    pub(crate) fn removal(&self, context: &Context, key: &Key) -> AuditEntry {
        let mut record = self.clone();
        (record.entry, record.status) = (true, 200);
        let about = (None, Some(key));
        record.entry(context, (Interaction::Delete, AuditAction::Delete), about)
    }

    /// The row.
    pub(crate) fn entry(
        &self,
        context: &Context,
        (interaction, action): (Interaction, AuditAction),
        about: (Option<ResourceType>, Option<&Key>),
    ) -> AuditEntry {
        // Texts and numbers alone are always written.
        let record = serde_json::to_vec(self).unwrap_or_default();
        let mut entry = AuditEntry::new(action, context.principal.name.clone(), record);
        entry.outcome = outcome(self.status);
        entry.interaction = number_of(interaction);
        entry.resource_type = about.1.map(|key| key.resource_type).or(about.0);
        entry.id = about.1.map(|key| key.id.clone());
        entry.patients.clone_from(&self.patients);
        entry
    }
}

/// The parameters as a query, and the condition of a conditional create, after the path of a compartment; nothing where there are none.
fn asked(request: &Request) -> Option<String> {
    let mut text = String::new();
    if let Some(centre) = &request.compartment {
        let member = request.resource_type.map_or("*", |t| t.name());
        text = format!("{centre}/{member}");
    }
    let path = text.len();
    for (name, value) in &request.query {
        text.push(if text.len() == path { '?' } else { '&' });
        text.push_str(name);
        text.push('=');
        text.push_str(value);
    }
    if let Some(condition) = &request.if_none_exist {
        text.push(if text.len() == path { '?' } else { '&' });
        text.push_str(condition);
    }
    if text.len() > LONGEST {
        let end = (0..=LONGEST)
            .rev()
            .find(|at| text.is_char_boundary(*at))
            .unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
    (!text.is_empty()).then_some(text)
}

/// The number of `AuditEvent.outcome` for a status.
fn outcome(status: u16) -> i16 {
    match status {
        0..=399 => 0,
        400..=499 => 4,
        _ => 8,
    }
}

/// The interactions by their numbers in rows, from 1. Numbers stay as they are.
const NUMBERS: [Interaction; 15] = [
    Interaction::Read,
    Interaction::Vread,
    Interaction::Create,
    Interaction::Update,
    Interaction::Patch,
    Interaction::Delete,
    Interaction::HistoryInstance,
    Interaction::HistoryType,
    Interaction::HistorySystem,
    Interaction::SearchType,
    Interaction::SearchSystem,
    Interaction::Batch,
    Interaction::Transaction,
    Interaction::Capabilities,
    Interaction::Operation,
];

/// The number of an interaction in rows.
pub(crate) fn number_of(interaction: Interaction) -> i16 {
    let place = NUMBERS.iter().position(|i| *i == interaction);
    place
        .and_then(|place| i16::try_from(place + 1).ok())
        .unwrap_or_default()
}

/// The interaction with that number.
pub(crate) fn interaction_of(number: i16) -> Option<Interaction> {
    let place = usize::try_from(number).ok()?.checked_sub(1)?;
    NUMBERS.get(place).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_interaction_has_a_number_of_its_own() {
        for interaction in Interaction::ALL.iter().copied().chain([Interaction::Operation]) {
            assert_eq!(interaction_of(number_of(interaction)), Some(interaction));
        }
        assert_eq!(interaction_of(0), None);
        assert_eq!(NUMBERS.len(), Interaction::ALL.len() + 1);
    }

    #[test]
    fn a_long_request_is_cut_at_a_character() {
        let mut request = Request::new(Interaction::SearchType, "");
        request.query.push(("name".into(), "é".repeat(LONGEST)));
        let text = asked(&request).unwrap();
        assert!(text.ends_with('…') && text.len() <= LONGEST + 3);
    }
}
