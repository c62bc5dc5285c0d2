//! [`Numbering`]: which numbers a tenant's own search parameters have in the index, which of them are indexed, and how far a pass over the
//! tenant's resources is. The server notes it beside the definitions.
//!
//! Invariant: a number is given once and never to another parameter.
//! Invariant: a parameter is used only after a pass that began when it already was as it is now, and while writes were indexed for it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::number::FIRST_ADDED;
use super::{Added, Parameter, Registry, Standing};
use crate::store::{Aspect, ParameterNumber, ResourceType};

/// What is noted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Numbering {
    /// By url and type.
    entries: BTreeMap<String, Entry>,
    /// Numbers given so far.
    given: i32,
    /// The pass that is under way.
    pub(crate) pass: Option<Pass>,
}

/// A parameter of a type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    /// Its place, and those of its parts.
    places: Vec<i32>,
    /// The definition that it was numbered for.
    stamp: i64,
    /// Whether all resources have their rows.
    is_indexed: bool,
    /// Why its rows cannot be made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fault: Option<String>,
}

/// A pass over the resources of some types.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pass {
    /// Their numbers, those that are left.
    types: Vec<i16>,
    /// In the first of them, all up to that stamp are done.
    pub(crate) stamp: i64,
    /// Resources done.
    pub(crate) done: u64,
    /// Of how many there were when it began.
    pub(crate) total: u64,
    /// Who does it.
    pub(crate) worker: String,
    /// When they last said so.
    pub(crate) beat: i64,
}

impl Pass {
    /// The type that is looked at; `None` at the end.
    pub(crate) fn resource_type(&self) -> Option<ResourceType> {
        let first = self.types.first()?;
        ResourceType::all().find(|of| of.number() == *first)
    }

    /// All of the type are done.
    pub(crate) fn next_type(&mut self) {
        self.types.drain(..self.types.len().min(1));
        self.stamp = 0;
    }

    /// The types that are left.
    pub(crate) fn types(&self) -> impl Iterator<Item = ResourceType> {
        ResourceType::all().filter(|of| self.types.contains(&of.number()))
    }

    /// How much of it is done, in percent; below 100, as it is not over.
    pub(crate) fn percent(&self) -> u8 {
        let percent = self
            .done
            .saturating_mul(100)
            .checked_div(self.total)
            .unwrap_or_default();
        u8::try_from(percent.min(99)).unwrap_or(99)
    }
}

/// What the entry of a parameter is kept under.
fn name(parameter: &Parameter) -> String {
    let of = parameter.resource_type.map_or("*", ResourceType::name);
    format!("{}|{of}", parameter.url)
}

impl Numbering {
    /// What was noted.
    ///
    /// # Errors
    /// It is not what this server notes.
    pub(crate) fn read(note: Option<&[u8]>) -> Result<Self, serde_json::Error> {
        note.map_or_else(|| Ok(Numbering::default()), serde_json::from_slice)
    }

    /// What is to be noted.
    ///
    /// # Errors
    /// None that is known of.
    pub(crate) fn to_note(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(self)
    }

    fn entry(&self, parameter: &Parameter, stamp: i64) -> Option<&Entry> {
        let entry = self.entries.get(&name(parameter))?;
        (entry.stamp == stamp && entry.places.len() == parameter.components.len() + 1).then_some(entry)
    }

    /// Gives the parameters of a definition the numbers that are noted for it, and says how it stands.
    pub(super) fn apply(&self, added: &mut Added) {
        let mut standing = Standing::InUse;
        for parameter in &mut added.parameters {
            let Some(entry) = self.entry(parameter, added.stamp) else {
                standing = Standing::Waiting;
                break;
            };
            if let Some(fault) = &entry.fault {
                standing = Standing::Faulty(fault.clone());
                break;
            }
            if !entry.is_indexed {
                standing = Standing::Indexing;
            }
            let mut numbers = entry
                .places
                .iter()
                .map(|place| ParameterNumber::new(*place, Aspect::Value));
            parameter.number = numbers.next().unwrap_or(ParameterNumber(0));
            for part in &mut parameter.components {
                part.parameter = numbers.next().unwrap_or(ParameterNumber(0));
            }
        }
        added.standing = standing;
    }

    /// Gives numbers to what waits, and begins a pass for all that are not indexed; whether there was anything that waits.
    pub(crate) fn begin(&mut self, registry: &Registry, worker: &str, now: i64) -> bool {
        let waiting = |a: &&Added| a.standing == Standing::Waiting;
        if !registry.added().iter().any(|a| waiting(&a)) {
            return false;
        }
        for added in registry.added().iter().filter(waiting) {
            for parameter in &added.parameters {
                self.give(parameter, added.stamp);
            }
        }
        let open = |a: &&Added| matches!(a.standing, Standing::Waiting | Standing::Indexing);
        let of = registry.added().iter().filter(open).flat_map(|a| &a.parameters);
        let bases: Vec<Option<ResourceType>> = of.map(|p| p.resource_type).collect();
        let is_meant = |of: &ResourceType| bases.iter().any(|base| base.is_none_or(|base| base == *of));
        self.pass = Some(Pass {
            types: ResourceType::all()
                .filter(is_meant)
                .map(ResourceType::number)
                .collect(),
            stamp: 0,
            done: 0,
            total: 0,
            worker: worker.to_owned(),
            beat: now,
        });
        true
    }

    fn give(&mut self, parameter: &Parameter, stamp: i64) {
        let known = self
            .entries
            .get(&name(parameter))
            .map(|entry| entry.places.clone());
        let mut places = known.unwrap_or_default();
        // What has lost a part keeps the numbers of the others, as they are written anew.
        places.truncate(parameter.components.len() + 1);
        while places.len() <= parameter.components.len() {
            places.push(FIRST_ADDED + self.given);
            self.given += 1;
        }
        let entry = Entry {
            places,
            stamp,
            is_indexed: false,
            fault: None,
        };
        self.entries.insert(name(parameter), entry);
    }

    /// The pass is over: what it was for is indexed.
    pub(crate) fn finish(&mut self) {
        self.pass = None;
        self.entries
            .values_mut()
            .for_each(|entry| entry.is_indexed = true);
    }

    /// The rows of a parameter cannot be made: why.
    pub(crate) fn give_up(&mut self, added: &Added, why: &str) {
        for parameter in &added.parameters {
            if let Some(entry) = self.entries.get_mut(&name(parameter)) {
                entry.fault = Some(why.to_owned());
            }
        }
    }
}
