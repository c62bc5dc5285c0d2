//! Verification of the audit trail: reads every seal and every row, and says where they do not belong together.

use super::chain::{self, BEGINNING, Hash};
use super::record::Record;
use crate::context::TenantId;
use crate::error::Result;
use crate::store::{AuditQuery, AuditRow, AuditSeal, AuditTest, Snapshot, Store};

/// Seals that are read at once.
const SEALS: usize = 256;
/// Findings of one tenant that are told; what is wrong is wrong by the first.
const MOST: usize = 100;

/// What the trail of one tenant turned out to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// Whose trail.
    pub tenant: i64,
    /// Rows under a seal that is right.
    pub sealed: u64,
    /// Seals that are right.
    pub seals: u64,
    /// Rows after the last seal: nothing vouches for them yet.
    pub unsealed: u64,
    /// The last seal's number and head, as hexadecimal digits.
    pub head: Option<(i64, String)>,
    /// What is wrong, in words.
    pub findings: Vec<String>,
}

/// Verifies the trails of all tenants against their seals, and those against heads that were exported: tenant, number and head
/// in hexadecimal digits.
///
/// # Errors
/// The store failed.
pub async fn verify(store: &dyn Store, exported: &[(i64, i64, String)]) -> Result<Vec<Verified>> {
    let mut tenants = store.audited().await?;
    // A trail that is gone altogether is told by its exported heads.
    tenants.extend(exported.iter().map(|(tenant, ..)| TenantId(*tenant)));
    tenants.sort();
    tenants.dedup();
    let mut all = Vec::new();
    for tenant in tenants {
        let snapshot = store.snapshot(tenant).await?;
        let of_tenant = exported.iter().filter(|(t, ..)| *t == tenant.0);
        let heads: Vec<(i64, &str)> = of_tenant.map(|(_, n, head)| (*n, head.as_str())).collect();
        let mut trail = Trail {
            tenant,
            snapshot: snapshot.as_ref(),
            verified: Verified {
                tenant: tenant.0,
                ..Verified::default()
            },
        };
        trail.verify(&heads).await?;
        all.push(trail.verified);
    }
    Ok(all)
}

struct Trail<'s> {
    tenant: TenantId,
    snapshot: &'s dyn Snapshot,
    verified: Verified,
}

impl Trail<'_> {
    fn wrong(&mut self, text: String) {
        if self.verified.findings.len() < MOST {
            self.verified.findings.push(text);
        }
    }

    async fn verify(&mut self, exported: &[(i64, &str)]) -> Result<()> {
        let (mut before, mut number, mut end) = (BEGINNING, 0, -1);
        loop {
            let seals = self.snapshot.audit_seals(Some(number + 1), SEALS).await?;
            if seals.is_empty() {
                break;
            }
            for seal in &seals {
                self.seal(seal, (number, end, before)).await?;
                self.against_exported(seal, exported);
                (number, end, before) = (seal.number, seal.last.max(end), seal.head);
            }
        }
        if number > 0 {
            self.verified.head = Some((number, hexadecimal(&before)));
        }
        for (exported, _) in exported.iter().filter(|(exported, _)| *exported > number) {
            self.wrong(format!(
                "seal {exported} was exported and is not there: the trail was cut off after seal {number}"
            ));
        }
        let mut from = end + 1;
        loop {
            let page = self.page(from, i64::MAX).await?;
            let Some(last) = page.last().map(|row| row.stamp) else {
                return Ok(());
            };
            self.verified.unsealed += page.len() as u64;
            self.columns(&page).await?;
            from = last.saturating_add(1);
        }
    }

    /// One seal, after the one with that number, end and head.
    async fn seal(&mut self, seal: &AuditSeal, (number, end, before): (i64, i64, Hash)) -> Result<()> {
        let mut good = true;
        if seal.number != number + 1 {
            self.wrong(format!(
                "seal {} follows seal {number}: those between are gone",
                seal.number
            ));
            good = false;
        }
        if chain::head(self.tenant, seal, &before) != seal.head {
            self.wrong(format!(
                "seal {} does not follow from the one before it: one of them was changed",
                seal.number
            ));
            good = false;
        }
        let between = self.rows(end + 1, seal.first - 1).await?;
        for row in &between {
            self.wrong(format!(
                "row {} was put in before seal {}",
                row.stamp, seal.number
            ));
            good = false;
        }
        let rows = self.rows(seal.first, seal.last).await?;
        let leaves = rows.iter().map(|row| chain::leaf(self.tenant, row)).collect();
        let count = i64::try_from(rows.len()).unwrap_or(i64::MAX);
        if count != seal.count {
            self.wrong(format!(
                "seal {} is over {} rows from {} to {}, and {count} are there",
                seal.number, seal.count, seal.first, seal.last
            ));
            good = false;
        } else if chain::root(leaves) != seal.root {
            self.wrong(format!(
                "a row from {} to {} was changed after seal {} was set",
                seal.first, seal.last, seal.number
            ));
            good = false;
        }
        self.columns(&rows).await?;
        if good {
            self.verified.seals += 1;
            self.verified.sealed += rows.len() as u64;
        }
        Ok(())
    }

    fn against_exported(&mut self, seal: &AuditSeal, exported: &[(i64, &str)]) {
        let head = hexadecimal(&seal.head);
        let other = exported
            .iter()
            .any(|(number, known)| *number == seal.number && !known.eq_ignore_ascii_case(&head));
        if other {
            self.wrong(format!(
                "the head of seal {} is not the one that was exported: the trail was made anew",
                seal.number
            ));
        }
    }

    /// The patients' lists must say what the rows say.
    async fn columns(&mut self, rows: &[AuditRow]) -> Result<()> {
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
            return Ok(());
        };
        let listed = self.snapshot.audit_patients(first.stamp, last.stamp).await?;
        let mut told: Vec<(i64, String)> = Vec::new();
        for row in rows {
            match serde_json::from_slice::<Record>(&row.entry.record) {
                Ok(record) => told.extend(record.patients.into_iter().map(|id| (row.stamp, id))),
                Err(_) => self.wrong(format!("row {} cannot be read", row.stamp)),
            }
        }
        let sorted = |mut all: Vec<(i64, String)>| {
            all.sort();
            all
        };
        if sorted(listed) != sorted(told) {
            self.wrong(format!(
                "the lists of patients' rows from {} to {} do not say what the rows say",
                first.stamp, last.stamp
            ));
        }
        Ok(())
    }

    /// The rows between two stamps. A seal is over no more than a batch of them; of what is more, a part tells that it is wrong.
    async fn rows(&self, first: i64, last: i64) -> Result<Vec<AuditRow>> {
        match first <= last {
            true => self.page(first, last).await,
            false => Ok(Vec::new()),
        }
    }

    async fn page(&self, first: i64, last: i64) -> Result<Vec<AuditRow>> {
        let mut query = AuditQuery::new(vec![AuditTest::Between(first, last)], chain::BATCH + 1);
        query.oldest_first = true;
        self.snapshot.audit(&query).await
    }
}

/// Bytes as hexadecimal digits.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            for digit in [byte >> 4, byte & 15] {
                text.extend(char::from_digit(digit.into(), 16));
            }
            text
        })
}
