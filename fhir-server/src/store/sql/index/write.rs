//! The statements that read and write the rows of one resource.

use diesel::sql_types::{BigInt, Binary, Double, Integer, Nullable};

use super::draft::{Label, Place, Span};
use super::term::Term;
use crate::context::TenantId;
use crate::store::sql::{Bind, Statement};

/// Number, whole, second, third.
#[cfg(feature = "sqlite")]
type TermSql = (BigInt, Nullable<Binary>, Nullable<Binary>, Nullable<Binary>);

/// The number of a term, where it has one. There may be terms of the same hash: the row tells.
#[cfg(feature = "sqlite")]
pub(crate) fn term(tenant: TenantId, term: &Term) -> Statement<'_, TermSql> {
    Statement::new(
        "SELECT n.number, n.whole, n.second, n.third FROM term n WHERE n.tenant = ? AND n.kind = ? AND n.head = ?\
         \x20AND n.hash = ?",
        [
            Bind::Big(tenant.0),
            Bind::Small(term.kind),
            Bind::Bytes(&term.head),
            Bind::Int(term.hash()),
        ],
    )
}

/// The greatest number of a term of all tenants.
#[cfg(feature = "sqlite")]
pub(crate) fn greatest_term() -> Statement<'static, Nullable<BigInt>> {
    Statement::new("SELECT max(n.number) FROM term n", [])
}

/// The greatest number of a term of that tenant.
#[cfg(feature = "postgres")]
pub(crate) fn greatest_term_of(tenant: TenantId) -> Statement<'static, Nullable<BigInt>> {
    Statement::new(
        "SELECT max(n.number) FROM term n WHERE n.tenant = ?",
        [Bind::Big(tenant.0)],
    )
}

/// Gives a term a number.
#[cfg(feature = "sqlite")]
pub(crate) fn insert_term(tenant: TenantId, number: i64, term: &Term) -> Statement<'_> {
    Statement::new(
        "INSERT INTO term (number, tenant, kind, hash, head, whole, second, third) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            Bind::Big(number),
            Bind::Big(tenant.0),
            Bind::Small(term.kind),
            Bind::Int(term.hash()),
            Bind::Bytes(&term.head),
            Bind::MaybeBytes(term.whole.as_deref()),
            Bind::MaybeBytes(term.second.as_deref()),
            Bind::MaybeBytes(term.third.as_deref()),
        ],
    )
}

/// The labels of a resource.
#[cfg(feature = "sqlite")]
pub(crate) fn labels(tenant: TenantId, resource: i64) -> Statement<'static, (Integer, BigInt, Integer)> {
    Statement::new(
        "SELECT l.parameter, l.term, l.part FROM label l WHERE l.tenant = ? AND l.resource = ?",
        [Bind::Big(tenant.0), Bind::Big(resource)],
    )
}

/// The spans of a resource.
#[cfg(feature = "sqlite")]
pub(crate) fn spans(
    tenant: TenantId,
    resource: i64,
) -> Statement<'static, (Integer, BigInt, BigInt, BigInt, Integer)> {
    Statement::new(
        "SELECT l.parameter, l.unit, l.last, l.first, l.part FROM span l WHERE l.tenant = ? AND l.resource = ?",
        [Bind::Big(tenant.0), Bind::Big(resource)],
    )
}

/// The places of a resource.
#[cfg(feature = "sqlite")]
pub(crate) fn places(
    tenant: TenantId,
    resource: i64,
) -> Statement<'static, (Integer, Integer, Double, Double, Double)> {
    Statement::new(
        "SELECT l.parameter, l.part, l.x, l.y, l.z FROM place l WHERE l.tenant = ? AND l.resource = ?",
        [Bind::Big(tenant.0), Bind::Big(resource)],
    )
}

/// Keeps the rows of a resource that is deleted under its negative surrogate, where no search finds them: by these it is judged who may know
/// that it was there.
#[cfg(feature = "sqlite")]
pub(crate) fn bury(tenant: TenantId, resource: i64) -> [Statement<'static>; 3] {
    let of = || [Bind::Big(-resource), Bind::Big(tenant.0), Bind::Big(resource)];
    [
        Statement::new(
            "UPDATE label SET resource = ? WHERE tenant = ? AND resource = ?",
            of(),
        ),
        Statement::new(
            "UPDATE span SET resource = ? WHERE tenant = ? AND resource = ?",
            of(),
        ),
        Statement::new(
            "UPDATE place SET resource = ? WHERE tenant = ? AND resource = ?",
            of(),
        ),
    ]
}

/// Takes all rows of a resource away.
#[cfg(feature = "sqlite")]
pub(crate) fn clear(tenant: TenantId, resource: i64) -> [Statement<'static>; 3] {
    let of = || [Bind::Big(tenant.0), Bind::Big(resource)];
    [
        Statement::new("DELETE FROM label WHERE tenant = ? AND resource = ?", of()),
        Statement::new("DELETE FROM span WHERE tenant = ? AND resource = ?", of()),
        Statement::new("DELETE FROM place WHERE tenant = ? AND resource = ?", of()),
    ]
}

#[cfg(feature = "sqlite")]
fn label_binds(tenant: TenantId, resource: i64, label: &Label) -> [Bind<'static>; 5] {
    let (parameter, term, part) = *label;
    [
        Bind::Big(tenant.0),
        Bind::Int(parameter),
        Bind::Big(term),
        Bind::Big(resource),
        Bind::Int(part),
    ]
}

/// Adds a label.
#[cfg(feature = "sqlite")]
pub(crate) fn insert_label(tenant: TenantId, resource: i64, label: &Label) -> Statement<'static> {
    Statement::new(
        "INSERT INTO label (tenant, parameter, term, resource, part) VALUES (?, ?, ?, ?, ?)",
        label_binds(tenant, resource, label),
    )
}

/// Takes a label away.
#[cfg(feature = "sqlite")]
pub(crate) fn delete_label(tenant: TenantId, resource: i64, label: &Label) -> Statement<'static> {
    Statement::new(
        "DELETE FROM label WHERE tenant = ? AND parameter = ? AND term = ? AND resource = ? AND part = ?",
        label_binds(tenant, resource, label),
    )
}

#[cfg(feature = "sqlite")]
fn span_binds(tenant: TenantId, resource: i64, span: &Span) -> [Bind<'static>; 7] {
    let (parameter, unit, last, first, part) = *span;
    [
        Bind::Big(tenant.0),
        Bind::Int(parameter),
        Bind::Big(unit),
        Bind::Big(last),
        Bind::Big(first),
        Bind::Big(resource),
        Bind::Int(part),
    ]
}

/// Adds a span.
#[cfg(feature = "sqlite")]
pub(crate) fn insert_span(tenant: TenantId, resource: i64, span: &Span) -> Statement<'static> {
    Statement::new(
        "INSERT INTO span (tenant, parameter, unit, last, first, resource, part) VALUES (?, ?, ?, ?, ?, ?, ?)",
        span_binds(tenant, resource, span),
    )
}

/// Takes a span away.
#[cfg(feature = "sqlite")]
pub(crate) fn delete_span(tenant: TenantId, resource: i64, span: &Span) -> Statement<'static> {
    Statement::new(
        "DELETE FROM span WHERE tenant = ? AND parameter = ? AND unit = ? AND last = ? AND first = ? AND resource = ?\
         \x20AND part = ?",
        span_binds(tenant, resource, span),
    )
}

#[cfg(feature = "sqlite")]
fn place_binds(tenant: TenantId, resource: i64, place: &Place) -> [Bind<'static>; 7] {
    let (parameter, part, [x, y, z]) = *place;
    [
        Bind::Big(tenant.0),
        Bind::Int(parameter),
        Bind::Real(f64::from_bits(z)),
        Bind::Real(f64::from_bits(x)),
        Bind::Real(f64::from_bits(y)),
        Bind::Big(resource),
        Bind::Int(part),
    ]
}

/// Adds a place.
#[cfg(feature = "sqlite")]
pub(crate) fn insert_place(tenant: TenantId, resource: i64, place: &Place) -> Statement<'static> {
    Statement::new(
        "INSERT INTO place (tenant, parameter, z, x, y, resource, part) VALUES (?, ?, ?, ?, ?, ?, ?)",
        place_binds(tenant, resource, place),
    )
}

/// Takes a place away.
#[cfg(feature = "sqlite")]
pub(crate) fn delete_place(tenant: TenantId, resource: i64, place: &Place) -> Statement<'static> {
    Statement::new(
        "DELETE FROM place WHERE tenant = ? AND parameter = ? AND z = ? AND x = ? AND y = ? AND resource = ?\
         \x20AND part = ?",
        place_binds(tenant, resource, place),
    )
}

/// The tenants that have resources without rows, and up to which stamp theirs have them.
pub(crate) fn unindexed() -> Statement<'static, (BigInt, BigInt)> {
    Statement::new("SELECT u.tenant, u.stamp FROM unindexed u ORDER BY u.tenant", [])
}

/// Says up to which stamp the tenant's resources have rows; `None`: all have.
pub(crate) fn indexed_to(tenant: TenantId, stamp: Option<i64>) -> Statement<'static> {
    match stamp {
        None => Statement::new("DELETE FROM unindexed WHERE tenant = ?", [Bind::Big(tenant.0)]),
        Some(stamp) => Statement::new(
            "INSERT INTO unindexed (tenant, stamp) VALUES (?, ?) ON CONFLICT (tenant) DO UPDATE SET stamp = excluded.stamp",
            [Bind::Big(tenant.0), Bind::Big(stamp)],
        ),
    }
}
