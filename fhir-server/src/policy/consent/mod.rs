//! Consent: what patients permit and deny, enforced in every query (`docs/consent.md`).
//!
//! The consents in force become, for the caller, the purpose and the time, a filter for each group of patients whose rules come to the
//! same: data of those patients that the filter lets through is hidden. A resource that belongs to several patients is hidden by the
//! rules of any.
//!
//! Invariant: data of which it cannot be told whose it is, is hidden.
//! Invariant: what of a Consent is not understood makes it stricter.

mod asker;
pub(crate) mod codes;
mod condition;
mod directive;
mod explain;
mod known;
mod read;
mod review;
mod verdict;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::tz::TimeZone;

use super::emergency::Opened;
use super::identity::{self, Identity};
use super::patients::{coded, decided, of_any, of_others, of_those, parameter};
use super::{Access, Decision, Facts, Policy, Records};
use crate::context::{Context, PrincipalKind};
use crate::error::{Error, Result};
use crate::interaction::Interaction;
use crate::operation::purge;
use crate::store::{Filter, ResourceType};
use asker::Asker;
pub(crate) use explain::{Saying, sayings};
use known::{Known, Memory};
pub(crate) use review::review;

/// What consents are held against.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// Purposes that need no Consent, with those below them in v3-ActReason. Default: `TREAT`.
    pub implicit: Vec<String>,
    /// Roles that answer for the confidentiality of records and may ask `$check`. Default: `information-governance`.
    pub guardians: Vec<String>,
    /// The zone of dates without one. Default: Europe/London.
    pub zone: TimeZone,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            implicit: vec!["TREAT".into()],
            guardians: vec!["information-governance".into()],
            zone: TimeZone::get("Europe/London").unwrap_or(TimeZone::UTC),
        }
    }
}

/// The rule. It binds everyone but the server's own parts.
#[derive(Debug, Default)]
pub struct ConsentRule {
    settings: Settings,
    memory: Memory,
}

impl ConsentRule {
    /// The rule with those settings.
    pub fn new(settings: Settings) -> Self {
        ConsentRule {
            settings,
            memory: Memory::default(),
        }
    }

    /// Whether the caller may ask why others see something or not.
    fn may_check(&self, context: &Context) -> bool {
        let principal = &context.principal;
        principal.kind == PrincipalKind::Patient
            || principal
                .roles
                .iter()
                .any(|role| self.settings.guardians.contains(role))
    }

    /// What is not hidden.
    fn visible(&self, context: &Context, facts: &Facts, purpose: &str) -> Result<Filter> {
        let unknown = || Error::internal("the consents were not looked up");
        let known = facts.get::<Known>().ok_or_else(unknown)?;
        if known.too_many {
            return Ok(decided().and(of_those(with_consents()).not()));
        }
        let asker = Asker {
            identity: facts.get::<Identity>().ok_or_else(unknown)?,
            roles: &context.principal.roles,
            purpose,
            now: context.clock.now().0,
        };
        let needs_none = self
            .settings
            .implicit
            .iter()
            .any(|one| codes::is_for(purpose, one));
        let implicit = if needs_none { Filter::None } else { Filter::All };
        let own = own_patient(context);
        // Patients whose rules hide the same, with what that is.
        let mut groups: Vec<(Filter, Vec<String>)> = Vec::new();
        let mut ruled: Vec<String> = own.iter().map(|id| (*id).to_owned()).collect();
        for (id, directives) in &known.of_patient {
            if own == Some(id) {
                continue;
            }
            let mut rules = Vec::new();
            for directive in directives {
                rules.append(&mut verdict::rules(directive, &asker)?);
            }
            let hidden = verdict::hidden(rules, implicit.clone());
            if !needs_none && hidden != Filter::All {
                ruled.push(id.clone());
            }
            if hidden == Filter::None || (!needs_none && hidden == Filter::All) {
                continue;
            }
            match groups.iter_mut().find(|(filter, _)| *filter == hidden) {
                Some((_, ids)) => ids.push(id.clone()),
                None => groups.push((hidden, vec![id.clone()])),
            }
        }
        let mut hidden = if needs_none {
            Filter::None
        } else {
            of_others(ruled)
        };
        for (filter, ids) in groups {
            hidden = hidden.or(of_any(ids).and(filter));
        }
        Ok(decided().and(hidden.not()))
    }
}

/// What of all data the consents leave visible: the same for every interaction and type.
struct Visible(Filter);

/// The patient whose own record the caller asks for: no Consent of hers hides it from her.
fn own_patient(context: &Context) -> Option<&String> {
    match context.principal.kind {
        PrincipalKind::Patient => context.principal.patient.as_ref(),
        _ => None,
    }
}

/// Patients with a Consent that is active.
fn with_consents() -> Filter {
    match (
        ResourceType::from_name("Consent"),
        parameter("Consent", "patient"),
    ) {
        (Some(resource_type), Some(parameter)) => Filter::ReferredToBy {
            resource_type,
            parameter,
            filter: Box::new(coded("Consent", "status", &["active"])),
        },
        _ => Filter::All,
    }
}

/// What is asked for, by the token or header, or by who asks; `None` where a program does not say it.
pub(super) fn purpose(context: &Context) -> Option<&str> {
    match (&context.purpose, context.principal.kind) {
        (Some(said), _) => Some(said),
        (None, PrincipalKind::Clinician) => Some("TREAT"),
        (None, PrincipalKind::Patient) => Some("PATRQT"),
        (None, PrincipalKind::RelatedPerson) => Some("FAMRQT"),
        (None, _) => None,
    }
}

impl Policy for ConsentRule {
    fn gather<'a>(
        &'a self,
        context: &'a Context,
        records: &'a dyn Records,
        facts: &'a mut Facts,
    ) -> BoxFuture<'a, Result<()>> {
        async move {
            if matches!(
                context.principal.kind,
                PrincipalKind::System | PrincipalKind::Anonymous
            ) {
                return Ok(());
            }
            identity::gather(context, &self.settings.zone, records, facts).await?;
            let zone = &self.settings.zone;
            self.memory.gather(context.tenant, zone, records, facts).await?;
            if let Some(purpose) = purpose(context).filter(|purpose| codes::is_purpose(purpose)) {
                let visible = self.visible(context, facts, purpose)?;
                facts.insert(Visible(visible));
            }
            Ok(())
        }
        .boxed()
    }

    fn decide(&self, context: &Context, access: &Access<'_>) -> Result<Decision> {
        match (context.principal.kind, access.interaction) {
            (PrincipalKind::System, _) | (_, Interaction::Capabilities) => {
                return Ok(Decision::permit(Filter::All));
            }
            (PrincipalKind::Anonymous, _) => {
                return Ok(Decision::deny("Who asks is not known, so nothing is permitted."));
            }
            // Each request of a Bundle is decided by itself.
            (_, Interaction::Batch | Interaction::Transaction) => return Ok(Decision::permit(Filter::All)),
            _ => {}
        }
        // Taking a record away is no use of it; who may, the scope decides.
        if access.operation == Some(purge::CODE) && context.principal.operates(purge::SCOPE) {
            return Ok(Decision::permit(Filter::All));
        }
        let Some(purpose) = purpose(context) else {
            return Ok(Decision::deny(
                "What the data is wanted for is not said: the client needs a token with a purpose of use that it is registered for.",
            ));
        };
        if !codes::is_purpose(purpose) {
            return Ok(Decision::deny(format!(
                "{purpose:?} is no purpose of use: send a code of v3-ActReason such as TREAT."
            )));
        }
        if access.operation == Some("check") && !self.may_check(context) {
            return Ok(Decision::deny(
                "Who may see what is told to patients about themselves, and to the roles that guard confidentiality.",
            ));
        }
        // Consents are about who sees what is there, not about what is recorded.
        if access.content || access.carried {
            return Ok(Decision::permit(Filter::All));
        }
        let visible = access.facts.get::<Visible>();
        let visible = visible.ok_or_else(|| Error::internal("what is visible was not worked out"))?;
        Ok(Decision::permit(visible.0.clone().or(Opened::data(access.facts))))
    }
}
