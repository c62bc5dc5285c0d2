//! [`Strictness`]: what is asked of each type when it is written.

use std::collections::HashMap;

use serde::Deserialize;

use crate::store::ResourceType;

/// How much of a resource is held against its definitions when it is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Check {
    /// Nothing beyond what reading asks.
    Off,
    /// The shape and the rules of R4; what profiles ask is told in warnings.
    #[default]
    Base,
    /// The profiles too.
    Profile,
}

/// What follows from a breach of what is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnBreach {
    /// The resource is recorded, and the breach told in a warning.
    Warn,
    /// The resource is refused.
    #[default]
    Refuse,
}

/// What is asked of one type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rules {
    /// How much.
    pub level: Check,
    /// What follows from a breach.
    pub breach: OnBreach,
    /// Profiles that each resource of the type is held against, by canonical URL.
    pub profiles: Vec<String>,
}

/// What is asked of all types.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Strictness {
    /// Of types that are not named.
    pub all: Rules,
    /// Of those that are.
    pub types: HashMap<ResourceType, Rules>,
    /// Whether unknown codes and extensions, wrong check digits and what narratives may not have are breaches too.
    pub strict: bool,
    /// Bytes of a text above which it is validated apart from the threads that answer.
    pub inline_bytes: usize,
}

impl Default for Strictness {
    fn default() -> Self {
        Strictness {
            all: Rules::default(),
            types: HashMap::new(),
            strict: false,
            inline_bytes: 32 << 10,
        }
    }
}

impl Strictness {
    /// What is asked of a type.
    pub fn of(&self, resource_type: ResourceType) -> &Rules {
        self.types.get(&resource_type).unwrap_or(&self.all)
    }
}
