//! Prints a [`Filter`] as a condition on the current row of a resource, alias `r`.
//!
//! Conditions on rows are EXISTS on what one resource has, so that each costs the same whatever the size of the database; what a search
//! is driven by is `set`'s.
//!
//! Invariant: a condition is never dropped: what cannot be printed is an error.
//! Invariant: every row and term that is looked at is of the tenant of the resource that is.

mod ends;
mod rows;
mod set;
mod test;

pub(super) use ends::{LONG, SHORT_NUMBER, SHORT_TIME};
pub(crate) use set::Candidate;
pub(super) use set::{candidates, set};
pub(super) use test::list;

use self::rows::Part;
use super::list::Lists;
use super::row::DELETED;
use super::statement::{Bind, Names, Statement};
use crate::error::{Error, ErrorCode, Result};
use crate::store::stamp::{first_of, last_of};
use crate::store::{Criterion, Filter, ParameterNumber, ResourceType, Test, id};

/// Binds of one statement at most: SQLite takes 32,766, PostgreSQL 65,535.
const MAX_BINDS: usize = 30_000;
/// Conditions of one filter at most: planners take time that grows with their square.
const MAX_CONDITIONS: usize = 1_000;
/// Lists up to this length are padded to a power of two, so that few statement shapes stay prepared.
const MAX_PADDED: usize = 256;
/// The aliases of resources, one for each step of a chain.
const ALIASES: [&str; 12] = [
    "r", "r1", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11",
];

/// Appends the condition in parentheses or as a constant.
pub(crate) fn push<'a, ST>(out: &mut Statement<'a, ST>, scope: Lists, filter: &'a Filter) -> Result<()> {
    push_but(out, scope, filter, None)
}

/// The same, without that part of it, which what stands around has seen to.
pub(super) fn push_but<'a, ST>(
    out: &mut Statement<'a, ST>,
    scope: Lists,
    filter: &'a Filter,
    but: Option<&Filter>,
) -> Result<()> {
    let size = size(filter);
    if size.conditions > MAX_CONDITIONS || out.binds() + size.values > MAX_BINDS {
        return Err(Error::new(
            ErrorCode::Value,
            "The request names too many values; split it into several.",
        ));
    }
    if size.depth >= ALIASES.len() {
        return Err(Error::new(
            ErrorCode::Value,
            "The request goes through too many references one after the other; split it into several.",
        ));
    }
    Printer { scope, but }.print(out, filter, 0);
    Ok(())
}

#[derive(Clone, Copy, Default)]
struct Size {
    conditions: usize,
    values: usize,
    depth: usize,
}

impl Size {
    fn list(values: usize) -> Self {
        Size {
            conditions: 1,
            values: values.max(values.min(MAX_PADDED).next_power_of_two()),
            depth: 0,
        }
    }

    fn of(conditions: usize, values: usize) -> Self {
        Size {
            conditions,
            values,
            depth: 0,
        }
    }

    fn sum(self, other: Size) -> Self {
        Size {
            conditions: self.conditions + other.conditions,
            values: self.values + other.values,
            depth: self.depth.max(other.depth),
        }
    }

    fn step(self, values: usize) -> Self {
        Size {
            conditions: self.conditions + 1,
            values: self.values + values + 8,
            depth: self.depth + 1,
        }
    }
}

/// How many conditions it has, how many values and steps at most.
fn size(filter: &Filter) -> Size {
    match filter {
        Filter::All | Filter::None => Size::of(1, 0),
        Filter::And(filters) | Filter::Or(filters) => {
            filters.iter().map(size).fold(Size::default(), Size::sum)
        }
        Filter::Not(inner) => size(inner),
        Filter::Types(types) => Size::list(types.len()),
        Filter::Ids(ids) => Size::list(ids.len()),
        Filter::Resource(_) | Filter::LastUpdated { .. } => Size::of(1, 2),
        Filter::Has(criterion) => size_of(criterion),
        Filter::Group(parts) => parts.iter().map(size_of).fold(Size::default(), Size::sum),
        Filter::RefersTo {
            parameters, filter, ..
        } => size(filter).step(Size::list(parameters.len()).values),
        Filter::ReferredToBy { filter, .. } => size(filter).step(1),
        Filter::RefersByUrl {
            parameters,
            urls,
            filter,
            ..
        } => size(filter).step(Size::list(parameters.len()).values + Size::list(urls.len()).values),
        Filter::ReferredToByUrl { urls, filter, .. } => size(filter).step(Size::list(urls.len()).values),
    }
}

fn size_of(criterion: &Criterion) -> Size {
    size_of_test(&criterion.test)
}

fn size_of_test(test: &Test) -> Size {
    // A text takes two binds at most.
    match test {
        Test::Every(all) => all.iter().map(size_of_test).fold(Size::of(1, 0), Size::sum),
        Test::Token { code, .. } => {
            let codes = code.as_ref().map_or(0, Vec::len);
            Size::of(1 + codes / 4, 2 * codes + 4)
        }
        Test::UriAbove(uris) => Size::of(1 + uris.len() / 4, 2 * uris.len() + 4),
        Test::Reference { types, .. } => Size::list(if types.is_empty() { 160 } else { types.len() }),
        Test::ReferenceType(types) => Size::list(types.len()),
        Test::NoneOf(tests) => tests.iter().map(size_of_test).fold(Size::of(1, 0), Size::sum),
        _ => Size::of(1, 16),
    }
}

/// The alias of the resource that a chain has come to.
fn alias(depth: usize) -> &'static str {
    // `push_but` has seen to it that there is one.
    ALIASES.get(depth).copied().unwrap_or("r")
}

#[derive(Clone, Copy)]
struct Printer<'f> {
    scope: Lists,
    but: Option<&'f Filter>,
}

impl Printer<'_> {
    fn print<'a, ST>(self, out: &mut Statement<'a, ST>, filter: &'a Filter, depth: usize) {
        let names = Names::resource(alias(depth));
        if self.but.is_some_and(|but| std::ptr::eq(but, filter)) {
            return out.push("TRUE", []);
        }
        match filter {
            Filter::All => out.push("TRUE", []),
            Filter::None => out.push("FALSE", []),
            Filter::And(all) => self.join(out, all, (" AND ", "TRUE"), depth),
            Filter::Or(any) => self.either(out, &rows::together(any), depth),
            Filter::Not(inner) => {
                out.push("NOT ", []);
                self.print(out, inner, depth);
            }
            Filter::Types(types) => {
                let numbers = types.iter().map(|t| Bind::Small(t.number())).collect();
                list(out, "(#.type IN (", numbers, names);
            }
            Filter::Ids(ids) => {
                let packed = ids.iter().map(|i| Bind::Owned(id::pack(i))).collect();
                list(out, "(#.id IN (", packed, names);
            }
            Filter::Resource(key) => out.push_as(
                "(#.type = ? AND #.id = ?)",
                names,
                [
                    Bind::Small(key.resource_type.number()),
                    Bind::Owned(id::pack(&key.id)),
                ],
            ),
            Filter::LastUpdated { from, to } => {
                let first = from.map_or(0, first_of);
                let last = to.map_or(i64::MAX, last_of);
                // The plus leaves the choice of an index to the statement around it, which gives the span too.
                out.push_as(
                    "(+#.stamp >= ? AND +#.stamp <= ?)",
                    names,
                    [Bind::Big(first), Bind::Big(last)],
                );
            }
            Filter::Has(criterion) => rows::has_any(out, self.scope, &[criterion], names),
            Filter::Group(parts) => rows::group(out, self.scope, parts, names),
            Filter::RefersTo { .. } | Filter::ReferredToBy { .. } => self.link(out, filter, depth),
            Filter::RefersByUrl { .. } | Filter::ReferredToByUrl { .. } => {
                self.link_by_url(out, filter, depth)
            }
        }
    }

    /// A step of a chain: the resource at its end must be current and pass the filter.
    fn link<'a, ST>(self, out: &mut Statement<'a, ST>, filter: &'a Filter, depth: usize) {
        // The resource at the other end takes the place of a row's alias in the text.
        let names = Names {
            resource: alias(depth),
            row: alias(depth + 1),
        };
        let (resource_type, inner) = match filter {
            Filter::RefersTo {
                parameters,
                resource_type,
                filter,
            } => {
                out.push_as(
                    "EXISTS (SELECT 1 FROM label l CROSS JOIN term n CROSS JOIN resource @ WHERE l.tenant = #.tenant\
                     \x20AND l.resource = #.surrogate AND ",
                    names,
                    [],
                );
                let numbers = parameters.iter().map(|p| Bind::Int(p.0)).collect();
                list(out, "(l.parameter IN (", numbers, names);
                out.push_as(
                    " AND n.tenant = l.tenant AND n.number = l.term AND n.kind = ? AND @.tenant = #.tenant\
                     \x20AND @.id = n.head",
                    names,
                    [Bind::Small(super::index::REFERENCE + resource_type.number())],
                );
                (resource_type, filter)
            }
            Filter::ReferredToBy {
                resource_type,
                parameter,
                filter,
            } => {
                out.push_as(
                    "EXISTS (SELECT 1 FROM term n CROSS JOIN label l CROSS JOIN resource @ WHERE n.tenant = #.tenant\
                     \x20AND n.kind = 100 + #.type AND n.head = #.id AND l.tenant = #.tenant AND l.parameter = ?\
                     \x20AND l.term = n.number AND @.tenant = #.tenant AND @.surrogate = l.resource",
                    names,
                    [Bind::Int(parameter.0)],
                );
                out.push(self.scope.row_guard(), []);
                (resource_type, filter)
            }
            _ => return out.push("FALSE", []),
        };
        self.end(out, (*resource_type, inner), depth);
    }

    /// The same by canonical URL: both resources have one term.
    fn link_by_url<'a, ST>(self, out: &mut Statement<'a, ST>, filter: &'a Filter, depth: usize) {
        let names = Names {
            resource: alias(depth),
            row: alias(depth + 1),
        };
        out.push_as(
            "EXISTS (SELECT 1 FROM label l CROSS JOIN label k CROSS JOIN resource @ WHERE l.tenant = #.tenant\
             \x20AND l.resource = #.surrogate AND ",
            names,
            [],
        );
        let numbers = |parameters: &'a [ParameterNumber]| parameters.iter().map(|p| Bind::Int(p.0)).collect();
        let (resource_type, inner) = match filter {
            Filter::RefersByUrl {
                parameters,
                urls,
                resource_type,
                filter,
            } => {
                list(out, "(l.parameter IN (", numbers(parameters), names);
                out.push_as(" AND k.tenant = #.tenant AND ", names, []);
                list(out, "(k.parameter IN (", numbers(urls), names);
                (resource_type, filter)
            }
            Filter::ReferredToByUrl {
                resource_type,
                parameter,
                urls,
                filter,
            } => {
                list(out, "(l.parameter IN (", numbers(urls), names);
                out.push_as(
                    " AND k.tenant = #.tenant AND k.parameter = ?",
                    names,
                    [Bind::Int(parameter.0)],
                );
                (resource_type, filter)
            }
            _ => return out.push("FALSE)", []),
        };
        out.push_as(
            " AND k.term = l.term AND @.tenant = #.tenant AND @.surrogate = k.resource",
            names,
            [],
        );
        out.push(self.scope.row_guard(), []);
        self.end(out, (*resource_type, inner), depth);
    }

    /// The end of a step: the resource there is current, of the type, and passes.
    fn end<'a, ST>(
        self,
        out: &mut Statement<'a, ST>,
        (resource_type, inner): (ResourceType, &'a Filter),
        depth: usize,
    ) {
        let names = Names {
            resource: alias(depth),
            row: alias(depth + 1),
        };
        out.push_as(
            " AND @.type = ? AND @.change < ? AND ",
            names,
            [Bind::Small(resource_type.number()), Bind::Small(DELETED)],
        );
        self.print(out, inner, depth + 1);
        out.push(self.scope.dialect.end_of_exists(), []);
    }

    /// One of the parts, balanced as all lists are.
    fn either<'a, ST>(self, out: &mut Statement<'a, ST>, parts: &[Part<'a>], depth: usize) {
        match parts {
            [] => out.push("FALSE", []),
            [Part::Rows(tests)] => rows::has_any(out, self.scope, tests, Names::resource(alias(depth))),
            [Part::Other(filter)] => self.print(out, filter, depth),
            many => {
                let (left, right) = many.split_at(many.len() / 2);
                out.push("(", []);
                self.either(out, left, depth);
                out.push(" OR ", []);
                self.either(out, right, depth);
                out.push(")", []);
            }
        }
    }

    /// Balanced, so that a long list does not make a deep expression.
    fn join<'a, ST>(
        self,
        out: &mut Statement<'a, ST>,
        filters: &'a [Filter],
        (with, empty): (&'static str, &'static str),
        depth: usize,
    ) {
        match filters {
            [] => out.push(empty, []),
            [one] => self.print(out, one, depth),
            many => {
                let (left, right) = many.split_at(many.len() / 2);
                out.push("(", []);
                self.join(out, left, (with, empty), depth);
                out.push(with, []);
                self.join(out, right, (with, empty), depth);
                out.push(")", []);
            }
        }
    }
}
