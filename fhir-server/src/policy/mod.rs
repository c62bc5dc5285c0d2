//! Policy: may this caller do this, and what may be seen of it. A decision is a predicate, not a post-filter.
//!
//! A rule first gathers what it has to know, from the same view of the data that the request reads; then it decides each
//! (interaction, type) from that alone.
//!
//! Invariant: the default is deny; "cannot decide" is deny.
//! Invariant: `filter` is ANDed into every sub-select of the query; within one rule permits are ORed, across rules
//! filters are ANDed.
//! Invariant: a masked element is absent, from what leaves and for every predicate.

mod chain;
pub mod compartment;
pub mod consent;
pub mod desk;
pub mod emergency;
mod facts;
pub(crate) mod identity;
pub mod label;
mod mask;
pub(crate) mod patients;
pub(crate) mod period;
mod permit_all;
pub mod relationship;
mod scope;

pub use chain::Chain;
pub use facts::{Facts, Records};
pub use mask::Mask;
pub(crate) use mask::read as content;
pub use permit_all::PermitAll;
pub(crate) use scope::ScopeRule;

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};

use crate::context::Context;
use crate::error::Result;
use crate::interaction::Interaction;
use crate::store::{Filter, ResourceType};

/// What is asked for.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Access<'f> {
    /// The interaction.
    pub interaction: Interaction,
    /// The type, where the interaction has one.
    pub resource_type: Option<ResourceType>,
    /// The code of the operation, where that is the interaction.
    pub operation: Option<&'static str>,
    /// Whether that operation changes what is stored.
    pub affects_state: bool,
    /// Whether it is about the new content of a write, not about what is stored.
    pub content: bool,
    /// Whether it is about what another resource carries, such as the Binary of a DocumentReference: whose it is, is asked of that one, and
    /// decided here is only what is asked of the carried resource itself.
    pub carried: bool,
    /// What the rules have gathered.
    pub facts: &'f Facts,
}

impl Access<'_> {
    /// An interaction on a type, or on the whole system.
    pub fn new(interaction: Interaction, resource_type: Option<ResourceType>) -> Access<'static> {
        Access {
            interaction,
            resource_type,
            operation: None,
            affects_state: false,
            content: false,
            carried: false,
            facts: Facts::none(),
        }
    }

    /// An operation of that code on a type, a resource of it, or the whole system.
    pub fn of_operation(code: &'static str, resource_type: Option<ResourceType>) -> Access<'static> {
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

    /// The same, about the new content of a write.
    pub fn of_content(mut self) -> Self {
        self.content = true;
        self
    }

    /// The same, of what another resource carries.
    pub fn of_carried(mut self) -> Self {
        self.carried = true;
        self
    }

    /// The same, with what is known.
    pub fn with_facts(self, facts: &Facts) -> Access<'_> {
        Access {
            interaction: self.interaction,
            resource_type: self.resource_type,
            operation: self.operation,
            affects_state: self.affects_state,
            content: self.content,
            carried: self.carried,
            facts,
        }
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
        /// what of them is absent
        masks: Vec<Mask>,
        /// what has to be done for it
        obligations: Vec<Obligation>,
    },
}

impl Decision {
    /// Allowed, as far as the filter lets resources through, whole.
    pub fn permit(filter: Filter) -> Self {
        Decision::Permit {
            filter,
            masks: Vec::new(),
            obligations: Vec::new(),
        }
    }

    /// Not allowed, for that reason.
    pub fn deny(reason: impl Into<String>) -> Self {
        Decision::Deny {
            reason: reason.into(),
        }
    }

    /// The same, with one more obligation.
    #[must_use]
    pub fn with_obligation(mut self, obligation: Obligation) -> Self {
        if let Decision::Permit { obligations, .. } = &mut self {
            obligations.push(obligation);
        }
        self
    }

    /// The same, with one more mask.
    #[must_use]
    pub fn with_mask(mut self, mask: Mask) -> Self {
        if let Decision::Permit { masks, .. } = &mut self {
            masks.push(mask);
        }
        self
    }
}

/// What has to be done because something was permitted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Obligation {
    /// Whoever guards privacy is told: a relationship was claimed.
    ClaimedRelationship {
        /// the caller's own words
        reason: String,
    },
    /// Whoever guards privacy is told: more was opened in an emergency.
    BreakGlass {
        /// the caller's own words
        reason: String,
    },
}

/// One rule, or a chain of rules.
pub trait Policy: Send + Sync {
    /// Collects what the rule has to know of stored resources to decide. Default: nothing.
    ///
    /// # Errors
    /// It cannot be known; every decision of the request is a denial then.
    fn gather<'a>(
        &'a self,
        _context: &'a Context,
        _records: &'a dyn Records,
        _facts: &'a mut Facts,
    ) -> BoxFuture<'a, Result<()>> {
        ready(Ok(())).boxed()
    }

    /// Whether the rule opens a patient's record to that caller where they say that it is an emergency (`Context::break_glass`). The server
    /// then writes an alert, by which the rule knows of it. Default: no.
    fn opens_in_emergency(&self, _context: &Context) -> bool {
        false
    }

    /// Decides. An error counts as a denial.
    ///
    /// # Errors
    /// The rule cannot decide.
    fn decide(&self, context: &Context, access: &Access<'_>) -> Result<Decision>;
}

impl Policy for Arc<dyn Policy> {
    fn gather<'a>(
        &'a self,
        context: &'a Context,
        records: &'a dyn Records,
        facts: &'a mut Facts,
    ) -> BoxFuture<'a, Result<()>> {
        self.as_ref().gather(context, records, facts)
    }

    fn opens_in_emergency(&self, context: &Context) -> bool {
        self.as_ref().opens_in_emergency(context)
    }

    fn decide(&self, context: &Context, access: &Access<'_>) -> Result<Decision> {
        self.as_ref().decide(context, access)
    }
}
