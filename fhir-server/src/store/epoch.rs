//! [`Epochs`]: when the definitions of a tenant last changed, so that whoever has compiled them knows whether to begin again.
//!
//! Invariant: an epoch is set in the transaction that writes the definition, by the store itself; no writer can forget it.
//! Invariant: what a snapshot tells is of the same moment as everything else that it tells. So a request that begins after a definition's
//! write was answered sees its epoch, on every process, exactly.

use super::{Outcome, ResourceType};

/// The types of the resources that say how others are searched, judged and read.
pub const DEFINITIONS: [&str; 6] = [
    "CodeSystem",
    "ConceptMap",
    "Questionnaire",
    "SearchParameter",
    "StructureDefinition",
    "ValueSet",
];

/// Of each of these types the stamp of its newest change in a tenant; 0 where there never was one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Epochs {
    types: [i64; DEFINITIONS.len()],
    emptied: i64,
}

impl Epochs {
    /// Whether resources of the type have an epoch.
    pub fn is_kept(resource_type: ResourceType) -> bool {
        place(resource_type).is_some()
    }

    /// The epoch of a type; 0 for one that has none.
    pub fn of(&self, resource_type: ResourceType) -> i64 {
        let stamp = place(resource_type).and_then(|place| self.types.get(place));
        stamp.copied().unwrap_or_default()
    }

    /// When the tenant was emptied, or a definition of it purged, last; 0 where it never was. What was there before left no deletions behind,
    /// so that whoever takes over what it knew begins anew.
    pub fn emptied(&self) -> i64 {
        self.emptied
    }

    /// For back ends: the tenant is emptied under that stamp. Every type that ever had an epoch gets its next.
    pub fn empty(&mut self, stamp: i64) {
        for epoch in self.types.iter_mut().filter(|epoch| **epoch > 0) {
            *epoch = stamp.max(epoch.saturating_add(1));
        }
        self.purge(stamp);
    }

    /// For back ends: a definition of the tenant is purged under that stamp; the epoch of its type is another matter.
    pub fn purge(&mut self, stamp: i64) {
        self.set_emptied(stamp.max(self.emptied.saturating_add(1)));
    }

    /// For back ends: when the tenant was emptied last, or a definition of it purged.
    pub fn set_emptied(&mut self, stamp: i64) {
        self.emptied = stamp;
    }

    /// For back ends: the type's next epoch, where something of it changes under that stamp: an epoch always rises.
    pub fn next(&self, resource_type: ResourceType, stamp: i64) -> i64 {
        stamp.max(self.of(resource_type).saturating_add(1))
    }

    /// For back ends: the epoch of a type. Nothing happens for a type that has none.
    pub fn set(&mut self, resource_type: ResourceType, stamp: i64) {
        let kept = place(resource_type).and_then(|place| self.types.get_mut(place));
        kept.into_iter().for_each(|epoch| *epoch = stamp);
    }
}

/// For back ends: whether a write came to something that moves its type's epoch.
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) fn moves(outcome: &Outcome) -> bool {
    matches!(
        outcome,
        Outcome::Created { .. }
            | Outcome::Updated { .. }
            | Outcome::Deleted { .. }
            | Outcome::Purged { versions: 1.. }
    )
}

fn place(resource_type: ResourceType) -> Option<usize> {
    DEFINITIONS.binary_search(&resource_type.name()).ok()
}

/// What a snapshot knows of its own moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Marks {
    /// The stamp of the newest change.
    pub newest: i64,
    /// When definitions last changed.
    pub epochs: Epochs,
}

impl Marks {
    /// For back ends.
    pub fn new(newest: i64, epochs: Epochs) -> Self {
        Marks { newest, epochs }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_types_that_have_an_epoch_are_resource_types_in_the_order_of_their_names() {
        assert!(DEFINITIONS.is_sorted());
        for name in DEFINITIONS {
            assert!(Epochs::is_kept(ResourceType::from_name(name).unwrap()), "{name}");
        }
        assert!(!Epochs::is_kept(ResourceType::from_name("Patient").unwrap()));
    }
}
