//! [`Edge`]: a place in an order of which the index says that enough comes before it, so that the first page of a sorted search need not
//! sort all that there is.
//!
//! The index of the first key is walked in its order until as many match as a page has. Then everything up to there is sorted by all keys.
//!
//! Invariant: everything that is before the edge in the order is in its set. So a page that is full is right, wherever the edge is; one
//! that is not full says nothing, and the search is run without the edge.

use diesel::sql_types::{BigInt, Binary, Nullable};

use super::filter::{LONG, SHORT_NUMBER, SHORT_TIME};
use super::list::{Lists, limit};
use super::search::{Stamps, Tested};
use super::statement::{Bind, Statement};
use crate::error::Result;
use crate::store::{ParameterNumber, Place, SearchQuery, Sort, SortKey, ValueKind};

/// How far the index is walked at most. The numbers stand in the text, where a planner sees them: of one that it does not know, PostgreSQL
/// thinks that sorting all there is costs less.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// What most pages need. For SQLite, which stops where enough match, it is no different.
    #[cfg(feature = "postgres")]
    Near,
    /// As far as it pays.
    Far,
}

impl Reach {
    /// How many rows of the index.
    fn rows(self) -> &'static str {
        match self {
            #[cfg(feature = "postgres")]
            Reach::Near if cfg!(test) => " LIMIT 5",
            #[cfg(feature = "postgres")]
            Reach::Near => " LIMIT 200",
            Reach::Far if cfg!(test) => " LIMIT 20",
            Reach::Far => " LIMIT 5000",
        }
    }

    /// How many texts, those of other parameters among them.
    fn texts(self) -> &'static str {
        match self {
            #[cfg(feature = "postgres")]
            Reach::Near if cfg!(test) => " LIMIT 10",
            #[cfg(feature = "postgres")]
            Reach::Near => " LIMIT 1000",
            Reach::Far if cfg!(test) => " LIMIT 40",
            Reach::Far => " LIMIT 20000",
        }
    }
}

/// The types of a place: a number, or bytes.
pub(crate) type PlaceSql = (Nullable<BigInt>, Nullable<Binary>);

/// The part of an order between two places.
#[derive(Clone, Debug)]
pub(crate) struct Edge {
    key: Key,
    /// Where the page before ended.
    from: Option<Place>,
    /// The edge.
    to: Place,
}

/// The first key of an order that has an index.
#[derive(Clone, Copy, Debug)]
struct Key {
    parameter: ParameterNumber,
    kind: ValueKind,
    descending: bool,
}

impl Key {
    /// That of a search, where its first key has an index and the page begins before the resources without a value.
    fn of(query: &SearchQuery) -> Option<Key> {
        let Sort { key, descending } = query.sort.first()?;
        let SortKey::Parameter { parameter, kind } = *key else {
            return None;
        };
        let is_indexed = matches!(kind, ValueKind::Date | ValueKind::Number | ValueKind::String);
        let key = Key {
            parameter,
            kind,
            descending: *descending,
        };
        match query.after.as_ref().and_then(|after| after.values.first()) {
            Some(Place::Missing) => None,
            _ => is_indexed.then_some(key),
        }
    }

    fn is_text(self) -> bool {
        self.kind == ValueKind::String
    }

    fn unit(self) -> Bind<'static> {
        Bind::Big(i64::from(self.kind == ValueKind::Number))
    }

    /// How long a span is that is not in the index of long ones.
    fn short(self) -> i64 {
        match self.kind {
            ValueKind::Number => SHORT_NUMBER,
            _ => SHORT_TIME,
        }
    }
}

impl Edge {
    /// The edge that the statement of [`Lists::edge`] found.
    pub(crate) fn new(query: &SearchQuery, found: (Option<i64>, Option<Vec<u8>>)) -> Option<Edge> {
        let to = match found {
            (Some(number), _) => Place::Number(number),
            (None, Some(bytes)) => Place::Bytes(bytes),
            (None, None) => return None,
        };
        let from = query
            .after
            .as_ref()
            .and_then(|after| after.values.first().cloned());
        Some(Edge {
            key: Key::of(query)?,
            from,
            to,
        })
    }

    /// Appends a statement that gives the surrogates of what is before the edge, some of them maybe more than once.
    pub(super) fn set<ST>(&self, out: &mut Statement<'_, ST>, lists: Lists) {
        match (&self.to, &self.from) {
            (Place::Bytes(to), from) => {
                let from = match from {
                    Some(Place::Bytes(from)) => Some(from.clone()),
                    _ => None,
                };
                self.texts(out, lists, (from, to.clone()));
            }
            (Place::Number(to), from) => {
                let from = match from {
                    Some(Place::Number(from)) => Some(*from),
                    _ => None,
                };
                self.spans(out, lists, (from, *to));
            }
            (Place::Missing, _) => out.push("SELECT r.surrogate AS s FROM resource r WHERE FALSE", []),
        }
    }

    fn texts<ST>(&self, out: &mut Statement<'_, ST>, lists: Lists, (from, to): (Option<Vec<u8>>, Vec<u8>)) {
        let tenant = || Bind::Big(lists.tenant.0);
        let (low, high) = match self.key.descending {
            false => (from, Some(to)),
            true => (Some(to), from),
        };
        let of_text = " l.tenant = ? AND l.parameter = ? AND l.term = n.number";
        let binds = || [tenant(), Bind::Int(self.key.parameter.0)];
        let beside = lists.dialect.beside();
        out.push("SELECT l.resource AS s FROM term n CROSS JOIN ", []);
        if let Some((begin, end)) = beside {
            out.push(begin, []);
            out.push("SELECT l.resource FROM label l WHERE", []);
            out.push(of_text, binds());
            out.push(lists.row_guard(), []);
            out.push(end, []);
            out.push(" l", []);
        } else {
            out.push("label l", []);
        }
        out.push(" WHERE n.tenant = ? AND n.kind = 0", [tenant()]);
        if let Some(low) = low {
            out.push(" AND n.head >= ?", [Bind::Owned(low)]);
        }
        if let Some(high) = high {
            out.push(" AND n.head <= ?", [Bind::Owned(high)]);
        }
        out.push(lists.term_guard(), []);
        if beside.is_none() {
            out.push(" AND", []);
            out.push(of_text, binds());
            out.push(lists.row_guard(), []);
        }
    }

    fn spans<ST>(&self, out: &mut Statement<'_, ST>, lists: Lists, (from, to): (Option<i64>, i64)) {
        let row =
            |out: &mut Statement<'_, ST>| {
                out.push(
                "SELECT l.resource AS s FROM span l WHERE l.tenant = ? AND l.parameter = ? AND l.unit = ?",
                [Bind::Big(lists.tenant.0), Bind::Int(self.key.parameter.0), self.key.unit()],
            );
            };
        row(out);
        if self.key.descending {
            let high = from.unwrap_or(i64::MAX);
            out.push(
                " AND l.last >= ? AND l.last <= ?",
                [Bind::Big(to), Bind::Big(high)],
            );
            return out.push(lists.row_guard(), []);
        }
        let low = from.unwrap_or(i64::MIN);
        let short_to = to.saturating_add(self.key.short());
        out.push(
            " AND l.last >= ? AND l.last <= ? AND l.first <= ?",
            [Bind::Big(low), Bind::Big(short_to), Bind::Big(to)],
        );
        out.push(lists.row_guard(), []);
        out.push(" UNION ALL ", []);
        row(out);
        out.push(" AND ", []);
        out.push(LONG, []);
        out.push(
            " AND l.first >= ? AND l.first <= ?",
            [Bind::Big(low), Bind::Big(to)],
        );
        out.push(lists.row_guard(), []);
    }
}

impl Lists {
    /// The statement that looks for the edge of a page: none where the order has no index.
    pub(crate) fn edge<'a>(
        self,
        query: &'a SearchQuery,
        reach: Reach,
    ) -> Result<Option<Statement<'a, PlaceSql>>> {
        let Some(key) = Key::of(query) else {
            return Ok(None);
        };
        let mut out = match key.is_text() {
            true => Statement::new("SELECT CAST(NULL AS bigint), x.at FROM (", []),
            false => Statement::new("SELECT x.at, CAST(NULL AS bytea) FROM (", []),
        };
        let from = query.after.as_ref().and_then(|after| after.values.first());
        match key.is_text() {
            true => self.walk_texts(&mut out, key, reach, from),
            false => self.walk_spans(&mut out, key, from),
        }
        out.push(reach.rows(), []);
        out.push(
            ") x CROSS JOIN resource r WHERE r.tenant = ? AND r.surrogate = x.s",
            [Bind::Big(self.tenant.0)],
        );
        self.conditions(&mut out, query, Stamps::of(query, None), Tested::All)?;
        if self.dialect.orders_parts() {
            let order = match key.descending {
                false => " ORDER BY x.at",
                true => " ORDER BY x.at DESC",
            };
            out.push(order, []);
        }
        out.push(" LIMIT 1 OFFSET ?", [limit(query.count.saturating_sub(1))]);
        Ok(Some(out))
    }

    fn walk_texts<'a>(
        self,
        out: &mut Statement<'a, PlaceSql>,
        key: Key,
        reach: Reach,
        from: Option<&'a Place>,
    ) {
        let tenant = || Bind::Big(self.tenant.0);
        out.push(
            "SELECT l.resource AS s, n.head AS at FROM (SELECT n.number, n.head FROM term n WHERE n.tenant = ? AND n.kind = 0",
            [tenant()],
        );
        if let Some(Place::Bytes(from)) = from {
            let text = match key.descending {
                false => " AND n.head >= ?",
                true => " AND n.head <= ?",
            };
            out.push(text, [Bind::Bytes(from)]);
        }
        out.push(self.term_guard(), []);
        let order = match key.descending {
            false => " ORDER BY n.head",
            true => " ORDER BY n.head DESC",
        };
        out.push(order, []);
        out.push(reach.texts(), []);
        out.push(
            ") n CROSS JOIN label l WHERE l.tenant = ? AND l.parameter = ? AND l.term = n.number",
            [tenant(), Bind::Int(key.parameter.0)],
        );
        out.push(self.row_guard(), []);
        // SQLite keeps the order of the texts, and does not see that it does.
        match (self.dialect.orders_parts(), key.descending) {
            (false, _) => {}
            (true, false) => out.push(" ORDER BY n.head", []),
            (true, true) => out.push(" ORDER BY n.head DESC", []),
        }
    }

    fn walk_spans<'a>(self, out: &mut Statement<'a, PlaceSql>, key: Key, from: Option<&'a Place>) {
        out.push(
            "SELECT l.resource AS s, l.last AS at FROM span l WHERE l.tenant = ? AND l.parameter = ? AND l.unit = ?",
            [Bind::Big(self.tenant.0), Bind::Int(key.parameter.0), key.unit()],
        );
        if let Some(Place::Number(from)) = from {
            let text = match key.descending {
                false => " AND l.last >= ?",
                true => " AND l.last <= ?",
            };
            out.push(text, [Bind::Big(*from)]);
        }
        out.push(self.row_guard(), []);
        let order = match key.descending {
            false => " ORDER BY l.last",
            true => " ORDER BY l.last DESC",
        };
        out.push(order, []);
    }
}
