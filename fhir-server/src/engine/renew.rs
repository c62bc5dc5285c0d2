//! Renewing a tenant: a session that sees nothing of what is stored, and whose commit empties the tenant before it writes.
//!
//! Invariant: of a renewal everything is done or nothing, in one commit: whoever reads meanwhile sees the tenant as it was, then as it is.

use super::Session;
use crate::context::TenantId;
use crate::store::{AuditEntry, Commit, Outcome, Write};

/// A tenant that never holds anything: none can be configured with that number.
const NOBODY: TenantId = TenantId(0);

/// Claims that stay: a token that was used or revoked stays so.
const KEPT: &[&str] = &["authority-used", "authority-revoked"];

/// A renewal that is under way.
pub(super) struct Renewal {
    /// What the trail is told of it.
    told: Option<AuditEntry>,
}

impl Session {
    /// From now on until its next commit the session sees an empty tenant; that commit makes it one, then writes what is staged, and tells
    /// the trail.
    pub(crate) fn renew(&mut self, told: Option<AuditEntry>) {
        self.drop_snapshot();
        self.renewal = Some(Renewal { told });
    }

    /// How many resources the last renewal took away.
    pub(crate) fn took_away(&self) -> Option<i64> {
        self.took_away
    }

    /// Whose data the session sees.
    pub(super) fn sees(&self) -> TenantId {
        match self.renewal {
            Some(_) => NOBODY,
            None => self.context.tenant,
        }
    }

    /// Makes the commit that of a renewal, if there is one. What it was prepared against is an empty tenant, which it makes itself: no
    /// condition on what is there before is left.
    pub(super) fn renewing(&self, commit: &mut Commit) {
        let Some(renewal) = &self.renewal else { return };
        commit.expects.clear();
        commit.writes.insert(0, Write::Empty { keep: KEPT });
        commit.writes.extend(renewal.told.clone().map(Write::Audit));
    }

    /// The commit went through: what it did but for the emptying.
    pub(super) fn renewed(&mut self, mut outcomes: Vec<Outcome>) -> Vec<Outcome> {
        if self.renewal.take().is_some() && !outcomes.is_empty() {
            if let Outcome::Emptied { resources } = outcomes.remove(0) {
                self.took_away = Some(resources);
            }
            // Whoever indexes for search parameters looks again at those that there are.
            self.engine.stored_definition.notify_one();
        }
        outcomes
    }
}
