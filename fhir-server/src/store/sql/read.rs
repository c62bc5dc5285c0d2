//! The statements that read: one version, a history, a search, a claim.

use diesel::sql_types::{BigInt, Binary, Nullable};

use super::row::{DELETED, VERSION_COLUMNS, VersionSql};
use super::statement::{Bind, Statement};
use super::{filter, id};
use crate::context::{Millis, TenantId};
use crate::error::Result;
use crate::store::stamp::{first_of, last_of};
use crate::store::{Filter, HistoryQuery, HistoryScope, Key, ResourceType, SearchQuery};

/// A statement that reads versions.
pub(crate) type VersionQuery<'a> = Statement<'a, VersionSql>;
/// A statement that reads one number.
pub(crate) type NumberQuery<'a> = Statement<'a, BigInt>;

fn key_binds(tenant: TenantId, key: &Key) -> [Bind<'static>; 3] {
    [
        Bind::Big(tenant.0),
        Bind::Small(key.resource_type.number()),
        Bind::Owned(id::pack(&key.id)),
    ]
}

/// The current version.
pub(crate) fn read<'a>(tenant: TenantId, key: &'a Key, visible: &'a Filter) -> Result<VersionQuery<'a>> {
    let mut out = Statement::new(VERSION_COLUMNS, []);
    out.push(
        " FROM resource r WHERE r.tenant = ? AND r.type = ? AND r.id = ? AND ",
        key_binds(tenant, key),
    );
    filter::push(&mut out, visible)?;
    Ok(out)
}

/// An earlier version.
pub(crate) fn vread<'a>(
    tenant: TenantId,
    key: &'a Key,
    version: i64,
    visible: &'a Filter,
) -> Result<VersionQuery<'a>> {
    let mut out = Statement::new(EARLIER_COLUMNS, []);
    out.push(
        " FROM resource r JOIN history h ON h.tenant = r.tenant AND h.resource = r.surrogate",
        [],
    );
    out.push(
        " WHERE r.tenant = ? AND r.type = ? AND r.id = ?",
        key_binds(tenant, key),
    );
    out.push(" AND h.version = ? AND ", [Bind::Big(version)]);
    filter::push(&mut out, visible)?;
    Ok(out)
}

/// The columns of a version row in the table of earlier versions, alias `h`, joined to its current row, alias `r`.
const EARLIER_COLUMNS: &str =
    "SELECT r.type, r.id, h.version, h.stamp, h.change, h.encoding, h.stamp_at, h.stamp_form, h.body";

/// The versions of a history, newest first.
pub(crate) fn history<'a>(tenant: TenantId, query: &'a HistoryQuery) -> Result<VersionQuery<'a>> {
    let mut out = Statement::new(VERSION_COLUMNS, []);
    current_part(&mut out, tenant, query, query.before)?;
    out.push(" UNION ALL ", []);
    out.push(EARLIER_COLUMNS, []);
    earlier_part(&mut out, tenant, query, query.before)?;
    // Of one resource, versions rise as stamps do, and that is the order of its index.
    match query.scope {
        HistoryScope::Instance(_) => out.push(" ORDER BY 3 DESC LIMIT ?", [limit(query.count)]),
        _ => out.push(" ORDER BY 4 DESC LIMIT ?", [limit(query.count)]),
    }
    Ok(out)
}

/// How many versions a history has, up to the limit.
pub(crate) fn history_total<'a>(
    tenant: TenantId,
    query: &'a HistoryQuery,
    most: u64,
) -> Result<NumberQuery<'a>> {
    let mut out = Statement::new("SELECT count(*) FROM (SELECT 1", []);
    current_part(&mut out, tenant, query, None)?;
    out.push(" UNION ALL SELECT 1", []);
    earlier_part(&mut out, tenant, query, None)?;
    out.push(
        " LIMIT ?) AS v",
        [Bind::Big(i64::try_from(most).unwrap_or(i64::MAX))],
    );
    Ok(out)
}

fn current_part<'a, ST>(
    out: &mut Statement<'a, ST>,
    tenant: TenantId,
    query: &'a HistoryQuery,
    before: Option<i64>,
) -> Result<()> {
    match &query.scope {
        HistoryScope::Instance(key) => out.push(
            " FROM resource r WHERE r.tenant = ? AND r.type = ? AND r.id = ?",
            key_binds(tenant, key),
        ),
        HistoryScope::Type(t) => out.push(
            " FROM resource r WHERE r.tenant = ? AND r.type = ?",
            [Bind::Big(tenant.0), Bind::Small(t.number())],
        ),
        HistoryScope::System => out.push(" FROM resource r WHERE r.tenant = ?", [Bind::Big(tenant.0)]),
    }
    let (first, last) = span(query.since, query.at, before);
    out.push(
        " AND r.stamp >= ? AND r.stamp <= ? AND ",
        [Bind::Big(first), Bind::Big(last)],
    );
    filter::push(out, &query.filter)
}

fn earlier_part<'a, ST>(
    out: &mut Statement<'a, ST>,
    tenant: TenantId,
    query: &'a HistoryQuery,
    before: Option<i64>,
) -> Result<()> {
    out.push(
        " FROM history h JOIN resource r ON r.tenant = h.tenant AND r.surrogate = h.resource WHERE ",
        [],
    );
    match &query.scope {
        HistoryScope::Instance(key) => {
            out.push(
                "h.tenant = ? AND h.resource = (SELECT k.surrogate FROM resource k",
                [Bind::Big(tenant.0)],
            );
            out.push(
                " WHERE k.tenant = ? AND k.type = ? AND k.id = ?)",
                key_binds(tenant, key),
            );
        }
        HistoryScope::Type(t) => {
            out.push(
                "h.tenant = ? AND h.type = ?",
                [Bind::Big(tenant.0), Bind::Small(t.number())],
            );
        }
        HistoryScope::System => out.push("h.tenant = ?", [Bind::Big(tenant.0)]),
    }
    let (first, last) = span(query.since, query.at, before);
    let range = match query.scope {
        // The plus keeps the planner from walking all stamps for the sake of a few versions.
        HistoryScope::Instance(_) => " AND +h.stamp >= ? AND +h.stamp <= ?",
        _ => " AND h.stamp >= ? AND h.stamp <= ?",
    };
    out.push(range, [Bind::Big(first), Bind::Big(last)]);
    if let Some((from, _)) = query.at {
        out.push(" AND h.until > ?", [Bind::Big(last_of(from))]);
    }
    out.push(" AND ", []);
    filter::push(out, &query.filter)
}

/// The first and last stamp that `_since`, the end of `_at` and the page let through.
fn span(since: Option<Millis>, at: Option<(Millis, Millis)>, before: Option<i64>) -> (i64, i64) {
    let last = at.map_or(i64::MAX, |(_, to)| last_of(to));
    (
        since.map_or(0, first_of),
        before.map_or(last, |stamp| last.min(stamp.saturating_sub(1))),
    )
}

fn limit(count: usize) -> Bind<'static> {
    Bind::Big(i64::try_from(count).unwrap_or(i64::MAX))
}

/// Current resources.
pub(crate) fn search<'a>(tenant: TenantId, query: &'a SearchQuery) -> Result<VersionQuery<'a>> {
    let mut out = Statement::new(VERSION_COLUMNS, []);
    search_part(&mut out, tenant, query, query.after)?;
    let order = match (names_resources(&query.filter), query.ascending) {
        (false, true) => " ORDER BY r.stamp LIMIT ?",
        (false, false) => " ORDER BY r.stamp DESC LIMIT ?",
        (true, true) => " ORDER BY +r.stamp LIMIT ?",
        (true, false) => " ORDER BY +r.stamp DESC LIMIT ?",
    };
    out.push(order, [limit(query.count)]);
    Ok(out)
}

/// How many current resources match, up to the limit.
pub(crate) fn search_total<'a>(
    tenant: TenantId,
    query: &'a SearchQuery,
    most: u64,
) -> Result<NumberQuery<'a>> {
    let mut out = Statement::new("SELECT count(*) FROM (SELECT 1", []);
    search_part(&mut out, tenant, query, None)?;
    out.push(
        " LIMIT ?) AS m",
        [Bind::Big(i64::try_from(most).unwrap_or(i64::MAX))],
    );
    Ok(out)
}

fn search_part<'a, ST>(
    out: &mut Statement<'a, ST>,
    tenant: TenantId,
    query: &'a SearchQuery,
    after: Option<i64>,
) -> Result<()> {
    out.push(" FROM resource r WHERE r.tenant = ?", [Bind::Big(tenant.0)]);
    if let Some(t) = query.resource_type {
        out.push(" AND r.type = ?", [Bind::Small(t.number())]);
    } else if names_ids(&query.filter) {
        // The key index begins with the type: naming all types lets the ids drive it.
        out.push(" AND r.type IN (0", []);
        for number in 1..=ResourceType::count() {
            out.push(", ?", [Bind::Small(number)]);
        }
        out.push(")", []);
    }
    let (mut first, mut last) = stamps(&query.filter);
    last = query.mark.map_or(last, |mark| last.min(mark));
    match (after, query.ascending) {
        (Some(stamp), true) => first = first.max(stamp.saturating_add(1)),
        (Some(stamp), false) => last = last.min(stamp.saturating_sub(1)),
        (None, _) => {}
    }
    // The plus keeps the planner from walking all stamps where the resources are named.
    let range = match names_resources(&query.filter) {
        false => " AND r.stamp >= ? AND r.stamp <= ? AND r.change < ? AND ",
        true => " AND +r.stamp >= ? AND +r.stamp <= ? AND r.change < ? AND ",
    };
    out.push(range, [Bind::Big(first), Bind::Big(last), Bind::Small(DELETED)]);
    filter::push(out, &query.filter)
}

/// A span of stamps that holds all that the filter lets through.
fn stamps(filter: &Filter) -> (i64, i64) {
    match filter {
        Filter::LastUpdated { from, to } => (from.map_or(0, first_of), to.map_or(i64::MAX, last_of)),
        Filter::And(all) => all
            .iter()
            .map(stamps)
            .fold((0, i64::MAX), |a, b| (a.0.max(b.0), a.1.min(b.1))),
        _ => (0, i64::MAX),
    }
}

fn names_resources(filter: &Filter) -> bool {
    match filter {
        Filter::Ids(_) | Filter::Resource(_) => true,
        Filter::And(all) => all.iter().any(names_resources),
        _ => false,
    }
}

fn names_ids(filter: &Filter) -> bool {
    match filter {
        Filter::Ids(_) => true,
        Filter::And(all) => all.iter().any(names_ids),
        _ => false,
    }
}

/// The greatest stamp of the tenant.
pub(crate) fn greatest_stamp(tenant: TenantId) -> Statement<'static, Nullable<BigInt>> {
    Statement::new(
        "SELECT max(r.stamp) FROM resource r WHERE r.tenant = ?",
        [Bind::Big(tenant.0)],
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
