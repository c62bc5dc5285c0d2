//! Security labels (<https://hl7.org/fhir/R4/security-labels.html>): what is labelled higher than a caller may go is hidden, or masked
//! where the specification of the national demographics service masks it.
//!
//! - `R` on a Patient: who may not see restricted data sees the patient without what tells where they are.
//! - `R` on other data (sealed) is seen by whom `restricted` names, and by who opened the record in an emergency; `V` (sealed and locked) by
//!   whom `very_restricted` names alone.
//! - A patient, and who acts for one, does not see what is labelled as withheld from them.
//! - A patient sees what is labelled `R` or `V` of her own data; who acts for her is bound by both labels as anybody else is.
//!
//! Invariant: the label that a resource has now governs all its versions.

use futures_util::future::BoxFuture;

use super::emergency::Opened;
use super::patients::has;
use super::{Access, Decision, Facts, Mask, Policy, Records};
use crate::context::{Context, PrincipalKind};
use crate::error::{Error, Result};
use crate::search::registry::Registry;
use crate::store::{Filter, ResourceType, SystemTest, Test};

/// The system of `R` and `V`.
pub(crate) const CONFIDENTIALITY: &str = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";
/// The system of sensitivities.
pub(crate) const ACT_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";

/// Who may see what is labelled.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// Roles that see restricted data (`R`) whole. Default: `restricted-access`.
    pub restricted: Vec<String>,
    /// Roles that see very restricted data (`V`). Default: `very-restricted-access`.
    pub very_restricted: Vec<String>,
    /// Sensitivities that hide data from the patient it is about. Default: `PHY`.
    pub withheld_from_patients: Vec<String>,
    /// Sensitivities that hide data from who acts for a patient. Default: those under which people are put under pressure.
    pub withheld_from_proxies: Vec<String>,
    /// Elements of a restricted Patient that tell where they are.
    pub whereabouts: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        let owned = |list: &[&str]| list.iter().map(|&s| s.to_owned()).collect();
        Settings {
            restricted: owned(&["restricted-access"]),
            very_restricted: owned(&["very-restricted-access"]),
            withheld_from_patients: owned(&["PHY"]),
            withheld_from_proxies: owned(&[
                "PHY", "ADOL", "HIV", "PSY", "PSYTHPN", "SDV", "SEX", "STD", "SUD", "ETHUD", "OPIOIDUD",
                "ETH", "VIO",
            ]),
            whereabouts: owned(&[
                "address",
                "telecom",
                "contact",
                "generalPractitioner",
                "managingOrganization",
                "photo",
                "link",
            ]),
        }
    }
}

/// The rule.
#[derive(Clone, Debug, Default)]
pub struct Label {
    settings: Settings,
}

impl Label {
    /// The rule with those settings.
    pub fn new(settings: Settings) -> Self {
        Label { settings }
    }

    /// The labels whose data the caller does not see at all, Patients with `R` aside.
    fn hidden(&self, context: &Context) -> Vec<(&str, &str)> {
        let principal = &context.principal;
        let plays = |roles: &[String]| principal.roles.iter().any(|role| roles.contains(role));
        let mut labels = Vec::new();
        if principal.kind != PrincipalKind::Patient && !plays(&self.settings.very_restricted) {
            labels.push((CONFIDENTIALITY, "V"));
            if !plays(&self.settings.restricted) {
                labels.push((CONFIDENTIALITY, "R"));
            }
        }
        let sensitivities: &[String] = match principal.kind {
            PrincipalKind::Patient => &self.settings.withheld_from_patients,
            PrincipalKind::RelatedPerson => &self.settings.withheld_from_proxies,
            _ => &[],
        };
        labels.extend(sensitivities.iter().map(|code| (ACT_CODE, code.as_str())));
        labels
    }

    /// What is labelled so; a Patient with `R` is masked, not hidden, and what else has it is opened in an emergency.
    fn sealed(&self, context: &Context, facts: &Facts) -> Result<Filter> {
        let patient = patient()?;
        let mut sealed = Filter::None;
        if context.principal.kind == PrincipalKind::System {
            return Ok(sealed);
        }
        for (system, code) in self.hidden(context) {
            let with = labelled(system, vec![code.to_owned()])?;
            sealed = sealed.or(match code {
                "R" => with
                    .and(Filter::Types(vec![patient]).not())
                    .and(Opened::data(facts).not()),
                _ => with,
            });
        }
        Ok(sealed)
    }
}

fn patient() -> Result<ResourceType> {
    ResourceType::from_name("Patient").ok_or_else(|| Error::internal("no type Patient"))
}

/// What its labels hide from a caller altogether.
struct Sealed(Filter);

/// What is for the caller whose facts those are, by its labels, as if it did not exist; nothing where no rule looks at labels.
pub(crate) fn sealed(facts: &Facts) -> Filter {
    facts
        .get::<Sealed>()
        .map_or(Filter::None, |sealed| sealed.0.clone())
}

/// Resources that have one of those labels: each a system and codes.
pub(crate) fn labelled(system: &str, codes: Vec<String>) -> Result<Filter> {
    // The parameter is one of every type, under one number.
    let security = Registry::r4().find(None, "_security");
    let security = security.ok_or_else(|| Error::internal("no search parameter `_security`"))?;
    Ok(has(
        security.number,
        Test::Token {
            system: SystemTest::Is(system.to_owned()),
            code: Some(codes),
        },
    ))
}

impl Policy for Label {
    fn gather<'a>(
        &'a self,
        context: &'a Context,
        _records: &'a dyn Records,
        facts: &'a mut Facts,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let sealed = self.sealed(context, facts)?;
            facts.insert(Sealed(sealed));
            Ok(())
        })
    }

    fn decide(&self, context: &Context, access: &Access<'_>) -> Result<Decision> {
        if context.principal.kind == PrincipalKind::System || access.content {
            return Ok(Decision::permit(Filter::All));
        }
        let sealed = access.facts.get::<Sealed>();
        let Sealed(hidden) = sealed.ok_or_else(|| Error::internal("the labels were not looked at"))?;
        let masked = self.hidden(context).contains(&(CONFIDENTIALITY, "R"));
        let patient = patient()?;
        let decision = Decision::permit(hidden.clone().not());
        let about_patients = access.resource_type.is_none_or(|t| t == patient);
        if !masked || !about_patients {
            return Ok(decision);
        }
        let elements: Vec<&str> = self.settings.whereabouts.iter().map(String::as_str).collect();
        Ok(decision.with_mask(Mask::new(patient, &[(CONFIDENTIALITY, "R")], &elements)))
    }
}
