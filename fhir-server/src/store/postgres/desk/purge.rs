//! Purging: all that there is of a resource goes, in a transaction that no other commit is part of.

use super::{Decided, Desk};
use crate::store::Outcome;
use crate::store::postgres::tenant;
use crate::store::sql::{self, Draft, RowKey};

impl<'j> Desk<'j> {
    pub(super) async fn purge(&mut self, key: &'j RowKey, earlier: &Draft) -> Decided<Outcome> {
        let Some((surrogate, versions)) = self.head(key).map(|head| (head.surrogate, head.version)) else {
            return Ok(Outcome::Purged { versions: 0 });
        };
        if self.undo.emptied.is_none() {
            self.save().await?;
        }
        let tenant = self.tenant;
        let contained: Vec<i64> = self.link.rows(sql::contained(tenant, surrogate)).await?;
        let surrogates = sql::purge::surrogates(surrogate, &contained);
        let mut terms: Vec<i64> = self.link.rows(sql::purge::terms_of(tenant, &surrogates)).await?;
        terms.extend(earlier.all_terms().filter_map(|term| self.ledger.known(term)));
        let rows = sql::purge::rows(sql::Dialect::Postgres, tenant, &surrogates);
        let versions_of = sql::purge::versions(tenant, surrogate);
        let gone = sql::purge::terms(tenant, &terms);
        for statement in rows.into_iter().chain(versions_of).chain(gone) {
            self.link.run(statement).await?;
        }
        self.heads.insert(key, None);
        let stamp = self.next_stamp();
        if key.defines().is_some() {
            self.epochs.purge(stamp);
            self.statements.push(sql::set_emptied(tenant, &self.epochs));
        }
        self.statements.push(tenant::forget_terms(tenant, stamp));
        Ok(Outcome::Purged { versions })
    }
}
