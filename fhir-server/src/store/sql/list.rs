//! The statements that list and count histories; and [`Lists`], what all that list and count share.
//!
//! Invariant: the filter is in every one of their row sets.

use diesel::sql_types::BigInt;

use super::dialect::Dialect;
use super::filter;
use super::read::{EARLIER_COLUMNS, JUDGED, VersionQuery, key_binds};
use super::row::VERSION_COLUMNS;
use super::statement::{Bind, Statement};
use crate::context::{Millis, TenantId};
use crate::error::Result;
use crate::store::stamp::{first_of, last_of};
use crate::store::{HistoryQuery, HistoryScope};

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
    /// The guard for each row `l` that a statement looks at beside those of `resource`.
    pub(super) fn row_guard(self) -> &'static str {
        match self.guard.is_empty() {
            true => "",
            false => " AND row_in_time(l.resource)",
        }
    }

    /// The guard for each term `n`.
    pub(super) fn term_guard(self) -> &'static str {
        match self.guard.is_empty() {
            true => "",
            false => " AND row_in_time(n.number)",
        }
    }

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
        out.push(" FROM ", []);
        out.push(JUDGED, []);
        match &query.scope {
            HistoryScope::Instance(key) => out.push(
                " WHERE r.tenant = ? AND r.type = ? AND r.id = ?",
                key_binds(self.tenant, key),
            ),
            HistoryScope::Type(t) => out.push(
                " WHERE r.tenant = ? AND r.type = ?",
                [Bind::Big(self.tenant.0), Bind::Small(t.number())],
            ),
            HistoryScope::System => out.push(" WHERE r.tenant = ?", [Bind::Big(self.tenant.0)]),
        }
        out.push(self.guard, []);
        let (first, last) = span(query.since, query.at, before);
        out.push(
            " AND r.stamp >= ? AND r.stamp <= ? AND ",
            [Bind::Big(first), Bind::Big(last)],
        );
        filter::push(out, *self, &query.filter)
    }

    fn earlier_part<'a, ST>(
        &self,
        out: &mut Statement<'a, ST>,
        query: &'a HistoryQuery,
        before: Option<i64>,
    ) -> Result<()> {
        out.push(" FROM history h JOIN ", []);
        out.push(JUDGED, []);
        out.push(" ON r.tenant = h.tenant AND r.own = h.resource WHERE ", []);
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
        filter::push(out, *self, &query.filter)
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

pub(super) fn limit(count: usize) -> Bind<'static> {
    Bind::Big(i64::try_from(count).unwrap_or(i64::MAX))
}
