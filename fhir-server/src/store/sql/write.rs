//! The statements that write, all of one row and of one fixed text.

use std::collections::HashSet;

use diesel::sql_types::{BigInt, Binary, Nullable, SmallInt};

use super::filter;
use super::list::Lists;
use super::row::{DELETED, change_number, form_number};
use super::statement::{Bind, Statement};
use crate::context::{Millis, TenantId};
use crate::error::Result;
use crate::store::encoding::Packed;
use crate::store::{Change, Claim, Epochs, Filter, Key, Owner, ResourceType, StampForm, id};

/// A key as it lies in rows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct RowKey {
    /// The type's number.
    pub(crate) resource_type: i16,
    /// The packed id.
    pub(crate) id: Vec<u8>,
}

impl RowKey {
    /// The type, if it is one of definitions.
    pub(crate) fn defines(&self) -> Option<ResourceType> {
        ResourceType::from_number(self.resource_type).filter(|of| Epochs::is_kept(*of))
    }
}

impl From<&Key> for RowKey {
    fn from(key: &Key) -> Self {
        RowKey {
            resource_type: key.resource_type.number(),
            id: id::pack(&key.id),
        }
    }
}

/// A body ready for its row.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// The packed content.
    pub(crate) packed: Packed,
    /// Where the stamp goes.
    pub(crate) stamp_at: u32,
    /// What surrounds it there.
    pub(crate) stamp_form: StampForm,
}

/// The types of [`CurrentRow`].
pub(crate) type CurrentSql = (
    BigInt,
    BigInt,
    BigInt,
    SmallInt,
    SmallInt,
    BigInt,
    SmallInt,
    Nullable<Binary>,
);
/// The current row of a key: surrogate, version, stamp, change, encoding, stamp_at, stamp_form, body.
pub(crate) type CurrentRow = (i64, i64, i64, i16, i16, i64, i16, Option<Vec<u8>>);

fn key_binds<'a>(tenant: TenantId, key: &'a RowKey) -> [Bind<'a>; 3] {
    [
        Bind::Big(tenant.0),
        Bind::Small(key.resource_type),
        Bind::Bytes(&key.id),
    ]
}

/// The current row of a key.
pub(crate) fn current<'a>(tenant: TenantId, key: &'a RowKey) -> Statement<'a, CurrentSql> {
    Statement::new(
        "SELECT r.surrogate, r.version, r.stamp, r.change, r.encoding, r.stamp_at, r.stamp_form, r.body\
         \x20FROM resource r WHERE r.tenant = ? AND r.type = ? AND r.id = ?",
        key_binds(tenant, key),
    )
}

/// The current version of a key that the filter lets through and that is no deletion.
pub(crate) fn visible<'a>(scope: Lists, key: &'a RowKey, seen: &'a Filter) -> Result<Statement<'a, BigInt>> {
    let mut out = Statement::new(
        "SELECT r.version FROM resource r WHERE r.tenant = ? AND r.type = ? AND r.id = ?",
        key_binds(scope.tenant, key),
    );
    out.push(" AND r.change < ? AND ", [Bind::Small(DELETED)]);
    filter::push(&mut out, scope, seen)?;
    Ok(out)
}

/// Whether those packed ids are just these.
pub(crate) fn same_ids(found: &[Vec<u8>], ids: &[String]) -> bool {
    let found: HashSet<&[u8]> = found.iter().map(Vec::as_slice).collect();
    let wanted: HashSet<Vec<u8>> = ids.iter().map(|id| id::pack(id)).collect();
    found.len() == wanted.len() && wanted.iter().all(|id| found.contains(id.as_slice()))
}

/// A first version.
pub(crate) fn insert<'a>(tenant: TenantId, key: &'a RowKey, stamp: i64, row: &'a Row) -> Statement<'a> {
    let [tenant, resource_type, id] = key_binds(tenant, key);
    Statement::new(
        "INSERT INTO resource (surrogate, tenant, type, id, version, stamp, change, encoding, stamp_at,\
         \x20stamp_form, body) VALUES (?, ?, ?, ?, 1, ?, 0, ?, ?, ?, ?)",
        [
            Bind::Big(stamp),
            tenant,
            resource_type,
            id,
            Bind::Big(stamp),
            Bind::Small(row.packed.encoding),
            Bind::Big(row.stamp_at.into()),
            Bind::Small(form_number(row.stamp_form)),
            Bind::Bytes(&row.packed.bytes),
        ],
    )
}

/// Copies the current row to the earlier ones, as followed by that stamp.
pub(crate) fn keep(tenant: TenantId, surrogate: i64, until: i64) -> Statement<'static> {
    Statement::new(
        "INSERT INTO history (stamp, tenant, bucket, type, resource, version, until, change, encoding, stamp_at,\
         \x20stamp_form, body) SELECT r.stamp, r.tenant, r.bucket, r.type, r.surrogate, r.version, ?, r.change,\
         \x20r.encoding, r.stamp_at, r.stamp_form, r.body FROM resource r WHERE r.tenant = ? AND r.surrogate = ?",
        [Bind::Big(until), Bind::Big(tenant.0), Bind::Big(surrogate)],
    )
}

/// Puts the next version into the current row; no row is a deletion.
pub(crate) fn replace<'a>(
    tenant: TenantId,
    surrogate: i64,
    next: (i64, i64, Change),
    row: Option<&'a Row>,
) -> Statement<'a> {
    let (version, stamp, change) = next;
    Statement::new(
        "UPDATE resource SET version = ?, stamp = ?, change = ?, encoding = ?, stamp_at = ?, stamp_form = ?, body = ?\
         \x20WHERE tenant = ? AND surrogate = ?",
        [
            Bind::Big(version),
            Bind::Big(stamp),
            Bind::Small(change_number(change)),
            Bind::Small(row.map_or(0, |r| r.packed.encoding)),
            Bind::Big(row.map_or(0, |r| r.stamp_at.into())),
            Bind::Small(row.map_or(0, |r| form_number(r.stamp_form))),
            Bind::MaybeBytes(row.map(|r| r.packed.bytes.as_slice())),
            Bind::Big(tenant.0),
            Bind::Big(surrogate),
        ],
    )
}

/// 1 where the claim stands and has not run out.
#[cfg(feature = "sqlite")]
pub(crate) fn claimed<'a>(
    tenant: TenantId,
    kind: &'a str,
    key: &'a [u8; 32],
    now: Millis,
) -> Statement<'a, BigInt> {
    Statement::new(
        "SELECT 1 FROM claim WHERE tenant = ? AND kind = ? AND key = ? AND (expires IS NULL OR expires > ?)",
        [
            Bind::Big(tenant.0),
            Bind::Text(kind),
            Bind::Bytes(key),
            Bind::Big(now.0),
        ],
    )
}

/// Writes a claim where there is none.
pub(crate) fn insert_claim(tenant: TenantId, claim: &Claim, payload: Vec<u8>) -> Statement<'_> {
    let weight = Owner::weight(&payload);
    let row = [
        Bind::Big(tenant.0),
        Bind::Text(claim.kind),
        Bind::Bytes(&claim.key),
        Bind::MaybeBig(claim.expires.map(|at| at.0)),
        Bind::Owned(payload),
    ];
    let Some(owner) = &claim.owner else {
        let text = "INSERT INTO claim (tenant, kind, key, expires, payload) VALUES (?, ?, ?, ?, ?)";
        return Statement::new(text, row);
    };
    let mut out = Statement::new(
        "INSERT INTO claim (tenant, kind, key, expires, payload, owner, used) VALUES (?, ?, ?, ?, ?",
        row,
    );
    out.push(
        ", ?, (SELECT coalesce(max(o.used), 0) + ? FROM claim o WHERE o.tenant = ? AND o.kind = ? AND o.owner = ?))",
        [
            Bind::Bytes(&owner.key),
            Bind::Big(weight),
            Bind::Big(tenant.0),
            Bind::Text(claim.kind),
            Bind::Bytes(&owner.key),
        ],
    );
    out
}

/// Forgets the oldest claims of an owner beyond what its newest allows.
pub(crate) fn forget_older<'a>(tenant: TenantId, kind: &'a str, owner: &'a Owner) -> Statement<'a> {
    let of = || [Bind::Big(tenant.0), Bind::Text(kind), Bind::Bytes(&owner.key)];
    let mut out = Statement::new(
        "DELETE FROM claim WHERE tenant = ? AND kind = ? AND owner = ? AND used <= ",
        of(),
    );
    out.push(
        "(SELECT max(o.used) FROM claim o WHERE o.tenant = ? AND o.kind = ? AND o.owner = ?)",
        of(),
    );
    // Nothing is later than the newest.
    out.push(" - ?", [Bind::Big(owner.bytes.max(1))]);
    out
}

/// Forgets that claim if it has run out.
pub(crate) fn delete_expired<'a>(tenant: TenantId, claim: &'a Claim, now: Millis) -> Statement<'a> {
    Statement::new(
        "DELETE FROM claim WHERE tenant = ? AND kind = ? AND key = ? AND expires <= ?",
        [
            Bind::Big(tenant.0),
            Bind::Text(claim.kind),
            Bind::Bytes(&claim.key),
            Bind::Big(now.0),
        ],
    )
}

/// Forgets a few claims of the tenant that have run out, so that they do not pile up.
pub(crate) fn sweep_claims(tenant: TenantId, now: Millis) -> Statement<'static> {
    Statement::new(
        "DELETE FROM claim WHERE tenant = ? AND (kind, key) IN (SELECT e.kind, e.key FROM claim e\
         \x20WHERE e.tenant = ? AND e.expires <= ? ORDER BY e.expires LIMIT 4)",
        [Bind::Big(tenant.0), Bind::Big(tenant.0), Bind::Big(now.0)],
    )
}
