//! Scopes of access tokens (<https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html>): which interactions on
//! which types a token allows.
//!
//! Invariant: what is not understood grants nothing; it never widens what the rest grants.

mod parse;
mod print;
#[cfg(test)]
mod tests;

use crate::interaction::Interaction;
use crate::store::ResourceType;

/// The scopes of one token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Scopes {
    /// Scopes about resources.
    pub resources: Vec<Scope>,
    /// Scopes about the launch and the user that this server knows, such as `openid` or `launch/patient`.
    pub other: Vec<String>,
}

/// One scope about resources, such as `patient/Observation.rs`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Scope {
    /// On whose rights it rests.
    pub level: ScopeLevel,
    /// The type; `None` is every type.
    pub resource_type: Option<ResourceType>,
    /// What may be done.
    pub permissions: Permissions,
    /// The search that a resource must match, its names and values decoded; empty where any will do.
    pub restriction: Vec<(String, String)>,
}

/// On whose rights a scope rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ScopeLevel {
    /// What belongs to the patient in context.
    Patient,
    /// What the user may see.
    User,
    /// What the client itself may see.
    System,
}

impl ScopeLevel {
    /// Its name in a scope.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Patient => "patient",
            Self::User => "user",
            Self::System => "system",
        }
    }
}

/// One letter of a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the specification's names")]
pub enum Permission {
    Create,
    Read,
    Update,
    Delete,
    Search,
}

impl Permission {
    /// Every letter, in the order in which a scope writes them.
    pub const ALL: [Permission; 5] = [Self::Create, Self::Read, Self::Update, Self::Delete, Self::Search];

    /// The letter.
    pub const fn letter(self) -> char {
        match self {
            Self::Create => 'c',
            Self::Read => 'r',
            Self::Update => 'u',
            Self::Delete => 'd',
            Self::Search => 's',
        }
    }

    /// The letter that an interaction needs; `None` where scopes do not decide by letters.
    pub const fn of(interaction: Interaction) -> Option<Permission> {
        Some(match interaction {
            Interaction::Read | Interaction::Vread | Interaction::HistoryInstance => Self::Read,
            Interaction::SearchType
            | Interaction::SearchSystem
            | Interaction::HistoryType
            | Interaction::HistorySystem => Self::Search,
            Interaction::Create => Self::Create,
            Interaction::Update | Interaction::Patch => Self::Update,
            Interaction::Delete => Self::Delete,
            Interaction::Batch
            | Interaction::Transaction
            | Interaction::Capabilities
            | Interaction::Operation => return None,
        })
    }
}

/// Some of the letters `cruds`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Permissions(u8);

impl Permissions {
    /// Those letters.
    pub fn of(letters: &[Permission]) -> Self {
        letters.iter().fold(Permissions(0), |all, &one| all.with(one))
    }
    /// These and one more.
    #[must_use]
    pub const fn with(self, one: Permission) -> Self {
        Permissions(self.0 | 1 << one as u8)
    }
    /// Whether the letter is among them.
    pub const fn has(self, one: Permission) -> bool {
        self.0 & 1 << one as u8 != 0
    }
    /// Whether there are none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
    /// Those of these that are also among the others.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Permissions(self.0 & other.0)
    }
}

impl Scopes {
    /// The scopes that allow the letter on a type; `None` is on some type or other.
    pub fn granting(
        &self,
        permission: Permission,
        resource_type: Option<ResourceType>,
    ) -> impl Iterator<Item = &Scope> {
        self.resources.iter().filter(move |scope| {
            scope.permissions.has(permission) && resource_type.is_none_or(|asked| scope.is_about(asked))
        })
    }

    /// Whether a scope about the launch or the user, such as `offline_access`, is among them.
    pub fn has(&self, name: &str) -> bool {
        self.other.iter().any(|other| other == name)
    }
}

impl Scope {
    /// Whether it is about that type, among others or alone.
    pub fn is_about(&self, resource_type: ResourceType) -> bool {
        self.resource_type.is_none_or(|own| own == resource_type)
    }
}
