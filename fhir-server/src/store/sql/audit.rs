//! The statements of the audit trail. It is written and read, never changed.

use diesel::sql_types::{BigInt, Binary, Nullable, SmallInt, Text};

use super::filter::list;
use super::link::{RESOURCES, numbers};
use super::list::{Lists, limit};
use super::statement::{Bind, Names, Statement};
use crate::context::TenantId;
use crate::error::{Error, Result};
use crate::store::{
    AuditAction, AuditEntry, AuditQuery, AuditRow, AuditSeal, AuditTest, AuditWaiting, Key, ParameterNumber,
    ResourceType, id, stamp,
};

/// The types of [`Row`].
pub(crate) type RowSql = (
    BigInt,
    SmallInt,
    SmallInt,
    SmallInt,
    SmallInt,
    Binary,
    Text,
    Binary,
);
/// A row as it lies: stamp, action, outcome, interaction, type, id, actor, record.
pub(crate) type Row = (i64, i16, i16, i16, i16, Vec<u8>, String, Vec<u8>);
/// The types of [`SealRow`].
pub(crate) type SealSql = (BigInt, BigInt, BigInt, BigInt, Binary, Binary);
/// A seal as it lies: number, first, last, count, root, head.
pub(crate) type SealRow = (i64, i64, i64, i64, Vec<u8>, Vec<u8>);

/// Adds a row.
#[cfg(feature = "sqlite")]
pub(crate) fn insert(tenant: TenantId, stamp: i64, entry: &AuditEntry) -> Statement<'_> {
    Statement::new(
        "INSERT INTO audit (stamp, tenant, action, outcome, interaction, type, id, actor, record)\
         \x20VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            Bind::Big(stamp),
            Bind::Big(tenant.0),
            Bind::Small(entry.action as i16),
            Bind::Small(entry.outcome),
            Bind::Small(entry.interaction),
            Bind::Small(type_number(entry)),
            Bind::Owned(packed_id(entry)),
            Bind::Text(&entry.actor),
            Bind::Bytes(&entry.record),
        ],
    )
}

/// The number of the row's type; 0 for none.
pub(crate) fn type_number(entry: &AuditEntry) -> i16 {
    entry.resource_type.map_or(0, ResourceType::number)
}

/// The packed id of the row; empty for none.
pub(crate) fn packed_id(entry: &AuditEntry) -> Vec<u8> {
    entry.id.as_deref().map(id::pack).unwrap_or_default()
}

/// Adds the row to those that wait for their places in the lists of patients.
#[cfg(feature = "sqlite")]
pub(crate) fn insert_waiting(tenant: TenantId, stamp: i64, patients: &[String]) -> Statement<'static> {
    Statement::new(
        "INSERT INTO audit_waiting (tenant, stamp, count, patients) VALUES (?, ?, ?, ?)",
        [
            Bind::Big(tenant.0),
            Bind::Big(stamp),
            Bind::Big(i64::try_from(patients.len()).unwrap_or(i64::MAX)),
            Bind::OwnedText(joined(patients)),
        ],
    )
}

/// The ids as they wait: no id has a `/`.
pub(crate) fn joined(patients: &[String]) -> String {
    let mut text = String::from("/");
    for id in patients {
        text.push_str(id);
        text.push('/');
    }
    text
}

/// The ids that wait as that text.
pub(crate) fn parted(text: &str) -> impl Iterator<Item = String> {
    text.split('/').filter(|id| !id.is_empty()).map(str::to_owned)
}

/// Takes a row from those that wait.
#[cfg(feature = "sqlite")]
pub(crate) fn delete_waiting(tenant: TenantId, stamp: i64) -> Statement<'static> {
    Statement::new(
        "DELETE FROM audit_waiting WHERE tenant = ? AND stamp = ?",
        [Bind::Big(tenant.0), Bind::Big(stamp)],
    )
}

/// Adds the row to those of a patient, unless it is there.
#[cfg(feature = "sqlite")]
pub(crate) fn insert_patient(tenant: TenantId, stamp: i64, patient: &str) -> Statement<'static> {
    Statement::new(
        "INSERT INTO audit_patient (tenant, stamp, patient) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        [
            Bind::Big(tenant.0),
            Bind::Big(stamp),
            Bind::Owned(id::pack(patient)),
        ],
    )
}

/// Adds a seal.
pub(crate) fn insert_seal(tenant: TenantId, seal: &AuditSeal) -> Statement<'_> {
    Statement::new(
        "INSERT INTO audit_seal (tenant, number, first, last, count, root, head) VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            Bind::Big(tenant.0),
            Bind::Big(seal.number),
            Bind::Big(seal.first),
            Bind::Big(seal.last),
            Bind::Big(seal.count),
            Bind::Bytes(&seal.root),
            Bind::Bytes(&seal.head),
        ],
    )
}

/// The seals from that number on, in order.
pub(crate) fn seals(tenant: TenantId, from: i64, count: usize) -> Statement<'static, SealSql> {
    Statement::new(
        "SELECT s.number, s.first, s.last, s.count, s.root, s.head FROM audit_seal s WHERE s.tenant = ?\
         \x20AND s.number >= ? ORDER BY s.number LIMIT ?",
        [Bind::Big(tenant.0), Bind::Big(from), limit(count)],
    )
}

/// The last seal.
pub(crate) fn last_seal(tenant: TenantId) -> Statement<'static, SealSql> {
    Statement::new(
        "SELECT s.number, s.first, s.last, s.count, s.root, s.head FROM audit_seal s WHERE s.tenant = ?\
         \x20ORDER BY s.number DESC LIMIT 1",
        [Bind::Big(tenant.0)],
    )
}

/// The links of rows to patients between two stamps: stamp, packed id.
pub(crate) fn patients(tenant: TenantId, (first, last): (i64, i64)) -> Statement<'static, (BigInt, Binary)> {
    Statement::new(
        "SELECT p.stamp, p.patient FROM audit_patient p WHERE p.tenant = ? AND p.stamp >= ? AND p.stamp <= ?\
         \x20ORDER BY p.stamp, p.patient",
        [Bind::Big(tenant.0), Bind::Big(first), Bind::Big(last)],
    )
}

/// The rows that wait between two stamps: stamp, patients.
pub(crate) fn waiting(tenant: TenantId, (first, last): (i64, i64)) -> Statement<'static, (BigInt, Text)> {
    Statement::new(
        "SELECT w.stamp, w.patients FROM audit_waiting w WHERE w.tenant = ? AND w.stamp >= ? AND w.stamp <= ? ORDER BY w.stamp",
        [Bind::Big(tenant.0), Bind::Big(first), Bind::Big(last)],
    )
}

/// The stamp up to which those rows wait that have about so many patients together.
pub(crate) fn last_waiting(tenant: TenantId, patients: usize) -> Statement<'static, Nullable<BigInt>> {
    Statement::new(
        "SELECT max(x.stamp) FROM (SELECT y.stamp, CAST(sum(y.count) OVER (ORDER BY y.stamp) AS bigint) - y.count AS before\
         \x20FROM (SELECT w.stamp, w.count FROM audit_waiting w WHERE w.tenant = ? ORDER BY w.stamp LIMIT ?) y) x WHERE x.before < ?",
        [Bind::Big(tenant.0), limit(patients), limit(patients)],
    )
}

/// The tenants that have rows.
pub(crate) fn tenants() -> Statement<'static, BigInt> {
    Statement::new(
        "WITH RECURSIVE tenants (tenant) AS (SELECT min(a.tenant) FROM audit a UNION ALL\
         \x20SELECT (SELECT min(a.tenant) FROM audit a WHERE a.tenant > t.tenant) FROM tenants t WHERE t.tenant IS NOT NULL)\
         \x20SELECT t.tenant FROM tenants t WHERE t.tenant IS NOT NULL",
        [],
    )
}

impl Lists {
    /// The rows for which all tests hold.
    pub(crate) fn audit<'a>(self, query: &'a AuditQuery) -> Statement<'a, RowSql> {
        let mut out = Statement::new(
            "SELECT a.stamp, a.action, a.outcome, a.interaction, a.type, a.id, a.actor, a.record",
            [],
        );
        self.audit_where(&mut out, query);
        match query.oldest_first {
            true => out.push(" ORDER BY a.stamp LIMIT ?", [limit(query.count)]),
            false => out.push(" ORDER BY a.stamp DESC LIMIT ?", [limit(query.count)]),
        }
        out
    }

    /// How many rows there are for which all tests hold, up to the query's count.
    pub(crate) fn audit_total<'a>(self, query: &'a AuditQuery) -> Statement<'a, BigInt> {
        let mut out = Statement::new("SELECT count(*) FROM (SELECT 1", []);
        self.audit_where(&mut out, query);
        out.push(" LIMIT ?) AS v", [limit(query.count)]);
        out
    }

    fn audit_where<'a, ST>(self, out: &mut Statement<'a, ST>, query: &'a AuditQuery) {
        out.push(" FROM audit a WHERE a.tenant = ?", [Bind::Big(self.tenant.0)]);
        if !self.guard.is_empty() {
            out.push(" AND row_in_time(a.stamp)", []);
        }
        for test in &query.tests {
            out.push(" AND ", []);
            self.audit_test(out, test);
        }
    }

    fn audit_test<'a, ST>(self, out: &mut Statement<'a, ST>, test: &'a AuditTest) {
        let names = Names::resource("a");
        match test {
            AuditTest::Patient(ids) => {
                out.push(
                    "a.stamp IN (SELECT p.stamp FROM audit_patient p WHERE p.tenant = ? AND ",
                    [Bind::Big(self.tenant.0)],
                );
                list(out, "(p.patient IN (", packed(ids), Names::resource("p"));
                out.push(
                    " UNION ALL SELECT w.stamp FROM audit_waiting w WHERE w.tenant = ?",
                    [Bind::Big(self.tenant.0)],
                );
                if !self.guard.is_empty() {
                    out.push(" AND row_in_time(w.stamp)", []);
                }
                if ids.len() > 1 {
                    out.once();
                }
                out.push(" AND (FALSE", []);
                for id in ids {
                    let one = joined(std::slice::from_ref(id));
                    out.push(self.dialect.waits(), [Bind::OwnedText(one)]);
                }
                out.push("))", []);
            }
            AuditTest::Actor(actors) => {
                let actors = actors.iter().map(|actor| Bind::Text(actor)).collect();
                list(out, "(a.actor IN (", actors, names);
            }
            AuditTest::Resource(all) => {
                out.push("(FALSE", []);
                for (resource_type, id) in all {
                    out.push(
                        " OR (a.type > 0 AND a.type = ?",
                        [Bind::Small(resource_type.number())],
                    );
                    if let Some(id) = id {
                        out.push(" AND a.id = ?", [Bind::Owned(id::pack(id))]);
                    }
                    out.push(")", []);
                }
                out.push(")", []);
            }
            AuditTest::Action(actions) => {
                let actions = actions.iter().map(|action| Bind::Small(*action as i16)).collect();
                list(out, "(a.action IN (", actions, names);
            }
            AuditTest::Outcome(numbers) => {
                let numbers = numbers.iter().map(|number| Bind::Small(*number)).collect();
                list(out, "(a.outcome IN (", numbers, names);
            }
            AuditTest::Interaction(numbers) => {
                let numbers = numbers.iter().map(|number| Bind::Small(*number)).collect();
                list(out, "(a.interaction IN (", numbers, names);
            }
            AuditTest::Stamp(stamps) => {
                let stamps = stamps.iter().map(|stamp| Bind::Big(*stamp)).collect();
                list(out, "(a.stamp IN (", stamps, names);
            }
            AuditTest::Written(from, to) => out.push(
                "a.stamp >= ? AND a.stamp <= ?",
                [Bind::Big(stamp::first_of(*from)), Bind::Big(stamp::last_of(*to))],
            ),
            AuditTest::Between(first, last) => out.push(
                "a.stamp >= ? AND a.stamp <= ?",
                [Bind::Big(*first), Bind::Big(*last)],
            ),
        }
    }

    /// The packed ids of what those resources refer to by those parameters, of that type.
    pub(crate) fn referred<'a>(
        self,
        from: &'a [Key],
        parameters: &'a [ParameterNumber],
        to: ResourceType,
    ) -> Statement<'a, Binary> {
        let mut out = Statement::new("SELECT DISTINCT n.head FROM (", []);
        self.by_type(&mut out, from, RESOURCES, 0);
        out.push(
            ") f CROSS JOIN label l CROSS JOIN term n WHERE l.tenant = ? AND l.resource = f.s AND ",
            [Bind::Big(self.tenant.0)],
        );
        numbers(&mut out, parameters);
        out.push(
            " AND n.tenant = ? AND n.number = l.term AND n.kind = ?",
            [
                Bind::Big(self.tenant.0),
                Bind::Small(super::index::REFERENCE + to.number()),
            ],
        );
        out
    }
}

fn packed(ids: &[String]) -> Vec<Bind<'static>> {
    ids.iter().map(|one| Bind::Owned(id::pack(one))).collect()
}

/// Which patient has which rows, by the lists and by what waits: in order, none twice.
pub(crate) fn all_patients(listed: Vec<(i64, Vec<u8>)>, waiting: Vec<(i64, String)>) -> Vec<(i64, String)> {
    let listed = listed
        .into_iter()
        .filter_map(|(stamp, packed)| Some((stamp, id::unpack(packed)?)));
    let waiting = waiting
        .iter()
        .flat_map(|(stamp, patients)| parted(patients).map(|id| (*stamp, id)));
    let mut all: Vec<_> = listed.chain(waiting).collect();
    all.sort();
    all.dedup();
    all
}

/// The rows that wait.
pub(crate) fn waiting_of(rows: Vec<(i64, String)>) -> Vec<AuditWaiting> {
    let waiting = |(stamp, patients): (i64, String)| AuditWaiting {
        stamp,
        patients: parted(&patients).collect(),
    };
    rows.into_iter().map(waiting).collect()
}

/// The row.
pub(crate) fn row_of(row: Row) -> Result<AuditRow> {
    let (stamp, action, outcome, interaction, number, packed, actor, record) = row;
    let corrupt = || Error::internal("a row of the audit trail cannot be read");
    let id = match packed.is_empty() {
        true => None,
        false => Some(id::unpack(packed).ok_or_else(corrupt)?),
    };
    let entry = AuditEntry {
        action: AuditAction::from_number(action).ok_or_else(corrupt)?,
        outcome,
        interaction,
        resource_type: match number {
            0 => None,
            number => Some(ResourceType::from_number(number).ok_or_else(corrupt)?),
        },
        id,
        actor,
        patients: Vec::new(),
        record,
    };
    Ok(AuditRow {
        stamp,
        at: stamp::time_of(stamp),
        entry,
    })
}

/// The seal.
pub(crate) fn seal_of(row: SealRow) -> Result<AuditSeal> {
    let (number, first, last, count, root, head) = row;
    let hash = |bytes: Vec<u8>| {
        <[u8; 32]>::try_from(bytes).map_err(|_| Error::internal("a seal of the audit trail cannot be read"))
    };
    Ok(AuditSeal {
        number,
        first,
        last,
        count,
        root: hash(root)?,
        head: hash(head)?,
    })
}
