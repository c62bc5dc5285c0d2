//! The statements of a search: pages, totals, and what a condition on what matches reads.
//!
//! A page in the order of changes walks the index of the type until it is full. That is slow where few match, so a search may be
//! driven by a part of its filter instead (`filter::set`), if that gives few resources; how many is counted first, up to
//! [`FEW`]. Measured with SQLite: see `benches/store.rs`.
//!
//! Invariant: the filter is in every one of their row sets.

use diesel::sql_types::{BigInt, Binary, Nullable};

use super::filter;
use super::list::{Lists, NumberQuery, limit};
use super::read::VersionQuery;
use super::row::{DELETED, VERSION_COLUMNS, VersionRow, VersionSql, version_of};
use super::sort;
use super::statement::{Bind, Statement};
use crate::error::Result;
use crate::store::stamp::{first_of, last_of};
use crate::store::{Cursor, Filter, Found, Place, ResourceType, SearchQuery, SortKey, Version};

/// How many resources the part that drives a page in the order of changes gives at most: sorting them takes less time than
/// looking for as many as a page has among all.
pub(crate) const FEW: i64 = 5_000;
/// A part that gives so few drives the search, whatever others give.
const VERY_FEW: i64 = 50;
/// Parts that are counted at most.
const MOST_COUNTED: usize = 4;

/// The types of a row with the places that it has in the order.
pub(crate) type SortedSql = (VersionSql, PlacesSql);
type PlaceSql = (Nullable<BigInt>, Nullable<Binary>);
type PlacesSql = (PlaceSql, PlaceSql, PlaceSql, PlaceSql, PlaceSql, PlaceSql);
/// A version with its places.
pub(crate) type SortedRow = (VersionRow, Places);
type PlaceRow = (Option<i64>, Option<Vec<u8>>);
type Places = (PlaceRow, PlaceRow, PlaceRow, PlaceRow, PlaceRow, PlaceRow);

/// Which part of a filter drives a search.
pub(crate) struct Choice<'f> {
    candidates: Vec<&'f Filter>,
    best: Option<(i64, &'f Filter)>,
    next: usize,
}

impl<'f> Choice<'f> {
    /// Nothing is counted yet.
    pub(crate) fn new(filter: &'f Filter) -> Self {
        let candidates = match names_resources(filter) {
            // The key's index gives them.
            true => Vec::new(),
            false => filter::candidates(filter),
        };
        Choice {
            candidates,
            best: None,
            next: 0,
        }
    }

    /// The statement that counts the next part.
    pub(crate) fn question(&self, lists: Lists) -> Option<NumberQuery<'f>> {
        if self.next >= MOST_COUNTED || self.best.is_some_and(|(count, _)| count <= VERY_FEW) {
            return None;
        }
        let part = self.candidates.get(self.next)?;
        let mut out = Statement::new("SELECT count(*) FROM (SELECT 1 FROM (", []);
        filter::set(&mut out, lists, part);
        out.push(") e LIMIT ?) c", [Bind::Big(FEW + 1)]);
        Some(out)
    }

    /// How many that was.
    pub(crate) fn answer(&mut self, count: i64) {
        if let Some(part) = self.candidates.get(self.next)
            && self.best.is_none_or(|(least, _)| count < least)
        {
            self.best = Some((count, part));
        }
        self.next += 1;
    }

    /// The part that drives a search which looks at all that match.
    pub(crate) fn of_all(&self) -> Option<&'f Filter> {
        self.best.map(|(_, part)| part)
    }

    /// The part that drives a search which may stop when its page is full.
    pub(crate) fn of_page(&self, query: &SearchQuery) -> Option<&'f Filter> {
        match in_order_of_changes(query) {
            Some(_) => self.best.filter(|(count, _)| *count <= FEW).map(|(_, part)| part),
            None => self.of_all(),
        }
    }
}

/// Whether the order is that of the changes, oldest first or newest first.
pub(crate) fn in_order_of_changes(query: &SearchQuery) -> Option<bool> {
    match query.sort.first() {
        None => Some(false),
        Some(first) if first.key == SortKey::LastUpdated => Some(!first.descending),
        Some(_) => None,
    }
}

impl Lists {
    /// Current resources in the order of changes.
    pub(crate) fn by_change<'a>(
        self,
        query: &'a SearchQuery,
        drive: Option<&'a Filter>,
        ascending: bool,
    ) -> Result<VersionQuery<'a>> {
        let mut out = Statement::new(
            if drive.is_some() {
                "SELECT r.type, r.id, r.version, r.stamp, r.change, r.encoding, r.stamp_at, r.stamp_form, r.body FROM (SELECT r.surrogate AS s, r.stamp AS at"
            } else {
                VERSION_COLUMNS
            },
            [],
        );
        let after = query.after.as_ref().map(|after| (after.stamp, ascending));
        self.part(&mut out, query, drive, after)?;
        let walks = drive.is_none() && !names_resources(&query.filter);
        let order = match (walks, ascending) {
            (true, true) => " ORDER BY r.stamp LIMIT ?",
            (true, false) => " ORDER BY r.stamp DESC LIMIT ?",
            (false, true) => " ORDER BY +r.stamp LIMIT ?",
            (false, false) => " ORDER BY +r.stamp DESC LIMIT ?",
        };
        out.push(order, [limit(query.count)]);
        if drive.is_some() {
            out.push(
                ") p CROSS JOIN resource r WHERE r.tenant = ? AND r.surrogate = p.s",
                [Bind::Big(self.tenant.0)],
            );
            out.push(
                match ascending {
                    true => " ORDER BY p.at",
                    false => " ORDER BY p.at DESC",
                },
                [],
            );
        }
        Ok(out)
    }

    /// Current resources in another order, with the places that they have in it.
    pub(crate) fn by_keys<'a>(
        self,
        query: &'a SearchQuery,
        drive: Option<&'a Filter>,
    ) -> Result<Statement<'a, SortedSql>> {
        let mut out = Statement::new(VERSION_COLUMNS, []);
        sort::columns(&mut out, &query.sort);
        out.push(" FROM (SELECT p.s, p.at", []);
        sort::names(&mut out, &query.sort);
        out.push(" FROM (SELECT r.surrogate AS s, r.stamp AS at", []);
        sort::keys(&mut out, self, query)?;
        self.part(&mut out, query, drive, None)?;
        out.push(") p", []);
        if let Some(after) = &query.after {
            out.push(" WHERE ", []);
            sort::after(&mut out, &query.sort, after);
        }
        sort::order(&mut out, &query.sort);
        out.push(" LIMIT ?", [limit(query.count)]);
        out.push(
            ") p CROSS JOIN resource r WHERE r.tenant = ? AND r.surrogate = p.s",
            [Bind::Big(self.tenant.0)],
        );
        sort::order(&mut out, &query.sort);
        Ok(out)
    }

    /// How many current resources match, up to the limit.
    pub(crate) fn search_total<'a>(
        self,
        query: &'a SearchQuery,
        drive: Option<&'a Filter>,
        most: u64,
    ) -> Result<NumberQuery<'a>> {
        let mut out = Statement::new("SELECT count(*) FROM (SELECT 1", []);
        self.part(&mut out, query, drive, None)?;
        out.push(
            " LIMIT ?) AS m",
            [Bind::Big(i64::try_from(most).unwrap_or(i64::MAX))],
        );
        Ok(out)
    }

    /// The packed ids of the current resources of a type that the filter lets through, at most so many.
    pub(crate) fn matches<'a>(
        self,
        query: &'a SearchQuery,
        drive: Option<&'a Filter>,
    ) -> Result<Statement<'a, Binary>> {
        let mut out = Statement::new("SELECT r.id", []);
        self.part(&mut out, query, drive, None)?;
        out.push(" LIMIT ?", [limit(query.count)]);
        Ok(out)
    }

    fn part<'a, ST>(
        self,
        out: &mut Statement<'a, ST>,
        query: &'a SearchQuery,
        drive: Option<&'a Filter>,
        after: Option<(i64, bool)>,
    ) -> Result<()> {
        let names = names_resources(&query.filter);
        match drive {
            None => out.push(" FROM resource r WHERE r.tenant = ?", [Bind::Big(self.tenant.0)]),
            Some(part) => {
                out.push(" FROM (SELECT DISTINCT e.s FROM (", []);
                filter::set(out, self, part);
                out.push(
                    ") e) d CROSS JOIN resource r WHERE r.tenant = ? AND r.surrogate = d.s",
                    [Bind::Big(self.tenant.0)],
                );
            }
        }
        if let Some(t) = query.resource_type {
            out.push(" AND r.type = ?", [Bind::Small(t.number())]);
        } else if drive.is_none() && names_ids(&query.filter) {
            // The key index begins with the type: naming all types lets the ids drive it.
            out.push(" AND r.type IN (0", []);
            for number in 1..=ResourceType::count() {
                out.push(", ?", [Bind::Small(number)]);
            }
            out.push(")", []);
        }
        out.push(self.guard, []);
        let (first, last) = bounds(query, after);
        // The plus keeps the planner from walking all stamps where the resources are named.
        let range = match drive.is_none() && !names {
            true => " AND r.stamp >= ? AND r.stamp <= ? AND r.change < ? AND ",
            false => " AND +r.stamp >= ? AND +r.stamp <= ? AND r.change < ? AND ",
        };
        out.push(range, [Bind::Big(first), Bind::Big(last), Bind::Small(DELETED)]);
        filter::push_but(out, self, &query.filter, drive)
    }
}

/// The first and last stamp that the filter, the mark and the page let through.
fn bounds(query: &SearchQuery, after: Option<(i64, bool)>) -> (i64, i64) {
    let (first, last) = stamps(&query.filter);
    let last = query.mark.map_or(last, |mark| last.min(mark));
    match after {
        Some((stamp, true)) => (first.max(stamp.saturating_add(1)), last),
        Some((stamp, false)) => (first, last.min(stamp.saturating_sub(1))),
        None => (first, last),
    }
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

/// What a search in the order of changes found with that version.
pub(crate) fn found(query: &SearchQuery, version: Version) -> Found {
    let values = query.sort.iter().map(|sort| match sort.key {
        SortKey::LastUpdated => Place::Number(version.stamp),
        // What comes after the first key has no say.
        _ => Place::Missing,
    });
    let (values, stamp) = (values.collect(), version.stamp);
    Found::new(version, Cursor { values, stamp })
}

/// What a search in another order found.
pub(crate) fn found_sorted(query: &SearchQuery, row: SortedRow) -> Result<Found> {
    let (version, (a, b, c, d, e, f)) = row;
    let version = version_of(version)?;
    let places = [a, b, c, d, e, f].into_iter().take(query.sort.len());
    let values = places.map(|place| match place {
        (Some(number), _) => Place::Number(number),
        (_, Some(bytes)) => Place::Bytes(bytes),
        (None, None) => Place::Missing,
    });
    let (values, stamp) = (values.collect(), version.stamp);
    Ok(Found::new(version, Cursor { values, stamp }))
}
