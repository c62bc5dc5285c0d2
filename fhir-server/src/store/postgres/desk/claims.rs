//! Claims at the desk: rows that only one can hold.

use super::{ClaimKey, Desk};
use crate::context::Millis;
use crate::store::{Claim, Outcome, sql};

impl<'j> Desk<'j> {
    /// Whether somebody holds it, with what was decided so far.
    pub(super) fn is_claimed(&self, claim: ClaimKey<'_>) -> bool {
        let lasts = |expires: &Option<Millis>| expires.is_none_or(|at| at > self.now);
        self.claims.get(&claim).is_some_and(lasts)
    }

    /// `None` where another holds it; `before` are the outcomes of the writes before it.
    pub(super) fn claim(&mut self, claim: &'j Claim, before: &[Outcome]) -> Option<Outcome> {
        let key = (claim.kind, &claim.key);
        if self.is_claimed(key) {
            return None;
        }
        if self.claims.contains_key(&key) {
            self.statements
                .push(sql::delete_expired(self.tenant, claim, self.now));
        }
        self.sweeps |= claim.expires.is_some();
        let payload = claim.stored(before);
        self.statements
            .push(sql::insert_claim(self.tenant, claim, payload));
        // A claim that gives way so counts as held until this transaction ends: whoever asks for it is refused and tries again.
        let forget = |owner| sql::forget_older(self.tenant, claim.kind, owner);
        self.statements.extend(claim.owner.as_ref().map(forget));
        let held_before = self.claims.insert(key, claim.expires);
        self.undo.claims.push((key, held_before));
        Some(Outcome::Claimed)
    }
}
