//! Who may read a Binary (<https://hl7.org/fhir/R4/binary.html#security-context>): who may read what governs it. That is the resource that its
//! `securityContext` names; where it names none, each resource that carries it.
//!
//! Invariant: a Binary that is carried by something hidden is hidden, so that nobody opens it by carrying it too.

use std::sync::Arc;

use super::Session;
use super::session::Permitted;
use crate::error::Result;
use crate::interaction::Interaction;
use crate::policy::Access;
use crate::search::belongs::NAMED;
use crate::store::{Criterion, Filter, ResourceType, Test, ValueKind};

/// The types whose content can be a Binary.
const CARRIERS: [&str; 3] = ["DiagnosticReport", "DocumentReference", "Media"];

/// Whether it is reading of Binary that is decided, or of all types at once.
pub(super) fn is_read(access: &Access<'_>) -> bool {
    if access.content || access.carried {
        return false;
    }
    let of_all = matches!(
        access.interaction,
        Interaction::HistorySystem | Interaction::SearchSystem
    );
    let reads = matches!(
        access.interaction,
        Interaction::Read
            | Interaction::Vread
            | Interaction::HistoryInstance
            | Interaction::HistoryType
            | Interaction::SearchType
    );
    match access.resource_type {
        Some(resource_type) => reads && resource_type.name() == "Binary",
        None => of_all,
    }
}

impl Session {
    /// What the policy permits of Binary: what it permits by itself, and what is carried by resources that it permits to read.
    pub(super) fn decide_binary(&self, access: &Access<'_>) -> Result<Arc<Permitted>> {
        let own = self.decide_alone(access);
        if own.as_ref().is_ok_and(|own| own.filter == Filter::All) {
            return own;
        }
        let (asked, binaries) = match (access.resource_type, ResourceType::from_name("Binary")) {
            (Some(_), _) => (*access, Filter::All),
            // Who may not ask about all types at once may not ask so about one of them.
            (None, Some(binary)) if own.is_ok() => {
                let interaction = match access.interaction {
                    Interaction::HistorySystem => Interaction::HistoryType,
                    _ => Interaction::SearchType,
                };
                let of_type = Access::new(interaction, Some(binary));
                (of_type, Filter::Types(vec![binary]))
            }
            (None, _) => return own,
        };
        let carried = match self.decide_alone(&asked.of_carried()) {
            Ok(carried) => carried,
            Err(_) => return own,
        };
        let (mut filter, mut masks) = match own {
            Ok(own) => (own.filter.clone(), own.masks.clone()),
            Err(_) => (Filter::None, Vec::new()),
        };
        filter = filter.or(binaries.and(carried.filter.clone()).and(self.governed()));
        masks.extend(carried.masks.iter().cloned());
        masks.dedup();
        Ok(Arc::new(Permitted { filter, masks }))
    }

    /// What is governed by resources that the caller may read.
    fn governed(&self) -> Filter {
        let mut named = Filter::None;
        let (mut carried, mut unhidden) = (Filter::None, Filter::All);
        for resource_type in CARRIERS.into_iter().filter_map(ResourceType::from_name) {
            let reading = Access::new(Interaction::Read, Some(resource_type));
            let seen = self.decide_alone(&reading);
            let seen = seen.map_or(Filter::None, |seen| seen.filter.clone());
            let carried_by = |filter: Filter| match filter {
                Filter::None => Filter::None,
                filter => Filter::ReferredToBy {
                    resource_type,
                    parameter: NAMED,
                    filter: Box::new(filter),
                },
            };
            unhidden = unhidden.and(carried_by(seen.clone().not()).not());
            carried = carried.or(carried_by(seen.clone()));
            if seen != Filter::None {
                named = named.or(Filter::RefersTo {
                    parameters: vec![NAMED],
                    resource_type,
                    filter: Box::new(seen),
                });
            }
        }
        let names = Filter::Has(Criterion {
            parameter: NAMED,
            test: Test::Exists(ValueKind::Reference),
        });
        named.or(names.not().and(carried).and(unhidden))
    }
}
