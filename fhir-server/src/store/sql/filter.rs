//! Prints a [`Filter`] as a condition on the current row of a resource, alias `r`.
//!
//! Invariant: a condition is never dropped: what cannot be printed is an error.

use super::statement::{Bind, Statement};
use crate::error::{Error, ErrorCode, Result};
use crate::store::Filter;
use crate::store::id;
use crate::store::stamp::{first_of, last_of};

/// Binds of one statement at most: SQLite takes 32,766, PostgreSQL 65,535.
const MAX_BINDS: usize = 30_000;
/// Conditions of one filter at most: planners take time that grows with their square.
const MAX_CONDITIONS: usize = 1_000;
/// Lists up to this length are padded to a power of two, so that few statement shapes stay prepared.
const MAX_PADDED: usize = 64;

/// Appends the condition in parentheses or as a constant.
pub(crate) fn push<'a, ST>(out: &mut Statement<'a, ST>, filter: &'a Filter) -> Result<()> {
    let (conditions, values) = size(filter);
    if conditions > MAX_CONDITIONS || out.binds() + values > MAX_BINDS {
        return Err(Error::new(
            ErrorCode::Value,
            "The request names too many values; split it into several.",
        ));
    }
    print(out, filter);
    Ok(())
}

/// How many conditions it has, and how many values at most.
fn size(filter: &Filter) -> (usize, usize) {
    let list = |values: usize| (1, values.max(values.min(MAX_PADDED).next_power_of_two()));
    match filter {
        Filter::All | Filter::None => (1, 0),
        Filter::And(filters) | Filter::Or(filters) => filters
            .iter()
            .map(size)
            .fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1)),
        Filter::Not(inner) => size(inner),
        Filter::Types(types) => list(types.len()),
        Filter::Ids(ids) => list(ids.len()),
        Filter::Resource(_) | Filter::LastUpdated { .. } => (1, 2),
        _ => (MAX_CONDITIONS + 1, 0),
    }
}

fn print<'a, ST>(out: &mut Statement<'a, ST>, filter: &'a Filter) {
    match filter {
        Filter::All => out.push("TRUE", []),
        Filter::None => out.push("FALSE", []),
        Filter::And(all) => join(out, all, " AND ", "TRUE"),
        Filter::Or(any) => join(out, any, " OR ", "FALSE"),
        Filter::Not(inner) => {
            out.push("NOT ", []);
            print(out, inner);
        }
        Filter::Types(types) => {
            let numbers: Vec<_> = types.iter().map(|t| Bind::Small(t.number())).collect();
            list(out, "(r.type IN (", numbers);
        }
        Filter::Ids(ids) => {
            let packed: Vec<_> = ids.iter().map(|i| Bind::Owned(id::pack(i))).collect();
            list(out, "(r.id IN (", packed);
        }
        Filter::Resource(key) => out.push(
            "(r.type = ? AND r.id = ?)",
            [
                Bind::Small(key.resource_type.number()),
                Bind::Owned(id::pack(&key.id)),
            ],
        ),
        Filter::LastUpdated { from, to } => {
            let first = from.map_or(0, first_of);
            let last = to.map_or(i64::MAX, last_of);
            // The plus leaves the choice of an index to the statement around it, which gives the span too.
            out.push(
                "(+r.stamp >= ? AND +r.stamp <= ?)",
                [Bind::Big(first), Bind::Big(last)],
            );
        }
        _ => out.push("FALSE", []),
    }
}

/// Balanced, so that a long list does not make a deep expression.
fn join<'a, ST>(out: &mut Statement<'a, ST>, filters: &'a [Filter], with: &'static str, empty: &'static str) {
    match filters {
        [] => out.push(empty, []),
        [one] => print(out, one),
        many => {
            let (left, right) = many.split_at(many.len() / 2);
            out.push("(", []);
            join(out, left, with, empty);
            out.push(with, []);
            join(out, right, with, empty);
            out.push(")", []);
        }
    }
}

fn list<'a, ST>(out: &mut Statement<'a, ST>, start: &'static str, mut values: Vec<Bind<'a>>) {
    let Some(last) = values.last().cloned() else {
        out.push("FALSE", []);
        return;
    };
    if values.len() <= MAX_PADDED {
        values.resize(values.len().next_power_of_two(), last);
    } else {
        out.once();
    }
    out.push(start, []);
    for (i, value) in values.into_iter().enumerate() {
        out.push(if i == 0 { "?" } else { ", ?" }, [value]);
    }
    out.push("))", []);
}
