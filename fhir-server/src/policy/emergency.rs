//! Emergencies: who has the right opens the record of one patient for a while, with a reason that others are told
//! (<https://hl7.org/fhir/R4/security-labels.html#break-the-glass>).
//!
//! A record is opened by an alert: a Communication about the patient that the server writes before it answers, with the reason and who gave
//! it. It is data as any other: she reads it herself, whoever guards privacy reads it, and while it is fresh it is what opens her record.
//! It opens what relationships, consents and the label `R` would hide; what is labelled `V` stays shut, and so does where a restricted patient is.
//!
//! Invariant: it is opened for treatment alone, with what lies below that purpose.
//! Invariant: nobody but the server writes, changes or removes an alert.
//! Invariant: what belongs to several patients is opened when the records of all of them are.

use fhir_model::Communication;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use super::consent::codes::is_for;
use super::consent::purpose;
use super::patients::{coded, has, of_any, of_others, parameter};
use super::{Access, Decision, Facts, Policy, Records, content};
use crate::context::{Context, PrincipalKind};
use crate::error::{Error, Result};
use crate::interaction::Interaction;
use crate::search::case;
use crate::search::extract::local_reference;
use crate::store::{Compare, Filter, ResourceType, SystemTest, Test};

/// The system of purposes.
const ACT_REASON: &str = "http://terminology.hl7.org/CodeSystem/v3-ActReason";
/// The purpose: break the glass.
pub(crate) const BREAK_THE_GLASS: &str = "BTG";
/// What an emergency is for; whoever asks for anything else finds nothing opened.
const TREATMENT: &str = "TREAT";
/// The system of the names by which the audit trail knows callers.
const CALLER: &str = "urn:fhir-server:caller";
/// Records that one caller has opened at the same time, at most: with more, none is open.
const MOST: usize = 100;
const MINUTE: i64 = 60_000;

/// Who may open records, and for how long.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// Roles whose holders may. Default: none.
    pub roles: Vec<String>,
    /// Minutes that a record stays open. Default: 60.
    pub minutes: i64,
    /// Roles whose holders read the alerts about all patients. Default: `information-governance`.
    pub told: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            roles: Vec::new(),
            minutes: 60,
            told: vec!["information-governance".into()],
        }
    }
}

/// The rule. It stands before those that it opens something of.
#[derive(Clone, Debug, Default)]
pub struct Emergency {
    settings: Settings,
}

/// What is open to the caller beyond what other rules let through.
#[derive(Clone, Debug, Default)]
pub(crate) struct Opened {
    patients: Vec<String>,
    alerts: bool,
}

impl Opened {
    /// Data of those patients alone, and alerts for whom they are meant for.
    pub(crate) fn data(facts: &Facts) -> Filter {
        let Some(opened) = facts.get::<Opened>() else {
            return Filter::None;
        };
        let told = if opened.alerts { alerts() } else { Filter::None };
        match opened.patients.is_empty() {
            true => told,
            false => {
                let patients = opened.patients.clone();
                told.or(of_any(patients.clone()).and(of_others(patients).not()))
            }
        }
    }
}

impl Emergency {
    /// The rule with those settings.
    pub fn new(settings: Settings) -> Self {
        Emergency { settings }
    }

    fn plays(context: &Context, roles: &[String]) -> bool {
        let principal = &context.principal;
        principal.kind == PrincipalKind::Clinician && principal.roles.iter().any(|role| roles.contains(role))
    }

    /// The patients whose records the caller has opened.
    async fn opened(&self, context: &Context, records: &dyn Records) -> Result<Vec<String>> {
        let (Some(communication), Some(identifier), Some(sent)) = (
            ResourceType::from_name("Communication"),
            parameter("Communication", "identifier"),
            parameter("Communication", "sent"),
        ) else {
            return Err(Error::internal("no type Communication"));
        };
        let now = context.clock.now().0;
        let begin = now.saturating_sub(self.settings.minutes.saturating_mul(MINUTE));
        let own = Test::Token {
            system: SystemTest::Is(CALLER.into()),
            code: Some(vec![case::lower(&context.principal.name).into_owned()]),
        };
        let fresh = alerts()
            .and(has(identifier, own))
            .and(has(sent, Test::Date(Compare::Gt, begin, begin)));
        let found = records.find(communication, fresh, MOST + 1).await?;
        if found.len() > MOST {
            return Ok(Vec::new());
        }
        let mut patients = Vec::new();
        for body in found.into_iter().filter_map(|version| version.body) {
            let alert = content(&body)?;
            let alert = alert.get::<Communication>().filter(|alert| is_by(alert, context));
            let subject = alert.and_then(|alert| alert.subject.as_deref());
            let subject = subject.and_then(|subject| local_reference(subject.reference.as_str()?, &[]));
            patients.extend(subject.map(|key| key.id));
        }
        patients.sort();
        patients.dedup();
        Ok(patients)
    }
}

/// Whether that caller is told in it, to the letter: a search does not look at the case.
fn is_by(alert: &Communication, context: &Context) -> bool {
    let names = alert
        .identifier
        .iter()
        .filter(|one| one.system.as_str() == Some(CALLER));
    names
        .filter_map(|one| one.value.as_str())
        .any(|name| name == context.principal.name)
}

/// The alerts.
fn alerts() -> Filter {
    let of_type = ResourceType::from_name("Communication").map_or(Filter::None, |t| Filter::Types(vec![t]));
    of_type.and(coded("Communication", "category", &[BREAK_THE_GLASS]))
}

/// The alert that opens a patient's record to the caller, as JSON.
pub(crate) fn alert(context: &Context, patient: &str, reason: &str) -> Value {
    let principal = &context.principal;
    let mut sender = json!({ "display": principal.name });
    if let (Some(user), Some(sender)) = (&principal.fhir_user, sender.as_object_mut()) {
        sender.insert("reference".into(), user.to_string().into());
    }
    json!({
        "resourceType": "Communication",
        "identifier": [{ "system": CALLER, "value": principal.name }],
        "status": "completed",
        "category": [{
            "coding": [{ "system": ACT_REASON, "code": BREAK_THE_GLASS, "display": "break the glass" }],
            "text": "A record was opened in an emergency",
        }],
        "subject": { "reference": format!("Patient/{patient}") },
        "sent": context.clock.now().to_instant(),
        "sender": sender,
        "reasonCode": [{ "text": reason }],
    })
}

impl Policy for Emergency {
    fn gather<'a>(
        &'a self,
        context: &'a Context,
        records: &'a dyn Records,
        facts: &'a mut Facts,
    ) -> BoxFuture<'a, Result<()>> {
        async move {
            let mut opened = Opened {
                patients: Vec::new(),
                alerts: Self::plays(context, &self.settings.told),
            };
            if self.opens_in_emergency(context) {
                opened.patients = self.opened(context, records).await?;
            }
            facts.insert(opened);
            Ok(())
        }
        .boxed()
    }

    fn opens_in_emergency(&self, context: &Context) -> bool {
        Self::plays(context, &self.settings.roles)
            && purpose(context).is_some_and(|one| is_for(one, TREATMENT))
    }

    fn decide(&self, context: &Context, access: &Access<'_>) -> Result<Decision> {
        let changes = access.content
            || access.affects_state
            || matches!(
                access.interaction,
                Interaction::Update | Interaction::Patch | Interaction::Delete
            );
        let may_be_alert = access.resource_type.is_none_or(|t| t.name() == "Communication");
        if changes && may_be_alert && context.principal.kind != PrincipalKind::System {
            return Ok(Decision::permit(alerts().not()));
        }
        Ok(Decision::permit(Filter::All))
    }
}
