//! [`Asker`]: who asks, what for and when, against the actors, purposes and periods of provisions.
//!
//! Invariant: where a match cannot be told, a denial matches and a permission does not.

use super::super::identity::Identity;
use super::codes;
use super::directive::{Actor, Provision, Verdict};

/// Who asks, what for and when.
#[derive(Clone, Debug)]
pub(crate) struct Asker<'i> {
    /// Under what the caller is known.
    pub(crate) identity: &'i Identity,
    /// The roles in which is asked.
    pub(crate) roles: &'i [String],
    /// What for.
    pub(crate) purpose: &'i str,
    /// Milliseconds since 1970.
    pub(crate) now: i64,
}

/// How exactly an actor is named: the more, the more specific.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Named {
    #[default]
    Anyone,
    Organisation,
    Role,
    Person,
}

impl Asker<'_> {
    /// Whether a provision concerns the request, whatever the data; how exactly it names the caller.
    pub(crate) fn concerns(&self, provision: &Provision, denies: bool) -> Option<Named> {
        let in_force = provision
            .period
            .is_none_or(|(first, last)| (first..=last).contains(&self.now));
        if !in_force || !provision.reads || (provision.vague && !denies) {
            return None;
        }
        if !provision.vague && !self.is_for_any(&provision.purposes, denies) {
            return None;
        }
        if provision.actors.is_empty() {
            return Some(Named::Anyone);
        }
        provision
            .actors
            .iter()
            .filter_map(|actor| self.is(actor, denies))
            .max()
    }

    /// Whether the purpose is one of those; a denial also covers a purpose that its own is a part of.
    pub(crate) fn is_for_any(&self, purposes: &[String], denies: bool) -> bool {
        purposes.is_empty()
            || purposes
                .iter()
                .any(|one| codes::is_for(self.purpose, one) || (denies && codes::is_for(one, self.purpose)))
    }

    /// How exactly the actor names the caller; `None` where it names another.
    fn is(&self, actor: &Actor, denies: bool) -> Option<Named> {
        let me = self.identity;
        if let Some(key) = &actor.key {
            if me.people.contains(key) {
                return Some(Named::Person);
            }
            if me.groups.contains(key) {
                return Some(Named::Role);
            }
            if me.organisations.contains(key) {
                return Some(Named::Organisation);
            }
        }
        if let Some(identifier) = &actor.identifier {
            if me.identifiers.contains(identifier) {
                return Some(Named::Person);
            }
            if me.organisation_identifiers.contains(identifier) {
                return Some(Named::Organisation);
            }
        }
        if actor.key.is_some() || actor.identifier.is_some() {
            return None;
        }
        if !actor.roles.is_empty() {
            let plays = actor.roles.iter().any(|role| self.roles.contains(role));
            return plays.then_some(Named::Role);
        }
        denies.then_some(Named::Anyone)
    }
}

/// Whether a verdict is a denial.
pub(crate) fn denies(verdict: Option<Verdict>) -> bool {
    verdict == Some(Verdict::Deny)
}
