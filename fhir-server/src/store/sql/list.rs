//! The statements that list and count: histories and searches.
//!
//! Invariant: the filter is in every one of their row sets.

use diesel::sql_types::BigInt;

use super::dialect::Dialect;
use super::filter;
use super::read::{EARLIER_COLUMNS, VersionQuery, key_binds};
use super::row::{DELETED, VERSION_COLUMNS};
use super::statement::{Bind, Statement};
use crate::context::{Millis, TenantId};
use crate::error::Result;
use crate::error::{Error, ErrorCode};
use crate::store::stamp::{first_of, last_of};
use crate::store::{
    Cursor, Filter, Found, HistoryQuery, HistoryScope, Place, ResourceType, SearchQuery, SortKey, Version,
};

/// A statement that reads one number.
pub(crate) type NumberQuery<'a> = Statement<'a, BigInt>;

/// Makes the statements that list and count.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lists {
    /// Whose resources.
    pub(crate) tenant: TenantId,
    /// A condition of the back end's own, such as one that ends a statement after a time: ` AND …` or nothing.
    pub(crate) guard: &'static str,
    /// What the back end's SQL has that others' has not.
    pub(crate) dialect: Dialect,
}

impl Lists {
    /// The versions of a history, newest first.
    pub(crate) fn history<'a>(&self, query: &'a HistoryQuery) -> Result<VersionQuery<'a>> {
        // Of one resource, versions rise as stamps do, and that is the order of its index.
        let of_one = matches!(query.scope, HistoryScope::Instance(_));
        let (open, close) = self.dialect.part();
        let mut out = Statement::new(open, []);
        out.push(VERSION_COLUMNS, []);
        self.current_part(&mut out, query, query.before)?;
        self.end_part(&mut out, " ORDER BY r.stamp DESC LIMIT ?", query.count);
        out.push(close, []);
        out.push(" UNION ALL ", []);
        out.push(open, []);
        out.push(EARLIER_COLUMNS, []);
        self.earlier_part(&mut out, query, query.before)?;
        match of_one {
            true => self.end_part(&mut out, " ORDER BY h.version DESC LIMIT ?", query.count),
            false => self.end_part(&mut out, " ORDER BY h.stamp DESC LIMIT ?", query.count),
        }
        out.push(close, []);
        match of_one {
            true => out.push(" ORDER BY 3 DESC LIMIT ?", [limit(query.count)]),
            false => out.push(" ORDER BY 4 DESC LIMIT ?", [limit(query.count)]),
        }
        Ok(out)
    }

    /// Ends a part of a union with its own order and limit, where the database does not see by itself that both parts come in
    /// order.
    fn end_part<ST>(&self, out: &mut Statement<'_, ST>, order: &'static str, count: usize) {
        if self.dialect.orders_parts() {
            out.push(order, [limit(count)]);
        }
    }

    /// How many versions a history has, up to the limit.
    pub(crate) fn history_total<'a>(&self, query: &'a HistoryQuery, most: u64) -> Result<NumberQuery<'a>> {
        let mut out = Statement::new("SELECT count(*) FROM (SELECT 1", []);
        self.current_part(&mut out, query, None)?;
        out.push(" UNION ALL SELECT 1", []);
        self.earlier_part(&mut out, query, None)?;
        out.push(
            " LIMIT ?) AS v",
            [Bind::Big(i64::try_from(most).unwrap_or(i64::MAX))],
        );
        Ok(out)
    }

    fn current_part<'a, ST>(
        &self,
        out: &mut Statement<'a, ST>,
        query: &'a HistoryQuery,
        before: Option<i64>,
    ) -> Result<()> {
        match &query.scope {
            HistoryScope::Instance(key) => out.push(
                " FROM resource r WHERE r.tenant = ? AND r.type = ? AND r.id = ?",
                key_binds(self.tenant, key),
            ),
            HistoryScope::Type(t) => out.push(
                " FROM resource r WHERE r.tenant = ? AND r.type = ?",
                [Bind::Big(self.tenant.0), Bind::Small(t.number())],
            ),
            HistoryScope::System => {
                out.push(" FROM resource r WHERE r.tenant = ?", [Bind::Big(self.tenant.0)])
            }
        }
        out.push(self.guard, []);
        let (first, last) = span(query.since, query.at, before);
        out.push(
            " AND r.stamp >= ? AND r.stamp <= ? AND ",
            [Bind::Big(first), Bind::Big(last)],
        );
        filter::push(out, &query.filter)
    }

    fn earlier_part<'a, ST>(
        &self,
        out: &mut Statement<'a, ST>,
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
                    [Bind::Big(self.tenant.0)],
                );
                out.push(
                    " WHERE k.tenant = ? AND k.type = ? AND k.id = ?)",
                    key_binds(self.tenant, key),
                );
            }
            HistoryScope::Type(t) => {
                out.push(
                    "h.tenant = ? AND h.type = ?",
                    [Bind::Big(self.tenant.0), Bind::Small(t.number())],
                );
            }
            HistoryScope::System => out.push("h.tenant = ?", [Bind::Big(self.tenant.0)]),
        }
        out.push(self.guard, []);
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

    /// Current resources.
    pub(crate) fn search<'a>(&self, query: &'a SearchQuery) -> Result<VersionQuery<'a>> {
        let mut out = Statement::new(VERSION_COLUMNS, []);
        self.search_part(&mut out, query, query.after.as_ref().map(|after| after.stamp))?;
        let order = match (names_resources(&query.filter), is_ascending(query)?) {
            (false, true) => " ORDER BY r.stamp LIMIT ?",
            (false, false) => " ORDER BY r.stamp DESC LIMIT ?",
            (true, true) => " ORDER BY +r.stamp LIMIT ?",
            (true, false) => " ORDER BY +r.stamp DESC LIMIT ?",
        };
        out.push(order, [limit(query.count)]);
        Ok(out)
    }

    /// How many current resources match, up to the limit.
    pub(crate) fn search_total<'a>(&self, query: &'a SearchQuery, most: u64) -> Result<NumberQuery<'a>> {
        let mut out = Statement::new("SELECT count(*) FROM (SELECT 1", []);
        self.search_part(&mut out, query, None)?;
        out.push(
            " LIMIT ?) AS m",
            [Bind::Big(i64::try_from(most).unwrap_or(i64::MAX))],
        );
        Ok(out)
    }

    fn search_part<'a, ST>(
        &self,
        out: &mut Statement<'a, ST>,
        query: &'a SearchQuery,
        after: Option<i64>,
    ) -> Result<()> {
        out.push(" FROM resource r WHERE r.tenant = ?", [Bind::Big(self.tenant.0)]);
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
        out.push(self.guard, []);
        let (mut first, mut last) = stamps(&query.filter);
        last = query.mark.map_or(last, |mark| last.min(mark));
        match (after, is_ascending(query)?) {
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

/// Whether the oldest change comes first.
fn is_ascending(query: &SearchQuery) -> Result<bool> {
    match query.sort.as_slice() {
        [] => Ok(false),
        [only] if only.key == SortKey::LastUpdated => Ok(!only.descending),
        _ => Err(Error::new(
            ErrorCode::NotSupported,
            "This order is not offered yet.",
        )),
    }
}

/// What the search found with that version.
pub(crate) fn found(query: &SearchQuery, version: Version) -> Found {
    let values = query.sort.iter().map(|_| Place::Number(version.stamp)).collect();
    let stamp = version.stamp;
    Found::new(version, Cursor { values, stamp })
}
