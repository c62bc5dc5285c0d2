//! [`Subject`]: what a document is about.

use std::collections::BTreeSet;

use fhir_validate::schema::Json;

use super::{CAPABILITIES, ENVELOPES, TYPES};
use crate::store::ResourceType;

/// The resource types that a document covers, and whether it covers what belongs to no type.
pub(super) struct Subject {
    pub(super) types: Vec<&'static str>,
    pub(super) with_system: bool,
}

impl Subject {
    /// The types that are told in full, and the system.
    pub(super) fn first_class() -> Subject {
        Subject {
            types: TYPES.to_vec(),
            with_system: true,
        }
    }

    /// One type alone.
    pub(super) fn of(resource_type: ResourceType) -> Subject {
        Subject {
            types: vec![resource_type.name()],
            with_system: false,
        }
    }

    /// The types whose schemas it needs.
    pub(super) fn schemas(&self) -> BTreeSet<&'static str> {
        let envelopes = ENVELOPES
            .into_iter()
            .filter(|name| self.with_system || *name != CAPABILITIES);
        self.types.iter().copied().chain(envelopes).collect()
    }
}

/// Takes out of `components` what nothing refers to.
pub(super) fn prune(document: &mut Json) {
    loop {
        let mut used = BTreeSet::new();
        references(document, &mut used);
        let Some(components) = document.get("components") else {
            return;
        };
        let mut kept = components.clone();
        let mut is_smaller = false;
        for (kind, named) in components.members() {
            let (left, gone): (Vec<_>, Vec<_>) = named
                .members()
                .iter()
                .cloned()
                .partition(|(name, _)| used.contains(&format!("#/components/{kind}/{name}")));
            is_smaller |= !gone.is_empty();
            kept.set(kind, Json::Object(left));
        }
        if !is_smaller {
            return;
        }
        document.set("components", kept);
    }
}

fn references(value: &Json, found: &mut BTreeSet<String>) {
    for (name, member) in value.members() {
        match (name.as_str(), member.as_str()) {
            ("$ref", Some(target)) => {
                found.insert(target.to_owned());
            }
            _ => references(member, found),
        }
    }
    value.items().iter().for_each(|item| references(item, found));
}
