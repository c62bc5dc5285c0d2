//! Emptying a tenant: as purging, a write that goes out before the rest of its commit is decided, behind a savepoint.

use std::collections::HashMap;

use diesel::result::Error as Diesel;

use super::{ClaimKey, Decided, Desk};
use crate::context::Millis;
use crate::store::Outcome;
use crate::store::postgres::head::Head;
use crate::store::sql::{self, RowKey, Rows};

/// What was known of the tenant before.
pub(super) struct Before<'j> {
    heads: HashMap<&'j RowKey, Option<Head<'j>>>,
    claims: HashMap<ClaimKey<'j>, Option<Millis>>,
    rows: HashMap<i64, Rows>,
}

impl<'j> Desk<'j> {
    pub(super) async fn empty(&mut self, keep: &'j [&'static str]) -> Decided<Outcome> {
        self.save().await?;
        self.heads.clear();
        self.claims.retain(|(kind, _), _| keep.contains(kind));
        let resources: Option<i64> = self.link.first(sql::resources(self.tenant)).await?;
        for statement in sql::empty(sql::Dialect::Postgres, self.tenant, keep) {
            self.link.run(statement).await?;
        }
        let stamp = self.next_stamp();
        self.epochs.empty(stamp);
        self.statements.extend(sql::set_epochs(self.tenant, &self.epochs));
        Ok(Outcome::Emptied {
            resources: resources.unwrap_or_default(),
        })
    }

    /// Sends what was decided before, and sets the savepoint that what takes away for good goes back to if its commit is refused.
    pub(super) async fn save(&mut self) -> Result<(), Diesel> {
        self.send().await?;
        self.sent();
        self.link.batch("SAVEPOINT emptied").await?;
        self.wrote = true;
        self.undo.emptied = Some(Before {
            heads: self.heads.clone(),
            claims: self.claims.clone(),
            rows: self.ledger.forget(),
        });
        Ok(())
    }

    /// The commit that took away for good is refused: all is as it was before.
    pub(super) async fn bring_back(&mut self, before: Before<'j>) -> Result<(), Diesel> {
        self.heads = before.heads;
        self.claims = before.claims;
        self.ledger.remember(before.rows);
        self.link.batch("ROLLBACK TO SAVEPOINT emptied").await
    }
}
