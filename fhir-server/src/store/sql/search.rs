//! The statements of a search: pages, totals, and what a condition on what matches reads.
//!
//! How a search comes by the resources that it looks at is a [`Way`]. A page in the order of changes walks the index of the type until it
//! is full. That is slow where few match, so a search may be driven by a part of its filter instead (`filter::set`), if that gives few
//! resources (`choice`); and where no part gives few, a walk that has not filled its page after some thousand resources gives way to the
//! part that gives the fewest. Another order begins where its own index does (`edge`).
//!
//! Invariant: the filter is in every one of their row sets.

use diesel::sql_types::{BigInt, Binary, Nullable};

use super::choice::Way;
use super::filter;
use super::list::{Lists, NumberQuery, limit};
use super::read::VersionQuery;
use super::row::{DELETED, VERSION_COLUMNS, VersionRow, VersionSql, version_of};
use super::sort;
use super::statement::{Bind, Statement};
use crate::error::Result;
use crate::store::stamp::{first_of, last_of};
use crate::store::{Cursor, Filter, Found, Place, ResourceType, SearchQuery, SortKey, Version};

/// The types of a row with the places that it has in the order.
pub(crate) type SortedSql = (VersionSql, PlacesSql);
type PlaceSql = (Nullable<BigInt>, Nullable<Binary>);
type PlacesSql = (PlaceSql, PlaceSql, PlaceSql, PlaceSql, PlaceSql, PlaceSql);
/// A version with its places.
pub(crate) type SortedRow = (VersionRow, Places);
type PlaceRow = (Option<i64>, Option<Vec<u8>>);
type Places = (PlaceRow, PlaceRow, PlaceRow, PlaceRow, PlaceRow, PlaceRow);

/// Whether the order is that of the changes, oldest first or newest first.
pub(crate) fn in_order_of_changes(query: &SearchQuery) -> Option<bool> {
    match query.sort.first() {
        None => Some(false),
        Some(first) if first.key == SortKey::LastUpdated => Some(!first.descending),
        Some(_) => None,
    }
}

/// Which stamps the resources of a search have, and whether an index of stamps is walked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stamps {
    first: i64,
    last: i64,
    walks: bool,
}

impl Stamps {
    /// Those of the filter, the mark and the page, of resources that are come by otherwise.
    pub(super) fn of(query: &SearchQuery, after: Option<(i64, bool)>) -> Self {
        let (first, last) = bounds(query, after);
        Stamps {
            first,
            last,
            walks: false,
        }
    }
}

impl Lists {
    /// Current resources in the order of changes.
    pub(crate) fn by_change<'a>(
        self,
        query: &'a SearchQuery,
        way: &'a Way<'a>,
        ascending: bool,
    ) -> Result<VersionQuery<'a>> {
        let after = query.after.as_ref().map(|after| (after.stamp, ascending));
        let walks = matches!(way, Way::Walk);
        let mut out = match walks {
            true => Statement::new(VERSION_COLUMNS, []),
            false => Statement::new(
                "SELECT r.type, r.id, r.version, r.stamp, r.change, r.encoding, r.stamp_at, r.stamp_form, r.body \
                 FROM (SELECT r.surrogate AS s, r.stamp AS at",
                [],
            ),
        };
        match way {
            Way::WalkSome(most) => {
                out.push(" FROM (SELECT r.tenant, r.surrogate, r.type, r.id, r.stamp", []);
                self.walk(&mut out, query, (after, ascending), *most)?;
                out.push(") r WHERE ", []);
                filter::push(&mut out, self, &query.filter)?;
            }
            way => self.part(&mut out, query, way, after)?,
        }
        // The plus keeps the planner from walking all stamps where the resources are come by otherwise.
        let is_by_stamp = matches!(way, Way::WalkSome(_)) || walks && !names_resources(&query.filter);
        let order = match (is_by_stamp, ascending) {
            (true, true) => " ORDER BY r.stamp LIMIT ?",
            (true, false) => " ORDER BY r.stamp DESC LIMIT ?",
            (false, true) => " ORDER BY +r.stamp LIMIT ?",
            (false, false) => " ORDER BY +r.stamp DESC LIMIT ?",
        };
        out.push(order, [limit(query.count)]);
        if !walks {
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

    /// A row if there are more resources than so many to walk.
    pub(crate) fn goes_on<'a>(
        self,
        query: &'a SearchQuery,
        ascending: bool,
        most: i64,
    ) -> Result<NumberQuery<'a>> {
        let after = query.after.as_ref().map(|after| (after.stamp, ascending));
        let mut out = Statement::new("SELECT w.stamp FROM (SELECT r.stamp", []);
        self.walk(&mut out, query, (after, ascending), most.saturating_add(1))?;
        out.push(") w LIMIT 1 OFFSET ?", [Bind::Big(most)]);
        Ok(out)
    }

    /// The first resources in the order of changes, whether they match or not.
    fn walk<'a, ST>(
        self,
        out: &mut Statement<'a, ST>,
        query: &'a SearchQuery,
        (after, ascending): (Option<(i64, bool)>, bool),
        most: i64,
    ) -> Result<()> {
        out.push(" FROM resource r WHERE r.tenant = ?", [Bind::Big(self.tenant.0)]);
        let stamps = Stamps {
            walks: true,
            ..Stamps::of(query, after)
        };
        self.conditions(out, query, stamps, Tested::Nothing)?;
        let order = match ascending {
            true => " ORDER BY r.stamp LIMIT ?",
            false => " ORDER BY r.stamp DESC LIMIT ?",
        };
        out.push(order, [Bind::Big(most)]);
        Ok(())
    }

    /// Current resources in another order, with the places that they have in it.
    pub(crate) fn by_keys<'a>(
        self,
        query: &'a SearchQuery,
        way: &'a Way<'a>,
    ) -> Result<Statement<'a, SortedSql>> {
        let mut out = Statement::new(VERSION_COLUMNS, []);
        sort::columns(&mut out, &query.sort);
        out.push(" FROM (SELECT p.s, p.at", []);
        sort::names(&mut out, &query.sort);
        out.push(" FROM (SELECT r.surrogate AS s, r.stamp AS at", []);
        sort::keys(&mut out, self, query)?;
        self.part(&mut out, query, way, None)?;
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
        way: &'a Way<'a>,
        most: u64,
    ) -> Result<NumberQuery<'a>> {
        let mut out = Statement::new("SELECT count(*) FROM (SELECT 1", []);
        self.part(&mut out, query, way, None)?;
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
        way: &'a Way<'a>,
    ) -> Result<Statement<'a, Binary>> {
        let mut out = Statement::new("SELECT r.id", []);
        self.part(&mut out, query, way, None)?;
        out.push(" LIMIT ?", [limit(query.count)]);
        Ok(out)
    }

    /// The resources that match, come by that way.
    fn part<'a, ST>(
        self,
        out: &mut Statement<'a, ST>,
        query: &'a SearchQuery,
        way: &'a Way<'a>,
        after: Option<(i64, bool)>,
    ) -> Result<()> {
        let tested = match way {
            Way::Drive(candidate) if candidate.is_exact => Tested::AllBut(candidate.part),
            _ => Tested::All,
        };
        match way {
            Way::Walk | Way::WalkSome(_) => {
                out.push(" FROM resource r WHERE r.tenant = ?", [Bind::Big(self.tenant.0)]);
                let stamps = Stamps {
                    walks: !names_resources(&query.filter),
                    ..Stamps::of(query, after)
                };
                return self.conditions(out, query, stamps, tested);
            }
            Way::Drive(candidate) => {
                out.push(" FROM (SELECT DISTINCT e.s FROM (", []);
                filter::set(out, self, candidate.part);
            }
            Way::Until(edge) => {
                out.push(" FROM (SELECT DISTINCT e.s FROM (", []);
                edge.set(out, self);
                if let Some((begin, end)) = self.dialect.beside() {
                    out.push(") e) d CROSS JOIN ", []);
                    out.push(begin, []);
                    out.push(
                        "SELECT * FROM resource r WHERE r.tenant = ? AND r.surrogate = d.s",
                        [Bind::Big(self.tenant.0)],
                    );
                    out.push(end, []);
                    out.push(" r WHERE TRUE", []);
                    return self.conditions(out, query, Stamps::of(query, after), tested);
                }
            }
        }
        out.push(
            ") e) d CROSS JOIN resource r WHERE r.tenant = ? AND r.surrogate = d.s",
            [Bind::Big(self.tenant.0)],
        );
        self.conditions(out, query, Stamps::of(query, after), tested)
    }

    /// What a resource `r` must be besides being come by.
    pub(super) fn conditions<'a, ST>(
        self,
        out: &mut Statement<'a, ST>,
        query: &'a SearchQuery,
        stamps: Stamps,
        tested: Tested<'a>,
    ) -> Result<()> {
        if let Some(t) = query.resource_type {
            out.push(" AND r.type = ?", [Bind::Small(t.number())]);
        } else if matches!(tested, Tested::All) && names_ids(&query.filter) {
            // The key index begins with the type: naming all types lets the ids drive it.
            out.push(" AND r.type IN (0", []);
            for number in 1..=ResourceType::count() {
                out.push(", ?", [Bind::Small(number)]);
            }
            out.push(")", []);
        }
        out.push(self.guard, []);
        // The plus keeps the planner from walking all stamps where the resources are come by otherwise.
        let range = match stamps.walks {
            true => " AND r.stamp >= ? AND r.stamp <= ? AND r.change < ?",
            false => " AND +r.stamp >= ? AND +r.stamp <= ? AND r.change < ?",
        };
        out.push(
            range,
            [
                Bind::Big(stamps.first),
                Bind::Big(stamps.last),
                Bind::Small(DELETED),
            ],
        );
        let but = match tested {
            Tested::Nothing => return Ok(()),
            Tested::All => None,
            Tested::AllBut(part) => Some(part),
        };
        out.push(" AND ", []);
        filter::push_but(out, self, &query.filter, but)
    }
}

/// What of the filter is tested.
#[derive(Clone, Copy, Debug)]
pub(super) enum Tested<'a> {
    /// All of it.
    All,
    /// All but a part that what is come by passes.
    AllBut(&'a Filter),
    /// Nothing.
    Nothing,
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

pub(super) fn names_resources(filter: &Filter) -> bool {
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
