//! Which provisions concern a question, for who has to answer why something is seen or not.

use super::super::Facts;
use super::super::identity::Identity;
use super::asker::Asker;
use super::directive::Verdict;
use super::known::Known;
use super::purpose;
use super::verdict;
use crate::context::Context;
use crate::error::Result;
use crate::store::{Filter, Key};

/// A provision that concerns the question, with the data that it speaks of.
#[derive(Clone, Debug)]
pub(crate) struct Saying {
    /// By which Consent.
    pub(crate) consent: Key,
    /// By which of its provisions: a FHIRPath.
    pub(crate) at: String,
    /// Whether it denies.
    pub(crate) denies: bool,
    /// Of which data.
    pub(crate) region: Filter,
}

/// What the patient's consents say to the caller of the context: those that outweigh others first, of equal ones denials first.
pub(crate) fn sayings(context: &Context, facts: &Facts, patient: &str) -> Result<Vec<Saying>> {
    // Where no rule goes by consents, none says anything.
    let (Some(known), Some(identity)) = (facts.get::<Known>(), facts.get::<Identity>()) else {
        return Ok(Vec::new());
    };
    let asker = Asker {
        identity,
        roles: &context.principal.roles,
        purpose: purpose(context).unwrap_or_default(),
        now: context.clock.now().0,
    };
    let mut rules = Vec::new();
    for directive in known.of_patient.get(patient).into_iter().flatten() {
        rules.append(&mut verdict::rules(directive, &asker)?);
    }
    rules.sort_by_key(|rule| std::cmp::Reverse((rule.level, rule.verdict == Verdict::Deny)));
    let saying = |rule: verdict::Rule| Saying {
        consent: rule.consent,
        at: rule.at,
        denies: rule.verdict == Verdict::Deny,
        region: rule.region,
    };
    Ok(rules.into_iter().map(saying).collect())
}
