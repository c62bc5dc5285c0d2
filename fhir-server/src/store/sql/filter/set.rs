//! What a search may be driven by: parts of its filter of which an index gives the resources, as statements that give their surrogates.
//!
//! Invariant: a set holds every resource that the part lets through; an exact one no others.

use super::super::index::REFERENCE;
use super::super::list::Lists;
use super::super::row::DELETED;
use super::super::statement::{Bind, Names, Statement};
use super::test::{self, Table, list};
use super::{Printer, alias, rows};
use crate::store::{Compare, Criterion, Filter, ParameterNumber, ResourceType, Test, id};

/// Parts of a union at most.
const MAX_PARTS: usize = 64;

/// The parts of the filter that may drive it, those first that mostly give few.
pub(in crate::store::sql) fn candidates(filter: &Filter) -> Vec<&Filter> {
    let mut found = Vec::new();
    collect(filter, &mut found);
    found.sort_by_key(|(rank, _)| *rank);
    found.into_iter().map(|(_, filter)| filter).collect()
}

fn collect<'f>(filter: &'f Filter, found: &mut Vec<(u8, &'f Filter)>) {
    match filter {
        Filter::And(all) => all.iter().for_each(|part| collect(part, found)),
        part => found.extend(rank(part).filter(|_| is_exact(part)).map(|rank| (rank, part))),
    }
}

/// The lower, the fewer it mostly gives; `None` where no index gives them.
fn rank(filter: &Filter) -> Option<u8> {
    match filter {
        Filter::None | Filter::Resource(_) => Some(0),
        Filter::Has(criterion) => rank_of(criterion),
        Filter::Group(parts) => parts.iter().filter_map(rank_of).min(),
        Filter::And(all) => all.iter().filter_map(rank).min(),
        Filter::Or(any) if any.len() <= MAX_PARTS || rows::alike(any).is_some() => any
            .iter()
            .map(rank)
            .try_fold(0, |most, rank| rank.map(|rank| most.max(rank))),
        Filter::RefersTo { filter, .. }
        | Filter::ReferredToBy { filter, .. }
        | Filter::RefersByUrl { filter, .. }
        | Filter::ReferredToByUrl { filter, .. } => {
            let named = names_ids(filter).then_some(0);
            named.or_else(|| rank(filter)).map(|rank| rank + 1)
        }
        _ => None,
    }
}

fn rank_of(criterion: &Criterion) -> Option<u8> {
    match &criterion.test {
        Test::Token { code: Some(_), .. }
        | Test::Reference { .. }
        | Test::Uri { .. }
        | Test::UriAbove(_)
        | Test::Folded(_) => Some(1),
        Test::StartsWith(_) | Test::UriBelow(_) | Test::Near { .. } => Some(2),
        Test::Date(compare, ..) | Test::Number(compare, ..) | Test::Quantity(compare, ..) => match compare {
            Compare::Eq | Compare::Ap => Some(3),
            Compare::Gt | Compare::Ge | Compare::Sa | Compare::Eb => Some(4),
            Compare::Ne | Compare::Lt | Compare::Le => None,
        },
        Test::ReferenceType(_) => Some(5),
        Test::Exact(_) | Test::Contains(_) | Test::EndsWith(_) => Some(6),
        Test::Token { .. } | Test::Exists(_) => Some(7),
        Test::NoneOf(_) => None,
    }
}

fn is_exact(filter: &Filter) -> bool {
    match filter {
        Filter::Or(any) => any.iter().all(is_exact),
        Filter::And(_) => false,
        _ => true,
    }
}

fn names_ids(filter: &Filter) -> bool {
    match filter {
        Filter::Ids(_) => true,
        Filter::And(all) => all.iter().any(names_ids),
        _ => false,
    }
}

/// Appends a statement that gives the surrogates as `s`, some of them maybe more than once.
pub(in crate::store::sql) fn set<'a, ST>(out: &mut Statement<'a, ST>, scope: Lists, filter: &'a Filter) {
    Sets(scope).print(out, None, filter, 1);
}

const NOTHING: &str = "SELECT r.surrogate AS s FROM resource r WHERE FALSE";

#[derive(Clone, Copy)]
struct Sets(Lists);

impl Sets {
    /// `depth` is that of the next alias for a resource.
    fn print<'a, ST>(
        self,
        out: &mut Statement<'a, ST>,
        resource_type: Option<ResourceType>,
        filter: &'a Filter,
        depth: usize,
    ) {
        let tenant = Bind::Big(self.0.tenant.0);
        match filter {
            Filter::Has(criterion) => self.rows(out, &[criterion]),
            Filter::Group(parts) => self.group(out, parts),
            Filter::Or(any) => match (rows::alike(any), any.as_slice()) {
                (Some(tests), any) if any.len() > MAX_PARTS => self.rows(out, &tests),
                (_, []) => out.push(NOTHING, []),
                // SQLite seeks for each part of a union, and not for each part of an OR.
                (_, any) => {
                    for (i, part) in any.iter().enumerate() {
                        out.push(if i == 0 { "" } else { " UNION " }, []);
                        self.print(out, resource_type, part, depth);
                    }
                }
            },
            Filter::And(all) => match (resource_type.zip(all.iter().find(|f| names_ids(f))), best(all)) {
                (Some((_, part)), _) | (None, Some(part)) => self.print(out, resource_type, part, depth),
                (None, None) => out.push(NOTHING, []),
            },
            Filter::Resource(key) => out.push(
                "SELECT k.surrogate AS s FROM resource k WHERE k.tenant = ? AND k.type = ? AND k.id = ?",
                [
                    tenant,
                    Bind::Small(key.resource_type.number()),
                    Bind::Owned(id::pack(&key.id)),
                ],
            ),
            Filter::Ids(ids) => {
                let of_type = Bind::Small(resource_type.map_or(0, ResourceType::number));
                out.push(
                    "SELECT k.surrogate AS s FROM resource k WHERE k.tenant = ? AND k.type = ? AND ",
                    [tenant, of_type],
                );
                let packed = ids.iter().map(|i| Bind::Owned(id::pack(i))).collect();
                list(out, "(k.id IN (", packed, Names::resource("k"));
            }
            Filter::RefersTo {
                parameters,
                resource_type,
                filter,
            } => self.refers(out, parameters, (*resource_type, filter), depth),
            Filter::ReferredToBy {
                resource_type,
                parameter,
                filter,
            } => self.referred(out, *parameter, (*resource_type, filter), depth),
            Filter::RefersByUrl {
                parameters,
                urls,
                resource_type,
                filter,
            } => self.by_url(out, (urls, parameters), (*resource_type, filter), depth),
            Filter::ReferredToByUrl {
                resource_type,
                parameter,
                urls,
                filter,
            } => self.by_url(
                out,
                (std::slice::from_ref(parameter), urls),
                (*resource_type, filter),
                depth,
            ),
            _ => out.push(NOTHING, []),
        }
    }

    fn rows<'a, ST>(self, out: &mut Statement<'a, ST>, tests: &[&'a Criterion]) {
        let Some(first) = tests.first() else {
            return out.push(NOTHING, []);
        };
        let names = Names::resource("l").row("l");
        let tenant = Bind::Big(self.0.tenant.0);
        let parameter = Bind::Int(first.parameter.0);
        match Table::of(first) {
            Table::Label => {
                out.push(
                    "SELECT l.resource AS s FROM term n CROSS JOIN label l WHERE n.tenant = ?",
                    [tenant.clone()],
                );
                out.push(self.0.term_guard(), []);
                out.push(" AND ", []);
                test::any(out, self.0, tests, names);
                out.push(
                    " AND l.tenant = ? AND l.parameter = ? AND l.term = n.number",
                    [tenant, parameter],
                );
                return out.push(self.0.row_guard(), []);
            }
            Table::Kind => out.push(
                "SELECT l.resource AS s FROM label l WHERE l.tenant = ? AND l.parameter = ? AND ",
                [tenant, parameter],
            ),
            Table::Span => out.push(
                "SELECT l.resource AS s FROM span l WHERE l.tenant = ? AND l.parameter = ? AND ",
                [tenant, parameter],
            ),
            Table::Place => out.push(
                "SELECT l.resource AS s FROM place l WHERE l.tenant = ? AND l.parameter = ? AND ",
                [tenant, parameter],
            ),
        }
        test::any(out, self.0, tests, names);
        out.push(self.0.row_guard(), []);
    }

    /// Driven by the part that mostly gives the fewest.
    fn group<'a, ST>(self, out: &mut Statement<'a, ST>, parts: &'a [Criterion]) {
        let ranked = parts.iter().enumerate();
        let ranked = ranked.filter_map(|(place, part)| rank_of(part).map(|rank| (rank, place)));
        let Some((first, part)) = ranked
            .min()
            .and_then(|(_, place)| parts.get(place).map(|part| (place, part)))
        else {
            return out.push(NOTHING, []);
        };
        self.rows(out, &[part]);
        let rest = parts.iter().enumerate().filter(|(place, _)| *place != first);
        rows::others(out, self.0, rest.map(|(_, part)| part));
    }

    fn refers<'a, ST>(
        self,
        out: &mut Statement<'a, ST>,
        parameters: &'a [ParameterNumber],
        (resource_type, filter): (ResourceType, &'a Filter),
        depth: usize,
    ) {
        let names = Names::resource(alias(depth));
        let tenant = Bind::Big(self.0.tenant.0);
        out.push("SELECT l.resource AS s FROM (", []);
        self.print(out, Some(resource_type), filter, depth + 1);
        out.push_as(
            ") d CROSS JOIN resource # CROSS JOIN term n CROSS JOIN label l WHERE ",
            names,
            [],
        );
        self.end(out, (resource_type, filter), depth);
        out.push_as(
            " AND n.tenant = ? AND n.kind = ? AND n.head = #.id AND l.tenant = ? AND ",
            names,
            [
                tenant.clone(),
                Bind::Small(REFERENCE + resource_type.number()),
                tenant,
            ],
        );
        let numbers = parameters.iter().map(|p| Bind::Int(p.0)).collect();
        list(out, "(l.parameter IN (", numbers, names);
        out.push(" AND l.term = n.number", []);
        out.push(self.0.row_guard(), []);
    }

    fn referred<'a, ST>(
        self,
        out: &mut Statement<'a, ST>,
        parameter: ParameterNumber,
        (resource_type, filter): (ResourceType, &'a Filter),
        depth: usize,
    ) {
        let names = Names::resource(alias(depth));
        let tenant = Bind::Big(self.0.tenant.0);
        out.push("SELECT k.surrogate AS s FROM (", []);
        self.print(out, Some(resource_type), filter, depth + 1);
        out.push_as(
            ") d CROSS JOIN resource # CROSS JOIN label l CROSS JOIN term n CROSS JOIN resource k WHERE ",
            names,
            [],
        );
        self.end(out, (resource_type, filter), depth);
        out.push_as(
            " AND l.tenant = ? AND l.resource = #.surrogate AND l.parameter = ? AND n.tenant = ? AND n.number = l.term\
             \x20AND n.kind > 100 AND k.tenant = ? AND k.type = n.kind - 100 AND k.id = n.head",
            names,
            [tenant.clone(), Bind::Int(parameter.0), tenant.clone(), tenant],
        );
        out.push(self.0.row_guard(), []);
    }

    /// What has a term for one of the last parameters that the resource at the other end has for one of the first.
    fn by_url<'a, ST>(
        self,
        out: &mut Statement<'a, ST>,
        (first, last): (&'a [ParameterNumber], &'a [ParameterNumber]),
        (resource_type, filter): (ResourceType, &'a Filter),
        depth: usize,
    ) {
        let names = Names::resource(alias(depth));
        let tenant = Bind::Big(self.0.tenant.0);
        let numbers = |parameters: &'a [ParameterNumber]| parameters.iter().map(|p| Bind::Int(p.0)).collect();
        out.push("SELECT k.resource AS s FROM (", []);
        self.print(out, Some(resource_type), filter, depth + 1);
        out.push_as(
            ") d CROSS JOIN resource # CROSS JOIN label l CROSS JOIN label k WHERE ",
            names,
            [],
        );
        self.end(out, (resource_type, filter), depth);
        out.push_as(
            " AND l.tenant = ? AND l.resource = #.surrogate AND ",
            names,
            [tenant.clone()],
        );
        list(out, "(l.parameter IN (", numbers(first), names);
        out.push(" AND k.tenant = ? AND ", [tenant]);
        list(out, "(k.parameter IN (", numbers(last), names);
        out.push(" AND k.term = l.term", []);
        out.push(self.0.row_guard(), []);
    }

    /// The resource at the other end of a link, found through `d`, is what it must be.
    fn end<'a, ST>(
        self,
        out: &mut Statement<'a, ST>,
        (resource_type, filter): (ResourceType, &'a Filter),
        depth: usize,
    ) {
        out.push_as(
            "#.tenant = ? AND #.surrogate = d.s AND #.type = ? AND #.change < ? AND ",
            Names::resource(alias(depth)),
            [
                Bind::Big(self.0.tenant.0),
                Bind::Small(resource_type.number()),
                Bind::Small(DELETED),
            ],
        );
        let printer = Printer {
            scope: self.0,
            but: None,
        };
        printer.print(out, filter, depth);
    }
}

fn best(all: &[Filter]) -> Option<&Filter> {
    let ranked = all.iter().filter_map(|part| rank(part).map(|rank| (rank, part)));
    ranked.min_by_key(|(rank, _)| *rank).map(|(_, part)| part)
}
