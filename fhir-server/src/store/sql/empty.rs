//! The statements that empty a tenant, in the transaction of the commit that asks for it.
//!
//! Terms stay: they belong to no resource, and every process remembers their numbers. Rows of the audit trail stay for good.

use diesel::sql_types::BigInt;

use super::dialect::Dialect;
use super::row::DELETED;
use super::statement::{Bind, Statement};
use crate::context::TenantId;

/// How many current resources a tenant has.
pub(crate) fn resources(tenant: TenantId) -> Statement<'static, BigInt> {
    Statement::new(
        "SELECT count(*) FROM resource r WHERE r.tenant = ? AND r.change < ?",
        [Bind::Big(tenant.0), Bind::Small(DELETED)],
    )
}

/// Takes away all that a tenant holds, but for epochs, the trail, and claims of those kinds.
pub(crate) fn empty<'a>(dialect: Dialect, tenant: TenantId, keep: &[&'a str]) -> Vec<Statement<'a>> {
    let words: &[&'static str] = match dialect {
        // The words of a passage are found by its number alone.
        #[cfg(feature = "sqlite")]
        Dialect::Sqlite => {
            &["DELETE FROM passage_words WHERE rowid IN (SELECT l.number FROM passage l WHERE l.tenant = ?)"]
        }
        #[cfg(feature = "postgres")]
        Dialect::Postgres => &[],
    };
    let rows = [
        "DELETE FROM passage WHERE tenant = ?",
        "DELETE FROM contained WHERE tenant = ?",
        "DELETE FROM label WHERE tenant = ?",
        "DELETE FROM span WHERE tenant = ?",
        "DELETE FROM place WHERE tenant = ?",
        "DELETE FROM history WHERE tenant = ?",
        "DELETE FROM resource WHERE tenant = ?",
        "DELETE FROM unindexed WHERE tenant = ?",
    ];
    let of_tenant = words.iter().chain(&rows);
    let mut all: Vec<Statement<'a>> = of_tenant
        .map(|sql| Statement::new(sql, [Bind::Big(tenant.0)]))
        .collect();
    let mut claims = Statement::new(
        "DELETE FROM claim WHERE tenant = ? AND kind NOT IN (''",
        [Bind::Big(tenant.0)],
    );
    for kind in keep {
        claims.push(", ?", [Bind::Text(kind)]);
    }
    claims.push(")", []);
    all.push(claims);
    all
}
