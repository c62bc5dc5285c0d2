//! The statements that read one thing: a version, a claim.

use diesel::sql_types::{BigInt, Binary};

use super::filter;
use super::list::Lists;
use super::row::{VERSION_COLUMNS, VersionSql};
use super::statement::{Bind, Statement};
use crate::context::{Millis, TenantId};
use crate::error::Result;
use crate::store::{Filter, Key, ResourceType, id};

/// A statement that reads versions.
pub(crate) type VersionQuery<'a> = Statement<'a, VersionSql>;

pub(super) fn key_binds(tenant: TenantId, key: &Key) -> [Bind<'static>; 3] {
    [
        Bind::Big(tenant.0),
        Bind::Small(key.resource_type.number()),
        Bind::Owned(id::pack(&key.id)),
    ]
}

/// The current version.
pub(crate) fn read<'a>(scope: Lists, key: &'a Key, visible: &'a Filter) -> Result<VersionQuery<'a>> {
    let mut out = Statement::new(VERSION_COLUMNS, []);
    out.push(" FROM ", []);
    out.push(JUDGED, []);
    out.push(
        " WHERE r.tenant = ? AND r.type = ? AND r.id = ? AND ",
        key_binds(scope.tenant, key),
    );
    filter::push(&mut out, scope, visible)?;
    Ok(out)
}

/// An earlier version.
pub(crate) fn vread<'a>(
    scope: Lists,
    key: &'a Key,
    version: i64,
    visible: &'a Filter,
) -> Result<VersionQuery<'a>> {
    let mut out = Statement::new(EARLIER_COLUMNS, []);
    out.push(" FROM ", []);
    out.push(JUDGED, []);
    out.push(
        " JOIN history h ON h.tenant = r.tenant AND h.resource = r.own",
        [],
    );
    out.push(
        " WHERE r.tenant = ? AND r.type = ? AND r.id = ?",
        key_binds(scope.tenant, key),
    );
    out.push(" AND h.version = ? AND ", [Bind::Big(version)]);
    filter::push(&mut out, scope, visible)?;
    Ok(out)
}

/// The columns of a version row in the table of earlier versions, alias `h`, joined to its current row, alias `r`.
pub(super) const EARLIER_COLUMNS: &str =
    "SELECT r.type, r.id, h.version, h.stamp, h.change, h.encoding, h.stamp_at, h.stamp_form, h.body";

/// Current rows, deletions too, alias `r`, each with the surrogate of the index rows that it is judged by: those that a resource had when it
/// was deleted are kept under its negative surrogate, where no search finds them.
pub(super) const JUDGED: &str = "(SELECT x.tenant, x.type, x.id, x.version, x.stamp, x.change, x.encoding, x.stamp_at, x.stamp_form, x.body,\
    \x20x.surrogate AS own, CASE x.change WHEN 2 THEN -x.surrogate ELSE x.surrogate END AS surrogate FROM resource x) r";

/// The stamp of the newest change of a resource of that type.
pub(crate) fn newest(tenant: TenantId, resource_type: ResourceType) -> Statement<'static, BigInt> {
    Statement::new(
        "SELECT r.stamp FROM resource r WHERE r.tenant = ? AND r.type = ? ORDER BY r.stamp DESC LIMIT 1",
        [Bind::Big(tenant.0), Bind::Small(resource_type.number())],
    )
}

/// The payload of a claim that has not run out at that time.
pub(crate) fn claim<'a>(
    tenant: TenantId,
    kind: &'a str,
    key: &'a [u8; 32],
    now: Millis,
) -> Statement<'a, Binary> {
    Statement::new(
        "SELECT c.payload FROM claim c WHERE c.tenant = ? AND c.kind = ? AND c.key = ?\
         \x20AND (c.expires IS NULL OR c.expires > ?)",
        [
            Bind::Big(tenant.0),
            Bind::Text(kind),
            Bind::Bytes(key),
            Bind::Big(now.0),
        ],
    )
}
