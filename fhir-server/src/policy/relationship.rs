//! Legitimate relationship: a clinician sees the data of patients whom they, or the organisation on whose behalf they ask, look after.
//!
//! There is one while they are in a care team, in an encounter that is in progress or ended at most some days ago, in an active episode
//! of care, in an appointment about then, or where the patient is registered with them. Where none is stored, the caller may claim one
//! and say why; that is an obligation to tell whoever guards privacy.
//!
//! Invariant: a relationship is read from the data as it is in the view of the request; nothing is kept of it.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::tz::TimeZone;

use super::emergency::Opened;
use super::identity::{self, Identity, refers_to_any};
use super::patients::{coded, decided, has, of_nobody, of_those, parameter};
use super::{Access, Decision, Facts, Obligation, Policy, Records};
use crate::context::{Context, Principal, PrincipalKind};
use crate::error::{Error, Result};
use crate::interaction::Interaction;
use crate::store::{Compare, Filter, Key, ResourceType, Test};

const DAY: i64 = 24 * 60 * 60 * 1000;

/// How long a contact is a reason to see a patient's data.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// Days after the end of an encounter, or around an appointment. Default: 30.
    pub days: i64,
    /// Callers who look after every patient. Default: none.
    pub look_after_everyone: Vec<Principal>,
    /// Roles that need none for a purpose of use, each with that purpose: what they see is left to the consents. Default: none.
    pub need_none: Vec<(String, String)>,
    /// The zone of dates without one. Default: Europe/London.
    pub zone: TimeZone,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            days: 30,
            look_after_everyone: Vec::new(),
            need_none: Vec::new(),
            zone: TimeZone::get("Europe/London").unwrap_or(TimeZone::UTC),
        }
    }
}

/// The rule. It binds clinicians; who else may see what is for the other rules.
#[derive(Clone, Debug, Default)]
pub struct Relationship {
    settings: Settings,
}

impl Relationship {
    /// The rule with those settings.
    pub fn new(settings: Settings) -> Self {
        Relationship { settings }
    }

    /// Patients to whom there is a relationship.
    fn related(&self, context: &Context, me: &Identity) -> Filter {
        let now = context.clock.now().0;
        let reach = self.settings.days.saturating_mul(DAY);
        let around = |from: i64, to: i64| Test::Date(Compare::Ap, from, to);
        let to_me = |type_name: &str, code: &str| refers_to_any(type_name, code, me.keys());
        let ours = |type_name: &str, code: &str| refers_to_any(type_name, code, &me.organisations);
        let on = |type_name: &str, code: &str, test: Test| match parameter(type_name, code) {
            Some(number) => has(number, test),
            None => Filter::None,
        };
        let teams: Vec<String> = me
            .groups
            .iter()
            .filter(is("CareTeam"))
            .map(|key| key.id.clone())
            .collect();
        let team = if teams.is_empty() {
            Filter::None
        } else {
            Filter::Ids(teams)
        };
        let encounter = to_me("Encounter", "participant")
            .or(ours("Encounter", "service-provider"))
            .and(
                coded(
                    "Encounter",
                    "status",
                    &["planned", "cancelled", "entered-in-error"],
                )
                .not(),
            )
            .and(on("Encounter", "date", around(now.saturating_sub(reach), now)));
        let episode = to_me("EpisodeOfCare", "care-manager")
            .or(ours("EpisodeOfCare", "organization"))
            .and(coded("EpisodeOfCare", "status", &["active"]));
        let booked = ["booked", "arrived", "checked-in", "fulfilled"];
        let appointment = to_me("Appointment", "actor")
            .and(coded("Appointment", "status", &booked))
            .and(on(
                "Appointment",
                "date",
                around(now.saturating_sub(reach), now.saturating_add(reach)),
            ));
        [
            ("CareTeam", "patient", team),
            ("Encounter", "patient", encounter),
            ("EpisodeOfCare", "patient", episode),
            ("Appointment", "patient", appointment),
        ]
        .into_iter()
        .fold(
            to_me("Patient", "general-practitioner"),
            |any, (type_name, code, filter)| any.or(patient_of(type_name, code, filter)),
        )
    }
}

/// Patients to whom there is a relationship.
struct Related(Filter);

fn is(type_name: &'static str) -> impl Fn(&&Key) -> bool {
    move |key| key.resource_type.name() == type_name
}

/// The patients of such resources.
fn patient_of(type_name: &str, code: &str, filter: Filter) -> Filter {
    match (
        ResourceType::from_name(type_name),
        parameter(type_name, code),
        filter,
    ) {
        (_, _, Filter::None) => Filter::None,
        (Some(resource_type), Some(parameter), filter) => Filter::ReferredToBy {
            resource_type,
            parameter,
            filter: Box::new(filter),
        },
        _ => Filter::None,
    }
}

impl Policy for Relationship {
    fn gather<'a>(
        &'a self,
        context: &'a Context,
        records: &'a dyn Records,
        facts: &'a mut Facts,
    ) -> BoxFuture<'a, Result<()>> {
        async move {
            match context.principal.kind {
                PrincipalKind::Clinician => {
                    identity::gather(context, &self.settings.zone, records, facts).await?;
                    let me = facts.get::<Identity>();
                    let me = me.ok_or_else(|| Error::internal("who asks was not looked up"))?;
                    let related = self.related(context, me);
                    facts.insert(Related(related));
                    Ok(())
                }
                _ => Ok(()),
            }
        }
        .boxed()
    }

    fn decide(&self, context: &Context, access: &Access<'_>) -> Result<Decision> {
        if context.principal.kind != PrincipalKind::Clinician || access.carried {
            return Ok(Decision::permit(Filter::All));
        }
        // Whoever registers a patient has no relationship yet.
        let registers = access.content
            && access.interaction == Interaction::Create
            && access.resource_type.is_some_and(|t| t.name() == "Patient");
        if registers {
            return Ok(Decision::permit(Filter::All));
        }
        let everyone = || if access.content { Filter::All } else { decided() };
        let needs_none = self.settings.need_none.iter().any(|(role, purpose)| {
            context.principal.roles.contains(role) && context.purpose.as_ref() == Some(purpose)
        });
        if needs_none || self.settings.look_after_everyone.contains(&context.principal) {
            return Ok(Decision::permit(everyone()));
        }
        if let Some(reason) = claimed(context) {
            let permit = Decision::permit(everyone());
            return Ok(permit.with_obligation(Obligation::ClaimedRelationship {
                reason: reason.to_owned(),
            }));
        }
        let related = access.facts.get::<Related>();
        let related = match related.ok_or_else(|| Error::internal("who asks was not looked up"))? {
            Related(Filter::None) => Filter::None,
            Related(patients) => of_those(patients.clone()),
        };
        let opened = Opened::data(access.facts);
        Ok(Decision::permit(of_nobody().or(related).or(opened)))
    }
}

/// The caller's own reason, where they claim a relationship.
fn claimed(context: &Context) -> Option<&str> {
    context
        .claimed_relationship
        .as_deref()
        .map(str::trim)
        .filter(|reason| !reason.is_empty())
}
