//! The keys of an order as columns of a statement, and what comes after a place in it.
//!
//! The subquery `p` has the stamp `at` and, for each key, a column `k0`, `k1`, …

use super::filter::list;
use super::statement::{Bind, Names, Statement};
use crate::store::{Cursor, MAX_SORTS, Place, Sort, SortKey, ValueKind};

const KEYS: [&str; MAX_SORTS] = ["k0", "k1", "k2", "k3", "k4", "k5"];

fn named(sorts: &[Sort]) -> impl Iterator<Item = (&Sort, Names)> {
    sorts.iter().zip(KEYS.iter().map(|key| Names::resource(key)))
}

/// A pair of columns for each key that there may be: a number, and bytes.
pub(super) fn columns<ST>(out: &mut Statement<'_, ST>, sorts: &[Sort]) {
    for (place, key) in KEYS.iter().enumerate() {
        let text = match sorts.get(place).map(Sort::is_number) {
            Some(true) => ", p.#, CAST(NULL AS bytea)",
            Some(false) => ", CAST(NULL AS bigint), p.#",
            None => ", CAST(NULL AS bigint), CAST(NULL AS bytea)",
        };
        out.push_as(text, Names::resource(key), []);
    }
}

/// The keys of `p`.
pub(super) fn names<ST>(out: &mut Statement<'_, ST>, sorts: &[Sort]) {
    for (_, names) in named(sorts) {
        out.push_as(", p.#", names, []);
    }
}

/// The keys of the resource `r`.
pub(super) fn keys<ST>(out: &mut Statement<'_, ST>, sorts: &[Sort]) {
    for (sort, names) in named(sorts) {
        match &sort.key {
            SortKey::LastUpdated => out.push_as(", r.stamp AS #", names, []),
            SortKey::Id => out.push_as(", r.id AS #", names, []),
            SortKey::Parameter { parameter, kind } => {
                let (text, tail) = text_of(*kind, sort.descending);
                out.push(text, []);
                out.push(" AND l.parameter = ?", [Bind::Int(parameter.0)]);
                out.push_as(tail, names, []);
            }
            SortKey::AnyParameter { parameters, kind } => {
                let (text, tail) = text_of(*kind, sort.descending);
                let numbers = parameters.iter().map(|p| Bind::Int(p.0)).collect();
                out.push(text, []);
                out.push(" AND ", []);
                list(out, "(l.parameter IN (", numbers, names);
                out.push_as(tail, names, []);
            }
        }
    }
}

fn text_of(kind: ValueKind, descending: bool) -> (&'static str, &'static str) {
    let text = match (kind, descending) {
        (ValueKind::Date | ValueKind::Number | ValueKind::Quantity, false) => {
            ", (SELECT min(l.first) FROM span l WHERE l.tenant = r.tenant AND l.resource = r.surrogate"
        }
        (ValueKind::Date | ValueKind::Number | ValueKind::Quantity, true) => {
            ", (SELECT max(l.last) FROM span l WHERE l.tenant = r.tenant AND l.resource = r.surrogate"
        }
        // Of bytes, PostgreSQL has no min and max before 18.
        (_, false) => {
            ", (SELECT n.head FROM label l CROSS JOIN term n WHERE l.tenant = r.tenant AND l.resource = r.surrogate\
             \x20AND n.tenant = l.tenant AND n.number = l.term"
        }
        (_, true) => {
            ", (SELECT n.head FROM label l CROSS JOIN term n WHERE l.tenant = r.tenant AND l.resource = r.surrogate\
             \x20AND n.tenant = l.tenant AND n.number = l.term"
        }
    };
    let tail = match (kind, descending) {
        (ValueKind::Date, _) => " AND l.unit = 0) AS #",
        (ValueKind::Number, _) => " AND l.unit = 1) AS #",
        (ValueKind::Quantity, _) => " AND l.unit >= 2) AS #",
        (ValueKind::String, false) => " AND n.kind = 0 ORDER BY n.head LIMIT 1) AS #",
        (ValueKind::String, true) => " AND n.kind = 0 ORDER BY n.head DESC LIMIT 1) AS #",
        (ValueKind::Token, false) => " AND n.kind = 1 ORDER BY n.head LIMIT 1) AS #",
        (ValueKind::Token, true) => " AND n.kind = 1 ORDER BY n.head DESC LIMIT 1) AS #",
        (ValueKind::Uri, false) => " AND n.kind = 2 ORDER BY n.head LIMIT 1) AS #",
        (ValueKind::Uri, true) => " AND n.kind = 2 ORDER BY n.head DESC LIMIT 1) AS #",
        (ValueKind::Reference | ValueKind::Position, false) => {
            " AND n.kind > 100 ORDER BY n.head LIMIT 1) AS #"
        }
        (ValueKind::Reference | ValueKind::Position, true) => {
            " AND n.kind > 100 ORDER BY n.head DESC LIMIT 1) AS #"
        }
    };
    (text, tail)
}

/// The order of `p`: what has no value comes last.
pub(super) fn order<ST>(out: &mut Statement<'_, ST>, sorts: &[Sort]) {
    out.push(" ORDER BY ", []);
    for (sort, names) in named(sorts) {
        let text = match sort.descending {
            false => "p.# ASC NULLS LAST, ",
            true => "p.# DESC NULLS LAST, ",
        };
        out.push_as(text, names, []);
    }
    out.push("p.at DESC", []);
}

/// What comes after the cursor.
pub(super) fn after<'a, ST>(out: &mut Statement<'a, ST>, sorts: &[Sort], cursor: &'a Cursor) {
    let mut open = 0;
    for ((sort, names), place) in named(sorts).zip(&cursor.values) {
        let bind = match place {
            Place::Missing => {
                out.push_as("(p.# IS NULL AND ", names, []);
                open += 1;
                continue;
            }
            Place::Number(number) => Bind::Big(*number),
            Place::Bytes(bytes) => Bind::Bytes(bytes),
        };
        let text = match sort.descending {
            false => "(p.# > ? OR p.# IS NULL OR (p.# = ? AND ",
            true => "(p.# < ? OR p.# IS NULL OR (p.# = ? AND ",
        };
        out.push_as(text, names, [bind.clone(), bind]);
        open += 2;
    }
    out.push("p.at < ?", [Bind::Big(cursor.stamp)]);
    for _ in 0..open {
        out.push(")", []);
    }
}
