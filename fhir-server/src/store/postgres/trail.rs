//! Rows of the audit trail, many in one statement.

use super::arrays::{Arrays, Column};
use crate::context::TenantId;
use crate::store::sql::audit::{joined, packed_id, type_number};
use crate::store::{AuditEntry, AuditLists, id};

/// The statements that add those rows, with their stamps.
pub(super) fn insert(tenant: TenantId, rows: &[(i64, &AuditEntry)]) -> Vec<Arrays> {
    if rows.is_empty() {
        return Vec::new();
    }
    let small = |of: fn(&AuditEntry) -> i16| Column::Small(rows.iter().map(|(_, entry)| of(entry)).collect());
    let bytes =
        |of: fn(&AuditEntry) -> Vec<u8>| Column::Bytes(rows.iter().map(|(_, entry)| of(entry)).collect());
    let columns = [
        Column::One(tenant.0),
        Column::Big(rows.iter().map(|(stamp, _)| *stamp).collect()),
        small(|entry| entry.action as i16),
        small(|entry| entry.outcome),
        small(|entry| entry.interaction),
        small(type_number),
        bytes(packed_id),
        bytes(|entry| entry.actor.clone().into_bytes()),
        bytes(|entry| entry.record.clone()),
    ];
    let sql = "INSERT INTO audit (tenant, stamp, action, outcome, interaction, type, id, actor, record) SELECT ?, a.stamp,\
               \x20a.action, a.outcome, a.interaction, a.type, a.id, convert_from(a.actor, 'UTF8'), a.record\
               \x20FROM unnest(?, ?, ?, ?, ?, ?, ?, ?)\
               \x20AS a (stamp, action, outcome, interaction, type, id, actor, record)";
    let mut statements = vec![Arrays::new(sql, columns)];
    let about: Vec<_> = rows
        .iter()
        .filter(|(_, entry)| !entry.patients.is_empty())
        .collect();
    if !about.is_empty() {
        let count = |entry: &AuditEntry| i64::try_from(entry.patients.len()).unwrap_or(i64::MAX);
        let columns = [
            Column::One(tenant.0),
            Column::Big(about.iter().map(|(stamp, _)| *stamp).collect()),
            Column::Big(about.iter().map(|(_, entry)| count(entry)).collect()),
            Column::Texts(about.iter().map(|(_, entry)| joined(&entry.patients)).collect()),
        ];
        let sql = "INSERT INTO audit_waiting (tenant, stamp, count, patients) SELECT ?, a.stamp, a.count, a.patients\
                   \x20FROM unnest(?, ?, ?) AS a (stamp, count, patients)";
        statements.push(Arrays::new(sql, columns));
    }
    statements
}

/// The statements that bring rows into the lists of their patients.
pub(super) fn list(tenant: TenantId, lists: &AuditLists) -> [Arrays; 2] {
    let places = [
        Column::One(tenant.0),
        Column::Big(lists.places.iter().map(|(stamp, _)| *stamp).collect()),
        Column::Bytes(
            lists
                .places
                .iter()
                .map(|(_, patient)| id::pack(patient))
                .collect(),
        ),
    ];
    let listed = [Column::One(tenant.0), Column::Big(lists.listed.clone())];
    [
        Arrays::new(
            "INSERT INTO audit_patient (tenant, stamp, patient) SELECT ?, a.stamp, a.patient FROM unnest(?, ?)\
             \x20AS a (stamp, patient) ON CONFLICT DO NOTHING",
            places,
        ),
        Arrays::new(
            "DELETE FROM audit_waiting WHERE tenant = ? AND stamp = ANY(?)",
            listed,
        ),
    ]
}
