//! The plainest way to answer a [`Filter`]: look at every row of every resource. The back ends are held against it, and one of your own
//! can answer with it what its database has no index for: gather the current resources in a [`Model`] and ask that.
//!
//! It takes time in the number of resources, for a link the square of it.

use std::cmp::Ordering;

use crate::context::Millis;
use crate::store::number::ordered;
use crate::store::{
    Contained, Criterion, Cursor, Filter, Index, IndexRow, IndexValue, Key, Link, LinkQuery, ParameterNumber,
    Passage, Place, ResourceType, SORTED_BYTES, Section, Sort, SortKey, SystemTest, Test, UnitTest,
    ValueKind, id,
};

/// A resource that is not deleted, as a search sees it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Item {
    /// Type and id.
    pub key: Key,
    /// The stamp of its current version.
    pub stamp: i64,
    /// When that was written.
    pub last_updated: Millis,
    /// Its rows.
    pub index: Index,
}

impl Item {
    /// The current version of a resource, by its stamp and time, with its rows.
    pub fn new(key: Key, stamp: i64, last_updated: Millis, index: Index) -> Self {
        Item {
            key,
            stamp,
            last_updated,
            index,
        }
    }
}

/// Everything current of a tenant, oldest change first.
#[derive(Clone, Debug, Default)]
pub struct Model(pub Vec<Item>);

impl Model {
    /// Whether the filter lets the resource through.
    pub fn admits(&self, filter: &Filter, item: &Item) -> bool {
        self.judge(filter, item, None)
    }

    /// Which of what the resource contains passes, by its id.
    pub fn contained(&self, resource_type: ResourceType, filter: &Filter, container: &Item) -> Vec<String> {
        let contained = container.index.contained().iter();
        let of_type = contained.filter(|one| one.resource_type == resource_type);
        let passing = of_type.filter(|one| self.judge(filter, &inner(one, container), Some(container)));
        passing.map(|one| one.id.clone()).collect()
    }

    /// The same of a resource within a container.
    fn judge(&self, filter: &Filter, item: &Item, container: Option<&Item>) -> bool {
        let judge = |filter: &Filter| self.judge(filter, item, container);
        match filter {
            Filter::Resource(_)
            | Filter::LastUpdated { .. }
            | Filter::ReferredToBy { .. }
            | Filter::ReferredToByUrl { .. }
            | Filter::Contains { .. }
                if container.is_some() =>
            {
                false
            }
            Filter::And(all) => all.iter().all(judge),
            Filter::Or(any) => any.iter().any(judge),
            Filter::Not(not) => !judge(not),
            Filter::Has(criterion) => item.index.rows().iter().any(|row| passes(criterion, row)),
            Filter::Any(test) => item.index.rows().iter().any(|row| value_passes(test, &row.value)),
            Filter::Group(parts) => in_one_group(parts, &item.index),
            Filter::Words { narrative, phrase } => {
                let of_section = |p: &&Passage| !narrative || p.section() == Section::Narrative;
                let passages = item.index.passages().iter();
                passages.filter(of_section).any(|passage| passage.has(phrase))
            }
            Filter::Contains {
                resource_type,
                filter,
            } => !self.contained(*resource_type, filter, item).is_empty(),
            Filter::RefersInside {
                parameters,
                resource_type,
                filter,
            } => {
                let within = self.contained(*resource_type, filter, container.unwrap_or(item));
                within.iter().any(|id| names_inside(item, parameters, id))
            }
            linked => self.linked(linked, item),
        }
    }

    /// What asks for other resources, or for nothing but the key.
    fn linked(&self, filter: &Filter, item: &Item) -> bool {
        match filter {
            Filter::RefersTo {
                parameters,
                resource_type,
                filter,
            } => self.0.iter().any(|target| {
                target.key.resource_type == *resource_type
                    && refers(item, parameters, &target.key)
                    && self.admits(filter, target)
            }),
            Filter::ReferredToBy {
                resource_type,
                parameter,
                filter,
            } => self.0.iter().any(|source| {
                source.key.resource_type == *resource_type
                    && refers(source, &[*parameter], &item.key)
                    && self.admits(filter, source)
            }),
            Filter::RefersByUrl {
                parameters,
                urls,
                resource_type,
                filter,
            } => self.0.iter().any(|target| {
                target.key.resource_type == *resource_type
                    && shares(item, parameters, target, urls)
                    && self.admits(filter, target)
            }),
            Filter::ReferredToByUrl {
                resource_type,
                parameter,
                urls,
                filter,
            } => self.0.iter().any(|source| {
                source.key.resource_type == *resource_type
                    && shares(source, &[*parameter], item, urls)
                    && self.admits(filter, source)
            }),
            plain => plain.admits(&item.key, item.last_updated),
        }
    }

    /// The resources that the filter lets through, in order.
    pub fn search(
        &self,
        resource_type: Option<ResourceType>,
        filter: &Filter,
        sort: &[Sort],
    ) -> Vec<(&Item, Cursor)> {
        self.search_without(resource_type, filter, sort, &[])
    }

    /// The same, with values that count as missing in the order.
    pub fn search_without(
        &self,
        resource_type: Option<ResourceType>,
        filter: &Filter,
        sort: &[Sort],
        absent: &[(usize, Filter)],
    ) -> Vec<(&Item, Cursor)> {
        let is_absent = |item: &Item, place: usize| {
            let mut of_it = absent.iter().filter(|(absent, _)| *absent == place);
            of_it.any(|(_, filter)| self.admits(filter, item))
        };
        let of_type = |item: &&Item| resource_type.is_none_or(|t| t == item.key.resource_type);
        let found = self.0.iter().filter(of_type);
        let mut found: Vec<(&Item, Cursor)> = found
            .filter(|item| self.admits(filter, item))
            .map(|item| (item, cursor(item, sort, &|place| is_absent(item, place))))
            .collect();
        found.sort_by(|a, b| compare(&a.1, &b.1, sort));
        found
    }
}

impl Model {
    /// The resources that a query's link gives, newest change first, without its bound on how many.
    pub fn linked_by<'a>(&'a self, query: &'a LinkQuery) -> impl Iterator<Item = &'a Item> {
        self.0.iter().rev().filter(|item| self.is_linked(query, item))
    }

    fn is_linked(&self, query: &LinkQuery, item: &Item) -> bool {
        let mut from = self.0.iter().filter(|one| query.from.contains(&one.key));
        match &query.link {
            Link::Forward {
                parameters,
                urls,
                targets,
            } => {
                let is_target = |(of, filter): &(ResourceType, Filter)| {
                    *of == item.key.resource_type && self.admits(filter, item)
                };
                let names_it = |source: &Item| {
                    let all: Vec<_> = source.index.rows().iter().map(|row| row.parameter).collect();
                    let by = if parameters.is_empty() { &all } else { parameters };
                    match urls.is_empty() {
                        true => refers(source, by, &item.key),
                        false => shares(source, by, item, urls),
                    }
                };
                targets.iter().any(is_target) && from.any(names_it)
            }
            Link::Backward {
                parameters,
                urls,
                source,
                filter,
            } => {
                item.key.resource_type == *source
                    && match urls.is_empty() {
                        true => query.from.iter().any(|to| refers(item, parameters, to)),
                        false => from.any(|to| shares(item, parameters, to, urls)),
                    }
                    && self.admits(filter, item)
            }
        }
    }
}

/// A contained resource as one of its own.
fn inner(contained: &Contained, container: &Item) -> Item {
    Item {
        key: Key {
            resource_type: contained.resource_type,
            id: contained.id.clone(),
        },
        stamp: container.stamp,
        last_updated: container.last_updated,
        index: contained.index.clone(),
    }
}

/// Whether one of the parameters of a resource names what is contained beside it under that id.
fn names_inside(item: &Item, parameters: &[ParameterNumber], id: &str) -> bool {
    item.index.rows().iter().any(|row| {
        parameters.contains(&row.parameter)
            && matches!(&row.value, IndexValue::Uri { uri, .. } if uri.strip_prefix('#') == Some(id))
    })
}

/// Whether one of the parameters of a resource names that one.
pub fn refers(item: &Item, parameters: &[ParameterNumber], to: &Key) -> bool {
    item.index.rows().iter().any(|row| {
        parameters.contains(&row.parameter)
            && matches!(&row.value, IndexValue::Reference { resource_type, id, .. }
                if *resource_type == to.resource_type && *id == to.id)
    })
}

/// Whether a resource has a text, code, uri or reference for one of its parameters that the other has for one of its own.
pub fn shares(one: &Item, parameters: &[ParameterNumber], other: &Item, others: &[ParameterNumber]) -> bool {
    let of = |item: &Item, parameters: &[ParameterNumber]| -> Vec<IndexValue> {
        let rows = item
            .index
            .rows()
            .iter()
            .filter(|row| parameters.contains(&row.parameter));
        rows.filter(|row| is_term(&row.value))
            .map(|row| row.value.clone())
            .collect()
    };
    let there = of(other, others);
    of(one, parameters).iter().any(|value| there.contains(value))
}

fn is_term(value: &IndexValue) -> bool {
    matches!(
        kind_of(value),
        ValueKind::String | ValueKind::Token | ValueKind::Uri | ValueKind::Reference
    )
}

/// Whether one group of a composite passes all of them.
pub fn in_one_group(parts: &[Criterion], index: &Index) -> bool {
    let Some((first, rest)) = parts.split_first() else {
        return true;
    };
    let rows = index.rows();
    rows.iter().any(|row| {
        passes(first, row)
            && rest.iter().all(|part| {
                rows.iter()
                    .any(|other| other.group == row.group && passes(part, other))
            })
    })
}

/// Whether a row is of the parameter and passes.
pub fn passes(criterion: &Criterion, row: &IndexRow) -> bool {
    row.parameter == criterion.parameter && value_passes(&criterion.test, &row.value)
}

/// Whether a value passes.
pub fn value_passes(test: &Test, value: &IndexValue) -> bool {
    match (test, value) {
        (Test::Every(all), value) => all.iter().all(|test| value_passes(test, value)),
        (Test::Exists(kind), value) => kind_of(value) == *kind,
        (Test::NoneOf(tests), value) => is_term(value) && !tests.iter().any(|test| value_passes(test, value)),
        (Test::StartsWith(start), IndexValue::String { folded, .. }) => folded.starts_with(start.as_str()),
        (Test::EndsWith(end), IndexValue::String { folded, .. }) => folded.ends_with(end.as_str()),
        (Test::Contains(part), IndexValue::String { folded, .. }) => folded.contains(part.as_str()),
        (Test::Folded(text), IndexValue::String { folded, .. }) => folded == text,
        (Test::Exact(text), IndexValue::String { exact, .. }) => exact == text,
        (Test::Token { system, code }, IndexValue::Token { system: of, code: is }) => {
            let from = match system {
                SystemTest::Any => true,
                SystemTest::Absent => of.is_none(),
                SystemTest::Is(system) => of.as_ref() == Some(system),
            };
            from && code.as_ref().is_none_or(|spellings| spellings.contains(is))
        }
        (
            Test::Reference { types, id, version },
            IndexValue::Reference {
                resource_type,
                id: of,
                version: names,
            },
        ) => {
            (types.is_empty() || types.contains(resource_type))
                && id == of
                && (version.is_none() || version == names)
        }
        (Test::ReferenceType(types), IndexValue::Reference { resource_type, .. }) => {
            types.contains(resource_type)
        }
        (
            Test::ReferenceTo { resource_type, ids },
            IndexValue::Reference {
                resource_type: of,
                id,
                ..
            },
        ) => resource_type == of && ids.contains(id),
        (
            Test::ReferenceBeyond { resource_type, ids },
            IndexValue::Reference {
                resource_type: of,
                id,
                ..
            },
        ) => resource_type == of && !ids.contains(id),
        (Test::Uri { uri, version }, IndexValue::Uri { uri: is, version: of }) => {
            uri == is && (version.is_none() || version == of)
        }
        (Test::UriBelow(root), IndexValue::Uri { uri, .. }) => is_below(uri, root),
        (Test::UriAbove(roots), IndexValue::Uri { uri, .. }) => roots.contains(uri),
        (Test::Date(compare, a, b), IndexValue::Date { first, last }) => {
            compare.passes((a, b), (first, last))
        }
        (Test::Number(compare, a, b), IndexValue::Number { low, high }) => {
            compare.passes((a, b), (low, high))
        }
        (
            Test::Quantity(compare, a, b, test),
            IndexValue::Quantity {
                low,
                high,
                system,
                code,
                unit,
            },
        ) => {
            let measured = match test {
                UnitTest::Any => true,
                UnitTest::Coded { system: s, code: c } => {
                    system.as_ref() == Some(s) && code.as_ref() == Some(c)
                }
                UnitTest::Named(name) => code.as_ref() == Some(name) || unit.as_ref() == Some(name),
            };
            measured && compare.passes((a, b), (low, high))
        }
        (
            Test::Near {
                point: [x, y, z],
                chord2,
            },
            IndexValue::Position { point: [px, py, pz] },
        ) => (px - x) * (px - x) + (py - y) * (py - y) + (pz - z) * (pz - z) <= *chord2,
        _ => false,
    }
}

fn is_below(uri: &str, root: &str) -> bool {
    const SEPARATORS: [char; 5] = ['/', ':', '#', '?', '.'];
    uri.strip_prefix(root)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(SEPARATORS) || root.ends_with(SEPARATORS))
}

fn kind_of(value: &IndexValue) -> ValueKind {
    match value {
        IndexValue::String { .. } => ValueKind::String,
        IndexValue::Token { .. } => ValueKind::Token,
        IndexValue::Reference { .. } => ValueKind::Reference,
        IndexValue::Uri { .. } => ValueKind::Uri,
        IndexValue::Date { .. } => ValueKind::Date,
        IndexValue::Number { .. } => ValueKind::Number,
        IndexValue::Quantity { .. } => ValueKind::Quantity,
        IndexValue::Position { .. } => ValueKind::Position,
    }
}

/// The place of a resource in an order; some of its keys may count as missing.
fn cursor(item: &Item, sort: &[Sort], is_absent: &dyn Fn(usize) -> bool) -> Cursor {
    let by = |parameters: &[ParameterNumber], kind: ValueKind, descending: bool| {
        let rows = item.index.rows().iter();
        let places = rows
            .filter(|row| parameters.contains(&row.parameter) && kind_of(&row.value) == kind)
            .filter_map(|row| place(&row.value, descending));
        let best = if descending { places.max() } else { places.min() };
        best.unwrap_or(Place::Missing)
    };
    let values = sort.iter().enumerate().map(|(place, sort)| match &sort.key {
        SortKey::LastUpdated => Place::Number(item.stamp),
        SortKey::Id => Place::Bytes(id::pack(&item.key.id)),
        _ if is_absent(place) => Place::Missing,
        SortKey::Parameter { parameter, kind } => by(&[*parameter], *kind, sort.descending),
        SortKey::AnyParameter { parameters, kind } => by(parameters, *kind, sort.descending),
    });
    Cursor {
        values: values.collect(),
        stamp: item.stamp,
    }
}

fn place(value: &IndexValue, descending: bool) -> Option<Place> {
    let end = |first: i64, last: i64| Place::Number(if descending { last } else { first });
    let text = |bytes: &[u8]| Place::Bytes(bytes.get(..SORTED_BYTES).unwrap_or(bytes).to_vec());
    Some(match value {
        IndexValue::String { folded, .. } => text(folded.as_bytes()),
        IndexValue::Token { code, .. } => text(code.as_bytes()),
        IndexValue::Uri { uri, .. } => text(uri.as_bytes()),
        IndexValue::Reference { id, .. } => text(&id::pack(id)),
        IndexValue::Date { first, last } => end(*first, *last),
        IndexValue::Number { low, high } | IndexValue::Quantity { low, high, .. } => {
            end(ordered(*low), ordered(*high))
        }
        IndexValue::Position { .. } => return None,
    })
}

/// Which place is before which.
pub fn compare(a: &Cursor, b: &Cursor, sort: &[Sort]) -> Ordering {
    let values = a.values.iter().zip(&b.values).zip(sort);
    let by_values = values.map(|((a, b), sort)| match (a, b) {
        (Place::Missing, Place::Missing) => Ordering::Equal,
        (Place::Missing, _) => Ordering::Greater,
        (_, Place::Missing) => Ordering::Less,
        _ if sort.descending => b.cmp(a),
        _ => a.cmp(b),
    });
    by_values
        .fold(Ordering::Equal, Ordering::then)
        .then(b.stamp.cmp(&a.stamp))
}
