//! Requests of nobody who is known, as rows of the trail: how many there were from one address in one minute.
//!
//! Read as AuditEvents they are failed sign-ins (type 110114, subtype 110122 of DICOM), since no interaction came of them.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::event::{self, DICOM, ENTITY_TYPE, OBJECT_ROLE, coding};
use super::record::Record;
use crate::context::Millis;
use crate::store::{AuditAction, AuditEntry, AuditRow};

/// The number of such rows where those of interactions have the interaction's.
pub(crate) const SIGN_IN: i16 = 100;

/// The code of `AuditEvent.type`: user authentication.
pub(crate) const AUTHENTICATION: &str = "110114";
/// The code of `AuditEvent.subtype`: login.
pub(crate) const LOGIN: &str = "110122";

/// How many requests there were.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct StrangerCount {
    /// The address, or the network of one of IPv6; `None` for all others.
    #[serde(rename = "f", skip_serializing_if = "Option::is_none")]
    pub(crate) from: Option<String>,
    /// When the minute began, in milliseconds since 1970.
    #[serde(rename = "m")]
    pub(crate) minute: i64,
    /// Without a token.
    #[serde(rename = "n")]
    pub(crate) no_token: u32,
    /// With a token that does not do.
    #[serde(rename = "b")]
    pub(crate) bad_token: u32,
    /// More than a caller may send, with a good token or none.
    #[serde(rename = "t")]
    pub(crate) too_many: u32,
}

impl StrangerCount {
    /// Adds what another has counted.
    pub(crate) fn add(&mut self, other: &StrangerCount) {
        for (mine, theirs) in [
            (&mut self.no_token, other.no_token),
            (&mut self.bad_token, other.bad_token),
            (&mut self.too_many, other.too_many),
        ] {
            *mine = mine.saturating_add(theirs);
        }
    }

    /// The row.
    pub(crate) fn entry(self) -> AuditEntry {
        let record = Record {
            status: if self.too_many > 0 && self.no_token == 0 && self.bad_token == 0 {
                429
            } else {
                401
            },
            kind: "anonymous".into(),
            strangers: Some(self),
            ..Record::default()
        };
        // Texts and numbers alone are always written.
        let record = serde_json::to_vec(&record).unwrap_or_default();
        let mut entry = AuditEntry::new(AuditAction::Execute, "anonymous", record);
        entry.outcome = 4;
        entry.interaction = SIGN_IN;
        entry
    }

    /// The AuditEvent of the row.
    pub(super) fn event(&self, row: &AuditRow) -> Value {
        let from = self.from.as_deref().unwrap_or("all other addresses");
        let begin = Millis(self.minute).to_instant();
        let counts = [
            ("without a token", self.no_token),
            ("with a token that does not do", self.bad_token),
            ("more than a caller may send", self.too_many),
        ];
        let counts = counts.into_iter().filter(|(_, count)| *count > 0);
        let words: Vec<String> = counts
            .clone()
            .map(|(what, count)| format!("{count} {what}"))
            .collect();
        let sentence = format!(
            "Requests refused from {from} in the minute from {begin}: {}.",
            words.join(", ")
        );
        let details: Vec<Value> = counts
            .map(|(what, count)| json!({ "type": what, "valueString": count.to_string() }))
            .collect();
        let mut agent = json!({
            "type": { "coding": [coding(DICOM, "110153", Some("Source Role ID"))] },
            "who": { "display": "nobody who is known" },
            "requestor": true,
        });
        if let (Some(from), Some(agent)) = (&self.from, agent.as_object_mut()) {
            agent.insert("network".into(), json!({ "address": from, "type": "2" }));
        }
        json!({
            "resourceType": "AuditEvent",
            "id": event::id_of(row),
            "meta": { "versionId": "1", "lastUpdated": row.at.to_instant() },
            "text": { "status": "generated", "div": event::div(&sentence) },
            "type": coding(DICOM, AUTHENTICATION, Some("User Authentication")),
            "subtype": [coding(DICOM, LOGIN, Some("Login"))],
            "action": row.entry.action.code(),
            "period": { "start": begin, "end": Millis(self.minute.saturating_add(59_999)).to_instant() },
            "recorded": row.at.to_instant(),
            "outcome": row.entry.outcome.to_string(),
            "outcomeDesc": sentence,
            "agent": [agent],
            "source": event::source(),
            "entity": [{
                "type": coding(ENTITY_TYPE, "2", Some("System Object")),
                "role": coding(OBJECT_ROLE, "13", Some("Security Resource")),
                "name": "requests",
                "detail": details,
            }],
        })
    }
}
