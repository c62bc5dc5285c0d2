//! [`Chain`]: several rules as one.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::compartment::Compartment;
use super::consent::ConsentRule;
use super::desk::Desk;
use super::emergency::{self, Emergency};
use super::label::Label;
use super::relationship::{self, Relationship};
use super::{Access, Decision, Facts, Policy, Records};
use crate::context::{Context, Principal};
use crate::error::Result;
use crate::store::Filter;

/// Several rules: all must permit, and their filters are ANDed. An empty chain denies.
#[derive(Default)]
pub struct Chain(pub Vec<Box<dyn Policy>>);

impl Chain {
    /// All rules that bind callers, with their defaults: the compartment of patients, the desk,
    /// relationships, consents and labels.
    pub fn standard() -> Self {
        Chain::of(relationship::Settings::default())
    }

    /// The same, where the caller without a token looks after every patient, and a researcher needs the patient's Consent alone: for the
    /// sandbox.
    pub fn sandbox() -> Self {
        Chain::of(relationship::Settings {
            look_after_everyone: vec![Principal::sandbox_clinician()],
            need_none: vec![("researcher".into(), "HRESCH".into())],
            ..relationship::Settings::default()
        })
    }

    fn of(relationships: relationship::Settings) -> Self {
        Chain::default()
            .with(Compartment)
            .with(Desk::default())
            .with(Relationship::new(relationships))
            .with(ConsentRule::default())
            .with(Label::default())
    }

    /// The same, where some may open records in an emergency: before all other rules, which look at what is open.
    #[must_use]
    pub fn opening_in_emergency(mut self, settings: emergency::Settings) -> Self {
        self.0.insert(0, Box::new(Emergency::new(settings)));
        self
    }

    /// The same, with one more rule.
    #[must_use]
    pub fn with(mut self, rule: impl Policy + 'static) -> Self {
        self.0.push(Box::new(rule));
        self
    }
}

impl Policy for Chain {
    fn gather<'a>(
        &'a self,
        context: &'a Context,
        records: &'a dyn Records,
        facts: &'a mut Facts,
    ) -> BoxFuture<'a, Result<()>> {
        async move {
            for rule in &self.0 {
                rule.gather(context, records, facts).await?;
            }
            Ok(())
        }
        .boxed()
    }

    fn opens_in_emergency(&self, context: &Context) -> bool {
        self.0.iter().any(|rule| rule.opens_in_emergency(context))
    }

    fn decide(&self, context: &Context, access: &Access<'_>) -> Result<Decision> {
        if self.0.is_empty() {
            return Ok(Decision::deny(
                "No policy is configured, so nothing is permitted.",
            ));
        }
        let (mut all, mut all_masks, mut all_obligations) = (Filter::All, Vec::new(), Vec::new());
        for rule in &self.0 {
            match rule.decide(context, access)? {
                Decision::Permit {
                    filter,
                    mut masks,
                    mut obligations,
                } => {
                    all = all.and(filter);
                    all_masks.append(&mut masks);
                    all_obligations.append(&mut obligations);
                }
                deny => return Ok(deny),
            }
        }
        Ok(Decision::Permit {
            filter: all,
            masks: all_masks,
            obligations: all_obligations,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::PermitAll;
    use super::*;
    use crate::interaction::Interaction;

    /// Permits those ids, or denies where there are none.
    struct Ids(&'static [&'static str]);

    impl Policy for Ids {
        fn decide(&self, _: &Context, _: &Access<'_>) -> Result<Decision> {
            match self.0 {
                [] => Ok(Decision::deny("none")),
                ids => Ok(Decision::permit(ids_filter(ids))),
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
            Decision::Permit { filter, .. } => Some(filter),
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
