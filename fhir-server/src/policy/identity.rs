//! [`Identity`]: under which resources and identifiers the caller is known, so that a Consent or a CareTeam that names them is found to.
//!
//! Invariant: a membership counts only while its period lasts.
//! Invariant: where there is more to know than is looked up, nothing can be decided.

use std::collections::HashSet;

use fhir_model::{CareTeam, Group, Identifier, Practitioner, PractitionerRole, Reference, Resource};
use jiff::tz::TimeZone;

use super::patients::{has, parameter};
use super::{Facts, Records, content, period};
use crate::context::{Context, Millis};
use crate::error::{Error, Result};
use crate::search::case;
use crate::search::extract::local_reference;
use crate::store::{Filter, Key, ResourceType, SystemTest, Test};

/// The system of ODS codes.
pub(crate) const ODS: &str = "https://fhir.nhs.uk/Id/ods-organization-code";
/// The system of NHS numbers.
pub(crate) const NHS_NUMBER: &str = "https://fhir.nhs.uk/Id/nhs-number";
/// The system of SDS user ids.
const SDS_USER: &str = "https://fhir.nhs.uk/Id/sds-user-id";
/// Resources of one kind that are looked up at most.
const MOST: usize = 1_000;

/// Under what the caller is known.
#[derive(Clone, Debug, Default)]
pub(crate) struct Identity {
    /// The person: a Practitioner with their roles, a Patient, a RelatedPerson.
    pub(crate) people: Vec<Key>,
    /// The organisations on whose behalf is asked.
    pub(crate) organisations: Vec<Key>,
    /// Care teams and groups that the person, or an organisation, belongs to now.
    pub(crate) groups: Vec<Key>,
    /// Identifiers of the person: system and value.
    pub(crate) identifiers: HashSet<(String, String)>,
    /// Identifiers of the organisations.
    pub(crate) organisation_identifiers: HashSet<(String, String)>,
}

impl Identity {
    /// The person and the organisations.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &Key> {
        self.people.iter().chain(&self.organisations)
    }
}

/// Looks the caller up, once a request.
pub(crate) async fn gather(
    context: &Context,
    zone: &TimeZone,
    records: &dyn Records,
    facts: &mut Facts,
) -> Result<()> {
    if facts.get::<Identity>().is_some() {
        return Ok(());
    }
    let mut found = Identity::default();
    let principal = &context.principal;
    found.people.extend(principal.fhir_user.clone());
    if let (Some(id), Some(resource_type)) = (&principal.patient, ResourceType::from_name("Patient"))
        && principal.kind == crate::context::PrincipalKind::Patient
    {
        found.people.push(Key {
            resource_type,
            id: id.clone(),
        });
    }
    let identifier = |system: &str, value: &str| (system.to_owned(), case::lower(value).into_owned());
    if let Some(number) = &principal.nhs_number {
        found.identifiers.insert(identifier(NHS_NUMBER, number));
    }
    if let Some(subject) = &principal.subject {
        found.identifiers.insert(identifier(SDS_USER, subject));
    }
    if let Some(code) = &principal.organisation {
        found.organisation_identifiers.insert(identifier(ODS, code));
        organisations(code, records, &mut found).await?;
    }
    person(records, &mut found).await?;
    found.people.sort();
    found.people.dedup();
    groups(context.clock.now(), zone, records, &mut found).await?;
    facts.insert(found);
    Ok(())
}

/// All current resources of a type that the filter lets through.
async fn all(records: &dyn Records, type_name: &str, filter: Filter) -> Result<Vec<(Key, Resource)>> {
    let Some(resource_type) = ResourceType::from_name(type_name) else {
        return Ok(Vec::new());
    };
    let found = records.find(resource_type, filter, MOST + 1).await?;
    if found.len() > MOST {
        return Err(Error::internal(format!(
            "the caller is named by more than {MOST} resources of type {type_name}"
        )));
    }
    let read = |version: crate::store::Version| {
        let body = version
            .body
            .ok_or_else(|| Error::internal("a current version without a body"))?;
        Ok((version.key, content(&body)?))
    };
    found.into_iter().map(read).collect()
}

async fn organisations(code: &str, records: &dyn Records, found: &mut Identity) -> Result<()> {
    let Some(number) = parameter("Organization", "identifier") else {
        return Ok(());
    };
    let named = Test::Token {
        system: SystemTest::Is(ODS.into()),
        code: Some(vec![case::lower(code).into_owned()]),
    };
    let organisations = all(records, "Organization", has(number, named)).await?;
    found
        .organisations
        .extend(organisations.into_iter().map(|(key, _)| key));
    Ok(())
}

/// The Practitioner with all their roles, whichever of them the token names.
async fn person(records: &dyn Records, found: &mut Identity) -> Result<()> {
    for key in found.people.clone() {
        if key.resource_type.name() != "PractitionerRole" {
            continue;
        }
        for (_, role) in all(records, "PractitionerRole", Filter::Ids(vec![key.id])).await? {
            let Some(role) = role.get::<PractitionerRole>() else {
                continue;
            };
            found.people.extend(role.practitioner.as_deref().and_then(local));
            found
                .organisations
                .extend(role.organization.as_deref().and_then(local));
        }
    }
    let practitioners = ids_of(&found.people, "Practitioner");
    if practitioners.is_empty() {
        return Ok(());
    }
    if let (Some(number), Some(resource_type)) = (
        parameter("PractitionerRole", "practitioner"),
        ResourceType::from_name("Practitioner"),
    ) {
        let ids = practitioners.clone();
        let roles = has(number, Test::ReferenceTo { resource_type, ids });
        let roles = all(records, "PractitionerRole", roles).await?;
        found.people.extend(roles.into_iter().map(|(key, _)| key));
    }
    for (_, practitioner) in all(records, "Practitioner", Filter::Ids(practitioners)).await? {
        if let Some(practitioner) = practitioner.get::<Practitioner>() {
            found
                .identifiers
                .extend(practitioner.identifier.iter().filter_map(identifier_of));
        }
    }
    Ok(())
}

/// System and value, the value in the spelling that identifiers are compared in.
pub(crate) fn identifier_of(identifier: &Identifier) -> Option<(String, String)> {
    let (system, value) = (identifier.system.as_str()?, identifier.value.as_str()?);
    Some((system.to_owned(), case::lower(value).into_owned()))
}

fn local(reference: &Reference) -> Option<Key> {
    local_reference(reference.reference.as_str()?, &[])
}

fn ids_of(keys: &[Key], type_name: &str) -> Vec<String> {
    let of_type = keys.iter().filter(|key| key.resource_type.name() == type_name);
    of_type.map(|key| key.id.clone()).collect()
}

/// Resources with a reference parameter to one of those.
pub(crate) fn refers_to_any<'k>(
    type_name: &str,
    code: &str,
    keys: impl IntoIterator<Item = &'k Key>,
) -> Filter {
    let Some(number) = parameter(type_name, code) else {
        return Filter::None;
    };
    let mut by_type: Vec<(ResourceType, Vec<String>)> = Vec::new();
    for key in keys {
        match by_type.iter_mut().find(|(t, _)| *t == key.resource_type) {
            Some((_, ids)) => ids.push(key.id.clone()),
            None => by_type.push((key.resource_type, vec![key.id.clone()])),
        }
    }
    by_type
        .into_iter()
        .fold(Filter::None, |any, (resource_type, ids)| {
            any.or(has(number, Test::ReferenceTo { resource_type, ids }))
        })
}

async fn groups(now: Millis, zone: &TimeZone, records: &dyn Records, found: &mut Identity) -> Result<()> {
    let me: Vec<Key> = found.keys().cloned().collect();
    if me.is_empty() {
        return Ok(());
    }
    let is_me =
        |reference: Option<&Reference>| reference.and_then(local).is_some_and(|key| me.contains(&key));
    let lasts = |period: Option<&fhir_model::Period>| period::holds(period, now, zone) == Some(true);
    for (key, team) in all(records, "CareTeam", refers_to_any("CareTeam", "participant", &me)).await? {
        let Some(team) = team.get::<CareTeam>() else {
            continue;
        };
        let active = matches!(team.status.as_str(), None | Some("active")) && lasts(team.period.as_deref());
        let mine = |one: &fhir_model::CareTeamParticipant| {
            is_me(one.member.as_deref()) && lasts(one.period.as_deref())
        };
        if active && team.participant.iter().any(mine) {
            found.groups.push(key);
        }
    }
    for (key, group) in all(records, "Group", refers_to_any("Group", "member", &me)).await? {
        let Some(group) = group.get::<Group>() else {
            continue;
        };
        let mine = |one: &fhir_model::GroupMember| {
            is_me(one.entity.as_deref()) && one.inactive.value != Some(true) && lasts(one.period.as_deref())
        };
        if group.active.value != Some(false) && group.member.iter().any(mine) {
            found.groups.push(key);
        }
    }
    Ok(())
}
