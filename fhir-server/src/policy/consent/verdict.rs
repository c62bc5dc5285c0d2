//! From directives to what of one patient's record is hidden, by the precedence of rules:
//!
//! 1. what is not understood at all is denied;
//! 2. the rule about the most specific data wins: a resource > what is linked to one or by an author > a code > a class > a label > a period
//!    of the data > the whole record; then the one that names the caller most exactly: a person > a role, team or group > an organisation >
//!    anyone;
//! 3. of equal rules, within a Consent or of several, a denial wins over a permission, whichever is newer;
//! 4. what no rule decides is left to the implicit policy.
//!
//! Within a Consent a nested provision is an exception to the one around it: that one does not speak of what the exception does.

use super::asker::{Asker, Named, denies};
use super::condition::{self, About};
use super::directive::{Directive, Provision, Verdict};
use crate::error::Result;
use crate::store::{Filter, Key};

/// A rule that concerns the request.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    /// How specific it is.
    pub(crate) level: (About, Named),
    /// What it says.
    pub(crate) verdict: Verdict,
    /// Of which data.
    pub(crate) region: Filter,
    /// By which Consent.
    pub(crate) consent: Key,
    /// By which of its provisions.
    pub(crate) at: String,
}

/// The rules of a directive that concern the request. `Err` is a Consent that denies all.
pub(crate) fn rules(directive: &Directive, asker: &Asker<'_>) -> Result<Vec<Rule>> {
    let mut rules = Vec::new();
    if directive.opaque.is_some() {
        rules.push(Rule {
            level: (About::Instance, Named::Person),
            verdict: Verdict::Deny,
            region: Filter::All,
            consent: directive.key.clone(),
            at: "Consent".into(),
        });
        return Ok(rules);
    }
    if asker.is_for_any(&directive.about, true) {
        let around = Around {
            directive,
            asker,
            level: Default::default(),
            region: Filter::All,
        };
        around.collect(&directive.root, &mut rules)?;
    }
    Ok(rules)
}

/// What the provisions around one say.
struct Around<'d> {
    directive: &'d Directive,
    asker: &'d Asker<'d>,
    level: (About, Named),
    region: Filter,
}

impl Around<'_> {
    /// Appends the rules of a provision and its exceptions; gives the data that it is about.
    fn collect(&self, provision: &Provision, rules: &mut Vec<Rule>) -> Result<Filter> {
        let denying = denies(provision.verdict);
        let Some(named) = self.asker.concerns(provision, denying) else {
            return Ok(Filter::None);
        };
        let own = condition::filter(provision, denying)?;
        let inner = Around {
            directive: self.directive,
            asker: self.asker,
            level: (
                self.level.0.max(condition::about(provision)),
                self.level.1.max(named),
            ),
            region: self.region.clone().and(own.clone()),
        };
        let mut except = Filter::None;
        for exception in &provision.exceptions {
            except = except.or(inner.collect(exception, rules)?);
        }
        if let Some(verdict) = provision.verdict {
            let region = inner.region.and(except.not());
            if region != Filter::None {
                rules.push(Rule {
                    level: inner.level,
                    verdict,
                    region,
                    consent: self.directive.key.clone(),
                    at: provision.at.clone(),
                });
            }
        }
        Ok(own)
    }
}

/// What of a patient's record the rules hide; `implicit` is what they leave to the implicit policy and that hides.
pub(crate) fn hidden(mut rules: Vec<Rule>, implicit: Filter) -> Filter {
    rules.sort_by_key(|rule| rule.level);
    let mut hidden = implicit;
    for same in rules.chunk_by(|a, b| a.level == b.level) {
        let of = |verdict| {
            let those = same.iter().filter(|rule| rule.verdict == verdict);
            those.fold(Filter::None, |any, rule| any.or(rule.region.clone()))
        };
        hidden = of(Verdict::Deny).or(of(Verdict::Permit).not().and(hidden));
    }
    hidden
}
