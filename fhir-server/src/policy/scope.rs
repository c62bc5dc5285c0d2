//! The rule of scopes: what the access token allows (<https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html>).
//!
//! Each scope that grants the interaction on the type becomes a filter: what it is restricted to, and for a scope of the patient's
//! level that patient's compartment. Scopes are ORed: one more never hides anything.
//!
//! Invariant: a scope that cannot be enforced grants nothing.

use std::cell::Cell;
use std::sync::Arc;

use jiff::tz::TimeZone;

use super::{Access, Decision, Policy};
use crate::context::{Context, Principal, PrincipalKind};
use crate::engine::Settings;
use crate::error::Result;
use crate::interaction::Interaction;
use crate::interaction::search::compartment;
use crate::operation::purge;
use crate::scopes::{Permission, Scope, ScopeLevel, Scopes};
use crate::search::criteria;
use crate::search::registry::Registry;
use crate::search::{Limits, Terminology};
use crate::store::{Filter, Key, ResourceType};

/// What a scope of the patient's level lets read although it belongs to no patient: directories and definitions.
const SHARED: &[&str] = &[
    "CodeSystem",
    "Endpoint",
    "HealthcareService",
    "Location",
    "Medication",
    "NamingSystem",
    "Organization",
    "Practitioner",
    "PractitionerRole",
    "Questionnaire",
    "StructureDefinition",
    "ValueSet",
];

/// Parameters that a scope is never restricted by, beside those that are not known: they reach beyond the resource itself.
const UNENFORCEABLE: &[&str] = &[
    "_content", "_filter", "_has", "_in", "_list", "_query", "_text", "_type",
];

/// Decides by the scopes of the token. A caller without a token is left to the other rules.
pub(crate) struct ScopeRule {
    limits: Limits,
    zone: TimeZone,
    bases: Vec<String>,
    terminology: Arc<dyn Terminology>,
}

impl Policy for ScopeRule {
    fn decide(&self, context: &Context, access: &Access<'_>) -> Result<Decision> {
        let Some(scopes) = &context.principal.scopes else {
            return Ok(Decision::permit(Filter::All));
        };
        let letters: &[Permission] = match access.interaction {
            Interaction::Capabilities => return Ok(Decision::permit(Filter::All)),
            // Each request in a Bundle is asked for by itself.
            Interaction::Batch | Interaction::Transaction => {
                let any = scopes.resources.iter().any(|s| is_usable(s, &context.principal));
                let filter = if any { Filter::All } else { Filter::None };
                return Ok(decision(filter, &context.principal, access, Permission::Read));
            }
            // It takes a scope of its own, and no other helps.
            Interaction::Operation if access.operation == Some(purge::CODE) => {
                return Ok(match context.principal.operates(purge::SCOPE) {
                    true => Decision::permit(Filter::All),
                    false => Decision::deny(purge::refusal()),
                });
            }
            // So is each read and write of an operation; of the operation itself only what it does as a whole.
            Interaction::Operation if access.affects_state => &[Permission::Update],
            Interaction::Operation => &[Permission::Read, Permission::Search],
            other => &Permission::of(other).map_or([Permission::Update], |p| [p]),
        };
        let mut filter = Filter::None;
        for &letter in letters {
            filter = or(filter, self.granted(scopes, letter, context, access));
        }
        let letter = letters.first().copied().unwrap_or(Permission::Read);
        Ok(decision(filter, &context.principal, access, letter))
    }
}

impl ScopeRule {
    pub(crate) fn new(settings: &Settings, terminology: Arc<dyn Terminology>) -> Self {
        ScopeRule {
            limits: settings.search.clone(),
            zone: settings.zone.clone(),
            bases: settings.bases.clone(),
            terminology,
        }
    }

    /// What all scopes with that letter let through together.
    fn granted(&self, scopes: &Scopes, letter: Permission, context: &Context, access: &Access<'_>) -> Filter {
        let usable = scopes
            .granting(letter, access.resource_type)
            .filter(|scope| is_usable(scope, &context.principal));
        usable
            .map(|scope| self.filter(scope, letter, context, access))
            .fold(Filter::None, or)
    }

    /// What one scope lets through; nothing where that cannot be told.
    fn filter(&self, scope: &Scope, letter: Permission, context: &Context, access: &Access<'_>) -> Filter {
        let resource_type = access.resource_type.or(scope.resource_type);
        let Some(restricted) = self.restriction(scope, resource_type, context) else {
            return Filter::None;
        };
        let of_type = match (access.resource_type, scope.resource_type) {
            (None, Some(named)) => Filter::Types(vec![named]),
            _ => Filter::All,
        };
        let centre = match (scope.level, &context.principal.patient) {
            (ScopeLevel::Patient, Some(id)) => patient(id),
            (ScopeLevel::Patient, None) => None,
            (ScopeLevel::User | ScopeLevel::System, _) => return of_type.and(restricted),
        };
        match centre {
            // Whose it is, is asked of what carries it.
            Some(_) if access.carried => of_type.and(restricted),
            Some(centre) => of_type
                .and(restricted)
                .and(within(&centre, letter, resource_type)),
            None => Filter::None,
        }
    }

    /// What the scope's search lets through; `None` where the server cannot evaluate it, or not for resources of that type.
    fn restriction(
        &self,
        scope: &Scope,
        resource_type: Option<ResourceType>,
        context: &Context,
    ) -> Option<Filter> {
        let types: Vec<_> = resource_type.into_iter().collect();
        let asked = criteria::Scope {
            registry: Registry::r4(),
            terminology: self.terminology.as_ref(),
            limits: &self.limits,
            zone: &self.zone,
            now: context.clock.now(),
            bases: &self.bases,
            spent: Cell::new(0),
        };
        scope
            .restriction
            .iter()
            .try_fold(Filter::All, |filter, (name, value)| {
                let plain = name
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
                if !plain || UNENFORCEABLE.contains(&name.as_str()) {
                    return None;
                }
                let one = criteria::filter(&asked, &types, name, value).ok()?;
                Some(filter.and(one))
            })
    }
}

/// Whether the scope can be the caller's: a program for itself has the system's level, a user the others, and the patient's level
/// needs a patient.
fn is_usable(scope: &Scope, principal: &Principal) -> bool {
    match scope.level {
        ScopeLevel::System => principal.kind == PrincipalKind::Client,
        ScopeLevel::User => principal.is_user(),
        ScopeLevel::Patient => {
            principal.is_user() && principal.patient.as_deref().is_some_and(|id| !id.is_empty())
        }
    }
}

fn patient(id: &str) -> Option<Key> {
    Some(Key {
        resource_type: ResourceType::from_name("Patient")?,
        id: id.to_owned(),
    })
}

/// What of a type, or of all types, belongs to the patient's compartment, or is shared and only read.
fn within(centre: &Key, letter: Permission, resource_type: Option<ResourceType>) -> Filter {
    let registry = Registry::r4();
    let shared = |t: ResourceType| {
        matches!(letter, Permission::Read | Permission::Search) && SHARED.contains(&t.name())
    };
    let of = |t: ResourceType| match shared(t) {
        true => Some(Filter::All),
        false => compartment::members(registry, centre, t),
    };
    match resource_type {
        Some(one) => of(one).unwrap_or(Filter::None),
        // All types at once, so that the store looks for what refers to the patient once.
        None => {
            let (open, own): (Vec<_>, Vec<_>) = ResourceType::all().partition(|t| shared(*t));
            let members = compartment::of_types(registry, centre, &own);
            match open.is_empty() {
                true => members,
                false => or(members, Filter::Types(open)),
            }
        }
    }
}

/// What either lets through.
fn or(a: Filter, b: Filter) -> Filter {
    match (a, b) {
        (Filter::All, _) | (_, Filter::All) => Filter::All,
        (Filter::None, other) | (other, Filter::None) => other,
        (a, b) if a == b => a,
        (Filter::Or(mut all), one) => {
            all.push(one);
            Filter::Or(all)
        }
        (a, b) => Filter::Or(vec![a, b]),
    }
}

fn decision(filter: Filter, principal: &Principal, access: &Access<'_>, letter: Permission) -> Decision {
    if filter != Filter::None {
        return Decision::permit(filter);
    }
    let level = match (principal.kind, &principal.patient) {
        (PrincipalKind::Client, _) => ScopeLevel::System,
        (_, Some(_)) => ScopeLevel::Patient,
        _ => ScopeLevel::User,
    };
    let name = access.resource_type.map_or("*", ResourceType::name);
    Decision::InsufficientScope {
        needed: format!("{}/{name}.{}", level.name(), letter.letter()),
    }
}

#[cfg(test)]
mod tests;
