//! Why somebody may see something, or not: the decision that the policy would make for them, and which provision of a Consent decides.
//!
//! Invariant: nothing of the resource itself is told, only whether it would be shown.
//! Invariant: what its labels hide from who asks is told of like what does not exist, and a Consent that they hide is not named.

use super::Session;
use super::facts::{Lookup, undecided};
use crate::context::Context;
use crate::error::{Error, ErrorCode, Result};
use crate::interaction::Interaction;
use crate::policy::consent::{self, Saying};
use crate::policy::patients::of_any;
use crate::policy::{Access, Decision, Facts, label};
use crate::store::{Filter, Key, ResourceType, SearchQuery};

/// What is asked about.
pub(crate) enum Subject {
    /// One resource.
    Resource(Key),
    /// All of the patient's data of a type.
    Type(ResourceType),
}

/// The answer.
pub(crate) struct Checked {
    /// Whether the data would be shown: all of it, none of it, or some.
    pub(crate) shown: Shown,
    /// The provision that decides, unless its Consent is hidden from who asks.
    pub(crate) saying: Option<Saying>,
}

/// How much would be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    All,
    Some,
    None,
}

impl Session {
    /// Decides as if the caller of that context asked to read.
    ///
    /// # Errors
    /// The store failed, or the policy cannot decide.
    pub(crate) async fn check_for(
        &self,
        actor: &Context,
        patient: &str,
        subject: &Subject,
    ) -> Result<Checked> {
        let (resource_type, which) = match subject {
            Subject::Resource(key) => (key.resource_type, Filter::Resource(key.clone())),
            Subject::Type(resource_type) => (*resource_type, Filter::Types(vec![*resource_type])),
        };
        self.prepare().await?;
        let own = self
            .facts()
            .ok_or_else(|| undecided("the policy has not gathered its facts"))?;
        let unsealed = label::sealed(&own).not();
        let which = which.and(of_any(vec![patient.to_owned()])).and(unsealed.clone());
        let mut facts = Facts::default();
        let lookup = Lookup(self);
        self.engine.policy.gather(actor, &lookup, &mut facts).await?;
        let access = Access::new(Interaction::Read, Some(resource_type));
        let seen = match self.engine.policy.decide(actor, &access.with_facts(&facts)) {
            Ok(Decision::Permit { filter, .. }) => filter,
            Ok(_) => Filter::None,
            Err(cause) => return Err(undecided(cause)),
        };
        if !self.any(resource_type, which.clone()).await? {
            let text =
                "The patient has no such data: name a resource of hers, or a type of which she has any.";
            return Err(Error::new(ErrorCode::NotFound, text));
        }
        let some_shown = self.any(resource_type, which.clone().and(seen.clone())).await?;
        let some_hidden = self.any(resource_type, which.clone().and(seen.not())).await?;
        let shown = match (some_shown, some_hidden) {
            (true, false) => Shown::All,
            (true, true) => Shown::Some,
            (false, _) => Shown::None,
        };
        let mut deciding = None;
        for saying in consent::sayings(actor, &facts, patient)? {
            let speaks = self
                .any(resource_type, which.clone().and(saying.region.clone()))
                .await?;
            if speaks && (shown != Shown::Some || saying.denies) {
                let of = saying.consent.resource_type;
                let consent = Filter::Resource(saying.consent.clone()).and(unsealed);
                deciding = self.any(of, consent).await?.then_some(saying);
                break;
            }
        }
        Ok(Checked {
            shown,
            saying: deciding,
        })
    }

    async fn any(&self, resource_type: ResourceType, filter: Filter) -> Result<bool> {
        let query = SearchQuery::new(Some(resource_type), filter, 1);
        Ok(!self.snapshot().await?.search(&query).await?.is_empty())
    }
}
