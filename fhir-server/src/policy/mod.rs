//! Policy: may this caller do this, and what may be seen of it. A decision is a predicate, not a post-filter.
//!
//! Invariant: the default is deny; "cannot decide" is deny.
//! Invariant: `filter` is ANDed into every sub-select of the query; within one rule permits are ORed, across rules
//! filters are ANDed.

mod sandbox;
mod scope;

pub use sandbox::PermitAll;
pub(crate) use scope::ScopeRule;

use std::sync::Arc;

use crate::context::Context;
use crate::error::Result;
use crate::interaction::Interaction;
use crate::store::{Filter, ResourceType};

/// What is asked for.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Access {
    /// The interaction.
    pub interaction: Interaction,
    /// The type, where the interaction has one.
    pub resource_type: Option<ResourceType>,
    /// The code of the operation, where that is the interaction.
    pub operation: Option<&'static str>,
    /// Whether that operation changes what is stored.
    pub affects_state: bool,
}

impl Access {
    /// An interaction on a type, or on the whole system.
    pub fn new(interaction: Interaction, resource_type: Option<ResourceType>) -> Self {
        Access {
            interaction,
            resource_type,
            operation: None,
            affects_state: false,
        }
    }

    /// An operation of that code on a type, a resource of it, or the whole system.
    pub fn of_operation(code: &'static str, resource_type: Option<ResourceType>) -> Self {
        Access {
            operation: Some(code),
            ..Access::new(Interaction::Operation, resource_type)
        }
    }

    /// The same, which changes what is stored.
    pub fn that_changes(mut self, affects_state: bool) -> Self {
        self.affects_state = affects_state;
        self
    }
}

/// The answer of a policy.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Decision {
    /// Not allowed; the caller is told only this text.
    Deny {
        /// public text: what is missing and who can give it
        reason: String,
    },
    /// Not allowed by the scopes of the token, whatever is stored; the caller is told which would do.
    InsufficientScope {
        /// such as `user/Observation.rs`
        needed: String,
    },
    /// Allowed, as far as the filter lets resources through.
    Permit {
        /// which resources
        filter: Filter,
    },
}

/// One rule, or a chain of rules.
pub trait Policy: Send + Sync {
    /// Decides. An error counts as a denial.
    ///
    /// # Errors
    /// The rule cannot decide.
    fn decide(&self, context: &Context, access: &Access) -> Result<Decision>;
}

impl Policy for Arc<dyn Policy> {
    fn decide(&self, context: &Context, access: &Access) -> Result<Decision> {
        self.as_ref().decide(context, access)
    }
}

/// Several rules: all must permit, and their filters are ANDed. An empty chain denies.
#[derive(Default)]
pub struct Chain(pub Vec<Box<dyn Policy>>);

impl Policy for Chain {
    fn decide(&self, context: &Context, access: &Access) -> Result<Decision> {
        let mut combined: Option<Filter> = None;
        for rule in &self.0 {
            match rule.decide(context, access)? {
                Decision::Permit { filter } => {
                    combined = Some(combined.map_or(filter.clone(), |c| c.and(filter)));
                }
                deny => return Ok(deny),
            }
        }
        Ok(match combined {
            Some(filter) => Decision::Permit { filter },
            None => Decision::Deny {
                reason: "No policy is configured, so nothing is permitted.".into(),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Principal;

    /// Permits those ids, or denies where there are none.
    struct Ids(&'static [&'static str]);

    impl Policy for Ids {
        fn decide(&self, _: &Context, _: &Access) -> Result<Decision> {
            match self.0 {
                [] => Ok(Decision::Deny {
                    reason: "none".into(),
                }),
                ids => Ok(Decision::Permit {
                    filter: ids_filter(ids),
                }),
            }
        }
    }

    fn ids_filter(ids: &[&str]) -> Filter {
        Filter::Ids(ids.iter().map(|&id| id.to_owned()).collect())
    }

    fn decided(rules: Vec<Box<dyn Policy>>) -> Option<Filter> {
        let context = Context::new(Principal::sandbox_clinician(), "r");
        match Chain(rules)
            .decide(&context, &Access::new(Interaction::Read, None))
            .unwrap()
        {
            Decision::Permit { filter } => Some(filter),
            _ => None,
        }
    }

    #[test]
    fn filters_of_a_chain_are_anded_and_one_denial_denies() {
        let both = decided(vec![
            Box::new(Ids(&["a", "b"])),
            Box::new(PermitAll),
            Box::new(Ids(&["b"])),
        ]);
        assert_eq!(
            both,
            Some(Filter::And(vec![ids_filter(&["a", "b"]), ids_filter(&["b"])]))
        );
        assert_eq!(decided(vec![Box::new(PermitAll), Box::new(Ids(&[]))]), None);
        assert_eq!(decided(Vec::new()), None);
        assert_eq!(decided(vec![Box::new(PermitAll)]), Some(Filter::All));
    }
}
