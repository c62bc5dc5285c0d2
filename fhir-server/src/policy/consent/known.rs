//! [`Known`]: the consents of a tenant that are in force, by patient; gathered from the view of the request.
//!
//! Read consents are kept in memory while no Consent of the tenant changes, which the stamp of the newest change tells; there is no other
//! copy of them.
//!
//! Invariant: a Consent is in force with the commit that writes it.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use fhir_model::{Consent, Patient};
use jiff::tz::TimeZone;

use super::super::identity::identifier_of;
use super::super::patients::{coded, has, parameter};
use super::super::{Facts, Records, content};
use super::directive::Directive;
use super::read;
use crate::context::TenantId;
use crate::error::{Error, Result};
use crate::store::{ResourceType, SystemTest, Test};

/// Consents in force that are read at most: with more, patients with any of them are hidden as a whole.
pub(crate) const MOST: usize = 5_000;

/// The consents in force.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    /// By the id of the patient.
    pub(crate) of_patient: BTreeMap<String, Vec<Arc<Directive>>>,
    /// There are more than are read.
    pub(crate) too_many: bool,
}

/// Consents as read, with the stamp up to which they are.
type Read = (i64, Arc<Vec<Arc<Directive>>>, bool);

/// Consents as read, by tenant.
#[derive(Debug, Default)]
pub(crate) struct Memory(Mutex<HashMap<TenantId, Read>>);

impl Memory {
    /// Gathers the consents in force.
    pub(crate) async fn gather(
        &self,
        tenant: TenantId,
        zone: &TimeZone,
        records: &dyn Records,
        facts: &mut Facts,
    ) -> Result<()> {
        let consent = type_named("Consent")?;
        let newest = records.newest(consent).await?;
        facts.hold_while(consent, newest);
        let kept = self.kept(tenant, newest);
        let (directives, too_many) = match kept {
            Some(kept) => kept,
            None => {
                let (directives, too_many) = read_all(consent, zone, records).await?;
                let directives = Arc::new(directives);
                let mut memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                memory.insert(tenant, (newest, directives.clone(), too_many));
                (directives, too_many)
            }
        };
        let mut known = Known {
            too_many,
            ..Known::default()
        };
        place(&directives, records, &mut known).await?;
        facts.insert(known);
        Ok(())
    }

    fn kept(&self, tenant: TenantId, newest: i64) -> Option<(Arc<Vec<Arc<Directive>>>, bool)> {
        let memory = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (stamp, directives, too_many) = memory.get(&tenant)?;
        (*stamp == newest).then(|| (directives.clone(), *too_many))
    }
}

fn type_named(name: &str) -> Result<ResourceType> {
    ResourceType::from_name(name).ok_or_else(|| Error::internal(format!("no type {name}")))
}

async fn read_all(
    consent: ResourceType,
    zone: &TimeZone,
    records: &dyn Records,
) -> Result<(Vec<Arc<Directive>>, bool)> {
    let active = coded("Consent", "status", &["active"]);
    let found = records.find(consent, active, MOST + 1).await?;
    if found.len() > MOST {
        return Ok((Vec::new(), true));
    }
    let mut directives = Vec::new();
    for version in found {
        let body = version
            .body
            .ok_or_else(|| Error::internal("a current version without a body"))?;
        let resource = content(&body)?;
        let read = resource.get::<Consent>();
        directives.extend(
            read.and_then(|consent| read::directive(&version.key, consent, zone))
                .map(Arc::new),
        );
    }
    Ok((directives, false))
}

/// Finds the patient of each: by reference, or who has the identifier.
async fn place(directives: &[Arc<Directive>], records: &dyn Records, known: &mut Known) -> Result<()> {
    let mut by_identifier: HashMap<(String, String), Vec<&Arc<Directive>>> = HashMap::new();
    for directive in directives {
        if let Some(id) = &directive.patient {
            known
                .of_patient
                .entry(id.clone())
                .or_default()
                .push(directive.clone());
        }
        // Both may be said, and of two patients; then it is in force for either.
        if let Some(identifier) = &directive.patient_identifier {
            by_identifier
                .entry(identifier.clone())
                .or_default()
                .push(directive);
        }
    }
    if by_identifier.is_empty() {
        return Ok(());
    }
    let (patient, Some(number)) = (type_named("Patient")?, parameter("Patient", "identifier")) else {
        return Err(Error::internal(
            "no search parameter for the identifier of patients",
        ));
    };
    let identifiers: Vec<&(String, String)> = by_identifier.keys().collect();
    for some in identifiers.chunks(100) {
        let any = some.iter().map(|(system, value)| {
            has(
                number,
                Test::Token {
                    system: SystemTest::Is(system.clone()),
                    code: Some(vec![value.clone()]),
                },
            )
        });
        let any = any.fold(crate::store::Filter::None, crate::store::Filter::or);
        for version in records.find(patient, any, MOST + 1).await? {
            let Some(body) = &version.body else {
                continue;
            };
            let resource = content(body)?;
            let identifiers = resource
                .get::<Patient>()
                .map(|p| p.identifier.as_slice())
                .unwrap_or_default();
            for identifier in identifiers.iter().filter_map(identifier_of) {
                let theirs = by_identifier.get(&identifier).into_iter().flatten();
                let of_patient = known.of_patient.entry(version.key.id.clone()).or_default();
                for directive in theirs {
                    if !of_patient.iter().any(|one| one.key == directive.key) {
                        of_patient.push((*directive).clone());
                    }
                }
            }
        }
    }
    known.of_patient.retain(|_, directives| !directives.is_empty());
    Ok(())
}
