//! What a commit keeps besides resources: rows and seals of the audit trail, and claims; and what it takes away for good.

use super::{Applied, Desk};
use crate::context::TenantId;
use crate::store::sql::{self, CurrentRow, Draft, RowKey};
use crate::store::sqlite::failure::{self, Class};
use crate::store::{AuditEntry, AuditLists, AuditSeal, Claim, Outcome};

impl Desk<'_> {
    pub(super) fn empty(&mut self, tenant: TenantId, keep: &[&str]) -> Applied<Outcome> {
        let resources: Option<i64> = self.link.first(sql::resources(tenant))?;
        for statement in sql::empty(sql::Dialect::Sqlite, tenant, keep) {
            self.link.run(statement)?;
        }
        let stamp = self.stamps.next(self.clock);
        self.epochs.emptied(self.link, tenant, stamp)?;
        Ok(Outcome::Emptied {
            resources: resources.unwrap_or_default(),
        })
    }

    pub(super) fn purge(&mut self, tenant: TenantId, key: &RowKey, earlier: &Draft) -> Applied<Outcome> {
        let current: Option<CurrentRow> = self.link.first(sql::current(tenant, key))?;
        let Some((surrogate, versions, ..)) = current else {
            return Ok(Outcome::Purged { versions: 0 });
        };
        let contained: Vec<i64> = self.link.rows(sql::contained(tenant, surrogate))?;
        let surrogates = sql::purge::surrogates(surrogate, &contained);
        let mut terms: Vec<i64> = self.link.rows(sql::purge::terms_of(tenant, &surrogates))?;
        for term in earlier.all_terms() {
            terms.extend(self.terms.find(self.link, tenant, term)?);
        }
        let rows = sql::purge::rows(sql::Dialect::Sqlite, tenant, &surrogates);
        let versions_of = sql::purge::versions(tenant, surrogate);
        let gone = sql::purge::terms(tenant, &terms);
        for statement in rows.into_iter().chain(versions_of).chain(gone) {
            self.link.run(statement)?;
        }
        self.terms.forget();
        let stamp = self.stamps.next(self.clock);
        if key.defines().is_some() {
            self.epochs.purged(self.link, tenant, stamp)?;
        }
        Ok(Outcome::Purged { versions })
    }

    pub(super) fn audit(&mut self, tenant: TenantId, entry: &AuditEntry) -> Applied<Outcome> {
        let stamp = self.stamps.next(self.clock);
        self.link.run(sql::audit::insert(tenant, stamp, entry))?;
        if !entry.patients.is_empty() {
            self.link
                .run(sql::audit::insert_waiting(tenant, stamp, &entry.patients))?;
        }
        Ok(Outcome::Recorded)
    }

    pub(super) fn list(&mut self, tenant: TenantId, lists: &AuditLists) -> Applied<Outcome> {
        for (stamp, patient) in &lists.places {
            self.link
                .run(sql::audit::insert_patient(tenant, *stamp, patient))?;
        }
        for stamp in &lists.listed {
            self.link.run(sql::audit::delete_waiting(tenant, *stamp))?;
        }
        Ok(Outcome::Recorded)
    }

    /// `None` where its number does not follow the last one's.
    pub(super) fn seal(&mut self, tenant: TenantId, seal: &AuditSeal) -> Applied<Option<Outcome>> {
        let last: Option<sql::audit::SealRow> = self.link.first(sql::audit::last_seal(tenant))?;
        if seal.number != last.map_or(1, |(number, ..)| number + 1) {
            return Ok(None);
        }
        self.link.run(sql::audit::insert_seal(tenant, seal))?;
        Ok(Some(Outcome::Recorded))
    }

    /// `None` where another holds it.
    pub(super) fn claim(
        &mut self,
        tenant: TenantId,
        claim: &Claim,
        before: &[Outcome],
    ) -> Applied<Option<Outcome>> {
        let now = self.clock.now();
        if claim.expires.is_some() {
            self.link.run(sql::delete_expired(tenant, claim, now))?;
            self.link.run(sql::sweep_claims(tenant, now))?;
        }
        match self
            .link
            .run(sql::insert_claim(tenant, claim, claim.stored(before)))
        {
            Ok(_) => {}
            Err(e) if failure::class(&e) == Class::Unique => return Ok(None),
            Err(e) => return Err(e.into()),
        }
        if let Some(owner) = &claim.owner {
            self.link.run(sql::forget_older(tenant, claim.kind, owner))?;
        }
        Ok(Some(Outcome::Claimed))
    }
}
