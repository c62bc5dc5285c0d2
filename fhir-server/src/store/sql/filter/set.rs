//! What a search may be driven by: parts of its filter of which an index gives the resources, as statements that give their surrogates.
//!
//! Invariant: a set holds every resource that the part lets through; an exact one no others.

use super::super::index::REFERENCE;
use super::super::list::Lists;
use super::super::row::DELETED;
use super::super::statement::{Bind, Names, Statement};
use super::ends::{self, Ends};
use super::rows::Part;
use super::test::{self, Table, list};
use super::{Printer, alias, rows};
use crate::store::{Criterion, Filter, ParameterNumber, ResourceType, Test, id};

/// Parts of a union at most.
const MAX_PARTS: usize = 64;

/// A part of a filter that may drive it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Candidate<'f> {
    /// The part.
    pub(crate) part: &'f Filter,
    /// Whether its set has what it lets through and nothing else.
    pub(crate) is_exact: bool,
    /// The lower, the fewer it mostly gives.
    rank: u8,
}

impl Candidate<'_> {
    /// Whether its set is found without looking at much beside it.
    pub(crate) fn is_direct(&self) -> bool {
        self.rank <= BETWEEN + 1
    }
}

/// The parts of the filter that may drive it, those first that mostly give few.
pub(in crate::store::sql) fn candidates(filter: &Filter) -> Vec<Candidate<'_>> {
    let mut found = Vec::new();
    collect(filter, &mut found);
    found.sort_by_key(|candidate| candidate.rank);
    found
}

fn collect<'f>(filter: &'f Filter, found: &mut Vec<Candidate<'f>>) {
    match filter {
        Filter::And(all) => all.iter().for_each(|part| collect(part, found)),
        part => found.extend(rank(part).map(|rank| Candidate {
            part,
            is_exact: is_exact(part),
            rank,
        })),
    }
}

/// The lower, the fewer it mostly gives; `None` where no index gives them.
fn rank(filter: &Filter) -> Option<u8> {
    match filter {
        Filter::None | Filter::Resource(_) => Some(0),
        Filter::Has(criterion) => Some(rank_of(&criterion.test)).filter(|rank| *rank < NEVER),
        Filter::Group(parts) => parts
            .iter()
            .map(|part| rank_of(&part.test))
            .min()
            .filter(|rank| *rank < NEVER),
        Filter::And(all) => all.iter().filter_map(rank).min(),
        Filter::Or(any) => {
            let parts = rows::together(any);
            let mut ranks = parts.iter().map(|part| match part {
                Part::Rows(tests) => tests
                    .iter()
                    .map(|test| rank_of(&test.test))
                    .max()
                    .filter(|rank| *rank < NEVER),
                Part::Other(filter) => rank(filter),
            });
            match parts.len() <= MAX_PARTS {
                true => ranks.try_fold(0, |most: u8, rank| rank.map(|rank| most.max(rank))),
                false => None,
            }
        }
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

/// The rank of what lies between two ends.
const BETWEEN: u8 = 3;
/// The rank of what no index gives.
const NEVER: u8 = 8;

fn rank_of(test: &Test) -> u8 {
    match test {
        Test::Every(all) => match Ends::of(test) {
            Some(ends) if ends.is_between() => BETWEEN,
            _ => all.iter().map(rank_of).min().unwrap_or(7),
        },
        Test::Token { code: Some(_), .. }
        | Test::Reference { .. }
        | Test::Uri { .. }
        | Test::UriAbove(_)
        | Test::Folded(_) => 1,
        Test::StartsWith(_) | Test::UriBelow(_) | Test::Near { .. } => 2,
        Test::Date(..) | Test::Number(..) | Test::Quantity(..) => match Ends::of(test) {
            Some(ends) if ends.is_between() => BETWEEN,
            Some(ends) if ends.is_bounded() => BETWEEN + 1,
            _ => 7,
        },
        Test::ReferenceType(_) => 5,
        Test::Exact(_) | Test::Contains(_) | Test::EndsWith(_) => 6,
        Test::Token { .. } | Test::Exists(_) => 7,
        Test::NoneOf(_) => NEVER,
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
            Filter::Has(criterion) => self.either(out, &[criterion]),
            Filter::Group(parts) => self.group(out, parts),
            Filter::Or(any) if any.is_empty() => out.push(NOTHING, []),
            Filter::Or(any) => {
                for (i, part) in rows::together(any).iter().enumerate() {
                    out.push(if i == 0 { "" } else { " UNION " }, []);
                    match part {
                        Part::Rows(tests) => self.either(out, tests),
                        Part::Other(filter) => self.print(out, resource_type, filter, depth),
                    }
                }
            }
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

    /// What passes one of the tests, which are a part of `together`.
    fn either<'a, ST>(self, out: &mut Statement<'a, ST>, tests: &[&'a Criterion]) {
        let is_one_test = |first: &&Criterion| tests.iter().all(|test| test.test == first.test);
        // SQLite seeks for each part of a union, and not for each part of an OR.
        if tests.len() > MAX_PARTS || tests.first().is_some_and(is_one_test) {
            return self.alike(out, tests);
        }
        for (i, test) in tests.iter().enumerate() {
            out.push(if i == 0 { "" } else { " UNION " }, []);
            self.alike(out, &[*test]);
        }
    }

    /// The same; in two parts where no single index says where to stop.
    fn alike<'a, ST>(self, out: &mut Statement<'a, ST>, tests: &[&'a Criterion]) {
        self.rows(out, tests);
        let bounds = tests.first().and_then(|first| Ends::of(&first.test)?.apart());
        let is_one_test = |first: &&Criterion| tests.iter().all(|test| test.test == first.test);
        let Some((short_to, long_to)) = bounds.filter(|_| tests.first().is_some_and(is_one_test)) else {
            return;
        };
        out.push(" AND l.last <= ? UNION ALL ", [Bind::Big(short_to)]);
        self.rows(out, tests);
        out.push(" AND ", []);
        out.push(ends::LONG, []);
        out.push(" AND l.first <= ?", [Bind::Big(long_to)]);
    }

    /// A statement to which conditions on the row `l` may be added.
    fn rows<'a, ST>(self, out: &mut Statement<'a, ST>, tests: &[&'a Criterion]) {
        let Some(first) = tests.first() else {
            return out.push(NOTHING, []);
        };
        let names = Names::resource("").row("l");
        let tenant = Bind::Big(self.0.tenant.0);
        if Table::of(first) == Table::Label {
            out.push(
                "SELECT l.resource AS s FROM term n CROSS JOIN label l WHERE n.tenant = ?",
                [tenant.clone()],
            );
            out.push(self.0.term_guard(), []);
            out.push(" AND l.tenant = ? AND ", [tenant]);
            let tests = rows::parameter(out, tests, names);
            out.push(" AND l.term = n.number AND ", []);
            test::any(out, self.0, tests, names);
            return out.push(self.0.row_guard(), []);
        }
        let from = match Table::of(first) {
            Table::Span => "SELECT l.resource AS s FROM span l WHERE l.tenant = ? AND ",
            Table::Place => "SELECT l.resource AS s FROM place l WHERE l.tenant = ? AND ",
            Table::Label | Table::Kind => "SELECT l.resource AS s FROM label l WHERE l.tenant = ? AND ",
        };
        out.push(from, [tenant]);
        let tests = rows::parameter(out, tests, names);
        out.push(" AND ", []);
        test::any(out, self.0, tests, names);
        out.push(self.0.row_guard(), []);
    }

    /// Driven by the part that mostly gives the fewest.
    fn group<'a, ST>(self, out: &mut Statement<'a, ST>, parts: &'a [Criterion]) {
        let ranked = parts.iter().enumerate();
        let ranked = ranked.map(|(place, part)| (rank_of(&part.test), place));
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
