//! Statements about epochs: a row for each type of definitions that a tenant has.

use diesel::sql_types::{BigInt, Binary, Nullable, SmallInt};

use super::statement::{Bind, Statement};
use crate::context::TenantId;
use crate::store::{DEFINITIONS, Epochs, Marks, ResourceType};

/// The epochs of a tenant, as [`EpochRow`]s.
pub(crate) fn epochs(tenant: TenantId) -> Statement<'static, (SmallInt, BigInt)> {
    Statement::new(
        "SELECT e.type, e.stamp FROM epoch e WHERE e.tenant = ?",
        [Bind::Big(tenant.0)],
    )
}

/// The same and, with the type 0, the tenant's greatest stamp: one statement for both.
pub(crate) fn marks(tenant: TenantId) -> Statement<'static, (SmallInt, BigInt)> {
    let tenant = Bind::Big(tenant.0);
    Statement::new(
        "SELECT CAST(0 AS SMALLINT), coalesce(max(r.stamp), 0) FROM resource r WHERE r.tenant = ?\
         \x20UNION ALL SELECT e.type, e.stamp FROM epoch e WHERE e.tenant = ?",
        [tenant.clone(), tenant],
    )
}

/// Stands in the place of a type's number where the row tells when the tenant was emptied.
const EMPTIED: i16 = -1;

/// A type's number, or 0, and a stamp.
pub(crate) type EpochRow = (i16, i64);

/// The marks in rows.
pub(crate) fn marks_of(rows: Vec<EpochRow>) -> Marks {
    let mut marks = Marks::default();
    for (number, stamp) in rows {
        match ResourceType::from_number(number) {
            Some(resource_type) => marks.epochs.set(resource_type, stamp),
            None if number == EMPTIED => marks.epochs.set_emptied(stamp),
            None => marks.newest = stamp,
        }
    }
    marks
}

/// The epochs in rows.
pub(crate) fn epochs_of(rows: Vec<EpochRow>) -> Epochs {
    marks_of(rows).epochs
}

/// Keeps the epoch of a type.
pub(crate) fn set_epoch(tenant: TenantId, resource_type: ResourceType, stamp: i64) -> Statement<'static> {
    set(tenant, resource_type.number(), stamp)
}

/// Keeps the epochs of a tenant that was emptied, and forgets what was noted.
pub(crate) fn set_epochs(tenant: TenantId, epochs: &Epochs) -> Vec<Statement<'static>> {
    let mut all = vec![
        Statement::new(
            "UPDATE epoch SET note = NULL WHERE tenant = ?",
            [Bind::Big(tenant.0)],
        ),
        set_emptied(tenant, epochs),
    ];
    let types = DEFINITIONS
        .iter()
        .filter_map(|name| ResourceType::from_name(name));
    let moved = types.filter(|of| epochs.of(*of) > 0);
    all.extend(moved.map(|of| set_epoch(tenant, of, epochs.of(of))));
    all
}

/// Keeps when the tenant was emptied last, or a definition of it purged.
pub(crate) fn set_emptied(tenant: TenantId, epochs: &Epochs) -> Statement<'static> {
    set(tenant, EMPTIED, epochs.emptied())
}

fn set(tenant: TenantId, number: i16, stamp: i64) -> Statement<'static> {
    Statement::new(
        "INSERT INTO epoch (tenant, type, stamp) VALUES (?, ?, ?)\
         \x20ON CONFLICT (tenant, type) DO UPDATE SET stamp = excluded.stamp",
        [Bind::Big(tenant.0), Bind::Small(number), Bind::Big(stamp)],
    )
}

/// What is noted about the definitions of a type.
pub(crate) fn note(tenant: TenantId, resource_type: ResourceType) -> Statement<'static, Nullable<Binary>> {
    Statement::new(
        "SELECT e.note FROM epoch e WHERE e.tenant = ? AND e.type = ?",
        [Bind::Big(tenant.0), Bind::Small(resource_type.number())],
    )
}

/// Notes something; the epoch stays what it is.
pub(crate) fn set_note<'a>(tenant: TenantId, resource_type: ResourceType, note: &'a [u8]) -> Statement<'a> {
    Statement::new(
        "INSERT INTO epoch (tenant, type, stamp, note) VALUES (?, ?, 0, ?)\
         \x20ON CONFLICT (tenant, type) DO UPDATE SET note = excluded.note",
        [
            Bind::Big(tenant.0),
            Bind::Small(resource_type.number()),
            Bind::Bytes(note),
        ],
    )
}

/// The tenants with an epoch of that type, and the epoch.
pub(crate) fn defining(resource_type: ResourceType) -> Statement<'static, (BigInt, BigInt)> {
    Statement::new(
        "SELECT e.tenant, e.stamp FROM epoch e WHERE e.type = ? ORDER BY e.tenant",
        [Bind::Small(resource_type.number())],
    )
}
