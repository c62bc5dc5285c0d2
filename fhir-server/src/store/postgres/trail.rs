//! Rows of the audit trail, many in one statement.

use super::arrays::{Arrays, Column};
use crate::context::TenantId;
use crate::store::sql::audit::{packed_id, type_number};
use crate::store::{AuditEntry, id};

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
    let about = || {
        rows.iter()
            .flat_map(|(stamp, entry)| entry.patients.iter().map(move |patient| (*stamp, patient)))
    };
    if about().next().is_some() {
        let columns = [
            Column::One(tenant.0),
            Column::Big(about().map(|(stamp, _)| stamp).collect()),
            Column::Bytes(about().map(|(_, patient)| id::pack(patient)).collect()),
        ];
        let sql = "INSERT INTO audit_patient (tenant, stamp, patient) SELECT ?, a.stamp, a.patient FROM unnest(?, ?)\
                   \x20AS a (stamp, patient)";
        statements.push(Arrays::new(sql, columns));
    }
    statements
}
