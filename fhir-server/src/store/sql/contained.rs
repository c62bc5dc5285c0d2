//! The statement that finds what resources contain (<https://hl7.org/fhir/R4/search.html#contained>).
//!
//! Invariant: of a container that the caller may not see, nothing is found.

use diesel::sql_types::{BigInt, Binary, SmallInt};

use super::filter::{self, list};
use super::list::{Lists, limit};
use super::row::DELETED;
use super::statement::{Bind, Names, Statement};
use crate::context::TenantId;
use crate::error::Result;
use crate::store::{ContainedQuery, Key, ResourceType, id};

/// Type and packed id of the container, packed id of what it contains.
pub(crate) type ContainedSql = (SmallInt, Binary, Binary);
/// The same in Rust.
pub(crate) type ContainedRow = (i16, Vec<u8>, Vec<u8>);

impl Lists {
    /// What those resources contain that passes, in the order of the containers' keys.
    pub(crate) fn contained<'a>(self, query: &'a ContainedQuery) -> Result<Statement<'a, ContainedSql>> {
        let tenant = || Bind::Big(self.tenant.0);
        let mut out = Statement::new(
            "SELECT r.type, r.id, r1.id FROM resource r CROSS JOIN contained r1 WHERE r.tenant = ? AND ",
            [tenant()],
        );
        keys(&mut out, &query.containers);
        out.push(" AND r.change < ?", [Bind::Small(DELETED)]);
        out.push(self.guard, []);
        out.push(" AND ", []);
        filter::push(&mut out, self, &query.visible)?;
        out.push(
            " AND r1.tenant = ? AND r1.container = r.surrogate AND +r1.type = ? AND ",
            [tenant(), Bind::Small(query.resource_type.number())],
        );
        filter::push_inside(&mut out, self, &query.filter)?;
        out.push(
            " ORDER BY r.type, r.id, r1.surrogate LIMIT ?",
            [limit(query.count)],
        );
        Ok(out)
    }
}

/// That the resource `r` has one of those keys.
fn keys<'a, ST>(out: &mut Statement<'a, ST>, keys: &'a [Key]) {
    let mut types: Vec<ResourceType> = keys.iter().map(|key| key.resource_type).collect();
    types.sort();
    types.dedup();
    out.push("(FALSE", []);
    for resource_type in types {
        out.push(" OR (r.type = ? AND ", [Bind::Small(resource_type.number())]);
        let of_this = keys.iter().filter(|key| key.resource_type == resource_type);
        let ids = of_this.map(|key| Bind::Owned(id::pack(&key.id))).collect();
        list(out, "(r.id IN (", ids, Names::resource("r"));
        out.push(")", []);
    }
    out.push(")", []);
}

/// The surrogates of what a resource contains.
pub(crate) fn contained(tenant: TenantId, resource: i64) -> Statement<'static, BigInt> {
    Statement::new(
        "SELECT c.surrogate FROM contained c WHERE c.tenant = ? AND c.container = ?",
        [Bind::Big(tenant.0), Bind::Big(resource)],
    )
}

/// The place of each row's container in the query, and the id of what is contained.
pub(crate) fn contained_of(query: &ContainedQuery, rows: Vec<ContainedRow>) -> Vec<(usize, String)> {
    let found = rows.into_iter().filter_map(|(number, container, contained)| {
        let of_type = ResourceType::from_number(number)?;
        let container = id::unpack(container)?;
        let is_it = |key: &Key| key.resource_type == of_type && key.id == container;
        Some((query.containers.iter().position(is_it)?, id::unpack(contained)?))
    });
    found.collect()
}
