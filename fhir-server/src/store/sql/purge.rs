//! The statements that take everything away that there is of a resource, in the transaction of the commit that asks for it.
//!
//! A term that no row refers to any more goes with the rows: it may be a name or a number that only this resource had. Units stay: they
//! tell of nobody, and rows refer to them in another way.

use diesel::sql_types::{BigInt, Binary, SmallInt};

use super::dialect::Dialect;
use super::index::REFERENCE;
use super::list::limit;
use super::row::DELETED;
use super::statement::{Bind, Statement};
use crate::context::TenantId;
use crate::store::stamp::first_of;
use crate::store::{Erasable, ErasureQuery, Key, ResourceType, id};

/// Terms of one statement at most.
const MOST: usize = 500;

/// Under which numbers rows of the resource are kept: its own, that of what was kept when it was deleted, and those of what it contains.
pub(crate) fn surrogates(surrogate: i64, contained: &[i64]) -> Vec<i64> {
    let own = [surrogate, -surrogate];
    own.into_iter().chain(contained.iter().copied()).collect()
}

/// The terms that the rows under those numbers refer to, each once.
pub(crate) fn terms_of(tenant: TenantId, surrogates: &[i64]) -> Statement<'static, BigInt> {
    let mut out = Statement::new(
        "SELECT DISTINCT l.term FROM label l WHERE l.tenant = ? AND l.resource IN ",
        [Bind::Big(tenant.0)],
    );
    numbers(&mut out, surrogates);
    out
}

/// Takes away what the resource can be found by.
pub(crate) fn rows(dialect: Dialect, tenant: TenantId, surrogates: &[i64]) -> Vec<Statement<'static>> {
    let words: &[&'static str] = match dialect {
        // The words of a passage are found by its number alone.
        #[cfg(feature = "sqlite")]
        Dialect::Sqlite => &[
            "DELETE FROM passage_words WHERE rowid IN (SELECT l.number FROM passage l WHERE l.tenant = ? AND l.resource IN ",
        ],
        #[cfg(feature = "postgres")]
        Dialect::Postgres => &[],
    };
    let tables = [
        "DELETE FROM passage WHERE tenant = ? AND resource IN ",
        "DELETE FROM label WHERE tenant = ? AND resource IN ",
        "DELETE FROM span WHERE tenant = ? AND resource IN ",
        "DELETE FROM place WHERE tenant = ? AND resource IN ",
    ];
    let of = |sql: &'static str, end: &'static str| {
        let mut out = Statement::new(sql, [Bind::Big(tenant.0)]);
        numbers(&mut out, surrogates);
        out.push(end, []);
        out
    };
    let words = words.iter().map(|sql| of(sql, ")"));
    words.chain(tables.iter().map(|sql| of(sql, ""))).collect()
}

/// Takes away its versions and what tells of what it contains.
pub(crate) fn versions(tenant: TenantId, surrogate: i64) -> [Statement<'static>; 3] {
    [
        "DELETE FROM contained WHERE tenant = ? AND container = ?",
        "DELETE FROM history WHERE tenant = ? AND resource = ?",
        "DELETE FROM resource WHERE tenant = ? AND surrogate = ?",
    ]
    .map(|sql| Statement::new(sql, [Bind::Big(tenant.0), Bind::Big(surrogate)]))
}

/// Takes away those of the terms that no row refers to. A row is looked for by its parameter and its term, so that the parameters that the
/// tenant has rows of are stepped through first.
pub(crate) fn terms(tenant: TenantId, terms: &[i64]) -> Vec<Statement<'static>> {
    let unit = super::class::UNIT;
    let terms: Vec<i64> = terms
        .iter()
        .copied()
        .filter(|term| term & ((1 << super::class::BITS) - 1) != unit)
        .collect();
    let of = |some: &[i64]| {
        let mut out = Statement::new(
            "WITH RECURSIVE used (parameter) AS (SELECT min(l.parameter) FROM label l WHERE l.tenant = ? UNION ALL SELECT \
             (SELECT min(l.parameter) FROM label l WHERE l.tenant = ? AND l.parameter > u.parameter) FROM used u \
             WHERE u.parameter IS NOT NULL) DELETE FROM term WHERE tenant = ? AND number IN ",
            [Bind::Big(tenant.0), Bind::Big(tenant.0), Bind::Big(tenant.0)],
        );
        numbers(&mut out, some);
        out.push(
            " AND NOT EXISTS (SELECT 1 FROM used u CROSS JOIN label l WHERE l.tenant = ? AND l.parameter = u.parameter AND \
             l.term = term.number)",
            [Bind::Big(tenant.0)],
        );
        out
    };
    terms.chunks(MOST).map(of).collect()
}

/// Type and id of what may have to be taken away. Rows of what is deleted are kept under the negative surrogate.
pub(crate) fn erasable(tenant: TenantId, query: &ErasureQuery) -> Statement<'_, (SmallInt, Binary)> {
    let mut out = match &query.which {
        Erasable::Of {
            parameter,
            to,
            shared,
        } => {
            let kind = REFERENCE + to.resource_type.number();
            let named = || {
                [
                    Bind::Big(tenant.0),
                    Bind::Small(kind),
                    Bind::Owned(id::pack(&to.id)),
                ]
            };
            let mut out = Statement::new(
                "SELECT DISTINCT r.type, r.id FROM term n CROSS JOIN label l CROSS JOIN resource r \
                 WHERE n.tenant = ? AND n.kind = ? AND n.head = ?",
                named(),
            );
            out.push(
                " AND l.tenant = ? AND l.parameter = ? AND l.term = n.number AND r.tenant = ? AND r.surrogate = abs(l.resource)",
                [Bind::Big(tenant.0), Bind::Int(parameter.0), Bind::Big(tenant.0)],
            );
            out.push(
                if *shared {
                    " AND EXISTS "
                } else {
                    " AND NOT EXISTS "
                },
                [],
            );
            let [_, kind, head] = named();
            out.push(
                "(SELECT 1 FROM label o CROSS JOIN term m WHERE o.tenant = ? AND o.resource = l.resource AND o.parameter = ? \
                 AND m.tenant = ? AND m.number = o.term AND m.kind = ? AND m.head <> ?)",
                [
                    Bind::Big(tenant.0),
                    Bind::Int(parameter.0),
                    Bind::Big(tenant.0),
                    kind,
                    head,
                ],
            );
            out
        }
        Erasable::Deleted(before) => Statement::new(
            "SELECT r.type, r.id FROM resource r WHERE r.tenant = ? AND r.stamp < ? AND r.change = ?",
            [
                Bind::Big(tenant.0),
                Bind::Big(first_of(*before)),
                Bind::Small(DELETED),
            ],
        ),
    };
    out.push(" LIMIT ?", [limit(query.count)]);
    out
}

/// The keys in such rows.
pub(crate) fn keys_of(rows: Vec<(i16, Vec<u8>)>) -> Vec<Key> {
    let key = |(of, packed): (i16, Vec<u8>)| {
        Some(Key {
            resource_type: ResourceType::from_number(of)?,
            id: id::unpack(packed)?,
        })
    };
    rows.into_iter().filter_map(key).collect()
}

fn numbers<ST>(out: &mut Statement<'_, ST>, numbers: &[i64]) {
    out.push("(", []);
    for (place, number) in numbers.iter().enumerate() {
        out.push(if place == 0 { "?" } else { ", ?" }, [Bind::Big(*number)]);
    }
    out.push(")", []);
}
