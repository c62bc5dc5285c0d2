//! A row of the trail as an AuditEvent, in the shapes of IHE's Basic Audit Log Patterns
//! (<https://profiles.ihe.net/ITI/BALP/>), with a sentence that its patient can read.
//!
//! Invariant: who sees a row as its patient learns of no other patient, and not what else the request asked for.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::record::{Record, interaction_of};
use crate::context::Millis;
use crate::error::{Error, Result};
use crate::interaction::Interaction;
use crate::policy::emergency::BREAK_THE_GLASS;
use crate::store::{AuditAction, AuditRow};

pub(super) const DICOM: &str = "http://dicom.nema.org/resources/ontology/DCM";
pub(super) const ENTITY_TYPE: &str = "http://terminology.hl7.org/CodeSystem/audit-entity-type";
pub(super) const OBJECT_ROLE: &str = "http://terminology.hl7.org/CodeSystem/object-role";
const PARTICIPATION: &str = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType";
const PARTICIPANT: &str = "http://terminology.hl7.org/CodeSystem/provenance-participant-type";
const ROLE_CLASS: &str = "http://terminology.hl7.org/CodeSystem/v3-RoleClass";
const BALP_ENTITY: &str = "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType";
const ODS: &str = "https://fhir.nhs.uk/Id/ods-organization-code";

/// To whom a row is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Audience<'a> {
    /// To one who may see all of it.
    Auditor,
    /// To the patient of that id.
    Patient(&'a str),
}

/// The id of the AuditEvent of a row.
pub(crate) fn id_of(row: &AuditRow) -> String {
    format!("{:016x}", row.stamp)
}

/// The row that an AuditEvent's id stands for.
pub(crate) fn stamp_of(id: &str) -> Option<i64> {
    let is_ours = id.len() == 16 && id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    i64::from_str_radix(id, 16).ok().filter(|_| is_ours)
}

/// The AuditEvent of a row, of the server with that base.
///
/// # Errors
/// The row cannot be read.
pub(crate) fn of_row(row: &AuditRow, audience: Audience<'_>, base: &str) -> Result<Value> {
    let mut record: Record = serde_json::from_slice(&row.entry.record).map_err(Error::internal)?;
    if let Audience::Patient(id) = audience {
        let alone = record.patients.iter().all(|patient| patient == id);
        record.patients.retain(|patient| patient == id);
        if !alone {
            record.query = None;
        }
    }
    if let Some(count) = &record.strangers {
        return Ok(count.event(row));
    }
    let interaction = interaction_of(row.entry.interaction);
    let code = interaction.map_or("operation", Interaction::code);
    let mut event = json!({
        "resourceType": "AuditEvent",
        "id": id_of(row),
        "meta": { "versionId": "1", "lastUpdated": row.at.to_instant() },
        "text": { "status": "generated", "div": narrative(row, &record) },
        "type": coding("http://terminology.hl7.org/CodeSystem/audit-event-type", "rest", Some("RESTful Operation")),
        "subtype": [coding("http://hl7.org/fhir/restful-interaction", code, None)],
        "action": row.entry.action.code(),
        "recorded": row.at.to_instant(),
        "outcome": row.entry.outcome.to_string(),
        "agent": agents(row, &record, base),
        "source": source(),
        "entity": entities(row, &record),
    });
    let Some(members) = event.as_object_mut() else {
        return Err(Error::internal("an event that is no object"));
    };
    if let Some(operation) = &record.operation {
        let subtype = json!({ "code": format!("${operation}"), "display": "operation of this server" });
        if let Some(all) = members.get_mut("subtype").and_then(Value::as_array_mut) {
            all.push(subtype);
        }
    }
    if row.entry.outcome != 0 {
        let text = format!("HTTP status {}", record.status);
        members.insert("outcomeDesc".into(), text.into());
    }
    let emergency = record.break_glass.as_ref().map(|_| BREAK_THE_GLASS.to_owned());
    if let Some(purpose) = &emergency.or_else(|| record.purpose.clone()) {
        let purpose = coding(
            "http://terminology.hl7.org/CodeSystem/v3-ActReason",
            purpose,
            None,
        );
        let mut concept = json!({ "coding": [purpose] });
        if let (Some(reason), Some(concept)) = (
            record.break_glass.as_ref().or(record.claimed.as_ref()),
            concept.as_object_mut(),
        ) {
            concept.insert("text".into(), reason.as_str().into());
        }
        members.insert("purposeOfEvent".into(), json!([concept]));
    }
    Ok(event)
}

pub(super) fn coding(system: &str, code: &str, display: Option<&str>) -> Value {
    match display {
        Some(display) => json!({ "system": system, "code": code, "display": display }),
        None => json!({ "system": system, "code": code }),
    }
}

/// This server, which keeps the trail.
pub(super) fn source() -> Value {
    let system = "http://terminology.hl7.org/CodeSystem/security-source-type";
    json!({ "observer": { "display": "fhir-server" }, "type": [coding(system, "4", Some("Application Server"))] })
}

/// The client, this server, and the user where there is one. Of a read the client is where the data goes to; a deletion is asked of an
/// application, and this server has custody.
fn agents(row: &AuditRow, record: &Record, base: &str) -> Value {
    let source = coding(DICOM, "110153", Some("Source Role ID"));
    let destination = coding(DICOM, "110152", Some("Destination Role ID"));
    let (client, server) = match row.entry.action {
        AuditAction::Read => (destination, source),
        AuditAction::Delete => (
            coding(DICOM, "110150", Some("Application")),
            coding(PARTICIPANT, "custodian", Some("Custodian")),
        ),
        _ => (source, destination),
    };
    let role = match row.entry.action {
        AuditAction::Read | AuditAction::Execute => {
            coding(PARTICIPATION, "IRCP", Some("information recipient"))
        }
        _ => coding(PARTICIPATION, "AUT", Some("author (originator)")),
    };
    let client_name = record.client.as_deref().unwrap_or("no registered client");
    let agent = |role: Value, name: &str, network: Option<Value>| {
        let mut agent =
            json!({ "type": { "coding": [role] }, "who": { "display": name }, "requestor": false });
        if let (Some(network), Some(agent)) = (network, agent.as_object_mut()) {
            agent.insert("network".into(), network);
        }
        agent
    };
    let from = record
        .address
        .as_ref()
        .map(|address| json!({ "address": address, "type": "2" }));
    let to = (!base.is_empty()).then(|| json!({ "address": base, "type": "5" }));
    let mut agents = vec![agent(client, client_name, from), agent(server, "fhir-server", to)];
    let mut who = json!({ "identifier": { "value": row.entry.actor }, "display": row.entry.actor });
    if let (Some(user), Some(who)) = (&record.user, who.as_object_mut()) {
        who.insert("reference".into(), user.as_str().into());
    }
    let mut user = json!({
        "type": { "coding": [role] },
        "who": who,
        "altId": row.entry.actor,
        "requestor": true,
    });
    if let Some(user) = user.as_object_mut() {
        let roles: Vec<Value> = record.roles.iter().map(|role| json!({ "text": role })).collect();
        if !roles.is_empty() {
            user.insert("role".into(), roles.into());
        }
    }
    agents.push(user);
    if let Some(code) = &record.organisation {
        agents.push(json!({
            "type": { "coding": [coding(ROLE_CLASS, "PROV", Some("healthcare provider"))] },
            "who": { "type": "Organization", "identifier": { "system": ODS, "value": code } },
            "requestor": false,
        }));
    }
    agents.into()
}

fn entities(row: &AuditRow, record: &Record) -> Value {
    let mut entities: Vec<Value> = record
        .patients
        .iter()
        .map(|id| {
            json!({
                "what": { "reference": format!("Patient/{id}") },
                "type": coding(ENTITY_TYPE, "1", Some("Person")),
                "role": coding(OBJECT_ROLE, "1", Some("Patient")),
            })
        })
        .collect();
    // Profiles tell the entities apart by their type alone, so that one alone says what was asked for.
    let asked = record
        .query
        .as_ref()
        .map(|query| STANDARD.encode(whole(row, query)));
    let is_search = matches!(
        interaction_of(row.entry.interaction),
        Some(Interaction::SearchType | Interaction::SearchSystem)
    );
    let mut entity = json!({ "type": coding(ENTITY_TYPE, "2", Some("System Object")) });
    let what = subject(row, record).filter(|_| !is_search);
    if let Some(members) = entity.as_object_mut()
        && (what.is_some() || asked.is_some() || is_search)
    {
        let role = match what {
            Some(_) => coding(OBJECT_ROLE, "4", Some("Domain Resource")),
            None => coding(OBJECT_ROLE, "24", Some("Query")),
        };
        members.insert("role".into(), role);
        if let Some(what) = what {
            members.insert("what".into(), json!({ "reference": what }));
        }
        let asked = asked.or_else(|| is_search.then(|| STANDARD.encode(whole(row, ""))));
        if let Some(asked) = asked {
            members.insert("query".into(), asked.into());
        }
        entities.push(entity);
    }
    if !record.request_id.is_empty() {
        entities.push(json!({
            "what": { "identifier": { "value": record.request_id } },
            "type": coding(BALP_ENTITY, "XrequestId", None),
        }));
    }
    entities.into()
}

/// What was asked for, below the base.
fn whole(row: &AuditRow, query: &str) -> String {
    match query.is_empty() || query.starts_with('?') {
        true => format!("{}{query}", row.entry.resource_type.map_or("", |t| t.name())),
        false => query.to_owned(),
    }
}

/// The resource that it was about, with its version where one was read or made.
fn subject(row: &AuditRow, record: &Record) -> Option<String> {
    let (resource_type, id) = (row.entry.resource_type?, row.entry.id.as_ref()?);
    let version = record
        .version
        .map(|v| format!("/_history/{v}"))
        .unwrap_or_default();
    Some(format!("{}/{id}{version}", resource_type.name()))
}

/// One sentence: who did what to what, when, and whether it was refused.
fn narrative(row: &AuditRow, record: &Record) -> String {
    let done = match interaction_of(row.entry.interaction) {
        Some(Interaction::Read | Interaction::Vread) => "read",
        Some(Interaction::Create) => "created",
        Some(Interaction::Update | Interaction::Patch) => "changed",
        Some(Interaction::Delete) => "deleted",
        Some(Interaction::SearchType | Interaction::SearchSystem) => "searched for",
        Some(Interaction::HistoryInstance | Interaction::HistoryType | Interaction::HistorySystem) => {
            "read earlier versions of"
        }
        Some(Interaction::Batch | Interaction::Transaction) => "sent several requests at once about",
        _ => "asked the server to work on",
    };
    let what = match (row.entry.resource_type, &row.entry.id) {
        (Some(resource_type), Some(id)) => format!("{}/{id}", resource_type.name()),
        (Some(resource_type), None) => format!("records of the kind {}", resource_type.name()),
        (None, _) => "records".to_owned(),
    };
    let of = record
        .organisation
        .as_ref()
        .map(|o| format!(" of {o}"))
        .unwrap_or_default();
    let why = match (&record.break_glass, &record.claimed) {
        (Some(reason), _) => format!(" In an emergency, with the reason: {reason}."),
        (None, Some(reason)) => format!(" With the reason: {reason}."),
        (None, None) => String::new(),
    };
    let end = match row.entry.outcome {
        0 => "",
        4 => " It was refused.",
        _ => " It failed.",
    };
    let text = format!(
        "{}{of} {done} {what} on {}.{why}{end}",
        row.entry.actor,
        moment(row.at)
    );
    div(&text)
}

/// The text as a narrative.
pub(super) fn div(text: &str) -> String {
    format!(
        "<div xmlns=\"http://www.w3.org/1999/xhtml\">{}</div>",
        escaped(text)
    )
}

/// Such as `26 November 2026 at 06:30 UTC`.
fn moment(at: Millis) -> String {
    jiff::Timestamp::from_millisecond(at.0)
        .map(|at| at.strftime("%-d %B %Y at %H:%M UTC").to_string())
        .unwrap_or_default()
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // What XML cannot hold.
            c if c.is_control() && !matches!(c, '\t' | '\n' | '\r') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
