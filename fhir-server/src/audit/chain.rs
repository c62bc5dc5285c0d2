//! The hash chain over the audit trail.
//!
//! Rows are sealed in batches: a Merkle tree over the rows of a batch, and a head that holds the batch's root and the head before it.
//! Who changes, removes, adds or swaps a row changes the root of its batch; who makes all seals anew changes the last head, which is
//! why heads are exported. Row and node hashes begin with different bytes, so that no node can pass for a row.

use sha2::{Digest, Sha256};

use crate::context::TenantId;
use crate::store::{AuditRow, AuditSeal};

/// A SHA-256.
pub(crate) type Hash = [u8; 32];

/// Rows under one seal, at most.
pub(crate) const BATCH: usize = 4096;

/// What stands before the first seal.
pub(crate) const BEGINNING: Hash = [0; 32];

/// The hash of a row.
pub(crate) fn leaf(tenant: TenantId, row: &AuditRow) -> Hash {
    let entry = &row.entry;
    let mut hash = Sha256::new();
    hash.update([0]);
    hash.update(tenant.0.to_be_bytes());
    hash.update(row.stamp.to_be_bytes());
    for number in [entry.action as i16, entry.outcome, entry.interaction] {
        hash.update(number.to_be_bytes());
    }
    let type_name = entry.resource_type.map_or("", |t| t.name());
    let id = entry.id.as_deref().unwrap_or_default();
    for part in [
        type_name.as_bytes(),
        id.as_bytes(),
        entry.actor.as_bytes(),
        &entry.record,
    ] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// The root over those leaves; one that has no partner moves up as it is.
pub(crate) fn root(mut level: Vec<Hash>) -> Hash {
    if level.is_empty() {
        return BEGINNING;
    }
    while level.len() > 1 {
        level = level.chunks(2).map(parent).collect();
    }
    level.first().copied().unwrap_or(BEGINNING)
}

fn parent(pair: &[Hash]) -> Hash {
    match pair {
        [left, right] => {
            let mut hash = Sha256::new();
            hash.update([1]);
            hash.update(left);
            hash.update(right);
            hash.finalize().into()
        }
        [alone] => *alone,
        _ => BEGINNING,
    }
}

/// The head of a seal: all that it says, and the head before it.
pub(crate) fn head(tenant: TenantId, seal: &AuditSeal, before: &Hash) -> Hash {
    let mut hash = Sha256::new();
    hash.update([2]);
    for number in [tenant.0, seal.number, seal.first, seal.last, seal.count] {
        hash.update(number.to_be_bytes());
    }
    hash.update(seal.root);
    hash.update(before);
    hash.finalize().into()
}

/// The seal over those rows, which are in order, after the last one; `None` where there are none.
pub(crate) fn seal(tenant: TenantId, last: Option<&AuditSeal>, rows: &[AuditRow]) -> Option<AuditSeal> {
    let (first, end) = (rows.first()?, rows.last()?);
    let mut seal = AuditSeal {
        number: last.map_or(1, |last| last.number + 1),
        first: first.stamp,
        last: end.stamp,
        count: i64::try_from(rows.len()).unwrap_or(i64::MAX),
        root: root(rows.iter().map(|row| leaf(tenant, row)).collect()),
        head: BEGINNING,
    };
    seal.head = head(tenant, &seal, &last.map_or(BEGINNING, |last| last.head));
    Some(seal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_tells_numbers_and_order_of_leaves_apart() {
        let leaf = |n: u8| [n; 32];
        let all: Vec<Vec<Hash>> = vec![
            vec![],
            vec![leaf(1)],
            vec![leaf(1), leaf(2)],
            vec![leaf(2), leaf(1)],
            vec![leaf(1), leaf(2), leaf(3)],
            vec![leaf(1), leaf(2), leaf(3), leaf(3)],
            vec![parent(&[leaf(1), leaf(2)]), leaf(3), leaf(4)],
        ];
        let roots: std::collections::HashSet<Hash> = all.iter().cloned().map(root).collect();
        assert_eq!(roots.len(), all.len());
    }
}
